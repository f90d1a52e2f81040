//! Columns of a file → columns in the types of the language. A value that does not fit refuses its row: it must not
//! turn into NULL unseen.

use arrow::array::{
    Array as _, ArrayRef, AsArray as _, BooleanArray, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use throughline_core::expr::Type;
use throughline_core::{TimeError, Timestamp};

use crate::cell::Column;
use crate::diagnostics::{BadRow, RowFault, shape};
use crate::error::IngestError;

/// The column `array` as type `to`, and the rows whose value does not fit.
pub(crate) fn retype(array: &ArrayRef, to: Type, name: &str) -> Result<(Column, Vec<(usize, BadRow)>), IngestError> {
    let mut bad = Vec::new();
    let column = match (array.data_type(), to) {
        (DataType::Utf8, Type::Text) => Column::Text(array.as_string::<i32>().clone()),
        (DataType::Utf8, _) => from_text(array.as_string::<i32>(), to, name, &mut bad),
        _ => {
            let native = cast(array, &arrow_type(to))?;
            for row in (0..array.len()).filter(|row| array.is_valid(*row) && native.is_null(*row)) {
                bad.push((row, misfit(array, to, name)));
            }
            downcast(&native, to)
        }
    };
    if let Column::Float(values) = &column {
        for row in (0..values.len()).filter(|row| values.is_valid(*row) && !values.value(*row).is_finite()) {
            bad.push((
                row,
                BadRow::new(RowFault::Amount, format!("column `{name}` holds a number that is not finite")),
            ));
        }
    }
    Ok((column, bad))
}

fn misfit(array: &ArrayRef, to: Type, name: &str) -> BadRow {
    if matches!(array.data_type(), DataType::Binary | DataType::LargeBinary | DataType::BinaryView) {
        return BadRow::new(RowFault::Encoding, format!("column `{name}` is not UTF-8"));
    }
    BadRow::new(RowFault::Typed, format!("column `{name}` holds a value that does not fit type {to}"))
}

fn arrow_type(ty: Type) -> DataType {
    match ty {
        Type::Bool => DataType::Boolean,
        Type::Int => DataType::Int64,
        Type::Float => DataType::Float64,
        Type::Text => DataType::Utf8,
        Type::Time => DataType::Timestamp(TimeUnit::Microsecond, None),
    }
}

fn downcast(array: &ArrayRef, ty: Type) -> Column {
    match ty {
        Type::Bool => Column::Bool(array.as_boolean().clone()),
        Type::Int => Column::Int(array.as_primitive::<Int64Type>().clone()),
        Type::Float => Column::Float(array.as_primitive::<Float64Type>().clone()),
        Type::Text => Column::Text(array.as_string::<i32>().clone()),
        Type::Time => Column::Time(array.as_primitive::<TimestampMicrosecondType>().clone()),
    }
}

fn from_text(array: &StringArray, to: Type, name: &str, bad: &mut Vec<(usize, BadRow)>) -> Column {
    let mut refuse = |row: usize, text: &str| {
        let reason = format!("column `{name}` holds text of the form `{}`, which is not of type {to}", shape(text));
        bad.push((row, BadRow::new(RowFault::Typed, reason)));
    };
    match to {
        Type::Text => Column::Text(array.clone()),
        Type::Bool => Column::Bool(BooleanArray::from(parse(array, bool_of, &mut refuse))),
        Type::Int => Column::Int(Int64Array::from(parse(array, |t| t.parse().ok(), &mut refuse))),
        Type::Float => Column::Float(Float64Array::from(parse(array, number_of, &mut refuse))),
        Type::Time => {
            let mut refuse_time =
                |row: usize, error: &TimeError| bad.push((row, bad_time(&format!("column `{name}`"), error)));
            let times = parse_times(array, &mut refuse_time);
            Column::Time(TimestampMicrosecondArray::from(times))
        }
    }
}

fn parse<T>(
    array: &StringArray,
    read: impl Fn(&str) -> Option<T>,
    refuse: &mut impl FnMut(usize, &str),
) -> Vec<Option<T>> {
    let values = array.iter().enumerate().map(|(row, text)| {
        let text = text.map(str::trim).filter(|t| !t.is_empty())?;
        let value = read(text);
        if value.is_none() {
            refuse(row, text);
        }
        value
    });
    values.collect()
}

fn parse_times(array: &StringArray, refuse: &mut impl FnMut(usize, &TimeError)) -> Vec<Option<i64>> {
    let values = array.iter().enumerate().map(|(row, text)| {
        let text = text.map(str::trim).filter(|t| !t.is_empty())?;
        match text.parse::<Timestamp>() {
            Ok(t) => Some(t.micros()),
            Err(error) => {
                refuse(row, &error);
                None
            }
        }
    });
    values.collect()
}

/// Why a text or number is no accepted time, without quoting it.
pub(crate) fn bad_time(what: &str, error: &TimeError) -> BadRow {
    match error {
        TimeError::OutOfRange { .. } => {
            BadRow::new(RowFault::TimeOutOfRange, format!("{what} lies outside the years 1990 to 2100"))
        }
        TimeError::Unparsable { text } => BadRow::new(
            RowFault::TimeInvalid,
            format!(
                "{what} has the form `{}`, not for example 2026-03-01T12:00:00Z or 2026-03-01 12:00:00",
                shape(text)
            ),
        ),
        _ => BadRow::new(RowFault::TimeInvalid, format!("{what} is not a time")),
    }
}

fn bool_of(text: &str) -> Option<bool> {
    match text {
        "1" => Some(true),
        "0" => Some(false),
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// A finite decimal number; the words `inf` and `nan` are none.
pub(crate) fn number_of(text: &str) -> Option<f64> {
    let decimal = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    text.parse().ok().filter(|x: &f64| decimal && x.is_finite())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{BinaryArray, Date32Array, UInt64Array};

    use super::*;
    use crate::cell::Cell;

    #[track_caller]
    fn check(array: &ArrayRef, to: Type, expect: &[Cell<'_>], faults: &[(usize, RowFault)]) {
        let (column, bad) = retype(array, to, "x").expect("casts");
        let got: Vec<Cell<'_>> = (0..array.len()).map(|row| column.cell(row)).collect();
        assert_eq!(got, expect);
        assert_eq!(bad.iter().map(|(row, b)| (*row, b.fault)).collect::<Vec<_>>(), faults);
    }

    fn text(values: &[Option<&str>]) -> ArrayRef {
        Arc::new(StringArray::from(values.to_vec()))
    }

    #[test]
    fn text_by_declared_type() {
        let dirty = [Some(" 1 "), None, Some(""), Some("ab")];
        let typed = [(3, RowFault::Typed)];
        check(&text(&dirty), Type::Int, &[Cell::Int(1), Cell::Null, Cell::Null, Cell::Null], &typed);
        check(&text(&dirty), Type::Float, &[Cell::Float(1.0), Cell::Null, Cell::Null, Cell::Null], &typed);
        check(&text(&dirty), Type::Bool, &[Cell::Bool(true), Cell::Null, Cell::Null, Cell::Null], &typed);
        let inf = text(&[Some("inf"), Some("1e999")]);
        check(&inf, Type::Float, &[Cell::Null, Cell::Null], &[(0, RowFault::Typed), (1, RowFault::Typed)]);
        let times = text(&[Some("2026-01-01"), Some("1970-01-01"), Some("soon")]);
        let micros = "2026-01-01".parse::<Timestamp>().expect("a date").micros();
        let faults = [(1, RowFault::TimeOutOfRange), (2, RowFault::TimeInvalid)];
        check(&times, Type::Time, &[Cell::Time(micros), Cell::Null, Cell::Null], &faults);
    }

    #[test]
    fn native_types() {
        let big: ArrayRef = Arc::new(UInt64Array::from(vec![7, u64::MAX]));
        check(&big, Type::Int, &[Cell::Int(7), Cell::Null], &[(1, RowFault::Typed)]);
        let dates: ArrayRef = Arc::new(Date32Array::from(vec![Some(1), None]));
        check(&dates, Type::Time, &[Cell::Time(86_400_000_000), Cell::Null], &[]);
        let bytes: ArrayRef = Arc::new(BinaryArray::from_vec(vec![b"ok", b"\xff"]));
        check(&bytes, Type::Text, &[Cell::Text("ok"), Cell::Null], &[(1, RowFault::Encoding)]);
        let floats: ArrayRef = Arc::new(Float64Array::from(vec![1.5, f64::INFINITY]));
        check(&floats, Type::Float, &[Cell::Float(1.5), Cell::Float(f64::INFINITY)], &[(1, RowFault::Amount)]);
    }
}
