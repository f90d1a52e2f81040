//! What can go wrong in reading an experiment. Bad values are not errors: they are counted and reported as diagnostics.

use throughline_core::Timestamp;

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
}

fn suggest(name: Option<&str>) -> String {
    name.map(|name| format!(", did you mean `{name}`?")).unwrap_or_default()
}
