//! The result of reading an experiment.

use serde::{Deserialize, Serialize};
use throughline_core::{Diagnostic, Estimate, EvidenceTier};

use super::{HealthChecks, NonInferiority, Posterior, Segmentation};

/// Whether the experiment's own checks passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// No check failed.
    Healthy,
    /// A check failed: differences may come from how units were assigned or measured, not from the treatment.
    Suspect,
}

/// The sample-ratio check: Pearson's χ² of units per arm against the promised weights, over arms of positive weight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Srm {
    /// Probability of a departure at least this large under the promised weights; 1 without units.
    pub p_value: f64,
    /// The χ² statistic.
    pub statistic: f64,
    /// Arms of positive weight, minus 1.
    pub df: usize,
    /// Units seen per arm, in the order of the specification.
    pub observed: Vec<u64>,
    /// Units expected per arm; 0 for arms of weight 0, whose units take no part.
    pub expected: Vec<f64>,
    /// Whether p is below [`Srm::ALARM`].
    pub alarm: bool,
}

impl Srm {
    /// The p-value below which the check fails. Far below the usual 5 %, because every experiment is checked.
    pub const ALARM: f64 = 0.001;
}

/// One metric in one arm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricReading {
    /// Name.
    pub metric: String,
    /// Units with a value.
    pub n: u64,
    /// Units without a value (absent, NaN or infinite).
    pub missing: u64,
    /// Units with a value that the metric's kind does not allow.
    pub invalid: u64,
    /// Mean over the units with a value; absent without any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<f64>,
    /// Standard error of the mean; absent below two units.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub std_error: Option<f64>,
}

/// One arm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArmReading {
    /// Name.
    pub arm: String,
    /// Promised weight.
    pub weight: f64,
    /// Units seen.
    pub units: u64,
    /// Its metrics, in the order of the specification.
    pub metrics: Vec<MetricReading>,
}

/// A treated arm against the control on one metric.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Comparison {
    /// The treated arm.
    pub arm: String,
    /// The control.
    pub control: String,
    /// The metric.
    pub metric: String,
    /// Whether less of the metric is better.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lower_is_better: bool,
    /// Absolute difference of means (Welch); absent when the data say nothing about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Estimate>,
    /// Why there is no absolute difference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimate_absent: Option<String>,
    /// Difference relative to the control's mean (delta method); its own p-value belongs to its own interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relative: Option<Estimate>,
    /// Why there is no relative lift.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relative_absent: Option<String>,
    /// p-value of the absolute difference, corrected over all comparisons of the reading that have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adjusted_p_value: Option<f64>,
    /// Whether the adjusted p-value is below α. Without correction, exactly when the estimate's set excludes 0.
    pub significant: bool,
    /// The simultaneous interval over all comparisons of the reading, where bands were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub band: Option<(f64, f64)>,
    /// The share of the variance that adjustment removed; below 0 where it added some. Absent without adjustment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variance_reduction: Option<f64>,
    /// Whether the arm is not worse than the control by more than the margin; absent without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub non_inferiority: Option<NonInferiority>,
    /// The same effect as a posterior; absent in a reading of sums alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posterior: Option<Posterior>,
    /// What it says in plain language, and what to do.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub verdict: String,
}

/// Everything an experiment says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// The sample-ratio check.
    pub srm: Srm,
    /// The arms, in the order of the specification.
    pub arms: Vec<ArmReading>,
    /// Treated arm by treated arm, metric by metric, in the order of the specification.
    pub comparisons: Vec<Comparison>,
    /// Checks that need single units; absent in a reading of sums alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checks: Option<HealthChecks>,
    /// Effects by segment, where segments were declared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<Segmentation>,
    /// What the comparisons may be used as: randomised evidence, or associations when a check failed.
    pub tier: EvidenceTier,
    /// Whether the checks passed.
    pub health: Health,
    /// What its reader must know.
    pub diagnostics: Vec<Diagnostic>,
}

impl Reading {
    /// The comparison of an arm on a metric.
    pub fn comparison(&self, arm: &str, metric: &str) -> Option<&Comparison> {
        self.comparisons.iter().find(|c| c.arm == arm && c.metric == metric)
    }
}
