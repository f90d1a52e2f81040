//! How many journeys ended in a conversion, and which touches count.

use serde_json::Value;

use crate::page::charts::{Bar, Look, bar_chart, figure_of};
use crate::page::format::{count, counted, in_words, percent};
use crate::page::html::{Html, Table, code, figure, text, words};
use crate::page::read::{Read, metrics, sum};

use super::Section;

/// The section.
pub(super) fn section(report: &Value) -> Option<Section> {
    let (_, found) = metrics(report, "journeys").into_iter().next()?;
    let (converting, others) = (found.whole("converting")?, found.whole("not_converting")?);
    let all = converting.saturating_add(others);
    let mut touches = found.counts("touches");
    touches.sort_by_key(|(rule, n)| (*rule != "kept", std::cmp::Reverse(*n)));
    let kept = sum(touches.iter().filter(|(rule, _)| *rule == "kept").map(|(_, n)| *n));
    let seen = sum(touches.iter().map(|(_, n)| *n));

    let mut lede = text("")
        .strong(format!("{} of {} ", count(converting), counted(all, "journey", "journeys")))
        .text(format!("({}) ended in a conversion", percent(converting as f64 / all.max(1) as f64)));
    if seen > 0 {
        let share = percent(kept as f64 / seen as f64);
        lede = lede.text(format!(
            "; {} of {} ({share}) count towards credit",
            count(kept),
            counted(seen, "touch", "touches")
        ));
        lede = if kept < seen { lede.text(", the others were set aside by a named rule.") } else { lede.text(".") };
    } else {
        lede = lede.text(".");
    }
    let mut body = Html::default().with_some(chart(&touches, seen));
    let mut notes = Vec::new();
    if let Some(n) = found.whole("persons") {
        notes.push(format!(
            "{} at least one journey.",
            if n == 1 { "1 person has".into() } else { format!("{} people have", count(n)) }
        ));
    }
    if let Some(n) = found.whole("conversions_without_consent").filter(|n| *n > 0) {
        let some = counted(n, "conversion is", "conversions are");
        notes.push(format!("{some} left out because the person did not agree to measurement."));
    }
    notes.push("Journeys and touches are counted one by one, so these figures are exact and have no interval.".into());
    body = body.with(crate::page::html::p("note", text(notes.join(" "))));
    Some(Section { lede, body })
}

fn chart(touches: &[(&str, u64)], seen: u64) -> Option<Html> {
    let mut table = Table::new("Touches by rule", &["Rule", "Meaning", "Touches", "Share"]);
    let mut bars = Vec::new();
    for (rule, n) in touches {
        let share = percent(*n as f64 / seen.max(1) as f64);
        let look = if *rule == "kept" { Look::Main } else { Look::Nth(7) };
        let label = format!("{}: {}", in_words(rule), meaning(rule));
        let label = label.strip_suffix(": ").unwrap_or(&label).to_owned();
        bars.push(Bar { label, readout: format!("{} ({share})", count(*n)), value: *n as f64, look });
        table.row(vec![code(rule), words(meaning(rule)), figure(count(*n)), figure(share)]);
    }
    figure_of(
        "What became of the touches",
        bar_chart("Bars: touches by the rule that kept or dropped them", &bars),
        &table,
    )
}

fn meaning(rule: &str) -> &'static str {
    match rule {
        "kept" => "counts towards credit",
        "same_session" => "one visit counts once",
        "repeated_channel" => "same channel again",
        "outside_lookback" => "too long before the end",
        "direct_ignored" => "direct adds nothing here",
        "no_consent" => "no consent to measurement",
        "over_limit" => "journey too long",
        _ => "",
    }
}
