//! The line at a glance: what each stage made of the one before.

use serde_json::Value;

use crate::page::format::{count, counted, duration, fixed};
use crate::page::html::{Html, el, text};
use crate::page::read::{Read, metrics, sum};

use super::Built;

struct Card {
    stage: &'static str,
    section: &'static str,
    noun: &'static str,
    figure: fn(&Value) -> Option<String>,
}

const CARDS: &[Card] = &[
    Card { stage: "ingest", section: "sources", noun: "events", figure: events },
    Card { stage: "link", section: "people", noun: "people", figure: people },
    Card { stage: "journeys", section: "journeys", noun: "journeys", figure: journeys },
    Card { stage: "attribute", section: "attribution", noun: "credits", figure: credits },
    Card { stage: "prove", section: "experiments", noun: "effects", figure: effects },
    Card { stage: "decide", section: "decisions", noun: "decisions", figure: decisions },
    Card { stage: "activate", section: "deliveries", noun: "deliveries", figure: deliveries },
];

/// The stages with their counts, linked to their sections; `None` when none of them ran.
pub(crate) fn line(report: &Value, built: &[Built]) -> Option<Html> {
    let cards: Html = CARDS.iter().filter_map(|c| card(c, report, built)).collect();
    (!cards.is_empty()).then(|| el("ol", &[("class", "line"), ("aria-label", "The line, stage by stage")], cards))
}

fn card(card: &Card, report: &Value, built: &[Built]) -> Option<Html> {
    let stage = report.list("stages").iter().find(|s| s.word("name") == Some(card.stage))?;
    let units = stage.list("units");
    if units.is_empty() {
        return None;
    }
    let ran = units.iter().filter(|u| u.word("status") == Some("ran")).count();
    let seconds: f64 = units.iter().filter_map(|u| u.num("seconds")).sum();
    let status = match (ran, units.len()) {
        (0, _) => "unchanged".to_owned(),
        (ran, all) if ran == all => format!("ran in {}", duration(seconds)),
        (ran, all) => format!("{} of {} ran in {}", count(ran as u64), count(all as u64), duration(seconds)),
    };
    let part = |class, words: &str| el("span", &[("class", class)], text(words));
    let figure = (card.figure)(report).unwrap_or_else(|| "–".to_owned());
    let inner = part("noun", card.noun).text(" ").with(part("big", &figure)).text(" ").with(part("sub", &status));
    let target = format!("#{}", card.section);
    let inner = if built.iter().any(|b| b.id == card.section) { el("a", &[("href", &target)], inner) } else { inner };
    Some(el("li", &[("class", if ran == 0 { "unchanged" } else { "ran" })], inner))
}

fn total(report: &Value, stage: &str, of: impl Fn(&Value) -> Option<u64>) -> Option<String> {
    let counts: Vec<u64> = metrics(report, stage).into_iter().filter_map(|(_, m)| of(m)).collect();
    (!counts.is_empty()).then(|| count(sum(counts.into_iter())))
}

fn events(report: &Value) -> Option<String> {
    total(report, "ingest", |m| m.whole("events"))
}

fn people(report: &Value) -> Option<String> {
    total(report, "link", |m| m.whole("persons"))
}

fn journeys(report: &Value) -> Option<String> {
    total(report, "journeys", |m| Some(m.whole("converting")?.saturating_add(m.whole("not_converting")?)))
}

fn credits(report: &Value) -> Option<String> {
    let all = metrics(report, "attribute");
    let totals: Vec<f64> =
        all.iter().flat_map(|(_, m)| m.list("conversions")).filter_map(|c| c.at("totals").num("conversions")).collect();
    (!totals.is_empty()).then(|| fixed(totals.iter().sum(), 0))
}

fn effects(report: &Value) -> Option<String> {
    total(report, "prove", |m| {
        Some(sum(m.list("experiments").iter().map(|e| e.at("reading").list("comparisons").len() as u64)))
    })
}

fn decisions(report: &Value) -> Option<String> {
    total(report, "decide", |m| m.whole("people"))
}

fn deliveries(report: &Value) -> Option<String> {
    let sent = |m: &Value| {
        let fates = m.at("fates");
        Some(fates.whole("to_send")?.saturating_add(fates.whole("carried").unwrap_or(0)))
    };
    total(report, "activate", sent)
}

/// The whole line as a table: every stage with its version, its work and its time.
pub(crate) fn table(report: &Value) -> crate::page::html::Table {
    use crate::page::html::{code, figure, words};
    let head = ["Stage", "Version", "Units", "Ran", "Seconds", "Rows written"];
    let mut table = crate::page::html::Table::new("Stages of this run", &head);
    for stage in report.list("stages") {
        let units = stage.list("units");
        let ran = units.iter().filter(|u| u.word("status") == Some("ran")).count();
        let seconds: f64 = units.iter().filter_map(|u| u.num("seconds")).sum();
        let rows = sum(units.iter().flat_map(|u| u.counts("rows")).map(|(_, n)| n));
        table.row(vec![
            code(stage.word("name").unwrap_or("unnamed")),
            figure(stage.whole("version").map_or_else(|| "–".to_owned(), count)),
            figure(count(units.len() as u64)),
            if ran == 0 { words("none: nothing changed") } else { words(counted(ran as u64, "unit", "units")) },
            figure(fixed(seconds, 1)),
            figure(if ran == 0 { "–".to_owned() } else { count(rows) }),
        ]);
    }
    table
}
