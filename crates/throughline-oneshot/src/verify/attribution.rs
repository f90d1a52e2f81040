//! Small attribution examples that can be checked by hand: Adobe's lookback example, position rules, mtapy, mta, Shao and
//! Li's first order, Snowplow's path transforms.

use std::path::Path;

use serde_json::Value;
use throughline_attribution::models::markov::Markov;
use throughline_attribution::models::shao_li;
use throughline_attribution::{Outcome, PathTable, PathTableBuilder, Transform, parse_path, read_spec};
use throughline_core::time::DAY_US;

use super::{Check, read_text};
use crate::OneShotError;

/// Steps, ages in days, conversions, value.
type Row = (Vec<String>, Option<Vec<f64>>, f64, f64);

fn table(rows: &[Row]) -> PathTable {
    let mut builder = PathTableBuilder::new();
    for (steps, ages, conversions, value) in rows {
        #[expect(clippy::cast_possible_truncation, reason = "days of a few weeks")]
        let ages: Option<Vec<i64>> = ages.as_ref().map(|a| a.iter().map(|d| (d * DAY_US as f64) as i64).collect());
        builder.push(steps, ages.as_deref(), Outcome { conversions: *conversions, value: *value, nulls: 0.0 });
    }
    builder.build().0
}

fn credit(table: &PathTable, spec: &str, channel: &str, of_value: bool) -> Result<f64, OneShotError> {
    let credits = read_spec(spec)?.attribute(table)?;
    Ok(credits.channel(channel).map_or(f64::NAN, |c| if of_value { c.value } else { c.conversions }))
}

pub(super) fn checks(dir: &Path) -> Result<Vec<Check>, OneShotError> {
    let vectors: Value = serde_json::from_str(&read_text(dir, "attribution-vectors/vectors.json")?)?;
    let mut out = adobe(&vectors)?;
    out.extend(positions(&vectors)?);
    out.extend(mtapy(&vectors)?);
    out.extend(mta(&vectors["mta"])?);
    out.extend(transforms(&vectors["snowplow_path_transforms"]));
    Ok(out)
}

fn adobe(vectors: &Value) -> Result<Vec<Check>, OneShotError> {
    let example = &vectors["adobe_lookback_example"];
    let source = "Adobe Analytics documentation, attribution models";
    let touches = example["touches"].as_array().cloned().unwrap_or_default();
    let steps: Vec<String> = touches.iter().filter_map(|t| t[0].as_str().map(str::to_owned)).collect();
    let ages: Vec<f64> = touches.iter().filter_map(|t| t[1].as_f64()).collect();
    let value = example["value"].as_f64().unwrap_or(f64::NAN);
    let paths = table(&[(steps.clone(), Some(ages), 1.0, value)]);
    let mut out = Vec::new();
    for (spec, key) in [("linear", "linear"), ("participation", "participation")] {
        for (i, channel) in steps.iter().enumerate() {
            let expected = example["expected"][key][i].as_f64().unwrap_or(f64::NAN);
            let got = credit(&paths, spec, channel, true)?;
            out.push(Check::absolute(format!("adobe {spec}, {channel}"), expected, got, 1e-9, source));
        }
    }
    for (spec, key, tolerance) in [("j", "j_shaped", 1e-9), ("time_decay:7d", "time_decay_halflife7", 5.001e-3)] {
        for channel in &steps {
            let expected = example["expected"][key][channel].as_f64().unwrap_or(f64::NAN);
            let got = credit(&paths, spec, channel, true)?;
            out.push(Check::absolute(format!("adobe {spec}, {channel}"), expected, got, tolerance, source));
        }
    }
    Ok(out)
}

fn positions(vectors: &Value) -> Result<Vec<Check>, OneShotError> {
    let rules = &vectors["adobe_rules"];
    let three: Vec<String> = ["a", "b", "c"].map(str::to_owned).to_vec();
    let two: Vec<String> = three[..2].to_vec();
    let mut out = Vec::new();
    for (spec, key, steps) in [
        ("u", "u", &three),
        ("u", "u_two", &two),
        ("j", "j_first_mid_last", &three),
        ("j", "j_two_first_last", &two),
        ("inverse_j", "inverse_j_first_mid_last", &three),
        ("inverse_j", "inverse_j_two", &two),
    ] {
        let paths = table(&[(steps.clone(), None, 1.0, 1.0)]);
        for (i, channel) in steps.iter().enumerate() {
            let expected = rules[key][i].as_f64().unwrap_or(f64::NAN);
            let got = credit(&paths, spec, channel, false)?;
            out.push(Check::absolute(format!("adobe {key}, touch {}", i + 1), expected, got, 1e-9, "Adobe rules"));
        }
    }
    Ok(out)
}

fn mtapy(vectors: &Value) -> Result<Vec<Check>, OneShotError> {
    let example = &vectors["mtapy"];
    let rows: Vec<_> = example["paths"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|row| {
            let steps = row[0].as_array().into_iter().flatten().filter_map(|s| s.as_str().map(str::to_owned));
            (steps.collect::<Vec<_>>(), None, row[1].as_f64().unwrap_or(f64::NAN), 0.0)
        })
        .collect();
    let paths = table(&rows);
    let mut out = Vec::new();
    for (spec, key) in [("first", "first"), ("last", "last"), ("linear", "linear"), ("u", "ushape_40_20_40")] {
        for channel in ["a", "b", "c"] {
            let expected = example[key][channel].as_f64().unwrap_or(f64::NAN);
            let got = credit(&paths, spec, channel, false)?;
            out.push(Check::absolute(format!("mtapy {spec}, {channel}"), expected, got, 1e-9, "takuti/mtapy tests"));
        }
    }
    // The published values of the co-occurrence game lack the empty coalition's term, v({c}) / 3: what a channel converts
    // alone.
    for channel in ["a", "b", "c"] {
        let alone = rows.iter().filter(|r| r.0 == [channel]).map(|r| r.2).sum::<f64>();
        let expected = example["shapley_cooccurrence"][channel].as_f64().unwrap_or(f64::NAN) + alone / 3.0;
        for spec in ["shapley_simplified", "shapley:count"] {
            let got = credit(&paths, spec, channel, false)?;
            out.push(Check::absolute(format!("mtapy {spec}, {channel}"), expected, got, 1e-9, "takuti/mtapy tests"));
        }
    }
    Ok(out)
}

/// Paths as text with conversions and nulls.
fn aggregated(paths: &Value) -> PathTable {
    let mut builder = PathTableBuilder::new();
    for row in paths.as_array().into_iter().flatten() {
        let count = |i: usize| row[i].as_f64().unwrap_or(f64::NAN);
        let outcome = Outcome { conversions: count(1), value: 0.0, nulls: count(2) };
        builder.push(&parse_path(row[0].as_str().unwrap_or_default(), " > "), None, outcome);
    }
    builder.build().0
}

fn mta(example: &Value) -> Result<Vec<Check>, OneShotError> {
    let source = "eeghor/mta tests";
    let mut out = Vec::new();
    // Their transitions, multiplied along the two ways to a conversion.
    let paths = aggregated(&example["markov"]["paths"]);
    let p = |step: &str| example["markov"]["transitions"][step].as_f64().unwrap_or(f64::NAN);
    let (through_b, through_c) = (p("a>b") * p("b>conv"), p("a>c") * p("c>conv"));
    let whole = p("start>a") * (through_b + through_c);
    let got = Markov::default().conversion_probability(&paths)?;
    out.push(Check::absolute("mta markov, P(conversion)", whole, got, 1e-9, source));
    let credits = read_spec("markov:1")?.attribute(&paths)?;
    for (channel, expected) in [("a", 1.0), ("b", through_b / whole), ("c", through_c / whole)] {
        let got = credits.channel(channel).and_then(|c| c.removal_effect).unwrap_or(f64::NAN);
        out.push(Check::absolute(format!("mta markov, removal effect, {channel}"), expected, got, 1e-9, source));
    }
    let example = &example["shao_li_order1"];
    let paths = aggregated(&example["paths"]);
    for (channel, got) in paths.channels().iter().zip(shao_li::raw(&paths)) {
        let expected = example["credit"][channel].as_f64().unwrap_or(f64::NAN);
        out.push(Check::absolute(format!("mta shao_li, raw credit, {channel}"), expected, got, 1e-9, source));
    }
    Ok(out)
}

/// Paths are lists of names, so a check counts the steps that differ.
fn transforms(example: &Value) -> Vec<Check> {
    let list = |v: &Value| -> Vec<String> {
        v.as_array().into_iter().flatten().filter_map(|s| s.as_str().map(str::to_owned)).collect()
    };
    let check = |transform: &str, from: &Value, to: &Value| {
        let (from, to) = (list(from), list(to));
        let steps: Vec<_> = from.iter().map(|s| s.as_str().into()).collect();
        let got: Option<Vec<String>> =
            transform.parse::<Transform>().ok().map(|t| t.apply(&steps).iter().map(ToString::to_string).collect());
        let differ = got.map_or(f64::NAN, |got| {
            let steps = got.iter().zip(&to).filter(|(a, b)| a != b).count();
            (steps + got.len().abs_diff(to.len())) as f64
        });
        let name = format!("snowplow transform {transform}, steps that differ");
        Check::absolute(name, 0.0, differ, 0.0, "snowplow/dbt-snowplow-fractribution")
    };
    let plain = ["unique", "exposure", "first", "frequency"];
    let plain = plain.map(|name| check(name, &example["in"], &example[format!("{name}_path")]));
    let removing = ["remove_if_not_all", "remove_if_last_and_not_all"].map(|name| {
        let case = &example[format!("{name}_A")];
        check(&format!("{name}:A"), &case["in"], &case["out"])
    });
    plain.into_iter().chain(removing).collect()
}
