//! Strict readings: a value is what the field needs, or NULL, or the row is refused. Reasons never quote the value.

use throughline_core::Timestamp;
use throughline_core::money::micros_from_units;

use crate::cell::{Cell, RowView, instant};
use crate::diagnostics::{BadRow, RowFault, shape};
use crate::mapping::Slot;
use crate::retype::{bad_time, number_of};

/// An amount of currency units in micros; NULL and blank text are no amount.
pub(super) fn micros(cell: &Cell<'_>, what: &str) -> Result<Option<i64>, BadRow> {
    let too_large =
        || BadRow::new(RowFault::Amount, format!("{what} is not finite or exceeds ±9,223,372,036,854 units"));
    if let Some(text) = cell.as_str() {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let units = number_of(text).ok_or_else(|| {
            BadRow::new(RowFault::Amount, format!("{what} has the form `{}`, which is no number", shape(text)))
        })?;
        return micros_from_units(units).map(Some).map_err(|_| too_large());
    }
    match cell {
        Cell::Null => Ok(None),
        // Whole units keep all their digits.
        Cell::Int(units) => units.checked_mul(1_000_000).map(Some).ok_or_else(too_large),
        Cell::Float(units) => micros_from_units(*units).map(Some).map_err(|_| too_large()),
        _ => Err(BadRow::new(RowFault::Amount, format!("{what} is no number"))),
    }
}

/// A whole number; NULL and blank text are none.
pub(super) fn whole(cell: &Cell<'_>, what: &str) -> Result<Option<i64>, BadRow> {
    if let Some(text) = cell.as_str() {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        return text.parse().map(Some).map_err(|_| {
            BadRow::new(
                RowFault::WholeNumber,
                format!("{what} has the form `{}`, which is no whole number", shape(text)),
            )
        });
    }
    match cell {
        Cell::Null => Ok(None),
        Cell::Int(number) => Ok(Some(*number)),
        _ => Err(BadRow::new(RowFault::WholeNumber, format!("{what} is no whole number"))),
    }
}

/// Refuses what is below zero.
pub(super) fn not_negative(amount: Option<i64>, what: &str) -> Result<Option<i64>, BadRow> {
    if amount.is_some_and(|a| a < 0) {
        let reason = format!("{what} is negative; money given back is an event of kind refund");
        return Err(BadRow::new(RowFault::Negative, reason));
    }
    Ok(amount)
}

/// An instant in microseconds within the accepted years; NULL is none.
pub(super) fn time(cell: &Cell<'_>, what: &str) -> Result<Option<i64>, BadRow> {
    let checked = match (cell.as_str(), instant(cell)) {
        (Some(text), _) => text.parse::<Timestamp>(),
        (_, Some(t)) => Timestamp::checked(t.micros()),
        _ if cell.is_null() => return Ok(None),
        _ => return Err(BadRow::new(RowFault::TimeInvalid, format!("{what} is no time"))),
    };
    checked.map(|t| Some(t.micros())).map_err(|error| bad_time(what, &error))
}

/// A date as days since the epoch: text `YYYY-MM-DD`, or the UTC date of an instant.
pub(super) fn date(cell: &Cell<'_>) -> Result<i64, BadRow> {
    if let Some(text) = cell.as_str() {
        let text = text.trim();
        let bytes = text.as_bytes();
        if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
            let reason = format!("date has the form `{}`, expected YYYY-MM-DD", shape(text));
            return Err(BadRow::new(RowFault::TimeInvalid, reason));
        }
    }
    let micros = time(cell, "date")?.ok_or_else(|| BadRow::new(RowFault::TimeInvalid, "date is NULL"))?;
    Ok(Timestamp::from_micros(micros).day_number())
}

/// A text as JSON. Most need no escapes and are copied.
fn push_json(json: &mut String, text: &str) {
    if text.bytes().all(|b| b >= 0x20 && b != b'"' && b != b'\\') {
        json.push('"');
        json.push_str(text);
        json.push('"');
    } else {
        json.push_str(&serde_json::Value::from(text).to_string());
    }
}

/// Named values as a JSON object in the order of their names, without NULLs; nothing when there are none.
pub(super) fn object(slots: &[(String, Slot)], row: &RowView<'_>) -> Option<String> {
    let mut json = String::new();
    for (name, slot) in slots {
        let cell = slot.cell(row);
        if cell.is_null() {
            continue;
        }
        json.push(if json.is_empty() { '{' } else { ',' });
        json.push_str(name);
        json.push(':');
        match cell {
            Cell::Text(text) => push_json(&mut json, text),
            Cell::Shared(text) => push_json(&mut json, &text),
            Cell::Time(micros) => push_json(&mut json, &Timestamp::from_micros(micros).to_string()),
            Cell::Bool(b) => json.push_str(if b { "true" } else { "false" }),
            Cell::Int(i) => json.push_str(&serde_json::Value::from(i).to_string()),
            // What is not finite was refused before and would be NULL here.
            Cell::Float(x) => json.push_str(&serde_json::Value::from(x).to_string()),
            Cell::Null => {}
        }
    }
    (!json.is_empty()).then(|| json + "}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused<T: std::fmt::Debug>(result: Result<T, BadRow>, fault: RowFault) {
        assert_eq!(result.expect_err("refused").fault, fault);
    }

    #[test]
    fn amounts() {
        assert_eq!(micros(&Cell::Text(" 12.50 "), "value"), Ok(Some(12_500_000)));
        assert_eq!(micros(&Cell::Text(""), "value"), Ok(None));
        assert_eq!(micros(&Cell::Int(9_223_372_036_854), "value"), Ok(Some(9_223_372_036_854_000_000)));
        assert_eq!(micros(&Cell::Float(-0.5), "value"), Ok(Some(-500_000)));
        for bad in [Cell::Text("12,50"), Cell::Text("NaN"), Cell::Text("1e30"), Cell::Int(i64::MAX), Cell::Bool(true)] {
            refused(micros(&bad, "value"), RowFault::Amount);
        }
        refused(micros(&Cell::Float(f64::NAN), "value"), RowFault::Amount);
        refused(not_negative(Some(-1), "cost"), RowFault::Negative);
    }

    #[test]
    fn whole_numbers() {
        assert_eq!(whole(&Cell::Text("7"), "clicks"), Ok(Some(7)));
        refused(whole(&Cell::Text("7.5"), "clicks"), RowFault::WholeNumber);
        refused(whole(&Cell::Float(7.0), "clicks"), RowFault::WholeNumber);
    }

    #[test]
    fn times_and_dates() {
        assert_eq!(time(&Cell::Text("2026-01-01T00:00:00Z"), "t"), Ok(Some(1_767_225_600_000_000)));
        assert_eq!(time(&Cell::Null, "t"), Ok(None));
        refused(time(&Cell::Time(0), "t"), RowFault::TimeOutOfRange);
        refused(time(&Cell::Text("01.03.2026"), "t"), RowFault::TimeInvalid);
        assert_eq!(date(&Cell::Text("2026-01-01")), Ok(20_454));
        assert_eq!(date(&Cell::Time(1_767_225_600_000_001)), Ok(20_454));
        for bad in ["2026-1-1", "2026-01-01T00:00", "2026-02-30", "20260101ab"] {
            refused(date(&Cell::Text(bad)), RowFault::TimeInvalid);
        }
        refused(date(&Cell::Null), RowFault::TimeInvalid);
    }
}
