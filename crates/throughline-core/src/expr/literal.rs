//! Literals of the SQL tree.

use sqlparser::ast::{
    DataType, DateTimeField, Expr as Sql, Interval, Spanned, TypedString, UnaryOperator, Value as SqlValue,
};

use super::ast::Typed;
use super::error::{ExprError, Place};
use super::instant;
use super::ty::Type;
use super::value::Value;

/// Longest interval, in microseconds: as long as the years 1 to 9999.
const MAX_INTERVAL_US: i64 = 315_537_897_600_000_000;

/// The place where a node of the SQL tree begins.
pub(super) fn place_of(sql: &impl Spanned) -> Place {
    super::tokens::place(sql.span().start)
}

/// A node without the parentheses around it.
pub(super) fn bare(mut sql: &Sql) -> &Sql {
    while let Sql::Nested(inner) = sql {
        sql = inner;
    }
    sql
}

/// A literal, signed numbers included; `None` when the node is something else. NULL comes as Text.
pub(super) fn literal(sql: &Sql) -> Result<Option<Typed>, ExprError> {
    match bare(sql) {
        Sql::Value(value) => constant(&value.value, "", place_of(sql)).map(Some),
        Sql::UnaryOp { op: UnaryOperator::Minus, expr } => match bare(expr) {
            Sql::Value(value) if matches!(value.value, SqlValue::Number(..)) => {
                constant(&value.value, "-", place_of(sql)).map(Some)
            }
            _ => Ok(None),
        },
        Sql::TypedString(typed) => instant_literal(typed, place_of(sql)).map(Some),
        _ => Ok(None),
    }
}

fn constant(value: &SqlValue, sign: &str, place: Place) -> Result<Typed, ExprError> {
    match value {
        SqlValue::Null => Ok(Typed::literal(Value::Null, Type::Text)),
        SqlValue::Boolean(b) => Ok(Typed::literal(Value::Bool(*b), Type::Bool)),
        SqlValue::SingleQuotedString(text) => Ok(Typed::literal(Value::text(text.as_str()), Type::Text)),
        SqlValue::Number(digits, _) => number(&format!("{sign}{digits}"), place),
        other => {
            let help = "texts stand in 'single quotes'".to_owned();
            Err(ExprError::Refused { what: format!("literals such as {other}"), help, place })
        }
    }
}

fn number(text: &str, place: Place) -> Result<Typed, ExprError> {
    let fault = |message: String| ExprError::Literal { message, place };
    let shown: String = text.chars().take(40).collect();
    if text.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
        let int = text.parse().map_err(|_| {
            fault(format!(
                "integer {shown} is outside -9223372036854775808 to 9223372036854775807; write a point for a float"
            ))
        })?;
        return Ok(Typed::literal(Value::Int(int), Type::Int));
    }
    match text.parse().map(Value::float) {
        Ok(value @ Value::Float(_)) => Ok(Typed::literal(value, Type::Float)),
        Ok(_) => Err(fault(format!("number {shown} is too large for a float"))),
        Err(_) => Err(fault(format!("`{shown}` is not a number"))),
    }
}

fn instant_literal(typed: &TypedString, place: Place) -> Result<Typed, ExprError> {
    let SqlValue::SingleQuotedString(text) = &typed.value.value else {
        return Err(ExprError::Literal { message: "a date literal needs a text in single quotes".to_owned(), place });
    };
    let (micros, form) = match typed.data_type {
        DataType::Date => {
            (instant::parse_date(text).and_then(|d| instant::from_civil(d.at(0, 0, 0, 0))), "DATE '2026-03-01'")
        }
        DataType::Timestamp(..) => (instant::parse(text), "TIMESTAMP '2026-03-01 12:00:00' or '2026-03-01T12:00:00Z'"),
        _ => (None, "DATE '…' or TIMESTAMP '…'"),
    };
    if let Some(value @ Value::Time(_)) = micros.map(Value::time_micros) {
        return Ok(Typed::literal(value, Type::Time));
    }
    let shown: String = text.chars().take(40).collect();
    Err(ExprError::Literal { message: format!("`{shown}` is not a time (expected for example {form})"), place })
}

/// The length of an INTERVAL literal in microseconds.
pub(super) fn interval(interval: &Interval) -> Result<i64, ExprError> {
    let place = place_of(interval.value.as_ref());
    let fault = |message: String| ExprError::Literal { message, place };
    let Interval {
        value,
        leading_field,
        leading_precision: None,
        last_field: None,
        fractional_seconds_precision: None,
    } = interval
    else {
        return Err(fault("an interval has one unit after its text, for example INTERVAL '7' DAY".to_owned()));
    };
    let Some(text) = text_of(value) else {
        return Err(fault("an interval needs a text, for example INTERVAL '7 days'".to_owned()));
    };
    let shown: String = text.chars().take(40).collect();
    let malformed = || {
        fault(format!("`{shown}` is not an interval (expected for example '7 days' or '1 day 2 hours', whole numbers)"))
    };
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let unit = leading_field.as_ref().map(DateTimeField::to_string);
    let words = match (&words[..], &unit) {
        ([amount], Some(unit)) => vec![*amount, unit.as_str()],
        (_, Some(_)) => return Err(malformed()),
        _ => words,
    };
    if words.is_empty() || !words.len().is_multiple_of(2) {
        return Err(malformed());
    }
    let mut total = 0_i64;
    for pair in words.chunks_exact(2) {
        let amount: i64 = pair[0].parse().map_err(|_| malformed())?;
        let unit_us = unit_micros(pair[1]).ok_or_else(|| {
            fault(format!(
                "`{}` is no interval unit (weeks, days, hours, minutes, seconds; months differ in length)",
                pair[1]
            ))
        })?;
        total = amount
            .checked_mul(unit_us)
            .and_then(|us| total.checked_add(us))
            .filter(|us| us.abs() <= MAX_INTERVAL_US)
            .ok_or_else(|| fault(format!("interval `{shown}` exceeds the limit of 3652059 days")))?;
    }
    Ok(total)
}

pub(super) fn text_of(sql: &Sql) -> Option<&str> {
    match bare(sql) {
        Sql::Value(value) => match &value.value {
            SqlValue::SingleQuotedString(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

fn unit_micros(unit: &str) -> Option<i64> {
    let unit = unit.to_ascii_lowercase();
    Some(match unit.strip_suffix('s').unwrap_or(&unit) {
        "microsecond" => 1,
        "millisecond" => 1000,
        "second" => 1_000_000,
        "minute" => 60_000_000,
        "hour" => 3_600_000_000,
        "day" => 86_400_000_000,
        "week" => 604_800_000_000,
        _ => return None,
    })
}
