//! Tests of the language: answers, refusals, properties.

mod answers;
mod properties;
mod refusals;

use serde_json::json;

use super::{Expr, MemoryRow, Schema, Type, TypedExpr, Value};
use crate::time::Timestamp;

/// Columns of every type, with values and always NULL, and names that need quotes.
pub(super) fn schema() -> Schema {
    Schema::new([
        ("n", Type::Int),
        ("x", Type::Float),
        ("name", Type::Text),
        ("ok", Type::Bool),
        ("at", Type::Time),
        ("none", Type::Int),
        ("nox", Type::Float),
        ("nobody", Type::Text),
        ("maybe", Type::Bool),
        ("never", Type::Time),
        ("big", Type::Int),
        ("Order ID", Type::Text),
        ("date", Type::Text),
        ("end", Type::Int),
        ("distinct", Type::Text),
        ("day", Type::Int),
    ])
    .with_properties()
}

/// The row the answers refer to; 2026-03-04 was a Wednesday.
pub(super) fn row() -> MemoryRow {
    let at: Timestamp = "2026-03-04T05:06:07.891Z".parse().expect("a time");
    let columns = vec![
        Value::Int(7),
        Value::Float(2.5),
        "Ada Löwe".into(),
        Value::Bool(true),
        Value::Time(at),
        Value::Null,
        Value::Null,
        Value::Null,
        Value::Null,
        Value::Null,
        Value::Int(i64::MAX),
        "A-17".into(),
        "today".into(),
        Value::Int(3),
    ];
    let properties = json!({"plan": "pro", "seats": 12, "trial": false, "gone": null, "tags": ["a", 1], "it's": 1.50});
    MemoryRow { columns, properties: properties.as_object().cloned().unwrap_or_default() }
}

pub(super) fn parse(text: &str) -> TypedExpr {
    Expr::parse(text, &schema()).unwrap_or_else(|e| panic!("{text}: {e} {:?}", e.help()))
}
