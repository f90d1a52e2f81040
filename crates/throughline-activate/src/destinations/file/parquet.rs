//! Parquet, Snappy-compressed because every reader knows it; every column may hold nulls.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use throughline_core::expr::Value;

use crate::destination::{Batch, ColumnType};

const BATCH_ROWS: usize = 8192;

pub(super) fn encode(batch: &Batch, out: &mut (dyn Write + Send)) -> Result<(), ParquetError> {
    let columns = &batch.head.schema;
    let fields: Vec<Field> = columns.iter().map(|c| Field::new(&c.name, data_type(c.kind), true)).collect();
    let schema = Arc::new(Schema::new(fields));
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by("throughline".to_owned())
        .build();
    let mut writer = ArrowWriter::try_new(out, Arc::clone(&schema), Some(properties))?;
    for rows in batch.rows.chunks(BATCH_ROWS) {
        let arrays = columns.iter().enumerate().map(|(index, c)| array(c.kind, rows, index)).collect();
        writer.write(&RecordBatch::try_new(Arc::clone(&schema), arrays)?)?;
    }
    writer.close()?;
    Ok(())
}

fn data_type(kind: ColumnType) -> DataType {
    match kind {
        ColumnType::Bool => DataType::Boolean,
        ColumnType::Int => DataType::Int64,
        ColumnType::Float => DataType::Float64,
        ColumnType::Text => DataType::Utf8,
        ColumnType::Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
    }
}

fn array(kind: ColumnType, rows: &[Vec<Value>], index: usize) -> ArrayRef {
    let cells = rows.iter().map(|row| row.get(index).unwrap_or(&Value::Null));
    let int = |value: &Value| if let Value::Int(number) = value { Some(*number) } else { None };
    match kind {
        ColumnType::Bool => Arc::new(cells.map(Value::as_bool).collect::<BooleanArray>()),
        ColumnType::Int => Arc::new(cells.map(int).collect::<Int64Array>()),
        ColumnType::Float => Arc::new(cells.map(Value::as_f64).collect::<Float64Array>()),
        ColumnType::Text => Arc::new(cells.map(Value::as_str).collect::<StringArray>()),
        ColumnType::Time => {
            let times = cells.map(|value| value.as_time().map(throughline_core::Timestamp::micros));
            Arc::new(times.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
        }
    }
}
