//! Everything it takes to get the same numbers again.

use serde_json::Value;

use crate::page::format::{counted, duration, instant, short};
use crate::page::html::{Html, Table, code, figure, text, words};
use crate::page::read::Read;

use super::{Section, stages};

const UNITS_SHOWN: usize = 300;

/// The section.
pub(super) fn section(report: &Value) -> Option<Section> {
    let facts = facts(report);
    let stages_table = stages::table(report);
    let (units, tables, lineage) = (units(report), tables(report), lineage(report));
    if facts.is_empty() && stages_table.is_empty() && tables.is_empty() && lineage.is_empty() {
        return None;
    }
    let part = |table: &Table, summary: Option<&str>| {
        (!table.is_empty()).then(|| summary.map_or_else(|| table.html(), |s| table.folded(s)))
    };
    let body = Html::default()
        .with_some(part(&facts, None))
        .with_some(part(&stages_table, None))
        .with_some(part(&units, Some("Fingerprints of every unit of work")))
        .with_some(part(&tables, Some("Published versions of the tables")))
        .with_some(part(&lineage, Some("Which stage reads and writes what")));
    Some(Section { lede: lede(report), body })
}

fn lede(report: &Value) -> Html {
    let units = || report.list("stages").iter().flat_map(|s| s.list("units"));
    let unchanged = units().filter(|u| u.word("status") == Some("unchanged")).count() as u64;
    let mut out = text("The same inputs, configuration");
    out = match report.whole("seed") {
        Some(seed) => out.text(", seed ").strong(seed.to_string()),
        None => out.text(", seed"),
    };
    out = match report.word("throughline") {
        Some(version) => out.text(" and Throughline ").strong(version),
        None => out.text(" and binary"),
    };
    out = out.text(" give the same numbers, bit for bit.");
    match unchanged {
        0 => out,
        n => out.text(format!(
            " {} of {} of work did not change since an earlier run and {} not computed again.",
            if n == units().count() as u64 { "All".to_owned() } else { n.to_string() },
            counted(units().count() as u64, "unit", "units"),
            if n == 1 { "was" } else { "were" }
        )),
    }
}

fn facts(report: &Value) -> Table {
    let mut table = Table::new("The run", &["What", "Value"]);
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            table.row(vec![words(name), words(value)]);
        }
    };
    add("Throughline", report.word("throughline").map(str::to_owned));
    add("Seed", report.whole("seed").map(|n| n.to_string()));
    add("As of", report.word("as_of").map(instant));
    add("Started", report.word("started_at").map(instant));
    add("Resumed", report.whole("resumed").map(|n| counted(n, "time", "times")));
    add("Currency", report.word("currency").map(str::to_owned));
    table
}

fn units(report: &Value) -> Table {
    let all = || report.list("stages").iter().flat_map(|s| s.list("units").iter().map(move |u| (s, u)));
    let caption = match all().count() {
        n if n > UNITS_SHOWN => format!("The first {UNITS_SHOWN} of {n} units; all of them stand in report.json"),
        _ => "A unit runs again when its fingerprint changes".to_owned(),
    };
    let mut table = Table::new(caption, &["Stage", "Unit", "Fingerprint", "Status", "Time"]);
    for (stage, unit) in all().take(UNITS_SHOWN) {
        table.row(vec![
            code(stage.word("name").unwrap_or("unnamed")),
            words(unit.word("name").unwrap_or_default()),
            code(short(unit.word("fingerprint").unwrap_or_default())),
            words(unit.word("status").unwrap_or_default()),
            figure(unit.num("seconds").map_or_else(|| "–".to_owned(), duration)),
        ]);
    }
    table
}

fn tables(report: &Value) -> Table {
    let mut table = Table::new("Readers see these versions and no others", &["Table", "Version"]);
    for (name, version) in report.entries("tables") {
        table.row(vec![code(name), figure(version.as_u64().map_or_else(|| "–".to_owned(), |v| v.to_string()))]);
    }
    table
}

fn lineage(report: &Value) -> Table {
    let mut table = Table::new("The line, table by table", &["Stage", "Reads", "Writes"]);
    let names = |stage: &Value, key: &str| {
        let names: Vec<&str> = stage.list(key).iter().filter_map(Value::as_str).collect();
        if names.is_empty() { "–".to_owned() } else { names.join(", ") }
    };
    for stage in report.list("lineage") {
        let name = stage.word("stage").unwrap_or("unnamed");
        table.row(vec![code(name), words(names(stage, "reads")), words(names(stage, "writes"))]);
    }
    table
}
