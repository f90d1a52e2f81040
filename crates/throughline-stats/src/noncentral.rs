//! The non-central Student distribution: what a t statistic does when there is an effect.

use crate::dist;

/// Gauss–Legendre on [−1, 1] with 8 nodes: the positive nodes with their weights.
const NODES: [(f64, f64); 4] = [
    (0.183_434_642_495_649_8, 0.362_683_783_378_362),
    (0.525_532_409_916_329, 0.313_706_645_877_887_3),
    (0.796_666_477_413_626_7, 0.222_381_034_453_374_5),
    (0.960_289_856_497_536_3, 0.101_228_536_290_376_3),
];

/// Degrees of freedom from which the normal distribution is as good.
const MANY: f64 = 1e7;

const PANELS: u32 = 24;

/// P(T > t) for T = (Z + δ) / S with Z standard normal, δ the non-centrality and S² = χ²(df) / df independent of it:
/// ∫ f(s) Φ(δ − t s) ds over the density of S, by Gauss–Legendre over ten standard deviations. `df` ≥ 1; absolute error
/// below 1e-10 for whole `df`. Infinite or invalid `df` gives the normal distribution.
pub fn noncentral_t_sf(t: f64, df: f64, noncentrality: f64) -> f64 {
    if !(1.0..MANY).contains(&df) {
        return dist::normal_sf(t - noncentrality);
    }
    let spread = 10.0 / (2.0 * df).sqrt();
    let (low, high) = ((1.0 - spread).max(0.0), 1.0 + spread);
    let constant = std::f64::consts::LN_2 + df / 2.0 * (df / 2.0).ln() - dist::ln_gamma(df / 2.0);
    let density = |s: f64| (constant + (df - 1.0) * s.ln() - df * s * s / 2.0).exp();
    let half = (high - low) / f64::from(PANELS) / 2.0;
    let mut sum = 0.0;
    for panel in 0..PANELS {
        let middle = low + half * f64::from(2 * panel + 1);
        for (x, w) in NODES {
            for s in [middle - half * x, middle + half * x] {
                sum += w * half * density(s) * dist::normal_cdf(noncentrality - t * s);
            }
        }
    }
    sum.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_an_effect_it_is_students() {
        for df in [1.0, 2.0, 3.0, 11.5, 60.0, 4000.0, 2e6] {
            for t in [-3.0, 0.0, 0.7, 2.2, 6.0] {
                let (got, expected) = (noncentral_t_sf(t, df, 0.0), dist::t_sf(t, df));
                assert!((got - expected).abs() < 1e-8, "{df} {t}: {got} {expected}");
            }
        }
    }

    #[test]
    fn power_of_the_t_test_is_that_of_r() {
        // R: power.t.test(n = 20, delta = 1, sd = 1) 0.8689528; power.t.test(n = 22.02110, …) 0.9.
        for (n, power) in [(20.0, 0.868_952_8), (22.021_10, 0.9)] {
            let (df, delta): (f64, f64) = (2.0 * (n - 1.0), 1.0 / (2.0_f64 / n).sqrt());
            let got = noncentral_t_sf(dist::t_quantile(0.975, df), df, delta);
            assert!((got - power).abs() < 1e-6, "{got} {power}");
        }
    }
}
