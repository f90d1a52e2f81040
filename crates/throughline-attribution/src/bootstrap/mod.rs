//! Intervals by a Poisson bootstrap with draws shared by all models: over clusters (persons), or over the counts of rows.

mod clusters;

mod rows;

pub(crate) mod weights;

use serde::Serialize;
use throughline_core::{Estimate, Level};

pub use clusters::bootstrap_clusters;
pub use rows::bootstrap;

use crate::{AttributionError, Credits, Prepared, Split, Summation, Units, contribution_share};

/// Draws used where nothing else is asked for.
pub const DEFAULT_DRAWS: usize = 200;

/// The credit of one channel with its uncertainty.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChannelIntervals {
    /// The channel.
    pub channel: String,
    /// Conversions credited.
    pub conversions: Estimate,
    /// Value credited.
    pub value: Estimate,
    /// Removal effect, where the model defines it.
    pub removal_effect: Option<Estimate>,
    /// Conversions credited as a share of all the model credits; 0 where it credits none.
    pub share: Estimate,
}

/// What two models can be compared in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// Conversions credited.
    Conversions,
    /// Value credited.
    Value,
}

/// Credits of one model with intervals from draws.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CreditsWithIntervals {
    /// The credits of the observed outcomes.
    pub credits: Credits,
    /// One entry per channel, in the order of `credits`. Intervals contain their estimate.
    pub intervals: Vec<ChannelIntervals>,
    /// How the intervals were made.
    pub method: String,
    /// Number of draws.
    pub draws: usize,
    /// Seed of the draws.
    pub seed: u64,
    /// Level of the intervals.
    pub level: Level,
    #[serde(skip)]
    splits: Vec<Split>,
    #[serde(skip)]
    units: u64,
}

impl CreditsWithIntervals {
    /// The credit of channel number `channel` with an interval at another level, from the same draws: intervals of one
    /// credit at two levels lie within each other.
    pub fn at_level(&self, channel: usize, what: Quantity, level: Level) -> Result<Estimate, AttributionError> {
        let value = self.observed(channel, what)?;
        self.estimate(value, &self.draws_of(channel, what)?, level)
    }

    /// The credit of channel number `channel` in every draw, in the order of the draws.
    pub fn draws_of(&self, channel: usize, what: Quantity) -> Result<Vec<f64>, AttributionError> {
        self.observed(channel, what)?;
        Ok(self
            .splits
            .iter()
            .map(|s| match what {
                Quantity::Conversions => s.conversions[channel],
                Quantity::Value => s.value[channel],
            })
            .collect())
    }

    /// This model's credit minus another's, for channel number `channel`. Both saw the same resampled outcomes, so what
    /// moves them together cancels. Both must come from one call of [`bootstrap`] or [`bootstrap_clusters`].
    pub fn difference(&self, other: &Self, channel: usize, what: Quantity) -> Result<Estimate, AttributionError> {
        let same = |a: &Self, b: &Self| {
            (a.draws, a.seed, a.units, a.intervals.len()) == (b.draws, b.seed, b.units, b.intervals.len())
        };
        if !same(self, other) || channel >= self.intervals.len() {
            let name = |c: &Self| c.credits.model().to_owned();
            return Err(AttributionError::NotComparable { left: name(self), right: name(other) });
        }
        self.minus((self, channel), (other, channel), what)
    }

    /// The credit of channel number `left` minus that of channel number `right`, under this model.
    pub fn between_channels(&self, left: usize, right: usize, what: Quantity) -> Result<Estimate, AttributionError> {
        self.minus((self, left), (self, right), what)
    }

    fn minus(&self, left: (&Self, usize), right: (&Self, usize), what: Quantity) -> Result<Estimate, AttributionError> {
        let value = left.0.observed(left.1, what)? - right.0.observed(right.1, what)?;
        let (a, b) = (left.0.draws_of(left.1, what)?, right.0.draws_of(right.1, what)?);
        let draws: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a - b).collect();
        self.estimate(value, &draws, self.level)
    }

    fn observed(&self, channel: usize, what: Quantity) -> Result<f64, AttributionError> {
        let credit = self.credits.channels().get(channel).ok_or(AttributionError::NoChannel { channel })?;
        Ok(match what {
            Quantity::Conversions => credit.conversions,
            Quantity::Value => credit.value,
        })
    }

    fn estimate(&self, value: f64, draws: &[f64], level: Level) -> Result<Estimate, AttributionError> {
        Ok(Estimate::from_draws(value, draws, self.units, level, self.method.as_str())?)
    }
}

fn split_all(prepared: &[Box<dyn Prepared + '_>], units: Units<'_>) -> Result<Vec<Split>, AttributionError> {
    prepared.iter().map(|p| p.split(units, Summation::InOrder)).collect()
}

/// What all estimates of a bootstrap share.
#[derive(Debug, Clone)]
struct Inference {
    method: String,
    units: u64,
    seed: u64,
    level: Level,
}

/// From a list of models by draw to a list of draws by model.
fn transposed(
    draws: Vec<Result<Vec<Split>, AttributionError>>,
    models: usize,
) -> Result<Vec<Vec<Split>>, AttributionError> {
    let mut by_model: Vec<Vec<Split>> = (0..models).map(|_| Vec::with_capacity(draws.len())).collect();
    for draw in draws {
        for (splits, split) in by_model.iter_mut().zip(draw?) {
            splits.push(split);
        }
    }
    Ok(by_model)
}

fn with_intervals(
    observed: Vec<Credits>,
    by_model: Vec<Vec<Split>>,
    inference: &Inference,
) -> Result<Vec<CreditsWithIntervals>, AttributionError> {
    observed.into_iter().zip(by_model).map(|(credits, splits)| of_model(credits, splits, inference)).collect()
}

fn of_model(
    credits: Credits,
    splits: Vec<Split>,
    inference: &Inference,
) -> Result<CreditsWithIntervals, AttributionError> {
    let Inference { method, units, seed, level } = inference.clone();
    let estimate = |value: f64, of: &dyn Fn(&Split) -> f64| {
        let draws: Vec<f64> = splits.iter().map(of).collect();
        Estimate::from_draws(value, &draws, units, level, method.as_str())
    };
    let whole = credits.channels().iter().map(|c| c.conversions).sum();
    let wholes: Vec<f64> = splits.iter().map(|s| s.conversions.iter().sum()).collect();
    let share = |credit: f64, i: usize| {
        let draws: Vec<f64> =
            splits.iter().zip(&wholes).map(|(s, whole)| contribution_share(s.conversions[i], *whole)).collect();
        Estimate::from_draws(contribution_share(credit, whole), &draws, units, level, method.as_str())
    };
    let intervals = credits
        .channels()
        .iter()
        .enumerate()
        .map(|(i, c)| {
            let effect = |s: &Split| s.removal_effect.as_ref().map_or(0.0, |e| e[i]);
            Ok(ChannelIntervals {
                channel: c.channel.clone(),
                conversions: estimate(c.conversions, &|s| s.conversions[i])?,
                value: estimate(c.value, &|s| s.value[i])?,
                removal_effect: c.removal_effect.map(|e| estimate(e, &effect)).transpose()?,
                share: share(c.conversions, i)?,
            })
        })
        .collect::<Result<_, AttributionError>>()?;
    Ok(CreditsWithIntervals { intervals, method, draws: splits.len(), seed, level, splits, units, credits })
}
