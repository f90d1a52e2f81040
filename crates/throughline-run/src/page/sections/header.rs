//! Which run this is and whether all is well.

use serde_json::Value;

use crate::page::format::{count, counted, duration, instant, listed};
use crate::page::html::{Html, el, text};
use crate::page::read::Read;

use super::findings::{Finding, Weight};

/// The header.
pub(crate) fn header(report: &Value, found: &[Finding]) -> Html {
    let kicker = match report.whole("run_seq") {
        Some(n) => format!("Run {}", count(n)),
        None => "Run".to_owned(),
    };
    let facts: Html = facts(report).iter().map(|f| el("span", &[], text(f)).text(" ")).collect();
    let questions: Html = questions(report).into_iter().map(|q| el("li", &[], text(q))).collect();
    let questions = (!questions.is_empty()).then(|| el("ul", &[("class", "questions")], questions));
    let inner = el("p", &[("class", "kicker")], text(kicker))
        .with(el("h1", &[], text(report.word("project").unwrap_or("Run report"))))
        .with(el("p", &[("class", "facts")], facts))
        .with_some(questions)
        .with(verdict(report, found));
    el("header", &[], inner)
}

fn facts(report: &Value) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(at) = report.word("as_of") {
        out.push(format!("as of {}", instant(at)));
    }
    if let Some(at) = report.word("started_at") {
        out.push(format!("started {}", instant(at)));
    }
    let units = || report.list("stages").iter().flat_map(|s| s.list("units"));
    if units().next().is_some() {
        out.push(format!("{} of work", duration(units().filter_map(|u| u.num("seconds")).sum())));
    }
    match report.whole("resumed") {
        Some(0) => out.push("not interrupted".to_owned()),
        Some(n) => out.push(format!("resumed {} after an interruption", counted(n, "time", "times"))),
        None => {}
    }
    out
}

fn questions(report: &Value) -> Vec<&str> {
    report.list("questions").iter().filter_map(Value::as_str).filter(|q| !q.is_empty()).collect()
}

fn verdict(report: &Value, found: &[Finding]) -> Html {
    let number = |weight| found.iter().filter(|f| f.weight == weight).count() as u64;
    let (errors, alarms, warnings, notes) =
        (number(Weight::Error), number(Weight::Alarm), number(Weight::Warning), number(Weight::Note));
    let link = |words: String| el("a", &[("href", "#findings")], text(words));
    let (tone, words) = match errors + alarms + warnings {
        0 if report.list("stages").is_empty() => ("info", text("Nothing ran: there is nothing to judge.")),
        0 if notes == 0 => ("good", Html::default().strong("All is well.").text(" No stage found anything to report.")),
        0 => {
            let rest = link(counted(notes, "note", "notes"));
            ("good", Html::default().strong("All is well.").text(" Worth knowing: ").with(rest).text("."))
        }
        n => {
            let each = [(errors, "error", "errors"), (alarms, "alarm", "alarms"), (warnings, "warning", "warnings")];
            let each: Vec<String> =
                each.iter().filter(|(n, ..)| *n > 0).map(|(n, one, many)| counted(*n, one, many)).collect();
            let tone = if errors + alarms > 0 { "error" } else { "warning" };
            let words = el("strong", &[], link(counted(n, "finding", "findings")));
            (tone, words.text(format!(" to look at: {}.", listed(&each))))
        }
    };
    el("p", &[("class", &format!("verdict {tone}"))], el("span", &[], words))
}
