//! Typed access to the columns of a batch, by name, with an error instead of a panic; and building columns back.

use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Float64Array, Int32Array, Int64Array, ListArray, RecordBatch,
    StringArray, StructArray, TimestampMicrosecondArray,
};
use std::sync::Arc;

use crate::error::LakeError;

fn typed<'a, T: Array + 'static>(batch: &'a RecordBatch, name: &str, kind: &str) -> Result<&'a T, LakeError> {
    let column = batch
        .column_by_name(name)
        .ok_or_else(|| LakeError::Schema { table: "?".into(), reason: format!("no column `{name}`") })?;
    column.as_any().downcast_ref::<T>().ok_or_else(|| LakeError::Schema {
        table: "?".into(),
        reason: format!("column `{name}` is {}, expected {kind}", column.data_type()),
    })
}

/// A text column.
pub fn text<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a StringArray, LakeError> {
    typed(batch, name, "text")
}

/// An array as text.
pub fn as_text(array: &ArrayRef) -> Result<&StringArray, LakeError> {
    array.as_any().downcast_ref().ok_or_else(|| LakeError::Schema {
        table: "?".into(),
        reason: format!("{} where text was expected", array.data_type()),
    })
}

/// A 64-bit integer column.
pub fn int<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a Int64Array, LakeError> {
    typed(batch, name, "a 64-bit integer")
}

/// A 32-bit integer column.
pub fn int32<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a Int32Array, LakeError> {
    typed(batch, name, "a 32-bit integer")
}

/// A float column.
pub fn float<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a Float64Array, LakeError> {
    typed(batch, name, "a float")
}

/// A boolean column.
pub fn boolean<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a BooleanArray, LakeError> {
    typed(batch, name, "a boolean")
}

/// A time column (microseconds, UTC).
pub fn time<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a TimestampMicrosecondArray, LakeError> {
    typed(batch, name, "a timestamp")
}

/// A binary column (tokens, person ids).
pub fn binary<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a BinaryArray, LakeError> {
    typed(batch, name, "binary")
}

/// A list column.
pub fn list<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ListArray, LakeError> {
    typed(batch, name, "a list")
}

/// A struct column.
pub fn structure<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a StructArray, LakeError> {
    typed(batch, name, "a struct")
}

/// Sixteen bytes of a binary value.
pub fn id16(bytes: &[u8]) -> Result<[u8; 16], LakeError> {
    bytes.try_into().map_err(|_| LakeError::Schema {
        table: "?".into(),
        reason: format!("an id of {} bytes, expected 16", bytes.len()),
    })
}

/// The text at a row, or `None`.
pub fn text_at(column: &StringArray, row: usize) -> Option<&str> {
    (!column.is_null(row)).then(|| column.value(row))
}

/// The integer at a row, or `None`.
pub fn int_at(column: &Int64Array, row: usize) -> Option<i64> {
    (!column.is_null(row)).then(|| column.value(row))
}

/// The float at a row, or `None`.
pub fn float_at(column: &Float64Array, row: usize) -> Option<f64> {
    (!column.is_null(row)).then(|| column.value(row))
}

/// A UTC time column from microseconds.
pub fn times(micros: impl IntoIterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(micros.into_iter().collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
}

/// Splits rows that are sorted by an integer column into runs of equal value, as (value, rows).
pub fn runs(batch: &RecordBatch, name: &str) -> Result<Vec<(i32, RecordBatch)>, LakeError> {
    let column = int32(batch, name)?;
    let mut out = Vec::new();
    let mut start = 0;
    for row in 1..=column.len() {
        if row == column.len() || column.value(row) != column.value(start) {
            out.push((column.value(start), batch.slice(start, row - start)));
            start = row;
        }
    }
    Ok(out)
}

/// The floats of one row of a list column; an absent list is empty.
pub fn floats_at(lists: &ListArray, row: usize) -> Result<Vec<Option<f64>>, LakeError> {
    if lists.is_null(row) {
        return Ok(Vec::new());
    }
    let values = lists.value(row);
    let floats = values.as_any().downcast_ref::<Float64Array>().ok_or_else(|| LakeError::Schema {
        table: "?".into(),
        reason: format!("a list of {}, expected floats", values.data_type()),
    })?;
    Ok(floats.iter().collect())
}
