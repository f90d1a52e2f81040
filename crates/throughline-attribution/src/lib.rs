#![doc = include_str!("../README.md")]

pub mod diagnostics;

pub mod error;

pub mod parse;

pub mod transforms;

pub mod table;

mod names;

pub mod builder;

pub mod journeys;

pub mod credits;

pub mod model;

pub mod rule;

mod sets;

pub mod models;

mod distinct;

pub mod registry;

pub mod lift;

pub mod bootstrap;

pub mod causal;

pub mod breakdown;

pub mod marginal;

pub mod identity;

pub mod reconcile;

pub use bootstrap::{ChannelIntervals, CreditsWithIntervals, DEFAULT_DRAWS, Quantity, bootstrap, bootstrap_clusters};
pub use breakdown::{Breakdown, Days, Dimension, Draws, Ratio, break_down};
pub use builder::{Outcome, PathTableBuilder};
pub use credits::{ChannelCredit, Conservation, Credits, Totals};
pub use error::AttributionError;
pub use identity::{IdentityShare, WithIdentity, with_identity};
pub use journeys::{Ending, Journeys, JourneysBuilder};
pub use lift::{LiftCounter, LiftCounts, PathLift, contribution_share, path_lift};
pub use marginal::{Daily, Marginal, marginal};
pub use model::{Model, PathWeights, Prepared, Split, Summation, Units};
pub use names::cluster_key;
pub use parse::{format_path, parse_path};
pub use registry::{MODELS, read_spec};
pub use rule::Rule;
pub use table::{PathTable, PathView};
pub use transforms::Transform;
