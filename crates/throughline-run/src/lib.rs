#![doc = include_str!("../README.md")]

pub mod diagnostics;

mod error;

pub mod project;

mod stage;

mod stages;

mod engine;

mod report;

mod page;

mod explain;

mod sources;

pub use engine::{RunOptions, Stores, run};
pub use error::RunError;
pub use explain::{Subject, explain, table_rows};
pub use project::Project;
pub use report::{Lineage, RunReport, StageReport, UnitReport, UnitStatus};
pub use sources::{SourceCheck, check_sources};
pub use throughline_features::{features_table, labels_table};
pub use throughline_lake::tables;
