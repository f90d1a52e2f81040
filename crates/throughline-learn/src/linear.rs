//! Least squares, plain or with a ridge penalty.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use throughline_stats::linalg::{Cholesky, gram, independent_columns, times};

use crate::design::{Design, Score, check_ridge, parameters};
use crate::{FeatureMatrix, FittedLearner, LearnError, Learner, LearnerInput, Task};

pub(crate) const NAME: &str = "linear";

/// A column is left out when earlier ones leave less than this share of its variation.
const COLLINEAR: f64 = 1e-11;

/// Parameters of linear regression.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinearParams {
    /// Penalty λ ≥ 0 per row on squared coefficients of columns scaled to variance 1; 0 for least squares.
    pub ridge: f64,
}

/// Linear regression: minimises (1/n) Σ (y − a − z·b)² + λ Σ b², with z the columns centred and scaled to variance 1 over the
/// rows learnt from, and the intercept a never penalised. Missing values count as the mean of their column; columns that
/// earlier ones determine get no coefficient. For a probability it is the linear probability model, cut to [0, 1].
///
/// By the normal equations with one step of refinement. Work: rows × columns².
#[derive(Debug, Clone)]
pub struct Linear {
    params: LinearParams,
}

impl Linear {
    /// Checks the parameters.
    pub fn new(params: LinearParams) -> Result<Self, LearnError> {
        check_ridge(NAME, params.ridge)?;
        Ok(Self { params })
    }
}

impl Learner for Linear {
    fn name(&self) -> &'static str {
        NAME
    }

    fn fit(&self, input: &LearnerInput<'_>) -> Result<Box<dyn FittedLearner>, LearnError> {
        let mut design = Design::new(input)?;
        let target: Vec<f64> = input.rows.iter().map(|&r| input.target[r]).collect();
        let base = design.mean(&target);
        let mut residual: Vec<f64> = target.iter().map(|y| y - base).collect();
        if let Some(weights) = &design.weights {
            let roots: Vec<f64> = weights.iter().map(|w| w.sqrt()).collect();
            for column in design.columns.iter_mut().chain([&mut residual]) {
                column.iter_mut().zip(&roots).for_each(|(x, r)| *x *= r);
            }
        }
        let slopes = self.solve(&design, residual);
        let slopes = slopes.iter().zip(&design.scales).map(|(b, s)| if *s > 0.0 { b / s } else { 0.0 }).collect();
        let score = Score { base, means: design.means, slopes };
        Ok(Box::new(FittedLinear { score, probability: input.task == Task::Probability }))
    }
}

impl Linear {
    /// Coefficients of the standardised columns.
    fn solve(&self, design: &Design, mut residual: Vec<f64>) -> Vec<f64> {
        let all = design.columns.len();
        let refs: Vec<&[f64]> = design.columns.iter().map(Vec::as_slice).collect();
        let penalty = self.params.ridge * design.total;
        let mut g = gram(&refs);
        (0..all).for_each(|j| g[j * all + j] += if design.scales[j] > 0.0 { penalty } else { 0.0 });
        let kept = independent_columns(&g, all, COLLINEAR);
        let small: Vec<f64> =
            kept.iter().flat_map(|&i| kept.iter().map(move |&j| (i, j))).map(|(i, j)| g[i * all + j]).collect();
        let mut slopes = vec![0.0; all];
        let Some(factor) = Cholesky::new(&small, kept.len(), 0.0) else { return slopes };
        let columns: Vec<&[f64]> = kept.iter().map(|&j| refs[j]).collect();
        for _ in 0..2 {
            let right: Vec<f64> =
                times(&columns, &residual).iter().zip(&kept).map(|(b, &j)| b - penalty * slopes[j]).collect();
            for (step, (&j, column)) in factor.solve(&right).into_iter().zip(kept.iter().zip(&columns)) {
                slopes[j] += step;
                residual.iter_mut().zip(*column).for_each(|(r, x)| *r -= step * x);
            }
        }
        slopes
    }
}

#[derive(Debug)]
struct FittedLinear {
    score: Score,
    probability: bool,
}

impl FittedLearner for FittedLinear {
    fn name(&self) -> &'static str {
        NAME
    }

    fn predict_rows(&self, features: &FeatureMatrix, rows: &[usize]) -> Result<Vec<f64>, LearnError> {
        let mut out = self.score.of_rows(features, rows);
        if self.probability {
            for p in &mut out {
                *p = p.clamp(0.0, 1.0);
            }
        }
        finite(NAME, out)
    }

    fn state(&self) -> Result<Value, LearnError> {
        let mut state = self.score.state()?;
        state["probability"] = Value::Bool(self.probability);
        Ok(state)
    }
}

pub(crate) fn finite(name: &'static str, out: Vec<f64>) -> Result<Vec<f64>, LearnError> {
    match out.iter().position(|p| !p.is_finite()) {
        Some(row) => Err(LearnError::BadPrediction { name, value: out[row], row }),
        None => Ok(out),
    }
}

pub(crate) fn build(params: &Value) -> Result<Box<dyn Learner>, LearnError> {
    Ok(Box::new(Linear::new(parameters(NAME, params)?)?))
}

pub(crate) fn load(state: &Value) -> Result<Box<dyn FittedLearner>, LearnError> {
    let probability = state.get("probability").and_then(Value::as_bool).unwrap_or(false);
    Ok(Box::new(FittedLinear { score: Score::load(state)?, probability }))
}
