//! One pass over units in constant memory: counts and moments per arm and metric.

use throughline_stats::moments::Moments;
use throughline_stats::two_sample::Summary;

use super::{checks, welch};
use crate::{EvidenceError, ExperimentSpec, MetricKind, Reading};

/// What was seen of one metric in one arm.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Cell {
    pub(crate) moments: Moments,
    /// No value, NaN or infinite.
    pub(crate) missing: u64,
    /// Neither 0 nor 1 for a proportion.
    pub(crate) invalid: u64,
}

impl Cell {
    fn push(&mut self, kind: MetricKind, value: Option<f64>) {
        match (value.filter(|v| v.is_finite()), kind) {
            (None, _) => self.missing += 1,
            (Some(v), MetricKind::Proportion) if v != 0.0 && v != 1.0 => self.invalid += 1,
            (Some(v), _) => self.moments.push(v),
        }
    }

    fn merge(&mut self, other: &Self) {
        self.moments.merge(&other.moments);
        self.missing += other.missing;
        self.invalid += other.invalid;
    }

    /// The sufficient statistics of the comparison.
    pub(crate) fn summary(&self, kind: MetricKind) -> Summary {
        match kind {
            MetricKind::Mean => self.moments.summary(),
            MetricKind::Proportion => {
                // A sum of zeros and ones is exact.
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of at most n")]
                let successes = self.moments.sum() as u64;
                Summary::proportion(successes, self.moments.n().saturating_sub(successes))
            }
        }
    }
}

/// An arm as it fills.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ArmCells {
    pub(crate) units: u64,
    pub(crate) cells: Vec<Cell>,
}

/// Takes in units one by one; memory does not grow with them. Observations in the same order, cut into the same parts
/// and merged in the same order, give the same bits.
#[derive(Debug, Clone, PartialEq)]
pub struct Accumulator {
    spec: ExperimentSpec,
    control: usize,
    arms: Vec<ArmCells>,
    unknown_arm: u64,
}

impl Accumulator {
    /// An empty accumulator for a valid specification.
    pub fn new(spec: &ExperimentSpec) -> Result<Self, EvidenceError> {
        let control = spec.validate()?;
        let empty = ArmCells { units: 0, cells: vec![Cell::default(); spec.metrics.len()] };
        Ok(Self { spec: spec.clone(), control, arms: vec![empty; spec.arms.len()], unknown_arm: 0 })
    }

    /// Takes in one unit: its arm by position, and its value of each metric in the order of the specification. `None`,
    /// NaN and infinite values count as missing; a proportion that is neither 0 nor 1 counts as invalid. Both are left
    /// out of that metric, counted and reported; the unit still counts for the sample-ratio check.
    pub fn observe(&mut self, arm_index: usize, values: &[Option<f64>]) -> Result<(), EvidenceError> {
        if values.len() != self.spec.metrics.len() {
            return Err(EvidenceError::MetricCount { got: values.len(), expected: self.spec.metrics.len() });
        }
        let arms = self.arms.len();
        let arm = self.arms.get_mut(arm_index).ok_or(EvidenceError::ArmOutOfRange { index: arm_index, arms })?;
        arm.units += 1;
        for ((cell, metric), &value) in arm.cells.iter_mut().zip(&self.spec.metrics).zip(values) {
            cell.push(metric.kind, value);
        }
        Ok(())
    }

    /// Counts a unit whose assignment names no arm of the experiment. It takes no part in any number and is reported.
    pub fn observe_unknown_arm(&mut self) {
        self.unknown_arm += 1;
    }

    /// Appends what another accumulator of the same specification saw after this one.
    pub fn merge(&mut self, other: &Self) -> Result<(), EvidenceError> {
        if self.spec != other.spec {
            return Err(EvidenceError::SpecMismatch);
        }
        self.unknown_arm += other.unknown_arm;
        for (arm, more) in self.arms.iter_mut().zip(&other.arms) {
            arm.units += more.units;
            arm.cells.iter_mut().zip(&more.cells).for_each(|(cell, more)| cell.merge(more));
        }
        Ok(())
    }

    /// The reading of everything seen so far.
    pub fn finish(&self) -> Reading {
        welch::read(self)
    }

    /// Arms and checks without comparisons, which a reading of single units makes in its own way.
    pub(crate) fn frame(&self, clusters: Option<Vec<u64>>) -> Reading {
        checks::frame(self, clusters)
    }

    pub(crate) const fn spec(&self) -> &ExperimentSpec {
        &self.spec
    }

    pub(crate) const fn control(&self) -> usize {
        self.control
    }

    pub(crate) fn arms(&self) -> &[ArmCells] {
        &self.arms
    }

    pub(crate) const fn unknown_arm(&self) -> u64 {
        self.unknown_arm
    }
}
