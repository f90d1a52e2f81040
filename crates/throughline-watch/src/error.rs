//! What can go wrong while watching.

use throughline_lake::LakeError;

/// Errors of the watch stage.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WatchError {
    /// The lake or its engine refused.
    #[error("watch cannot read or write the lake")]
    Lake(#[from] LakeError),
    /// A column could not be built.
    #[error("watch cannot build the rows of `health`")]
    Arrow(#[from] arrow::error::ArrowError),
    /// The engine answered with another type than asked for.
    #[error("column {column} of a measurement is {found}, expected {expected}")]
    Answer {
        /// Position in the answer, from 0.
        column: usize,
        /// Type found.
        found: String,
        /// Type needed.
        expected: &'static str,
    },
    /// No such detector.
    #[error("unknown detector `{name}` (known: {known})")]
    UnknownDetector {
        /// As given.
        name: String,
        /// Every name of the registry.
        known: String,
    },
    /// Parameters that the detector does not accept.
    #[error("parameters of detector `{name}` are not accepted: {reason}")]
    Params {
        /// Detector.
        name: &'static str,
        /// Why.
        reason: String,
    },
    /// The run was asked to stop.
    #[error("watch was stopped before it had measured every table")]
    Cancelled,
}
