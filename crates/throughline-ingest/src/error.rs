//! What can go wrong in this stage.

use std::fmt::Write as _;

use serde::Serialize;
use throughline_core::Diagnostic;

use crate::diagnostics::codes;

/// One refused row, for people. It never quotes the row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowExample {
    /// Line of the file (row number for Parquet).
    pub line: i64,
    /// Stable code.
    pub code: &'static str,
    /// Why.
    pub reason: String,
}

/// Errors of the ingest stage. Bad rows are not among them: they go to quarantine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IngestError {
    /// The source's configuration is refused.
    #[error("{}", join(diagnostics))]
    Config {
        /// Every finding.
        diagnostics: Vec<Diagnostic>,
    },
    /// The location names a variable that is not set.
    #[error("location `{location}` of source `{source_name}` names the variable `{variable}`, which is not set")]
    Variable {
        /// Source.
        source_name: String,
        /// Location as written.
        location: String,
        /// The variable.
        variable: String,
    },
    /// Nothing at the location.
    #[error("source `{source_name}`: no file matches location `{location}` (looked for `{looked_for}`)")]
    NoFile {
        /// Source.
        source_name: String,
        /// Location as written.
        location: String,
        /// The path or pattern after variables and the project folder were put in.
        looked_for: String,
    },
    /// A file without content.
    #[error("`{file}` of source `{source_name}` is empty (0 rows, no header)")]
    EmptyFile {
        /// Source.
        source_name: String,
        /// File.
        file: String,
    },
    /// The operating system refused.
    #[error("`{file}` cannot be read: {source}")]
    Io {
        /// File or folder.
        file: String,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
    /// Text in another encoding.
    #[error("`{file}` is not UTF-8: {reason}")]
    Encoding {
        /// File.
        file: String,
        /// How it was noticed.
        reason: String,
    },
    /// The header is one column that holds another delimiter.
    #[error("`{file}` has the single column `{header}`: is the delimiter `{guess}`?")]
    Delimiter {
        /// File.
        file: String,
        /// The header.
        header: String,
        /// A delimiter found in it.
        guess: String,
    },
    /// Not the stated format.
    #[error("`{file}` is not readable as {format}: {reason}")]
    Format {
        /// File.
        file: String,
        /// Connector.
        format: &'static str,
        /// What was wrong.
        reason: String,
    },
    /// A database cannot be spoken to.
    #[error("source `{source_name}`: {source}: {}", source.source)]
    Unreachable {
        /// Source or unit.
        source_name: String,
        /// Which database, and its answer.
        #[source]
        source: throughline_postgres::ConnectError,
    },
    /// The file is not the one that was listed.
    #[error("`{file}` changed while it was read: {listed} bytes when listed, {found} now")]
    Changed {
        /// File.
        file: String,
        /// Size when listed.
        listed: u64,
        /// Size now.
        found: u64,
    },
    /// More rows were refused than the source allows.
    #[error(
        "{:.1} % of the rows of `{file}` (source `{source_name}`) are unusable, more than the limit of {:.1} %{}",
        share * 100.0, limit * 100.0, list(examples)
    )]
    TooManyBadRows {
        /// Source.
        source_name: String,
        /// File.
        file: String,
        /// Share of rows refused, duplicates left aside.
        share: f64,
        /// `failure_limit` of the source.
        limit: f64,
        /// The first refused rows.
        examples: Vec<RowExample>,
    },
    /// A place in an object store, or a Delta table, cannot be read.
    #[error("`{location}` cannot be read: {reason}")]
    Elsewhere {
        /// The location as written.
        location: String,
        /// Why.
        reason: String,
    },
    /// Rows were lost or counted twice: a defect of this program.
    #[error(
        "`{file}`: {read} rows read, but {emitted} emitted, {skipped} skipped and {quarantined} quarantined; nothing is kept"
    )]
    Unbalanced {
        /// File.
        file: String,
        /// Rows that the connector read.
        read: u64,
        /// Rows with at least one event or spend row.
        emitted: u64,
        /// Rows that no `when` wanted.
        skipped: u64,
        /// Rows in quarantine.
        quarantined: u64,
    },
    /// The run was asked to stop.
    #[error("stopped while reading `{file}`")]
    Cancelled {
        /// File.
        file: String,
    },
    /// The lake refused.
    #[error(transparent)]
    Lake(#[from] throughline_lake::LakeError),
    /// The vault refused.
    #[error(transparent)]
    Vault(#[from] throughline_vault::VaultError),
    /// A column could not be built.
    #[error("arrow")]
    Arrow(#[from] arrow::error::ArrowError),
}

impl IngestError {
    pub(crate) fn io(file: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let file = file.into();
        move |source| Self::Io { file, source }
    }

    /// The findings to show, each with its stable code and what to do; empty where there is no code, as for errors of
    /// the stores.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        let (code, help) = match self {
            Self::Config { diagnostics } => return diagnostics.clone(),
            Self::Variable { .. } => (codes::VARIABLE, "give it a value, or write the path out"),
            Self::NoFile { .. } => {
                (codes::MISSING_FILE, "a location is relative to the project folder; check its spelling and `*`")
            }
            Self::Unreachable { .. } => {
                (codes::UNREACHABLE, "check the address, the network and the rights of the user")
            }
            Self::Elsewhere { .. } => (
                codes::ELSEWHERE,
                "check the address; keys and regions of object stores stand in variables THROUGHLINE_OBJECTS_… (docs/sources.md)",
            ),
            Self::EmptyFile { .. } => (codes::EMPTY_FILE, "remove it from the location, or wait until it is written"),
            Self::Delimiter { .. } => (codes::DELIMITER, "set `options: { delimiter: … }` of the source"),
            Self::Encoding { .. } => (codes::UNREADABLE, "save the file as UTF-8"),
            Self::Format { .. } => (codes::UNREADABLE, "check `connector` and whether the file is complete"),
            Self::Changed { .. } => (codes::UNREADABLE, "run again when the file is complete"),
            Self::Io { .. } => (codes::UNREADABLE, "check that the file exists and may be read"),
            Self::TooManyBadRows { .. } => {
                (codes::BAD_ROWS, "correct the mapping or the file; or raise `failure_limit` if this is acceptable")
            }
            _ => return Vec::new(),
        };
        vec![Diagnostic::error(code, self.to_string()).help(help)]
    }
}

fn join(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn list(examples: &[RowExample]) -> String {
    examples.iter().fold(String::new(), |mut text, example| {
        // Writing to a string cannot fail.
        let _infallible = write!(text, "; line {}: {} [{}]", example.line, example.reason, example.code);
        text
    })
}
