//! What the experiments say, their health first.

use serde_json::Value;

use crate::page::charts::{DotChart, Look, Mark, Row, Series, dot_chart, figure_of};
use crate::page::format::{Unit, count, counted, fixed, level, number, p_value, percent};
use crate::page::html::{Html, Table, el, figure, figure_with, p, text, words};
use crate::page::read::{Read, Uncertain, metrics, sum};

use super::Section;

const PLAIN: Unit = Unit::Plain;

/// The section.
pub(super) fn section(report: &Value) -> Option<Section> {
    let stages = metrics(report, "prove");
    let all: Vec<(&Value, &Value)> =
        stages.iter().flat_map(|(_, m)| m.list("experiments").iter().map(|e| (e, m.at("labels")))).collect();
    let readings: Vec<&Value> = all.iter().map(|(e, _)| e.at("reading")).filter(|r| r.is_object()).collect();
    if readings.is_empty() {
        return None;
    }
    let body = all.iter().filter(|(e, _)| e.at("reading").is_object()).map(|(e, labels)| block(e, labels)).collect();
    Some(Section { lede: lede(&readings), body })
}

fn is_suspect(reading: &Value) -> bool {
    reading.word("health").is_some_and(|h| h != "healthy") || reading.at("srm").at("alarm").as_bool() == Some(true)
}

fn is_significant(comparison: &Value) -> bool {
    comparison.at("significant").as_bool() == Some(true)
}

fn lede(readings: &[&Value]) -> Html {
    let suspect = readings.iter().filter(|r| is_suspect(r)).count();
    let healthy = || readings.iter().filter(|r| !is_suspect(r)).flat_map(|r| r.list("comparisons"));
    let (tested, clear) = (healthy().count(), healthy().filter(|c| is_significant(c)).count());
    let mut out = match (readings, suspect) {
        ([one], 0) => text(format!(
            "People were assigned as promised{}, so a difference between the arms is an effect. ",
            srm_p(one)
        )),
        ([one], _) => text("People were ")
            .strong("not assigned as promised")
            .text(format!("{}: do not use the differences below until the cause is found.", srm_p(one))),
        (all, 0) => text(format!("All {} experiments were assigned as promised. ", count(all.len() as u64))),
        (all, n) => text("")
            .strong(format!("{} of {} experiments", count(n as u64), count(all.len() as u64)))
            .text(" were not assigned as promised: do not use their differences until the cause is found. "),
    };
    if tested == 0 {
        return out;
    }
    out = match clear {
        0 => out.text(format!("None of {} can be told apart from zero.", counted(tested as u64, "effect", "effects"))),
        n => out
            .strong(format!("{} of {}", count(n as u64), counted(tested as u64, "effect", "effects")))
            .text(" can be told apart from zero"),
    };
    let p_of = |c: &&Value| c.at("estimate").num("p_value").unwrap_or(1.0);
    let clearest = healthy().filter(|c| is_significant(c)).min_by(|a, b| p_of(a).total_cmp(&p_of(b)));
    match clearest.and_then(|c| Some((c, Uncertain::estimate(c.at("estimate"))?))) {
        Some((c, e)) => {
            let (change, evidence) = change(c, &e);
            out.text(format!("; the clearest: {change}{evidence}."))
        }
        None if clear > 0 => out.text("."),
        None => out,
    }
}

fn srm_p(reading: &Value) -> String {
    reading.at("srm").num("p_value").map(|p| format!(" ({})", p_value(p))).unwrap_or_default()
}

/// "email_offer raised spend by 0.53", and its evidence.
fn change(comparison: &Value, estimate: &Uncertain) -> (String, String) {
    let verb = if estimate.value < 0.0 { "lowered" } else { "raised" };
    let mut size = estimate.clone();
    if size.value < 0.0 {
        size.value = -size.value;
        size.set = size.set.iter().rev().map(|(lo, hi)| (-hi, -lo)).collect();
    }
    let (arm, metric) = (comparison.word("arm").unwrap_or("an arm"), comparison.word("metric").unwrap_or("a metric"));
    (
        format!("{arm} {verb} {metric} by {} per person", size.value_text(&PLAIN)),
        format!(" ({})", size.evidence(&PLAIN)),
    )
}

fn block(experiment: &Value, labels: &Value) -> Html {
    let (name, reading) = (experiment.word("experiment").unwrap_or("experiment"), experiment.at("reading"));
    let mut out = el("h3", &[], text(name)).with(assignment(name, reading, labels)).with_some(arms(reading));
    for metric in metric_names(reading) {
        out = out.with_some(forest(reading, metric));
    }
    let verdicts: Html = reading.list("comparisons").iter().map(|c| verdict(c, is_suspect(reading))).collect();
    if !verdicts.is_empty() {
        out = out.with(el("ul", &[("class", "say")], verdicts));
    }
    out.with_some(experiment.word("file").map(|f| p("note", text("Declared in ").code(f).text("."))))
}

fn metric_names(reading: &Value) -> Vec<&str> {
    let mut out: Vec<&str> = Vec::new();
    for name in reading.list("comparisons").iter().filter_map(|c| c.word("metric")) {
        if !out.contains(&name) {
            out.push(name);
        }
    }
    out
}

fn assignment(name: &str, reading: &Value, labels: &Value) -> Html {
    let srm = reading.at("srm");
    let mut out = match srm.num("p_value") {
        Some(p) if is_suspect(reading) => text("").strong("Assignment failed its check. ").text(format!(
            "People per arm depart from the promised weights ({}); the cause may also move the outcomes.",
            p_value(p)
        )),
        Some(p) => text("").strong("Assignment is sound. ").text(format!(
            "People per arm agree with the promised weights ({}; an alarm is raised below 0.001).",
            p_value(p)
        )),
        None => text("The assignment was not checked."),
    };
    let said = |key: &str| labels.at(key).whole(name).filter(|n| *n > 0);
    if let Some(n) = said("incomplete") {
        let some = if n == 1 { "1 person is".into() } else { format!("{} people are", count(n)) };
        out = out.text(format!(" {some} not read yet: the time to see their outcome is not over."));
    }
    if let Some(n) = said("repeated") {
        let some = if n == 1 { "1 later assignment".into() } else { format!("{} later assignments", count(n)) };
        out = out.text(format!(" {some} of people already assigned did not count."));
    }
    if let Some(n) = said("unknown_arm") {
        out = out.text(format!(" {} to an arm that is not declared.", counted(n, "assignment is", "assignments are")));
    }
    p("", out)
}

fn arms(reading: &Value) -> Option<Html> {
    let arms = reading.list("arms");
    let weights: f64 = arms.iter().filter_map(|a| a.num("weight")).sum();
    let expected = reading.at("srm").list("expected");
    let units = sum(arms.iter().filter_map(|a| a.whole("units")));
    let caption = format!("{} by arm, with the mean of each metric", counted(units, "person", "people"));
    let mut table =
        Table::new(caption, &["Arm", "Promised", "People", "Expected", "Metric", "Mean", "Without a value"]);
    for (i, arm) in arms.iter().enumerate() {
        let share = arm.num("weight").filter(|_| weights > 0.0).map_or_else(|| "–".into(), |w| percent(w / weights));
        let people = arm.whole("units").map_or_else(|| "–".into(), count);
        let wanted = expected.get(i).and_then(Value::as_f64).map_or_else(|| "–".into(), |e| fixed(e, 0));
        let name = arm.word("arm").unwrap_or("unnamed");
        for metric in arm.list("metrics") {
            let mean = metric.num("mean").map_or_else(
                || figure("none"),
                |m| {
                    let se = metric
                        .num("std_error")
                        .map_or_else(|| "no standard error".into(), |s| format!("± {} (s.e.)", number(s)));
                    figure_with(&number(m), &se)
                },
            );
            let without = metric.whole("missing").unwrap_or(0).saturating_add(metric.whole("invalid").unwrap_or(0));
            table.row(vec![
                words(name),
                figure(&share),
                figure(&people),
                figure(&wanted),
                words(metric.word("metric").unwrap_or("unnamed")),
                mean,
                figure(count(without)),
            ]);
        }
    }
    (!table.is_empty()).then(|| table.folded("People and means by arm"))
}

/// The effects of every arm on one metric, on a scale of their own.
fn forest(reading: &Value, metric: &str) -> Option<Html> {
    let head = ["Arm", "Effect per person", "Relative to the control", "p-value", "People"];
    let mut table = Table::new(format!("Effects on {metric} per person"), &head);
    let (mut rows, mut at, mut control) = (Vec::new(), None, "control");
    for c in reading.list("comparisons").iter().filter(|c| c.word("metric") == Some(metric)) {
        let Some(e) = Uncertain::estimate(c.at("estimate")) else { continue };
        (at, control) = (e.level, c.word("control").unwrap_or(control));
        let arm = c.word("arm").unwrap_or("arm");
        let p = e.p.map_or_else(|| "none".into(), p_value);
        let readout = format!("{}, {p}", e.readout(&PLAIN));
        let title = format!("{arm} less {control} on {metric}: {} ({})", e.value_text(&PLAIN), e.evidence(&PLAIN));
        let mark = Mark { series: 0, lane: 0, value: e.value, span: e.span(), title };
        rows.push(Row { label: arm.to_owned(), readout, marks: vec![mark] });
        let relative = Uncertain::estimate(c.at("relative")).map_or_else(
            || figure_with("–", c.word("relative_absent").unwrap_or_default()),
            |r| figure_with(&r.value_text(&Unit::Share), &r.interval_text(&Unit::Share)),
        );
        let effect = figure_with(&e.value_text(&PLAIN), &e.interval_text(&PLAIN));
        table.row(vec![words(arm), effect, relative, figure(p), figure(e.n.map_or_else(|| "–".into(), count))]);
    }
    let with = at.map(|l| format!(", with {} intervals", level(l))).unwrap_or_default();
    let caption = format!("Effect on {metric} per person, against {control}{with}");
    let label = format!(
        "Dots with intervals: effects of {} on {metric} against {control}",
        counted(rows.len() as u64, "arm", "arms")
    );
    let series = [Series { name: "effect".into(), look: Look::Main }];
    let chart = dot_chart(&DotChart { label: &label, unit: &PLAIN, series: &series, rows: &rows, from_zero: true });
    figure_of(&caption, chart, &table)
}

fn verdict(comparison: &Value, suspect: bool) -> Html {
    let (arm, metric) = (comparison.word("arm").unwrap_or("an arm"), comparison.word("metric").unwrap_or("a metric"));
    let Some(estimate) = Uncertain::estimate(comparison.at("estimate")) else {
        let why = comparison.word("estimate_absent").unwrap_or("the data say nothing about it");
        return el("li", &[("class", "info")], text(format!("{arm} on {metric}: no effect is stated, because {why}.")));
    };
    let relative = Uncertain::estimate(comparison.at("relative")).map(|r| {
        format!(" Relative to the control: {} ({}).", r.value_text(&Unit::Share), r.interval_named(&Unit::Share))
    });
    let adjusted = comparison.num("adjusted_p_value").filter(|a| estimate.p.is_none_or(|p| (a - p).abs() > 1e-12));
    let adjusted = adjusted.map(|p| format!(" After correction for testing several effects: {}.", p_value(p)));
    let (tone, words) = match (suspect, is_significant(comparison)) {
        (true, _) => {
            let (change, evidence) = change(comparison, &estimate);
            ("warning", text(format!("Not to be used: {change}{evidence}.")))
        }
        (false, true) => {
            let (change, evidence) = change(comparison, &estimate);
            ("good", text("").strong(change).text(evidence).text("."))
        }
        (false, false) => (
            "info",
            text(format!(
                "{arm} on {metric}: cannot be told apart from no effect; {} ({}).",
                estimate.value_text(&PLAIN),
                estimate.evidence(&PLAIN)
            )),
        ),
    };
    let more = format!("{}{}", relative.unwrap_or_default(), adjusted.unwrap_or_default());
    el("li", &[("class", tone)], words.with(el("span", &[("class", "what")], text(more.trim()))))
}
