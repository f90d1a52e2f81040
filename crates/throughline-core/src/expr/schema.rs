//! What an expression may read: named columns and properties.

use std::sync::Arc;

use serde_json::Map;

use super::ty::Type;
use super::value::Value;

/// The columns an expression may name, in order, and whether rows carry `properties`.
///
/// Names are compared exactly, case included; a name that is not a plain word is written in double quotes. When a
/// name occurs twice the first one is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schema {
    columns: Vec<(String, Type)>,
    properties: bool,
}

impl Schema {
    /// A schema without properties.
    pub fn new<N: Into<String>>(columns: impl IntoIterator<Item = (N, Type)>) -> Self {
        Self { columns: columns.into_iter().map(|(name, ty)| (name.into(), ty)).collect(), properties: false }
    }

    /// The same with `properties['name']` allowed.
    #[must_use]
    pub fn with_properties(mut self) -> Self {
        self.properties = true;
        self
    }

    /// Whether `properties['name']` is allowed.
    pub const fn has_properties(&self) -> bool {
        self.properties
    }

    /// The columns in order; the position is the index that [`Row::column`] receives.
    pub fn columns(&self) -> &[(String, Type)] {
        &self.columns
    }

    /// Index and type of a column.
    pub fn find(&self, name: &str) -> Option<(usize, Type)> {
        self.columns.iter().enumerate().find(|(_, (n, _))| n == name).map(|(index, (_, ty))| (index, *ty))
    }
}

/// One row to evaluate on.
///
/// A value that does not have the type the schema states counts as NULL ([`Value::conform`]), so a faulty row cannot
/// break the promises of the language.
pub trait Row {
    /// The value of the column at this index of the schema.
    fn column(&self, index: usize) -> Value;
    /// The property of this name as text, or NULL.
    fn property(&self, name: &str) -> Value;
}

/// A row in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryRow {
    /// Values in the order of the schema; missing ones are NULL.
    pub columns: Vec<Value>,
    /// The properties.
    pub properties: Map<String, serde_json::Value>,
}

impl Row for MemoryRow {
    fn column(&self, index: usize) -> Value {
        self.columns.get(index).cloned().unwrap_or_default()
    }

    fn property(&self, name: &str) -> Value {
        self.properties.get(name).map_or(Value::Null, property_value)
    }
}

/// A property as the language sees it: a string as it is, null as NULL, anything else as its compact JSON text.
pub fn property_value(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::String(text) => Value::text(text.as_str()),
        other => Value::Text(Arc::from(other.to_string())),
    }
}

/// The property `name` of a `properties` column in text form; NULL when the text is not a JSON object.
pub fn property_of(json: &str, name: &str) -> Value {
    match serde_json::from_str::<Map<String, serde_json::Value>>(json) {
        Ok(object) => object.get(name).map_or(Value::Null, property_value),
        Err(_) => Value::Null,
    }
}
