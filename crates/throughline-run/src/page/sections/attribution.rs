//! Who gets the credit, model by model, with intervals; beside the truth where it is known.

use serde_json::Value;

use crate::page::charts::{DotChart, Look, Mark, Row, Series, dot_chart, figure_of};
use crate::page::format::{Unit, count, fixed, number, percent};
use crate::page::html::{Html, Table, el, figure, figure_with, p, text, words};
use crate::page::read::{Read, Uncertain, currency, metrics};

use super::credit_truth::Truth;
use super::Section;

const ROWS_SHOWN: usize = 24;

/// The section.
pub(super) fn section(report: &Value) -> Option<Section> {
    let unit = currency(report);
    let all: Vec<&Value> = metrics(report, "attribute").into_iter().flat_map(|(_, m)| m.list("conversions")).collect();
    let (first, rest) = all.split_first()?;
    let truth = |of: &Value| Truth::read(report, of.word("conversion"), all.len());
    let lede = lede(first, &truth(first), &unit);
    let mut body = p("note", text(TIER)).with(block(first, &truth(first), &unit, rest.is_empty()));
    for other in rest {
        body = body.with(block(other, &truth(other), &unit, false));
    }
    Some(Section { lede, body })
}

const TIER: &str = "Attribution is association, tier 0: it says which channels lie on the way to a conversion, not which of \
                    them caused it. Only an experiment (tier 3) says what would have been missing without a channel.";

/// One channel under one model.
struct Credit<'a> {
    model: &'a str,
    conversions: Uncertain,
}

/// Channels with their credits, the most credited first.
fn channels(of: &Value) -> Vec<(&str, Vec<Credit<'_>>)> {
    let mut out: Vec<(&str, Vec<Credit<'_>>)> = Vec::new();
    for model in of.list("models") {
        let name = model.word("model").unwrap_or("unnamed");
        for channel in model.list("channels") {
            let Some(of) = channel.word("channel") else { continue };
            let Some(mut conversions) = Uncertain::pair(channel, "conversions", "conversions_interval") else { continue };
            conversions.level = model.num("level");
            let credit = Credit { model: name, conversions };
            match out.iter_mut().find(|(c, _)| *c == of) {
                Some((_, credits)) => credits.push(credit),
                None => out.push((of, vec![credit])),
            }
        }
    }
    let largest = |credits: &[Credit<'_>]| credits.iter().map(|c| c.conversions.value).fold(0.0, f64::max);
    out.sort_by(|a, b| largest(&b.1).total_cmp(&largest(&a.1)));
    out
}

fn extremes<'a, 'b>(credits: &'b [Credit<'a>]) -> Option<(&'b Credit<'a>, &'b Credit<'a>)> {
    let by = |a: &&Credit<'_>, b: &&Credit<'_>| a.conversions.value.total_cmp(&b.conversions.value);
    Some((credits.iter().min_by(by)?, credits.iter().max_by(by)?))
}

fn lede(of: &Value, truth: &Truth<'_>, unit: &Unit) -> Html {
    let name = of.word("conversion").unwrap_or("conversion");
    let models = of.list("models").len();
    let how = if models == 1 { "One model shares".into() } else { format!("{} models share", count(models as u64)) };
    let totals = of.at("totals");
    let mut out = match totals.num("conversions") {
        Some(n) => text(format!("{how} out ")).strong(format!("{} conversions", fixed(n, 0))).text(format!(" ({name})")),
        None => text(format!("{how} out the conversions ({name})")),
    };
    if let Some(value) = totals.num("value").filter(|v| *v != 0.0) {
        out = out.text(format!(", worth {}", unit.show(value)));
    }
    let channels = channels(of);
    let spread = |credits: &[Credit<'_>]| extremes(credits).map_or(0.0, |(a, b)| b.conversions.value - a.conversions.value);
    let widest = channels.iter().max_by(|a, b| spread(&a.1).total_cmp(&spread(&b.1)));
    if let Some((channel, (low, high))) = widest.and_then(|(c, credits)| Some((c, extremes(credits)?))).filter(|_| models > 1) {
        out = out.text(format!(
            ", and agree least on {channel}: {} by {}, {} by {}.",
            number(low.conversions.value),
            low.model,
            number(high.conversions.value),
            high.model
        ));
    } else {
        out = out.text(".");
    }
    match truth.verdict(of) {
        Some(verdict) => out.text(" ").with(verdict),
        None => out.text(" Use it to see where journeys pass; settle what causes them by experiment."),
    }
}

fn block(of: &Value, truth: &Truth<'_>, unit: &Unit, alone: bool) -> Html {
    let name = of.word("conversion").unwrap_or("conversion");
    let channels = channels(of);
    let mut out = Html::default();
    if !alone {
        out = out.with(el("h3", &[], text(name)));
    }
    out = out.with_some(figure_of(&caption(of, name), chart(of, &channels, truth), &credits_table(of, &channels, truth)));
    if channels.len() > ROWS_SHOWN {
        let words = format!("The chart shows the {ROWS_SHOWN} most credited of {} channels.", count(channels.len() as u64));
        out = out.with(p("note", text(words)));
    }
    out.with_some(truth.note()).with(money_table(of, unit).html()).with(p("note", text(notes(of))))
}

fn caption(of: &Value, name: &str) -> String {
    let level = of.list("models").first().and_then(|m| m.num("level"));
    match level {
        Some(level) => format!("Conversions credited to each channel ({name}), with {} intervals", percent(level)),
        None => format!("Conversions credited to each channel ({name})"),
    }
}

fn notes(of: &Value) -> String {
    let mut out = Vec::new();
    if let Some(first) = of.list("models").first()
        && let Some(method) = first.word("interval_method")
    {
        out.push(format!("Intervals: {method}; they say how much chance alone moves the credit, not whether the model is right."));
    }
    out.push("Cost per conversion is the spend, which is booked and exact, over the credit and its interval.".to_owned());
    if let Some(n) = of.whole("conversions_without_touch").filter(|n| *n > 0) {
        let some = if n == 1 { "1 conversion had".to_owned() } else { format!("{} conversions had", count(n)) };
        out.push(format!("{some} no touch that counts and is credited to nobody."));
    }
    out.join(" ")
}

fn chart(of: &Value, channels: &[(&str, Vec<Credit<'_>>)], truth: &Truth<'_>) -> Option<Html> {
    let models: Vec<&str> = of.list("models").iter().map(|m| m.word("model").unwrap_or("unnamed")).collect();
    let mut series: Vec<Series> =
        models.iter().enumerate().map(|(i, m)| Series { name: (*m).to_owned(), look: Look::Nth(i) }).collect();
    if truth.is_known() {
        series.push(Series { name: "truly caused".to_owned(), look: Look::Truth });
    }
    let rows: Vec<Row> = channels
        .iter()
        .take(ROWS_SHOWN)
        .map(|(channel, credits)| {
            let mut marks: Vec<Mark> = credits.iter().filter_map(|c| mark(channel, c, &models)).collect();
            let mut readout = match extremes(credits) {
                Some((low, high)) if credits.len() > 1 => {
                    format!("{} to {}", number(low.conversions.value), number(high.conversions.value))
                }
                Some((only, _)) => only.conversions.readout(&Unit::Plain),
                None => String::new(),
            };
            if let Some(caused) = truth.conversions(channel) {
                readout = format!("{readout}, truly {}", number(caused));
                let title = format!("{channel}: {} conversions truly caused, known from the simulation", number(caused));
                marks.push(Mark { series: models.len(), lane: 0, value: caused, span: None, title });
            }
            Row { label: (*channel).to_owned(), readout, marks }
        })
        .collect();
    let label = format!(
        "Dots with intervals: conversions credited to {} channels by {} models{}. The table below has the numbers.",
        rows.len(),
        models.len(),
        if truth.is_known() { ", beside the conversions truly caused" } else { "" }
    );
    dot_chart(&DotChart { label: &label, unit: &Unit::Plain, series: &series, rows: &rows, from_zero: true })
}

fn mark(channel: &str, credit: &Credit<'_>, models: &[&str]) -> Option<Mark> {
    let series = models.iter().position(|m| *m == credit.model)?;
    let c = &credit.conversions;
    let title = format!(
        "{channel}, {}: {} conversions ({})",
        credit.model,
        c.value_text(&Unit::Plain),
        c.interval_named(&Unit::Plain)
    );
    Some(Mark { series, lane: series, value: c.value, span: c.span(), title })
}

fn credits_table(of: &Value, channels: &[(&str, Vec<Credit<'_>>)], truth: &Truth<'_>) -> Table {
    let name = of.word("conversion").unwrap_or("conversion");
    let mut head = vec!["Channel", "Model", "Conversions"];
    if truth.is_known() {
        head.push("Truly caused");
    }
    let mut table = Table::new(format!("Conversions credited ({name})"), &head);
    for (channel, credits) in channels {
        for credit in credits {
            let c = &credit.conversions;
            let credited = figure_with(&c.value_text(&Unit::Plain), &c.interval_text(&Unit::Plain));
            let mut row = vec![words(channel), words(credit.model), credited];
            if truth.is_known() {
                row.push(figure(truth.conversions(channel).map_or_else(|| "–".to_owned(), number)));
            }
            table.row(row);
        }
    }
    table
}

/// Conversions, value, spend and cost per conversion, model by model.
fn money_table(of: &Value, unit: &Unit) -> Table {
    let name = of.word("conversion").unwrap_or("conversion");
    let head = ["Channel", "Model", "Conversions", "Value", "Spend", "Cost per conversion"];
    let mut table = Table::new(format!("Credit and what it cost ({name})"), &head);
    let order: Vec<&str> = channels(of).into_iter().map(|(c, _)| c).collect();
    for channel in order {
        for model in of.list("models") {
            let Some(found) = model.list("channels").iter().find(|c| c.word("channel") == Some(channel)) else { continue };
            let cell = |u: Option<&Uncertain>, unit: &Unit| match u {
                Some(u) => figure_with(&u.value_text(unit), &u.interval_text(unit)),
                None => figure("–"),
            };
            let conversions = Uncertain::pair(found, "conversions", "conversions_interval");
            let value = Uncertain::pair(found, "value", "value_interval");
            let spend = found.num("spend");
            let cost = spend.zip(conversions.as_ref()).and_then(|(s, c)| cost_per(s, c));
            table.row(vec![
                words(channel),
                words(model.word("model").unwrap_or("unnamed")),
                cell(conversions.as_ref(), &Unit::Plain),
                cell(value.as_ref(), unit),
                figure(spend.map_or_else(|| "none booked".to_owned(), |s| unit.show(s))),
                cell(cost.as_ref(), unit),
            ]);
        }
    }
    table
}

/// Spend over the credit; where the credit may be nothing, the cost has no upper bound.
fn cost_per(spend: f64, conversions: &Uncertain) -> Option<Uncertain> {
    let over = |n: f64| if n > 0.0 { spend / n } else { f64::INFINITY };
    let value = Some(over(conversions.value)).filter(|c| c.is_finite())?;
    let set = conversions.span().map(|(lo, hi)| (over(hi), over(lo))).filter(|(lo, hi)| lo <= hi).into_iter().collect();
    Some(Uncertain { value, set, level: conversions.level, p: None, n: None })
}
