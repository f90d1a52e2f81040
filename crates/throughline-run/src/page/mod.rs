//! The run report as one self-contained page.

use serde_json::Value;

/// Renders the page.
pub(crate) fn render(report: &Value) -> String {
    format!("<!doctype html><meta charset=utf-8><pre>{report:#}</pre>")
}
