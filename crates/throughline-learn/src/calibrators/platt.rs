//! Platt's sigmoid, with his smoothed targets.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use throughline_core::Diagnostic;
use throughline_stats::logistic::sigmoid;

use super::logistic;
use crate::calibrator::totals;
use crate::checks::{bits, damaged, finite, from_bits, probabilities};
use crate::design::parameters;
use crate::{CalibrationInput, Calibrator, FittedCalibrator, LearnError};

pub(crate) const NAME: &str = "platt";

/// Probabilities are kept this far from 0 and 1 before their log-odds are taken.
const BOUND: f64 = 1e-15;

/// What the sigmoid is a function of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoreScale {
    /// The log-odds of a predicted probability: calibrated probabilities are then among what can be learnt.
    #[default]
    LogOdds,
    /// The score as it is, any finite number (Platt's own use, for margins).
    Score,
}

impl ScoreScale {
    fn check(self, score: &[f64]) -> Result<(), LearnError> {
        match self {
            Self::LogOdds => probabilities("score", score),
            Self::Score => finite("score", score),
        }
    }

    fn of(self, score: f64) -> f64 {
        match self {
            Self::LogOdds => {
                let p = score.clamp(BOUND, 1.0 - BOUND);
                p.ln() - (-p).ln_1p()
            }
            Self::Score => score,
        }
    }
}

/// Parameters of Platt's calibrator.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlattParams {
    /// What the sigmoid is a function of.
    pub on: ScoreScale,
}

/// P = 1 / (1 + exp(−(a + b s))), maximum likelihood with the targets (N₊ + 1) / (N₊ + 2) for events and 1 / (N₋ + 2) for
/// other rows in place of 1 and 0 (Platt, "Probabilistic outputs for support vector machines", 1999), N the weights of
/// each class. Finite for separated classes; one class gives its target for every score (`TL750`), a constant score the
/// smoothed base rate. A negative slope is kept and said (`TL753`).
#[derive(Debug, Clone)]
pub struct Platt {
    params: PlattParams,
}

impl Platt {
    /// With parameters.
    pub const fn new(params: PlattParams) -> Self {
        Self { params }
    }
}

impl Calibrator for Platt {
    fn name(&self) -> &'static str {
        NAME
    }

    fn fit(&self, input: &CalibrationInput<'_>) -> Result<(Box<dyn FittedCalibrator>, Vec<Diagnostic>), LearnError> {
        let counted = input.counted()?;
        self.params.on.check(input.score)?;
        let (others, events, one_class) = totals(&counted);
        let mut found: Vec<Diagnostic> = one_class.into_iter().collect();
        let (high, low) = ((events + 1.0) / (events + 2.0), 1.0 / (others + 2.0));
        let on = self.params.on;
        if !found.is_empty() {
            let target = if events > 0.0 { high } else { low };
            let base = target.ln() - (-target).ln_1p();
            return Ok((Box::new(FittedPlatt { on, base, slope: 0.0 }), found));
        }
        let (mut x, mut y, mut w) = (Vec::new(), Vec::new(), Vec::new());
        for c in &counted {
            for (target, weight) in [(high, c.events), (low, c.others)] {
                x.push(on.of(c.score));
                y.push(target);
                w.push(weight);
            }
        }
        let fit = logistic(NAME, &x, 1, &y, &w)?;
        let (base, slope) = (fit.coefficients[0], fit.coefficients[1]);
        if slope < 0.0 {
            let message = format!("`{NAME}` has a slope of {slope}: higher scores go with fewer events");
            found.push(Diagnostic::warning("TL753", message).help("look at the model before its calibration"));
        }
        Ok((Box::new(FittedPlatt { on, base, slope }), found))
    }
}

#[derive(Debug, Clone, PartialEq)]
struct FittedPlatt {
    on: ScoreScale,
    base: f64,
    slope: f64,
}

impl FittedCalibrator for FittedPlatt {
    fn name(&self) -> &'static str {
        NAME
    }

    fn calibrate(&self, score: &[f64]) -> Result<Vec<f64>, LearnError> {
        self.on.check(score)?;
        Ok(score.iter().map(|s| sigmoid(self.base + self.slope * self.on.of(*s))).collect())
    }

    fn state(&self) -> Value {
        let mut state = bits(&[self.base, self.slope]);
        state["on"] = json!(self.on);
        state
    }
}

pub(crate) fn build(params: &Value) -> Result<Box<dyn Calibrator>, LearnError> {
    Ok(Box::new(Platt::new(parameters(NAME, params)?)))
}

pub(crate) fn load(state: &Value) -> Result<Box<dyn FittedCalibrator>, LearnError> {
    let on = state.get("on").cloned().ok_or_else(|| damaged(&"it has no `on`"))?;
    let on = serde_json::from_value(on).map_err(|e| damaged(&e))?;
    match from_bits(state)?.as_slice() {
        &[base, slope] => Ok(Box::new(FittedPlatt { on, base, slope })),
        _ => Err(damaged(&"its numbers are not those of a sigmoid")),
    }
}
