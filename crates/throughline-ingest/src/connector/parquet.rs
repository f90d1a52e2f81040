//! Parquet files.

use std::fs::File;

use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use arrow::array::{RecordBatch, new_null_array};
use arrow::datatypes::DataType;
use throughline_core::expr::Type;

use super::{
    BATCH_ROWS, BadOption, Columns, Connector, EmptyFile, Options, RawBatch, RawColumn, RawRows, RowReader, text,
};
use crate::error::IngestError;
use crate::location::SourceFile;

/// Parquet.
#[derive(Debug)]
pub(super) struct Parquet;

impl Connector for Parquet {
    fn name(&self) -> &'static str {
        "parquet"
    }

    fn summary(&self) -> &'static str {
        "Parquet with top-level text, number, boolean, date and timestamp columns"
    }

    fn options(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    fn empty_file(&self) -> EmptyFile {
        EmptyFile::Refused
    }

    fn ragged(&self) -> bool {
        false
    }

    fn check(&self, _: &Options) -> Result<(), BadOption> {
        Ok(())
    }

    fn columns(&self, file: &SourceFile, _: &Options) -> Result<Columns, IngestError> {
        let builder = open(file)?;
        let mut found = Columns::default();
        for field in builder.schema().fields() {
            match type_of(field.data_type()) {
                Some(ty) => found.columns.push(RawColumn { name: field.name().clone(), ty }),
                None => found.warnings.push(format!(
                    "column `{}` of `{}` has type {}, which mappings cannot read",
                    field.name(),
                    file.name,
                    field.data_type()
                )),
            }
        }
        Ok(found)
    }

    fn read(&self, file: &SourceFile, _: &Options, wanted: &[String]) -> Result<Box<dyn RowReader>, IngestError> {
        let builder = open(file)?;
        let schema = builder.schema();
        let readable = |i: &usize| type_of(schema.field(*i).data_type()).is_some();
        let roots: Vec<usize> = wanted.iter().filter_map(|name| schema.index_of(name).ok()).filter(readable).collect();
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
        let reader = builder
            .with_projection(mask)
            .with_batch_size(BATCH_ROWS)
            .build()
            .map_err(|e| not_parquet(&file.name, &e))?;
        Ok(Box::new(ParquetReader { file: file.name.clone(), reader, wanted: wanted.to_vec(), rows: 0 }))
    }
}

fn open(file: &SourceFile) -> Result<ParquetRecordBatchReaderBuilder<File>, IngestError> {
    let handle = text::open_listed(file)?;
    ParquetRecordBatchReaderBuilder::try_new(handle).map_err(|e| not_parquet(&file.name, &e))
}

fn not_parquet(file: &str, error: &dyn std::fmt::Display) -> IngestError {
    IngestError::Format { file: file.to_owned(), format: "parquet", reason: error.to_string() }
}

/// The type of the language that holds the values of an arrow type; `None` for nested and exotic ones.
fn type_of(data_type: &DataType) -> Option<Type> {
    match data_type {
        // Some writers leave the mark for text out, so bytes are text until one is not UTF-8.
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => Some(Type::Text),
        text if text.is_string() => Some(Type::Text),
        DataType::Boolean => Some(Type::Bool),
        DataType::Float16 | DataType::Float32 | DataType::Float64 => Some(Type::Float),
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..) => {
            Some(Type::Float)
        }
        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => Some(Type::Time),
        DataType::Dictionary(_, values) => type_of(values),
        other if other.is_integer() => Some(Type::Int),
        _ => None,
    }
}

struct ParquetReader {
    file: String,
    reader: ParquetRecordBatchReader,
    wanted: Vec<String>,
    rows: u64,
}

impl RowReader for ParquetReader {
    fn next_batch(&mut self) -> Result<Option<RawBatch>, IngestError> {
        let batch: RecordBatch = match self.reader.next() {
            None => return Ok(None),
            Some(batch) => batch.map_err(|e| not_parquet(&self.file, &e))?,
        };
        let first = i64::try_from(self.rows).unwrap_or(i64::MAX);
        let count = batch.num_rows();
        self.rows += count as u64;
        let numbers: Vec<i64> = (first + 1..).take(count).collect();
        let columns = self
            .wanted
            .iter()
            .map(|name| match batch.column_by_name(name) {
                Some(column) => column.clone(),
                None => new_null_array(&DataType::Null, count),
            })
            .collect();
        Ok(Some(RawBatch {
            lines: numbers.clone(),
            numbers,
            columns,
            raw: RawRows::Columns(batch),
            refused: Vec::new(),
            unfit: Vec::new(),
        }))
    }

    fn rows_read(&self) -> u64 {
        self.rows
    }
}
