//! Tables for people, JSON for programs.

use std::io::Write as _;

use serde_json::Value;
pub(crate) use throughline_oneshot::answer::{interval, number, table};

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
