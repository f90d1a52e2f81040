//! Tables and comparisons shared by the tests.

use std::path::{Path, PathBuf};

use throughline_attribution::{Credits, Outcome, PathTable, parse_path, read_spec};

/// One row: path text with ` > `, conversions, value, nulls.
pub(crate) type Row = (String, f64, f64, f64);

pub(crate) fn table(rows: &[Row]) -> PathTable {
    let mut builder = PathTable::builder();
    for (path, conversions, value, nulls) in rows {
        let outcome = Outcome { conversions: *conversions, value: *value, nulls: *nulls };
        builder.push(&parse_path(path, " > "), None, outcome);
    }
    let (table, diagnostics) = builder.build();
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    table
}

pub(crate) fn rows(list: &[(&str, f64, f64, f64)]) -> Vec<Row> {
    list.iter().map(|&(path, c, v, n)| (path.to_owned(), c, v, n)).collect()
}

pub(crate) fn credits(spec: &str, table: &PathTable) -> Credits {
    read_spec(spec).and_then(|m| m.attribute(table)).unwrap_or_else(|e| panic!("{spec}: {e}"))
}

/// Two numbers within a relative tolerance.
#[track_caller]
pub(crate) fn check_close(what: &str, got: f64, expect: f64, tolerance: f64) {
    let error = (got - expect).abs() / expect.abs().max(f64::MIN_POSITIVE);
    assert!(got == expect || error <= tolerance, "{what}: {got} against {expect}, relative error {error:e}");
}

/// A file of the reference data; `None`, with a line that says so, when the data is not there.
pub(crate) fn reference(file: &str) -> Option<PathBuf> {
    let folder = std::env::var("THROUGHLINE_REFERENCE")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data").to_owned());
    let path = Path::new(&folder).join(file);
    if path.exists() {
        return Some(path);
    }
    #[expect(clippy::print_stderr, reason = "a skipped check must be seen")]
    {
        eprintln!("reference data {file} not found below {folder}: check skipped");
    }
    None
}

pub(crate) fn json(path: &Path) -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(path).expect("readable")).expect("JSON")
}

/// A JSON object of numbers by name.
pub(crate) fn numbers(value: &serde_json::Value) -> Vec<(&str, f64)> {
    let object = value.as_object().expect("an object");
    object.iter().map(|(name, v)| (name.as_str(), v.as_f64().expect("a number"))).collect()
}
