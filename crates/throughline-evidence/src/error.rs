//! What can go wrong in reading an experiment. Bad values are not errors: they are counted and reported as diagnostics.

use throughline_core::{Diagnostic, EstimateError, Timestamp};

/// An error of this crate.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EvidenceError {
    /// Nothing to compare.
    #[error("experiment has {arms} arms, at least 2 are needed")]
    TooFewArms {
        /// Arms given.
        arms: usize,
    },
    /// The control is not among the arms.
    #[error("control `{control}` is not an arm{} (arms: {arms})", suggest(.suggestion.as_deref()))]
    UnknownControl {
        /// The control named.
        control: String,
        /// The arm with the closest name.
        suggestion: Option<String>,
        /// All arms.
        arms: String,
    },
    /// A weight or setting for an arm that is not there.
    #[error("`{arm}` is not an arm (arms: {arms})")]
    UnknownArm {
        /// The arm named.
        arm: String,
        /// All arms.
        arms: String,
    },
    /// A name stands twice.
    #[error("{what} `{name}` is listed twice")]
    Duplicate {
        /// Arm or metric.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A weight that cannot be a share of units.
    #[error("weight of arm `{arm}` is {weight}, expected a finite number of at least 0")]
    BadWeight {
        /// The arm.
        arm: String,
        /// Its weight.
        weight: f64,
    },
    /// All weights are 0.
    #[error("all {arms} arms have a weight of 0, at least one must be above 0")]
    NoWeight {
        /// Arms given.
        arms: usize,
    },
    /// An observation for an arm that does not exist.
    #[error("arm index {index} is outside the {arms} arms")]
    ArmOutOfRange {
        /// The index given, from 0.
        index: usize,
        /// Arms of the experiment.
        arms: usize,
    },
    /// An observation with another number of metrics.
    #[error("{got} metric values were given for {expected} metrics")]
    MetricCount {
        /// Values given.
        got: usize,
        /// Metrics of the experiment.
        expected: usize,
    },
    /// Accumulators of different experiments cannot be merged.
    #[error("accumulators of different experiment specifications cannot be merged")]
    SpecMismatch,
    /// A comparison without an estimate is no evidence.
    #[error("comparison of `{arm}` on `{metric}` has no estimate: {reason}")]
    NoEstimate {
        /// The treated arm.
        arm: String,
        /// The metric.
        metric: String,
        /// Why.
        reason: String,
    },
    /// A period that ends before it begins.
    #[error("period ends at {end}, before it starts at {start}")]
    BadPeriod {
        /// First instant.
        start: Timestamp,
        /// Last instant.
        end: Timestamp,
    },
    /// One experiment would count twice.
    #[error("`{first}` and `{second}` rest on the same people and cannot be counted together")]
    CountedTwice {
        /// A record.
        first: String,
        /// Another of the same source.
        second: String,
    },
    /// Numbers that do not make an estimate.
    #[error(transparent)]
    Estimate(#[from] EstimateError),
    /// Parts that do not fit together.
    #[error("{what} do not have the lengths they must have")]
    Shape {
        /// Which parts.
        what: &'static str,
    },
    /// A computation left the range of numbers.
    #[error("{what} is not finite")]
    NotFinite {
        /// What was computed.
        what: String,
    },
    /// Too few of something.
    #[error("{got} {what}, at least {needed} are needed")]
    TooFew {
        /// Of what.
        what: &'static str,
        /// How many there are.
        got: usize,
        /// How many there must be.
        needed: usize,
    },
    /// A column that is not there.
    #[error("no column `{name}`{} (there are: {known})", suggest(.suggestion.as_deref()))]
    UnknownColumn {
        /// The column named.
        name: String,
        /// The column with the closest name.
        suggestion: Option<String>,
        /// All columns.
        known: String,
    },
    /// A column of texts where numbers are needed.
    #[error("column `{name}` holds `{value}` in row {row}, which is not a number")]
    NotNumbers {
        /// The column.
        name: String,
        /// Its first text.
        value: String,
        /// The row, from 1.
        row: usize,
    },
    /// Data that do not allow the analysis, with what to do about it.
    #[error("{message}")]
    Data {
        /// Stable code.
        code: &'static str,
        /// What is wrong, with the numbers.
        message: String,
        /// What to do.
        help: String,
    },
    /// A setting outside what is possible.
    #[error("{what} of {value} is outside {bounds}")]
    Setting {
        /// Which.
        what: &'static str,
        /// The value given.
        value: f64,
        /// The accepted range in words.
        bounds: &'static str,
    },
}

impl EvidenceError {
    /// The error as a finding: with its own code and advice where it has them, with `code` otherwise.
    pub fn diagnostic(&self, code: &str) -> Diagnostic {
        match self {
            Self::Data { code, message, help } => Diagnostic::error(*code, message.clone()).help(help.clone()),
            other => Diagnostic::error(code, other.to_string()),
        }
    }
}

fn suggest(name: Option<&str>) -> String {
    name.map(|name| format!(", did you mean `{name}`?")).unwrap_or_default()
}
