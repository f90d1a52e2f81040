//! From paths without the intervention to effects, all through `Estimate::from_draws`.

use serde_json::{Map, Value, json};
use throughline_core::{Estimate, Level};

use super::model::{Forecast, Series};
use crate::EvidenceError;

/// The effects of one window.
#[derive(Debug, Clone, PartialEq)]
pub struct Effects {
    /// Mean difference per time between the outcome and its path without the intervention.
    pub average: Estimate,
    /// The sum of differences.
    pub cumulative: Estimate,
    /// The sum of differences over the sum of the path; absent where that may be 0 or negative.
    pub relative: Option<Estimate>,
    /// What the mean per time would have been.
    pub predicted: Estimate,
    /// What the sum would have been.
    pub predicted_sum: Estimate,
    /// Mean of the outcome over the same times.
    pub actual: f64,
    /// Sum of the outcome over the same times.
    pub actual_sum: f64,
    /// Times measured.
    pub measured: Vec<usize>,
}

const METHOD: &str = "structural_time_series";

impl Effects {
    /// The effects over the forecast's times at which the outcome is known; `learnt` times are behind the paths. Errors:
    /// TL312 when no such time is left.
    pub fn of(forecast: &Forecast, series: &Series, learnt: usize, level: Level) -> Result<Self, EvidenceError> {
        let kept: Vec<usize> =
            (0..forecast.times.len()).filter(|i| series.outcome[forecast.times[*i]].is_finite()).collect();
        if kept.is_empty() {
            return Err(EvidenceError::Data {
                code: "TL312",
                message: "no time after the intervention has an outcome and all controls".into(),
                help: "measure over a period with outcomes, or leave out the controls that end early".into(),
            });
        }
        let measured: Vec<usize> = kept.iter().map(|i| forecast.times[*i]).collect();
        let count = kept.len() as f64;
        let actual_sum: f64 = measured.iter().map(|t| series.outcome[*t]).sum();
        let mean_sum: f64 = kept.iter().map(|i| forecast.mean[*i]).sum();
        let sums: Vec<f64> = forecast.paths.iter().map(|p| kept.iter().map(|i| p[*i]).sum()).collect();
        let n = (learnt + kept.len()) as u64;
        let of = |value: f64, draws: Vec<f64>| Estimate::from_draws(value, &draws, n, level, METHOD);
        let scaled = |f: &dyn Fn(f64) -> f64| (f(mean_sum), sums.iter().map(|s| f(*s)).collect::<Vec<f64>>());
        let (value, draws) = scaled(&|s| (actual_sum - s) / count);
        let average = of(value, draws)?;
        let (value, draws) = scaled(&|s| actual_sum - s);
        let cumulative = of(value, draws)?;
        let (value, draws) = scaled(&|s| s / count);
        let predicted = of(value, draws)?;
        let predicted_sum = of(mean_sum, sums.clone())?;
        let positive = mean_sum > 0.0 && sums.iter().all(|s| *s > 0.0);
        let (value, draws) = scaled(&|s| actual_sum / s - 1.0);
        let relative = if positive { Some(of(value, draws)?) } else { None };
        let actual = actual_sum / count;
        Ok(Self { average, cumulative, relative, predicted, predicted_sum, actual, actual_sum, measured })
    }

    /// Posterior probability that the effect has the sign of the estimate, from the same draws as the p-value: 1 − p / 2.
    pub fn probability(&self) -> f64 {
        1.0 - 0.5 * self.average.p_value
    }
}

/// Columns for screens, one value per forecast time: the path with its band, the effect of each time and the sum so far.
/// A time without an outcome has no effect and leaves the sum as it is.
pub(super) fn columns(forecast: &Forecast, series: &Series, level: Level) -> Result<Map<String, Value>, EvidenceError> {
    let mut sums = vec![0.0; forecast.paths.len()];
    let (mut sum, mut out) = (0.0, Columns::default());
    for (i, t) in forecast.times.iter().enumerate() {
        let here: Vec<f64> = forecast.paths.iter().map(|p| p[i]).collect();
        let path = Estimate::from_draws(forecast.mean[i], &here, 1, level, METHOD)?;
        out.push("counterfactual", "low", "high", Some(&path));
        let actual = series.outcome[*t];
        let mut effect = None;
        if actual.is_finite() {
            let less: Vec<f64> = here.iter().map(|p| actual - p).collect();
            effect = Some(Estimate::from_draws(actual - forecast.mean[i], &less, 1, level, METHOD)?);
            sum += actual - forecast.mean[i];
            sums.iter_mut().zip(&less).for_each(|(s, l)| *s += l);
        }
        out.push("effect", "effect_low", "effect_high", effect.as_ref());
        let so_far = Estimate::from_draws(sum, &sums, 1, level, METHOD).ok().filter(|_| actual.is_finite());
        out.push("cumulative", "cumulative_low", "cumulative_high", so_far.as_ref());
    }
    Ok(out.0)
}

#[derive(Default)]
struct Columns(Map<String, Value>);

impl Columns {
    fn push(&mut self, value: &str, low: &str, high: &str, estimate: Option<&Estimate>) {
        let end = |x: f64| if x.is_finite() { json!(x) } else { Value::Null };
        let numbers = estimate.map(|e| [e.value, e.interval().0, e.interval().1]);
        for (k, name) in [value, low, high].into_iter().enumerate() {
            let shown = numbers.map_or(Value::Null, |n| end(n[k]));
            let column = self.0.entry(name.to_owned()).or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(column) = column {
                column.push(shown);
            }
        }
    }
}
