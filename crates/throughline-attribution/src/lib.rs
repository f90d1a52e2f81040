#![doc = include_str!("../README.md")]

pub mod diagnostics;

pub mod error;

pub mod parse;

pub mod transforms;

pub mod table;

pub mod builder;

pub mod credits;

pub mod model;

pub mod rule;

pub mod models;

pub mod registry;

pub mod bootstrap;

pub mod causal;

pub use bootstrap::{ChannelIntervals, CreditsWithIntervals, DEFAULT_DRAWS, Quantity, bootstrap};
pub use builder::{Outcome, PathTableBuilder};
pub use credits::{ChannelCredit, Conservation, Credits, Totals};
pub use error::AttributionError;
pub use model::{Model, PathWeights, Prepared, Split, Summation, Units};
pub use parse::{format_path, parse_path};
pub use registry::{MODELS, read_spec};
pub use rule::Rule;
pub use table::{PathTable, PathView};
pub use transforms::Transform;
