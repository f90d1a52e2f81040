//! Meta-learners: effects from base learners of outcomes, propensities and effects.

mod cross;

mod dr;

mod fitted;

mod r;

mod s;

mod x;

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use throughline_core::Diagnostic;

use self::fitted::{ArmModel, FittedMeta};
use crate::training::MIN_ARM_ROWS;
use crate::{FittedLearner, FittedUplift, Learner, LearnerInput, Task, Training, UpliftError, UpliftModel, learner};

/// Names in the registry.
pub(crate) const NAMES: [&str; 4] = ["s_learner", "x_learner", "r_learner", "dr_learner"];

/// Where the probability of treatment comes from where the data does not carry it
/// ([`Training::with_propensity`]).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PropensitySource {
    /// The share of each arm: arms were assigned at random, with the same chances for everyone.
    #[default]
    Shares,
    /// Estimated from the features for rows that the estimate has not seen, and trimmed.
    Estimated,
}

/// Parameters of the meta-learners.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetaParams {
    /// Base learner of outcomes and propensities.
    pub learner: String,
    /// Its parameters; `null` for the defaults.
    pub learner_params: Value,
    /// Base learner of effects; that of outcomes without.
    pub effect_learner: Option<String>,
    /// Its parameters; those of outcomes where no learner of effects is named.
    pub effect_params: Value,
    /// Where propensities come from.
    pub propensity: PropensitySource,
    /// Folds of cross-fitting, 2 to 20.
    pub folds: usize,
    /// Estimated propensities are held between this and its complement, above 0 and below ½.
    pub trim: f64,
    /// Seed of the folds.
    pub seed: u64,
}

impl Default for MetaParams {
    fn default() -> Self {
        Self {
            learner: "boosted_trees".to_owned(),
            learner_params: Value::Null,
            effect_learner: None,
            effect_params: Value::Null,
            propensity: PropensitySource::default(),
            folds: 5,
            trim: 0.01,
            seed: 0,
        }
    }
}

/// Which meta-learner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    S,
    X,
    R,
    Dr,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::S => NAMES[0],
            Self::X => NAMES[1],
            Self::R => NAMES[2],
            Self::Dr => NAMES[3],
        }
    }
}

/// A meta-learner: effects of each arm against the control, one arm after the other.
///
/// | Name | Effect | Source |
/// |---|---|---|
/// | `s_learner` | f(x, arm) − f(x, control) of one model with the arm as a feature | Künzel, Sekhon, Bickel, Yu (2019), PNAS 116 |
/// | `x_learner` | e(x) τ₀(x) + (1 − e(x)) τ₁(x), τ₁ learnt from y − μ₀(x) of the treated, τ₀ from μ₁(x) − y of the control | the same |
/// | `r_learner` | the τ that minimises Σ ((y − m(x)) − (w − e(x)) τ(x))², m and e out of fold | Nie, Wager (2021), Biometrika 108 |
/// | `dr_learner` | a regression of ψ = μ₁ − μ₀ + (w − e)/(e (1 − e)) (y − μ_w), all out of fold | Kennedy (2023), EJS 17 |
///
/// Assumes that arms were assigned at random given the features, and with [`PropensitySource::Shares`] regardless of them. `dr` is
/// right when either outcomes or propensities are; `r` needs propensities; `s` shrinks small effects towards 0.
///
/// Cost, in fits of the base learner for k arms beside the control and F folds: s k, x 1 + 3 k, r k (F + 1) + 1,
/// dr F (1 + k) + k + 1; estimated propensities add k F (x: k).
pub struct Meta {
    kind: Kind,
    params: MetaParams,
    outcome: Box<dyn Learner>,
    effect: Box<dyn Learner>,
}

impl fmt::Debug for Meta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meta").field("kind", &self.kind).field("params", &self.params).finish_non_exhaustive()
    }
}

/// What the fit of one arm needs.
struct Pair<'a> {
    meta: &'a Meta,
    training: &'a Training<'a>,
    /// Number of the arm.
    arm: usize,
    /// Rows of the control.
    control: &'a [usize],
    /// Rows of the arm.
    treated: &'a [usize],
    /// Rows of both, in order.
    both: Vec<usize>,
    task: Task,
}

impl Pair<'_> {
    fn is_treated(&self, row: usize) -> bool {
        self.training.arm[row] as usize == self.arm
    }

    /// Share of the arm among the rows of both; by weights where rows have them.
    fn share(&self) -> f64 {
        let weight = |rows: &[usize]| match self.training.weights {
            Some(weights) => rows.iter().map(|r| weights[*r]).sum::<f64>(),
            None => rows.len() as f64,
        };
        let (treated, control) = (weight(self.treated), weight(self.control));
        if treated + control > 0.0 { treated / (treated + control) } else { 0.5 }
    }

    /// Fits a learner of outcomes or effects on some rows. `target` and `weights` are per row of the matrix.
    fn fit(
        &self,
        learner: &dyn Learner,
        rows: &[usize],
        target: &[f64],
        weights: Option<&[f64]>,
        task: Task,
    ) -> Result<Box<dyn FittedLearner>, UpliftError> {
        let training = self.training;
        let weights = weights.or(training.weights);
        let input =
            LearnerInput { features: training.features, rows, target, weights, task, threads: training.threads };
        Ok(learner.fit(&input)?)
    }

    /// The outcome of some rows.
    fn outcome(&self, rows: &[usize]) -> Result<Box<dyn FittedLearner>, UpliftError> {
        self.fit(self.meta.outcome.as_ref(), rows, self.training.outcome, None, self.task)
    }
}

impl UpliftModel for Meta {
    fn name(&self) -> &'static str {
        self.kind.name()
    }

    fn fit(&self, training: &Training<'_>) -> Result<(Box<dyn FittedUplift>, Vec<Diagnostic>), UpliftError> {
        let task = Task::of(training.outcome);
        let control = training.rows_of(0);
        let mut diagnostics = Vec::new();
        // S-learners predict the control by their own models; the others by this one.
        let mut shared = None;
        let mut arms: Vec<ArmModel> = Vec::new();
        for (arm, name) in training.arms.iter().enumerate().skip(1) {
            let treated = training.rows_of(arm);
            if treated.len() < MIN_ARM_ROWS {
                continue;
            }
            let mut both = [control.as_slice(), treated.as_slice()].concat();
            both.sort_unstable();
            let pair = Pair { meta: self, training, arm, control: &control, treated: &treated, both, task };
            diagnostics.extend(constant(training, name, &treated));
            if shared.is_none() && self.kind != Kind::S {
                shared = Some(pair.outcome(&control)?);
            }
            let fitted = match (self.kind, &shared) {
                (Kind::X, Some(shared)) => x::fit(&pair, shared.as_ref())?,
                (Kind::R, _) => r::fit(&pair, &mut diagnostics)?,
                (Kind::Dr, _) => dr::fit(&pair, &mut diagnostics)?,
                _ => s::fit(&pair)?,
            };
            arms.push(ArmModel { arm: name.clone(), fitted });
        }
        diagnostics.extend(constant(training, &training.arms[0], &control));
        let features = training.features.names().to_vec();
        Ok((Box::new(FittedMeta { name: self.kind.name(), features, control: shared, arms }), diagnostics))
    }
}

/// TL708: an arm whose outcome never varies.
fn constant(training: &Training<'_>, name: &str, rows: &[usize]) -> Option<Diagnostic> {
    let first = training.outcome[*rows.first()?];
    let alike = rows.iter().all(|&row| training.outcome[row] == first);
    let message =
        || format!("the outcome is {first} in all {} rows of arm `{name}`: its prediction is constant", rows.len());
    alike.then(|| Diagnostic::warning("TL708", message()))
}

fn build(kind: Kind, params: &Value) -> Result<Box<dyn UpliftModel>, UpliftError> {
    let fault = |message: String| UpliftError::Params { name: kind.name(), message };
    let params: MetaParams = match params {
        Value::Null => MetaParams::default(),
        given => serde_json::from_value(given.clone()).map_err(|e| fault(e.to_string()))?,
    };
    if !(2..=20).contains(&params.folds) {
        return Err(fault(format!("folds of {} is outside 2 to 20", params.folds)));
    }
    if !(params.trim > 0.0 && params.trim < 0.5) {
        return Err(fault(format!("trim of {} is outside 0 to 0.5", params.trim)));
    }
    let outcome = (learner(&params.learner)?.build)(&params.learner_params)?;
    let effect = match &params.effect_learner {
        Some(name) => (learner(name)?.build)(&params.effect_params)?,
        None if params.effect_params.is_null() => (learner(&params.learner)?.build)(&params.learner_params)?,
        None => (learner(&params.learner)?.build)(&params.effect_params)?,
    };
    Ok(Box::new(Meta { kind, params, outcome, effect }))
}

pub(crate) fn build_s(params: &Value) -> Result<Box<dyn UpliftModel>, UpliftError> {
    build(Kind::S, params)
}

pub(crate) fn build_x(params: &Value) -> Result<Box<dyn UpliftModel>, UpliftError> {
    build(Kind::X, params)
}

pub(crate) fn build_r(params: &Value) -> Result<Box<dyn UpliftModel>, UpliftError> {
    build(Kind::R, params)
}

pub(crate) fn build_dr(params: &Value) -> Result<Box<dyn UpliftModel>, UpliftError> {
    build(Kind::Dr, params)
}

pub(crate) use fitted::load;

#[cfg(test)]
mod tests;
