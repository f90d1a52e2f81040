//! How identifiers became people.

use serde_json::Value;

use crate::page::format::{count, counted, fixed};
use crate::page::html::{Html, Table, figure, text, words};
use crate::page::read::{Read, metrics};

use super::Section;

const LINES: &[(&str, &str, &str)] = &[
    ("events", "Events read", "every event of every source"),
    ("identifiers", "Identifiers", "distinct e-mail addresses, cookies, customer numbers and the like, all as tokens"),
    ("persons", "People", "identifiers that belong together, counted once"),
    ("links", "Links seen", "pairs of identifiers that one event named together"),
    ("links_refused", "Links refused", "they would have made one person of too many identifiers"),
    ("unlinked_without_consent", "Events not linked: no consent", "they stay with the identifier they came with"),
    ("unlinked_by_source", "Events not linked: source", "the project does not let their source be linked"),
    ("duplicates", "Repeats", "further revisions or repetitions of an event already there"),
    ("timeline_rows", "Rows of the timeline", "events in order, person by person"),
    ("merged", "People merged", "known until now as two, one from this run on"),
    ("split", "People split", "known until now as one, two from this run on"),
];

/// The section.
pub(super) fn section(report: &Value) -> Option<Section> {
    let (_, found) = metrics(report, "link").into_iter().next()?;
    let persons = found.whole("persons")?;
    let mut table = Table::new(
        "Counted one by one, so these figures are exact and have no interval.",
        &["What", "Count", "Meaning"],
    );
    for (key, name, meaning) in LINES {
        if let Some(n) = found.whole(key) {
            table.row(vec![words(name), figure(count(n)), words(meaning)]);
        }
    }
    let body = if table.is_empty() { Html::default() } else { table.html() };
    Some(Section { lede: lede(found, persons), body })
}

fn lede(found: &Value, persons: u64) -> Html {
    let people = counted(persons, "person", "people");
    let mut out = match found.whole("identifiers") {
        Some(n) => {
            let each = fixed(n as f64 / persons.max(1) as f64, 1);
            text(format!("{} belong to ", counted(n, "identifier", "identifiers")))
                .strong(people)
                .text(format!(", {each} each on average."))
        }
        None => text("The events belong to ").strong(people).text("."),
    };
    if let Some(n) = found.whole("unlinked_without_consent") {
        out = match n {
            0 => out.text(" Nobody's events were linked against their consent."),
            n => out.text(format!(
                " {} not linked for want of consent, so some of these people may be the same.",
                if n == 1 { "1 event was".to_owned() } else { format!("{} events were", count(n)) }
            )),
        };
    }
    match found.whole("links_refused") {
        Some(n) if n > 0 => out.text(format!(" {} refused as implausible.", counted(n, "link was", "links were"))),
        _ => out,
    }
}
