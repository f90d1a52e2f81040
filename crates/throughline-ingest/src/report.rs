//! What a file became, in numbers.

use std::collections::BTreeMap;

use serde::Serialize;
use throughline_core::time::DAY_US;
use throughline_core::{Diagnostic, Timestamp};
use throughline_lake::Staged;

use crate::diagnostics::codes;
use crate::error::RowExample;

/// The files written for one source file, not committed yet, and the report.
#[derive(Debug)]
pub struct IngestOutcome {
    /// Always `events`, `profiles`, `spend` and `quarantine`, also when nothing was written to them: committing them removes what
    /// the unit had before.
    pub staged: Vec<Staged>,
    /// The numbers.
    pub report: IngestReport,
    /// The first 100,000 refused rows.
    pub refused: Vec<RowExample>,
}

/// `rows_read = rows_emitted + rows_skipped + Σ quarantined`, or the file is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IngestReport {
    /// Source.
    pub source: String,
    /// File.
    pub file: String,
    /// Rows that the connector met.
    pub rows_read: u64,
    /// Rows that gave at least one event or spend row.
    pub rows_emitted: u64,
    /// Rows that no `when` wanted.
    pub rows_skipped: u64,
    /// Events written.
    pub events: u64,
    /// Events left out because whose they are was erased.
    pub erased: u64,
    /// Spend rows written.
    pub spend_rows: u64,
    /// Rows in quarantine by code.
    pub quarantined: BTreeMap<&'static str, u64>,
    /// Events and spend rows dropped because their id and revision were seen before in the file. Those of rows that
    /// gave nothing else are in `quarantined` too.
    pub duplicates: u64,
    /// Events kept although their consent signal could not be read: nothing is granted there.
    pub consent_unreadable: u64,
    /// Earliest event.
    pub first_occurred_at: Option<Timestamp>,
    /// Latest event.
    pub last_occurred_at: Option<Timestamp>,
    /// First business date of spend.
    pub first_spend_on: Option<String>,
    /// Last business date of spend.
    pub last_spend_on: Option<String>,
    /// Columns that no expression reads.
    pub columns_unused: Vec<String>,
    /// Remarks of the check.
    pub warnings: Vec<Diagnostic>,
}

impl IngestReport {
    pub(crate) fn new(source: &str, file: &str) -> Self {
        Self {
            source: source.to_owned(),
            file: file.to_owned(),
            rows_read: 0,
            rows_emitted: 0,
            rows_skipped: 0,
            events: 0,
            erased: 0,
            spend_rows: 0,
            quarantined: BTreeMap::new(),
            duplicates: 0,
            consent_unreadable: 0,
            first_occurred_at: None,
            last_occurred_at: None,
            first_spend_on: None,
            last_spend_on: None,
            columns_unused: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Rows in quarantine.
    pub fn rows_quarantined(&self) -> u64 {
        self.quarantined.values().sum()
    }

    /// Remarks after reading: those of the check, and consent signals that could not be read.
    pub(crate) fn remark(&mut self, of_check: &[Diagnostic], unreadable: Option<&str>) {
        self.warnings = of_check.to_vec();
        if let Some(reason) = unreadable.filter(|_| self.consent_unreadable > 0) {
            let message = format!(
                "the consent signal of {} of {} events cannot be read, so nothing is granted there: {reason}",
                self.consent_unreadable, self.events
            );
            let help = "look at the expression `consent` and at the column it reads";
            self.warnings.push(Diagnostic::warning(codes::CONSENT_SIGNAL, message).help(help));
        }
    }

    pub(crate) fn saw(&mut self, occurred_at: i64) {
        let t = Timestamp::from_micros(occurred_at);
        self.first_occurred_at = Some(self.first_occurred_at.map_or(t, |first| first.min(t)));
        self.last_occurred_at = Some(self.last_occurred_at.map_or(t, |last| last.max(t)));
    }

    pub(crate) fn saw_spend(&mut self, day: i64) {
        let date = Timestamp::from_micros(day.saturating_mul(DAY_US)).date();
        if self.first_spend_on.as_ref().is_none_or(|first| date < *first) {
            self.first_spend_on = Some(date.clone());
        }
        if self.last_spend_on.as_ref().is_none_or(|last| date > *last) {
            self.last_spend_on = Some(date);
        }
    }
}
