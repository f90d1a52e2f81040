//! How strong a hidden confounder must be to overturn a double-machine-learning estimate.

use serde::{Deserialize, Serialize};
use throughline_core::Level;
use throughline_stats::dist;

use super::score::Score;
use crate::{EvidenceError, Joint};

/// Per unit: the squared error of the outcome model, and the part of E α² (α the Riesz representer) with which it is estimated
/// without bias, 2 m(W, α) − α².
#[derive(Debug, Clone, PartialEq)]
pub struct SensitivityElements {
    /// (Y − g(D, X))².
    pub sigma2: Vec<f64>,
    /// 2 m(W, α) − α².
    pub nu2: Vec<f64>,
}

impl SensitivityElements {
    /// S = √(σ² ν²) with its influence values (σ² φ_ν + ν² φ_σ) / 2S.
    pub(crate) fn scale(&self) -> Result<Score, EvidenceError> {
        let n = self.sigma2.len() as f64;
        let mean = |v: &[f64]| v.iter().sum::<f64>() / n;
        let (sigma2, nu2) = (mean(&self.sigma2), mean(&self.nu2).max(0.0));
        let value = (sigma2 * nu2).sqrt();
        if !value.is_finite() {
            return Err(EvidenceError::NotFinite { what: "scale of hidden confounding".into() });
        }
        let divisor = if value > 0.0 { 2.0 * value * n } else { f64::INFINITY };
        let influence = self.sigma2.iter().zip(&self.nu2);
        let influence = influence.map(|(s, v)| (sigma2 * (v - nu2) + nu2 * (s - sigma2)) / divisor).collect();
        Ok(Score { name: "scale of hidden confounding".into(), value, influence })
    }
}

/// Bounds under hidden confounding. Its strength is the share of the outcome's residual variation it explains (`cf_y`) and the
/// share by which it would raise the variation of the Riesz representer (`cf_d`; for a linear model, the share of the
/// treatment's residual variation); |bias| ≤ S √(cf_y · cf_d / (1 − cf_d)). Source: Chernozhukov, Cinelli, Newey, Sharma,
/// Syrgkanis (2022), "Long story short: omitted variable bias in causal machine learning", NBER 30302.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HiddenConfounding {
    /// Equal strengths cf_y = cf_d at which the bound of the estimate reaches 0.
    pub robustness_value: f64,
    /// Equal strengths at which the interval reaches 0; 0 where it holds 0 already.
    pub robustness_value_alpha: f64,
    /// S.
    pub scale: f64,
}

/// Of strengths to the factor of S, and back for equal strengths.
pub(crate) fn factor(cf_y: f64, cf_d: f64) -> f64 {
    (cf_y * cf_d / (1.0 - cf_d)).sqrt()
}

/// The equal strength r with r²/(1 − r) = c².
pub(crate) fn equal_strength(c: f64) -> f64 {
    let square = c * c;
    // ½ (√(c⁴ + 4c²) − c²), written without a difference of large numbers.
    if square == 0.0 { 0.0 } else { 2.0 * square / ((square * square + 4.0 * square).sqrt() + square) }
}

impl HiddenConfounding {
    /// Of the first estimate of a joint whose last one is S.
    pub(crate) fn of(joint: &Joint, level: Level) -> Self {
        let (scale, theta) = (joint.len() - 1, joint.values()[0].abs());
        let s = joint.values()[scale];
        if s <= 0.0 {
            return Self { robustness_value: 1.0, robustness_value_alpha: 1.0, scale: s };
        }
        let z = dist::critical_value(level.get(), joint.df());
        let end = |c: f64| theta - c * s - z * bound_error(joint, c);
        let robustness_value_alpha = if end(0.0) <= 0.0 {
            0.0
        } else {
            let (mut lo, mut hi) = (0.0, theta / s);
            for _ in 0..100 {
                let middle = f64::midpoint(lo, hi);
                if end(middle) > 0.0 { lo = middle } else { hi = middle }
            }
            equal_strength(lo)
        };
        Self { robustness_value: equal_strength(theta / s), robustness_value_alpha, scale: s }
    }
}

/// The standard error of |θ| − c S.
fn bound_error(joint: &Joint, c: f64) -> f64 {
    let (scale, sign) = (joint.len() - 1, joint.values()[0].signum());
    let variance =
        joint.covariance(0, 0) - 2.0 * sign * c * joint.covariance(0, scale) + c * c * joint.covariance(scale, scale);
    variance.max(0.0).sqrt()
}

/// The estimate and the end of its interval nearest to 0 under a confounder of the given strengths that acts towards 0.
pub(crate) fn towards_zero(joint: &Joint, level: Level, cf_y: f64, cf_d: f64) -> (f64, f64) {
    let (theta, c) = (joint.values()[0], factor(cf_y, cf_d));
    let bound = theta.abs() - c * joint.values()[joint.len() - 1];
    let end = bound - dist::critical_value(level.get(), joint.df()) * bound_error(joint, c);
    (theta.signum() * bound, theta.signum() * end)
}
