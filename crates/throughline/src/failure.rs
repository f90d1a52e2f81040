//! Errors as people read them.

use std::io::Write as _;

use throughline_core::Diagnostic;
use throughline_oneshot::OneShotError;
use throughline_run::RunError;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Findings about the input.
    #[error("{} findings", .0.len())]
    Findings(Vec<Diagnostic>),
    /// A run failed.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The market refused.
    #[error(transparent)]
    Market(#[from] throughline_market::MarketError),
    /// Records could not be linked.
    #[error(transparent)]
    Link(#[from] throughline_linkage::LinkError),
    /// An attribution failed.
    #[error(transparent)]
    Attribution(#[from] throughline_attribution::AttributionError),
    /// A reading failed.
    #[error(transparent)]
    Evidence(#[from] throughline_evidence::EvidenceError),
    /// A one-shot analysis failed.
    #[error(transparent)]
    OneShot(#[from] OneShotError),
    /// The server did not start or ended badly.
    #[error(transparent)]
    Serve(#[from] throughline_server::ServeError),
    /// The server's own rules refused.
    #[error(transparent)]
    Server(#[from] throughline_server::ApiError),
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
    /// Output could not be made.
    #[error("output")]
    Json(#[from] serde_json::Error),
    /// The terminal is gone.
    #[error("terminal")]
    Terminal(#[from] std::io::Error),
}

impl Failure {
    /// One finding.
    pub(crate) fn finding(diagnostic: Diagnostic) -> Self {
        Self::Findings(vec![diagnostic])
    }

    /// Prints the failure and its causes to the standard error.
    pub(crate) fn print(&self) {
        let mut err = std::io::stderr().lock();
        let mut text = String::new();
        match self {
            Self::Findings(found)
            | Self::Run(RunError::Project(found))
            | Self::OneShot(OneShotError::Findings(found)) => {
                for diagnostic in found {
                    text.push_str(&format!("{diagnostic}\n"));
                }
            }
            other => {
                text.push_str(&format!("error: {other}\n"));
                let mut last = other.to_string();
                let mut source = std::error::Error::source(other);
                while let Some(cause) = source {
                    let line = cause.to_string();
                    if line != last {
                        text.push_str(&format!("  because: {line}\n"));
                    }
                    last = line;
                    source = cause.source();
                }
            }
        }
        // Nothing is left to do when the standard error itself cannot be written.
        drop(err.write_all(text.as_bytes()));
    }
}
