//! CausalImpact's answer for the series that tfcausalimpact ships: two control series, 61 days before and 30 after.

use std::path::Path;

use throughline_core::Level;
use throughline_evidence::series::structural::{Answer, answer};
use throughline_evidence::series::{Grid, Series, Settings, Window};

use super::{Check, reference};
use crate::OneShotError;
use crate::files::read_table;

const SOURCE: &str = "R CausalImpact, 1,000 MCMC draws, rounded (tfcausalimpact notebooks/R/google)";

/// The first of the 30 days whose outcomes add up to 4,687, as in R's summary.
const INTERVENTION: &str = "2020-03-02";

/// Draws: ours must not add to the Monte-Carlo error of R's 900 that are kept.
const DRAWS: usize = 20_000;

/// Our analysis with the priors that CausalImpact documents.
fn analysis(dir: &Path) -> Result<Answer, OneShotError> {
    let file = reference(dir, "causalimpact/google_data.csv")?;
    let (table, _) = read_table(&file, ",", &["date", "y", "x1", "x2"])?;
    let grid = Grid::of(table.column("date")?)?;
    let column = |name: &str| table.numbers(name).map(|v| grid.spread(v));
    let controls = vec![("x1".to_owned(), column("x1")?), ("x2".to_owned(), column("x2")?)];
    let series = Series::new(grid.labels.clone(), column("y")?, controls)?;
    let start = grid.at_or_after(INTERVENTION)?;
    let window = Window { intervention: start, start, end: series.len() };
    Ok(answer(&series, window, &[], &Settings { draws: DRAWS, ..Settings::causal_impact() }, Level::P95)?)
}

/// Tolerances: half the last printed digit, plus what 900 draws can be off by in R's answer. With a standard deviation s
/// of the draws that is 3 s / √900 = 0.1 s for a mean, 3 s / √1800 = 0.071 s for s itself, and for an end of the interval
/// 3 s √(0.025 · 0.975 / 900) / φ(1.96) = 0.27 s. s is 4.5 for the average and 134.2 for the sum.
pub(super) fn checks(dir: &Path) -> Result<Vec<Check>, OneShotError> {
    let e = analysis(dir)?.effects;
    let sd = |e: &throughline_core::Estimate| e.std_error.unwrap_or(f64::NAN);
    let mut out = Vec::new();
    let mut check = |name: &str, expected: f64, got: f64, tolerance: f64| {
        out.push(Check::absolute(format!("causalimpact {name}"), expected, got, tolerance, SOURCE));
    };
    check("actual, average", 156.0, e.actual, 0.5);
    check("actual, sum", 4687.0, e.actual_sum, 0.5);
    let (low, high) = e.predicted.interval();
    check("prediction, average", 129.0, e.predicted.value, 0.5 + 0.45);
    check("prediction, average, sd", 4.5, sd(&e.predicted), 0.05 + 0.32);
    check("prediction, average, lower end", 120.0, low, 0.5 + 1.2);
    check("prediction, average, upper end", 138.0, high, 0.5 + 1.2);
    let (low, high) = e.predicted_sum.interval();
    check("prediction, sum", 3883.0, e.predicted_sum.value, 0.5 + 13.4);
    check("prediction, sum, sd", 134.2, sd(&e.predicted_sum), 0.05 + 9.5);
    check("prediction, sum, lower end", 3614.0, low, 0.5 + 36.0);
    check("prediction, sum, upper end", 4148.0, high, 0.5 + 36.0);
    let (low, high) = e.average.interval();
    check("effect, average", 27.0, e.average.value, 0.5 + 0.45);
    check("effect, average, lower end", 18.0, low, 0.5 + 1.2);
    check("effect, average, upper end", 36.0, high, 0.5 + 1.2);
    check("effect, sum", 804.0, e.cumulative.value, 0.5 + 13.4);
    let relative = e.relative.as_ref().map_or(f64::NAN, |r| r.value);
    check("effect, relative", 0.21, relative, 0.005 + 0.0035);
    // R's one-sided tail and probability rest on 996 draws, none of which is on the other side: 1 / 997 is their floor.
    check("tail probability", 0.001, 0.5 * e.average.p_value, 0.001);
    check("probability of an effect", 0.998_996, e.probability(), 0.001_004);
    Ok(out)
}
