//! Credits as JSON and as tables.

use serde_json::{Value, json};
use throughline_attribution::{ChannelCredit, Credits, CreditsWithIntervals, Quantity, Totals};
use throughline_core::{Diagnostic, Estimate};

use super::{AttributeArgs, Found};
use crate::answer::{interval, number, table};
use crate::{Answer, OneShotError};

/// Findings that people are shown.
const MOST_FINDINGS: usize = 10;

/// A difference between two models' credit of one channel.
struct Difference<'a> {
    left: &'a str,
    right: &'a str,
    channel: &'a str,
    conversions: Estimate,
    value: Estimate,
}

pub(super) fn answer(
    args: &AttributeArgs,
    totals: Totals,
    found: &Found,
    findings: &[Diagnostic],
) -> Result<Answer, OneShotError> {
    let mut json = json!({
        "totals": { "conversions": totals.conversions, "value": totals.value, "nulls": totals.nulls },
        "diagnostics": findings,
    });
    let mut text = format!("{} conversions, value {}\n", number(totals.conversions), number(totals.value));
    let models: Vec<Value> = match found {
        Found::Points(all) => all.iter().map(|credits| model_json(credits, None)).collect(),
        Found::Intervals(all) => all.iter().map(|m| model_json(&m.credits, Some(m))).collect(),
    };
    json["models"] = Value::Array(models);
    match found {
        Found::Points(all) => all.iter().for_each(|credits| text.push_str(&model_text(credits, None))),
        Found::Intervals(all) => all.iter().for_each(|m| text.push_str(&model_text(&m.credits, Some(m)))),
    }
    if let (Found::Intervals(all), true) = (found, args.compare) {
        let differences = differences(all)?;
        json["differences"] = differences.iter().map(difference_json).collect();
        text.push_str(&differences_text(&differences));
    }
    for finding in findings.iter().take(MOST_FINDINGS) {
        text.push_str(&format!("\n{finding}"));
    }
    Ok(Answer { json, text })
}

fn model_json(credits: &Credits, drawn: Option<&CreditsWithIntervals>) -> Value {
    let interval = |of: Option<&Estimate>| of.map(Estimate::interval);
    let channels: Vec<Value> = credits
        .channels()
        .iter()
        .enumerate()
        .map(|(at, c)| {
            let i = drawn.map(|d| &d.intervals[at]);
            json!({
                "channel": c.channel,
                "conversions": c.conversions,
                "conversions_interval": interval(i.map(|i| &i.conversions)),
                "value": c.value,
                "value_interval": interval(i.map(|i| &i.value)),
                "removal_effect": c.removal_effect,
                "removal_effect_interval": interval(i.and_then(|i| i.removal_effect.as_ref())),
            })
        })
        .collect();
    json!({
        "model": credits.model(),
        "credits": channels,
        "interval_method": drawn.map(|d| &d.method),
        "level": drawn.map(|d| d.level.get()),
        "draws": drawn.map_or(0, |d| d.draws),
        "diagnostics": credits.diagnostics(),
    })
}

fn model_text(credits: &Credits, drawn: Option<&CreditsWithIntervals>) -> String {
    let effect = |c: &ChannelCredit| c.removal_effect.map_or_else(String::new, number);
    let Some(drawn) = drawn else {
        let row = |c: &ChannelCredit| vec![c.channel.clone(), number(c.conversions), number(c.value), effect(c)];
        let rows: Vec<Vec<String>> = credits.channels().iter().map(row).collect();
        let header = ["channel", "conversions", "value", "removal effect"];
        return format!("\n{}\n{}\n", credits.model(), table(&header, &[1, 2, 3], &rows));
    };
    let rows: Vec<Vec<String>> = credits
        .channels()
        .iter()
        .zip(&drawn.intervals)
        .map(|(c, i)| {
            vec![
                c.channel.clone(),
                number(c.conversions),
                interval(i.conversions.interval()),
                number(c.value),
                interval(i.value.interval()),
                effect(c),
            ]
        })
        .collect();
    let header = ["channel", "conversions", "interval", "value", "interval", "removal effect"];
    format!(
        "\n{} ({} % intervals, {})\n{}\n",
        credits.model(),
        drawn.level.get() * 100.0,
        drawn.method,
        table(&header, &[1, 3, 5], &rows)
    )
}

/// Every model minus every later one, channel by channel.
fn differences(models: &[CreditsWithIntervals]) -> Result<Vec<Difference<'_>>, OneShotError> {
    let mut out = Vec::new();
    for (at, left) in models.iter().enumerate() {
        for right in &models[at + 1..] {
            for (channel, credit) in left.credits.channels().iter().enumerate() {
                out.push(Difference {
                    left: left.credits.model(),
                    right: right.credits.model(),
                    channel: &credit.channel,
                    conversions: left.difference(right, channel, Quantity::Conversions)?,
                    value: left.difference(right, channel, Quantity::Value)?,
                });
            }
        }
    }
    Ok(out)
}

fn difference_json(d: &Difference<'_>) -> Value {
    json!({
        "left": d.left,
        "right": d.right,
        "channel": d.channel,
        "conversions": d.conversions.value,
        "conversions_interval": d.conversions.interval(),
        "conversions_p_value": d.conversions.p_value,
        "value": d.value.value,
        "value_interval": d.value.interval(),
        "value_p_value": d.value.p_value,
    })
}

fn differences_text(differences: &[Difference<'_>]) -> String {
    let same = |a: &Difference<'_>, b: &Difference<'_>| (a.left, a.right) == (b.left, b.right);
    let mut out = String::new();
    for pair in differences.chunk_by(same) {
        let rows: Vec<Vec<String>> = pair
            .iter()
            .map(|d| {
                vec![
                    d.channel.to_owned(),
                    number(d.conversions.value),
                    interval(d.conversions.interval()),
                    number(d.value.value),
                    interval(d.value.interval()),
                ]
            })
            .collect();
        let header = ["channel", "conversions", "interval", "value", "interval"];
        let (left, right) = (pair[0].left, pair[0].right);
        out.push_str(&format!("\n{left} minus {right}\n{}\n", table(&header, &[1, 3], &rows)));
    }
    out
}
