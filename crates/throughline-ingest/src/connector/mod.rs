//! Connectors: how the rows of a file are read. A connector is one file of this folder and one line of [`CONNECTORS`].

mod batch;

mod csv;

mod delta;

mod guard;

mod jsonl;

mod line;

mod parquet;

mod postgres;

mod shape;

mod text;

mod utf16;

mod vendor;

mod zone;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::{Path, PathBuf};

use throughline_core::diagnostic::closest;
use throughline_core::expr::Type;

use crate::config::SourceConfig;
use crate::error::IngestError;
use crate::location::{Place, SourceFile};

pub use batch::{RawBatch, RawRows, RefusedRow};
pub(crate) use batch::{escape, join_fields};
pub use postgres::DatabaseUnit;
pub(crate) use text::open as open_text;

/// Every connector, in the order of the documentation: plain formats and databases, then vendors.
pub const CONNECTORS: &[&dyn Connector] = &[
    &csv::Csv,
    &jsonl::Jsonl,
    &parquet::Parquet,
    &postgres::Postgres,
    &delta::Delta,
    &vendor::google_ads::VENDOR,
    &vendor::meta_ads::VENDOR,
    &vendor::ga4::VENDOR,
    &vendor::adobe_feed::VENDOR,
    &vendor::snowplow::VENDOR,
    &vendor::segment::VENDOR,
    &vendor::salesforce::VENDOR,
    &vendor::hubspot::VENDOR,
    &vendor::callrail::VENDOR,
    &vendor::pos::VENDOR,
    &vendor::email_service::VENDOR,
];

/// Most rows of one batch.
pub const BATCH_ROWS: usize = 8192;
/// A batch of text ends early when it holds this much.
pub(crate) const BATCH_BYTES: usize = 8 << 20;
/// Longest line or record.
pub(crate) const MAX_ROW_BYTES: usize = 1 << 20;

/// Options of a source, as written.
pub type Options = BTreeMap<String, String>;

/// What a file of no bytes means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmptyFile {
    /// The format needs a header: the file is broken or not yet written.
    Refused,
    /// No rows; worth a warning.
    Warned,
}

/// A column of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawColumn {
    /// Its name; nested fields are joined by dots.
    pub name: String,
    /// Its type in the file; text for text formats.
    pub ty: Type,
}

/// The columns of a file, and what was odd about them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    /// Columns in the order of the file, each name once.
    pub columns: Vec<RawColumn>,
    /// Remarks for people.
    pub warnings: Vec<String>,
}

/// A way to read files.
///
/// Implementations promise: the same file gives the same rows in the same order; memory is bounded by the batch, not
/// by the file; a bad row is refused and reading goes on; [`RowReader::rows_read`] counts every row that was met.
pub trait Connector: Debug + Sync {
    /// Name in `connector:`.
    fn name(&self) -> &'static str;

    /// What it reads, in one line.
    fn summary(&self) -> &'static str;

    /// Options with their meaning.
    fn options(&self) -> &'static [(&'static str, &'static str)];

    /// What a file of no bytes means.
    fn empty_file(&self) -> EmptyFile;

    /// Whether a row may lack a column that other rows have. If not, a file that lacks a column the mapping reads is
    /// refused before it is read.
    fn ragged(&self) -> bool;

    /// The mapping of a source that writes none, as YAML; `None` where only the source can know.
    fn preset(&self) -> Option<&'static str> {
        None
    }

    /// The columns with documented names that every file gives, NULL where it lacks them, and what they hold.
    fn documented(&self) -> Vec<(&'static str, &'static str)> {
        Vec::new()
    }

    /// Files beside a file that its rows depend on.
    fn companions(&self, _file: &Path) -> Vec<PathBuf> {
        Vec::new()
    }

    /// The units of a source whose location, variables put in, names no files; `None` where it does.
    fn units(&self, _: &SourceConfig, _: &Place<'_>) -> Option<Result<Vec<SourceFile>, IngestError>> {
        None
    }

    /// Whether the rows of a unit that is gone go with it where the source says nothing.
    fn location_is_truth(&self) -> bool {
        false
    }

    /// Checks the values of options; the names were checked.
    fn check(&self, options: &Options) -> Result<(), BadOption>;

    /// Finds the columns of a file without reading all of it.
    fn columns(&self, file: &SourceFile, options: &Options) -> Result<Columns, IngestError>;

    /// Starts reading the wanted columns; columns that the file lacks are NULL.
    fn read(&self, file: &SourceFile, options: &Options, wanted: &[String]) -> Result<Box<dyn RowReader>, IngestError>;
}

/// A value that an option does not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadOption {
    /// Which option.
    pub name: &'static str,
    /// What is wrong and what is expected.
    pub message: String,
}

/// A file being read.
pub trait RowReader: Send {
    /// The next rows; `None` at the end.
    fn next_batch(&mut self) -> Result<Option<RawBatch>, IngestError>;

    /// Rows met so far, refused ones included.
    fn rows_read(&self) -> u64;
}

/// The connector of a name.
pub fn find(name: &str) -> Option<&'static dyn Connector> {
    CONNECTORS.iter().copied().find(|c| c.name() == name)
}

/// What to do about an unknown connector: the closest and all known names.
pub(crate) fn suggestion(name: &str) -> String {
    let names: Vec<&str> = CONNECTORS.iter().map(|c| c.name()).collect();
    let hint = closest(name, names.iter().copied()).map(|c| format!("did you mean `{c}`? ")).unwrap_or_default();
    format!("{hint}known connectors: {}", names.join(", "))
}

/// The positions of the wanted columns among those of a file.
fn positions(columns: &[Option<String>], wanted: &[String]) -> Vec<Option<usize>> {
    wanted.iter().map(|name| columns.iter().position(|c| c.as_deref() == Some(name))).collect()
}
