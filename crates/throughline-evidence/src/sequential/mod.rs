//! Reading an experiment more than once.
//!
//! Three ways, all returning an [`Estimate`](throughline_core::Estimate) whose set excludes 0 exactly when its p-value is small:
//! - asymptotic confidence sequences, two-sided (`Estimate::sequential`) and one-sided (`Estimate::sequential_greater`):
//!   any number of looks at any time;
//! - [`Msprt`]: the mixture sequential probability ratio test, with the running minimum of its p-value;
//! - [`GroupSequential`]: looks planned by information, with a spending function; the narrowest of the three.
//!
//! [`sample_ratio`] watches the sizes of the arms in the same manner.

mod spending;

mod recursion;

mod boundary;

mod inference;

mod msprt;

mod ratio;

mod entries;

pub use boundary::{Boundaries, GroupSequential, Sides};
pub use entries::ESTIMATORS;
pub use msprt::Msprt;
pub use ratio::{SequentialRatio, sample_ratio};
pub use spending::Spending;

use crate::EvidenceError;

fn unusable(code: &'static str, message: String, help: &str) -> EvidenceError {
    EvidenceError::Data { code, message, help: help.to_owned() }
}
