//! Base learners: they predict an outcome from features, and know nothing of treatments.

use std::fmt;
use std::num::NonZeroUsize;

use serde_json::Value;

use crate::{FeatureMatrix, LearnError, linear, logistic, trees};

/// What a learner predicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// The mean of a number.
    Mean,
    /// The probability of a 1, for targets of 0 and 1.
    Probability,
}

impl Task {
    /// Probability when every value is 0 or 1, otherwise mean.
    pub fn of(outcome: &[f64]) -> Self {
        if outcome.iter().all(|y| *y == 0.0 || *y == 1.0) { Self::Probability } else { Self::Mean }
    }
}

/// The rows of a matrix to learn from. `target` and `weights` are indexed like the matrix, not like `rows`.
#[derive(Debug, Clone, Copy)]
pub struct LearnerInput<'a> {
    /// All features.
    pub features: &'a FeatureMatrix,
    /// Rows to use.
    pub rows: &'a [usize],
    /// What to predict, per row of the matrix.
    pub target: &'a [f64],
    /// Weights, per row of the matrix.
    pub weights: Option<&'a [f64]>,
    /// Mean or probability.
    pub task: Task,
    /// Threads to use; must not change the result.
    pub threads: Option<NonZeroUsize>,
}

/// An unfitted base learner with its parameters.
pub trait Learner: fmt::Debug + Send + Sync {
    /// Its name in the registry.
    fn name(&self) -> &'static str;

    /// Learns; the same bits for the same input on any number of threads.
    fn fit(&self, input: &LearnerInput<'_>) -> Result<Box<dyn FittedLearner>, LearnError>;
}

/// A fitted base learner.
pub trait FittedLearner: fmt::Debug + Send + Sync {
    /// Its name in the registry.
    fn name(&self) -> &'static str;

    /// One finite prediction per named row (row numbers must be within the matrix), in the unit of the target (a probability
    /// in [0, 1] for [`Task::Probability`]).
    fn predict_rows(&self, features: &FeatureMatrix, rows: &[usize]) -> Result<Vec<f64>, LearnError>;

    /// [`predict_rows`](Self::predict_rows) of every row.
    fn predict(&self, features: &FeatureMatrix) -> Result<Vec<f64>, LearnError> {
        let rows: Vec<usize> = (0..features.n_rows()).collect();
        self.predict_rows(features, &rows)
    }

    /// All it knows, as JSON from which [`LearnerEntry::load`] makes the same learner, bit for bit.
    fn state(&self) -> Result<Value, LearnError>;
}

/// One learner of the registry.
#[derive(Debug, Clone, Copy)]
pub struct LearnerEntry {
    /// Name in configuration and artefacts.
    pub name: &'static str,
    /// Builds it from parameters (`null` for the defaults).
    pub build: fn(&Value) -> Result<Box<dyn Learner>, LearnError>,
    /// Restores a fitted one from its state.
    pub load: fn(&Value) -> Result<Box<dyn FittedLearner>, LearnError>,
}

/// Every learner.
pub const LEARNERS: &[LearnerEntry] = &[
    LearnerEntry { name: trees::NAME, build: trees::build, load: trees::load },
    LearnerEntry { name: linear::NAME, build: linear::build, load: linear::load },
    LearnerEntry { name: logistic::NAME, build: logistic::build, load: logistic::load },
];

/// The entry of a name; an unknown name answers with the known ones.
pub fn learner(name: &str) -> Result<&'static LearnerEntry, LearnError> {
    LEARNERS.iter().find(|entry| entry.name == name).ok_or_else(|| LearnError::UnknownName {
        what: "learner",
        name: name.to_owned(),
        known: LEARNERS.iter().map(|entry| entry.name).collect::<Vec<_>>().join(", "),
    })
}
