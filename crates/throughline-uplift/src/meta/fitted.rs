//! Fitted meta-learners: prediction and saved state.

use serde::Deserialize;
use serde_json::{Value, json};

use super::NAMES;
use super::s::with_arm;
use crate::{ArmEffect, Effects, FeatureMatrix, FittedLearner, FittedUplift, UpliftError, learner};

/// How the two effects of an X-learner are weighed.
#[derive(Debug)]
pub(super) enum Weight {
    /// By one propensity.
    Share(f64),
    /// By a model of propensities, trimmed.
    Learnt { propensity: Box<dyn FittedLearner>, trim: f64 },
}

/// The models of one arm.
#[derive(Debug)]
pub(super) enum Fitted {
    /// One model with the arm as its last feature.
    Single { outcome: Box<dyn FittedLearner> },
    /// Effects learnt on the treated and on the control.
    Crossed { of_treated: Box<dyn FittedLearner>, of_control: Box<dyn FittedLearner>, weight: Weight },
    /// A model of effects.
    Direct { effect: Box<dyn FittedLearner> },
}

/// An arm and its models.
#[derive(Debug)]
pub(super) struct ArmModel {
    pub(super) arm: String,
    pub(super) fitted: Fitted,
}

/// A fitted meta-learner.
#[derive(Debug)]
pub(super) struct FittedMeta {
    pub(super) name: &'static str,
    pub(super) features: Vec<String>,
    /// The outcome without treatment; none where the arms' models say it.
    pub(super) control: Option<Box<dyn FittedLearner>>,
    pub(super) arms: Vec<ArmModel>,
}

impl FittedUplift for FittedMeta {
    fn name(&self) -> &'static str {
        self.name
    }

    fn features(&self) -> &[String] {
        &self.features
    }

    fn arms(&self) -> Vec<&str> {
        self.arms.iter().map(|a| a.arm.as_str()).collect()
    }

    fn effects(&self, features: &FeatureMatrix) -> Result<Effects, UpliftError> {
        features.expect_names(&self.features)?;
        let mut mu_control = match &self.control {
            Some(control) => control.predict(features)?,
            None => Vec::new(),
        };
        let mut arms = Vec::with_capacity(self.arms.len());
        for ArmModel { arm, fitted } in &self.arms {
            let effect = match fitted {
                Fitted::Direct { effect } => effect.predict(features)?,
                Fitted::Crossed { of_treated, of_control, weight } => {
                    let (one, zero) = (of_treated.predict(features)?, of_control.predict(features)?);
                    let propensity = match weight {
                        Weight::Share(share) => vec![*share; one.len()],
                        Weight::Learnt { propensity, trim } => {
                            let learnt = propensity.predict(features)?;
                            learnt.into_iter().map(|e| e.clamp(*trim, 1.0 - trim)).collect()
                        }
                    };
                    one.iter().zip(&zero).zip(propensity).map(|((one, zero), e)| e * zero + (1.0 - e) * one).collect()
                }
                Fitted::Single { outcome } => {
                    let with = outcome.predict(&with_arm(features, vec![1.0; features.n_rows()])?)?;
                    let without = outcome.predict(&with_arm(features, vec![0.0; features.n_rows()])?)?;
                    let effect = with.iter().zip(&without).map(|(with, without)| with - without).collect();
                    if mu_control.is_empty() {
                        mu_control = without;
                    }
                    effect
                }
            };
            arms.push(ArmEffect { arm: arm.clone(), effect, std_error: None });
        }
        Ok(Effects { mu_control, arms })
    }

    fn state(&self) -> Result<Value, UpliftError> {
        let mut arms = Vec::with_capacity(self.arms.len());
        for ArmModel { arm, fitted } in &self.arms {
            let models = match fitted {
                Fitted::Single { outcome } => json!({ "single": saved(outcome.as_ref())? }),
                Fitted::Direct { effect } => json!({ "direct": saved(effect.as_ref())? }),
                Fitted::Crossed { of_treated, of_control, weight } => {
                    let weight = match weight {
                        Weight::Share(share) => json!({ "share": share }),
                        Weight::Learnt { propensity, trim } => {
                            json!({ "propensity": saved(propensity.as_ref())?, "trim": trim })
                        }
                    };
                    let (one, zero) = (saved(of_treated.as_ref())?, saved(of_control.as_ref())?);
                    json!({ "of_treated": one, "of_control": zero, "weight": weight })
                }
            };
            arms.push(json!({ "arm": arm, "models": models }));
        }
        let control = self.control.as_deref().map(saved).transpose()?;
        Ok(json!({ "meta": self.name, "features": self.features, "control": control, "arms": arms }))
    }
}

fn saved(model: &dyn FittedLearner) -> Result<Value, UpliftError> {
    Ok(json!({ "learner": model.name(), "state": model.state()? }))
}

#[derive(Deserialize)]
struct SavedLearner {
    learner: String,
    state: Value,
}

impl SavedLearner {
    fn restore(self) -> Result<Box<dyn FittedLearner>, UpliftError> {
        Ok((learner(&self.learner)?.load)(&self.state)?)
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum SavedWeight {
    Share { share: f64 },
    Learnt { propensity: SavedLearner, trim: f64 },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum SavedModels {
    Single { single: SavedLearner },
    Direct { direct: SavedLearner },
    Crossed { of_treated: SavedLearner, of_control: SavedLearner, weight: SavedWeight },
}

#[derive(Deserialize)]
struct SavedArm {
    arm: String,
    models: SavedModels,
}

#[derive(Deserialize)]
struct SavedMeta {
    meta: String,
    features: Vec<String>,
    control: Option<SavedLearner>,
    arms: Vec<SavedArm>,
}

pub(crate) fn load(state: &Value) -> Result<Box<dyn FittedUplift>, UpliftError> {
    let damaged = |message: String| UpliftError::ArtefactFormat { message };
    let found: SavedMeta = serde_json::from_value(state.clone()).map_err(|e| damaged(e.to_string()))?;
    let name = NAMES.into_iter().find(|name| *name == found.meta);
    let name = name.ok_or_else(|| damaged(format!("`{}` is no meta-learner", found.meta)))?;
    let mut arms = Vec::with_capacity(found.arms.len());
    for SavedArm { arm, models } in found.arms {
        let fitted = match models {
            SavedModels::Single { single } => Fitted::Single { outcome: single.restore()? },
            SavedModels::Direct { direct } => Fitted::Direct { effect: direct.restore()? },
            SavedModels::Crossed { of_treated, of_control, weight } => {
                let weight = match weight {
                    SavedWeight::Share { share } => Weight::Share(share),
                    SavedWeight::Learnt { propensity, trim } => {
                        Weight::Learnt { propensity: propensity.restore()?, trim }
                    }
                };
                Fitted::Crossed { of_treated: of_treated.restore()?, of_control: of_control.restore()?, weight }
            }
        };
        arms.push(ArmModel { arm, fitted });
    }
    let control = found.control.map(SavedLearner::restore).transpose()?;
    Ok(Box::new(FittedMeta { name, features: found.features, control, arms }))
}
