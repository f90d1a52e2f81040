//! What is calibrated and with what: credits, evidence, settings.

use serde::{Deserialize, Serialize};
use throughline_core::{EvidenceTier, Timestamp};

use crate::AttributionError;

/// A span of time; its end is the first instant after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    start: Timestamp,
    end: Timestamp,
}

/// Microseconds of a day.
const DAY: f64 = 86_400e6;

impl Span {
    /// From `start` to before `end`. Errors: an end that is not after the start.
    pub fn new(start: Timestamp, end: Timestamp) -> Result<Self, AttributionError> {
        if end > start {
            return Ok(Self { start, end });
        }
        Err(AttributionError::EmptySpan { start, end })
    }

    /// Its first instant.
    pub const fn start(self) -> Timestamp {
        self.start
    }

    /// The first instant after it.
    pub const fn end(self) -> Timestamp {
        self.end
    }

    /// How long it is, in days.
    pub(super) fn days(self) -> f64 {
        (self.end.micros() as f64 - self.start.micros() as f64) / DAY
    }

    /// Whether both have an instant in common.
    pub fn overlaps(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// Mean distance of the starts and the ends, in days.
    pub(super) fn distance_days(self, other: Self) -> f64 {
        let days = |a: Timestamp, b: Timestamp| (a.micros() as f64 - b.micros() as f64).abs() / DAY;
        0.5 * (days(self.start, other.start) + days(self.end, other.end))
    }
}

/// A period that is reported, with all that was converted in it, credited or not.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Period {
    /// When.
    pub span: Span,
    /// Conversions of the period.
    pub conversions: f64,
    /// Their value, in currency units.
    pub value: f64,
}

/// The associational credit of a channel in a period, from any model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Credit {
    /// The channel.
    pub channel: String,
    /// The position of its period.
    pub period: usize,
    /// Conversions credited; at least 0.
    pub conversions: f64,
    /// Value credited, in currency units.
    pub value: f64,
    /// Draws of the conversions credited; none where the credit is taken as known.
    pub conversions_draws: Vec<f64>,
    /// The same draws of the value; as many.
    pub value_draws: Vec<f64>,
    /// What the channel cost in the period, in currency units.
    pub spend: Option<f64>,
    /// Whether channels that were tested say something about this one. Not so for what nobody can switch off: direct
    /// visits, organic search. Those get a number from evidence of their own only.
    pub exchangeable: bool,
}

impl Credit {
    /// A credit taken as known, of a channel that could have been tested like any other.
    pub fn new(channel: impl Into<String>, period: usize, conversions: f64, value: f64) -> Self {
        Self {
            channel: channel.into(),
            period,
            conversions,
            value,
            conversions_draws: Vec::new(),
            value_draws: Vec::new(),
            spend: None,
            exchangeable: true,
        }
    }
}

/// What an experiment found: its estimate with the variance of its sampling error.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Effect {
    /// Incremental conversions of the channel in the experiment's own scope and span.
    Conversions {
        /// Conversions; negative where the channel did harm.
        estimate: f64,
        /// Squared standard error.
        variance: f64,
    },
    /// Incremental conversions for each conversion credited there.
    PerCredit {
        /// The ratio.
        estimate: f64,
        /// Squared standard error.
        variance: f64,
    },
}

/// One piece of causal evidence about one channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Its identifier; counted once.
    pub id: String,
    /// The experiment it comes from. Of one experiment, each channel and span counts once.
    pub source: String,
    /// The channel whose effect it is.
    pub channel: String,
    /// When it was observed.
    pub span: Span,
    /// The segment or region it was observed in; everywhere when absent.
    pub scope: Option<String>,
    /// The channel's credit in the experiment's own scope and span, by the same model. Absent where these are a reported
    /// period and everywhere: then it is the period's.
    pub credit: Option<f64>,
    /// Sampling variance of that credit; 0 where it is taken as known.
    pub credit_variance: f64,
    /// What was found.
    pub effect: Effect,
    /// What it may be used as. Below a quasi-experiment it is not used.
    pub tier: EvidenceTier,
    /// Whether the checks of its design passed. If not, it is not used.
    pub healthy: bool,
    /// Whether it is not too old to be used.
    pub current: bool,
}

/// Priors and scales, all in conversions caused per conversion credited (days for the memory).
///
/// Credits of all channels add up to conversions, so that a ratio of 1 says "every credited conversion was caused": ratios of
/// order one half, spread by as much, are what one expects before any experiment. The defaults are wider than that, so that the
/// evidence decides.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Prior mean of the population's ratio.
    pub mean: f64,
    /// Prior standard deviation of it.
    pub mean_sd: f64,
    /// Scale (median) of the half-Cauchy prior of the spread between channels of mean size.
    pub channel_scale: f64,
    /// Power of a channel's credit with which the spread of its *effect* grows, 0 to 1. At ½ a channel is like a sum of parts that
    /// differ from each other: the population's mean is then Σ effect / Σ credit of the tested channels (the ratio estimator), which
    /// large channels cannot bias by having other ratios than small ones. At 1 all ratios spread alike.
    pub size_power: f64,
    /// Scale of the half-normal prior of the drift of a channel's ratio over time and scope.
    pub drift_scale: f64,
    /// Days in which the correlation of the drift falls to 1/e.
    pub memory_days: f64,
    /// Correlation of the drift between different scopes of one time.
    pub scope_correlation: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mean: 0.5,
            mean_sd: 3.0,
            channel_scale: 1.0,
            size_power: 0.5,
            drift_scale: 0.15,
            memory_days: 180.0,
            scope_correlation: 0.5,
        }
    }
}

impl Settings {
    /// Refuses what is no prior.
    pub(super) fn check(&self) -> Result<(), AttributionError> {
        let within = |what, value: f64, low: f64, high: f64, bounds| {
            if (low..=high).contains(&value) {
                return Ok(());
            }
            Err(AttributionError::Setting { what, value, bounds })
        };
        within("prior mean of the ratio", self.mean, -100.0, 100.0, "-100 to 100")?;
        within("prior deviation of the mean ratio", self.mean_sd, 1e-6, 1e3, "0.000001 to 1000")?;
        within("prior scale between channels", self.channel_scale, 1e-9, 1e3, "0.000000001 to 1000")?;
        within("power of the size", self.size_power, 0.0, 1.0, "0 to 1")?;
        within("prior scale of the drift", self.drift_scale, 1e-9, 1e3, "0.000000001 to 1000")?;
        within("memory in days", self.memory_days, 1e-3, 1e6, "0.001 to 1000000")?;
        within("correlation between scopes", self.scope_correlation, 0.0, 1.0, "0 to 1")
    }
}
