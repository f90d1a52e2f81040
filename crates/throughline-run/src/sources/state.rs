//! How the sources of a project stand: what was read of each, up to when, and what is gone or different.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;
use throughline_core::{Diagnostic, Timestamp};
use throughline_ingest::config::Vanished;
use throughline_ingest::names_of_units;
use throughline_ledger::Repository;

use super::readings::Readings;
use crate::error::RunError;
use crate::project::Project;

/// Microseconds of an hour.
const HOUR_US: f64 = 3_600_000_000.0;
/// Files that are gone and are named.
const NAMED: usize = 3;

/// How a source stands.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SourceState {
    /// The source.
    pub source: String,
    /// Its connector; absent for a source that the project no longer has.
    pub connector: Option<String>,
    /// Files that were read.
    pub files: u64,
    /// Rows of those files.
    pub rows_read: u64,
    /// Events.
    pub events: u64,
    /// Rows of spend.
    pub spend_rows: u64,
    /// Rows in quarantine.
    pub quarantined: u64,
    /// The earliest event.
    pub first_event_at: Option<Timestamp>,
    /// The watermark: the latest event.
    pub last_event_at: Option<Timestamp>,
    /// The first business date of spend.
    pub first_spend_on: Option<String>,
    /// The watermark of spend: its last business date.
    pub last_spend_on: Option<String>,
    /// The file that was read last.
    pub last_file: Option<String>,
    /// When that was, by the clock of the project.
    pub last_read_at: Option<Timestamp>,
    /// The run in which that was.
    pub last_read_in_run: Option<u64>,
    /// Hours from the newest event or end of the newest date of spend to `as_of`; absent without either.
    pub age_hours: Option<f64>,
    /// What was different in the columns of the files that were read last.
    pub drift: Vec<Value>,
    /// Files that are no longer at the location, though their rows are used.
    pub vanished: Vec<String>,
    /// What to look at.
    pub warnings: Vec<Diagnostic>,
}

/// How every source stands, by name.
pub async fn source_states(
    project: &Project,
    ledger: &dyn Repository,
    as_of: Timestamp,
) -> Result<Vec<SourceState>, RunError> {
    let readings = Readings::load(ledger).await?;
    let mut states: BTreeMap<String, SourceState> = BTreeMap::new();
    for source in &project.sources {
        let name = &source.value.name.value;
        let state = SourceState {
            source: name.clone(),
            connector: Some(source.value.connector.value.clone()),
            ..SourceState::default()
        };
        states.insert(name.clone(), state);
    }
    let mut units: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let published = ledger.fingerprints("ingest").await?;
    for (unit, record) in &published {
        let Some((source, file)) = unit.split_once('/') else { continue };
        if record.metrics["gone"] == true {
            continue;
        }
        units.entry(source.to_owned()).or_default().insert(file.to_owned());
        let state = states
            .entry(source.to_owned())
            .or_insert_with(|| SourceState { source: source.to_owned(), ..SourceState::default() });
        state.add(&record.metrics);
    }
    for state in states.values_mut() {
        state.read(&readings);
        state.age(as_of);
        let read = units.remove(&state.source).unwrap_or_default();
        state.compare(project, &read);
    }
    for (unit, record) in &published {
        let Some(state) = unit.split_once('/').and_then(|(source, _)| states.get_mut(source)) else { continue };
        if state.last_read_in_run.is_some() && readings.last(unit).map(|r| r.run_seq) == state.last_read_in_run {
            state.notice(&record.metrics);
        }
    }
    Ok(states.into_values().collect())
}

impl SourceState {
    fn add(&mut self, metrics: &Value) {
        let count = |name: &str| metrics[name].as_u64().unwrap_or(0);
        let time = |name: &str| metrics[name].as_str().and_then(|text| text.parse::<Timestamp>().ok());
        let date = |name: &str| metrics[name].as_str().map(str::to_owned);
        self.files += 1;
        self.rows_read += count("rows_read");
        self.events += count("events");
        self.spend_rows += count("spend_rows");
        let refused = metrics["quarantined"].as_object().into_iter().flatten();
        self.quarantined += refused.filter_map(|(_, n)| n.as_u64()).sum::<u64>();
        self.first_event_at = least(self.first_event_at, time("first_occurred_at"));
        self.last_event_at = self.last_event_at.max(time("last_occurred_at"));
        self.first_spend_on = least(self.first_spend_on.take(), date("first_spend_on"));
        self.last_spend_on = self.last_spend_on.take().max(date("last_spend_on"));
    }

    fn read(&mut self, readings: &Readings) {
        if let Some(newest) = readings.newest(&self.source) {
            self.last_file = Some(newest.file.clone());
            self.last_read_at = Some(newest.read_at);
            self.last_read_in_run = Some(newest.run_seq);
        }
    }

    fn age(&mut self, as_of: Timestamp) {
        let spend_end =
            self.last_spend_on.as_ref().and_then(|day| day.parse::<Timestamp>().ok()).map(|day| day.plus_days(1));
        let newest = self.last_event_at.max(spend_end);
        self.age_hours = newest.map(|newest| (as_of.micros() - newest.micros()).max(0) as f64 / HOUR_US);
    }

    /// Compares what was read with what is there. A location that cannot be listed now is the business of `check`.
    fn compare(&mut self, project: &Project, read: &BTreeSet<String>) {
        let Some(source) = project.sources.iter().find(|s| s.value.name.value == self.source) else {
            let message = format!(
                "source `{}` is no longer in the project, but its {} events and {} rows of spend are used",
                self.source, self.events, self.spend_rows
            );
            let help = "put it back with `vanished: drop` and a location without files to take them out";
            self.warnings.push(Diagnostic::warning("TL137", message).help(help));
            return;
        };
        let Ok(there) = names_of_units(&project.root, &source.value, &project.variables) else { return };
        self.vanished = read.iter().filter(|file| !there.contains(*file)).cloned().collect();
        if self.vanished.is_empty() || source.value.vanished == Vanished::Drop {
            return;
        }
        let mut named = self.vanished.iter().take(NAMED).map(|f| format!("`{f}`")).collect::<Vec<_>>().join(", ");
        if self.vanished.len() > NAMED {
            named += &format!(" and {} more", self.vanished.len() - NAMED);
        }
        let message = format!("{named} of source `{}` no longer at its location; the rows stay in use", self.source);
        let help = "nothing to do where exports are moved away once they were read; `vanished: drop` in the source takes such rows out";
        self.warnings.push(Diagnostic::warning("TL137", message).help(help).at(&source.file, None, None));
    }

    /// Takes up what the files that were read last had to say.
    fn notice(&mut self, metrics: &Value) {
        let file = metrics["file"].clone();
        for drift in metrics["drift"].as_array().into_iter().flatten() {
            let mut drift = drift.clone();
            drift["file"] = file.clone();
            self.drift.push(drift);
        }
        for warning in metrics["warnings"].as_array().into_iter().flatten() {
            let finding = serde_json::from_value::<Diagnostic>(warning.clone()).ok();
            self.warnings.extend(finding.filter(|f| ["TL136", "TL138"].contains(&f.code.as_str())));
        }
    }
}

fn least<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
