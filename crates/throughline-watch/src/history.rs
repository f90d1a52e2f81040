//! What the previous runs saw.

use std::collections::{BTreeMap, BTreeSet};

use throughline_lake::{Snapshot, columns};

use crate::error::WatchError;

/// Runs kept per figure. A detector may look at fewer.
const KEPT: usize = 10;

/// (metric, scope)
type Key = (String, String);

/// Figures of previous runs, oldest first.
#[derive(Debug, Default)]
pub(crate) struct History {
    series: BTreeMap<Key, Vec<(i64, Option<f64>)>>,
}

impl History {
    /// Reads `health`, leaving out this run and later ones, so that a repeated run sees what its first attempt saw.
    pub(crate) async fn read(health: &Snapshot, run_seq: u64) -> Result<Self, WatchError> {
        let before = i64::try_from(run_seq).unwrap_or(i64::MAX);
        let mut history = Self::default();
        for batch in health.read_all(Some(&["run_seq", "metric", "scope", "value"])).await? {
            let (runs, values) = (columns::int(&batch, "run_seq")?, columns::float(&batch, "value")?);
            let (metrics, scopes) = (columns::text(&batch, "metric")?, columns::text(&batch, "scope")?);
            for row in (0..batch.num_rows()).filter(|row| runs.value(*row) < before) {
                let key = (metrics.value(row).to_owned(), scopes.value(row).to_owned());
                let value = columns::float_at(values, row).filter(|v| v.is_finite());
                history.series.entry(key).or_default().push((runs.value(row), value));
            }
        }
        for series in history.series.values_mut() {
            series.sort_by_key(|(run, _)| *run);
            series.drain(..series.len().saturating_sub(KEPT));
        }
        Ok(history)
    }

    /// The figures of one series, oldest first.
    pub(crate) fn values(&self, metric: &str, scope: &str) -> Vec<Option<f64>> {
        let key = (metric.to_owned(), scope.to_owned());
        self.series.get(&key).map(|s| s.iter().map(|(_, value)| *value).collect()).unwrap_or_default()
    }

    /// Figures that were measured when they were last looked for, and that are not among `seen`. A figure that is gone
    /// leaves a row without a value, so it is named once.
    pub(crate) fn vanished(&self, seen: &BTreeSet<Key>) -> Vec<Key> {
        let measured = |series: &[(i64, Option<f64>)]| series.last().is_some_and(|(_, value)| value.is_some());
        self.series.iter().filter(|(key, s)| measured(s) && !seen.contains(*key)).map(|(key, _)| key.clone()).collect()
    }
}
