#![doc = include_str!("../README.md")]

mod config;

mod error;

mod gather;

mod resolve;

mod profiles;

mod matching;

mod decision;

mod stable;

mod timeline;

mod sample;

mod write;

mod withdrawn;

mod step;

pub use config::{IdentityConfig, MatchingConfig};
pub use decision::{Calibration, Decision, DrawnFrom};
pub use error::IdentityError;
pub use gather::{Gathered, gather};
pub use resolve::{Components, Link, ResolveLimits, resolve};
pub use sample::Uncertain;
pub use stable::{IdChange, StableIds, name_people};
pub use step::{IdentityInput, IdentityOutcome, IdentityReport, link};
