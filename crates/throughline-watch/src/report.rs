//! What the stage found, for the run report.

use serde::Serialize;
use throughline_core::Timestamp;

/// How a figure stands against its history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// No history yet.
    First,
    /// As usual.
    Ok,
    /// Different, or better than usual by far.
    Changed,
    /// Far worse than usual.
    Alarm,
}

impl Status {
    /// The name used in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Ok => "ok",
            Self::Changed => "changed",
            Self::Alarm => "alarm",
        }
    }
}

/// One row of `health`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HealthRow {
    /// Name of the metric.
    pub metric: String,
    /// Of what: `table`, `table.column`, `table/source=name`.
    pub scope: String,
    /// The figure now.
    pub value: Option<f64>,
    /// The figure of the run before.
    pub previous: Option<f64>,
    /// The figure expected from the history; not stored, only reported.
    pub usual: Option<f64>,
    /// How it stands.
    pub status: Status,
    /// A sentence for people.
    pub note: String,
}

/// The report of the stage.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WatchReport {
    /// The rule that judged.
    pub detector: String,
    /// What could be known.
    pub as_of: Timestamp,
    /// Figures by status.
    pub first: usize,
    /// As usual.
    pub ok: usize,
    /// Different.
    pub changed: usize,
    /// Far worse.
    pub alarms: usize,
    /// Every figure: alarms first, then changes, then the rest, each in the order of the line.
    pub rows: Vec<HealthRow>,
}

impl WatchReport {
    pub(crate) fn new(detector: &str, as_of: Timestamp, mut rows: Vec<HealthRow>) -> Self {
        rows.sort_by_key(|row| std::cmp::Reverse((row.status > Status::Ok).then_some(row.status)));
        let count = |status| rows.iter().filter(|r| r.status == status).count();
        Self {
            detector: detector.to_owned(),
            as_of,
            first: count(Status::First),
            ok: count(Status::Ok),
            changed: count(Status::Changed),
            alarms: count(Status::Alarm),
            rows,
        }
    }

    /// One line for people.
    pub fn summary(&self) -> String {
        format!(
            "{} figures: {} alarms, {} changed, {} as usual, {} for the first time",
            self.rows.len(),
            self.alarms,
            self.changed,
            self.ok,
            self.first
        )
    }
}
