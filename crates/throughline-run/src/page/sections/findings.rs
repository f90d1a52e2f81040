//! Everything any stage found, the gravest first.

use serde_json::Value;

use crate::page::format::{count, counted};
use crate::page::html::{Html, el, prose, text};
use crate::page::read::Read;

use super::Section;

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weight {
    /// Something was not produced.
    Error,
    /// A figure is far worse than usual.
    Alarm,
    /// The answer stands, with a caveat.
    Warning,
    /// Worth knowing.
    Note,
}

impl Weight {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Error => ("Error", "error"),
            Self::Alarm => ("Alarm", "error"),
            Self::Warning => ("Warning", "warning"),
            Self::Note => ("Note", "info"),
        }
    }
}

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// How grave.
    pub(crate) weight: Weight,
    code: String,
    message: String,
    help: Option<String>,
    place: String,
    times: u64,
}

/// Every finding of the report: those about the configuration, those of the stages and the alarms of the watch.
pub(crate) fn collect(report: &Value) -> Vec<Finding> {
    let mut out = Vec::new();
    walk(report.at("warnings"), "configuration", 0, &mut out);
    // What the columns of files say stands with their units.
    for source in report.list("sources") {
        for gone in source.list("warnings").iter().filter(|w| w.word("code") == Some("TL137")) {
            walk(gone, "ingest", 0, &mut out);
        }
    }
    for stage in report.list("stages") {
        let name = stage.word("name").unwrap_or("a stage");
        for unit in stage.list("units") {
            let place = match unit.word("name") {
                Some(unit) if unit != "all" => format!("{name}, {unit}"),
                _ => name.to_owned(),
            };
            walk(unit.at("metrics"), &place, 0, &mut out);
            if name == "observe" {
                out.extend(unit.at("metrics").list("rows").iter().filter_map(of_health));
            }
        }
    }
    out.sort_by_key(|f| f.weight);
    let mut merged: Vec<Finding> = Vec::new();
    for finding in out {
        let same = |f: &&mut Finding| f.code == finding.code && f.message == finding.message && f.help == finding.help;
        match merged.iter_mut().find(same) {
            Some(first) => first.times += 1,
            None => merged.push(finding),
        }
    }
    merged
}

const DEPTH: usize = 32;

/// Diagnostics are told by their shape, wherever a stage puts them.
fn walk(value: &Value, place: &str, depth: usize, out: &mut Vec<Finding>) {
    if depth > DEPTH {
        return;
    }
    match value {
        Value::Array(items) => items.iter().for_each(|v| walk(v, place, depth + 1, out)),
        Value::Object(fields) => match diagnostic(value, place) {
            Some(finding) => out.push(finding),
            None => fields.values().for_each(|v| walk(v, place, depth + 1, out)),
        },
        _ => {}
    }
}

fn diagnostic(value: &Value, place: &str) -> Option<Finding> {
    let weight = match value.word("severity")? {
        "error" => Weight::Error,
        "warning" => Weight::Warning,
        "info" => Weight::Note,
        _ => return None,
    };
    let location = value.at("location");
    let place = location.word("file").map_or_else(
        || place.to_owned(),
        |file| match (location.whole("line"), location.whole("column")) {
            (Some(line), Some(column)) => format!("{file}:{line}:{column}"),
            (Some(line), None) => format!("{file}:{line}"),
            _ => file.to_owned(),
        },
    );
    Some(Finding {
        weight,
        code: value.word("code")?.to_owned(),
        message: value.word("message")?.to_owned(),
        help: value.word("help").map(str::to_owned),
        place,
        times: 1,
    })
}

fn of_health(row: &Value) -> Option<Finding> {
    let weight = match row.word("status")? {
        "alarm" => Weight::Alarm,
        "changed" => Weight::Note,
        _ => return None,
    };
    let metric = row.word("metric").unwrap_or("figure");
    let help = match metric {
        "rows" | "rows_last_day" => "see whether every file of the source arrived whole, and only once",
        "age_hours" => "see whether the source still delivers",
        "null_share" => "see whether the column changed at the source, and the expression that reads it",
        "quarantine_share" => "see the reasons in the quarantine table; often a column changed at the source",
        _ => "compare with the runs before",
    };
    let message = row.word("note").map_or_else(
        || format!("{metric} of `{}` is not as usual", row.word("scope").unwrap_or("a table")),
        str::to_owned,
    );
    let help = (weight == Weight::Alarm).then(|| help.to_owned());
    Some(Finding { weight, code: metric.to_owned(), message, help, place: "observe".to_owned(), times: 1 })
}

const SHOWN: usize = 100;

/// The section.
pub(crate) fn section(found: &[Finding]) -> Option<Section> {
    let graves = found.iter().filter(|f| f.weight != Weight::Note).count();
    let notes = found.len() - graves;
    let lede = match (graves, notes) {
        (0, 0) => return None,
        (0, n) => text(format!(
            "Nothing needs doing. {} what is worth knowing when you read the numbers below.",
            if n == 1 { "One note says".to_owned() } else { format!("{} notes say", count(n as u64)) }
        )),
        (g, n) => {
            let what = if g == 1 { "thing deserves" } else { "things deserve" };
            let mut words = Html::default().strong(format!("{} {what} a look", count(g as u64)));
            words = words.text(" before you rely on the numbers below");
            let rest = if n == 0 { String::new() } else { format!("; {} follow", counted(n as u64, "note", "notes")) };
            words.text(rest).text(".")
        }
    };
    let items: Html = found.iter().take(SHOWN).map(item).collect();
    let mut body = el("ul", &[("class", "say")], items);
    if found.len() > SHOWN {
        let rest = count((found.len() - SHOWN) as u64);
        body = body.with(el("p", &[("class", "note")], text(format!("{rest} more stand in report.json."))));
    }
    Some(Section { lede, body })
}

fn item(finding: &Finding) -> Html {
    let (word, tone) = finding.weight.words();
    let head = el("span", &[("class", "tag")], text(word)).text(" ").code(&finding.code).text(" ");
    let mut place = Html::default().text("Where: ").text(&finding.place);
    if finding.times > 1 {
        place = place.text(format!(", and {} more", count(finding.times - 1)));
    }
    let mut inner = head.with(prose(&finding.message)).with(el("span", &[("class", "what")], place));
    if let Some(help) = &finding.help {
        inner = inner.with(el("span", &[("class", "what")], text("What to do: ").with(prose(help))));
    }
    el("li", &[("class", tone)], inner)
}
