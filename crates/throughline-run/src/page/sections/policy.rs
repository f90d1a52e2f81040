//! What the policy would have earned on people its model has not seen, beside doing the same to everybody.

use serde_json::Value;

use crate::page::charts::{DotChart, Look, Mark, Row, Series, dot_chart, figure_of};
use crate::page::format::{Unit, counted, fixed, level};
use crate::page::html::{Html, Table, el, figure, figure_with, p, text, words};
use crate::page::read::{Read, Uncertain, currency, metrics};

use super::{Section, policy_truth};

/// The section.
pub(super) fn section(report: &Value) -> Option<Section> {
    let unit = currency(report);
    let valued: Vec<(&str, &Value)> = metrics(report, "decide")
        .into_iter()
        .map(|(name, m)| (m.word("policy").unwrap_or(name), m.at("value")))
        .filter(|(_, v)| v.is_object())
        .collect();
    let truth = policy_truth::block(report, &unit);
    if valued.is_empty() && truth.is_none() {
        return None;
    }
    let several = valued.len() > 1;
    let body: Html = valued.iter().map(|(name, value)| block(name, value, &unit, several)).collect();
    let (Some((name, value)), truth) = (valued.first(), truth) else { return policy_truth::block(report, &unit) };
    let truth = truth.map(|t| p("", t.lede).with(t.body));
    let truth = truth.map(|t| el("h3", &[], text("Against the truth of the simulation")).with(t));
    Some(Section { lede: sentence(name, value, &unit), body: body.with_some(truth) })
}

/// A constant policy: its action, its value and what the policy earns beyond it.
struct Constant<'a> {
    action: &'a str,
    value: Option<Uncertain>,
    beyond: Option<Uncertain>,
}

fn constants(value: &Value) -> Vec<Constant<'_>> {
    let read = |c: &'_ Value| -> (Option<Uncertain>, Option<Uncertain>) {
        (Uncertain::estimate(c.at("ips")), Uncertain::estimate(c.at("policy_less_this")))
    };
    let all = value.list("constant_policies").iter();
    all.map(|c| {
        let (value, beyond) = read(c);
        Constant { action: c.word("action").unwrap_or("unnamed"), value, beyond }
    })
    .collect()
}

fn sentence(name: &str, value: &Value, unit: &Unit) -> Html {
    let Some(worth) = Uncertain::estimate(value.at("policy").at("ips")) else {
        let why = value.word("absent").unwrap_or("the report has no estimate");
        return text(format!("What the policy {name} is worth could not be measured: {why}."));
    };
    let out = text(format!("On people its model had not seen, {name} would have earned "))
        .strong(worth.value_text(unit))
        .text(format!(" per person ({})", worth.interval_named(unit)));
    let constants = constants(value);
    let by_value = |a: &&Constant<'_>, b: &&Constant<'_>| {
        let v = |c: &Constant<'_>| c.value.as_ref().map_or(f64::NEG_INFINITY, |u| u.value);
        v(a).total_cmp(&v(b))
    };
    let Some((best, beyond)) = constants.iter().max_by(by_value).and_then(|c| Some((c, c.beyond.as_ref()?))) else {
        return out.text(".");
    };
    let range = format!("{} ({})", beyond.value_text(unit), beyond.interval_named(unit));
    match beyond.excludes(0.0) {
        true if beyond.value > 0.0 => {
            out.text(format!(". It beats the best single action, {} for everybody, by {range}.", best.action))
        }
        true => out.text(format!(". Doing {} to everybody is better: the difference is {range}.", best.action)),
        false => out
            .text(". It ")
            .strong("cannot be told apart")
            .text(format!(" from {} for everybody: the difference is {range}.", best.action)),
    }
}

fn block(name: &str, value: &Value, unit: &Unit, several: bool) -> Html {
    let mut out = Html::default();
    if several {
        out = out.with(el("h3", &[], text(name))).with(p("", sentence(name, value, unit)));
    } else if let Some(why) = value.word("absent") {
        out = out.with(p("note", text(why)));
    }
    let constants = constants(value);
    out = out.with_some(values(name, value, &constants, unit)).with_some(differences(name, &constants, unit));
    let verdicts: Html = constants.iter().filter_map(|c| verdict(c, unit)).collect();
    if !verdicts.is_empty() {
        out = out.with(el("ul", &[("class", "say")], verdicts));
    }
    let mut notes = Vec::new();
    if let Some(method) = value.word("method") {
        notes.push(format!("Method: {method}."));
    }
    if let Some(n) = value.whole("people") {
        let effective = value.at("policy").num("effective_sample_size");
        let effective = effective.map(|e| format!(", as informative as {} that had followed it", fixed(e, 0)));
        notes.push(format!("Measured on {}{}.", counted(n, "person", "people"), effective.unwrap_or_default()));
    }
    if notes.is_empty() { out } else { out.with(p("note", text(notes.join(" ")))) }
}

fn values(name: &str, value: &Value, constants: &[Constant<'_>], unit: &Unit) -> Option<Html> {
    let of = value.word("unit").unwrap_or("value per person");
    let head = ["Policy", "Value per person", "Value, self-normalised"];
    let mut table = Table::new(format!("What each policy would have earned: {of}"), &head);
    let mut rows = Vec::new();
    let mut add = |label: String, main: bool, found: Option<&Uncertain>, second: Option<Uncertain>| {
        let Some(u) = found else { return };
        let title = format!("{label}: {} ({})", u.value_text(unit), u.interval_named(unit));
        let mark = Mark { series: usize::from(!main), lane: 0, value: u.value, span: u.span(), title };
        rows.push(Row { label: label.clone(), readout: u.readout(unit), marks: vec![mark] });
        let other = second.map_or_else(|| figure("–"), |s| figure_with(&s.value_text(unit), &s.interval_text(unit)));
        table.row(vec![words(label), figure_with(&u.value_text(unit), &u.interval_text(unit)), other]);
    };
    let policy = value.at("policy");
    let own = Uncertain::estimate(policy.at("ips"));
    add(format!("{name} (the policy)"), true, own.as_ref(), Uncertain::estimate(policy.at("snips")));
    for (constant, raw) in constants.iter().zip(value.list("constant_policies")) {
        let label = format!("{} for everybody", constant.action);
        add(label, false, constant.value.as_ref(), Uncertain::estimate(raw.at("snips")));
    }
    let series = [
        Series { name: "the policy".into(), look: Look::Main },
        Series { name: "one action for everybody".into(), look: Look::Nth(7) },
    ];
    let with = own.and_then(|o| o.level).map(|l| format!(", with {} intervals", level(l))).unwrap_or_default();
    let currency = unit.name().filter(|c| !c.is_empty()).map(|c| format!(" in {c}")).unwrap_or_default();
    let label = format!("Dots with intervals: {of} of {name} and of {} constant policies", constants.len());
    let chart = dot_chart(&DotChart { label: &label, unit, series: &series, rows: &rows, from_zero: false });
    figure_of(&format!("{}{currency}{with}", capital(of)), chart, &table)
}

fn differences(name: &str, constants: &[Constant<'_>], unit: &Unit) -> Option<Html> {
    let mut table =
        Table::new("What the policy earns beyond each action for everybody", &["Beyond", "Difference per person"]);
    let mut rows = Vec::new();
    for constant in constants {
        let Some(u) = &constant.beyond else { continue };
        let label = format!("less {} for everybody", constant.action);
        let title = format!("{name} {label}: {} ({})", u.value_text(unit), u.evidence(unit));
        let mark = Mark { series: 0, lane: 0, value: u.value, span: u.span(), title };
        rows.push(Row { label: label.clone(), readout: u.readout(unit), marks: vec![mark] });
        table.row(vec![words(label), figure_with(&u.value_text(unit), &u.evidence(unit))]);
    }
    let series = [Series { name: "difference".into(), look: Look::Main }];
    let label = format!("Dots with intervals: {name} less {} constant policies, per person", rows.len());
    let chart = dot_chart(&DotChart { label: &label, unit, series: &series, rows: &rows, from_zero: true });
    figure_of(&format!("{name} less each action for everybody, per person"), chart, &table)
}

fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map(|c| c.to_uppercase().collect::<String>() + letters.as_str()).unwrap_or_default()
}

fn verdict(constant: &Constant<'_>, unit: &Unit) -> Option<Html> {
    let beyond = constant.beyond.as_ref()?;
    let numbers = format!("{} per person ({})", beyond.value_text(unit), beyond.evidence(unit));
    let (tone, words) = match beyond.excludes(0.0) {
        true if beyond.value > 0.0 => ("good", format!("Better than {} for everybody: {numbers}.", constant.action)),
        true => ("error", format!("Worse than {} for everybody: {numbers}.", constant.action)),
        false => ("info", format!("Cannot be told apart from {} for everybody: {numbers}.", constant.action)),
    };
    Some(el("li", &[("class", tone)], text(words)))
}
