#![doc = include_str!("../README.md")]

pub mod diagnostics;

pub mod error;

pub mod interaction;

pub mod config;

pub mod transform;

pub mod zone;

pub mod rule;

pub mod signals;

pub mod output;

pub mod plan;

mod sessions;

mod outcomes;

mod judge;

pub mod build;

pub mod key;

pub mod shard;

mod sort;

pub mod assemble;

pub mod columns;

pub mod names;

pub mod tally;

pub use assemble::{Built, Gathered, Group};
pub use build::Builder;
pub use columns::{Assembled, Columns, assemble};
pub use config::{
    ConversionConfig, Counting, DirectRule, JourneyConfig, LookbackOverride, NullJourneys, Refunds, SessionConfig,
    TouchUnit, ViewThrough, config_id,
};
pub use error::PathsError;
pub use interaction::Interaction;
pub use key::EntityKey;
pub use output::{JourneyView, Output};
pub use plan::Plan;
pub use rule::{Fate, Rule};
pub use shard::{Event, Parts, Shard};
pub use signals::{NO_ORDER, NONE, Role, Signals};
pub use tally::Tally;
pub use transform::Transform;
