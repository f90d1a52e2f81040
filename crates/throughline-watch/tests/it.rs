//! Runs over small lakes in temporary folders.

use std::sync::Arc;

use arrow::array::BinaryBuilder;
use arrow::array::{
    ArrayRef, BinaryArray, Int64Array, ListBuilder, RecordBatch, StringArray, TimestampMicrosecondArray, new_null_array,
};
use throughline_core::time::DAY_US;
use throughline_core::{RunContext, Timestamp};
use throughline_lake::{Lake, SessionOptions, Snapshot, TableSpec, Unit, tables};
use throughline_watch::{HealthRow, Status, WatchInput, WatchOutcome, WatchReport, detector, observe};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const HOUR_US: i64 = 3_600_000_000;

fn as_of() -> Timestamp {
    "2026-03-10T12:00:00Z".parse().expect("an instant")
}

/// A lake whose tables are replaced from run to run, with a growing `health`.
struct World {
    lake: Lake,
    health: Option<u64>,
    run: u64,
    _dir: tempfile::TempDir,
}

impl World {
    fn new() -> Result<Self> {
        let dir = tempfile::tempdir()?;
        Ok(Self { lake: Lake::open_local(dir.path())?, health: None, run: 0, _dir: dir })
    }

    fn unit(&self, stage: &str, name: &str) -> Unit {
        Unit { stage: stage.into(), name: name.into(), fingerprint: format!("f{}", self.run), run_seq: self.run }
    }

    async fn put(&self, spec: &TableSpec, partition: Option<&str>, batch: &RecordBatch) -> Result<Snapshot> {
        let unit = self.unit("test", "all");
        let mut writer = self.lake.writer(spec, &unit)?;
        writer.write(partition, batch).await?;
        let version = self.lake.commit(None, writer.finish().await?).await?;
        Ok(self.lake.snapshot(spec, Some(version)).await?)
    }

    async fn watch(&self, snapshots: &[Snapshot]) -> Result<WatchOutcome> {
        let spec = tables::health();
        let health = self.lake.snapshot(&spec, self.health).await?;
        let unit = self.unit("watch", &WatchInput::unit_name(self.run));
        let rule = detector("median_mad", &serde_json::Value::Null)?;
        let session = SessionOptions::default();
        let input = WatchInput {
            lake: &self.lake,
            unit: &unit,
            session: &session,
            snapshots,
            health: &health,
            detector: &*rule,
        };
        Ok(observe(&input, &RunContext::new(self.run, as_of(), as_of(), 1)).await?)
    }

    /// One run over these events and refused rows, committed.
    async fn run(&mut self, events: &Events, refused: usize) -> Result<WatchReport> {
        self.run += 1;
        let events = self.put(&tables::events(), Some("2026-03-10"), &events.batch()).await?;
        let quarantine = self.put(&tables::quarantine(), None, &quarantine(refused)).await?;
        let outcome = self.watch(&[events, quarantine]).await?;
        for staged in outcome.staged {
            self.health = Some(self.lake.commit(self.health, staged).await?);
        }
        Ok(outcome.report)
    }
}

#[derive(Clone)]
struct Events {
    rows: usize,
    without_channel: usize,
    newest: i64,
    sources: &'static [&'static str],
}

const USUAL: Events = Events { rows: 1000, without_channel: 20, newest: HOUR_US, sources: &["shop", "crm"] };

impl Events {
    fn batch(&self) -> RecordBatch {
        let n = self.rows;
        let spec = tables::events();
        let text = |value: &str| -> ArrayRef { Arc::new(StringArray::from(vec![value; n])) };
        let newest = as_of().micros() - self.newest;
        // Half of the rows are from today, half from the weeks before; one row lies after `as_of` and is not "newest".
        let times = (0..n).map(|i| match i {
            1 => as_of().micros() + DAY_US,
            i if i % 2 == 0 => newest,
            _ => newest - 20 * DAY_US,
        });
        let times: ArrayRef = Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"));
        let mut tokens = ListBuilder::new(BinaryBuilder::new());
        (0..n).for_each(|_| tokens.append_value([Some([7_u8; 16])]));
        let columns = spec.file_schema.fields().iter().map(|field| -> ArrayRef {
            match field.name().as_str() {
                "source" => {
                    Arc::new(StringArray::from_iter_values((0..n).map(|i| self.sources[i % self.sources.len()])))
                }
                "source_event_id" => Arc::new(StringArray::from_iter_values((0..n).map(|i| i.to_string()))),
                "revision" => Arc::new(Int64Array::from(vec![1; n])),
                "kind" => text("click"),
                "consent" => text("granted"),
                "channel" => {
                    Arc::new((0..n).map(|i| (i >= self.without_channel).then_some("search")).collect::<StringArray>())
                }
                "occurred_at" | "available_at" | "ingested_at" => Arc::clone(&times),
                "tokens" => {
                    let built: ArrayRef = Arc::new(tokens.finish_cloned());
                    arrow::compute::cast(&built, field.data_type()).expect("a list of tokens")
                }
                _ => new_null_array(field.data_type(), n),
            }
        });
        let columns = columns.collect();
        RecordBatch::try_new(spec.file_schema, columns).expect("events fit")
    }
}

fn quarantine(rows: usize) -> RecordBatch {
    let text = |value: &str| -> ArrayRef { Arc::new(StringArray::from(vec![value; rows])) };
    let columns: Vec<ArrayRef> = vec![
        text("shop"),
        text("shop.csv"),
        Arc::new(Int64Array::from(vec![1; rows])),
        text("TL101"),
        text("not a timestamp"),
        Arc::new(BinaryArray::from(vec![None; rows])),
        Arc::new(TimestampMicrosecondArray::from(vec![0; rows]).with_timezone("UTC")),
    ];
    RecordBatch::try_new(tables::quarantine().file_schema, columns).expect("rows fit")
}

#[track_caller]
fn find<'a>(report: &'a WatchReport, metric: &str, scope: &str) -> &'a HealthRow {
    let found = report.rows.iter().find(|r| r.metric == metric && r.scope == scope);
    found.unwrap_or_else(|| panic!("no {metric} of {scope} in {:#?}", report.rows))
}

#[tokio::test]
async fn a_first_run_measures_and_judges_nothing() -> Result<()> {
    let report = World::new()?.run(&USUAL, 10).await?;
    assert_eq!((report.first, report.ok, report.changed, report.alarms), (report.rows.len(), 0, 0, 0));
    let value = |metric, scope| find(&report, metric, scope).value;
    assert_eq!(value("rows", "events"), Some(1000.0));
    assert_eq!(value("rows", "events/source=crm"), Some(500.0));
    assert_eq!(value("rows_last_day", "events"), Some(500.0));
    assert_eq!(value("age_hours", "events"), Some(1.0));
    assert_eq!(value("null_share", "events.channel"), Some(0.02));
    assert_eq!(value("null_share", "events.campaign"), Some(1.0));
    assert_eq!(value("null_share", "events.tokens"), Some(0.0));
    assert_eq!(value("quarantine_share", "quarantine/source=shop"), Some(10.0 / 510.0));
    assert_eq!(value("quarantine_share", "quarantine/source=crm"), Some(0.0));
    Ok(())
}

#[tokio::test]
async fn equal_runs_are_ok() -> Result<()> {
    let mut world = World::new()?;
    world.run(&USUAL, 10).await?;
    for _ in 0..3 {
        let report = world.run(&USUAL, 10).await?;
        assert_eq!(
            (report.first, report.ok, report.changed, report.alarms),
            (0, report.rows.len(), 0, 0),
            "{report:#?}"
        );
        assert_eq!(find(&report, "rows", "events").previous, Some(1000.0));
    }
    Ok(())
}

/// Four usual runs, then one that differs: the status of one figure in it.
async fn after_usual_runs(events: Events, refused: usize, metric: &str, scope: &str) -> Result<HealthRow> {
    let mut world = World::new()?;
    for _ in 0..4 {
        world.run(&USUAL, 10).await?;
    }
    Ok(find(&world.run(&events, refused).await?, metric, scope).clone())
}

#[tokio::test]
async fn a_drop_of_volume_is_flagged() -> Result<()> {
    let row = after_usual_runs(Events { rows: 400, ..USUAL }, 10, "rows", "events").await?;
    assert_eq!(row.status, Status::Alarm);
    assert_eq!(row.note, "rows of `events` fell to 400, usually 1,000 (-60 %)");
    assert_eq!((row.value, row.previous), (Some(400.0), Some(1000.0)));
    Ok(())
}

#[tokio::test]
async fn late_data_missing_values_and_refused_rows_are_flagged() -> Result<()> {
    let late = after_usual_runs(Events { newest: 30 * HOUR_US, ..USUAL }, 10, "age_hours", "events").await?;
    assert_eq!((late.status, late.value), (Status::Alarm, Some(30.0)));
    let missing =
        after_usual_runs(Events { without_channel: 300, ..USUAL }, 10, "null_share", "events.channel").await?;
    assert_eq!(missing.status, Status::Alarm);
    let refused = after_usual_runs(USUAL, 200, "quarantine_share", "quarantine/source=shop").await?;
    assert_eq!(refused.status, Status::Alarm);
    let small = after_usual_runs(Events { without_channel: 30, ..USUAL }, 12, "null_share", "events.channel").await?;
    assert_eq!(small.status, Status::Ok);
    Ok(())
}

#[tokio::test]
async fn a_source_that_disappears_is_reported_once() -> Result<()> {
    let mut world = World::new()?;
    world.run(&USUAL, 10).await?;
    let only_shop = Events { sources: &["shop"], ..USUAL };
    let row = find(&world.run(&only_shop, 10).await?, "rows", "events/source=crm").clone();
    assert_eq!((row.status, row.value, row.previous), (Status::Changed, None, Some(500.0)));
    let next = world.run(&only_shop, 10).await?;
    assert!(next.rows.iter().all(|r| r.scope != "events/source=crm"), "{next:#?}");
    Ok(())
}

#[tokio::test]
async fn an_empty_table_has_nothing_to_measure() -> Result<()> {
    let world = World { run: 1, ..World::new()? };
    let events = world.lake.snapshot(&tables::events(), None).await?;
    let spend = world.lake.snapshot(&tables::spend(), None).await?;
    let report = world.watch(&[events, spend]).await?.report;
    assert_eq!(find(&report, "rows", "events").value, Some(0.0));
    assert_eq!(find(&report, "age_hours", "spend").value, None);
    assert_eq!(find(&report, "null_share", "spend.channel").value, None);
    assert_eq!(report.first, report.rows.len());
    Ok(())
}

#[tokio::test]
async fn repeating_a_run_gives_the_same_rows() -> Result<()> {
    let mut world = World::new()?;
    world.run(&USUAL, 10).await?;
    let second = world.run(&Events { rows: 900, ..USUAL }, 10).await?;
    // The same run again, with its own rows already in `health`.
    let events = world.put(&tables::events(), Some("2026-03-10"), &Events { rows: 900, ..USUAL }.batch()).await?;
    let quarantine = world.put(&tables::quarantine(), None, &quarantine(10)).await?;
    assert_eq!(world.watch(&[events, quarantine]).await?.report, second);
    Ok(())
}
