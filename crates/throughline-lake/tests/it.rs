//! The commit protocol and the engine, on a real folder; expressions on batches.

mod compiled;
mod erased;

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use throughline_lake::{Lake, LakeError, Session, SessionOptions, Snapshot, TableSpec, Unit, tables};

fn unit(name: &str, fingerprint: &str, run_seq: u64) -> Unit {
    Unit { stage: "test".into(), name: name.into(), fingerprint: fingerprint.into(), run_seq }
}

fn spend_rows(spec: &TableSpec, ids: &[i64]) -> RecordBatch {
    let n = ids.len();
    let text = |value: &str| -> ArrayRef { Arc::new(StringArray::from(vec![value; n])) };
    let columns: Vec<ArrayRef> = vec![
        text("ads"),
        Arc::new(StringArray::from_iter_values(ids.iter().map(ToString::to_string))),
        Arc::new(Int64Array::from(vec![1; n])),
        text("search"),
        text("brand"),
        text("DE"),
        Arc::new(Int64Array::from(ids.to_vec())),
        text("EUR"),
        Arc::new(Int64Array::from(vec![None; n])),
        Arc::new(Int64Array::from(vec![None; n])),
        Arc::new(TimestampMicrosecondArray::from(vec![0; n]).with_timezone("UTC")),
        Arc::new(Int64Array::from(vec![None; n])),
        Arc::new(Int64Array::from(vec![None; n])),
    ];
    RecordBatch::try_new(Arc::clone(&spec.file_schema), columns).expect("rows fit")
}

async fn write(lake: &Lake, unit: &Unit, base: Option<u64>, ids: &[i64]) -> Result<u64, LakeError> {
    let spec = tables::spend();
    let mut writer = lake.writer(&spec, unit)?;
    writer.write(Some("2026-03-01"), &spend_rows(&spec, ids)).await?;
    lake.commit(base, writer.finish().await?).await
}

async fn costs(snapshot: &Snapshot) -> Result<Vec<i64>, LakeError> {
    let mut all = Vec::new();
    for batch in snapshot.read_all(Some(&["cost_micros"])).await? {
        let column = batch.column(0).as_any().downcast_ref::<Int64Array>().expect("ints");
        all.extend(column.values().iter().copied());
    }
    all.sort_unstable();
    Ok(all)
}

#[tokio::test]
async fn a_unit_replaces_its_own_files_and_no_others() -> Result<(), LakeError> {
    let dir = tempfile::tempdir().expect("a folder");
    let lake = Lake::open_local(dir.path())?;
    let first = write(&lake, &unit("a", "f1", 1), None, &[1, 2]).await?;
    let second = write(&lake, &unit("b", "f1", 1), Some(first), &[10]).await?;
    let third = write(&lake, &unit("a", "f2", 2), Some(second), &[3]).await?;
    let spec = tables::spend();
    assert_eq!(costs(&lake.snapshot(&spec, Some(second)).await?).await?, [1, 2, 10]);
    assert_eq!(costs(&lake.snapshot(&spec, Some(third)).await?).await?, [3, 10]);
    assert_eq!(lake.snapshot(&spec, None).await?.row_count(), 0);
    Ok(())
}

#[tokio::test]
async fn a_lake_sees_what_another_one_wrote() -> Result<(), LakeError> {
    let dir = tempfile::tempdir().expect("a folder");
    let spec = tables::spend();
    let (ours, theirs) = (Lake::open_local(dir.path())?, Lake::open_local(dir.path())?);
    let first = write(&ours, &unit("a", "f1", 1), None, &[1]).await?;
    let second = write(&theirs, &unit("b", "f1", 1), Some(first), &[2]).await?;
    let third = write(&ours, &unit("c", "f1", 1), Some(second), &[3]).await?;
    for lake in [&ours, &theirs] {
        assert_eq!(costs(&lake.snapshot(&spec, Some(third)).await?).await?, [1, 2, 3]);
        assert_eq!(costs(&lake.snapshot(&spec, Some(first)).await?).await?, [1], "older versions stay as they were");
    }
    Ok(())
}

#[tokio::test]
async fn an_unpublished_commit_is_adopted_or_undone() -> Result<(), LakeError> {
    let dir = tempfile::tempdir().expect("a folder");
    let lake = Lake::open_local(dir.path())?;
    let published = write(&lake, &unit("a", "f1", 1), None, &[1]).await?;
    // Committed, but the process died before publishing: the same unit finds its own commit again.
    let orphan = write(&lake, &unit("b", "f1", 2), Some(published), &[10]).await?;
    assert_eq!(write(&lake, &unit("b", "f1", 3), Some(published), &[10]).await?, orphan);
    // Another configuration takes over instead: nothing of the orphan remains, nothing is doubled.
    let after = write(&lake, &unit("b", "f9", 4), Some(published), &[20]).await?;
    assert_eq!(costs(&lake.snapshot(&tables::spend(), Some(after)).await?).await?, [1, 20]);
    // And a version that was published stays readable.
    assert_eq!(costs(&lake.snapshot(&tables::spend(), Some(published)).await?).await?, [1]);
    Ok(())
}

#[tokio::test]
async fn queries_see_the_partition_column_and_refuse_float_sums() -> Result<(), LakeError> {
    let dir = tempfile::tempdir().expect("a folder");
    let lake = Lake::open_local(dir.path())?;
    let version = write(&lake, &unit("a", "f1", 1), None, &[5, 7]).await?;
    let session = Session::new(&SessionOptions::default())?;
    session.register("spend", lake.snapshot(&tables::spend(), Some(version)).await?)?;
    let rows = session.query("SELECT date, sum(cost_micros) FROM spend GROUP BY date").await?;
    let text = arrow::util::pretty::pretty_format_batches(&rows)?.to_string();
    assert!(text.contains("2026-03-01") && text.contains("12"), "{text}");
    for sql in [
        "SELECT sum(cost_micros * 1.5) FROM spend",
        "SELECT avg(cost_micros) FROM spend",
        "SELECT * FROM (SELECT stddev(cost_micros) s FROM spend) WHERE s > 0",
    ] {
        let refused = session.query(sql).await;
        assert!(matches!(refused, Err(LakeError::FloatSum { .. })), "{sql}: {refused:?}");
    }
    session.register("events", lake.snapshot(&tables::events(), None).await?)?;
    assert_eq!(session.query("SELECT kind FROM events").await?.iter().map(RecordBatch::num_rows).sum::<usize>(), 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_scan_keeps_partitions_and_the_order_of_their_files() -> Result<(), LakeError> {
    use futures::TryStreamExt as _;
    let dir = tempfile::tempdir().expect("a folder");
    let (lake, spec) = (Lake::open_local(dir.path())?, tables::spend());
    let mut version = None;
    // Many files in the last partitions, so that those of the first would be free to help.
    for (partition, files) in [("2026-03-01", 1), ("2026-03-02", 1), ("2026-03-03", 20), ("2026-03-04", 40)] {
        for file in 0..files {
            let unit = unit(&format!("{partition} {file}"), "f", 1);
            let mut writer = lake.writer(&spec, &unit)?;
            let day = partition[8..].parse::<i64>().expect("a day");
            writer.write(Some(partition), &spend_rows(&spec, &[day; 1000])).await?;
            version = Some(lake.commit(version, writer.finish().await?).await?);
        }
    }
    let snapshot = lake.snapshot(&spec, version).await?;
    for (threads, order) in [(1, vec![]), (4, vec![]), (4, vec!["cost_micros"])] {
        let session = Session::new(&SessionOptions { threads, ..SessionOptions::default() })?;
        let plan = session.scan(&snapshot, &["cost_micros", "date"], &order)?;
        let parts: Vec<Vec<RecordBatch>> = session.run(&plan).try_collect().await?;
        assert_eq!(
            parts.iter().map(|p| p.iter().map(RecordBatch::num_rows).sum()).collect::<Vec<usize>>(),
            [1000, 1000, 20_000, 40_000]
        );
        for (part, day) in parts.iter().zip(1..) {
            for batch in part {
                let costs = batch.column(0).as_any().downcast_ref::<Int64Array>().expect("ints");
                assert!(costs.values().iter().all(|cost| *cost == day), "partition {day}, {threads} threads");
            }
        }
    }
    let nothing = lake.snapshot(&tables::timeline(), None).await?;
    let session = Session::new(&SessionOptions::default())?;
    let none: Vec<Vec<RecordBatch>> = session.run(&session.scan(&nothing, &["person_id"], &[])?).try_collect().await?;
    assert!(none.is_empty());
    assert!(session.scan(&snapshot, &["nowhere"], &[]).is_err());
    Ok(())
}

#[tokio::test]
async fn rows_of_another_shape_are_refused() -> Result<(), LakeError> {
    let dir = tempfile::tempdir().expect("a folder");
    let lake = Lake::open_local(dir.path())?;
    let mut writer = lake.writer(&tables::persons(), &unit("all", "f", 1))?;
    let batch = RecordBatch::try_from_iter([("token", Arc::new(BinaryArray::from_vec(vec![b"x"])) as ArrayRef)])?;
    assert!(matches!(writer.write(None, &batch).await, Err(LakeError::Schema { .. })));
    Ok(())
}

#[tokio::test]
async fn a_table_may_gain_columns() -> Result<(), LakeError> {
    use arrow::datatypes::{DataType, Field};
    let dir = tempfile::tempdir().expect("a folder");
    let lake = Lake::open_local(dir.path())?;
    let spec = |names: &[&str]| {
        let fields = names.iter().map(|n| Field::new(*n, DataType::Int64, true)).collect();
        TableSpec::new("wide", 1, fields, None, "test")
    };
    let rows = |spec: &TableSpec| {
        let columns = spec.file_schema.fields().iter().map(|_| Arc::new(Int64Array::from(vec![1])) as ArrayRef);
        RecordBatch::try_new(Arc::clone(&spec.file_schema), columns.collect()).expect("rows fit")
    };
    let narrow = spec(&["a"]);
    let mut writer = lake.writer(&narrow, &unit("x", "f", 1))?;
    writer.write(None, &rows(&narrow)).await?;
    let first = lake.commit(None, writer.finish().await?).await?;
    let wide = spec(&["a", "b"]);
    let mut writer = lake.writer(&wide, &unit("y", "f", 2))?;
    writer.write(None, &rows(&wide)).await?;
    let second = lake.commit(Some(first), writer.finish().await?).await?;
    let session = Session::new(&SessionOptions::default())?;
    session.register("wide", lake.snapshot(&wide, Some(second)).await?)?;
    let counted = session.query("SELECT count(a) AS a, count(b) AS b FROM wide").await?;
    let text = arrow::util::pretty::pretty_format_batches(&counted)?.to_string();
    assert!(text.contains("| 2 | 1 |"), "{text}");
    Ok(())
}

#[test]
fn table_names_are_unique() {
    let mut names: Vec<String> = tables::all().into_iter().map(|t| t.name).collect();
    names.sort();
    let before = names.len();
    names.dedup();
    assert_eq!(names.len(), before);
}
