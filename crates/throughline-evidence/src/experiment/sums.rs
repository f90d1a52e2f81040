//! Comparisons from sums alone, as a warehouse or another tool may hand them over.

use throughline_stats::moments::{CoMoments, Moments};
use throughline_stats::two_sample::{Difference, Summary, Uninformative, welch, welch_relative};

/// Slope of CUPED over both arms together, Cov(y, x) / Var(x); 0 where x does not vary or is not there.
pub fn theta(control: &CoMoments, treated: &CoMoments) -> f64 {
    let mut both = *control;
    both.merge(treated);
    both.slope().unwrap_or(0.0)
}

/// An arm's outcomes y less θ times x: mean ȳ − θ x̄ and variance s²y + θ² s²x − 2 θ s_xy of one unit. The moments are of
/// x (before) and y (after).
pub fn cuped(arm: &CoMoments, theta: f64) -> Summary {
    let of = |m: &Moments| m.variance().unwrap_or(0.0);
    let variance = of(arm.y()) + theta * theta * of(arm.x()) - 2.0 * theta * arm.covariance().unwrap_or(0.0);
    let mean = |m: &Moments| m.mean().unwrap_or(0.0);
    Summary { n: arm.y().n(), mean: mean(arm.y()) - theta * mean(arm.x()), variance: variance.max(0.0) }
}

/// The absolute CUPED difference of two arms.
pub fn cuped_absolute(control: &CoMoments, treated: &CoMoments) -> Result<Difference, Uninformative> {
    let theta = theta(control, treated);
    welch(&cuped(control, theta), &cuped(treated, theta))
}

/// The CUPED difference relative to the control's mean before adjustment, (d − θ …) / |m₀|, by the delta method with the
/// covariance of adjusted and unadjusted control: V = (V_d + 2 r C + r² V₀) / m₀², with r = d / m₀, V_d the variance of the
/// difference, C = (s²y − θ s_xy) / n₀ and V₀ = s²y / n₀. With θ = 0 it is Welch's relative lift.
pub fn cuped_relative(control: &CoMoments, treated: &CoMoments) -> Result<Difference, Uninformative> {
    let theta = theta(control, treated);
    let absolute = cuped_absolute(control, treated)?;
    let n = control.y().n() as f64;
    let base = control.y().mean().unwrap_or(0.0);
    if base == 0.0 {
        return Err(Uninformative::ZeroBaseline);
    }
    let own = control.y().variance().unwrap_or(0.0) / n;
    let joint = own - theta * control.covariance().unwrap_or(0.0) / n;
    let ratio = absolute.value / base;
    let variance = absolute.std_error.powi(2) + 2.0 * ratio * joint + ratio * ratio * own;
    let std_error = variance.max(0.0).sqrt() / base.abs();
    Ok(Difference { value: absolute.value / base.abs(), std_error, df: absolute.df })
}

/// A quantile and its variance as one unit's, from the order-statistic interval at 95 %: (n − 1) (W / (2 · 1.96))².
pub fn quantile(value: f64, low: f64, high: f64, n: u64) -> Summary {
    let spread = (high - low) / (2.0 * throughline_stats::dist::critical_value(0.95, None));
    Summary { n, mean: value, variance: (n as f64 - 1.0).max(0.0) * spread * spread }
}

/// Absolute and relative difference of two summaries.
pub fn both(control: &Summary, treated: &Summary) -> Result<(Difference, Difference), Uninformative> {
    Ok((welch(control, treated)?, welch_relative(control, treated)?))
}
