//! Who gets the credit, model by model, with intervals; beside the truth where it is known.

use serde_json::Value;

use crate::page::charts::{DotChart, Look, Mark, Row, Series, dot_chart, figure_of};
use crate::page::format::{Unit, conversions, count, fixed, level};
use crate::page::html::{Html, el, p, text};
use crate::page::read::{Read, Uncertain, currency, metrics};

use super::credit_truth::Truth;
use super::{Section, credit_tables};

const ROWS_SHOWN: usize = 24;

/// The section.
pub(super) fn section(report: &Value) -> Option<Section> {
    let unit = currency(report);
    let all: Vec<&Value> = metrics(report, "attribute").into_iter().flat_map(|(_, m)| m.list("conversions")).collect();
    let (first, rest) = all.split_first()?;
    let truth = |of: &Value| Truth::read(report, of.word("conversion"), all.len());
    let lede = lede(first, truth(first).is_known(), &unit);
    let mut body = p("note", text(TIER)).with(block(first, &truth(first), &unit, rest.is_empty()));
    for other in rest {
        body = body.with(block(other, &truth(other), &unit, false));
    }
    Some(Section { lede, body })
}

const TIER: &str = "Attribution is association, tier 0: it says which channels lie on the way to a conversion, not \
which of \
                    them caused it. Only an experiment (tier 3) says what would have been missing without a channel.";

/// One channel under one model.
pub(super) struct Credit<'a> {
    /// The model.
    pub(super) model: &'a str,
    /// What it credits.
    pub(super) conversions: Uncertain,
}

/// A channel and its credits, model by model.
pub(super) type Channel<'a> = (&'a str, Vec<Credit<'a>>);

/// Channels with their credits, the most credited first.
fn channels(of: &Value) -> Vec<Channel<'_>> {
    let mut out: Vec<Channel<'_>> = Vec::new();
    for model in of.list("models") {
        let name = model.word("model").unwrap_or("unnamed");
        for channel in model.list("channels") {
            let Some(of) = channel.word("channel") else { continue };
            let Some(mut conversions) = Uncertain::pair(channel, "conversions", "conversions_interval") else {
                continue;
            };
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

fn lede(of: &Value, is_known: bool, unit: &Unit) -> Html {
    let name = of.word("conversion").unwrap_or("conversion");
    let models = of.list("models").len();
    let how = if models == 1 { "One model shares".into() } else { format!("{} models share", count(models as u64)) };
    let totals = of.at("totals");
    let mut out = match totals.num("conversions") {
        Some(n) => {
            text(format!("{how} out ")).strong(format!("{} conversions", fixed(n, 0))).text(format!(" ({name})"))
        }
        None => text(format!("{how} out the conversions ({name})")),
    };
    if let Some(value) = totals.num("value").filter(|v| *v != 0.0) {
        out = out.text(format!(", worth {}", unit.show(value)));
    }
    let channels = channels(of);
    let spread =
        |credits: &[Credit<'_>]| extremes(credits).map_or(0.0, |(a, b)| b.conversions.value - a.conversions.value);
    let widest = channels.iter().max_by(|a, b| spread(&a.1).total_cmp(&spread(&b.1)));
    if let Some((channel, (low, high))) =
        widest.and_then(|(c, credits)| Some((c, extremes(credits)?))).filter(|_| models > 1)
    {
        out = out.text(format!(
            "; they agree least on {channel}: {} by {}, {} by {}.",
            conversions(low.conversions.value),
            low.model,
            conversions(high.conversions.value),
            high.model
        ));
    } else {
        out = out.text(".");
    }
    let advice = " Use it to see where journeys pass; settle what causes them by experiment.";
    if is_known { out } else { out.text(advice) }
}

fn block(of: &Value, truth: &Truth<'_>, unit: &Unit, alone: bool) -> Html {
    let name = of.word("conversion").unwrap_or("conversion");
    let channels = channels(of);
    let mut out = Html::default();
    if !alone {
        out = out.with(el("h3", &[], text(name)));
    }
    out = out.with_some(truth.verdict(of).map(|v| p("", v)));
    let numbers = credit_tables::every_model(of, &channels, truth, unit);
    out = out.with_some(figure_of(&caption(of, name), chart(of, &channels, truth), &numbers));
    if channels.len() > ROWS_SHOWN {
        let words =
            format!("The chart shows the {ROWS_SHOWN} most credited of {} channels.", count(channels.len() as u64));
        out = out.with(p("note", text(words)));
    }
    let costs = credit_tables::costs(of, &channels, truth, unit);
    out.with_some(truth.note(of)).with(costs.html()).with(p("note", text(notes(of))))
}

fn caption(of: &Value, name: &str) -> String {
    match of.list("models").first().and_then(|m| m.num("level")) {
        Some(at) => format!("Conversions credited to each channel ({name}), with {} intervals", level(at)),
        None => format!("Conversions credited to each channel ({name})"),
    }
}

fn notes(of: &Value) -> String {
    let mut out = Vec::new();
    if let Some(first) = of.list("models").first()
        && let Some(method) = first.word("interval_method")
    {
        out.push(format!(
            "Intervals: {method}; they say how much chance alone moves the credit, not whether the model is right."
        ));
    }
    out.push("Spend is booked and exact.".to_owned());
    if let Some(n) = of.whole("conversions_without_touch").filter(|n| *n > 0) {
        let some = if n == 1 { "1 conversion had".to_owned() } else { format!("{} conversions had", count(n)) };
        out.push(format!("{some} no touch that counts and is credited to nobody."));
    }
    out.join(" ")
}

fn chart(of: &Value, channels: &[Channel<'_>], truth: &Truth<'_>) -> Option<Html> {
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
                    let (low, high) = (conversions(low.conversions.value), conversions(high.conversions.value));
                    if low == high { low } else { format!("{low} to {high}") }
                }
                Some((only, _)) => only.conversions.readout(&Unit::Plain),
                None => String::new(),
            };
            if let Some(caused) = truth.caused(channel) {
                readout = format!("{readout}, truly {}", conversions(caused));
                let title =
                    format!("{channel}: {} conversions truly caused, known from the simulation", conversions(caused));
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
