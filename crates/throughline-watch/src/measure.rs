//! Counting, with the query engine. Every answer is an integer or a text.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Int64Type};
use throughline_core::Timestamp;
use throughline_core::time::DAY_US;
use throughline_lake::{Session, Snapshot};

use crate::error::WatchError;
use crate::metric::{Metric, Observation};
use crate::watched::{TimeColumn, Watched};

const HOUR_US: f64 = 3_600_000_000.0;

/// Figures of one table, in a fixed order: the table's own, its columns, its sources.
pub(crate) async fn table(
    session: &Session,
    name: &str,
    watched: &Watched,
    as_of: Timestamp,
) -> Result<Vec<Observation>, WatchError> {
    let mut columns = vec!["count(*)".to_owned(), last_day(watched.time, as_of), newest(watched.time, as_of)];
    columns.extend(watched.keys.iter().map(|key| format!("count({})", quoted(key))));
    let sql = format!("SELECT {} FROM {}", columns.join(", "), quoted(name));
    let answer = session.query(&sql).await?;
    let Some(batch) = answer.iter().find(|b| b.num_rows() == 1) else { return Ok(Vec::new()) };
    let rows = count(batch, 0, 0)?;
    let mut found = vec![observation(Metric::Rows, name.to_owned(), rows)];
    if matches!(watched.time, Some(TimeColumn::Instant(_))) {
        found.push(observation(Metric::RowsLastDay, name.to_owned(), count(batch, 1, 0)?));
    }
    if watched.time.is_some() {
        let value = instant(batch, 2)?.map(|newest| (as_of.micros() - newest) as f64 / HOUR_US);
        found.push(Observation { metric: Metric::AgeHours, scope: name.to_owned(), value, n: rows });
    }
    for (index, key) in watched.keys.iter().enumerate() {
        let nulls = rows.saturating_sub(count(batch, 3 + index, 0)?);
        found.push(share(Metric::NullShare, format!("{name}.{key}"), nulls, rows));
    }
    if watched.by_source {
        found.extend(sources(session, name, watched, as_of).await?);
    }
    Ok(found)
}

async fn sources(
    session: &Session,
    name: &str,
    watched: &Watched,
    as_of: Timestamp,
) -> Result<Vec<Observation>, WatchError> {
    let recent = last_day(watched.time, as_of);
    let sql = format!("SELECT source, count(*), {recent} FROM {} GROUP BY source ORDER BY source", quoted(name));
    let mut found = Vec::new();
    for batch in session.query(&sql).await? {
        for row in 0..batch.num_rows() {
            let scope = source_scope(name, &text(&batch, 0, row)?);
            found.push(observation(Metric::Rows, scope.clone(), count(&batch, 1, row)?));
            if matches!(watched.time, Some(TimeColumn::Instant(_))) {
                found.push(observation(Metric::RowsLastDay, scope, count(&batch, 2, row)?));
            }
        }
    }
    Ok(found)
}

/// Share of refused rows by source: quarantine ÷ (quarantine + events + spend), over the tables that are given.
pub(crate) async fn quarantine(session: &Session, snapshots: &[Snapshot]) -> Result<Vec<Observation>, WatchError> {
    let given: BTreeSet<&str> = snapshots.iter().map(|s| s.spec().name.as_str()).collect();
    if !given.contains("quarantine") {
        return Ok(Vec::new());
    }
    let mut refused_and_all: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for table in ["quarantine", "events", "spend"].into_iter().filter(|t| given.contains(t)) {
        let sql = format!("SELECT source, count(*) FROM {} GROUP BY source ORDER BY source", quoted(table));
        for batch in session.query(&sql).await? {
            for row in 0..batch.num_rows() {
                let rows = count(&batch, 1, row)?;
                let entry = refused_and_all.entry(text(&batch, 0, row)?).or_default();
                entry.0 += if table == "quarantine" { rows } else { 0 };
                entry.1 += rows;
            }
        }
    }
    let figure = |(source, (refused, all)): (String, _)| {
        share(Metric::QuarantineShare, source_scope("quarantine", &source), refused, all)
    };
    Ok(refused_and_all.into_iter().map(figure).collect())
}

fn source_scope(table: &str, source: &str) -> String {
    format!("{table}/source={source}")
}

fn observation(metric: Metric, scope: String, rows: u64) -> Observation {
    Observation { metric, scope, value: Some(rows as f64), n: rows }
}

fn share(metric: Metric, scope: String, part: u64, whole: u64) -> Observation {
    let value = (whole > 0).then(|| part as f64 / whole as f64);
    Observation { metric, scope, value, n: whole }
}

/// A name as SQL text. Names come from our own schemas and from configuration.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// SQL of the number of rows in the 24 hours before `as_of`, 0 for tables without an instant.
fn last_day(time: Option<TimeColumn>, as_of: Timestamp) -> String {
    let Some(TimeColumn::Instant(column)) = time else { return "count(NULL)".to_owned() };
    let (micros, end) = (format!("CAST({} AS BIGINT)", quoted(column)), as_of.micros());
    format!("count(CASE WHEN {micros} > {} AND {micros} <= {end} THEN 1 END)", end - DAY_US)
}

/// SQL of the newest time that is not after `as_of`: micros, or a date as text.
fn newest(time: Option<TimeColumn>, as_of: Timestamp) -> String {
    match time {
        None => "CAST(NULL AS BIGINT)".to_owned(),
        Some(TimeColumn::Instant(column)) => {
            let micros = format!("CAST({} AS BIGINT)", quoted(column));
            format!("max(CASE WHEN {micros} <= {} THEN {micros} END)", as_of.micros())
        }
        Some(TimeColumn::Date(column)) => {
            format!("max(CASE WHEN {0} <= '{1}' THEN {0} END)", quoted(column), as_of.date())
        }
    }
}

fn wrong(batch: &RecordBatch, column: usize, expected: &'static str) -> WatchError {
    let found = batch.schema().fields().get(column).map_or_else(|| "absent".into(), |f| f.data_type().to_string());
    WatchError::Answer { column, found, expected }
}

fn count(batch: &RecordBatch, column: usize, row: usize) -> Result<u64, WatchError> {
    let array =
        batch.column(column).as_primitive_opt::<Int64Type>().ok_or_else(|| wrong(batch, column, "an integer"))?;
    Ok(u64::try_from(array.value(row)).unwrap_or(0))
}

fn text(batch: &RecordBatch, column: usize, row: usize) -> Result<String, WatchError> {
    let array = batch.column(column).as_string_opt::<i32>().ok_or_else(|| wrong(batch, column, "text"))?;
    Ok(array.value(row).to_owned())
}

/// The instant in row 0: micros, or midnight of a date; `None` for NULL and for a text that is no date.
fn instant(batch: &RecordBatch, column: usize) -> Result<Option<i64>, WatchError> {
    if batch.column(column).is_null(0) {
        return Ok(None);
    }
    if batch.column(column).data_type() == &DataType::Utf8 {
        return Ok(text(batch, column, 0)?.parse::<Timestamp>().ok().map(Timestamp::micros));
    }
    let array = batch.column(column).as_primitive_opt::<Int64Type>();
    Ok(Some(array.ok_or_else(|| wrong(batch, column, "an instant"))?.value(0)))
}
