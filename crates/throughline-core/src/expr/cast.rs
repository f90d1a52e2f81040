//! Casts: TRY_CAST of SQL, NULL where impossible.

use super::instant;
use super::ty::Type;
use super::value::Value;

/// `value::to` as the table in the guide states it; NULL where impossible or not defined.
pub(super) fn cast(value: &Value, to: Type) -> Value {
    match (value, to) {
        (Value::Bool(b), Type::Int) => Value::Int(i64::from(*b)),
        (Value::Bool(b), Type::Float) => Value::Float(f64::from(u8::from(*b))),
        (Value::Bool(b), Type::Text) => Value::text(if *b { "true" } else { "false" }),
        (Value::Int(0), Type::Bool) => Value::Bool(false),
        (Value::Int(1), Type::Bool) => Value::Bool(true),
        (Value::Int(i), Type::Float) => Value::Float(*i as f64),
        (Value::Int(i), Type::Text) => Value::text(i.to_string()),
        (Value::Float(x), Type::Int) => truncated(*x),
        (Value::Float(x), Type::Text) => Value::text(format!("{x:?}")),
        (Value::Text(t), Type::Bool) => text_to_bool(t),
        (Value::Text(t), Type::Int) => text_to_int(t),
        (Value::Text(t), Type::Float) => text_to_float(t),
        (Value::Text(t), Type::Time) => instant::parse(t).map_or(Value::Null, Value::time_micros),
        (Value::Time(t), Type::Text) => Value::text(instant::text(t.micros())),
        (same, to) if same.ty() == Some(to) => same.clone(),
        _ => Value::Null,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "checked to lie within the integers")]
fn truncated(x: f64) -> Value {
    // 2^63 is a float, i64::MAX is not: the upper bound is excluded.
    const BOUND: f64 = 9_223_372_036_854_775_808.0;
    if (-BOUND..BOUND).contains(&x) { Value::Int(x.trunc() as i64) } else { Value::Null }
}

fn text_to_bool(text: &str) -> Value {
    if text == "1" || text.eq_ignore_ascii_case("true") {
        Value::Bool(true)
    } else if text == "0" || text.eq_ignore_ascii_case("false") {
        Value::Bool(false)
    } else {
        Value::Null
    }
}

fn text_to_int(text: &str) -> Value {
    text.parse().map_or(Value::Null, Value::Int)
}

fn text_to_float(text: &str) -> Value {
    // The parser of the standard library also takes `inf` and `nan`, which are no numbers here.
    if text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E')) {
        text.parse().map_or(Value::Null, Value::float)
    } else {
        Value::Null
    }
}
