//! Split-conformal prediction intervals.

use serde_json::{Value, json};
use throughline_core::{Diagnostic, Level};

use crate::LearnError;
use crate::checks::{all, bits, damaged, finite, from_bits, same_length};

/// Where a new observation is expected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConformalInterval {
    /// Lower end; −∞ where the rows were too few for the level.
    pub low: f64,
    /// Upper end; ∞ likewise.
    pub high: f64,
}

impl ConformalInterval {
    /// Whether the interval holds `x`.
    pub fn contains(&self, x: f64) -> bool {
        self.low <= x && x <= self.high
    }
}

/// Prediction intervals around the predictions of any model, from its errors on rows it has not seen.
///
/// Interval: ŷ ± q·σ̂, with q the ⌈(n + 1) · level⌉-th smallest of |y − ŷ| / σ̂ over the n calibration rows; σ̂ = 1 for the plain
/// form, a positive predicted size of the error for the normalised one (Vovk, Gammerman and Shafer 2005; Lei, G'Sell, Rinaldo,
/// Tibshirani and Wasserman, JASA 2018).
///
/// **Guarantee**: where calibration rows and a new row are exchangeable, and neither was used to fit ŷ or σ̂, the interval holds
/// the new observation with a probability of at least `level` (and, without ties, at most level + 1 / (n + 1)), whatever the model
/// and the distribution. The guarantee is on average over people and calibration sets, not for each person. It says where
/// *observations* lie; it is no interval for an effect, of which nobody observes one.
#[derive(Debug, Clone, PartialEq)]
pub struct SplitConformal {
    level: Level,
    rows: u64,
    normalised: bool,
    /// q, in the unit of the outcome (or of σ̂); `None` for the whole line.
    quantile: Option<f64>,
}

impl SplitConformal {
    /// Learns q from predictions and observations of calibration rows; `scale` is σ̂ per row for the normalised form. With
    /// fewer than level / (1 − level) rows the intervals are the whole line (`TL754`): nothing shorter keeps the promise.
    ///
    /// # Errors
    /// Lengths that differ, values that are not finite, a scale that is not above 0, no rows.
    pub fn fit(
        predicted: &[f64],
        observed: &[f64],
        scale: Option<&[f64]>,
        level: Level,
    ) -> Result<(Self, Vec<Diagnostic>), LearnError> {
        let n = observed.len();
        same_length("predicted value", predicted.len(), n)?;
        finite("predicted value", predicted)?;
        finite("observed value", observed)?;
        if let Some(scale) = scale {
            same_length("scale", scale.len(), n)?;
            positive(scale)?;
        }
        if n == 0 {
            return Err(LearnError::Empty { what: "rows for a conformal interval" });
        }
        let error = |i: usize| (observed[i] - predicted[i]).abs() / scale.map_or(1.0, |s| s[i]);
        let mut errors: Vec<f64> = (0..n).map(error).collect();
        errors.sort_unstable_by(f64::total_cmp);
        let quantile = rank(n, level).and_then(|k| errors.get(k - 1).copied()).filter(|q| q.is_finite());
        let mut found = Vec::new();
        if quantile.is_none() {
            let message = format!("{n} rows are too few for intervals at {}: they are the whole line", level.get());
            found.push(Diagnostic::warning("TL754", message).help("calibrate on more rows, or lower the level"));
        }
        Ok((Self { level, rows: n as u64, normalised: scale.is_some(), quantile }, found))
    }

    /// q; `None` where the intervals are the whole line.
    pub const fn quantile(&self) -> Option<f64> {
        self.quantile
    }

    /// The level of the intervals.
    pub const fn level(&self) -> Level {
        self.level
    }

    /// Intervals for new predictions, with their scales for the normalised form.
    ///
    /// # Errors
    /// Lengths that differ, values that are not finite, scales where none were learnt or the reverse.
    pub fn intervals(&self, predicted: &[f64], scale: Option<&[f64]>) -> Result<Vec<ConformalInterval>, LearnError> {
        finite("predicted value", predicted)?;
        if scale.is_some() != self.normalised {
            let what = if self.normalised { "learnt with scales" } else { "learnt without scales" };
            return Err(LearnError::Params { name: "split_conformal", message: format!("it was {what}") });
        }
        if let Some(scale) = scale {
            same_length("scale", scale.len(), predicted.len())?;
            positive(scale)?;
        }
        let one = |(i, p): (usize, &f64)| {
            let half = self.quantile.map_or(f64::INFINITY, |q| q * scale.map_or(1.0, |s| s[i]));
            ConformalInterval { low: p - half, high: p + half }
        };
        Ok(predicted.iter().enumerate().map(one).collect())
    }

    /// All it knows, as JSON from which [`load`](Self::load) makes the same, bit for bit.
    pub fn state(&self) -> Value {
        let mut state = bits(&[&[self.level.get()][..], self.quantile.as_slice()].concat());
        state["rows"] = json!(self.rows);
        state["normalised"] = json!(self.normalised);
        state
    }

    /// Restores a saved one.
    ///
    /// # Errors
    /// A damaged state.
    pub fn load(state: &Value) -> Result<Self, LearnError> {
        let numbers = from_bits(state)?;
        let rows = state.get("rows").and_then(Value::as_u64);
        let normalised = state.get("normalised").and_then(Value::as_bool);
        let (Some(&level), Some(rows), Some(normalised)) = (numbers.first(), rows, normalised) else {
            return Err(damaged(&"it is no conformal interval"));
        };
        let quantile = numbers.get(1).copied();
        if numbers.len() > 2 || quantile.is_some_and(|q| q < 0.0) {
            return Err(damaged(&"its numbers are not those of a conformal interval"));
        }
        Ok(Self { level: Level::new(level).map_err(|e| damaged(&e))?, rows, normalised, quantile })
    }
}

/// ⌈(n + 1) · level⌉, or nothing beyond n. A product above a whole number by rounding only is that number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive number of at most n + 1")]
fn rank(n: usize, level: Level) -> Option<usize> {
    let k = ((n as f64 + 1.0) * level.get() - 1e-9).ceil().max(1.0) as usize;
    (k <= n).then_some(k)
}

fn positive(scale: &[f64]) -> Result<(), LearnError> {
    all("scale", scale, "finite and above 0", |s| s.is_finite() && s > 0.0)
}
