//! Why a one-shot analysis failed.

use throughline_attribution::AttributionError;
use throughline_core::Diagnostic;
use throughline_evidence::EvidenceError;
use throughline_paths::PathsError;
use throughline_uplift::UpliftError;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OneShotError {
    /// Findings about the input.
    #[error("{}", shown(.0))]
    Findings(Vec<Diagnostic>),
    /// A file could not be used.
    #[error("cannot {doing} {path}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// Where.
        path: String,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
    /// An attribution failed.
    #[error(transparent)]
    Attribution(#[from] AttributionError),
    /// Output could not be made.
    #[error("output")]
    Json(#[from] serde_json::Error),
}

impl OneShotError {
    /// One finding.
    pub fn finding(diagnostic: Diagnostic) -> Self {
        Self::Findings(vec![diagnostic])
    }
}

impl From<EvidenceError> for OneShotError {
    fn from(error: EvidenceError) -> Self {
        Self::finding(error.diagnostic("TL065"))
    }
}

impl From<UpliftError> for OneShotError {
    fn from(error: UpliftError) -> Self {
        Self::finding(Diagnostic::error("TL065", error.to_string()))
    }
}

impl From<PathsError> for OneShotError {
    fn from(error: PathsError) -> Self {
        Self::finding(error.diagnostic())
    }
}

fn shown(found: &[Diagnostic]) -> String {
    found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
