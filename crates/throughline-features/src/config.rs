//! `features/*.yaml` and `experiments/*.yaml`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_saphyr::Spanned;
use throughline_core::Level;

use crate::aggregate::Aggregate;

/// One declarative aggregate.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureConfig {
    /// Name of the column.
    pub name: Spanned<String>,
    /// What is computed.
    pub agg: Aggregate,
    /// SQL over the timeline's columns; its type decides between a number and a category.
    #[serde(default)]
    pub value: Option<Spanned<String>>,
    /// SQL condition on rows; NULL means no.
    #[serde(default, rename = "where")]
    pub condition: Option<Spanned<String>>,
    /// Only rows that occurred within this many days before t; all without it.
    #[serde(default)]
    pub window_days: Option<u32>,
}

/// A file of features.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeaturesConfig {
    /// Version of the file format.
    #[serde(rename = "apiVersion")]
    pub api_version: String,
    /// `Features`.
    pub kind: String,
    /// The features.
    pub features: Vec<FeatureConfig>,
}

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
}

/// An outcome of an experiment.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricConfig {
    /// Name.
    pub name: Spanned<String>,
    /// `proportion` or `mean`.
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
    /// Confidence level of the intervals.
    #[serde(default = "default_level")]
    pub level: Level,
}

const fn default_level() -> Level {
    Level::P95
}
