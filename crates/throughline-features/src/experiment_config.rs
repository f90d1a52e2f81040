//! `experiments/*.yaml`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;
use throughline_core::Level;

use crate::aggregate::Aggregate;
use crate::config::FeatureConfig;

/// How assignments are found on the timeline.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssignmentConfig {
    /// `name` of the assignment events.
    pub event_name: String,
    /// SQL: the arm.
    pub arm: Spanned<String>,
    /// SQL: the probability with which that arm was drawn; without it, the arms' weights say.
    #[serde(default)]
    pub probability: Option<Spanned<String>>,
}

/// How a metric is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricKind {
    /// Yes or no per person.
    Proportion,
    /// A number per person.
    Mean,
    /// Σ of one number over Σ of another, as revenue per order; needs `per`.
    Ratio,
    /// A quantile over people; needs `quantile`.
    Quantile,
}

/// What is computed below the line of a ratio.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerConfig {
    /// What is computed.
    pub agg: Aggregate,
    /// SQL over the timeline's columns.
    #[serde(default)]
    pub value: Option<Spanned<String>>,
    /// SQL condition on rows.
    #[serde(default, rename = "where")]
    pub condition: Option<Spanned<String>>,
}

/// Where values are capped.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WinsoriseConfig {
    /// At this value.
    Value(f64),
    /// At this quantile of all arms together.
    Quantile(f64),
}

/// How much worse than the control an arm may be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarginConfig {
    /// In the metric's unit.
    Absolute(f64),
    /// As a share of the control's mean.
    Relative(f64),
}

/// An outcome of an experiment.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricConfig {
    /// Name.
    pub name: Spanned<String>,
    /// `proportion`, `mean`, `ratio` or `quantile`.
    #[serde(rename = "type")]
    pub kind: MetricKind,
    /// What is computed over the rows after the assignment.
    pub agg: Aggregate,
    /// SQL over the timeline's columns.
    #[serde(default)]
    pub value: Option<Spanned<String>>,
    /// SQL condition on rows.
    #[serde(default, rename = "where")]
    pub condition: Option<Spanned<String>>,
    /// A ratio's denominator.
    #[serde(default)]
    pub per: Option<PerConfig>,
    /// Which quantile, between 0 and 1.
    #[serde(default)]
    pub quantile: Option<f64>,
    /// Days after the assignment that count for this metric; those of the experiment without.
    #[serde(default)]
    pub window_days: Option<u32>,
    /// The same metric over so many days before the assignment narrows the interval (CUPED).
    #[serde(default)]
    pub baseline_days: Option<u32>,
    /// Where values are capped.
    #[serde(default)]
    pub winsorise: Option<WinsoriseConfig>,
    /// Margin of non-inferiority.
    #[serde(default)]
    pub margin: Option<MarginConfig>,
    /// Whether less is better.
    #[serde(default)]
    pub lower_is_better: bool,
}

/// What is held against no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlternativeConfig {
    /// An effect either way.
    #[default]
    TwoSided,
    /// The arm is above the control.
    Greater,
    /// The arm is below it.
    Less,
}

/// Correction for several comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CorrectionConfig {
    /// None.
    #[default]
    None,
    /// Holm.
    Holm,
    /// Benjamini–Hochberg.
    BenjaminiHochberg,
    /// Simultaneous bands.
    Bands,
}

/// How an experiment is looked at more than once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "method", deny_unknown_fields)]
pub enum SequentialConfig {
    /// At every run, by a confidence sequence.
    ConfidenceSequence {
        /// Units at which it is tightest.
        tuned_at: f64,
    },
    /// At every run, by a mixture sequential probability ratio test.
    Msprt {
        /// The size of effect one expects, in the metric's unit.
        expected_effect: f64,
    },
    /// At planned looks: each reads the people who were assigned first.
    GroupSequential {
        /// People planned, all arms together.
        planned_units: u64,
        /// Fractions of them at which a look is due, increasing to 1.
        fractions: Vec<f64>,
        /// `obrien-fleming`, `pocock`, `power:RHO` or `hwang-shih-decani:GAMMA`.
        spending: String,
    },
}

/// Prior of the relative lift.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriorConfig {
    /// Mean.
    pub mean: f64,
    /// Standard deviation, above 0.
    pub std_dev: f64,
}

/// An experiment and how it is read.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExperimentConfig {
    /// Version of the file format.
    #[serde(rename = "apiVersion")]
    pub api_version: String,
    /// `Experiment`.
    pub kind: String,
    /// Name.
    pub name: Spanned<String>,
    /// What was tested, in words.
    #[serde(default)]
    pub description: Option<String>,
    /// Where assignments are.
    pub assignment: AssignmentConfig,
    /// Arms and their planned weights.
    pub arms: BTreeMap<String, f64>,
    /// The arm the others are compared with.
    pub control: Spanned<String>,
    /// Outcomes count for this many days after the assignment.
    pub window_days: u32,
    /// Outcomes.
    pub metrics: Vec<MetricConfig>,
    /// What was known of a person by the assignment, for regression adjustment of every metric.
    #[serde(default)]
    pub covariates: Vec<FeatureConfig>,
    /// Strata known by the assignment, for post-stratification of every metric.
    #[serde(default)]
    pub strata: Option<FeatureConfig>,
    /// Clusters known by the assignment, where people are not independent.
    #[serde(default)]
    pub cluster: Option<FeatureConfig>,
    /// Segments known by the assignment whose effects are asked for.
    #[serde(default)]
    pub segments: Vec<FeatureConfig>,
    /// What is held against no effect.
    #[serde(default)]
    pub alternative: AlternativeConfig,
    /// Correction for several comparisons.
    #[serde(default)]
    pub correction: CorrectionConfig,
    /// How it is looked at before its end; read once without.
    #[serde(default)]
    pub sequential: Option<SequentialConfig>,
    /// Prior of the relative lift for chance to win and risk; flat without.
    #[serde(default)]
    pub prior: Option<PriorConfig>,
    /// Confidence level of the intervals.
    #[serde(default = "default_level")]
    pub level: Level,
}

const fn default_level() -> Level {
    Level::P95
}
