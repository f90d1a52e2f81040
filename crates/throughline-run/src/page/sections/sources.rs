//! What was read, what was refused and why, and how fresh it is.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::page::charts::{Bar, Look, bar_chart, figure_of};
use crate::page::format::{age, count, counted, instant, percent, seconds_between};
use crate::page::html::{Html, Table, code, figure, p, text, words, words_with};
use crate::page::read::{Read, metrics, sum};

use super::Section;

const FILES_SHOWN: usize = 200;

#[derive(Default)]
struct Source<'a> {
    files: u64,
    read: u64,
    events: u64,
    spend: u64,
    skipped: u64,
    refused: u64,
    duplicates: u64,
    last: Option<&'a str>,
    last_spend: Option<&'a str>,
}

/// The section.
pub(super) fn section(report: &Value) -> Option<Section> {
    let files: Vec<&Value> = metrics(report, "ingest").into_iter().map(|(_, m)| m).collect();
    if files.is_empty() {
        return None;
    }
    let mut sources: BTreeMap<&str, Source<'_>> = BTreeMap::new();
    let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
    for file in &files {
        add(sources.entry(file.word("source").unwrap_or("unnamed")).or_default(), file);
        for (reason, n) in file.counts("quarantined") {
            let entry = reasons.entry(reason).or_default();
            *entry = entry.saturating_add(n);
        }
    }
    let as_of = report.word("as_of");
    let body = Html::default()
        .with(by_source(&sources, as_of).html())
        .with_some(quarantine(&reasons))
        .with(by_file(&files).folded("File by file"));
    Some(Section { lede: lede(&sources, as_of), body })
}

fn add<'a>(source: &mut Source<'a>, file: &'a Value) {
    let n = |key| file.whole(key).unwrap_or(0);
    source.files += 1;
    source.read = source.read.saturating_add(n("rows_read"));
    source.events = source.events.saturating_add(n("events"));
    source.spend = source.spend.saturating_add(n("spend_rows"));
    source.skipped = source.skipped.saturating_add(n("rows_skipped"));
    source.refused = source.refused.saturating_add(refused(file));
    source.duplicates = source.duplicates.saturating_add(n("duplicates"));
    // Texts of one form sort as the instants do.
    source.last = source.last.max(file.word("last_occurred_at"));
    source.last_spend = source.last_spend.max(file.word("last_spend_on"));
}

fn refused(file: &Value) -> u64 {
    sum(file.counts("quarantined").into_iter().map(|(_, n)| n))
}

fn lede(sources: &BTreeMap<&str, Source<'_>>, as_of: Option<&str>) -> Html {
    let all = |f: fn(&Source<'_>) -> u64| sum(sources.values().map(f));
    let (read, refused, events) = (all(|s| s.read), all(|s| s.refused), all(|s| s.events));
    let origin = format!(
        "{} in {} ",
        counted(all(|s| s.files), "file", "files"),
        counted(sources.len() as u64, "source", "sources")
    );
    let mut out = text(origin).text("gave ").strong(counted(events, "event", "events"));
    out = match refused {
        0 => out.text(format!("; of {} none was refused.", counted(read, "row", "rows"))),
        n => {
            let share = percent(n as f64 / read.max(1) as f64);
            out.text(format!("; {} of {} ({share}) ", count(n), counted(read, "row", "rows")))
                .text("went to quarantine with a reason, and none was lost.")
        }
    };
    let newest = sources.values().filter_map(|s| s.last).max();
    match newest.zip(as_of).and_then(|(last, as_of)| seconds_between(last, as_of)) {
        Some(seconds) if seconds >= 0.0 => out.text(format!(" The newest event is {} old.", age(seconds))),
        _ => out,
    }
}

fn by_source(sources: &BTreeMap<&str, Source<'_>>, as_of: Option<&str>) -> Table {
    let head = [
        "Source",
        "Files",
        "Rows read",
        "Events",
        "Spend rows",
        "Not wanted",
        "Quarantined",
        "Repeats",
        "Newest event",
    ];
    let mut table = Table::new("Rows are counted one by one, so these figures are exact and have no interval.", &head);
    for (name, s) in sources {
        let newest = s.last.map_or_else(
            || words(s.last_spend.map_or_else(|| "no event".to_owned(), |day| format!("spend of {day}"))),
            |last| {
                let old = as_of.and_then(|as_of| seconds_between(last, as_of)).filter(|s| *s >= 0.0);
                words_with(&instant(last), &old.map(|s| format!("{} old", age(s))).unwrap_or_default())
            },
        );
        let mut row = vec![code(name)];
        row.extend([s.files, s.read, s.events, s.spend, s.skipped, s.refused, s.duplicates].map(|n| figure(count(n))));
        row.push(newest);
        table.row(row);
    }
    table
}

fn quarantine(reasons: &BTreeMap<&str, u64>) -> Option<Html> {
    if reasons.is_empty() {
        return None;
    }
    let mut sorted: Vec<(&str, u64)> = reasons.iter().map(|(k, n)| (*k, *n)).collect();
    sorted.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let mut table = Table::new("Rows in quarantine by reason", &["Reason", "Meaning", "Rows"]);
    let mut bars = Vec::new();
    for (reason, n) in sorted {
        table.row(vec![code(reason), words(meaning(reason)), figure(count(n))]);
        let label =
            if meaning(reason).is_empty() { reason.to_owned() } else { format!("{reason} {}", meaning(reason)) };
        bars.push(Bar { label, readout: counted(n, "row", "rows"), value: n as f64, look: Look::Nth(1) });
    }
    let chart = bar_chart("Bars: rows in quarantine by reason", &bars);
    let drawn = figure_of("Why rows went to quarantine", chart, &table)?;
    let words = "A refused row is kept whole in the quarantine table with its file, line and reason; it can be read \
    again \
                 once the cause is mended.";
    Some(drawn.with(p("note", text(words))))
}

/// What the codes of refused rows mean, briefly.
fn meaning(reason: &str) -> &'static str {
    match reason {
        "TL201" => "wrong number of fields",
        "TL202" => "not UTF-8",
        "TL203" => "not a JSON object",
        "TL204" => "too large",
        "TL205" => "value of the wrong type",
        "TL206" => "no id",
        "TL207" => "seen before",
        "TL208" => "one id used twice",
        "TL209" => "time missing or unreadable",
        "TL210" => "time outside 1990 to 2100",
        "TL211" => "time in the future",
        "TL212" => "no identifier",
        "TL213" => "unknown kind of event",
        "TL214" => "consent unreadable",
        "TL215" => "amount unreadable",
        "TL216" => "negative amount or count",
        "TL217" => "amount without currency",
        "TL218" => "not a whole number",
        _ => "",
    }
}

fn by_file(files: &[&Value]) -> Table {
    let caption = match files.len() {
        n if n > FILES_SHOWN => format!("The first {FILES_SHOWN} of {} files", count(n as u64)),
        _ => "Every file".to_owned(),
    };
    let head =
        ["File", "Source", "Rows read", "Events", "Quarantined", "First event", "Last event", "Columns not used"];
    let mut table = Table::new(caption, &head);
    for file in files.iter().take(FILES_SHOWN) {
        let n = |key| figure(file.whole(key).map_or_else(|| "–".to_owned(), count));
        let time = |key| words(file.word(key).map(instant).unwrap_or_default());
        let unused: Vec<&str> = file.list("columns_unused").iter().filter_map(Value::as_str).collect();
        table.row(vec![
            code(file.word("file").unwrap_or("unnamed")),
            words(file.word("source").unwrap_or_default()),
            n("rows_read"),
            n("events"),
            figure(count(refused(file))),
            time("first_occurred_at"),
            time("last_occurred_at"),
            words(unused.join(", ")),
        ]);
    }
    table
}
