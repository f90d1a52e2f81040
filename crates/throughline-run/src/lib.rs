#![doc = include_str!("../README.md")]

mod error;

pub mod project;

mod stage;

mod stages;

mod engine;

mod report;

mod page;

mod explain;

pub use engine::{RunOptions, Stores, run};
pub use error::RunError;
pub use explain::{Subject, explain};
pub use project::Project;
pub use report::{Lineage, RunReport, StageReport, UnitReport, UnitStatus};
