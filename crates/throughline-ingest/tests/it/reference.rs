//! Real files, read from `$THROUGHLINE_REFERENCE` (default: `shared/data` beside the checkout).

use std::path::PathBuf;

use crate::harness::Project;

/// The file, or nothing and a line that says so.
#[expect(clippy::print_stderr, reason = "a skipped reference test says so")]
fn reference(name: &str) -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let folder = std::env::var_os("THROUGHLINE_REFERENCE").map_or_else(|| PathBuf::from(default), PathBuf::from);
    let path = folder.join(name);
    if path.is_file() {
        return Some(path);
    }
    eprintln!("skipped: reference file {} is absent", path.display());
    None
}

#[tokio::test]
async fn hillstrom() {
    let Some(path) = reference("hillstrom/hillstrom.csv") else { return };
    let mapping = "
columns: { visit: bool, conversion: bool, recency: int, newbie: bool }
consent: \"'granted'\"
emits:
  - id: \"'assign-' || _line::text\"
    kind: \"'assignment'\"
    name: segment
    occurred_at: \"'2008-03-01'\"
    subjects: { crm: _line }
    properties: { recency: recency, newbie: newbie, channel: channel }
  - when: visit
    id: \"'visit-' || _line::text\"
    kind: \"'visit'\"
    occurred_at: \"'2008-03-08'\"
    subjects: { crm: _line }
  - when: conversion
    id: \"'order-' || _line::text\"
    kind: \"'purchase'\"
    occurred_at: \"'2008-03-10'\"
    subjects: { crm: _line }
    value: spend
    currency: \"'USD'\"
";
    let project = Project::new();
    let done = project.ingest("csv", &path.display().to_string(), mapping).await.expect("ingested");
    assert_eq!((done.report.rows_read, done.report.rows_emitted, done.report.rows_quarantined()), (64_000, 64_000, 0));
    let of = |kind: &str| done.events.iter().filter(|e| e.contains(&format!(" kind={kind} "))).count();
    assert_eq!((of("assignment"), of("visit"), of("purchase")), (64_000, 9_394, 578));
    let micros = done.events.iter().filter_map(|e| e.split("value_micros=").nth(1)?.split(' ').next());
    let spent: i64 = micros.map(|m| m.parse::<i64>().expect("a number")).sum();
    assert_eq!(spent, 67_258_130_000, "67,258.13 dollars");
    let unused = ["history_segment", "history", "mens", "womens", "zip_code"];
    assert_eq!(done.report.columns_unused, unused);
}
