//! The sources.

use utoipa::ToSchema;

use super::evidence::Finding;

/// How the sources stand.
#[derive(ToSchema)]
pub(crate) struct SourcesDocumented {
    /// What ages are counted to.
    #[schema(format = DateTime)]
    as_of: String,
    sources: Vec<SourceItem>,
}

/// How a source stands.
#[derive(ToSchema)]
pub(crate) struct SourceItem {
    source: String,
    /// Its connector; absent for a source that the project no longer has.
    connector: Option<String>,
    /// Files that were read.
    files: u64,
    rows_read: u64,
    events: u64,
    spend_rows: u64,
    /// Rows in quarantine.
    quarantined: u64,
    #[schema(format = DateTime)]
    first_event_at: Option<String>,
    /// The watermark: the latest event.
    #[schema(format = DateTime)]
    last_event_at: Option<String>,
    #[schema(format = Date)]
    first_spend_on: Option<String>,
    /// The watermark of spend.
    #[schema(format = Date)]
    last_spend_on: Option<String>,
    /// The file that was read last.
    last_file: Option<String>,
    #[schema(format = DateTime)]
    last_read_at: Option<String>,
    last_read_in_run: Option<u64>,
    /// Hours from the newest event or end of the newest date of spend; absent without either.
    age_hours: Option<f64>,
    /// What was different in the columns of the files that were read last.
    drift: Vec<DriftItem>,
    /// Files that are no longer there, though their rows are used.
    vanished: Vec<String>,
    warnings: Vec<Finding>,
    /// The last 90 days that have any rows, in order.
    days: Vec<DayVolumeItem>,
    /// What is in quarantine, most rows first.
    quarantine: Vec<QuarantineGroupItem>,
    /// Rows whose corrections are in use.
    corrected: u64,
}

/// What is different about a column.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum ColumnChange {
    Missing,
    Emptied,
    Retyped,
    New,
}

/// What the values of a column look like.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum ColumnHolds {
    Nothing,
    Bool,
    Int,
    Float,
    Time,
    Text,
}

/// A column that is different from the file before.
#[derive(ToSchema)]
pub(crate) struct DriftItem {
    column: String,
    change: ColumnChange,
    before: Option<ColumnHolds>,
    now: Option<ColumnHolds>,
    /// Whether the mapping reads it.
    used: bool,
    file: String,
}

/// What came on a day.
#[derive(ToSchema)]
pub(crate) struct DayVolumeItem {
    #[schema(format = Date)]
    day: String,
    events: u64,
    spend_rows: u64,
}

/// Rows that were refused for one reason.
#[derive(ToSchema)]
pub(crate) struct QuarantineGroupItem {
    code: String,
    rows: u64,
    /// Some of them.
    samples: Vec<QuarantinedItem>,
}

/// A refused row: where it stands and why, never what stands in it.
#[derive(ToSchema)]
pub(crate) struct QuarantinedItem {
    /// Its id.
    row: String,
    source: String,
    file: String,
    line: Option<u64>,
    code: Option<String>,
    reason: Option<String>,
    /// What people call it.
    label: Option<String>,
    /// Whether a correction stands.
    corrected: bool,
    /// What became of the correction: `used`, `refused_again`, `row_changed` or `not_in_place`.
    outcome: Option<String>,
    /// Who decided last.
    author: Option<String>,
}
