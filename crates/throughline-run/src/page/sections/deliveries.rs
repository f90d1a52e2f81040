//! From decisions to what left the house.

use serde_json::Value;

use crate::page::charts::{Bar, Look, bar_chart, figure_of};
use crate::page::format::{count, counted, in_words, percent};
use crate::page::html::{Html, Table, el, figure, p, text, words};
use crate::page::read::{Read, metrics, sum};

use super::Section;

/// The section.
pub(super) fn section(report: &Value) -> Option<Section> {
    let all: Vec<(&str, &Value)> =
        metrics(report, "activate").into_iter().filter(|(_, m)| m.at("fates").is_object()).collect();
    if all.is_empty() {
        return None;
    }
    let total = |of: fn(&Value) -> u64| sum(all.iter().map(|(_, m)| of(m.at("fates"))));
    let (decisions, sent) = (total(|f| f.whole("decisions").unwrap_or(0)), total(sent));
    let (held, rejected) = (total(|f| of(f, "suppressed")), total(|f| of(f, "rejected")));
    let share = percent(sent as f64 / decisions.max(1) as f64);
    let verb = if sent == 1 { "was" } else { "were" };
    let mut lede = text("").strong(format!("{} of {} ", count(sent), counted(decisions, "decision", "decisions")));
    lede = lede.text(format!("({share}) {verb} delivered; {} held back on purpose", count(held)));
    lede = match rejected {
        0 => lede.text(" and none failed."),
        n => lede.text(format!(" and {} could not be sent.", count(n))),
    };
    lede = match decisions.checked_sub(sent.saturating_add(held).saturating_add(rejected)) {
        Some(0) => lede.text(" Every decision is accounted for."),
        _ => lede.text(" The counts do not add up: look at the deliveries table."),
    };
    let stale = sum(all.iter().filter_map(|(_, m)| m.at("fates").at("suppressed").whole("stale")));
    if stale > 0 {
        let some = counted(stale, "decision had", "decisions had");
        lede = lede.text(format!(" {some} expired before this run could send them."));
    }
    let body: Html = all.iter().map(|(name, m)| block(name, m)).collect();
    let note = "Deliveries are counted one by one, so these figures are exact and have no interval.";
    Some(Section { lede, body: body.with(p("note", text(note))) })
}

fn sent(fates: &Value) -> u64 {
    fates.whole("to_send").unwrap_or(0).saturating_add(fates.whole("carried").unwrap_or(0))
}

fn of(fates: &Value, key: &str) -> u64 {
    sum(fates.counts(key).into_iter().map(|(_, n)| n))
}

fn block(name: &str, delivery: &Value) -> Html {
    let fates = delivery.at("fates");
    let destination = delivery.word("destination").unwrap_or(name);
    let decisions = fates.whole("decisions").unwrap_or(0);
    let mut steps = vec![("decisions".to_owned(), decisions, "of the cycle", Look::Nth(7))];
    for (reason, n) in fates.counts("suppressed") {
        steps.push((format!("held back: {}", in_words(reason)), n, meaning(reason), Look::Nth(4)));
    }
    for (reason, n) in fates.counts("rejected") {
        steps.push((format!("could not be sent: {}", in_words(reason)), n, meaning(reason), Look::Nth(1)));
    }
    steps.push(("sent".to_owned(), sent(fates), "now or by an earlier attempt", Look::Main));
    let mut table = Table::new(
        format!("What became of the decisions for {destination}"),
        &["Step", "Meaning", "Decisions", "Share"],
    );
    let mut bars = Vec::new();
    for (label, n, meaning, look) in steps {
        let share = percent(n as f64 / decisions.max(1) as f64);
        table.row(vec![words(&label), words(meaning), figure(count(n)), figure(&share)]);
        bars.push(Bar { label, readout: format!("{} ({share})", count(n)), value: n as f64, look });
    }
    let label = format!("Bars: from {} decisions to what was sent to {destination}", count(decisions));
    Html::default()
        .with(el("h3", &[], text(destination)))
        .with_some(figure_of("From decision to delivery", bar_chart(&label, &bars), &table))
        .with(p("note", batches(delivery)))
}

fn meaning(reason: &str) -> &'static str {
    match reason {
        "duplicate" => "a second decision for the same person; the first counts",
        "holdout" => "left alone at random, to measure the effect",
        "not_live" => "recorded but not carried out",
        "filtered" => "the destination does not want it",
        "stale" => "the decision has expired",
        "no_consent" => "the person does not agree, as of now",
        "no_identifier" => "the person has no address of the kind needed",
        _ => "",
    }
}

fn batches(delivery: &Value) -> Html {
    let mut out = Html::default();
    if let Some(adapter) = delivery.word("adapter") {
        out = out.text("Adapter ").code(adapter).text(". ");
    }
    if let Some(n) = delivery.whole("batches_sent") {
        out = out.text(format!("{} left in this run", counted(n, "batch", "batches")));
        out = match delivery.whole("batches_found").unwrap_or(0) {
            0 => out.text("."),
            found => {
                out.text(format!("; {} there already and not sent twice.", counted(found, "batch was", "batches were")))
            }
        };
    }
    if let Some(openings) = Some(delivery.list("openings").len() as u64).filter(|n| *n > 0) {
        let times = if openings == 1 { "once".to_owned() } else { format!("{} times", count(openings)) };
        out = out.text(format!(" The vault was opened {times}, and each opening is in the audit log."));
    }
    out
}
