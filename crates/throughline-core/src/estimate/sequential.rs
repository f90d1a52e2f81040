//! The same estimate, read at every look.

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
}
