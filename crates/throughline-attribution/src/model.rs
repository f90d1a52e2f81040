//! What an attribution model is: parameters (the model), bound to a table (prepared), asked for credits.

use std::fmt;

use throughline_core::Diagnostic;
use throughline_stats::sum::ExactSum;

use crate::{AttributionError, ChannelCredit, Conservation, Credits, PathTable, Totals};

/// The outcomes to credit: one entry per path of the table, observed or resampled.
#[derive(Debug, Clone, Copy)]
pub struct Units<'a> {
    /// Conversions.
    pub conversions: &'a [f64],
    /// Value of the conversions together.
    pub values: &'a [f64],
    /// Journeys without conversion.
    pub nulls: &'a [f64],
}

/// How sums over paths are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Summation {
    /// Exactly: the same bits for any order of the paths.
    Exact,
    /// In the order of the table: faster, for resampled outcomes of a table in canonical order.
    InOrder,
}

/// Credits before they are checked: one entry per channel of the table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Split {
    /// Conversions credited.
    pub conversions: Vec<f64>,
    /// Value credited.
    pub value: Vec<f64>,
    /// Removal effects, where the model has them.
    pub removal_effect: Option<Vec<f64>>,
    /// What to know about these credits.
    pub diagnostics: Vec<Diagnostic>,
}

/// A model bound to the paths of a table: everything that does not depend on outcomes is computed.
pub trait Prepared: Send + Sync {
    /// Credits for these outcomes, which are those of the table or resampled from them: a path whose conversions and value
    /// are 0 in the table has none here either.
    fn split(&self, units: Units<'_>, summation: Summation) -> Result<Split, AttributionError>;

    /// The share of its outcome that each touch of each path receives under these outcomes, path after path. `None` for
    /// models whose [`split`](Self::split) is already the sum of such shares; a model that shares out a total among
    /// channels says here how it splits a path.
    fn path_weights(&self, _units: Units<'_>, _summation: Summation) -> Result<Option<Vec<f64>>, AttributionError> {
        Ok(None)
    }
}

/// An attribution model with its parameters.
pub trait Model: fmt::Debug + Send + Sync {
    /// The name in specifications, for example `time_decay`.
    fn name(&self) -> &'static str;

    /// The specification that [`read_spec`](crate::read_spec) reads back, for example `time_decay:7d`.
    fn spec(&self) -> String;

    /// Whether credits add up to what they split.
    fn conservation(&self) -> Conservation {
        Conservation::Enforced
    }

    /// Whether the credits are exactly the sum over paths of [`path_weights`](Self::path_weights) × the path's outcome, with
    /// weights that do not depend on any outcome. Only then can credit be broken down by what a touch or a journey is
    /// (campaign, day, segment), see [`break_down`](crate::break_down).
    fn splits_paths(&self) -> bool {
        false
    }

    /// Whether credit can be broken down by what a touch or a journey is: the observed credits are the sum over paths of
    /// [`path_weights`](Self::path_weights) × the path's outcome. Weights may be fitted to outcomes; intervals of a breakdown
    /// then hold the fit for given.
    fn breaks_down(&self) -> bool {
        self.splits_paths()
    }

    /// Whether ages of touches are read where the table has them. A model that does not read them sees every different
    /// sequence of channels once instead of every journey, which is much faster.
    fn reads_ages(&self) -> bool {
        true
    }

    /// Binds the model to the paths of a table.
    fn prepare<'t>(&self, table: &'t PathTable) -> Result<Box<dyn Prepared + 't>, AttributionError>;

    /// The share of its outcome that each touch of each path receives.
    fn path_weights(&self, table: &PathTable) -> Result<PathWeights, AttributionError>;

    /// The credits of a table's observed outcomes: the same bits for any order of its rows.
    fn attribute(&self, table: &PathTable) -> Result<Credits, AttributionError> {
        let split = self.prepare(table)?.split(table.units(), Summation::Exact)?;
        credits_of(self, table.channels(), table.totals(), split)
    }
}

/// The credits of a split, checked.
pub(crate) fn credits_of<M: Model + ?Sized>(
    model: &M,
    channels: &[String],
    totals: Totals,
    split: Split,
) -> Result<Credits, AttributionError> {
    let effects = split.removal_effect.as_deref();
    let credits = channels
        .iter()
        .enumerate()
        .map(|(i, name)| ChannelCredit {
            channel: name.clone(),
            conversions: split.conversions[i],
            value: split.value[i],
            removal_effect: effects.map(|e| e[i]),
        })
        .collect();
    Credits::new(model.spec(), model.conservation(), totals, credits, split.diagnostics)
}

/// Weights of touches: those of one path are in the order of its steps, at least 0, and sum to 1 for models that
/// conserve.
#[derive(Debug, Clone, PartialEq)]
pub struct PathWeights {
    pub(crate) offsets: Vec<usize>,
    pub(crate) weights: Vec<f64>,
}

impl PathWeights {
    /// The weights of a model that has its own under the observed outcomes of `table`; empty for others.
    pub(crate) fn prepared(prepared: &(dyn Prepared + '_), table: &PathTable) -> Result<Self, AttributionError> {
        let weights = prepared.path_weights(table.units(), Summation::Exact)?.unwrap_or_default();
        Ok(Self { offsets: table.offsets.clone(), weights })
    }

    /// The weights of a path's touches; empty beyond the last path.
    pub fn of(&self, path: usize) -> &[f64] {
        match (self.offsets.get(path), self.offsets.get(path + 1)) {
            (Some(&start), Some(&end)) => &self.weights[start..end],
            _ => &[],
        }
    }

    /// The weights of the paths that have an outcome to be credited, in their order.
    pub(crate) fn credited(self, table: &PathTable) -> Self {
        let mut out = Self { offsets: vec![0], weights: Vec::new() };
        let units = table.units();
        for path in (0..table.len()).filter(|p| units.conversions[*p] != 0.0 || units.values[*p] != 0.0) {
            out.weights.extend_from_slice(self.of(path));
            out.offsets.push(out.weights.len());
        }
        out
    }

    /// A path's weights by channel, in order of first touch.
    pub fn by_channel(&self, table: &PathTable, path: usize) -> Vec<(u32, f64)> {
        let mut totals: Vec<(u32, f64)> = Vec::new();
        for (&step, &weight) in table.path(path).steps.iter().zip(self.of(path)) {
            match totals.iter_mut().find(|(channel, _)| *channel == step) {
                Some((_, total)) => *total += weight,
                None => totals.push((step, weight)),
            }
        }
        totals
    }
}

/// A running sum, exact or plain, so that models are written once.
pub(crate) trait Accumulate: Clone + Default {
    fn add(&mut self, value: f64);
    fn total(&self) -> f64;
}

impl Accumulate for f64 {
    #[inline]
    fn add(&mut self, value: f64) {
        *self += value;
    }

    fn total(&self) -> f64 {
        *self
    }
}

impl Accumulate for ExactSum {
    #[inline]
    fn add(&mut self, value: f64) {
        Self::add(self, value);
    }

    fn total(&self) -> f64 {
        self.value()
    }
}

/// Conversions and value of every channel, being summed.
#[derive(Debug, Clone)]
pub(crate) struct ChannelSums<A> {
    sums: Vec<[A; 2]>,
}

impl<A: Accumulate> ChannelSums<A> {
    pub(crate) fn new(channels: usize) -> Self {
        Self { sums: vec![<[A; 2]>::default(); channels] }
    }

    #[inline]
    pub(crate) fn add(&mut self, channel: u32, conversions: f64, value: f64) {
        let sum = &mut self.sums[channel as usize];
        sum[0].add(conversions);
        if value != 0.0 {
            sum[1].add(value);
        }
    }

    pub(crate) fn split(&self) -> Split {
        Split {
            conversions: self.sums.iter().map(|s| s[0].total()).collect(),
            value: self.sums.iter().map(|s| s[1].total()).collect(),
            ..Split::default()
        }
    }
}

impl ChannelSums<ExactSum> {
    /// Adds other sums, exactly.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.sums.iter_mut().zip(&other.sums) {
            mine.iter_mut().zip(theirs).for_each(|(mine, theirs)| mine.merge(theirs));
        }
    }
}
