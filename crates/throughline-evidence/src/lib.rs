#![doc = include_str!("../README.md")]

pub mod diagnostics;

pub mod contract;

pub mod registry;

pub mod experiment;

pub mod record;

pub mod error;

pub use contract::{Band, Column, Finding, Joint, Report, Table, WaldTest};
pub use error::EvidenceError;
pub use experiment::{
    Accumulator, ArmReading, ArmSpec, Comparison, Correction, ExperimentSpec, Health, MetricKind, MetricReading,
    MetricSpec, Reading, Srm,
};
pub use record::{Contrast, Design, Estimand, EvidenceRecord, Scope};
pub use registry::{EstimatorEntry, Simulated, estimators};
