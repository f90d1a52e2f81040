//! F, and quantiles of χ².

use statrs::distribution::{ChiSquared, ContinuousCDF, FisherSnedecor};

use super::{chi_squared_sf, normal_quantile, t_quantile, t_sf};

/// The value that χ² with `df` degrees of freedom stays below with probability `p`; NaN for invalid arguments.
pub fn chi_squared_quantile(p: f64, df: f64) -> f64 {
    if !(0.0..1.0).contains(&p) {
        return if p == 1.0 { f64::INFINITY } else { f64::NAN };
    }
    if df == 1.0 {
        return normal_quantile(f64::midpoint(1.0, p)).powi(2);
    }
    ChiSquared::new(df).map_or(f64::NAN, |d| polish(d.inverse_cdf(p), p, |x| chi_squared_sf(x, df)))
}

/// Upper tail of the F distribution with `df1` and `df2` degrees of freedom; 1 for `x ≤ 0` or invalid degrees, χ² over
/// its degrees for an infinite `df2`.
pub fn f_sf(x: f64, df1: f64, df2: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    if df2.is_infinite() {
        return chi_squared_sf(x * df1, df1);
    }
    if df1 == 1.0 {
        return (2.0 * t_sf(x.sqrt(), df2)).min(1.0);
    }
    FisherSnedecor::new(df1, df2).map_or(1.0, |d| if x.is_infinite() { 0.0 } else { d.sf(x) })
}

/// The value that F with `df1` and `df2` degrees of freedom stays below with probability `p`; NaN for invalid arguments.
pub fn f_quantile(p: f64, df1: f64, df2: f64) -> f64 {
    if !(0.0..1.0).contains(&p) {
        return if p == 1.0 { f64::INFINITY } else { f64::NAN };
    }
    if df2.is_infinite() {
        return chi_squared_quantile(p, df1) / df1;
    }
    if df1 == 1.0 {
        return t_quantile(f64::midpoint(1.0, p), df2).powi(2);
    }
    FisherSnedecor::new(df1, df2).map_or(f64::NAN, |d| polish(d.inverse_cdf(p), p, |x| f_sf(x, df1, df2)))
}

/// Brings a quantile to the tail function it must agree with, by bisection around the library's answer.
fn polish(start: f64, p: f64, sf: impl Fn(f64) -> f64) -> f64 {
    let target = 1.0 - p;
    let (mut lo, mut hi) = (start * (1.0 - 1e-4), start * (1.0 + 1e-4));
    while sf(lo) < target && lo > f64::MIN_POSITIVE {
        lo /= 2.0;
    }
    while sf(hi) > target && hi < f64::MAX / 4.0 {
        hi *= 2.0;
    }
    for _ in 0..200 {
        let middle = f64::midpoint(lo, hi);
        if middle <= lo || middle >= hi {
            break;
        }
        if sf(middle) > target { lo = middle } else { hi = middle }
    }
    f64::midpoint(lo, hi)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(what: &str, got: f64, expect: f64, tolerance: f64) {
        let error = (got / expect - 1.0).abs();
        assert!(error <= tolerance, "{what}: {got:e}, expected {expect:e}, relative error {error:e}");
    }

    #[test]
    fn f_and_chi_squared_agree_with_tables() {
        // 40-digit values of the regularised incomplete beta and gamma functions.
        check("F", f_sf(3.5, 3.0, 20.0), 0.034_493_103_885_124_38, 1e-12);
        check("F 1", f_sf(4.0, 1.0, 10.0), 0.073_388_034_770_740_36, 1e-12);
        check("chi", chi_squared_quantile(0.95, 5.0), 11.070_497_693_516_354, 1e-12);
        check("F quantile", f_quantile(0.95, 3.0, 20.0), 3.098_391_212_140_78, 1e-11);
        check("back", f_sf(f_quantile(0.9, 4.0, 7.5), 4.0, 7.5), 0.1, 1e-11);
        assert_eq!(f_sf(-1.0, 2.0, 2.0), 1.0);
        assert!(f_quantile(f64::NAN, 2.0, 2.0).is_nan());
        check("infinite", f_sf(2.0, 3.0, f64::INFINITY), chi_squared_sf(6.0, 3.0), 1e-15);
    }
}
