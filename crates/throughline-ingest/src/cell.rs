//! One value of a row, borrowed where it can be.

use std::sync::Arc;

use arrow::array::{Array as _, BooleanArray, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray};
use throughline_core::Timestamp;
use throughline_core::expr::{Row, Value};

/// A value. It is what [`Value`] is, without a copy of text that stands in a batch.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(&'a str),
    Shared(Arc<str>),
    /// UTC microseconds.
    Time(i64),
}

impl Cell<'_> {
    pub(crate) const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The text; `None` for NULL and other types.
    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Shared(text) => Some(text),
            _ => None,
        }
    }

    fn into_value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(b) => Value::Bool(b),
            Self::Int(i) => Value::Int(i),
            Self::Float(x) => Value::float(x),
            Self::Text(text) => Value::text(text),
            Self::Shared(text) => Value::Text(text),
            Self::Time(micros) => Value::time_micros(micros),
        }
    }

    /// A whole number becomes text, as for ids; everything else stays.
    pub(crate) fn into_text(self) -> Self {
        match self {
            Self::Int(i) => Self::Shared(i.to_string().into()),
            other => other,
        }
    }
}

impl From<Value> for Cell<'_> {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(b) => Self::Bool(b),
            Value::Int(i) => Self::Int(i),
            Value::Float(x) => Self::Float(x),
            Value::Text(text) => Self::Shared(text),
            Value::Time(t) => Self::Time(t.micros()),
        }
    }
}

/// A column of a batch in the type of the language.
#[derive(Debug, Clone)]
pub(crate) enum Column {
    Bool(BooleanArray),
    Int(Int64Array),
    Float(Float64Array),
    Text(StringArray),
    Time(TimestampMicrosecondArray),
}

impl Column {
    pub(crate) fn cell(&self, row: usize) -> Cell<'_> {
        match self {
            Self::Bool(a) if a.is_valid(row) => Cell::Bool(a.value(row)),
            Self::Int(a) if a.is_valid(row) => Cell::Int(a.value(row)),
            Self::Float(a) if a.is_valid(row) => Cell::Float(a.value(row)),
            Self::Text(a) if a.is_valid(row) => Cell::Text(a.value(row)),
            Self::Time(a) if a.is_valid(row) => Cell::Time(a.value(row)),
            _ => Cell::Null,
        }
    }

    pub(crate) fn nulls(&self) -> usize {
        match self {
            Self::Bool(a) => a.null_count(),
            Self::Int(a) => a.null_count(),
            Self::Float(a) => a.null_count(),
            Self::Text(a) => a.null_count(),
            Self::Time(a) => a.null_count(),
        }
    }
}

/// Rows in the types of the language.
#[derive(Debug)]
pub(crate) struct Batch {
    /// Number of each row among the data rows.
    pub(crate) numbers: Vec<i64>,
    /// Columns that were read.
    pub(crate) columns: Vec<Column>,
    /// Name of the file.
    pub(crate) file: Arc<str>,
}

/// Position of the pseudo-column `_line` in the schema of expressions.
pub(crate) const LINE: usize = 0;
/// Position of the pseudo-column `_file`.
pub(crate) const FILE: usize = 1;
/// Number of pseudo-columns; raw columns follow.
pub(crate) const PSEUDO: usize = 2;

/// One row of a batch, as expressions see it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowView<'a> {
    pub(crate) batch: &'a Batch,
    /// Position in the schema → position among the columns that were read.
    pub(crate) slots: &'a [Option<usize>],
    pub(crate) row: usize,
}

impl<'a> RowView<'a> {
    pub(crate) fn cell(&self, index: usize) -> Cell<'a> {
        match index {
            LINE => self.batch.numbers.get(self.row).map_or(Cell::Null, |n| Cell::Int(*n)),
            FILE => Cell::Shared(Arc::clone(&self.batch.file)),
            _ => match self.slots.get(index).copied().flatten().and_then(|slot| self.batch.columns.get(slot)) {
                Some(column) => column.cell(self.row),
                None => Cell::Null,
            },
        }
    }
}

impl Row for RowView<'_> {
    fn column(&self, index: usize) -> Value {
        self.cell(index).into_value()
    }

    fn property(&self, _: &str) -> Value {
        Value::Null
    }
}

/// The instant of a cell that holds a time.
pub(crate) const fn instant(cell: &Cell<'_>) -> Option<Timestamp> {
    match cell {
        Cell::Time(micros) => Some(Timestamp::from_micros(*micros)),
        _ => None,
    }
}
