//! Logistic regression, plain or with a ridge penalty.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use throughline_stats::logistic::{LogisticRegression, Rows, sigmoid};

use crate::design::{Design, Score, check_ridge, parameters};
use crate::linear::finite;
use crate::{FeatureMatrix, FittedLearner, LearnError, Learner, LearnerInput, Task};

pub(crate) const NAME: &str = "logistic";

/// Parameters of logistic regression.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogisticParams {
    /// Penalty λ ≥ 0 per row on half the squared coefficients of columns scaled to variance 1; 0 for maximum likelihood.
    pub ridge: f64,
}

/// Logistic regression: maximises (1/n) Σ [y ln p + (1 − y) ln(1 − p)] − ½ λ Σ b², ln(p / (1 − p)) = a + z·b, with z the
/// columns centred and scaled to variance 1 over the rows learnt from. Missing values count as the mean of their column;
/// columns that earlier ones determine get no coefficient. Where the outcomes are separated and λ = 0, the fit is where
/// the likelihood stopped changing, with probabilities close to 0 and 1. Predicts probabilities only.
///
/// Work: rows × columns² per Newton step.
#[derive(Debug, Clone)]
pub struct Logistic {
    params: LogisticParams,
}

impl Logistic {
    /// Checks the parameters.
    pub fn new(params: LogisticParams) -> Result<Self, LearnError> {
        check_ridge(NAME, params.ridge)?;
        Ok(Self { params })
    }
}

impl Learner for Logistic {
    fn name(&self) -> &'static str {
        NAME
    }

    fn fit(&self, input: &LearnerInput<'_>) -> Result<Box<dyn FittedLearner>, LearnError> {
        if input.task != Task::Probability {
            return Err(LearnError::Task { name: NAME, predicts: "probabilities" });
        }
        let design = Design::new(input)?;
        let target: Vec<f64> = input.rows.iter().map(|&r| input.target[r]).collect();
        let width = design.columns.len();
        if target.iter().all(|y| *y == target[0]) {
            return Ok(Box::new(FittedLogistic::Constant(target[0])));
        }
        let mut x = vec![0.0; target.len() * width];
        for (j, column) in design.columns.iter().enumerate() {
            x.iter_mut().skip(j).step_by(width).zip(column).for_each(|(slot, v)| *slot = *v);
        }
        let model = LogisticRegression { ridge: self.params.ridge * design.total, ..LogisticRegression::default() };
        let rows = Rows { x: &x, columns: width, y: &target, weights: design.weights.as_deref() };
        let fit = model.fit(&rows).map_err(|e| LearnError::Learner { name: NAME, source: Box::new(e) })?;
        let slopes = fit.coefficients[1..].iter().zip(&design.scales);
        let slopes = slopes.map(|(b, s)| if *s > 0.0 { b / s } else { 0.0 }).collect();
        Ok(Box::new(FittedLogistic::Score(Score { base: fit.coefficients[0], means: design.means, slopes })))
    }
}

#[derive(Debug)]
enum FittedLogistic {
    Constant(f64),
    Score(Score),
}

impl FittedLearner for FittedLogistic {
    fn name(&self) -> &'static str {
        NAME
    }

    fn predict_rows(&self, features: &FeatureMatrix, rows: &[usize]) -> Result<Vec<f64>, LearnError> {
        match self {
            Self::Constant(value) => Ok(vec![*value; rows.len()]),
            Self::Score(score) => {
                let log_odds = finite(NAME, score.of_rows(features, rows))?;
                Ok(log_odds.into_iter().map(sigmoid).collect())
            }
        }
    }

    fn state(&self) -> Result<Value, LearnError> {
        match self {
            Self::Constant(value) => Ok(serde_json::json!({ "constant": value })),
            Self::Score(score) => score.state(),
        }
    }
}

pub(crate) fn build(params: &Value) -> Result<Box<dyn Learner>, LearnError> {
    Ok(Box::new(Logistic::new(parameters(NAME, params)?)?))
}

pub(crate) fn load(state: &Value) -> Result<Box<dyn FittedLearner>, LearnError> {
    if let Some(value) = state.get("constant").and_then(Value::as_f64) {
        return Ok(Box::new(FittedLogistic::Constant(value)));
    }
    Ok(Box::new(FittedLogistic::Score(Score::load(state)?)))
}
