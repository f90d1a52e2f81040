//! What a command says: JSON for programs, a table for people.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table as Shown};
use serde_json::{Map, Value, json};
use throughline_core::{Diagnostic, Estimate};
use throughline_evidence::Report;

/// The answer of a command.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// For programs.
    pub json: Value,
    /// For people.
    pub text: String,
}

impl Answer {
    /// The answer of a report; `found` is what reading the file found.
    ///
    /// JSON: `{"method","tier","estimate":{…},"comparisons":[{"name","estimate":{…}}],"assumptions","diagnostics","details"}`.
    pub fn of(report: &Report, found: &[Diagnostic]) -> Self {
        let diagnostics: Vec<&Diagnostic> = report.diagnostics.iter().chain(found).collect();
        let comparisons: Vec<Value> = report
            .comparisons
            .iter()
            .map(|f| json!({ "name": f.name, "estimate": estimate_json(&f.estimate) }))
            .collect();
        let json = json!({
            "method": report.method,
            "tier": report.tier.number(),
            "estimate": estimate_json(&report.estimate),
            "comparisons": comparisons,
            "assumptions": report.assumptions,
            "diagnostics": diagnostics,
            "details": report.details,
        });
        let mut rows = vec![row("effect", &report.estimate)];
        rows.extend(report.comparisons.iter().map(|f| row(&f.name, &f.estimate)));
        let mut text = format!("{} (evidence tier {})\n", report.method, report.tier.number());
        text.push_str(&table(&["", "estimate", "std. error", "interval", "p", "n"], &[1, 2, 4, 5], &rows));
        if !report.assumptions.is_empty() {
            text.push_str("\n\nThis holds if:");
            report.assumptions.iter().for_each(|a| text.push_str(&format!("\n  - {a}")));
        }
        for diagnostic in diagnostics {
            text.push_str(&format!("\n{diagnostic}"));
        }
        Self { json, text }
    }

    /// The same with the seconds it took, as `seconds`.
    #[must_use]
    pub fn timed(mut self, seconds: f64) -> Self {
        let seconds = (seconds * 1000.0).round() / 1000.0;
        self.json["seconds"] = json!(seconds);
        self.text.push_str(&format!("\n{seconds} s"));
        self
    }
}

/// An estimate for programs: `{"value","std_error","interval":[lo,hi],"p_value","n","level","method","inference"}`. An end
/// that is unbounded is `null`; a set in several parts has all of them under `set`.
pub fn estimate_json(e: &Estimate) -> Value {
    let end = |x: f64| if x.is_finite() { json!(x) } else { Value::Null };
    let pair = |(lo, hi): (f64, f64)| json!([end(lo), end(hi)]);
    let mut out = Map::new();
    out.insert("value".into(), json!(e.value));
    out.insert("std_error".into(), json!(e.std_error));
    out.insert("interval".into(), pair(e.interval()));
    out.insert("p_value".into(), json!(e.p_value));
    out.insert("n".into(), json!(e.n));
    out.insert("level".into(), json!(e.level));
    out.insert("method".into(), json!(e.method));
    out.insert("inference".into(), json!(e.inference));
    if e.set.0.len() != 1 {
        out.insert("set".into(), e.set.0.iter().map(|part| pair(*part)).collect());
    }
    Value::Object(out)
}

fn row(name: &str, e: &Estimate) -> Vec<String> {
    let parts: Vec<String> = e.set.0.iter().map(|part| interval(*part)).collect();
    vec![
        name.to_owned(),
        number(e.value),
        e.std_error.map_or_else(|| "–".into(), number),
        if parts.is_empty() { "no value fits".into() } else { parts.join(" ∪ ") },
        format!("{:.4}", e.p_value),
        e.n.to_string(),
    ]
}

/// A table with a header; numbers (columns named in `right`) are aligned to the right.
pub fn table(header: &[&str], right: &[usize], rows: &[Vec<String>]) -> String {
    let mut table = Shown::new();
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
pub fn number(value: f64) -> String {
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

/// An interval; an end that is unbounded is said so.
pub fn interval((low, high): (f64, f64)) -> String {
    let end = |x: f64| if x.is_finite() { number(x) } else { format!("{}∞", if x < 0.0 { "−" } else { "" }) };
    format!("[{}, {}]", end(low), end(high))
}
