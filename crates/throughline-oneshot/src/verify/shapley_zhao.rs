//! Zhao's ordered Shapley value on its published sample: as published, which credits more than there is, and normalised.

use std::path::Path;

use serde_json::Value;
use throughline_attribution::models::shapley_ordered::{Repeats, by_position};
use throughline_attribution::{Outcome, PathTable, PathTableBuilder, read_spec};

use super::{Check, read_text, reference};
use crate::OneShotError;
use crate::files::{Csv, text};

const PUBLISHED: &str = "ianchute/shapley-attribution-model-zhao-naive, sample_result.json";
const NORMALISED: &str = "the same sample, repeats divided";
/// The token that stands for the conversion.
const CONVERSION: &str = "21";

pub(super) fn checks(dir: &Path) -> Result<Vec<Check>, OneShotError> {
    let table = journeys(dir)?;
    let published: Value = serde_json::from_str(&read_text(dir, "shapley-zhao/sample_result.json")?)?;
    let expected: Value = serde_json::from_str(&read_text(dir, "shapley-zhao/expected_recomputed.json")?)?;
    let mut out = Vec::new();
    let journeys = expected["n_journeys"].as_f64().unwrap_or(f64::NAN);
    out.push(Check::absolute("zhao journeys", journeys, table.totals().conversions, 0.0, NORMALISED));
    let of_published = |channel: &str| published[format!("Channel {channel}")].clone();
    positions(&mut out, &table, Repeats::Published, &of_published, PUBLISHED);
    let of_normalised = |channel: &str| expected["ordered_repeat_normalised"][channel].clone();
    positions(&mut out, &table, Repeats::Normalised, &of_normalised, NORMALISED);
    for model in ["shapley_ordered", "shapley_simplified"] {
        let credits = read_spec(model)?.attribute(&table)?;
        for (channel, wanted) in expected["simplified_by_channel"].as_object().into_iter().flatten() {
            let got = credits.channel(channel).map_or(f64::NAN, |c| c.conversions);
            let wanted = wanted.as_f64().unwrap_or(f64::NAN);
            out.push(Check::absolute(format!("zhao {model}, channel {channel}"), wanted, got, 1e-9, NORMALISED));
        }
    }
    Ok(out)
}

/// One check a channel, of the position that differs most, and one of the sum of the table.
fn positions(
    out: &mut Vec<Check>,
    table: &PathTable,
    repeats: Repeats,
    expected: &dyn Fn(&str) -> Value,
    source: &str,
) {
    let got = by_position(table, repeats);
    let name = if repeats == Repeats::Published { "published" } else { "normalised" };
    let (mut sum, mut wanted_sum) = (0.0, 0.0);
    for (channel, row) in table.channels().iter().zip(&got) {
        let wanted: Vec<f64> =
            expected(channel).as_array().into_iter().flatten().map(|v| v.as_f64().unwrap_or(f64::NAN)).collect();
        let at = |list: &[f64], position: usize| list.get(position).copied().unwrap_or(0.0);
        let gap = |p: &usize| (at(row, *p) - at(&wanted, *p)).abs();
        // A NaN of a missing channel sorts last, so it is shown.
        let worst = (0..row.len().max(wanted.len())).max_by(|a, b| gap(a).total_cmp(&gap(b))).unwrap_or(0);
        let expect = if wanted.is_empty() { f64::NAN } else { at(&wanted, worst) };
        let name = format!("zhao ordered {name}, channel {channel}, position {}", worst + 1);
        out.push(Check::absolute(name, expect, at(row, worst), 1e-9, source));
        sum += row.iter().sum::<f64>();
        wanted_sum += wanted.iter().sum::<f64>();
    }
    out.push(Check::absolute(format!("zhao ordered {name}, sum"), wanted_sum, sum, 1e-8, source));
}

/// One journey a row: channels by position until the conversion.
fn journeys(dir: &Path) -> Result<PathTable, OneShotError> {
    let mut csv = Csv::open(&reference(dir, "shapley-zhao/sample.csv")?, ",")?;
    let width = csv.header().len();
    let mut builder = PathTableBuilder::new();
    csv.rows(|_, record| {
        let mut steps = Vec::new();
        for column in 0..width {
            match text(record, column)? {
                "" | CONVERSION => break,
                channel => steps.push(channel),
            }
        }
        builder.push(&steps, None, Outcome { conversions: 1.0, value: 0.0, nulls: 0.0 });
        Ok(())
    })?;
    Ok(builder.build().0)
}
