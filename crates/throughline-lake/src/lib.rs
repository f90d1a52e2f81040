#![doc = include_str!("../README.md")]

mod error;

mod spec;

pub mod tables;

mod store;

mod writer;

mod snapshot;

mod provider;

mod session;

mod lint;

pub use error::LakeError;
pub use lint::refuse_float_sums;
pub use session::{Session, SessionOptions};
pub use snapshot::{DataFile, Snapshot};
pub use spec::{PartitionColumn, TableSpec};
pub use store::{Lake, Unit};
pub use writer::{StagedFile, TableWriter};
