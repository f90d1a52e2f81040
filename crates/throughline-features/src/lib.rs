#![doc = include_str!("../README.md")]

mod config;

mod experiment_config;

mod diagnostics;

mod error;

mod aggregate;

mod compile;

mod person;

mod labels;

mod label_rows;

mod output;

mod step;

pub use aggregate::Aggregate;
pub use compile::{CompiledAggregate, CompiledExperiment, CompiledFeatures, FeatureType};
pub use config::{FeatureConfig, FeaturesConfig};
pub use diagnostics::CODES;
pub use error::FeatureError;
pub use experiment_config::{
    AlternativeConfig, AssignmentConfig, CorrectionConfig, ExperimentConfig, MarginConfig, MetricConfig, MetricKind,
    PerConfig, PriorConfig, SequentialConfig, WinsoriseConfig,
};
pub use label_rows::labels_table;
pub use labels::{LabelInput, LabelOutcome, LabelReport, labels};
pub use output::features_table;
pub use step::{FeatureInput, FeatureOutcome, FeatureReport, features};
