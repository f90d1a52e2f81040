//! Every part of the line held against the truth of a simulated market.

use serde_json::Value;

use crate::page::format::{count, in_words, level, number, percent};
use crate::page::html::{Cell, Html, Table, code, el, figure, figure_with, p, prose, text, words, words_with};
use crate::page::read::Read;

use super::Section;

/// The section; `None` when the truth is not known or nothing was scored.
pub(super) fn section(report: &Value) -> Option<Section> {
    let parts = report.at("truth").list("scores");
    let named: Vec<(&str, &Value)> = parts.iter().filter_map(|part| Some((part.word("part")?, part))).collect();
    if named.is_empty() {
        return None;
    }
    Some(Section { lede: lede(&named), body: named.iter().map(|(name, part)| block(name, part)).collect() })
}

fn lede(parts: &[(&str, &Value)]) -> Html {
    let rows = || parts.iter().flat_map(|(_, part)| part.list("rows"));
    let held = |key: &str| rows().filter_map(|r| r.at("coverage").whole(key)).fold(0, u64::saturating_add);
    let out = text(
        "Because the market is simulated, everything that the run produced can be held against what is true, and nothing \
         is left out where it fails.",
    );
    match (held("covered"), held("total")) {
        (_, 0) => out,
        (covered, total) => out
            .text(" Of its intervals, ")
            .strong(format!("{} of {}", count(covered), count(total)))
            .text(" hold the truth they are held against."),
    }
}

fn block(name: &str, part: &Value) -> Html {
    let out = el("h3", &[], text(capital(&in_words(name))));
    if let Some(why) = part.word("absent") {
        return out.with(p("note", text(format!("Nothing to score: {why}."))));
    }
    let out = out.with_some(part.word("about").map(|about| p("note", prose(about))));
    let caption = format!("{}: every measure", capital(&in_words(name)));
    let mut table = Table::new(caption, &["Of", "Measure", "Value", "Number behind it"]);
    for row in part.list("rows") {
        let of = row.word("name").unwrap_or("unnamed");
        let measure = row.word("measure").unwrap_or("unnamed");
        let measure = match row.word("note") {
            Some(note) => words_with(&in_words(measure), note),
            None => words(in_words(measure)),
        };
        let behind = figure(row.whole("n").map_or_else(|| "–".to_owned(), count));
        table.row(vec![code(of), measure, value(row), behind]);
    }
    if table.is_empty() { out } else { out.with(table.html()) }
}

/// The number with its unit, over the interval of the run or the counts of a coverage.
fn value(row: &Value) -> Cell {
    let Some(value) = row.num("value") else { return figure("–") };
    let coverage = row.at("coverage");
    if let (Some(covered), Some(total), Some(nominal)) =
        (coverage.whole("covered"), coverage.whole("total"), coverage.num("nominal"))
    {
        let under = format!("{} of {}, promised {}", count(covered), count(total), level(nominal));
        return figure_with(&percent(value), &under);
    }
    let under = match row.list("interval") {
        [low, high] => format!("{} to {}", end(low, "−∞"), end(high, "∞")),
        _ => String::new(),
    };
    let unit = row.word("unit").map(|u| format!(" {u}")).unwrap_or_default();
    figure_with(&format!("{}{unit}", number(value)), &under)
}

/// An end of an interval; null is unbounded.
fn end(value: &Value, unbounded: &str) -> String {
    value.as_f64().map_or_else(|| unbounded.to_owned(), number)
}

fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map(|c| c.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
