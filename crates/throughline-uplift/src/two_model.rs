//! Two-model learner (T-learner): one outcome model per arm, effects as differences.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use throughline_core::Diagnostic;

use crate::training::MIN_ARM_ROWS;
use crate::{
    ArmEffect, Effects, FeatureMatrix, FittedLearner, FittedUplift, Learner, LearnerInput, Task, Training, UpliftError,
    UpliftModel, learner,
};

pub(crate) const NAME: &str = "two_model";

/// The base learner where none is named.
const DEFAULT_LEARNER: &str = "boosted_trees";

/// Parameters of the two-model learner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TwoModelParams {
    /// Name of the base learner.
    pub learner: String,
    /// Its parameters; `null` for the defaults.
    pub learner_params: Value,
}

impl Default for TwoModelParams {
    fn default() -> Self {
        Self { learner: DEFAULT_LEARNER.to_owned(), learner_params: Value::Null }
    }
}

/// Effect of arm a for features x: `μ_a(x) − μ_control(x)`, each μ fitted on the rows of its own arm (Künzel et al. 2019,
/// "T-learner"). The outcome is a probability when all its values are 0 or 1, otherwise a mean.
///
/// Assumes that arms were assigned at random, or at random given the features. Weak where arms are small: each model's
/// noise enters the difference.
#[derive(Debug)]
pub struct TwoModel {
    learner: Box<dyn Learner>,
}

impl TwoModel {
    /// With a base learner.
    pub fn new(learner: Box<dyn Learner>) -> Self {
        Self { learner }
    }
}

impl UpliftModel for TwoModel {
    fn name(&self) -> &'static str {
        NAME
    }

    fn fit(&self, training: &Training<'_>) -> Result<(Box<dyn FittedUplift>, Vec<Diagnostic>), UpliftError> {
        let task = Task::of(training.outcome);
        let mut diagnostics = Vec::new();
        let mut models = Vec::with_capacity(training.arms.len());
        for (index, name) in training.arms.iter().enumerate() {
            let rows = training.rows_of(index);
            if rows.len() < MIN_ARM_ROWS {
                continue;
            }
            let first = training.outcome[rows[0]];
            if rows.iter().all(|&row| training.outcome[row] == first) {
                diagnostics.push(Diagnostic::warning(
                    "TL708",
                    format!(
                        "the outcome is {first} in all {} rows of arm `{name}`: its prediction is constant",
                        rows.len()
                    ),
                ));
            }
            let input = LearnerInput {
                features: training.features,
                rows: &rows,
                target: training.outcome,
                weights: training.weights,
                task,
                threads: training.threads,
            };
            models.push((name.clone(), self.learner.fit(&input)?));
        }
        let mut models = models.into_iter();
        let control = models.next().ok_or(UpliftError::Empty { what: "rows of the control" })?;
        let fitted = FittedTwoModel { features: training.features.names().to_vec(), control, arms: models.collect() };
        Ok((Box::new(fitted), diagnostics))
    }
}

type NamedModel = (String, Box<dyn FittedLearner>);

#[derive(Debug)]
struct FittedTwoModel {
    features: Vec<String>,
    control: NamedModel,
    arms: Vec<NamedModel>,
}

impl FittedUplift for FittedTwoModel {
    fn name(&self) -> &'static str {
        NAME
    }

    fn features(&self) -> &[String] {
        &self.features
    }

    fn arms(&self) -> Vec<&str> {
        self.arms.iter().map(|(name, _)| name.as_str()).collect()
    }

    fn effects(&self, features: &FeatureMatrix) -> Result<Effects, UpliftError> {
        features.expect_names(&self.features)?;
        let mu_control = self.control.1.predict(features)?;
        let mut arms = Vec::with_capacity(self.arms.len());
        for (name, model) in &self.arms {
            let treated = model.predict(features)?;
            let effect = treated.iter().zip(&mu_control).map(|(t, c)| t - c).collect();
            arms.push(ArmEffect { arm: name.clone(), effect, std_error: None });
        }
        Ok(Effects { mu_control, arms })
    }

    fn state(&self) -> Result<Value, UpliftError> {
        let one = |(arm, model): &NamedModel| -> Result<Value, UpliftError> {
            Ok(json!({ "arm": arm, "learner": model.name(), "state": model.state()? }))
        };
        let arms: Result<Vec<Value>, UpliftError> = self.arms.iter().map(one).collect();
        Ok(json!({ "features": self.features, "control": one(&self.control)?, "arms": arms? }))
    }
}

pub(crate) fn build(params: &Value) -> Result<Box<dyn UpliftModel>, UpliftError> {
    let params: TwoModelParams = match params {
        Value::Null => TwoModelParams::default(),
        given => serde_json::from_value(given.clone())
            .map_err(|e| UpliftError::Params { name: NAME, message: e.to_string() })?,
    };
    let base = (learner(&params.learner)?.build)(&params.learner_params)?;
    Ok(Box::new(TwoModel::new(base)))
}

#[derive(Deserialize)]
struct SavedArm {
    arm: String,
    learner: String,
    state: Value,
}

#[derive(Deserialize)]
struct SavedTwoModel {
    features: Vec<String>,
    control: SavedArm,
    arms: Vec<SavedArm>,
}

pub(crate) fn load(state: &Value) -> Result<Box<dyn FittedUplift>, UpliftError> {
    let saved: SavedTwoModel =
        serde_json::from_value(state.clone()).map_err(|e| UpliftError::ArtefactFormat { message: e.to_string() })?;
    let restore =
        |s: SavedArm| -> Result<NamedModel, UpliftError> { Ok((s.arm, (learner(&s.learner)?.load)(&s.state)?)) };
    let arms: Result<Vec<NamedModel>, UpliftError> = saved.arms.into_iter().map(restore).collect();
    Ok(Box::new(FittedTwoModel { features: saved.features, control: restore(saved.control)?, arms: arms? }))
}
