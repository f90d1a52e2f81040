//! Isotonic regression by pooling adjacent violators.

use serde_json::Value;
use throughline_core::Diagnostic;

use super::NoParams;
use crate::calibrator::{Counted, totals};
use crate::checks::{bits, damaged, finite, from_bits};
use crate::design::parameters;
use crate::{CalibrationInput, Calibrator, FittedCalibrator, LearnError};

pub(crate) const NAME: &str = "isotonic";

/// The rising function of the score with the least weighted squared error (equally: the greatest likelihood) on the rows,
/// by pooling adjacent violators (Ayer et al. 1955; Zadrozny and Elkan 2002), linear between pools and constant beyond
/// them. Tied scores are one point with their weights. Exact: pools are compared by cross products, whole weights without
/// rounding.
///
/// Needs many rows (1,000 or more) not to follow noise, and may give 0 or 1 exactly. Takes any finite scores.
#[derive(Debug, Clone, Copy, Default)]
pub struct Isotonic;

impl Calibrator for Isotonic {
    fn name(&self) -> &'static str {
        NAME
    }

    fn fit(&self, input: &CalibrationInput<'_>) -> Result<(Box<dyn FittedCalibrator>, Vec<Diagnostic>), LearnError> {
        let counted = input.counted()?;
        let (_, _, one_class) = totals(&counted);
        let pools = pool(&counted);
        let mut found: Vec<Diagnostic> = one_class.into_iter().collect();
        if pools.len() == 1 && counted.len() > 1 && found.is_empty() {
            let message = format!("`{NAME}` finds that higher scores go with fewer events: it gives the base rate");
            found.push(Diagnostic::warning("TL753", message).help("look at the model before its calibration"));
        }
        let mut fitted = FittedIsotonic { score: Vec::new(), value: Vec::new() };
        for p in &pools {
            let value = p.events / p.weight;
            for score in [p.first, p.last].into_iter().take(if p.first == p.last { 1 } else { 2 }) {
                fitted.score.push(score);
                fitted.value.push(value);
            }
        }
        Ok((Box::new(fitted), found))
    }
}

/// Neighbouring scores with one value.
#[derive(Debug, Clone, Copy)]
struct Pool {
    first: f64,
    last: f64,
    weight: f64,
    events: f64,
}

fn pool(counted: &[Counted]) -> Vec<Pool> {
    let mut pools: Vec<Pool> = Vec::new();
    for c in counted {
        let mut next = Pool { first: c.score, last: c.score, weight: c.others + c.events, events: c.events };
        // The one before is at least as high: e₀ / w₀ ≥ e₁ / w₁.
        while let Some(before) = pools.pop_if(|p| p.events * next.weight >= next.events * p.weight) {
            next.first = before.first;
            next.weight += before.weight;
            next.events += before.events;
        }
        pools.push(next);
    }
    pools
}

/// Knots of a rising function, scores strictly rising.
#[derive(Debug, Clone, PartialEq)]
struct FittedIsotonic {
    score: Vec<f64>,
    value: Vec<f64>,
}

impl FittedIsotonic {
    fn at(&self, score: f64) -> f64 {
        let next = self.score.partition_point(|s| *s <= score);
        match (next.checked_sub(1), self.score.get(next)) {
            (None, _) => self.value[0],
            (Some(last), None) => self.value[last],
            (Some(before), Some(after)) => {
                let (low, high) = (self.value[before], self.value[next]);
                // Halves, so that the distance of far scores does not overflow.
                let part = (score / 2.0 - self.score[before] / 2.0) / (after / 2.0 - self.score[before] / 2.0);
                (low + part * (high - low)).clamp(low, high)
            }
        }
    }
}

impl FittedCalibrator for FittedIsotonic {
    fn name(&self) -> &'static str {
        NAME
    }

    fn calibrate(&self, score: &[f64]) -> Result<Vec<f64>, LearnError> {
        finite("score", score)?;
        Ok(score.iter().map(|s| self.at(*s)).collect())
    }

    fn state(&self) -> Value {
        bits(&[self.score.as_slice(), &self.value].concat())
    }
}

pub(crate) fn build(params: &Value) -> Result<Box<dyn Calibrator>, LearnError> {
    let NoParams {} = parameters(NAME, params)?;
    Ok(Box::new(Isotonic))
}

pub(crate) fn load(state: &Value) -> Result<Box<dyn FittedCalibrator>, LearnError> {
    let numbers = from_bits(state)?;
    let (score, value) = numbers.split_at(numbers.len() / 2);
    let rising = score.windows(2).all(|s| s[0] < s[1]) && value.windows(2).all(|v| v[0] <= v[1]);
    let within = value.iter().all(|v| (0.0..=1.0).contains(v));
    if score.is_empty() || score.len() != value.len() || !rising || !within {
        return Err(damaged(&"its numbers are not those of a rising function"));
    }
    Ok(Box::new(FittedIsotonic { score: score.to_vec(), value: value.to_vec() }))
}
