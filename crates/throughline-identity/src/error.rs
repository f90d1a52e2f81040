//! What can go wrong while linking.

use throughline_lake::LakeError;

/// Errors of the link stage.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The lake failed.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// The vault failed.
    #[error(transparent)]
    Vault(#[from] throughline_vault::VaultError),
    /// Profiles cannot be compared.
    #[error("profiles: {0}")]
    Linkage(#[from] throughline_linkage::LinkError),
    /// More sources with profiles than are told apart.
    #[error("profiles of {sources} sources exceed the {limit} that are told apart")]
    TooManySources {
        /// How many.
        sources: usize,
        /// The bound.
        limit: usize,
    },
    /// The run was asked to stop.
    #[error("cancelled")]
    Cancelled,
    /// More identifiers than an index can address.
    #[error("{tokens} identifiers exceed the {limit} that one process links")]
    TooManyTokens {
        /// How many.
        tokens: usize,
        /// The bound.
        limit: usize,
    },
}

impl From<arrow::error::ArrowError> for IdentityError {
    fn from(source: arrow::error::ArrowError) -> Self {
        Self::Lake(source.into())
    }
}

impl From<datafusion::error::DataFusionError> for IdentityError {
    fn from(source: datafusion::error::DataFusionError) -> Self {
        Self::Lake(source.into())
    }
}
