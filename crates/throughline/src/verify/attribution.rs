//! Small attribution examples that can be checked by hand: Adobe's lookback example, position rules, mtapy, mta.

use std::path::Path;

use serde_json::Value;
use throughline_attribution::{Outcome, PathTable, PathTableBuilder, read_spec};
use throughline_core::time::DAY_US;

use super::{Check, read_text};
use crate::failure::Failure;

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

fn credit(table: &PathTable, spec: &str, channel: &str, of_value: bool) -> Result<f64, Failure> {
    let credits = read_spec(spec)?.attribute(table)?;
    Ok(credits.channel(channel).map_or(f64::NAN, |c| if of_value { c.value } else { c.conversions }))
}

pub(super) fn checks(dir: &Path) -> Result<Vec<Check>, Failure> {
    let vectors: Value = serde_json::from_str(&read_text(dir, "attribution-vectors/vectors.json")?)?;
    let mut out = adobe(&vectors)?;
    out.extend(positions(&vectors)?);
    out.extend(mtapy(&vectors)?);
    Ok(out)
}

fn adobe(vectors: &Value) -> Result<Vec<Check>, Failure> {
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

fn positions(vectors: &Value) -> Result<Vec<Check>, Failure> {
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

fn mtapy(vectors: &Value) -> Result<Vec<Check>, Failure> {
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
    Ok(out)
}
