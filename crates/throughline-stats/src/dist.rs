//! Distribution functions used by every estimator, in one place so that a p-value and an interval agree.
//!
//! χ² and the normal quantile come from `statrs`. The normal and Student tails are computed here: the error function of
//! `statrs` is good to 1e-10 only, and with thousands of degrees of freedom its t loses digits to differences of
//! log-gammas. Tails are computed on the side that keeps relative precision; the tests hold them to 1e-12 against
//! 40-digit values.

use std::f64::consts::PI;

use statrs::distribution::{ChiSquared, ContinuousCDF, Normal};

mod fisher;

pub use fisher::{chi_squared_quantile, f_quantile, f_sf};

/// Standard normal cumulative distribution function Φ(z).
pub fn normal_cdf(z: f64) -> f64 {
    normal_sf(-z)
}

/// Upper tail 1 − Φ(z), precise for large `z`.
pub fn normal_sf(z: f64) -> f64 {
    if z < 0.0 { 1.0 - normal_upper_tail(-z) } else { normal_upper_tail(z) }
}

/// Standard normal quantile Φ⁻¹(p) for `p` in (0, 1); ±∞ at the ends, and ∞ for NaN.
pub fn normal_quantile(p: f64) -> f64 {
    if p.is_nan() {
        return f64::INFINITY;
    }
    Normal::standard().inverse_cdf(p.clamp(0.0, 1.0))
}

fn normal_density(z: f64) -> f64 {
    (-z * z / 2.0).exp() / (2.0 * PI).sqrt()
}

/// 1 − Φ(z) for z ≥ 0: below 2 by the series Φ(z) − ½ = φ(z) Σ z²ᵏ⁺¹ / (2k + 1)!!, whose terms are all positive; above
/// by Laplace's continued fraction φ(z) / (z + 1/(z + 2/(z + …))), evaluated from a depth that leaves an error
/// below 1e-15.
fn normal_upper_tail(z: f64) -> f64 {
    if z < 2.0 {
        let (mut term, mut sum, mut k) = (z, z, 1.0);
        while term > f64::EPSILON / 8.0 * sum {
            k += 2.0;
            term *= z * z / k;
            sum += term;
        }
        return 0.5 - normal_density(z) * sum;
    }
    let mut fraction = z;
    let mut k = (20.0 + 320.0 / (z * z)).floor();
    while k >= 1.0 {
        fraction = z + k / fraction;
        k -= 1.0;
    }
    normal_density(z) / fraction
}

/// Natural logarithm of Γ(x) for x > 0 (Lanczos, relative error about 1e-15).
pub fn ln_gamma(x: f64) -> f64 {
    statrs::function::gamma::ln_gamma(x)
}

/// Upper tail of Student's t with `df > 0` degrees of freedom; the normal tail for infinite or invalid `df`.
pub fn t_sf(t: f64, df: f64) -> f64 {
    match Student::new(df) {
        Some(d) if t < 0.0 => 1.0 - d.upper_tail(-t),
        Some(d) => d.upper_tail(t),
        None => normal_sf(t),
    }
}

/// Quantile of Student's t with `df > 0` degrees of freedom; the normal quantile for infinite or invalid `df`. ±∞ at
/// the ends, and ∞ for NaN.
pub fn t_quantile(p: f64, df: f64) -> f64 {
    match Student::new(df) {
        Some(d) if p < 0.5 => -d.upper_quantile(p.max(0.0)),
        Some(d) => d.upper_quantile((1.0 - p).max(0.0)),
        None => normal_quantile(p),
    }
}

/// Student's t, seen from its upper half.
struct Student {
    df: f64,
    /// Γ(df/2 + ½) / Γ(df/2) / √π, which is 1 / B(df/2, ½).
    inverse_beta: f64,
}

impl Student {
    fn new(df: f64) -> Option<Self> {
        (df.is_finite() && df > 0.0).then(|| Self { df, inverse_beta: gamma_half_ratio(df / 2.0) / PI.sqrt() })
    }

    /// (x, y, ln x) with x = df / (df + t²) and y = 1 − x, each without cancellation or overflow.
    fn beta_coordinates(&self, t: f64) -> (f64, f64, f64) {
        let r = t / self.df * t;
        if r < 1e15 {
            return (1.0 / (1.0 + r), r / (1.0 + r), -r.ln_1p());
        }
        let ln_x = self.df.ln() - 2.0 * t.ln();
        (ln_x.exp(), 1.0, ln_x)
    }

    /// P(T > t) for t ≥ 0: half the regularised incomplete beta function I_x(df/2, ½).
    fn upper_tail(&self, t: f64) -> f64 {
        let (x, y, ln_x) = self.beta_coordinates(t);
        if t < self.shoulder() {
            return 0.5 - self.central(y, ln_x);
        }
        if t.is_infinite() {
            return 0.0;
        }
        let a = self.df / 2.0;
        0.5 * self.inverse_beta * (a * ln_x).exp() * y.sqrt() / beta_fraction(a, x, y)
    }

    /// Where the series for the centre hands over to the continued fraction for the tail: t² = 3, or y = ¾ if sooner.
    fn shoulder(&self) -> f64 {
        (3.0 * self.df.min(1.0)).sqrt()
    }

    /// P(0 < T < t) below the shoulder, as ½ I_y(½, a) = √y xᵃ / B · Σ Π (a + ½ + k) / (3/2 + k) · y, every term positive.
    fn central(&self, y: f64, ln_x: f64) -> f64 {
        let a = self.df / 2.0;
        let (mut term, mut sum, mut k) = (1.0, 1.0, 0.0);
        while term > f64::EPSILON / 8.0 * sum {
            term *= y * (a + 0.5 + k) / (1.5 + k);
            sum += term;
            k += 1.0;
        }
        self.inverse_beta * y.sqrt() * (a * ln_x).exp() * sum
    }

    fn density(&self, t: f64) -> f64 {
        let (_, _, ln_x) = self.beta_coordinates(t);
        self.inverse_beta / self.df.sqrt() * (f64::midpoint(self.df, 1.0) * ln_x).exp()
    }

    /// The t ≥ 0 with P(T > t) = `tail`, for `tail` in [0, ½].
    fn upper_quantile(&self, tail: f64) -> f64 {
        if tail <= 0.0 {
            return f64::INFINITY;
        }
        if tail > self.upper_tail(self.shoulder()) {
            self.central_quantile(0.5 - tail)
        } else {
            self.tail_quantile(tail)
        }
    }

    /// Newton on the concave central mass; starting from 0 it climbs to the root from below.
    fn central_quantile(&self, mass: f64) -> f64 {
        let mut t = 0.0_f64;
        for _ in 0..100 {
            let (_, y, ln_x) = self.beta_coordinates(t);
            let step = (mass - self.central(y, ln_x)) / self.density(t);
            t += step;
            if step.abs() <= 1e-15 * t {
                break;
            }
        }
        t.max(0.0)
    }

    /// Newton on ln P(T > t) as a function of ln t, which is concave and almost straight far out. The normal quantile
    /// is a lower bound, as is the shoulder, so the first step may overshoot and the rest return from above.
    fn tail_quantile(&self, tail: f64) -> f64 {
        let mut s = self.shoulder().max(-normal_quantile(tail)).ln();
        for _ in 0..100 {
            let t = s.exp();
            let sf = self.upper_tail(t);
            if sf <= 0.0 || t.is_infinite() {
                return t.min(f64::MAX);
            }
            let step = (sf / tail).ln() * sf / (t * self.density(t));
            s += step;
            if step.abs() <= 1e-15 {
                break;
            }
        }
        s.exp().min(f64::MAX)
    }
}

/// Γ(a + ½) / Γ(a): asymptotic series in 1/a beyond 50, recurrence below (differences of log-gammas would cancel).
fn gamma_half_ratio(a: f64) -> f64 {
    let (mut a, mut factor) = (a, 1.0);
    while a < 50.0 {
        factor *= a / (a + 0.5);
        a += 1.0;
    }
    let coefficients = [
        39_325.0 / 33_554_432.0,
        869.0 / 4_194_304.0,
        -399.0 / 262_144.0,
        -21.0 / 32_768.0,
        5.0 / 1024.0,
        1.0 / 128.0,
        -1.0 / 8.0,
        1.0,
    ];
    factor * a.sqrt() * coefficients.iter().fold(0.0, |sum, c| sum / a + c)
}

/// Didonato and Morris' continued fraction F with I_x(a, b) = xᵃ yᵇ / (B(a, b) F), here for b = ½ (ACM TOMS 708,
/// BFRAC), by the modified Lentz method. It needs y = 1 − x separately, which is what keeps it precise for large a.
fn beta_fraction(a: f64, x: f64, y: f64) -> f64 {
    const B: f64 = 0.5;
    let excess = a * y - B * x + 1.0;
    let mut f = a * excess / (a + 1.0);
    let (mut c, mut d) = (f, 0.0);
    for m in 1..10_000 {
        let m = f64::from(m);
        let odd = a + 2.0 * m - 1.0;
        let alpha = (a + m - 1.0) / odd * ((a + B + m - 1.0) / odd) * m * (B - m) * x * x;
        let beta = m + m * (B - m) * x / odd + (a + m) * (excess + m * (1.0 + y)) / (odd + 2.0);
        d = 1.0 / (beta + alpha * d);
        c = beta + alpha / c;
        f *= c * d;
        if (c * d - 1.0).abs() < 1e-16 {
            break;
        }
    }
    f
}

/// Upper tail of the χ² distribution with `df` degrees of freedom; 1 for `x ≤ 0` or invalid `df`, 0 for infinite `x`.
pub fn chi_squared_sf(x: f64, df: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    if df == 1.0 {
        return (2.0 * normal_sf(x.sqrt())).min(1.0);
    }
    ChiSquared::new(df).map_or(1.0, |d| if x.is_infinite() { 0.0 } else { d.sf(x) })
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

    #[track_caller]
    fn check(what: &str, got: f64, expect: f64, tolerance: f64) {
        let error = (got / expect - 1.0).abs();
        assert!(error <= tolerance, "{what}: {got:e}, expected {expect:e}, relative error {error:e}");
    }

    #[test]
    fn quantiles_invert_tails() {
        for p in [0.5001, 0.6, 0.74, 0.76, 0.9, 0.975, 0.999, 0.999_999] {
            check("normal", normal_sf(normal_quantile(p)), 1.0 - p, 1e-12);
            for df in [0.05, 0.7, 1.0, 3.5, 30.0, 4000.0, 1e6, 1e12] {
                let t = t_quantile(p, df);
                if t < f64::MAX {
                    check(&format!("t, df {df}, p {p}"), t_sf(t, df), 1.0 - p, 1e-12);
                    assert_eq!(t_quantile(1.0 - p, df), -t_quantile(1.0 - (1.0 - p), df));
                }
            }
        }
    }

    #[test]
    fn ends_are_defined() {
        assert_eq!(t_sf(f64::INFINITY, 3.0), 0.0);
        assert_eq!(t_sf(f64::NEG_INFINITY, 3.0), 1.0);
        assert_eq!(t_sf(0.0, 3.0), 0.5);
        assert_eq!(t_quantile(0.5, 3.0), 0.0);
        assert_eq!(t_quantile(1.0, 3.0), f64::INFINITY);
        assert_eq!(t_quantile(0.0, 3.0), f64::NEG_INFINITY);
        assert!(t_sf(1e200, 0.5) > 0.0 && t_sf(1e200, 400.0) == 0.0);
        assert_eq!((normal_quantile(f64::NAN), t_quantile(f64::NAN, 3.0)), (f64::INFINITY, f64::INFINITY));
        assert_eq!((two_sided_p(f64::NAN, Some(3.0)), two_sided_p(f64::NAN, None)), (1.0, 1.0));
        assert_eq!((chi_squared_sf(f64::INFINITY, 3.0), chi_squared_sf(1.0, 0.0)), (0.0, 1.0));
    }

    /// 40-digit values of ½ I_{df/(df+t²)}(df/2, ½), rounded to double.
    #[test]
    fn t_tails() {
        for (df, t, expect) in [
            (1.0, 0.1, 0.468_274_482_569_446_4),
            (1.0, 0.7, 0.305_599_887_785_785_23),
            (1.0, 1.5, 0.187_167_041_810_998_83),
            (1.0, 1.8, 0.161_414_467_217_095_26),
            (1.0, 2.5, 0.121_118_941_590_843_4),
            (1.0, 5.0, 0.062_832_958_189_001_18),
            (1.0, 12.0, 0.026_464_676_059_589_874),
            (1.0, 35.0, 0.009_092_094_675_648_433),
            (2.5, 0.1, 0.463_903_272_031_244_8),
            (2.5, 0.7, 0.271_702_471_594_774),
            (2.5, 1.5, 0.123_918_226_543_148_13),
            (2.5, 1.8, 0.093_875_473_124_315_18),
            (2.5, 2.5, 0.052_284_981_539_077_69),
            (2.5, 5.0, 0.011_725_594_985_430_923),
            (2.5, 12.0, 0.001_418_107_515_039_162),
            (2.5, 35.0, 9.906_107_869_538_462e-5),
            (10.0, 0.1, 0.461_160_359_282_204_17),
            (10.0, 0.7, 0.249_943_785_086_442_16),
            (10.0, 1.5, 0.082_253_663_222_720_1),
            (10.0, 1.8, 0.051_026_121_567_339_51),
            (10.0, 2.5, 0.015_723_422_118_304_402),
            (10.0, 5.0, 0.000_268_666_801_378_226_3),
            (10.0, 12.0, 1.460_704_412_384_993_5e-7),
            (10.0, 35.0, 4.297_404_277_991_815e-12),
            (100.0, 0.1, 0.460_272_265_547_925_6),
            (100.0, 0.7, 0.242_776_303_227_186_68),
            (100.0, 1.5, 0.068_382_529_062_344_43),
            (100.0, 1.8, 0.037_437_948_933_523_1),
            (100.0, 2.5, 0.007_022_894_562_038_588),
            (100.0, 5.0, 1.225_086_706_751_900_1e-6),
            (100.0, 12.0, 2.197_543_857_802_189e-21),
            (100.0, 35.0, 3.204_228_146_805_619e-58),
            (42_000.7, 0.1, 0.460_172_401_362_369_64),
            (42_000.7, 0.7, 0.241_965_590_758_518_84),
            (42_000.7, 1.5, 0.066_810_959_511_509_14),
            (42_000.7, 1.8, 0.035_933_905_653_903_21),
            (42_000.7, 2.5, 0.006_211_556_478_243_015_5),
            (42_000.7, 5.0, 2.878_038_518_304_539e-7),
            (42_000.7, 12.0, 2.012_717_659_584_952_5e-33),
            (42_000.7, 35.0, 7.289_935_284_215_917e-265),
            (300_000_000.0, 0.1, 0.460_172_162_756_381_2),
            (300_000_000.0, 0.7, 0.241_963_652_494_473_7),
            (300_000_000.0, 1.5, 0.066_807_201_795_023_3),
            (300_000_000.0, 1.8, 0.035_930_319_615_048_81),
            (300_000_000.0, 2.5, 0.006_209_665_590_526_509),
            (300_000_000.0, 5.0, 2.866_517_329_405_111e-7),
            (300_000_000.0, 12.0, 1.776_513_234_904_543_3e-33),
            (300_000_000.0, 35.0, 1.126_320_605_479_739e-268),
        ] {
            check(&format!("t tail, df {df}, t {t}"), t_sf(t, df), expect, 1e-12);
        }
    }

    /// Roots of the same function in 40 digits.
    #[test]
    fn t_quantiles() {
        for (df, tail, expect) in [
            (1.0, 0.4, 0.324_919_696_232_906_34),
            (1.0, 0.025, 12.706_204_736_174_705),
            (1.0, 0.005, 63.656_741_162_871_58),
            (1.0, 1.0e-10, 3_183_098_861.837_907),
            (2.5, 0.4, 0.281_459_512_748_547_64),
            (2.5, 0.025, 3.574_654_842_003_683_4),
            (2.5, 0.005, 7.163_728_138_948_786),
            (2.5, 1.0e-10, 8_765.437_771_364_572),
            (10.0, 0.4, 0.260_184_829_492_080_2),
            (10.0, 0.025, 2.228_138_851_986_275),
            (10.0, 0.005, 3.169_272_672_616_951_3),
            (10.0, 1.0e-10, 25.466_008_021_697_725),
            (100.0, 0.4, 0.254_022_182_458_227_83),
            (100.0, 0.025, 1.983_971_518_523_552_2),
            (100.0, 0.005, 2.625_890_521_438_017_7),
            (100.0, 1.0e-10, 7.083_375_481_400_722),
            (42_000.7, 0.4, 0.253_348_707_925_375_06),
            (42_000.7, 0.025, 1.960_020_467_847_07),
            (42_000.7, 0.005, 2.575_946_367_263_398),
            (42_000.7, 1.0e-10, 6.362_911_348_447_512),
        ] {
            check(&format!("t quantile, df {df}, tail {tail}"), -t_quantile(tail, df), expect, 1e-13);
        }
    }

    #[test]
    fn normal_tails_and_quantiles() {
        for (z, expect) in [
            (0.1, 0.460_172_162_722_971),
            (1.0, 0.158_655_253_931_457_05),
            (1.959_963_984_540_054, 0.025_000_000_000_000_015),
            (5.0, 2.866_515_718_791_939e-7),
            (10.0, 7.619_853_024_160_525e-24),
            (35.0, 1.124_910_706_472_406_2e-268),
        ] {
            check(&format!("normal tail {z}"), normal_sf(z), expect, 1e-12);
        }
        for (p, expect) in [
            (0.4, 0.253_347_103_135_799_8),
            (0.025, 1.959_963_984_540_054_3),
            (0.005, 2.575_829_303_548_901),
            (1.0e-10, 6.361_340_902_404_057),
            (1.0e-100, 21.273_453_560_965_326),
        ] {
            check(&format!("normal quantile {p}"), -normal_quantile(p), expect, 1e-12);
        }
    }

    #[test]
    fn chi_squared_tails() {
        for (df, x, expect) in [
            (1.0, 0.01, 0.920_344_325_445_942),
            (1.0, 0.5, 0.479_500_122_186_953_5),
            (1.0, 3.0, 0.083_264_516_663_550_4),
            (1.0, 9.090_909_090_909_092, 0.002_568_831_527_022_716_4),
            (1.0, 40.0, 2.539_628_589_470_865e-10),
            (1.0, 200.0, 2.088_487_583_762_545e-45),
            (1.0, 1100.0, 3.302_818_832_507_276_4e-241),
            (2.0, 0.01, 0.995_012_479_192_682_3),
            (2.0, 0.5, 0.778_800_783_071_404_9),
            (2.0, 3.0, 0.223_130_160_148_429_82),
            (2.0, 9.090_909_090_909_092, 0.010_615_346_461_976_672),
            (2.0, 40.0, 2.061_153_622_438_558e-9),
            (2.0, 200.0, 3.720_075_976_020_836e-44),
            (2.0, 1100.0, 1.374_152_566_130_957e-239),
            (3.0, 0.01, 0.999_734_834_941_344_4),
            (3.0, 0.5, 0.918_891_411_654_675_8),
            (3.0, 3.0, 0.391_625_176_271_088_95),
            (3.0, 9.090_909_090_909_092, 0.028_106_302_856_955_416),
            (3.0, 40.0, 1.065_509_033_425_586_1e-8),
            (3.0, 200.0, 4.218_541_107_192_042_6e-43),
            (3.0, 1100.0, 3.639_700_375_411_841e-238),
            (10.0, 0.01, 0.999_999_999_999_974),
            (10.0, 0.5, 0.999_993_388_289_439),
            (10.0, 3.0, 0.981_424_063_777_859_3),
            (10.0, 9.090_909_090_909_092, 0.523_498_289_209_143_3),
            (10.0, 40.0, 1.694_474_393_006_738_5e-5),
            (10.0, 200.0, 1.613_930_533_697_730_5e-37),
            (10.0, 1100.0, 5.277_627_213_870_401e-230),
            (999.0, 0.01, 1.0),
            (999.0, 0.5, 1.0),
            (999.0, 3.0, 1.0),
            (999.0, 9.090_909_090_909_092, 1.0),
            (999.0, 40.0, 1.0),
            (999.0, 200.0, 1.0),
            (999.0, 1100.0, 0.013_818_467_525_532_355),
        ] {
            check(&format!("chi squared, df {df}, x {x}"), chi_squared_sf(x, df), expect, 1e-11);
        }
    }
}
