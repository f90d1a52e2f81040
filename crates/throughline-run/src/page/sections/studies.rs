//! What the studies say, and which could not be carried out.

use serde_json::Value;

use crate::page::format::{Unit, counted, p_value};
use crate::page::html::{Html, Table, el, figure, figure_with, text, words};
use crate::page::read::{Read, Uncertain, metrics};

use super::Section;

const PLAIN: Unit = Unit::Plain;

/// The section.
pub(super) fn section(report: &Value) -> Option<Section> {
    let stages = metrics(report, "prove");
    let all: Vec<&Value> = stages.iter().flat_map(|(_, m)| m.list("studies")).collect();
    if all.is_empty() {
        return None;
    }
    let failed = all.iter().filter(|s| s.word("evidence").is_none()).count();
    let mut lede = text(format!(
        "{} of effects where nothing was drawn at random. They decide only once somebody answers for their assumptions.",
        counted(all.len() as u64, "study", "studies")
    ));
    if failed > 0 {
        lede = lede.text(" ").strong(format!("{failed} could not be carried out")).text(", with the reason below.");
    }
    let head = ["Study", "Action", "Metric", "Design", "Effect", "p-value", "Tier"];
    let mut table = Table::new("Effects that studies found".to_owned(), &head);
    let mut said: Vec<Html> = Vec::new();
    for study in &all {
        let name = study.word("study").unwrap_or("unnamed");
        if let Some(e) = Uncertain::estimate(study.at("estimate")) {
            table.row(vec![
                words(name),
                words(study.at("scope").word("action").unwrap_or("–")),
                words(study.at("estimand").word("metric").unwrap_or("–")),
                words(study.word("design").unwrap_or("–").replace('_', " ")),
                figure_with(&e.value_text(&PLAIN), &e.interval_text(&PLAIN)),
                figure(e.p.map_or_else(|| "none".into(), p_value)),
                figure(study.whole("tier").map_or_else(|| "–".into(), |t| t.to_string())),
            ]);
        }
        for found in study.list("diagnostics") {
            let (code, message) = (found.word("code").unwrap_or("–"), found.word("message").unwrap_or("–"));
            let help = found.word("help").map(|h| format!(" {h}.")).unwrap_or_default();
            said.push(el("li", &[("class", "info")], text(format!("{name}: {message} ({code}).{help}"))));
        }
    }
    let mut body = text("");
    if !table.is_empty() {
        body = body.with(table.html());
    }
    if !said.is_empty() {
        body = body.with(el("ul", &[("class", "say")], said.into_iter().collect()));
    }
    Some(Section { lede, body })
}
