//! Columns of a Parquet file.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use arrow::array::{Array, ArrayRef, AsArray as _};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use arrow::error::ArrowError;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use throughline_core::Diagnostic;
use throughline_core::diagnostic::closest;
use throughline_evidence::{Column, Table};

use super::table::distinct;
use crate::OneShotError;

/// The names of all columns.
pub(super) fn names(path: &Path) -> Result<Vec<String>, OneShotError> {
    let shown = path.display().to_string();
    let file = File::open(path).map_err(|source| OneShotError::Io { doing: "read", path: shown.clone(), source })?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| {
        OneShotError::finding(
            Diagnostic::error("TL057", format!("not readable as Parquet: {e}")).at(&shown, None, None),
        )
    })?;
    Ok(builder.schema().fields().iter().map(|f| f.name().clone()).collect())
}

/// Calls `each` with the named columns of every batch of rows, in the order named.
pub(crate) fn batches(
    path: &Path,
    columns: &[&str],
    mut each: impl FnMut(&[ArrayRef]) -> Result<(), ArrowError>,
) -> Result<(), OneShotError> {
    let shown = path.display().to_string();
    let refused = |e: &dyn std::error::Error| {
        OneShotError::finding(
            Diagnostic::error("TL057", format!("not readable as Parquet: {e}")).at(&shown, None, None),
        )
    };
    let (reader, _) = open(path, columns)?;
    for batch in reader {
        let batch = batch.map_err(|e| refused(&e))?;
        let arrays: Vec<ArrayRef> = columns.iter().filter_map(|name| batch.column_by_name(name).cloned()).collect();
        each(&arrays).map_err(|e| refused(&e))?;
    }
    Ok(())
}

/// A reader of the named columns, which are all there, and their types.
fn open(path: &Path, wanted: &[&str]) -> Result<(ParquetRecordBatchReader, Vec<DataType>), OneShotError> {
    let shown = path.display().to_string();
    let refused = |e: &dyn std::error::Error| {
        OneShotError::finding(
            Diagnostic::error("TL057", format!("not readable as Parquet: {e}")).at(&shown, None, None),
        )
    };
    let file = File::open(path).map_err(|source| OneShotError::Io { doing: "read", path: shown.clone(), source })?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| refused(&e))?;
    let schema = builder.schema().clone();
    let mut positions = Vec::new();
    for name in wanted {
        let Ok(position) = schema.index_of(name) else {
            let known: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
            let mut finding =
                Diagnostic::error("TL033", format!("no column `{name}` (there are: {})", known.join(", ")));
            if let Some(close) = closest(name, known) {
                finding = finding.help(format!("did you mean `{close}`?"));
            }
            return Err(OneShotError::finding(finding.at(&shown, None, None)));
        };
        positions.push(position);
    }
    let mask = ProjectionMask::roots(builder.parquet_schema(), positions.iter().copied());
    let reader = builder.with_projection(mask).with_batch_size(65_536).build().map_err(|e| refused(&e))?;
    let kinds = positions.iter().map(|p| schema.field(*p).data_type().clone()).collect();
    Ok((reader, kinds))
}

/// The named columns: numbers, truth values and instants (as microseconds or days, as the file holds them) as numbers,
/// everything else as texts. Infinite numbers count as absent.
pub(super) fn read(path: &Path, columns: &[&str]) -> Result<Table, OneShotError> {
    let wanted = distinct(columns);
    let (_, kinds) = open(path, &wanted)?;
    let mut building: Vec<Building> = kinds.iter().map(Building::of).collect();
    batches(path, &wanted, |arrays| {
        building.iter_mut().zip(arrays).try_for_each(|(column, array)| column.push(array))
    })?;
    let mut table = Table::new();
    for (name, column) in wanted.iter().zip(building) {
        table.push(*name, column.finish())?;
    }
    Ok(table)
}

enum Building {
    Numbers(Vec<f64>),
    Texts { codes: Vec<u32>, names: Vec<String>, known: HashMap<String, u32> },
}

impl Building {
    fn of(kind: &DataType) -> Self {
        let number = kind.is_numeric() || kind.is_temporal() || *kind == DataType::Boolean;
        if number {
            Self::Numbers(Vec::new())
        } else {
            Self::Texts { codes: Vec::new(), names: Vec::new(), known: HashMap::new() }
        }
    }

    fn push(&mut self, array: &ArrayRef) -> Result<(), ArrowError> {
        match self {
            Self::Numbers(values) => {
                let whole = if array.data_type().is_temporal() {
                    cast(array, &DataType::Int64).or_else(|_| cast(array, &DataType::Int32))?
                } else {
                    array.clone()
                };
                let numbers = cast(&whole, &DataType::Float64)?;
                let numbers = numbers.as_primitive::<Float64Type>();
                let finite = |v: f64| if v.is_finite() { v } else { f64::NAN };
                if numbers.null_count() == 0 {
                    values.extend(numbers.values().iter().map(|v| finite(*v)));
                } else {
                    values.extend(numbers.iter().map(|v| v.map_or(f64::NAN, finite)));
                }
            }
            Self::Texts { codes, names, known } => {
                let texts = cast(array, &DataType::Utf8)?;
                for text in texts.as_string::<i32>() {
                    let Some(text) = text else {
                        codes.push(u32::MAX);
                        continue;
                    };
                    let code = if let Some(code) = known.get(text) {
                        *code
                    } else {
                        let code = u32::try_from(names.len()).unwrap_or(u32::MAX);
                        names.push(text.to_owned());
                        known.insert(text.to_owned(), code);
                        code
                    };
                    codes.push(code);
                }
            }
        }
        Ok(())
    }

    fn finish(self) -> Column {
        match self {
            Self::Numbers(values) => Column::Numbers(values),
            Self::Texts { codes, names, .. } => Column::Texts { codes, names },
        }
    }
}
