//! The same estimate, read at every look.

use super::wald::check;
use super::{ConfidenceSet, Estimate, EstimateError, InferenceKind};

/// The largest exponent before an e-value leaves the range of numbers.
const LARGEST_EXPONENT: f64 = 700.0;

impl Estimate {
    /// This estimate as one look of an asymptotic confidence sequence: valid at every look at once, however often and
    /// for whatever reason one looks or stops.
    ///
    /// half-width = se · √N · √(2 (N ρ² + 1) / (N² ρ²) · ln(√(N ρ² + 1) / α)), with N = n, and
    /// p = min(1, 1 / E), E = exp(N ρ² t² / (2 (N ρ² + 1))) / √(N ρ² + 1), t = value / se.
    /// ρ = √((−2 ln α + ln(−2 ln α + 1)) / N*) makes the sequence tightest near N* = `tuned_for` units.
    /// Source: Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas (2024), "Time-uniform central limit theory and asymptotic
    /// confidence sequences", Annals of Statistics 52(6), eqs. 9, 155 and 161. Errors: an estimate without Wald inference.
    pub fn sequential(&self, tuned_for: f64) -> Result<Self, EstimateError> {
        let std_error = self.wald_error("confidence sequence")?;
        let (alpha, n) = (self.level.alpha(), self.n as f64);
        let log = -2.0 * alpha.ln();
        let rho_squared = (log + log.ln_1p()) / tuned_for.max(1.0);
        let spread = n * rho_squared + 1.0;
        let half = std_error * (2.0 * spread / (n * rho_squared) * (spread.sqrt() / alpha).ln()).sqrt();
        let half = if std_error == 0.0 { 0.0 } else { half };
        let t_squared = if std_error == 0.0 { 0.0 } else { (self.value / std_error).powi(2) };
        let log_e = n * rho_squared * t_squared / (2.0 * spread) - spread.ln() / 2.0;
        let p_value = match (std_error == 0.0, self.value == 0.0) {
            (true, false) => 0.0,
            (true, true) => 1.0,
            _ => (-log_e.min(LARGEST_EXPONENT)).exp().min(1.0),
        };
        Ok(Self {
            set: ConfidenceSet(vec![(self.value - half, self.value + half)]),
            p_value,
            inference: InferenceKind::Sequential,
            method: format!("{}_sequential", self.method),
            ..self.clone()
        })
    }

    /// This estimate as one look of a one-sided asymptotic confidence sequence: its set is [lower, ∞), its p-value that of
    /// the hypothesis that the effect is 0 or below. For a harm, give the estimate of the opposite sign.
    ///
    /// lower = value − se · √(2 (N ρ² + 1) / (N ρ²) · ln(1 + √(N ρ² + 1) / (2α))), with ρ as in [`Estimate::sequential`] but at
    /// 2α (at most ½), and p = min(1, √(N ρ² + 1) / (2 (exp(N ρ² t² / (2 (N ρ² + 1))) − 1))) for t = value / se above 0,
    /// the least α at which this same sequence excludes 0. Source: Waudby-Smith et al. (2024), eq. 134. Errors: an estimate
    /// without Wald inference.
    pub fn sequential_greater(&self, tuned_for: f64) -> Result<Self, EstimateError> {
        let std_error = self.wald_error("confidence sequence")?;
        let (alpha, n) = (self.level.alpha(), self.n as f64);
        let log = -2.0 * (2.0 * alpha).min(0.5).ln();
        let information = n * (log + log.ln_1p()) / tuned_for.max(1.0);
        let spread = information + 1.0;
        let half = std_error * (2.0 * spread / information * (spread.sqrt() / (2.0 * alpha)).ln_1p()).sqrt();
        let half = if std_error == 0.0 { 0.0 } else { half };
        let t = (self.value / std_error).max(0.0);
        let p_value = match (std_error == 0.0, self.value > 0.0) {
            (true, true) => 0.0,
            (_, false) => 1.0,
            (false, true) => {
                let exponent = (information * t * t / (2.0 * spread)).min(LARGEST_EXPONENT);
                (spread.sqrt() / (2.0 * exponent.exp_m1())).min(1.0)
            }
        };
        let set = ConfidenceSet(vec![(self.value - half, f64::INFINITY)]);
        self.at_look(set, p_value, format!("{}_sequential_greater", self.method))
    }

    /// This estimate as one look of a sequential procedure that gave the set and the p-value of 0 at this look, such as a
    /// repeated confidence interval. Where 0 lies so near an end that rounding decides, the set decides and the p-value
    /// follows. Errors: a set and a p-value that contradict each other by more than that, or are none.
    pub fn at_look(&self, set: ConfidenceSet, p_value: f64, method: impl Into<String>) -> Result<Self, EstimateError> {
        check(self.value, self.std_error.unwrap_or(0.0))?;
        let e = Self::inverted(self.value, self.std_error, set, p_value, self.n, self.level, method)?;
        Ok(Self { inference: InferenceKind::Sequential, assumptions: self.assumptions.clone(), ..e })
    }
}
