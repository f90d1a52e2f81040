//! What can go wrong on the way out. No message holds an identifier.

use std::path::{Path, PathBuf};

use throughline_lake::LakeError;
use throughline_vault::VaultError;

/// Errors of the activate stage.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ActivateError {
    /// The lake refused.
    #[error("activate cannot read or write the lake")]
    Lake(#[from] LakeError),
    /// The vault refused.
    #[error("activate cannot open identifiers")]
    Vault(#[from] VaultError),
    /// Rows could not be built.
    #[error("activate cannot build rows")]
    Arrow(#[from] arrow::error::ArrowError),
    /// A file or folder of a destination cannot be used.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// A payload could not be encoded.
    #[error("cannot encode batch {batch_id} as {format}: {reason}")]
    Encode {
        /// The batch.
        batch_id: String,
        /// The format.
        format: &'static str,
        /// Why.
        reason: String,
    },
    /// An envelope is not readable.
    #[error("the envelope {} cannot be read: {reason}", path.display())]
    Envelope {
        /// Where.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The destination holds something else under the key of this batch.
    #[error("batch {batch_id} is at the destination with another {what}: found {found}, expected {expected}")]
    OtherPayload {
        /// The batch.
        batch_id: String,
        /// What differs.
        what: &'static str,
        /// At the destination.
        found: String,
        /// In the plan.
        expected: String,
    },
    /// The destination took the batch and then knows nothing of it.
    #[error("destination `{destination}` does not confirm batch {batch_id}")]
    NotConfirmed {
        /// Where it went.
        destination: String,
        /// The batch.
        batch_id: String,
    },
    /// Decisions, consent or mapping changed between plan and sending.
    #[error("the delivery plan is stale: {what} was {planned}, is now {found}; plan again")]
    StalePlan {
        /// What changed.
        what: &'static str,
        /// In the plan.
        planned: String,
        /// Now.
        found: String,
    },
    /// An identifier was erased between plan and sending.
    #[error("{count} identifiers of batch {batch_id} were erased while it was prepared; plan again")]
    IdentifierGone {
        /// How many.
        count: usize,
        /// The batch.
        batch_id: String,
    },
    /// Rows without a fate, or with two.
    #[error("{read} decisions were read but {accounted} have a fate at destination `{destination}`")]
    Conservation {
        /// The destination.
        destination: String,
        /// Rows of the cycle.
        read: u64,
        /// Rows with a fate.
        accounted: u64,
    },
    /// The run was asked to stop; batches that were sent stay sent and are found again.
    #[error("activate was stopped after {batches} batches")]
    Cancelled {
        /// Batches sent before.
        batches: usize,
    },
}

impl ActivateError {
    /// An error of the file system, for `map_err`.
    pub(crate) fn io<'a>(doing: &'static str, path: &'a Path) -> impl FnOnce(std::io::Error) -> Self + 'a {
        move |source| Self::Io { doing, path: path.to_owned(), source }
    }
}
