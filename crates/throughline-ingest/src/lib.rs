#![doc = include_str!("../README.md")]

pub mod config;

pub mod diagnostics;

mod channels;

mod error;

mod location;

mod objects;

mod glob;

mod order;

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

mod drift;

mod patch;

pub use channels::{Arrival, Channels, Traffic};
pub use compile::CompiledSource;
pub use config::{EmitConfig, SourceConfig, TRAFFIC_COLUMNS, TrafficConfig};
pub use diagnostics::RowFault;
pub use drift::{Change, Drift, FileColumns, Holds, drift, drift_finding};
pub use error::{IngestError, RowExample};
pub use location::{SourceFile, list_units, names_of_units};
pub use order::by_name;
pub use patch::{Misplaced, RefusedText, edit_row, patched, refused_rows, row_fields};
pub use profile::{ColumnProfile, FieldTally, Profile, Tally, profile, tally};
pub use report::{IngestOutcome, IngestReport};
pub use stage::{drop_unit, ingest_export, ingest_file};
