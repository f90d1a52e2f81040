//! What can go wrong in a run.

use throughline_core::Diagnostic;

/// Errors of a run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The project cannot be used as it is written.
    #[error("{}", joined(.0))]
    Project(Vec<Diagnostic>),
    /// A file or folder cannot be read or written.
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
    /// Another run holds the project.
    #[error("another run of this project is at work ({holder}); wait for it, or stop it")]
    Busy {
        /// Who.
        holder: String,
    },
    /// A stage failed.
    #[error("stage `{stage}`, unit `{unit}`")]
    Stage {
        /// The stage.
        stage: String,
        /// The unit.
        unit: String,
        /// Cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An unknown stage was named.
    #[error("unknown stage `{name}` (known: {known}){}", suggestion.as_ref().map(|s| format!("; did you mean `{s}`?")).unwrap_or_default())]
    UnknownStage {
        /// What was given.
        name: String,
        /// The known names.
        known: String,
        /// The closest of them.
        suggestion: Option<String>,
    },
    /// The run was stopped by a person; what is finished stays, the rest resumes.
    #[error("stopped; the next run resumes here")]
    Cancelled,
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] throughline_ledger::LedgerError),
    /// A request for approval could not be made or changed.
    #[error(transparent)]
    Approval(#[from] throughline_govern::ApprovalError),
    /// The vault failed.
    #[error(transparent)]
    Vault(#[from] throughline_vault::VaultError),
    /// The lake failed.
    #[error(transparent)]
    Lake(#[from] throughline_lake::LakeError),
    /// A report could not be written as JSON.
    #[error("report")]
    Json(#[from] serde_json::Error),
    /// Something cannot be done about evidence.
    #[error("evidence `{id}`: {why}")]
    Evidence {
        /// The record.
        id: String,
        /// Why not.
        why: String,
    },
    /// Something asked for is not there.
    #[error("{what} `{name}` is not known: {help}")]
    NotFound {
        /// What kind of thing.
        what: &'static str,
        /// Its name.
        name: String,
        /// What to do.
        help: String,
    },
}

fn joined(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

impl RunError {
    pub(crate) fn io(doing: &'static str, path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.display().to_string();
        move |source| Self::Io { doing, path, source }
    }
}
