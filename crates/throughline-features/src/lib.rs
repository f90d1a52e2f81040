#![doc = include_str!("../README.md")]

mod config;

mod diagnostics;

mod error;

mod aggregate;

mod compile;

mod person;

mod labels;

mod output;

mod step;

pub use aggregate::Aggregate;
pub use compile::{CompiledAggregate, CompiledExperiment, CompiledFeatures, FeatureType};
pub use config::{AssignmentConfig, ExperimentConfig, FeatureConfig, FeaturesConfig, MetricConfig, MetricKind};
pub use diagnostics::CODES;
pub use error::FeatureError;
pub use labels::{LabelInput, LabelOutcome, LabelReport, labels, labels_table};
pub use output::features_table;
pub use step::{FeatureInput, FeatureOutcome, FeatureReport, features};
