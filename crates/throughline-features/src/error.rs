//! What can go wrong while computing features.

use throughline_lake::LakeError;

/// Errors of the features stage.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeatureError {
    /// The lake failed.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// The run was asked to stop.
    #[error("cancelled")]
    Cancelled,
}

impl From<arrow::error::ArrowError> for FeatureError {
    fn from(source: arrow::error::ArrowError) -> Self {
        Self::Lake(source.into())
    }
}
