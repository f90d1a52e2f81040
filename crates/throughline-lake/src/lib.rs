#![doc = include_str!("../README.md")]

mod error;

mod spec;

pub mod tables;

pub mod columns;

mod store;

mod writer;

mod snapshot;

mod property;

mod log;

mod erase;

pub mod outside;

mod provider;

mod rows;

mod compile;

mod session;

mod plans;

mod lint;

pub use compile::CompiledExpr;
pub use erase::{Erased, Rewritten};
pub use error::LakeError;
pub use lint::refuse_float_sums;
pub use rows::{BatchRow, RowsView, expression_schema, values_of};
pub use session::{Session, SessionOptions};
pub use snapshot::{DataFile, Snapshot};
pub use spec::{PartitionColumn, TableSpec};
pub use store::{Lake, Unit};
pub use writer::{Staged, StagedFile, TableWriter};
