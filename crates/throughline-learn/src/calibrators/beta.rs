//! Beta calibration.

use serde_json::Value;
use throughline_core::Diagnostic;
use throughline_stats::logistic::sigmoid;

use super::{NoParams, logistic};
use crate::calibrator::{Counted, totals};
use crate::checks::{bits, damaged, from_bits, probabilities};
use crate::design::parameters;
use crate::{CalibrationInput, Calibrator, FittedCalibrator, LearnError};

pub(crate) const NAME: &str = "beta";

/// Probabilities are kept this far from 0 and 1 before their logarithms are taken.
const BOUND: f64 = 1e-15;

/// P = 1 / (1 + exp(−(c + a ln p − b ln(1 − p)))) with a, b ≥ 0, by maximum likelihood (Kull, Silva Filho and Flach, "Beta
/// calibration", AISTATS 2017). Bends as distributions of probabilities do, and holds the identity (a = b = 1, c = 0).
///
/// The likelihood is concave, so the best of the four fits with neither, one or both of a and b held at 0 is the constrained
/// maximum. Refuses scores outside 0 to 1. One class gives Platt's target for every score (`TL750`); where higher
/// scores go with fewer events a = b = 0, the base rate (`TL753`).
#[derive(Debug, Clone, Copy, Default)]
pub struct Beta;

fn columns(p: f64) -> [f64; 2] {
    let p = p.clamp(BOUND, 1.0 - BOUND);
    [p.ln(), -(-p).ln_1p()]
}

impl Calibrator for Beta {
    fn name(&self) -> &'static str {
        NAME
    }

    fn fit(&self, input: &CalibrationInput<'_>) -> Result<(Box<dyn FittedCalibrator>, Vec<Diagnostic>), LearnError> {
        let counted = input.counted()?;
        probabilities("score", input.score)?;
        let (others, events, one_class) = totals(&counted);
        let mut found: Vec<Diagnostic> = one_class.into_iter().collect();
        let rate = match (events > 0.0, others > 0.0) {
            (true, true) => events / (events + others),
            (true, false) => (events + 1.0) / (events + 2.0),
            (false, _) => 1.0 / (others + 2.0),
        };
        let flat = FittedBeta { base: rate.ln() - (-rate).ln_1p(), low: 0.0, high: 0.0 };
        if !found.is_empty() || counted.len() < 2 {
            return Ok((Box::new(flat), found));
        }
        let mut best: Option<(f64, FittedBeta)> = None;
        for free in [&[0, 1][..], &[0], &[1]] {
            let (likelihood, candidate) = with_free(&counted, free)?;
            let allowed = candidate.low >= 0.0 && candidate.high >= 0.0;
            if allowed && best.as_ref().is_none_or(|(l, _)| likelihood > *l) {
                best = Some((likelihood, candidate));
            }
        }
        let fitted = best.map_or(flat, |(_, b)| b);
        if fitted.low == 0.0 && fitted.high == 0.0 {
            let message = format!("`{NAME}` finds that higher scores go with fewer events: it gives the base rate");
            found.push(Diagnostic::warning("TL753", message).help("look at the model before its calibration"));
        }
        Ok((Box::new(fitted), found))
    }
}

/// The fit with the named ones of ln p and −ln(1 − p), and its likelihood.
fn with_free(counted: &[Counted], free: &[usize]) -> Result<(f64, FittedBeta), LearnError> {
    let (mut x, mut y, mut w) = (Vec::new(), Vec::new(), Vec::new());
    for c in counted {
        let both = columns(c.score);
        x.extend(free.iter().map(|&j| both[j]));
        y.push(c.events / (c.events + c.others));
        w.push(c.events + c.others);
    }
    let fit = logistic(NAME, &x, free.len(), &y, &w)?;
    let mut slopes = [0.0; 2];
    for (&j, b) in free.iter().zip(&fit.coefficients[1..]) {
        slopes[j] = *b;
    }
    Ok((fit.log_likelihood, FittedBeta { base: fit.coefficients[0], low: slopes[0], high: slopes[1] }))
}

/// c, a and b.
#[derive(Debug, Clone, PartialEq)]
struct FittedBeta {
    base: f64,
    low: f64,
    high: f64,
}

impl FittedCalibrator for FittedBeta {
    fn name(&self) -> &'static str {
        NAME
    }

    fn calibrate(&self, score: &[f64]) -> Result<Vec<f64>, LearnError> {
        probabilities("score", score)?;
        let one = |p: &f64| {
            let [low, high] = columns(*p);
            sigmoid(self.base + self.low * low + self.high * high)
        };
        Ok(score.iter().map(one).collect())
    }

    fn state(&self) -> Value {
        bits(&[self.base, self.low, self.high])
    }
}

pub(crate) fn build(params: &Value) -> Result<Box<dyn Calibrator>, LearnError> {
    let NoParams {} = parameters(NAME, params)?;
    Ok(Box::new(Beta))
}

pub(crate) fn load(state: &Value) -> Result<Box<dyn FittedCalibrator>, LearnError> {
    match from_bits(state)?.as_slice() {
        &[base, low, high] if low >= 0.0 && high >= 0.0 => Ok(Box::new(FittedBeta { base, low, high })),
        _ => Err(damaged(&"its numbers are not those of a beta calibration")),
    }
}
