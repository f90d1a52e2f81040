//! The stage: measure, compare, write.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use throughline_core::RunContext;
use throughline_lake::{Lake, Session, SessionOptions, Snapshot, Staged, TableSpec, Unit, tables};

use crate::detector::{Detector, Judgement, Series};
use crate::error::WatchError;
use crate::history::History;
use crate::metric::Observation;
use crate::report::{HealthRow, Status, WatchReport};
use crate::watched::watched;
use crate::{measure, note};

const STAGE: &str = "watch";

/// What the stage reads and where it writes.
#[derive(Debug, Clone, Copy)]
pub struct WatchInput<'a> {
    /// The lake that receives the rows of `health`.
    pub lake: &'a Lake,
    /// The unit that owns these rows. Its name must differ from run to run ([`WatchInput::unit_name`]), because a unit
    /// replaces its own earlier rows and the history would be lost.
    pub unit: &'a Unit,
    /// Limits of the engine.
    pub session: &'a SessionOptions,
    /// The tables to watch, in the order of the line, each at the version the run reads.
    pub snapshots: &'a [Snapshot],
    /// `health` as the previous runs left it.
    pub health: &'a Snapshot,
    /// The rule that judges.
    pub detector: &'a dyn Detector,
}

impl WatchInput<'_> {
    /// The name of a run's unit.
    pub fn unit_name(run_seq: u64) -> String {
        format!("run-{run_seq:012}")
    }
}

/// What the stage wrote, ready for the commit.
#[derive(Debug)]
pub struct WatchOutcome {
    /// Files of `health`.
    pub staged: Vec<Staged>,
    /// What was found.
    pub report: WatchReport,
}

/// Measures every table given, judges each figure by the previous runs and stages the rows of `health`.
pub async fn observe(input: &WatchInput<'_>, context: &RunContext) -> Result<WatchOutcome, WatchError> {
    context.progress.start(STAGE, Some(input.snapshots.len() as u64));
    let session = Session::new(input.session)?;
    for snapshot in input.snapshots {
        session.register(&snapshot.spec().name, snapshot.clone())?;
    }
    let mut observations = Vec::new();
    for snapshot in input.snapshots {
        if context.is_cancelled() {
            return Err(WatchError::Cancelled);
        }
        if let Some(columns) = watched(snapshot.spec()) {
            observations.extend(measure::table(&session, &snapshot.spec().name, &columns, context.as_of).await?);
        }
        context.progress.advance(STAGE, 1);
    }
    observations.extend(measure::quarantine(&session, input.snapshots).await?);
    let history = History::read(input.health, context.run_seq).await?;
    let mut rows: Vec<HealthRow> = observations.iter().map(|o| judge(input.detector, &history, o)).collect();
    rows.extend(gone(&history, &observations, input.snapshots));
    let spec = tables::health();
    // The rows carry the instant of the run, so the names of their files must depend on it: a repeated attempt must not
    // overwrite a file that an unpublished commit already names.
    let fingerprint = format!("{}@{}", input.unit.fingerprint, context.now.micros());
    let mut writer = input.lake.writer(&spec, &Unit { fingerprint, ..input.unit.clone() })?;
    writer.write(None, &batch(&spec, &rows, context)?).await?;
    let staged = writer.finish().await?;
    let report = WatchReport::new(input.detector.name(), context.as_of, rows);
    context.progress.finish(STAGE, &report.summary());
    Ok(WatchOutcome { staged: vec![staged], report })
}

fn judge(detector: &dyn Detector, history: &History, observation: &Observation) -> HealthRow {
    let Observation { metric, scope, value, n } = observation;
    let past = history.values(metric.name(), scope);
    let known: Vec<f64> = past.iter().copied().flatten().collect();
    let previous = past.last().copied().flatten();
    let judgement = if let Some(value) = *value {
        detector.judge(&Series { history: &known, value, floor: metric.floor(*n), worse: metric.worse() })
    } else {
        // Nothing to measure: a change when the last run could measure it, otherwise the state it was in.
        let status = match (past.is_empty(), previous) {
            (true, _) => Status::First,
            (false, Some(_)) => Status::Changed,
            (false, None) => Status::Ok,
        };
        Judgement { status, usual: previous, score: 0.0 }
    };
    HealthRow {
        metric: metric.name().to_owned(),
        scope: scope.clone(),
        value: *value,
        previous,
        usual: judgement.usual,
        status: judgement.status,
        note: note::note(*metric, scope, *value, &judgement),
    }
}

/// Figures the last run had and this one has not, of tables that were given: a source or a column that disappeared.
fn gone(history: &History, observations: &[Observation], snapshots: &[Snapshot]) -> Vec<HealthRow> {
    let seen: BTreeSet<_> = observations.iter().map(|o| (o.metric.name().to_owned(), o.scope.clone())).collect();
    let tables: BTreeSet<&str> = snapshots.iter().map(|s| s.spec().name.as_str()).collect();
    let of_given_table = |scope: &str| scope.split(['.', '/']).next().is_some_and(|table| tables.contains(table));
    history
        .vanished(&seen)
        .into_iter()
        .filter(|(_, scope)| of_given_table(scope))
        .map(|(metric, scope)| {
            let previous = history.values(&metric, &scope).last().copied().flatten();
            let note = note::vanished(&metric, &scope);
            HealthRow { metric, scope, value: None, previous, usual: previous, status: Status::Changed, note }
        })
        .collect()
}

fn batch(spec: &TableSpec, rows: &[HealthRow], context: &RunContext) -> Result<RecordBatch, WatchError> {
    let run = i64::try_from(context.run_seq).unwrap_or(i64::MAX);
    let text = |f: fn(&HealthRow) -> &str| -> ArrayRef { Arc::new(StringArray::from_iter_values(rows.iter().map(f))) };
    let number =
        |f: fn(&HealthRow) -> Option<f64>| -> ArrayRef { Arc::new(rows.iter().map(f).collect::<Float64Array>()) };
    let observed_at = TimestampMicrosecondArray::from(vec![context.now.micros(); rows.len()]).with_timezone("UTC");
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![run; rows.len()])),
        text(|r| &r.metric),
        text(|r| &r.scope),
        number(|r| r.value),
        number(|r| r.previous),
        text(|r| r.status.name()),
        text(|r| &r.note),
        Arc::new(observed_at),
    ];
    Ok(RecordBatch::try_new(Arc::clone(&spec.file_schema), columns)?)
}
