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

#[derive(Debug)]
enum Cells<'a> {
    Text(&'a StringArray),
    Int(&'a Int64Array),
    Int32(&'a Int32Array),
    Float(&'a Float64Array),
    Bool(&'a BooleanArray),
    Time(&'a TimestampMicrosecondArray),
    Units(&'a Int64Array),
    Absent,
}

impl Cells<'_> {
    fn value(&self, row: usize) -> Value {
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

/// A batch whose rows can be given to expressions that were parsed against `schema`.
#[derive(Debug)]
pub struct RowsView<'a> {
    cells: Vec<Cells<'a>>,
    properties: Option<&'a StringArray>,
}

impl<'a> RowsView<'a> {
    /// Looks at a batch. Columns of the schema that the batch lacks read as NULL.
    pub fn new(batch: &'a RecordBatch, schema: &Schema) -> Result<Self, LakeError> {
        let cells = schema.columns().iter().map(|(name, _)| cells_of(batch, name)).collect();
        let properties = batch.column_by_name("properties").and_then(|c| c.as_any().downcast_ref());
        Ok(Self { cells, properties })
    }

    /// One row.
    pub const fn row(&self, row: usize) -> BatchRow<'_, 'a> {
        BatchRow { view: self, row, properties: OnceCell::new() }
    }
}

fn cells_of<'a>(batch: &'a RecordBatch, name: &str) -> Cells<'a> {
    if let Some(column) = batch.column_by_name(name) {
        let any = column.as_any();
        return match column.data_type() {
            DataType::Utf8 => any.downcast_ref().map_or(Cells::Absent, Cells::Text),
            DataType::Int64 => any.downcast_ref().map_or(Cells::Absent, Cells::Int),
            DataType::Int32 => any.downcast_ref().map_or(Cells::Absent, Cells::Int32),
            DataType::Float64 => any.downcast_ref().map_or(Cells::Absent, Cells::Float),
            DataType::Boolean => any.downcast_ref().map_or(Cells::Absent, Cells::Bool),
            DataType::Timestamp(TimeUnit::Microsecond, _) => any.downcast_ref().map_or(Cells::Absent, Cells::Time),
            _ => Cells::Absent,
        };
    }
    UNIT_VIEWS
        .iter()
        .find(|(unit, _)| *unit == name)
        .and_then(|(_, micros)| batch.column_by_name(micros))
        .and_then(|column| column.as_any().downcast_ref())
        .map_or(Cells::Absent, Cells::Units)
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
            .get_or_init(|| serde_json::from_str(column.value(self.row)).unwrap_or_default())
            .get(name)
            .map_or(Value::Null, property_value)
    }
}
