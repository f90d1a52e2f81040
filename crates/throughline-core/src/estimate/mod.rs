//! The one inference contract: p-value, interval and standard error come from one object and cannot disagree.

mod draws;

mod inverted;

mod rank;

mod sequential;

mod sided;

mod wald;

use serde::{Deserialize, Serialize};

pub use sided::Side;

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
    /// A confidence sequence: valid at every look, however often one looks.
    Sequential,
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

/// A union of closed intervals, in order; ends may be infinite, which is `null` in JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<(Option<f64>, Option<f64>)>", into = "Vec<(Option<f64>, Option<f64>)>")]
pub struct ConfidenceSet(pub Vec<(f64, f64)>);

impl From<Vec<(Option<f64>, Option<f64>)>> for ConfidenceSet {
    fn from(parts: Vec<(Option<f64>, Option<f64>)>) -> Self {
        let ends =
            |(lo, hi): (Option<f64>, Option<f64>)| (lo.unwrap_or(f64::NEG_INFINITY), hi.unwrap_or(f64::INFINITY));
        Self(parts.into_iter().map(ends).collect())
    }
}

impl From<ConfidenceSet> for Vec<(Option<f64>, Option<f64>)> {
    fn from(set: ConfidenceSet) -> Self {
        let end = |x: f64| x.is_finite().then_some(x);
        set.0.into_iter().map(|(lo, hi)| (end(lo), end(hi))).collect()
    }
}

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
    /// p-value of the null value 0: two-sided, or of the one-sided null where the set is bounded on one side.
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
    /// No placebos, or one that is not finite.
    #[error("{placebos} finite placebos are too few for a rank (at least 1 is needed)")]
    TooFewPlacebos {
        /// How many finite placebos there were.
        placebos: usize,
    },
    /// A p-value that is none.
    #[error("p-value of {p_value} is outside 0 to 1")]
    BadPValue {
        /// The p-value given.
        p_value: f64,
    },
    /// Ends that are NaN, out of order or overlapping.
    #[error("the confidence set is not a list of ordered intervals")]
    BadSet,
    /// Set and p-value contradict each other by more than rounding.
    #[error("p-value of {p_value} and the confidence set disagree about 0")]
    Disagree {
        /// The p-value given.
        p_value: f64,
    },
    /// What was asked for needs a standard error and this estimate has none.
    #[error("an estimate by {inference} has no {wanted}")]
    NotOfThisKind {
        /// The kind of inference, in words.
        inference: &'static str,
        /// What was asked for.
        wanted: &'static str,
    },
}

impl InferenceKind {
    /// The kind in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Wald => "influence values",
            Self::InvertedTest => "an inverted test",
            Self::Draws => "draws",
            Self::Rank => "rank",
            Self::Sequential => "a confidence sequence",
        }
    }
}

impl Estimate {
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
        assert_eq!(e.interval(), (48.0 / 999.0, 2.0));
    }

    #[test]
    fn few_draws_and_few_placebos_exclude_nothing() {
        let e = Estimate::from_draws(2.0, &[1.0, 2.0, 3.0], 3, Level::P95, "bootstrap").expect("finite");
        assert_eq!(e.interval(), (f64::NEG_INFINITY, f64::INFINITY));
        let e = Estimate::ranked(2.0, &[0.5, -1.0, 0.25], 4, Level::P95, "placebo").expect("finite");
        assert_eq!((e.interval(), e.p_value), ((f64::NEG_INFINITY, f64::INFINITY), 0.25));
        let e = Estimate::ranked(2.0, &[0.5, -1.0, 0.25], 4, Level::HALF, "placebo").expect("finite");
        assert_eq!((e.interval(), e.p_value), ((1.0, 3.0), 0.25));
    }

    #[test]
    fn a_set_and_a_p_value_that_disagree_are_refused() {
        let set = |lo, hi| ConfidenceSet(vec![(lo, hi)]);
        let of = |set, p| Estimate::inverted(1.0, None, set, p, 9, Level::P95, "ar");
        assert!(of(set(0.5, 2.0), 0.2).is_err());
        assert!(of(set(-0.5, 2.0), 0.01).is_err());
        assert_eq!(of(set(0.0, 2.0), 0.05 - 1e-9).expect("rounding").p_value, Level::P95.alpha());
        let two = ConfidenceSet(vec![(f64::NEG_INFINITY, -3.0), (0.5, f64::INFINITY)]);
        assert!(of(two, 0.01).is_ok());
        assert_eq!(of(ConfidenceSet(vec![(0.5, 2.0), (1.0, 3.0)]), 0.01), Err(EstimateError::BadSet));
    }

    #[test]
    fn every_kind_excludes_the_null_exactly_when_p_is_small() {
        use throughline_stats::stream::Stream;
        let mut seen = [0_u32; 2];
        for seed in 0..400 {
            let stream = Stream::new(seed, 0);
            let draws: Vec<f64> = (0..40).map(|i| stream.normal_at(i)).collect();
            let value = 3.0 * stream.normal_at(99);
            let shifted: Vec<f64> = draws.iter().map(|d| d + value).collect();
            for level in [Level::HALF, Level::P90, Level::P95] {
                let wald = Estimate::wald(value, 1.0, None, 100, level, "wald").expect("finite");
                for e in [
                    Estimate::from_draws(value, &shifted, 40, level, "draws").expect("finite"),
                    Estimate::ranked(value, &draws, 41, level, "rank").expect("finite"),
                    wald.sequential(5000.0).expect("wald"),
                    wald,
                ] {
                    assert_eq!(!e.set.contains(0.0), e.p_value < level.alpha(), "{e:?}");
                    seen[usize::from(e.set.contains(0.0))] += 1;
                }
            }
        }
        assert!(seen.iter().all(|n| *n > 500), "{seen:?}");
    }

    #[test]
    fn the_sequence_is_that_of_the_literature() {
        // GrowthBook's tests: relative lift of two means, tuned for 1000 and for 5000 units.
        let wald = Estimate::wald(0.503_36, 0.333_41, None, 6461, Level::P95, "welch_relative").expect("finite");
        let e = wald.sequential(1000.0).expect("wald");
        assert!((e.interval().0 + 0.558_44).abs() < 1e-4 && (e.interval().1 - 1.565_16).abs() < 1e-4, "{e:?}");
        assert_eq!(e.p_value, 1.0);
    }

    #[test]
    fn power_meets_the_detectable_effect() {
        let e = Estimate::wald(0.0, 2.0, None, 10, Level::P95, "t").expect("finite");
        let effect = e.minimum_detectable(0.8).expect("wald");
        assert!((effect - 2.0 * (1.959_963_985 + 0.841_621_234)).abs() < 1e-8);
        assert!((e.power(effect).expect("wald") - 0.8).abs() < 1e-5);
        assert!((e.power(0.0).expect("wald") - 0.05).abs() < 1e-12);
        let placebo = Estimate::ranked(2.0, &[0.5], 2, Level::P95, "placebo").expect("finite");
        assert!(placebo.power(1.0).is_err() && placebo.sequential(9.0).is_err());
    }
}
