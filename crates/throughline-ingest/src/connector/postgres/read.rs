//! Reading the rows of a unit: a cursor of the server, in one read-only snapshot, a bounded batch at a time.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use arrow::array::{
    ArrayRef, BooleanBuilder, Float64Builder, Int64Builder, RecordBatch, StringBuilder, TimestampMicrosecondBuilder,
    new_null_array,
};
use arrow::datatypes::{DataType, Field, Schema};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Connection as _, Row as _};

use super::super::{BATCH_BYTES, BATCH_ROWS, RawBatch, RawRows, RefusedRow, RowReader};
use super::plan::{DatabaseUnit, Kind, TableColumn};
use super::probe::{connect, refused};
use crate::diagnostics::RowFault;
use crate::error::IngestError;

/// Rows of the first batch; the next ones are as long as their rows are short.
const FIRST_ROWS: usize = 256;

/// Starts to read the wanted columns of a unit. Columns that it lacks are NULL.
pub(super) fn start(file: &str, unit: Arc<DatabaseUnit>, wanted: &[String]) -> Result<Box<dyn RowReader>, IngestError> {
    let places: Vec<Option<usize>> =
        wanted.iter().map(|name| unit.table.columns.iter().position(|c| c.name == *name)).collect();
    let (sender, batches) = sync_channel(1);
    let name = file.to_owned();
    let work = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let outcome = runtime
            .map_err(IngestError::io(name.clone()))
            .and_then(|runtime| runtime.block_on(send_batches(&name, &unit, &places, &sender)));
        if let Err(error) = outcome {
            // Nobody may be listening any more.
            sender.send(Err(error)).ok();
        }
    };
    std::thread::Builder::new()
        .name("postgres source".to_owned())
        .spawn(work)
        .map_err(IngestError::io(file.to_owned()))?;
    Ok(Box::new(PostgresReader { batches, rows: 0 }))
}

struct PostgresReader {
    batches: Receiver<Result<RawBatch, IngestError>>,
    rows: u64,
}

impl RowReader for PostgresReader {
    fn next_batch(&mut self) -> Result<Option<RawBatch>, IngestError> {
        // The thread ends, and with it the channel, when all was sent.
        let Ok(batch) = self.batches.recv() else { return Ok(None) };
        let batch = batch?;
        self.rows += (batch.numbers.len() + batch.refused.len()) as u64;
        Ok(Some(batch))
    }

    fn rows_read(&self) -> u64 {
        self.rows
    }
}

/// Reads until the end, or until nobody listens.
async fn send_batches(
    file: &str,
    unit: &DatabaseUnit,
    places: &[Option<usize>],
    sender: &SyncSender<Result<RawBatch, IngestError>>,
) -> Result<(), IngestError> {
    let present: Vec<&TableColumn> = places.iter().flatten().map(|place| &unit.table.columns[*place]).collect();
    let mut connection = connect(file, &unit.table.address).await?;
    let said = |error: sqlx::Error| refused(file, &error);
    let mut tx = connection.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await.map_err(said)?;
    let cursor = AssertSqlSafe(format!("DECLARE unit_rows NO SCROLL CURSOR FOR {}", unit.select(&present)));
    sqlx::query(cursor).execute(&mut *tx).await.map_err(said)?;
    let (mut read, mut limit) = (0, FIRST_ROWS);
    loop {
        let rows = fetch(&mut tx, file, limit).await?;
        if rows.is_empty() {
            break;
        }
        let mut batch = Builder::new(&present);
        for row in &rows {
            read += 1;
            batch.push(read, row).map_err(said)?;
        }
        limit = (BATCH_BYTES * rows.len() / batch.bytes.max(1)).clamp(1, BATCH_ROWS);
        if sender.send(batch.finish(places)).is_err() {
            return Ok(());
        }
    }
    tx.commit().await.map_err(said)?;
    connection.close().await.map_err(said)
}

async fn fetch(connection: &mut PgConnection, file: &str, rows: usize) -> Result<Vec<PgRow>, IngestError> {
    let sql = AssertSqlSafe(format!("FETCH {rows} FROM unit_rows"));
    // A statement of its own each time: kept ones would pile up, one a size.
    sqlx::query(sql).persistent(false).fetch_all(connection).await.map_err(|e| refused(file, &e))
}

/// A column under construction.
enum Values {
    Text(StringBuilder),
    Int(Int64Builder),
    Float(Float64Builder),
    Bool(BooleanBuilder),
    Time(TimestampMicrosecondBuilder),
}

impl Values {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Text | Kind::Json => Self::Text(StringBuilder::new()),
            Kind::Int => Self::Int(Int64Builder::new()),
            Kind::Float | Kind::Numeric => Self::Float(Float64Builder::new()),
            Kind::Bool => Self::Bool(BooleanBuilder::new()),
            Kind::Time => Self::Time(TimestampMicrosecondBuilder::new()),
        }
    }

    /// Appends the value of a row and tells its size in bytes.
    fn push(&mut self, row: &PgRow, place: usize) -> Result<usize, sqlx::Error> {
        match self {
            Self::Text(builder) => {
                let text: Option<&str> = row.try_get(place)?;
                builder.append_option(text);
                return Ok(text.map_or(0, str::len));
            }
            Self::Int(builder) => builder.append_option(row.try_get::<Option<i64>, _>(place)?),
            Self::Float(builder) => builder.append_option(row.try_get::<Option<f64>, _>(place)?),
            Self::Bool(builder) => builder.append_option(row.try_get::<Option<bool>, _>(place)?),
            Self::Time(builder) => builder.append_option(row.try_get::<Option<i64>, _>(place)?),
        }
        Ok(size_of::<i64>())
    }

    fn finish(self) -> ArrayRef {
        match self {
            Self::Text(mut builder) => Arc::new(builder.finish()),
            Self::Int(mut builder) => Arc::new(builder.finish()),
            Self::Float(mut builder) => Arc::new(builder.finish()),
            Self::Bool(mut builder) => Arc::new(builder.finish()),
            Self::Time(mut builder) => Arc::new(builder.finish()),
        }
    }
}

/// A batch under construction.
struct Builder<'t> {
    columns: &'t [&'t TableColumn],
    values: Vec<Values>,
    numbers: Vec<i64>,
    refused: Vec<RefusedRow>,
    bytes: usize,
}

impl<'t> Builder<'t> {
    fn new(columns: &'t [&'t TableColumn]) -> Self {
        let values = columns.iter().map(|c| Values::new(c.kind)).collect();
        Self { columns, values, numbers: Vec::new(), refused: Vec::new(), bytes: 0 }
    }

    fn push(&mut self, line: i64, row: &PgRow) -> Result<(), sqlx::Error> {
        let after = self.columns.len();
        let long: Option<&str> = row.try_get(after)?;
        let untimely: Option<&str> = row.try_get(after + 1)?;
        let fault = match (long, untimely) {
            (Some(names), _) => Some((RowFault::Oversized, format!("more than 1 MB in column {names}"))),
            (None, Some(names)) => {
                Some((RowFault::TimeOutOfRange, format!("a time outside the years 1000 to 9999 in column {names}")))
            }
            (None, None) => None,
        };
        if let Some((fault, reason)) = fault {
            let raw: Option<String> = row.try_get(after + 2)?;
            let raw = raw.unwrap_or_default();
            self.bytes += raw.len();
            self.refused.push(RefusedRow { line, fault, reason, raw });
            return Ok(());
        }
        for (place, values) in self.values.iter_mut().enumerate() {
            self.bytes += values.push(row, place)?;
        }
        self.numbers.push(line);
        Ok(())
    }

    /// The batch, with a column for each place: one of ours in turn, or one that is NULL.
    fn finish(self, places: &[Option<usize>]) -> Result<RawBatch, IngestError> {
        let rows = self.numbers.len();
        let arrays: Vec<ArrayRef> = self.values.into_iter().map(Values::finish).collect();
        let fields: Vec<Field> = self
            .columns
            .iter()
            .zip(&arrays)
            .map(|(column, array)| Field::new(&column.name, array.data_type().clone(), true))
            .collect();
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows));
        let raw = RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays.clone(), &options)?;
        let mut ours = arrays.into_iter();
        let columns = places
            .iter()
            .map(|place| place.and_then(|_| ours.next()).unwrap_or_else(|| new_null_array(&DataType::Null, rows)))
            .collect();
        Ok(RawBatch {
            lines: self.numbers.clone(),
            numbers: self.numbers,
            columns,
            raw: RawRows::Columns(raw),
            refused: self.refused,
            unfit: Vec::new(),
        })
    }
}
