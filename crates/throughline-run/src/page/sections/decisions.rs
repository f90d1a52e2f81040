//! What was decided, what it is expected to bring, and the proof that no allocation would bring more.

use serde_json::Value;

use crate::page::charts::{Bar, Look, bar_chart, figure_of};
use crate::page::format::{Unit, count, counted, percent};
use crate::page::html::{Html, Table, code, el, figure, p, text, words};
use crate::page::read::{Read, currency, metrics, sum};

use super::Section;

/// The section.
pub(super) fn section(report: &Value) -> Option<Section> {
    let unit = currency(report);
    let cycles = metrics(report, "decide");
    let (name, first) = cycles.first()?;
    let lede = lede(first.word("policy").unwrap_or(name), first, &unit);
    let body = cycles.iter().map(|(name, m)| block(name, m, &unit, cycles.len() > 1)).collect();
    Some(Section { lede, body })
}

fn actions(cycle: &Value) -> Vec<(&str, u64)> {
    let mut out = cycle.counts("actions");
    out.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    out
}

fn lede(policy: &str, cycle: &Value, unit: &Unit) -> Html {
    let actions = actions(cycle);
    let all = cycle.whole("people").unwrap_or_else(|| sum(actions.iter().map(|(_, n)| *n)));
    let mut out = text(format!("{policy} decided for ")).strong(counted(all, "person", "people"));
    let top: Vec<String> = actions.iter().take(3).map(|(action, n)| format!("{} {action}", count(*n))).collect();
    if !top.is_empty() {
        out = out.text(format!(": {}{}", top.join(", "), if actions.len() > 3 { " and others" } else { "" }));
    }
    out = out.text(".");
    if let Some(value) = cycle.num("expected_net_value") {
        out = out.text(" By the model's scores this is expected to bring ").strong(unit.show(value)).text(" net");
        out = match cycle.num("cost") {
            Some(cost) => out.text(format!(" at a cost of {}.", unit.show(cost))),
            None => out.text("."),
        };
    }
    out
}

fn block(name: &str, cycle: &Value, unit: &Unit, several: bool) -> Html {
    let policy = cycle.word("policy").unwrap_or(name);
    let mut out = Html::default();
    if several {
        out = out.with(el("h3", &[], text(policy))).with(p("", lede(policy, cycle, unit)));
    }
    out = out.with_some(chart(cycle));
    let certificate = cycle.at("certificate");
    out = out.with(facts(cycle, unit).html());
    out = out.with(p(
        "note",
        text(
            "People are counted, so those figures are exact. The expected net value is a sum of the model's \
            predictions: what \
             it is worth in fact, with its interval, stands under the value of the policy.",
        ),
    ));
    if let Some(id) = cycle.word("cycle_id") {
        out = out.with(p("note", text("Cycle ").code(id).text(".")));
    }
    if certificate.is_object() {
        out = out.with(el("h3", &[], text("Could the budget be spent better?"))).with(p("", proof(cycle, unit)));
    }
    out
}

fn chart(cycle: &Value) -> Option<Html> {
    let actions = actions(cycle);
    let all = sum(actions.iter().map(|(_, n)| *n)).max(1) as f64;
    let mut table = Table::new("People by action", &["Action", "People", "Share"]);
    let mut bars = Vec::new();
    for (action, n) in actions {
        let share = percent(n as f64 / all);
        table.row(vec![code(action), figure(count(n)), figure(&share)]);
        let look = if action == "none" { Look::Nth(7) } else { Look::Main };
        bars.push(Bar { label: action.to_owned(), readout: format!("{} ({share})", count(n)), value: n as f64, look });
    }
    figure_of("People by action", bar_chart("Bars: people by the action decided for them", &bars), &table)
}

fn facts(cycle: &Value, unit: &Unit) -> Table {
    let mut table = Table::new("The cycle in numbers", &["What", "Figure", "Meaning"]);
    let mut add = |name: &str, value: Option<String>, meaning: &str| {
        if let Some(value) = value {
            table.row(vec![words(name), figure(value), words(meaning)]);
        }
    };
    let n = |key| cycle.whole(key).map(count);
    add("Held out", n("held_out"), "left alone at random, to measure what the policy achieves");
    add("Explored", n("explored"), "given an action at random, so that later models learn what would have happened");
    let rate = cycle.num("exploration_rate").map(percent);
    add("Chance of being explored", rate, "exact; logged with every decision");
    add("Without a score", n("without_score"), "the model could say nothing about them");
    add(
        "Expected net value",
        cycle.num("expected_net_value").map(|v| unit.show(v)),
        "sum of the predictions for what was decided",
    );
    add("Cost", cycle.num("cost").map(|v| unit.show(v)), "of everything decided, exploration included");
    add("Evidence", cycle.whole("evidence_tier").map(|t| format!("tier {t}")), tier(cycle.whole("evidence_tier")));
    add("Policy version", n("policy_version"), "versions never change; a new text is a new version");
    table
}

fn tier(tier: Option<u64>) -> &'static str {
    match tier {
        Some(3) => "the scores come from a randomised experiment whose checks passed",
        Some(2) => "the scores come from a quasi-experiment",
        Some(1) => "the scores are modelled: no sound experiment stands behind them",
        Some(0) => "the scores are associations",
        _ => "",
    }
}

/// The certificate of the allocation, in words.
fn proof(cycle: &Value, unit: &Unit) -> Html {
    let certificate = cycle.at("certificate");
    let (Some(primal), Some(dual)) = (certificate.num("primal"), certificate.num("dual")) else {
        return text("The report has no certificate of the allocation.");
    };
    let gap = certificate.num("gap").unwrap_or(dual - primal).max(0.0);
    let micros = |key| certificate.num(key).map(|m| unit.show(m / 1e6));
    let mut out = match (micros("spend_micros"), micros("budget_micros")) {
        (Some(spend), Some(budget)) => {
            let rest = if cycle.whole("explored").unwrap_or(0) > 0 { " left by exploration" } else { "" };
            text(format!("Of a budget of {budget}{rest} the allocation spends {spend}. "))
        }
        (Some(spend), None) => text(format!("There is no budget; the allocation spends {spend}. ")),
        _ => Html::default(),
    };
    out = out.text(format!("It is expected to bring {} (before exploration), and ", unit.show(primal)));
    out = out.strong(format!("no allocation under the same rules could bring more than {}", unit.show(dual)));
    let share = if dual > 0.0 { format!(" ({})", percent(gap / dual)) } else { String::new() };
    out = match gap {
        0.0 => out.text(": it is the best there is. "),
        gap => out.text(format!(": at most {}{share} is left. ", unit.show(gap))),
    };
    for (name, price) in certificate.entries("shadow_prices") {
        let Some(price) = price.as_f64() else { continue };
        let currency = unit.name().filter(|c| !c.is_empty()).unwrap_or("unit of money");
        out = match price {
            0.0 => out.text(format!("More {name} would bring nothing: it does not bind. ")),
            price => out.text(format!("One more {currency} of {name} would bring about {} net. ", unit.show(price))),
        };
    }
    out.text("Bound and shadow price are exact for these scores, so they have no interval.")
}
