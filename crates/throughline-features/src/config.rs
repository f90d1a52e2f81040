//! `features/*.yaml`.

use serde::Deserialize;
use serde_saphyr::Spanned;

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
