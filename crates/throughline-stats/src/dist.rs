//! Distribution functions used by every estimator, in one place so that a p-value and an interval agree.
//!
//! The special functions come from `statrs`; tails are computed on the side that keeps precision.

use statrs::distribution::{ChiSquared, ContinuousCDF, Normal, StudentsT};

fn standard_normal() -> Normal {
    Normal::standard()
}

/// Standard normal cumulative distribution function Φ(z).
pub fn normal_cdf(z: f64) -> f64 {
    standard_normal().cdf(z)
}

/// Upper tail 1 − Φ(z), precise for large `z`.
pub fn normal_sf(z: f64) -> f64 {
    standard_normal().sf(z)
}

/// Standard normal quantile Φ⁻¹(p) for `p` in (0, 1); ±∞ at the ends.
pub fn normal_quantile(p: f64) -> f64 {
    standard_normal().inverse_cdf(p.clamp(0.0, 1.0))
}

/// Upper tail of Student's t with `df > 0` degrees of freedom; the normal tail for infinite or invalid `df`.
pub fn t_sf(t: f64, df: f64) -> f64 {
    match student(df) {
        Some(d) => d.sf(t),
        None => normal_sf(t),
    }
}

/// Quantile of Student's t with `df > 0` degrees of freedom; the normal quantile for infinite or invalid `df`.
pub fn t_quantile(p: f64, df: f64) -> f64 {
    match student(df) {
        Some(d) => d.inverse_cdf(p.clamp(0.0, 1.0)),
        None => normal_quantile(p),
    }
}

fn student(df: f64) -> Option<StudentsT> {
    (df.is_finite() && df > 0.0).then(|| StudentsT::new(0.0, 1.0, df).ok()).flatten()
}

/// Upper tail of the χ² distribution with `df` degrees of freedom; 1 for `x ≤ 0` or invalid `df`.
pub fn chi_squared_sf(x: f64, df: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    ChiSquared::new(df).map_or(1.0, |d| d.sf(x))
}

/// Two-sided p-value of a statistic that is t-distributed with `df` degrees of freedom under the null.
pub fn two_sided_p(statistic: f64, df: Option<f64>) -> f64 {
    let tail = match df {
        Some(df) => t_sf(statistic.abs(), df),
        None => normal_sf(statistic.abs()),
    };
    (2.0 * tail).min(1.0)
}

/// Two-sided critical value at confidence `level` (for example 0.95).
pub fn critical_value(level: f64, df: Option<f64>) -> f64 {
    let p = f64::midpoint(1.0, level);
    match df {
        Some(df) => t_quantile(p, df),
        None => normal_quantile(p),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_invert_tails() {
        for p in [0.6, 0.9, 0.975, 0.999] {
            assert!((normal_sf(normal_quantile(p)) - (1.0 - p)).abs() < 1e-12);
            for df in [1.0, 3.5, 30.0, 4000.0] {
                let error = (t_sf(t_quantile(p, df), df) - (1.0 - p)).abs();
                assert!(error < 1e-9, "df {df} p {p} error {error}");
            }
        }
    }

    #[test]
    fn known_tables() {
        // R: qt(0.975, 10) = 2.228138852, pchisq(9.0909, 1, lower = FALSE) = 0.00256884
        assert!((t_quantile(0.975, 10.0) - 2.228_138_852).abs() < 1e-8);
        assert!((chi_squared_sf(9.090_909, 1.0) - 0.002_568_83).abs() < 1e-7);
    }
}
