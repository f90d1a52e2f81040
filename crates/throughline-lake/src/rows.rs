//! Batches as rows of the expression language.

use std::cell::OnceCell;

use arrow::array::{
    Array, BooleanArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Schema as ArrowSchema, TimeUnit};
use throughline_core::expr::{Row, Schema, Type, Value, property_value};

use crate::error::LakeError;

/// Micro columns that expressions also see in units, as floats: (name in expressions, column of the table).
const UNIT_VIEWS: [(&str, &str); 3] =
    [("value", "value_micros"), ("cost", "cost_micros"), ("expected_net_value", "expected_net_value_micros")];

/// The columns of a table as expressions see them: texts, numbers, booleans and times; money also in units (`value` for
/// `value_micros`); a `properties` column as `properties['name']`. Ids, tokens and nested columns are not visible.
pub fn expression_schema(schema: &ArrowSchema) -> Schema {
    let mut columns: Vec<(String, Type)> = schema
        .fields()
        .iter()
        .filter_map(|field| expression_type(field.data_type()).map(|ty| (field.name().clone(), ty)))
        .collect();
    for (unit, micros) in UNIT_VIEWS {
        if schema.index_of(micros).is_ok() && schema.index_of(unit).is_err() {
            columns.push((unit.to_owned(), Type::Float));
        }
    }
    let out = Schema::new(columns);
    if schema.index_of("properties").is_ok() { out.with_properties() } else { out }
}

fn expression_type(kind: &DataType) -> Option<Type> {
    match kind {
        DataType::Utf8 => Some(Type::Text),
        DataType::Int32 | DataType::Int64 => Some(Type::Int),
        DataType::Float64 => Some(Type::Float),
        DataType::Boolean => Some(Type::Bool),
        DataType::Timestamp(TimeUnit::Microsecond, _) => Some(Type::Time),
        _ => None,
    }
}

/// Where an expression's column stands among those of a batch: its index, and whether it holds micros that are read as
/// units. `None` when the batch has no such column.
pub(crate) fn source_of(schema: &ArrowSchema, name: &str) -> Option<(usize, bool)> {
    if let Ok(index) = schema.index_of(name) {
        return Some((index, false));
    }
    let (_, micros) = UNIT_VIEWS.iter().find(|(unit, _)| *unit == name)?;
    schema.index_of(micros).ok().map(|index| (index, true))
}

/// The properties of a batch in text form.
pub(crate) fn properties_of(batch: &RecordBatch) -> Option<&StringArray> {
    batch.column_by_name("properties").and_then(|c| c.as_any().downcast_ref())
}

/// The properties in one text; none when it is not a JSON object.
pub(crate) fn property_object(json: &str) -> serde_json::Map<String, serde_json::Value> {
    serde_json::from_str(json).unwrap_or_default()
}

/// One property of a text as text; `None` when it is absent or NULL, or the text is not a JSON object.
pub(crate) fn property_text(json: &str, name: &str) -> Option<String> {
    match property_object(json).get(name).map(property_value)? {
        Value::Text(text) => Some(text.to_string()),
        _ => None,
    }
}

/// An array whose entries can be read as values.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cells<'a> {
    Text(&'a StringArray),
    Int(&'a Int64Array),
    Int32(&'a Int32Array),
    Float(&'a Float64Array),
    Bool(&'a BooleanArray),
    Time(&'a TimestampMicrosecondArray),
    Units(&'a Int64Array),
    Absent,
}

impl<'a> Cells<'a> {
    /// Any array; one of a type that is not visible to expressions holds nothing but NULL.
    pub(crate) fn of(array: &'a dyn Array) -> Self {
        let any = array.as_any();
        match array.data_type() {
            DataType::Utf8 => any.downcast_ref().map_or(Self::Absent, Self::Text),
            DataType::Int64 => any.downcast_ref().map_or(Self::Absent, Self::Int),
            DataType::Int32 => any.downcast_ref().map_or(Self::Absent, Self::Int32),
            DataType::Float64 => any.downcast_ref().map_or(Self::Absent, Self::Float),
            DataType::Boolean => any.downcast_ref().map_or(Self::Absent, Self::Bool),
            DataType::Timestamp(TimeUnit::Microsecond, _) => any.downcast_ref().map_or(Self::Absent, Self::Time),
            _ => Self::Absent,
        }
    }

    /// The column of a batch that an expression calls `name`.
    pub(crate) fn in_batch(batch: &'a RecordBatch, name: &str) -> Self {
        match source_of(batch.schema_ref(), name) {
            Some((index, false)) => Self::of(batch.column(index)),
            Some((index, true)) => batch.column(index).as_any().downcast_ref().map_or(Self::Absent, Self::Units),
            None => Self::Absent,
        }
    }

    /// One entry. Floats and times that the language does not know are NULL; negative zero is zero.
    pub(crate) fn value(&self, row: usize) -> Value {
        match self {
            Self::Text(a) if !a.is_null(row) => Value::text(a.value(row)),
            Self::Int(a) if !a.is_null(row) => Value::Int(a.value(row)),
            Self::Int32(a) if !a.is_null(row) => Value::Int(i64::from(a.value(row))),
            Self::Float(a) if !a.is_null(row) => Value::float(a.value(row)),
            Self::Bool(a) if !a.is_null(row) => Value::Bool(a.value(row)),
            Self::Time(a) if !a.is_null(row) => Value::time_micros(a.value(row)),
            Self::Units(a) if !a.is_null(row) => Value::float(throughline_core::money::units_from_micros(a.value(row))),
            _ => Value::Null,
        }
    }
}

/// The entries of an array as values of the expression language; NULL where it does not know them.
pub fn values_of(array: &dyn Array) -> Vec<Value> {
    let cells = Cells::of(array);
    (0..array.len()).map(|row| cells.value(row)).collect()
}

/// A batch whose rows can be given to expressions that were parsed against `schema`.
#[derive(Debug)]
pub struct RowsView<'a> {
    cells: Vec<Cells<'a>>,
    properties: Option<&'a StringArray>,
}

impl<'a> RowsView<'a> {
    /// Looks at a batch. Columns of the schema that the batch lacks read as NULL.
    pub fn new(batch: &'a RecordBatch, schema: &Schema) -> Result<Self, LakeError> {
        let cells = schema.columns().iter().map(|(name, _)| Cells::in_batch(batch, name)).collect();
        let properties = properties_of(batch);
        Ok(Self { cells, properties })
    }

    /// One row.
    pub const fn row(&self, row: usize) -> BatchRow<'_, 'a> {
        BatchRow { view: self, row, properties: OnceCell::new() }
    }
}

/// One row of a batch. The properties of a row are parsed once, when first asked for.
#[derive(Debug)]
pub struct BatchRow<'v, 'a> {
    view: &'v RowsView<'a>,
    row: usize,
    properties: OnceCell<serde_json::Map<String, serde_json::Value>>,
}

impl Row for BatchRow<'_, '_> {
    fn column(&self, index: usize) -> Value {
        self.view.cells.get(index).map_or(Value::Null, |cells| cells.value(self.row))
    }

    fn property(&self, name: &str) -> Value {
        let Some(column) = self.view.properties.filter(|p| !p.is_null(self.row)) else {
            return Value::Null;
        };
        self.properties
            .get_or_init(|| property_object(column.value(self.row)))
            .get(name)
            .map_or(Value::Null, property_value)
    }
}
