//! Tables for people, JSON for programs.

use std::io::Write as _;

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use serde_json::Value;

use crate::failure::Failure;

/// Prints text to the standard output.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.write_all(b"\n")?;
    Ok(())
}

/// Prints an object.
pub(crate) fn print_json(value: &Value) -> Result<(), Failure> {
    print(&serde_json::to_string_pretty(value)?)
}

/// A table with a header; numbers (columns named in `right`) are aligned to the right.
pub(crate) fn table(header: &[&str], right: &[usize], rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table.load_preset(NOTHING).set_header(header);
    for row in rows {
        table.add_row(row);
    }
    for index in right {
        if let Some(column) = table.column_mut(*index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.to_string()
}

/// A number with sensible digits.
pub(crate) fn number(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude >= 1000.0 {
        format!("{value:.0}")
    } else if magnitude >= 10.0 {
        format!("{value:.1}")
    } else if magnitude >= 0.1 || value == 0.0 {
        format!("{value:.3}")
    } else {
        format!("{value:.5}")
    }
}

/// An interval.
pub(crate) fn interval((low, high): (f64, f64)) -> String {
    format!("[{}, {}]", number(low), number(high))
}
