//! What is estimated and how.

use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use throughline_learn::{LearnError, Learner, learner};

use crate::EvidenceError;

/// Whose effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Estimand {
    /// Everybody's: E[Y(1) − Y(0)].
    Ate,
    /// That of the treated: E[Y(1) − Y(0) | D = 1].
    Att,
}

impl Estimand {
    /// `ATE` or `ATT`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ate => "ATE",
            Self::Att => "ATT",
        }
    }
}

/// A learner of the registry with its parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LearnerSpec {
    /// Its name.
    pub name: String,
    /// Its parameters; `null` for the defaults.
    pub params: Value,
}

impl LearnerSpec {
    /// A learner with its defaults.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), params: Value::Null }
    }

    pub(crate) fn build(&self) -> Result<Box<dyn Learner>, EvidenceError> {
        learner(&self.name).and_then(|entry| (entry.build)(&self.params)).map_err(refused)
    }
}

/// Settings of the cross-fitted estimators.
#[derive(Debug, Clone, PartialEq)]
pub struct AdjustSettings {
    /// Learner of the outcome. `linear` on an outcome of 0 and 1 is meant and taken as `logistic` where a probability
    /// is learnt (AIPW).
    pub outcome: LearnerSpec,
    /// Learner of the treatment. `linear` on a treatment of 0 and 1 is taken as `logistic`.
    pub treatment: LearnerSpec,
    /// Folds of cross-fitting, at least 2.
    pub folds: usize,
    /// Repetitions with other folds, at least 1; estimates are their medians.
    pub repetitions: usize,
    /// Propensities are kept within [trim, 1 − trim]; 0 to below 0.5.
    pub trim: f64,
    /// Seed of the folds.
    pub seed: u64,
    /// Fits at a time; the results do not depend on it.
    pub threads: Option<NonZeroUsize>,
}

impl Default for AdjustSettings {
    fn default() -> Self {
        Self {
            outcome: LearnerSpec::named("linear"),
            treatment: LearnerSpec::named("linear"),
            folds: 5,
            repetitions: 1,
            trim: 0.01,
            seed: 0,
            threads: None,
        }
    }
}

impl AdjustSettings {
    /// Bounds of the numbers.
    pub(crate) fn check(&self) -> Result<(), EvidenceError> {
        check_trim(self.trim)?;
        let within = |what, value: usize, top: usize, low: usize, bounds| {
            if (low..=top).contains(&value) {
                return Ok(());
            }
            Err(EvidenceError::Setting { what, value: value as f64, bounds })
        };
        within("number of folds", self.folds, 100, 2, "2 to 100")?;
        within("number of repetitions", self.repetitions, 1000, 1, "1 to 1000")
    }
}

pub(crate) fn check_trim(trim: f64) -> Result<(), EvidenceError> {
    if (0.0..0.5).contains(&trim) {
        return Ok(());
    }
    Err(EvidenceError::Setting { what: "trim", value: trim, bounds: "0 to below 0.5" })
}

/// A fault of a learner in the words of this crate.
#[expect(clippy::needless_pass_by_value, reason = "the shape map_err wants")]
pub(crate) fn refused(error: LearnError) -> EvidenceError {
    EvidenceError::Data {
        code: "TL399",
        message: error.to_string(),
        help: "name a learner that fits the column: linear, logistic (0/1 only) or boosted_trees".into(),
    }
}

pub(crate) fn data(code: &'static str, message: String, help: &str) -> EvidenceError {
    EvidenceError::Data { code, message, help: help.to_owned() }
}
