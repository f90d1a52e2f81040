#![doc = include_str!("../README.md")]

pub mod diagnostics;

pub mod contract;

pub mod registry;

pub mod experiment;

pub mod sequential;

pub mod design;

pub mod panel;

pub mod did;

pub mod synth;

pub mod geo;

pub mod series;

pub mod iv;

pub mod rd;

pub mod adjust;

mod small;

pub mod ledger;

pub mod error;

pub use contract::{Band, Column, Finding, Joint, Report, Table, WaldTest};
pub use error::EvidenceError;
pub use experiment::{
    Accumulator, ArmReading, ArmSpec, Comparison, Correction, ExperimentSpec, Health, MetricKind, MetricReading,
    MetricSpec, Reading, Srm,
};
pub use ledger::{
    About, Conflict, Contrast, Design, Estimand, EvidenceRecord, Kept, Note, NoteKind, Question, Reason, Requirement,
    Scope, Source, Standing, Verdict, WantedEffect, conflicts, independent, weigh,
};
pub use panel::{Labels, Panel, PanelSpec};
pub use registry::{EstimatorEntry, Simulated, estimators};
