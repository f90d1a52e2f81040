//! The same effect as a posterior: chance to win and risk.

use serde::{Deserialize, Serialize};
use throughline_core::{Estimate, Level};
use throughline_stats::dist;

use crate::EvidenceError;

/// A normal prior of an effect.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Prior {
    /// Mean.
    pub mean: f64,
    /// Standard deviation, above 0.
    pub std_dev: f64,
}

/// A normal posterior of an effect: normal likelihood of the estimate with its standard error, times a normal prior, or a
/// flat one, for which the interval is the confidence interval at infinite degrees of freedom.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Posterior {
    /// Mean.
    pub mean: f64,
    /// Standard deviation.
    pub std_dev: f64,
    /// Central interval at the level of the reading.
    pub interval: (f64, f64),
    /// Probability that the arm is better than the control.
    pub chance_to_win: f64,
    /// What is lost on average by choosing the control, E max(±Δ, 0) with + where more is better.
    pub risk_of_control: f64,
    /// What is lost on average by choosing the arm, E max(∓Δ, 0).
    pub risk_of_arm: f64,
    /// Whether it is of the relative lift; otherwise of the absolute difference.
    pub relative: bool,
}

impl Posterior {
    /// From an estimate and its standard error: precision-weighted mean of both. Errors: a standard error that is not
    /// above 0, a prior that is none.
    pub fn new(value: f64, std_error: f64, prior: Option<Prior>, level: Level) -> Result<Self, EvidenceError> {
        let refuse = |what, value| Err(EvidenceError::Setting { what, value, bounds: "the finite numbers above 0" });
        if !(std_error > 0.0 && std_error.is_finite()) {
            return refuse("standard error", std_error);
        }
        let (mut mean, mut variance) = (value, std_error * std_error);
        if let Some(prior) = prior {
            if !(prior.std_dev > 0.0 && prior.std_dev.is_finite() && prior.mean.is_finite()) {
                return refuse("standard deviation of the prior", prior.std_dev);
            }
            let (data, before) = (1.0 / variance, 1.0 / (prior.std_dev * prior.std_dev));
            variance = 1.0 / (data + before);
            mean = (value * data + prior.mean * before) * variance;
        }
        let std_dev = variance.sqrt();
        let half = dist::critical_value(level.get(), None) * std_dev;
        let (gain, loss) = expected_losses(mean, std_dev);
        Ok(Self {
            mean,
            std_dev,
            interval: (mean - half, mean + half),
            chance_to_win: dist::normal_cdf(mean / std_dev),
            risk_of_control: gain,
            risk_of_arm: loss,
            relative: false,
        })
    }

    /// From an estimate, if it has a standard error; `lower_is_better` turns chance and risks around.
    pub(crate) fn of(estimate: &Estimate, prior: Option<Prior>, relative: bool, lower_is_better: bool) -> Option<Self> {
        let posterior = Self::new(estimate.value, estimate.std_error?, prior, estimate.level).ok()?;
        let turned = Self {
            chance_to_win: 1.0 - posterior.chance_to_win,
            risk_of_control: posterior.risk_of_arm,
            risk_of_arm: posterior.risk_of_control,
            ..posterior
        };
        Some(Self { relative, ..if lower_is_better { turned } else { posterior } })
    }
}

/// (E max(Δ, 0), E max(−Δ, 0)) of Δ normal: μ Φ(μ/σ) + σ φ(μ/σ), and the same less μ.
pub(super) fn expected_losses(mean: f64, std_dev: f64) -> (f64, f64) {
    let z = mean / std_dev;
    // The smaller one by its own formula, so that it does not cancel; beyond 37 it is 0 in double precision.
    let density = (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let small = (std_dev * (density - z.abs() * dist::normal_sf(z.abs()))).max(0.0);
    if mean >= 0.0 { (mean + small, small) } else { (small, small - mean) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growthbook_figures() {
        let (gain, loss) = expected_losses(0.1, 0.05);
        assert!((gain - 0.100_424_535_1).abs() < 1e-10 && (loss - 0.000_424_535_1).abs() < 1e-10);
        assert_eq!((expected_losses(4.0, 0.1), expected_losses(-4.0, 0.1)), ((4.0, 0.0), (0.0, 4.0)));
        assert!(Posterior::new(1.0, 0.0, None, Level::P95).is_err());
        let none = Prior { mean: 0.0, std_dev: 0.0 };
        assert!(Posterior::new(1.0, 1.0, Some(none), Level::P95).is_err());
    }

    #[test]
    fn a_wide_prior_says_nothing_and_a_narrow_one_all() {
        let at =
            |std_dev| Posterior::new(1.0, 0.5, Some(Prior { mean: 3.0, std_dev }), Level::P95).expect("a posterior");
        assert!((at(1e6).mean - 1.0).abs() < 1e-9 && (at(1e-6).mean - 3.0).abs() < 1e-9);
        assert!((at(0.5).mean - 2.0).abs() < 1e-12 && (at(0.5).std_dev - 0.125_f64.sqrt()).abs() < 1e-12);
    }
}
