//! Real files, read from `$THROUGHLINE_REFERENCE` (default: `shared/data` beside the checkout).

use std::collections::BTreeMap;
use std::path::PathBuf;

use throughline_ingest::{list_units, profile};

use crate::harness::{Project, context};

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

const ARMS: &str = "
columns: { recency: int, newbie: bool }
consent: \"'granted'\"
emits:
  - id: _line
    kind: \"'assignment'\"
    name: segment
    occurred_at: \"'2008-03-01'\"
    subjects: { crm: _line }
    properties: { recency: recency, newbie: newbie, channel: channel }
";

const OUTCOMES: &str = "
columns: { visit: bool, conversion: bool }
emits:
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

#[tokio::test]
async fn hillstrom() {
    let Some(path) = reference("hillstrom/hillstrom.csv") else { return };
    let location = path.display().to_string();
    let project = Project::new();
    let arms = project.compile("csv", &location, ARMS).expect("fits");
    let file = list_units(project.path(), arms.config(), &BTreeMap::new()).expect("listed").remove(0);
    let report = profile(&arms, &file, &context(), u64::MAX).expect("read").report;
    assert_eq!((report.rows_read, report.events, report.rows_quarantined()), (64_000, 64_000, 0));
    assert_eq!(report.columns_unused.len(), 8);

    let done = project.ingest("csv", &location, OUTCOMES).await.expect("ingested");
    let report = &done.report;
    assert_eq!((report.rows_read, report.rows_emitted, report.rows_skipped), (64_000, 9_394, 54_606));
    let of = |kind: &str| done.events.iter().filter(|e| e.contains(&format!(" kind={kind} "))).count();
    assert_eq!((of("visit"), of("purchase")), (9_394, 578));
    let micros = done.events.iter().filter_map(|e| e.split("value_micros=").nth(1)?.split(' ').next());
    let spent: i64 = micros.map(|m| m.parse::<i64>().expect("a number")).sum();
    assert_eq!(spent, 67_258_130_000, "67,258.13 dollars");
}
