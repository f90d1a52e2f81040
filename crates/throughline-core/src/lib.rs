#![doc = include_str!("../README.md")]

pub mod time;

pub mod money;

pub mod id;

pub mod consent;

pub mod event;

pub mod bounded;

pub mod estimate;

pub mod diagnostic;

pub mod context;

pub mod scan;

pub mod expr;

pub use bounded::{Level, Lookback, OutOfBounds, Share};
pub use consent::{Consent, ConsentState, Purpose};
pub use context::{NoProgress, Progress, RunContext};
pub use diagnostic::{Diagnostic, Location, Severity};
pub use estimate::{ConfidenceSet, Estimate, EstimateError, EvidenceTier, InferenceKind, Side};
pub use event::{EventKind, EventRole};
pub use id::{IdentifierKind, PersonId, Salted, SubjectToken};
pub use money::{Currency, Money, MoneyError};
pub use scan::Scan;
pub use time::{TimeError, Timestamp};
