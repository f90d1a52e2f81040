//! Off-policy evaluation: what another policy would have earned, from a log with known probabilities.
//!
//! Sums are exact, so that the order of the log does not matter, bit for bit.

use throughline_core::{Diagnostic, Estimate, Level};
use throughline_stats::sum::exact_sum;

use crate::DecideError;

/// Probabilities below this are said to be vanishing: one row then weighs as much as a thousand.
const SMALL_PROPENSITY: f64 = 1e-3;
/// Probabilities below this are taken for a fault of the log.
const MIN_PROPENSITY: f64 = 1e-12;

/// One logged decision.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Logged {
    /// Probability with which the logged action was taken, in [1e-12, 1].
    pub propensity: f64,
    /// Probability with which the target policy takes that action, in [0, 1].
    pub target: f64,
    /// What came of it.
    pub reward: f64,
}

/// One logged decision and two policies to compare.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedLogged {
    /// Probability with which the logged action was taken, in [1e-12, 1].
    pub propensity: f64,
    /// Probability with which policy A takes that action, in [0, 1].
    pub target_a: f64,
    /// Probability with which policy B takes it, in [0, 1].
    pub target_b: f64,
    /// What came of it.
    pub reward: f64,
}

/// Value of a policy per decision.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueEstimate {
    /// Inverse propensity scoring (Horvitz and Thompson): mean of w·r with w = target / propensity. Unbiased.
    pub ips: Estimate,
    /// Self-normalised (Hájek): Σ w·r / Σ w. Slightly biased, usually far less noisy.
    pub snips: Estimate,
    /// (Σ w)² / Σ w²: how many rows of the target policy's own log would be as informative.
    pub effective_sample_size: f64,
    /// Smallest logged propensity.
    pub min_propensity: f64,
    /// Largest weight.
    pub max_weight: f64,
    /// Mean weight; 1 in expectation where the log supports the target.
    pub mean_weight: f64,
    /// Weak support (`TL911` to `TL913`).
    pub diagnostics: Vec<Diagnostic>,
}

/// Value of policy A less that of policy B, from the same rows.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueDifference {
    /// By inverse propensity scoring.
    pub ips: Estimate,
    /// By self-normalised scoring.
    pub snips: Estimate,
    /// Weak support of either policy.
    pub diagnostics: Vec<Diagnostic>,
}

/// Estimates the value of a target policy.
///
/// Intervals are normal, from influence values: w·r − v for IPS, and w·(r − v) / mean(w) for SNIPS. Assumes logged
/// propensities are those of the rule that drew the action, rows are independent, the log gives every action the target
/// takes a positive probability, and one person's action does not change another's outcome.
///
/// # Errors
/// Fewer than 2 rows, a propensity outside [1e-12, 1], a target probability outside [0, 1], a reward that is not finite, or a
/// target that takes none of the logged actions.
pub fn policy_value(log: &[Logged], level: Level) -> Result<ValueEstimate, DecideError> {
    for (row, logged) in log.iter().enumerate() {
        check(row, logged)?;
    }
    let scored = Scored::new(log.iter().map(|l| (l.target / l.propensity, l.reward)).collect())?;
    let min_propensity = log.iter().map(|l| l.propensity).fold(1.0, f64::min);
    let max_weight = scored.rows.iter().map(|(w, _)| *w).fold(0.0, f64::max);
    Ok(ValueEstimate {
        ips: wald(scored.ips, &scored.ips_influence(), level, "ips")?,
        snips: wald(scored.snips, &scored.snips_influence(), level, "snips")?,
        effective_sample_size: scored.effective_sample_size(),
        min_propensity,
        max_weight,
        mean_weight: scored.mean_weight,
        diagnostics: scored.diagnostics(min_propensity),
    })
}

/// Estimates the difference of two policies on one log; rows are paired, so that what both do alike cancels.
///
/// Assumptions and errors as for [`policy_value`].
pub fn policy_difference(log: &[PairedLogged], level: Level) -> Result<ValueDifference, DecideError> {
    let side = |target: fn(&PairedLogged) -> f64| -> Result<Scored, DecideError> {
        let mut rows = Vec::with_capacity(log.len());
        for (row, l) in log.iter().enumerate() {
            check(row, &Logged { propensity: l.propensity, target: target(l), reward: l.reward })?;
            rows.push((target(l) / l.propensity, l.reward));
        }
        Scored::new(rows)
    };
    let (a, b) = (side(|l| l.target_a)?, side(|l| l.target_b)?);
    let min_propensity = log.iter().map(|l| l.propensity).fold(1.0, f64::min);
    let mut diagnostics = a.diagnostics(min_propensity);
    for found in b.diagnostics(min_propensity) {
        if !diagnostics.contains(&found) {
            diagnostics.push(found);
        }
    }
    let less = |x: Vec<f64>, y: Vec<f64>| -> Vec<f64> { x.into_iter().zip(y).map(|(x, y)| x - y).collect() };
    Ok(ValueDifference {
        ips: wald(a.ips - b.ips, &less(a.ips_influence(), b.ips_influence()), level, "ips")?,
        snips: wald(a.snips - b.snips, &less(a.snips_influence(), b.snips_influence()), level, "snips")?,
        diagnostics,
    })
}

fn check(row: usize, logged: &Logged) -> Result<(), DecideError> {
    let bad = |what, value, bounds| Err(DecideError::BadLog { row, what, value, bounds });
    if !(MIN_PROPENSITY..=1.0).contains(&logged.propensity) {
        return bad("a propensity", logged.propensity, "1e-12 to 1");
    }
    if !(0.0..=1.0).contains(&logged.target) {
        return bad("a target probability", logged.target, "0 to 1");
    }
    if !logged.reward.is_finite() {
        return bad("a reward", logged.reward, "the finite numbers");
    }
    Ok(())
}

/// Weights and rewards with their means.
struct Scored {
    rows: Vec<(f64, f64)>,
    mean_weight: f64,
    ips: f64,
    snips: f64,
}

impl Scored {
    fn new(rows: Vec<(f64, f64)>) -> Result<Self, DecideError> {
        if rows.len() < 2 {
            return Err(DecideError::ShortLog { rows: rows.len() });
        }
        let n = rows.len() as f64;
        let weight = exact_sum(rows.iter().map(|(w, _)| *w));
        let reward = exact_sum(rows.iter().map(|(w, r)| w * r));
        if weight <= 0.0 {
            return Err(DecideError::NoSupport { rows: rows.len() });
        }
        Ok(Self { mean_weight: weight / n, ips: reward / n, snips: reward / weight, rows })
    }

    fn ips_influence(&self) -> Vec<f64> {
        self.rows.iter().map(|(w, r)| w * r - self.ips).collect()
    }

    fn snips_influence(&self) -> Vec<f64> {
        self.rows.iter().map(|(w, r)| w * (r - self.snips) / self.mean_weight).collect()
    }

    fn effective_sample_size(&self) -> f64 {
        let squares = exact_sum(self.rows.iter().map(|(w, _)| w * w));
        (self.mean_weight * self.rows.len() as f64).powi(2) / squares
    }

    fn diagnostics(&self, min_propensity: f64) -> Vec<Diagnostic> {
        let mut out = Vec::new();
        let n = self.rows.len() as f64;
        if min_propensity < SMALL_PROPENSITY {
            let message = format!("the smallest propensity is {min_propensity:.2e}, below {SMALL_PROPENSITY:.0e}");
            let help = "some actions were hardly tried; the interval may be too narrow";
            out.push(Diagnostic::warning("TL911", message).help(help));
        }
        let effective = self.effective_sample_size();
        if effective < 100.0 || effective < 0.01 * n {
            let message = format!("the {n} rows are worth {effective:.1} rows of the target policy");
            out.push(Diagnostic::warning("TL912", message).help("log more exploration before trusting this value"));
        }
        let spread = exact_sum(self.rows.iter().map(|(w, _)| (w - self.mean_weight).powi(2)));
        let error = (spread / (n - 1.0) / n).sqrt();
        if (self.mean_weight - 1.0).abs() > (4.0 * error).max(1e-9) {
            let message = format!("the mean weight is {:.4}, not 1 (standard error {error:.4})", self.mean_weight);
            let help = "the target takes actions the log never takes, or the logged propensities are not the true ones";
            out.push(Diagnostic::warning("TL913", message).help(help));
        }
        out
    }
}

fn wald(value: f64, influence: &[f64], level: Level, method: &str) -> Result<Estimate, DecideError> {
    let n = influence.len() as f64;
    let mean = exact_sum(influence.iter().copied()) / n;
    let spread = exact_sum(influence.iter().map(|i| (i - mean).powi(2)));
    let error = (spread / (n - 1.0) / n).sqrt();
    let estimate = Estimate::wald(value, error, None, influence.len() as u64, level, method)?;
    Ok(estimate
        .assuming("logged propensities are those of the rule that drew the action")
        .assuming("the log tries every action that the policy takes")
        .assuming("one person's action does not change another's outcome"))
}
