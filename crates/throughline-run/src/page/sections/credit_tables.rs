//! Credits and their cost as tables.

use serde_json::Value;

use crate::page::format::{Unit, conversions};
use crate::page::html::{Cell, Table, figure, figure_with, words};
use crate::page::read::{Read, Uncertain};

use super::attribution::Channel;
use super::credit_truth::Truth;

/// What a conversion costs, channel by channel: from the cheapest to the dearest end of all models' intervals.
pub(super) fn costs(of: &Value, channels: &[Channel<'_>], truth: &Truth<'_>, unit: &Unit) -> Table {
    let mut head = vec!["Channel", "Spend", "Conversions credited", "Cost per conversion credited"];
    if truth.is_known() {
        head.extend(["Truly caused", "Cost per conversion caused"]);
    }
    let caption =
        "What a conversion costs. Ranges go from the lowest to the highest end of the intervals of all models.";
    let mut table = Table::new(caption, &head);
    for (channel, credits) in channels {
        let ends = credits.iter().map(|c| c.conversions.span().unwrap_or((c.conversions.value, c.conversions.value)));
        let Some((lo, hi)) = ends.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))) else { continue };
        let spend = spend_of(of, channel);
        let cost = spend.map_or_else(|| "–".to_owned(), |s| format!("{} to {}", per(s, hi, unit), per(s, lo, unit)));
        let mut row = vec![
            words(channel),
            spend_cell(spend, unit),
            figure(format!("{} to {}", conversions(lo), conversions(hi))),
            figure(cost),
        ];
        if truth.is_known() {
            let caused = truth.caused(channel);
            row.push(figure(caused.map_or_else(|| "–".to_owned(), conversions)));
            row.push(figure(spend.zip(caused).map_or_else(|| "–".to_owned(), |(s, n)| per(s, n, unit))));
        }
        table.row(row);
    }
    table
}

/// Booked spend does not depend on the model.
fn spend_of(of: &Value, channel: &str) -> Option<f64> {
    let all = of.list("models").iter().flat_map(|m| m.list("channels"));
    all.filter(|c| c.word("channel") == Some(channel)).find_map(|c| c.num("spend"))
}

fn spend_cell(spend: Option<f64>, unit: &Unit) -> Cell {
    figure(spend.map_or_else(|| "none booked".to_owned(), |s| unit.show(s)))
}

fn per(spend: f64, conversions: f64, unit: &Unit) -> String {
    let cost = over(spend, conversions);
    if cost.is_finite() { unit.show(cost) } else { "no bound".to_owned() }
}

fn over(spend: f64, conversions: f64) -> f64 {
    if conversions > 0.0 { spend / conversions } else { f64::INFINITY }
}

/// Conversions, value, spend and cost per conversion of every channel under every model.
pub(super) fn every_model(of: &Value, channels: &[Channel<'_>], truth: &Truth<'_>, unit: &Unit) -> Table {
    let name = of.word("conversion").unwrap_or("conversion");
    let mut head = vec!["Channel", "Model", "Conversions", "Value", "Spend", "Cost per conversion"];
    if truth.is_known() {
        head.push("Truly caused");
    }
    let mut table = Table::new(format!("Credit for {name} and what it cost, with intervals"), &head);
    for (channel, _) in channels {
        for model in of.list("models") {
            let found = model.list("channels").iter().find(|c| c.word("channel") == Some(*channel));
            let Some(found) = found else { continue };
            let credited = Uncertain::pair(found, "conversions", "conversions_interval");
            let value = Uncertain::pair(found, "value", "value_interval");
            let spend = found.num("spend");
            let cost = spend.zip(credited.as_ref()).and_then(|(s, c)| cost_per(s, c));
            let mut row = vec![
                words(channel),
                words(model.word("model").unwrap_or("unnamed")),
                cell(credited.as_ref(), &Unit::Plain),
                cell(value.as_ref(), unit),
                spend_cell(spend, unit),
                cell(cost.as_ref(), unit),
            ];
            if truth.is_known() {
                row.push(figure(truth.caused(channel).map_or_else(|| "–".to_owned(), conversions)));
            }
            table.row(row);
        }
    }
    table
}

fn cell(of: Option<&Uncertain>, unit: &Unit) -> Cell {
    match of {
        Some(u) => figure_with(&u.value_text(unit), &u.interval_text(unit)),
        None => figure("–"),
    }
}

/// Spend over the credit; where the credit may be nothing, the cost has no upper bound.
fn cost_per(spend: f64, credited: &Uncertain) -> Option<Uncertain> {
    let value = Some(over(spend, credited.value)).filter(|c| c.is_finite())?;
    let span = credited.span().map(|(lo, hi)| (over(spend, hi), over(spend, lo)));
    let set = span.filter(|(lo, hi)| lo <= hi).into_iter().collect();
    Some(Uncertain { value, set, level: credited.level, p: None, n: None })
}
