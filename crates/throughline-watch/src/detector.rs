//! What a detector is: it judges one figure against its own past, and never looks ahead.

use std::fmt::Debug;

use serde::de::DeserializeOwned;

use crate::metric::{Floor, Worse};
use crate::report::Status;

/// One figure and its past.
#[derive(Debug, Clone, Copy)]
pub struct Series<'a> {
    /// Values of previous runs, oldest first; finite.
    pub history: &'a [f64],
    /// The value now; finite.
    pub value: f64,
    /// The smallest scale of a difference.
    pub floor: Floor,
    /// The direction in which it gets worse.
    pub worse: Worse,
}

/// The answer of a detector.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judgement {
    /// `first`, `ok`, `changed` or `alarm`.
    pub status: Status,
    /// The value expected from the history; `None` without history.
    pub usual: Option<f64>,
    /// Distance from the usual value in scales, with its sign; 0 without history.
    pub score: f64,
}

/// A rule that judges figures.
pub trait Detector: Debug + Send + Sync {
    /// Its name in the registry.
    fn name(&self) -> &'static str;

    /// Judges the value by its history.
    fn judge(&self, series: &Series<'_>) -> Judgement;
}

/// A detector as its own file declares it: with a name and typed parameters, which the registry erases.
pub trait Component: Detector + Sized + 'static {
    /// The name in the registry.
    const NAME: &'static str;
    /// One sentence for people.
    const DOC: &'static str;
    /// Its parameters.
    type Params: DeserializeOwned + Default;

    /// Checks the parameters; the message says which bound is broken.
    fn new(params: Self::Params) -> Result<Self, String>;
}
