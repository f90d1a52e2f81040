//! What can go wrong with features, models and their files.

use throughline_core::estimate::EstimateError;
use throughline_learn::LearnError;

/// Why there is no model, no score or no evaluation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpliftError {
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
    /// Values that must be finite are not.
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
    /// An arm number beyond the list of arm names.
    #[error("row {row} has arm number {arm}, but there are only {arms} arms")]
    UnknownArm {
        /// The row, from 0.
        row: usize,
        /// Its arm.
        arm: u32,
        /// How many arms were named.
        arms: usize,
    },
    /// Too few rows to learn from.
    #[error("arm `{arm}` has {rows} rows, fewer than the {bound} needed")]
    TooFewRows {
        /// The arm.
        arm: String,
        /// Its rows.
        rows: usize,
        /// The bound.
        bound: usize,
    },
    /// A feature the encoder or model knows is not among the columns.
    #[error("feature `{name}` is missing{}", suggestion.as_ref().map_or_else(String::new, |s| format!(" (is it `{s}`?)")))]
    MissingFeature {
        /// The feature.
        name: String,
        /// A column with a similar name.
        suggestion: Option<String>,
    },
    /// One name for two columns.
    #[error("feature `{name}` appears twice")]
    DuplicateFeature {
        /// The name.
        name: String,
    },
    /// A number column was given as categories, or the reverse.
    #[error("feature `{name}` was learnt as {expected}, but is given as {got}")]
    FeatureType {
        /// The feature.
        name: String,
        /// The type when it was learnt.
        expected: &'static str,
        /// The type now.
        got: &'static str,
    },
    /// The columns of a matrix are not those of the model, in the same order.
    #[error("the model expects the features [{expected}] in this order, but was given [{got}]")]
    FeatureOrder {
        /// Names the model knows.
        expected: String,
        /// Names given.
        got: String,
    },
    /// A registry does not know the name.
    #[error("unknown {what} `{name}` (known: {known})")]
    UnknownName {
        /// `uplift model` or `learner`.
        what: &'static str,
        /// The name given.
        name: String,
        /// All known names.
        known: String,
    },
    /// Parameters that cannot be read or are out of bounds.
    #[error("parameters of `{name}`: {message}")]
    Params {
        /// The component.
        name: &'static str,
        /// What is wrong.
        message: String,
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
    /// A file that is not a model of ours, or is damaged.
    #[error("not a readable uplift model: {message}")]
    ArtefactFormat {
        /// What is wrong.
        message: String,
    },
    /// A model of another version of the format.
    #[error("the model has format version {got}, but this version reads {supported} only; fit it again")]
    ArtefactVersion {
        /// The version of the file.
        got: u64,
        /// The version read here.
        supported: u64,
    },
    /// Numbers that make no estimate.
    #[error(transparent)]
    Estimate(#[from] EstimateError),
    /// Another fault of a base learner.
    #[error(transparent)]
    Base(LearnError),
}

/// The faults that models share with their base learners keep one name here.
impl From<LearnError> for UpliftError {
    fn from(error: LearnError) -> Self {
        match error {
            LearnError::LengthMismatch { what, expected, got } => Self::LengthMismatch { what, expected, got },
            LearnError::Empty { what } => Self::Empty { what },
            LearnError::BadValues { what, count, row, bound } => Self::BadValues { what, count, row, bound },
            LearnError::Estimate(error) => Self::Estimate(error),
            LearnError::DuplicateFeature { name } => Self::DuplicateFeature { name },
            LearnError::FeatureOrder { expected, got } => Self::FeatureOrder { expected, got },
            LearnError::UnknownName { what, name, known } => Self::UnknownName { what, name, known },
            LearnError::Params { name, message } => Self::Params { name, message },
            LearnError::Learner { name, source } => Self::Learner { name, source },
            LearnError::BadPrediction { name, value, row } => Self::BadPrediction { name, value, row },
            LearnError::State { message } => Self::ArtefactFormat { message },
            other => Self::Base(other),
        }
    }
}
