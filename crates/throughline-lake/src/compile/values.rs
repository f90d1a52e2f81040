//! Between values of the language and arrays of the engine.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, StringBuilder, TimestampMicrosecondArray, new_null_array,
};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use datafusion::common::ScalarValue;
use throughline_core::Timestamp;
use throughline_core::expr::{Type, Value};

use crate::columns::times;
use crate::rows::Cells;
use crate::tables::timestamp;

/// How the engine holds values of a type.
pub(super) fn arrow_type(ty: Type) -> DataType {
    match ty {
        Type::Bool => DataType::Boolean,
        Type::Int => DataType::Int64,
        Type::Float => DataType::Float64,
        Type::Text => DataType::Utf8,
        Type::Time => timestamp(),
    }
}

const fn int(value: &Value) -> Option<i64> {
    if let Value::Int(i) = value { Some(*i) } else { None }
}

const fn float(value: &Value) -> Option<f64> {
    if let Value::Float(x) = value { Some(*x) } else { None }
}

fn micros(value: &Value) -> Option<i64> {
    value.as_time().map(Timestamp::micros)
}

/// A value as a constant of type `ty`.
pub(super) fn scalar(value: &Value, ty: Type) -> ScalarValue {
    match ty {
        Type::Bool => ScalarValue::Boolean(value.as_bool()),
        Type::Int => ScalarValue::Int64(int(value)),
        Type::Float => ScalarValue::Float64(float(value)),
        Type::Text => ScalarValue::Utf8(value.as_str().map(str::to_owned)),
        Type::Time => ScalarValue::TimestampMicrosecond(micros(value), Some("UTC".into())),
    }
}

/// Values of type `ty` as an array.
pub(super) fn collect(ty: Type, values: impl Iterator<Item = Value>) -> Result<ArrayRef, ArrowError> {
    Ok(match ty {
        Type::Bool => Arc::new(values.map(|v| v.as_bool()).collect::<BooleanArray>()),
        Type::Int => Arc::new(values.map(|v| int(&v)).collect::<Int64Array>()),
        Type::Float => Arc::new(values.map(|v| float(&v)).collect::<Float64Array>()),
        Type::Text => texts(values)?,
        Type::Time => times(values.map(|v| micros(&v))),
    })
}

fn texts(values: impl Iterator<Item = Value>) -> Result<ArrayRef, ArrowError> {
    let mut out = StringBuilder::new();
    for value in values {
        let text = value.as_str();
        // The builder panics where the offsets end.
        let length = out.values_slice().len() + text.map_or(0, str::len);
        if i32::try_from(length).is_err() {
            return Err(ArrowError::OffsetOverflowError(length));
        }
        out.append_option(text);
    }
    Ok(Arc::new(out.finish()))
}

/// A column as legal values of type `ty`, the rule being [`Value::conform`]. Nothing is copied when all values are legal.
pub(super) fn conformed(cells: Cells<'_>, ty: Type, rows: usize) -> Result<ArrayRef, ArrowError> {
    Ok(match (cells, ty) {
        (Cells::Bool(a), Type::Bool) => Arc::new(a.clone()),
        (Cells::Int(a), Type::Int) => Arc::new(a.clone()),
        (Cells::Text(a), Type::Text) => Arc::new(a.clone()),
        (Cells::Float(a), Type::Float) if all_legal_floats(a) => Arc::new(a.clone()),
        (Cells::Time(a), Type::Time) if all_legal_times(a) => Arc::new(a.clone().with_timezone("UTC")),
        (Cells::Absent, ty) => new_null_array(&arrow_type(ty), rows),
        (cells, ty) => collect(ty, (0..rows).map(|row| cells.value(row).conform(ty)))?,
    })
}

fn all_legal_floats(array: &Float64Array) -> bool {
    array.iter().flatten().all(|x| x.is_finite() && (x != 0.0 || x.is_sign_positive()))
}

fn all_legal_times(array: &TimestampMicrosecondArray) -> bool {
    // The instants are one interval of microseconds.
    let bounds = array.iter().flatten().fold(None, |bounds, t| {
        let (low, high) = bounds.unwrap_or((t, t));
        Some((t.min(low), t.max(high)))
    });
    bounds.is_none_or(|(low, high)| !Value::time_micros(low).is_null() && !Value::time_micros(high).is_null())
}
