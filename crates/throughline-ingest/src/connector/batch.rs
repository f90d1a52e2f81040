//! Rows as connectors give them.

use std::fmt::Write as _;

use arrow::array::{Array as _, ArrayRef, RecordBatch};
use arrow::util::display::array_value_to_string;
use serde_json::{Map, Value};

use crate::diagnostics::RowFault;

/// Rows of a file.
#[derive(Debug)]
pub struct RawBatch {
    /// Number of each row among the data rows of the file, from 1.
    pub numbers: Vec<i64>,
    /// Line of each row in the file, as an editor shows it (the row number for Parquet).
    pub lines: Vec<i64>,
    /// One array per wanted column, of the type the connector stated or one that casts to it.
    pub columns: Vec<ArrayRef>,
    /// The rows as they stand in the file.
    pub raw: RawRows,
    /// Rows that are not in the arrays because they cannot be read.
    pub refused: Vec<RefusedRow>,
    /// Rows of the arrays that cannot be used, by position, with the reason, which never quotes the row.
    pub unfit: Vec<(usize, RowFault, String)>,
}

/// A row that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedRow {
    /// Line in the file.
    pub line: i64,
    /// What is wrong.
    pub fault: RowFault,
    /// Why, without quoting the row.
    pub reason: String,
    /// The row, invalid bytes written as `\xNN`.
    pub raw: String,
}

/// The rows as they stand in the file; text is made only for rows that are refused later.
#[derive(Debug)]
pub enum RawRows {
    /// Fields of delimited text, one behind the other.
    Fields {
        /// All fields.
        text: String,
        /// Where each field ends.
        ends: Vec<usize>,
        /// Fields of a row.
        width: usize,
        /// What stands between fields.
        delimiter: char,
    },
    /// Lines, one behind the other.
    Lines {
        /// All lines.
        text: String,
        /// Where each line ends.
        ends: Vec<usize>,
    },
    /// Columns of a typed format.
    Columns(RecordBatch),
}

impl RawRows {
    /// The text of one row; empty when there is no such row.
    pub fn text(&self, row: usize) -> String {
        match self {
            Self::Lines { text, ends } => slice(text, ends, row).to_owned(),
            Self::Fields { text, ends, width, delimiter } => {
                let fields = (row * width..(row + 1) * width).map(|i| slice(text, ends, i));
                join_fields(fields, *delimiter)
            }
            Self::Columns(batch) => row_json(batch, row),
        }
    }
}

fn slice<'a>(text: &'a str, ends: &[usize], index: usize) -> &'a str {
    let start = index.checked_sub(1).map_or(Some(0), |before| ends.get(before).copied());
    match (start, ends.get(index)) {
        (Some(start), Some(end)) => text.get(start..*end).unwrap_or_default(),
        _ => "",
    }
}

/// Fields as one line of delimited text.
pub(crate) fn join_fields<'a>(fields: impl Iterator<Item = &'a str>, delimiter: char) -> String {
    let mut line = String::new();
    for (i, field) in fields.enumerate() {
        if i > 0 {
            line.push(delimiter);
        }
        if field.contains([delimiter, '"', '\n', '\r']) {
            let _infallible = write!(line, "\"{}\"", field.replace('"', "\"\""));
        } else {
            line.push_str(field);
        }
    }
    line
}

fn row_json(batch: &RecordBatch, row: usize) -> String {
    let schema = batch.schema();
    let mut object = Map::new();
    for (field, column) in schema.fields().iter().zip(batch.columns()) {
        if row < column.len() && column.is_valid(row) {
            let text = array_value_to_string(column, row).unwrap_or_default();
            object.insert(field.name().clone(), Value::String(text));
        }
    }
    Value::Object(object).to_string()
}

/// Bytes as text, invalid ones as `\xNN`, so that nothing of a bad row is lost.
pub(crate) fn escape(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            let _infallible = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_rows_come_back() {
        let fields = RawRows::Fields { text: "ab,cd\"e".into(), ends: vec![1, 4, 4, 7], width: 2, delimiter: ',' };
        assert_eq!(fields.text(0), "a,\"b,c\"");
        assert_eq!(fields.text(1), ",\"d\"\"e\"");
        assert_eq!(fields.text(2), ",");
        let lines = RawRows::Lines { text: "abc".into(), ends: vec![1, 3] };
        assert_eq!((lines.text(0), lines.text(1), lines.text(2)), ("a".into(), "bc".into(), String::new()));
    }

    #[test]
    fn invalid_bytes_are_written_out() {
        assert_eq!(escape(b"M\xfcller \xc3\xbc"), "M\\xfcller \u{fc}");
    }
}
