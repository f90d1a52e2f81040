//! What can go wrong in attribution. Bad rows are not errors: the builder reports them as diagnostics.

use throughline_core::Timestamp;
use throughline_core::estimate::EstimateError;
use throughline_stats::chain::ChainError;
use throughline_stats::ols::OlsError;

/// An error of this crate.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AttributionError {
    /// There is no such channel.
    #[error("there is no channel number {channel}")]
    NoChannel {
        /// The number given.
        channel: usize,
    },
    /// No model has this name.
    #[error("unknown attribution model `{name}`{} (known: {known})", suggest(.suggestion.as_deref()))]
    UnknownModel {
        /// The name given.
        name: String,
        /// The known name nearest to it.
        suggestion: Option<String>,
        /// All known names.
        known: String,
    },
    /// No path transform reads like this.
    #[error(
        "unknown path transform `{given}`{} (known: unique, exposure, first, frequency, remove_if_not_all:CHANNEL, \
         remove_if_last_and_not_all:CHANNEL)",
        suggest(.suggestion.as_deref())
    )]
    UnknownTransform {
        /// What was given.
        given: String,
        /// The known name nearest to it.
        suggestion: Option<String>,
    },
    /// The part after the colon of a model specification is wrong.
    #[error("`{given}` is not a parameter of attribution model `{model}` (expected {expected})")]
    BadParameter {
        /// The model.
        model: &'static str,
        /// What was given.
        given: String,
        /// What is accepted, with its bounds.
        expected: &'static str,
    },
    /// A model that weighs touches by time met paths without times.
    #[error("attribution model `{model}` needs the time of every touch, and these paths carry none")]
    NeedsAges {
        /// The model.
        model: String,
    },
    /// Credits do not add up to what they split.
    #[error("model `{model}` credits {what} of {credited}, not the total of {total} (tolerance {tolerance:e})")]
    NotConserved {
        /// The model.
        model: String,
        /// `conversions` or `value`.
        what: &'static str,
        /// Sum of the credits.
        credited: f64,
        /// What there was to credit.
        total: f64,
        /// The difference allowed.
        tolerance: f64,
    },
    /// The Markov chain of this order is too large for the solver.
    #[error(
        "markov chain of order {order} over {channels} channels has at least {states} states, more than the limit of {limit}: \
         use a lower order, or merge rare channels"
    )]
    TooManyStates {
        /// The order.
        order: usize,
        /// Channels in the table.
        channels: usize,
        /// States needed, at least.
        states: usize,
        /// The limit.
        limit: usize,
    },
    /// Too few bootstrap draws for an interval.
    #[error("{draws} bootstrap draws are too few for an interval (at least 2 are needed)")]
    TooFewDraws {
        /// The number asked for.
        draws: usize,
    },
    /// Two results do not share their draws or channels, so they cannot be compared draw by draw.
    #[error("results of `{left}` and `{right}` come from different data or draws and cannot be compared draw by draw")]
    NotComparable {
        /// The first model.
        left: String,
        /// The second model.
        right: String,
    },
    /// Credit of this model is not a sum over paths, so it cannot be broken down by touches or journeys.
    #[error("credit of model `{model}` depends on totals, so it cannot be broken down by touches or journeys")]
    NotByPath {
        /// The model.
        model: String,
    },
    /// A touch or journey falls into a cell that a dimension does not have.
    #[error("dimension `{dimension}` has {cells} cells and no number {cell}{}", row.map_or_else(String::new, |r| format!(" (row {})", r + 1)))]
    NoCell {
        /// The dimension.
        dimension: String,
        /// The push that brought the journey, counted from 0.
        row: Option<usize>,
        /// The number given.
        cell: usize,
        /// Cells of the dimension.
        cells: usize,
    },
    /// The credits of a breakdown would not fit in memory.
    #[error("dimension `{dimension}` has {cells} cells, more than the limit of {limit} for so many draws")]
    TooManyCells {
        /// The dimension.
        dimension: String,
        /// Its cells.
        cells: usize,
        /// The limit.
        limit: usize,
    },
    /// Too few sampled identity graphs to tell how far they differ.
    #[error("{replicates} sampled identity graphs are too few (at least 2 are needed)")]
    TooFewReplicates {
        /// The number given.
        replicates: usize,
    },
    /// A span of time without an instant.
    #[error("a span from {start} to before {end} holds no instant")]
    EmptySpan {
        /// Its first instant.
        start: Timestamp,
        /// The first instant after it.
        end: Timestamp,
    },
    /// A number out of its bounds.
    #[error("{what} of {value} is outside {bounds}")]
    Setting {
        /// What it is.
        what: &'static str,
        /// What was given.
        value: f64,
        /// What is accepted.
        bounds: &'static str,
    },
    /// A credit names a period that is not there.
    #[error("the credit of `{channel}` is of period number {period}, which is not there")]
    NoPeriod {
        /// The channel.
        channel: String,
        /// The number given.
        period: usize,
    },
    /// A daily series that does not fit the others.
    #[error("{days} days of {what} do not fit {expected} days of spend, or are not finite")]
    NotDaily {
        /// Conversions, value or spend.
        what: &'static str,
        /// Its days.
        days: usize,
        /// Days of spend.
        expected: usize,
    },
    /// A regression of credit on spend cannot be solved.
    #[error("credit cannot be regressed on spend")]
    Regression {
        /// Why.
        #[source]
        source: OlsError,
    },
    /// The evidence together cannot be solved in double precision.
    #[error("{pieces} pieces of evidence are too alike and too precise to be solved together")]
    Unsolvable {
        /// How many.
        pieces: usize,
    },
    /// The removal of every channel would take too long.
    #[error(
        "markov chain of order {order} needs about {updates:.1e} updates to remove {channels} channels, more than the limit of \
         {limit:.0e}: use a lower order, or merge rare channels"
    )]
    TooMuchWork {
        /// The order.
        order: usize,
        /// Channels in the table.
        channels: usize,
        /// Updates needed, transitions × sweeps × channels.
        updates: f64,
        /// The limit.
        limit: f64,
    },
    /// The chain cannot be solved.
    #[error(
        "the markov chain cannot be solved (journeys that hardly end: leave out the longest, or merge rare channels)"
    )]
    Chain(#[from] ChainError),
    /// Draws do not make an interval.
    #[error("bootstrap draws do not make an interval")]
    Estimate(#[from] EstimateError),
}

fn suggest(name: Option<&str>) -> String {
    name.map_or_else(String::new, |n| format!(", did you mean `{n}`?"))
}
