//! No calibration: probabilities as they are.

use serde_json::{Value, json};
use throughline_core::Diagnostic;

use super::NoParams;
use crate::checks::{damaged, probabilities};
use crate::design::parameters;
use crate::{CalibrationInput, Calibrator, FittedCalibrator, LearnError};

pub(crate) const NAME: &str = "identity";

/// Leaves probabilities as they are: the choice where every calibrator makes them worse. Refuses scores outside 0 to 1.
#[derive(Debug, Clone, Copy, Default)]
pub struct Identity;

impl Calibrator for Identity {
    fn name(&self) -> &'static str {
        NAME
    }

    fn fit(&self, input: &CalibrationInput<'_>) -> Result<(Box<dyn FittedCalibrator>, Vec<Diagnostic>), LearnError> {
        input.check()?;
        probabilities("score", input.score)?;
        Ok((Box::new(Self), Vec::new()))
    }
}

impl FittedCalibrator for Identity {
    fn name(&self) -> &'static str {
        NAME
    }

    fn calibrate(&self, score: &[f64]) -> Result<Vec<f64>, LearnError> {
        probabilities("score", score)?;
        Ok(score.to_vec())
    }

    fn state(&self) -> Value {
        json!({ "identity": true })
    }
}

pub(crate) fn build(params: &Value) -> Result<Box<dyn Calibrator>, LearnError> {
    let NoParams {} = parameters(NAME, params)?;
    Ok(Box::new(Identity))
}

pub(crate) fn load(state: &Value) -> Result<Box<dyn FittedCalibrator>, LearnError> {
    match state.get("identity").and_then(Value::as_bool) {
        Some(true) => Ok(Box::new(Identity)),
        _ => Err(damaged(&"it is no identity")),
    }
}
