#![doc = include_str!("../README.md")]

pub mod diagnostics;

pub mod contract;

pub mod registry;

pub mod spec;

pub mod accumulator;

pub mod reading;

pub mod two_sample;

pub mod record;

pub mod adjust;

pub mod error;

pub use accumulator::Accumulator;
pub use contract::{Band, Column, Finding, Joint, Report, Table, WaldTest};
pub use error::EvidenceError;
pub use reading::{ArmReading, Comparison, Health, MetricReading, Reading, Srm};
pub use record::{Contrast, Design, Estimand, EvidenceRecord, Scope};
pub use registry::{EstimatorEntry, Simulated, estimators};
pub use spec::{ArmSpec, Correction, ExperimentSpec, MetricKind, MetricSpec};
