//! Estimates from influence values, and what a design of the same precision could find.

use throughline_stats::dist;

use super::{ConfidenceSet, Estimate, EstimateError, InferenceKind};
use crate::Level;

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
        check(value, std_error)?;
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

    /// The chance that a study of this precision finds a true effect of `effect`, two-sided at 1 − level:
    /// P(|Z + effect / se| > z), with Z standard normal. Errors: an estimate without Wald inference.
    pub fn power(&self, effect: f64) -> Result<f64, EstimateError> {
        let std_error = self.wald_error("power")?;
        if std_error == 0.0 {
            return Ok(if effect == 0.0 { self.level.alpha() } else { 1.0 });
        }
        let (z, shift) = (dist::critical_value(self.level.get(), None), effect / std_error);
        Ok(dist::normal_sf(z - shift) + dist::normal_sf(z + shift))
    }

    /// The smallest effect a study of this precision finds with a chance of `power`, two-sided at 1 − level:
    /// (z₁₋α⁄₂ + z_power) · se, the usual approximation that leaves out findings of the wrong sign.
    pub fn minimum_detectable(&self, power: f64) -> Result<f64, EstimateError> {
        let std_error = self.wald_error("minimum detectable effect")?;
        Ok((dist::critical_value(self.level.get(), None) + dist::normal_quantile(power)) * std_error)
    }

    pub(super) fn wald_error(&self, wanted: &'static str) -> Result<f64, EstimateError> {
        match (self.inference, self.std_error) {
            (InferenceKind::Wald, Some(std_error)) => Ok(std_error),
            (kind, _) => Err(EstimateError::NotOfThisKind { inference: kind.words(), wanted }),
        }
    }
}

pub(super) fn check(value: f64, std_error: f64) -> Result<(), EstimateError> {
    if !value.is_finite() {
        return Err(EstimateError::NotFinite { value });
    }
    if !std_error.is_finite() || std_error < 0.0 {
        return Err(EstimateError::BadStdError { std_error });
    }
    Ok(())
}
