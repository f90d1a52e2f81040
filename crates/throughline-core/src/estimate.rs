//! The one inference contract: p-value, interval and standard error come from one object and cannot disagree.

use serde::{Deserialize, Serialize};
use throughline_stats::dist;

use crate::Level;

/// How the uncertainty of an estimate was obtained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum InferenceKind {
    /// Value ± critical value × standard error, from influence values.
    Wald,
    /// All nulls that a test does not reject.
    InvertedTest,
    /// Quantiles of bootstrap or posterior draws.
    Draws,
    /// Rank among placebos or permutations.
    Rank,
}

/// How strong the evidence behind a number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceTier {
    /// Tier 0: attribution, association only.
    Associational,
    /// Tier 1: modelled, observational adjustment.
    Modelled,
    /// Tier 2: quasi-experiment.
    QuasiExperiment,
    /// Tier 3: randomised experiment.
    Randomised,
}

impl EvidenceTier {
    /// The tier's number, 0 to 3.
    pub const fn number(self) -> u8 {
        match self {
            Self::Associational => 0,
            Self::Modelled => 1,
            Self::QuasiExperiment => 2,
            Self::Randomised => 3,
        }
    }
}

/// A union of closed intervals, in order; ends may be infinite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConfidenceSet(pub Vec<(f64, f64)>);

impl ConfidenceSet {
    /// Whether the set holds `x`.
    pub fn contains(&self, x: f64) -> bool {
        self.0.iter().any(|&(lo, hi)| lo <= x && x <= hi)
    }

    /// The smallest interval around the set; the whole line when the set is empty.
    pub fn hull(&self) -> (f64, f64) {
        match (self.0.first(), self.0.last()) {
            (Some(first), Some(last)) => (first.0, last.1),
            _ => (f64::NEG_INFINITY, f64::INFINITY),
        }
    }
}

/// An estimate with its uncertainty. Within one inference kind and hypothesis the set excludes the null exactly when
/// `p_value < 1 − level`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Point estimate.
    pub value: f64,
    /// Standard error; absent where the inference kind has none.
    pub std_error: Option<f64>,
    /// Confidence set at `level`.
    pub set: ConfidenceSet,
    /// Confidence level of the set.
    pub level: Level,
    /// Two-sided p-value of the null value 0.
    pub p_value: f64,
    /// Units (people, rows) behind the estimate.
    pub n: u64,
    /// How the uncertainty was obtained.
    pub inference: InferenceKind,
    /// The method in words, for example `welch`.
    pub method: String,
    /// What must hold for the estimate to mean what it says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assumptions: Vec<String>,
}

/// Why numbers do not make an estimate.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EstimateError {
    /// The value is NaN or infinite.
    #[error("estimate of {value} is not finite")]
    NotFinite {
        /// The value given.
        value: f64,
    },
    /// The standard error is negative, NaN or infinite.
    #[error("standard error of {std_error} is not a finite non-negative number")]
    BadStdError {
        /// The standard error given.
        std_error: f64,
    },
    /// No draws, or a draw that is not finite.
    #[error("{draws} finite draws are too few for an interval (at least 2 are needed)")]
    TooFewDraws {
        /// How many finite draws there were.
        draws: usize,
    },
}

impl Estimate {
    /// A Wald estimate: set = value ± c · se, p = 2 · P(T > |value / se|), with T standard normal, or Student's t when
    /// `df` is given. A standard error of zero gives the point as set, and p of 0, or 1 when the value is 0 too.
    pub fn wald(
        value: f64,
        std_error: f64,
        df: Option<f64>,
        n: u64,
        level: Level,
        method: impl Into<String>,
    ) -> Result<Self, EstimateError> {
        if !value.is_finite() {
            return Err(EstimateError::NotFinite { value });
        }
        if !std_error.is_finite() || std_error < 0.0 {
            return Err(EstimateError::BadStdError { std_error });
        }
        let half = if std_error == 0.0 { 0.0 } else { dist::critical_value(level.get(), df) * std_error };
        let p_value = match (std_error == 0.0, value == 0.0) {
            (true, true) => 1.0,
            (true, false) => 0.0,
            _ => dist::two_sided_p(value / std_error, df),
        };
        Ok(Self {
            value,
            std_error: Some(std_error),
            set: ConfidenceSet(vec![(value - half, value + half)]),
            level,
            p_value,
            n,
            inference: InferenceKind::Wald,
            method: method.into(),
            assumptions: Vec::new(),
        })
    }

    /// An estimate from draws (bootstrap or posterior): equal-tailed quantile interval, widened where needed so that
    /// it contains the value, and p = 2 · min(share ≤ 0, share ≥ 0) with the usual +1 in numerator and denominator.
    pub fn from_draws(
        value: f64,
        draws: &[f64],
        n: u64,
        level: Level,
        method: impl Into<String>,
    ) -> Result<Self, EstimateError> {
        if !value.is_finite() {
            return Err(EstimateError::NotFinite { value });
        }
        let mut sorted: Vec<f64> = draws.iter().copied().filter(|d| d.is_finite()).collect();
        if sorted.len() < 2 {
            return Err(EstimateError::TooFewDraws { draws: sorted.len() });
        }
        sorted.sort_by(f64::total_cmp);
        let count = sorted.len() as f64;
        let mean = sorted.iter().sum::<f64>() / count;
        let variance = sorted.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (count - 1.0);
        let below = sorted.iter().filter(|d| **d <= 0.0).count() as f64;
        let above = sorted.iter().filter(|d| **d >= 0.0).count() as f64;
        let tail = f64::midpoint(1.0, -level.get());
        let (lo, hi) = (order_quantile(&sorted, tail), order_quantile(&sorted, 1.0 - tail));
        Ok(Self {
            value,
            std_error: Some(variance.sqrt()),
            set: ConfidenceSet(vec![(lo.min(value), hi.max(value))]),
            level,
            p_value: (2.0 * (below.min(above) + 1.0) / (count + 1.0)).min(1.0),
            n,
            inference: InferenceKind::Draws,
            method: method.into(),
            assumptions: Vec::new(),
        })
    }

    /// The interval around the confidence set.
    pub fn interval(&self) -> (f64, f64) {
        self.set.hull()
    }

    /// Adds an assumption in plain language.
    #[must_use]
    pub fn assuming(mut self, assumption: impl Into<String>) -> Self {
        self.assumptions.push(assumption.into());
        self
    }
}

/// Linear interpolation between order statistics (type 7) of a sorted, non-empty slice.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the index lies within the slice")]
fn order_quantile(sorted: &[f64], p: f64) -> f64 {
    let position = p * (sorted.len() - 1) as f64;
    let low = position.floor() as usize;
    let high = (low + 1).min(sorted.len() - 1);
    sorted[low] + (position - position.floor()) * (sorted[high] - sorted[low])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_set_excludes_the_null_exactly_when_p_is_small() {
        for i in -60_i32..=60 {
            let value = f64::from(i) / 20.0;
            for df in [None, Some(3.0), Some(40.0)] {
                let e = Estimate::wald(value, 1.0, df, 10, Level::P95, "test").expect("finite");
                assert_eq!(!e.set.contains(0.0), e.p_value < Level::P95.alpha(), "{value} {df:?}");
            }
        }
    }

    #[test]
    fn degenerate_inputs_are_refused_or_defined() {
        assert!(Estimate::wald(f64::NAN, 1.0, None, 1, Level::P95, "t").is_err());
        assert!(Estimate::wald(1.0, -1.0, None, 1, Level::P95, "t").is_err());
        let sure = Estimate::wald(0.0, 0.0, None, 1, Level::P95, "t").expect("defined");
        assert_eq!((sure.p_value, sure.interval()), (1.0, (0.0, 0.0)));
        assert!(Estimate::from_draws(1.0, &[1.0], 1, Level::P95, "t").is_err());
    }

    #[test]
    fn draws_give_an_interval_that_contains_the_estimate() {
        let draws: Vec<f64> = (0..999).map(|i| f64::from(i) / 999.0).collect();
        let e = Estimate::from_draws(2.0, &draws, 999, Level::P90, "bootstrap").expect("finite");
        assert_eq!(e.interval().1, 2.0);
        assert!((e.interval().0 - 0.0499).abs() < 1e-3);
    }
}
