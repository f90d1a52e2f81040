#![doc = include_str!("../README.md")]

pub mod config;

pub mod diagnostics;

mod channels;

mod error;

mod location;

mod glob;

pub mod connector;

mod cell;

mod retype;

mod read;

mod mapping;

mod compile;

mod evaluate;

mod sink;

mod report;

mod stage;

mod profile;

pub use channels::{Arrival, Channels, Traffic};
pub use compile::CompiledSource;
pub use config::{EmitConfig, SourceConfig, TRAFFIC_COLUMNS, TrafficConfig};
pub use diagnostics::RowFault;
pub use error::{IngestError, RowExample};
pub use location::{SourceFile, list_units};
pub use profile::{ColumnProfile, Profile, profile};
pub use report::{IngestOutcome, IngestReport};
pub use stage::ingest_file;
