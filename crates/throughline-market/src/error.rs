//! What can go wrong in the market.

use std::path::PathBuf;

use throughline_core::Diagnostic;

/// Why a market was not simulated, written, read or scored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MarketError {
    /// A market that would not fit into memory.
    #[error("a market of {people} people is held in memory up to {most}: stream it")]
    TooLarge {
        /// How many people.
        people: u32,
        /// The limit.
        most: u32,
    },
    /// The scenario breaks its rules.
    #[error("the scenario has {} faults, the first: {}", diagnostics.len(), first(diagnostics))]
    Refused {
        /// Every fault found.
        diagnostics: Vec<Diagnostic>,
    },
    /// A closed loop has no days left.
    #[error("the market ends after {days} days: its scenario has no `later_days` left")]
    Over {
        /// Days written.
        days: u32,
    },
    /// A file could not be read or written.
    #[error("cannot access {}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// Writing to the given writer failed.
    #[error("cannot write {file}")]
    Write {
        /// The file meant.
        file: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A truth file does not have the expected form.
    #[error("cannot read {} as a truth table", path.display())]
    BadTruth {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A decision names an action that the market does not have.
    #[error(transparent)]
    UnknownAction(#[from] crate::arm::UnknownAction),
}

fn first(diagnostics: &[Diagnostic]) -> &str {
    diagnostics.first().map_or("none", |d| d.message.as_str())
}
