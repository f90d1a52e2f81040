//! What can go wrong with policies, candidates and logs.

use throughline_core::estimate::EstimateError;
use throughline_core::{Diagnostic, PersonId};

/// Why there is no decision, allocation or estimate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecideError {
    /// A policy with errors is never used.
    #[error("policy `{version}` has {} errors; the first: {}", errors.len(), errors.first().map_or("", |d| &d.message))]
    BadPolicy {
        /// The policy's version.
        version: String,
        /// Every error.
        errors: Vec<Diagnostic>,
    },
    /// No such action.
    #[error("unknown action `{name}` (known: {known}){}", suggestion.as_ref().map_or_else(String::new, |s| format!("; did you mean `{s}`?")))]
    UnknownAction {
        /// The name given.
        name: String,
        /// All actions of the policy.
        known: String,
        /// The closest one.
        suggestion: Option<String>,
    },
    /// A candidate must have one view per action of the policy.
    #[error("person {person} has {got} action views, but the policy has {expected} actions")]
    ActionCount {
        /// The person.
        person: PersonId,
        /// Actions of the policy.
        expected: usize,
        /// Views given.
        got: usize,
    },
    /// One person was given twice.
    #[error("person {person} was given twice in one cycle")]
    DuplicatePerson {
        /// The person.
        person: PersonId,
    },
    /// A person to decide for was not among those planned for.
    #[error("person {person} was not part of the plan of this cycle")]
    UnplannedPerson {
        /// The person.
        person: PersonId,
    },
    /// One unit was given twice to an allocation.
    #[error("a unit was given twice to the allocation")]
    DuplicateUnit,
    /// Money beyond what allocation accepts.
    #[error("{what} of {micros} micros is outside {low} to {high}")]
    MoneyOutOfRange {
        /// What it is.
        what: &'static str,
        /// The amount.
        micros: i64,
        /// Least accepted.
        low: i64,
        /// Most accepted.
        high: i64,
    },
    /// Sums beyond 128 bits.
    #[error("the sums of the allocation exceed 128 bits")]
    Overflow,
    /// Nothing to evaluate.
    #[error("a log of {rows} rows is too short to evaluate a policy (at least 2 are needed)")]
    ShortLog {
        /// Rows given.
        rows: usize,
    },
    /// A row of a log that cannot be used.
    #[error("row {row} of the log has {what} of {value}, which is outside {bounds}")]
    BadLog {
        /// The row, from 0.
        row: usize,
        /// The field.
        what: &'static str,
        /// Its value.
        value: f64,
        /// What is accepted.
        bounds: &'static str,
    },
    /// No logged action is one that the target policy would take.
    #[error("the target policy gives probability 0 to all {rows} logged actions: the log says nothing about it")]
    NoSupport {
        /// Rows of the log.
        rows: usize,
    },
    /// Numbers that make no estimate.
    #[error(transparent)]
    Estimate(#[from] EstimateError),
}
