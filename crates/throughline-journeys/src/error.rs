//! What can go wrong while building journeys.

use datafusion::error::DataFusionError;
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
    /// The counts of a part cannot be written or read.
    #[error("the counts of a part of the plan are not readable: {0}")]
    Report(String),
    /// A segment cannot be computed.
    #[error("a segment cannot be computed: {0}")]
    Segment(String),
    /// The run was asked to stop.
    #[error("cancelled")]
    Cancelled,
}

impl From<arrow::error::ArrowError> for JourneyError {
    fn from(source: arrow::error::ArrowError) -> Self {
        Self::Lake(source.into())
    }
}

impl From<DataFusionError> for JourneyError {
    fn from(source: DataFusionError) -> Self {
        Self::Lake(source.into())
    }
}

impl JourneyError {
    /// Our own error out of the engine's, where the operator gave one.
    pub(crate) fn unwrapped(error: LakeError) -> Self {
        match error {
            LakeError::Engine(engine) => match *engine {
                DataFusionError::External(inner) => match inner.downcast::<Self>() {
                    Ok(own) => *own,
                    Err(other) => Self::Lake(DataFusionError::External(other).into()),
                },
                other => Self::Lake(other.into()),
            },
            other => Self::Lake(other),
        }
    }
}
