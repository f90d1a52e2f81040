//! What can go wrong with features and learners.

use throughline_core::estimate::EstimateError;

/// Why there is no matrix, no fit or no prediction.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LearnError {
    /// Two slices that describe the same rows differ in length.
    #[error("{what} has {got} rows, but {expected} are expected")]
    LengthMismatch {
        /// The slice.
        what: String,
        /// Rows expected.
        expected: usize,
        /// Rows given.
        got: usize,
    },
    /// Nothing to work on.
    #[error("there are no {what}")]
    Empty {
        /// What is absent.
        what: &'static str,
    },
    /// Values outside what is accepted.
    #[error("{what} holds {count} values that are not {bound}; the first is in row {row}")]
    BadValues {
        /// The slice.
        what: &'static str,
        /// How many.
        count: usize,
        /// The first, from 0.
        row: usize,
        /// What is accepted.
        bound: &'static str,
    },
    /// Numbers that make no estimate.
    #[error(transparent)]
    Estimate(#[from] EstimateError),
    /// One name for two columns.
    #[error("feature `{name}` appears twice")]
    DuplicateFeature {
        /// The name.
        name: String,
    },
    /// The columns of a matrix are not those of the model, in the same order.
    #[error("the model expects the features [{expected}] in this order, but was given [{got}]")]
    FeatureOrder {
        /// Names the model knows.
        expected: String,
        /// Names given.
        got: String,
    },
    /// The registry does not know the name.
    #[error("unknown {what} `{name}` (known: {known})")]
    UnknownName {
        /// `learner` or `calibrator`.
        what: &'static str,
        /// The name given.
        name: String,
        /// All known names.
        known: String,
    },
    /// Parameters that cannot be read or are out of bounds.
    #[error("parameters of `{name}`: {message}")]
    Params {
        /// The learner.
        name: &'static str,
        /// What is wrong.
        message: String,
    },
    /// A learner that cannot predict what is asked.
    #[error("learner `{name}` predicts {predicts} only")]
    Task {
        /// The learner.
        name: &'static str,
        /// What it can predict.
        predicts: &'static str,
    },
    /// The library behind a learner refused.
    #[error("learner `{name}`: {source}")]
    Learner {
        /// The learner.
        name: &'static str,
        /// Its error.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A learner gave a prediction that is not finite.
    #[error("learner `{name}` predicted {value} for row {row}")]
    BadPrediction {
        /// The learner.
        name: &'static str,
        /// The value.
        value: f64,
        /// The row, from 0.
        row: usize,
    },
    /// A saved state that is not one, or is damaged.
    #[error("not a readable learner: {message}")]
    State {
        /// What is wrong.
        message: String,
    },
}
