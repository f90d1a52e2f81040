//! What can go wrong while building journeys.

use throughline_lake::LakeError;
use throughline_paths::PathsError;

/// Errors of the journeys stage.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JourneyError {
    /// The lake failed.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// The rules cannot be applied.
    #[error(transparent)]
    Paths(#[from] PathsError),
    /// The run was asked to stop.
    #[error("cancelled")]
    Cancelled,
}

impl From<arrow::error::ArrowError> for JourneyError {
    fn from(source: arrow::error::ArrowError) -> Self {
        Self::Lake(source.into())
    }
}
