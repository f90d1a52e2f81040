//! How accurate matching is.

use std::collections::BTreeMap;

use utoipa::ToSchema;

/// What became of a pair.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum MatchOutcome {
    Linked,
    Review,
    Apart,
}

/// A share of all pairs, estimated from those that were drawn.
#[derive(ToSchema)]
pub(crate) struct SampledShareItem {
    value: f64,
    low: f64,
    high: f64,
    /// Labels it rests on.
    labels: u64,
    /// How many equally probable draws would tell as much.
    effective: f64,
}

/// The pairs of a range of probability.
#[derive(ToSchema)]
pub(crate) struct ReliabilityBin {
    from: f64,
    to: f64,
    /// What the pairs say on average.
    said: f64,
    /// The share that is true.
    found: SampledShareItem,
}

/// A fitted number; without an interval where the fit gives none.
#[derive(ToSchema)]
pub(crate) struct FittedItem {
    value: f64,
    interval: Option<(f64, f64)>,
}

/// Whether probabilities mean what they say.
#[derive(ToSchema)]
pub(crate) struct ReliabilityItem {
    bins: Vec<ReliabilityBin>,
    /// Weights are multiplied by this; 1 where they mean what they say.
    slope: Option<FittedItem>,
    /// The log-odds of a pair whose records say nothing.
    intercept: Option<FittedItem>,
    /// Whether linking applies it, or why not.
    note: String,
}

/// What later logins say about linked pairs.
#[derive(ToSchema)]
pub(crate) struct LoginsItem {
    linked: u64,
    confirmed: u64,
    contradicted: u64,
    /// The share confirmed of those that anything was seen of.
    precision: Option<f64>,
    interval: Option<(f64, f64)>,
    note: String,
}

/// How accurate matching is.
#[derive(ToSchema)]
pub(crate) struct MatchAccuracy {
    /// Level of the intervals.
    level: f64,
    /// The draw whose labels tell it.
    draw: Option<u32>,
    /// Pairs that were drawn from, by what had become of them.
    population: BTreeMap<String, u64>,
    drawn: u64,
    labelled: u64,
    /// The share of linked pairs that are of one person.
    precision: Option<SampledShareItem>,
    /// The share of pairs of one person that were linked, among the pairs that were compared.
    recall: Option<SampledShareItem>,
    note: String,
    calibration: ReliabilityItem,
    logins: LoginsItem,
}
