//! 10,000 paths over 12 channels against exact closed forms: first, last, linear, simplified Shapley, Markov order 1 with
//! and without nulls, and the conversion rate of the fitted chain for orders 1 to 4.

use std::path::Path;

use serde_json::Value;
use throughline_attribution::models::markov::Markov;
use throughline_attribution::{ChannelCredit, Credits, Outcome, PathTable, PathTableBuilder, parse_path, read_spec};

use super::{Check, read_text, reference};
use crate::OneShotError;
use crate::files::{Csv, number, text};

const SOURCE: &str = "closed forms over ChannelAttribution's sample";

pub(super) fn checks(dir: &Path) -> Result<Vec<Check>, OneShotError> {
    let expected: Value = serde_json::from_str(&read_text(dir, "channel-paths/expected_closed_form.json")?)?;
    let paths = paths(dir, true)?;
    let mut out = Vec::new();
    let totals = paths.totals();
    for (name, key, got) in [
        ("paths", "rows", paths.len() as f64),
        ("conversions", "conversions", totals.conversions),
        ("value", "value", totals.value),
        ("nulls", "null", totals.nulls),
    ] {
        let wanted = expected["totals"][key].as_f64().unwrap_or(f64::NAN);
        out.push(Check::relative(format!("channel paths, {name}"), wanted, got, 1e-12, SOURCE));
    }
    for model in ["first", "last", "linear"] {
        let credits = read_spec(model)?.attribute(&paths)?;
        let wanted = &expected["heuristic"][model];
        compare(&mut out, &format!("{model} conversions"), &credits, &wanted["conversions"], |c| c.conversions);
        compare(&mut out, &format!("{model} value"), &credits, &wanted["value"], |c| c.value);
    }
    for model in ["shapley_simplified", "shapley_ordered", "shapley:count"] {
        let credits = read_spec(model)?.attribute(&paths)?;
        let wanted = &expected["shapley_zhao_simplified_conversions"];
        compare(&mut out, &format!("{model} conversions"), &credits, wanted, |c| c.conversions);
    }
    for entry in expected["markov"].as_array().into_iter().flatten() {
        let nulls = entry["use_null"].as_bool().unwrap_or(true);
        markov(&mut out, &self::paths(dir, nulls)?, nulls, entry)?;
    }
    let rate = totals.conversions / (totals.conversions + totals.nulls);
    for order in 1..=4 {
        let got = Markov::new(order).map_or(Ok(f64::NAN), |m| m.conversion_probability(&paths))?;
        out.push(Check::relative(format!("markov {order}, conversion rate"), rate, got, 1e-10, SOURCE));
    }
    Ok(out)
}

fn markov(out: &mut Vec<Check>, paths: &PathTable, nulls: bool, entry: &Value) -> Result<(), OneShotError> {
    let name = format!("markov 1 {} nulls", if nulls { "with" } else { "without" });
    let credits = read_spec("markov:1")?.attribute(paths)?;
    let effect = |c: &ChannelCredit| c.removal_effect.unwrap_or(f64::NAN);
    compare(out, &format!("{name}, removal effect"), &credits, &entry["removal_effect"], effect);
    compare(out, &format!("{name}, conversions"), &credits, &entry["attributed_conversions"], |c| c.conversions);
    compare(out, &format!("{name}, value"), &credits, &entry["attributed_value"], |c| c.value);
    let wanted = entry["p_conv"].as_f64().unwrap_or(f64::NAN);
    let got = Markov::default().conversion_probability(paths)?;
    out.push(Check::relative(format!("{name}, P(conversion)"), wanted, got, 1e-10, SOURCE));
    Ok(())
}

/// One check for every channel that is expected.
fn compare(out: &mut Vec<Check>, what: &str, credits: &Credits, wanted: &Value, of: impl Fn(&ChannelCredit) -> f64) {
    for (channel, number) in wanted.as_object().into_iter().flatten() {
        let got = credits.channel(channel).map_or(f64::NAN, &of);
        let wanted = number.as_f64().unwrap_or(f64::NAN);
        out.push(Check::relative(format!("{what}, {channel}"), wanted, got, 1e-8, SOURCE));
    }
}

/// The paths of the sample, with their nulls or without.
fn paths(dir: &Path, with_nulls: bool) -> Result<PathTable, OneShotError> {
    let mut csv = Csv::open(&reference(dir, "channel-paths/PathData.csv")?, ";")?;
    let columns = ["path", "total_conversions", "total_conversion_value", "total_null"].map(|name| csv.column(name));
    let [path, conversions, value, nulls] = columns;
    let (path, conversions, value, nulls) = (path?, conversions?, value?, nulls?);
    let mut builder = PathTableBuilder::new();
    csv.rows(|_, record| {
        let amount = |column| number(record, column).map(|n| n.unwrap_or(0.0));
        let nulls = if with_nulls { amount(nulls)? } else { 0.0 };
        let outcome = Outcome { conversions: amount(conversions)?, value: amount(value)?, nulls };
        builder.push(&parse_path(text(record, path)?, " > "), None, outcome);
        Ok(())
    })?;
    Ok(builder.build().0)
}
