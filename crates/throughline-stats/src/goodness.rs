//! Tests of counts, and p-values adjusted for how many were looked at.

use std::f64::consts::PI;

use crate::dist;

/// Why counts cannot be tested.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GoodnessError {
    /// Observed counts and weights differ in number.
    #[error("{observed} counts were given with {weights} weights")]
    LengthMismatch {
        /// Counts given.
        observed: usize,
        /// Weights given.
        weights: usize,
    },
    /// A weight that is no weight.
    #[error("weight {index} of {weight} is not a finite number of at least 0")]
    BadWeight {
        /// Position, from 0.
        index: usize,
        /// The weight.
        weight: f64,
    },
    /// More successes than trials.
    #[error("{successes} successes exceed {trials} trials")]
    TooManySuccesses {
        /// Successes given.
        successes: u64,
        /// Trials given.
        trials: u64,
    },
    /// A null probability outside [0, 1].
    #[error("probability of {probability} is outside 0 to 1")]
    BadProbability {
        /// The probability given.
        probability: f64,
    },
}

/// Observed counts against expected shares.
#[derive(Debug, Clone, PartialEq)]
pub struct GoodnessOfFit {
    /// Pearson's Σ (observed − expected)² / expected.
    pub statistic: f64,
    /// Cells with positive weight, minus 1.
    pub df: usize,
    /// Upper tail of χ² at the statistic.
    pub p_value: f64,
    /// Expected counts, in the order of the weights.
    pub expected: Vec<f64>,
}

/// Pearson's χ² test of counts against weights, which need not sum to 1. Cells of weight 0 take no part: neither their
/// counts nor a degree of freedom. Without counts, or with fewer than two cells of positive weight, p is 1.
pub fn chi_squared_fit(observed: &[u64], weights: &[f64]) -> Result<GoodnessOfFit, GoodnessError> {
    if observed.len() != weights.len() {
        return Err(GoodnessError::LengthMismatch { observed: observed.len(), weights: weights.len() });
    }
    if let Some((index, &weight)) = weights.iter().enumerate().find(|(_, w)| !(w.is_finite() && **w >= 0.0)) {
        return Err(GoodnessError::BadWeight { index, weight });
    }
    // Divided by the largest first, so that the sum of huge weights cannot overflow.
    let largest = weights.iter().copied().fold(0.0, f64::max);
    let scaled: Vec<f64> = weights.iter().map(|w| if largest > 0.0 { w / largest } else { 0.0 }).collect();
    let weight: f64 = scaled.iter().sum();
    let cells = || observed.iter().zip(&scaled).filter(|(_, w)| **w > 0.0);
    let total: u64 = cells().map(|(count, _)| count).sum();
    let expect = |w: f64| if weight > 0.0 { total as f64 * (w / weight) } else { 0.0 };
    let statistic = cells()
        .map(|(&count, &w)| (count as f64 - expect(w), expect(w)))
        .map(|(gap, expected)| if gap == 0.0 { 0.0 } else { gap * gap / expected })
        .sum::<f64>()
        .min(f64::MAX);
    let df = cells().count().saturating_sub(1);
    let p_value = if df == 0 { 1.0 } else { dist::chi_squared_sf(statistic, df as f64) };
    Ok(GoodnessOfFit { statistic, df, p_value, expected: scaled.into_iter().map(expect).collect() })
}

/// Which departures from the null count against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alternative {
    /// Either way.
    TwoSided,
    /// More successes than the null expects.
    Greater,
    /// Fewer.
    Less,
}

/// Exact binomial test of `successes` in `trials` against the probability `null`. Two-sided p is the probability of all
/// outcomes no likelier than the one seen (with a slack of 1e-7 for ties, as in R). Time grows with √trials.
pub fn binomial_test(successes: u64, trials: u64, null: f64, alternative: Alternative) -> Result<f64, GoodnessError> {
    if successes > trials {
        return Err(GoodnessError::TooManySuccesses { successes, trials });
    }
    if !(0.0..=1.0).contains(&null) {
        return Err(GoodnessError::BadProbability { probability: null });
    }
    let law = Binomial { n: trials, p: null, q: 1.0 - null };
    let p = match alternative {
        Alternative::Greater => law.at_least(successes),
        Alternative::Less => law.mirrored().at_least(trials - successes),
        Alternative::TwoSided => law.two_sided(successes),
    };
    Ok(p.clamp(0.0, 1.0))
}

/// A binomial law with both probabilities, so that neither tail cancels.
#[derive(Clone, Copy)]
struct Binomial {
    n: u64,
    p: f64,
    q: f64,
}

impl Binomial {
    fn mirrored(self) -> Self {
        Self { n: self.n, p: self.q, q: self.p }
    }

    /// Probability of exactly k, by the saddle-point expansion of C. Loader, "Fast and accurate computation of binomial
    /// probabilities" (2000): no factorial is ever formed.
    fn mass(self, k: u64) -> f64 {
        let (n, x, y) = (self.n as f64, k as f64, (self.n - k) as f64);
        if self.p == 0.0 || self.q == 0.0 {
            return f64::from(u8::from(if self.p == 0.0 { k == 0 } else { k == self.n }));
        }
        if k == 0 || k == self.n {
            let (base, other) = if k == 0 { (self.q, self.p) } else { (self.p, self.q) };
            return (n * if other < 0.5 { (-other).ln_1p() } else { base.ln() }).exp();
        }
        let log = stirling_error(n)
            - stirling_error(x)
            - stirling_error(y)
            - deviance(x, n * self.p)
            - deviance(y, n * self.q);
        log.exp() * (n / (2.0 * PI * x * y)).sqrt()
    }

    /// P(X ≥ k): summed outward from k above the mean, by complement below it.
    fn at_least(self, k: u64) -> f64 {
        if k == 0 {
            return 1.0;
        }
        if k as f64 > self.n as f64 * self.p {
            return self.outward(k);
        }
        1.0 - self.mirrored().outward(self.n - k + 1)
    }

    /// Σ mass from k up; the terms must fall from there on.
    fn outward(self, k: u64) -> f64 {
        if k > self.n {
            return 0.0;
        }
        let mut term = self.mass(k);
        let mut sum = term;
        for i in k..self.n {
            term *= (self.n - i) as f64 / (i + 1) as f64 * (self.p / self.q);
            sum += term;
            if term <= sum * 1e-18 {
                break;
            }
        }
        sum
    }

    /// The tail at k plus the part of the other tail that is no likelier than k.
    fn two_sided(self, k: u64) -> f64 {
        let mean = self.n as f64 * self.p;
        if k as f64 == mean {
            return 1.0;
        }
        if k as f64 > mean {
            return self.mirrored().two_sided(self.n - k);
        }
        let bound = self.mass(k) * (1.0 + 1e-7);
        let near = self.mirrored().at_least(self.n - k);
        // Above the mean the mass falls, so the first point at or under the bound is found by halving.
        let (mut low, mut high) = (k + 1, self.n + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            if middle as f64 >= mean && self.mass(middle) <= bound { high = middle } else { low = middle + 1 }
        }
        near + self.at_least(low)
    }
}

/// ln n! − ln(√(2πn) (n/e)ⁿ) for whole n ≥ 1.
fn stirling_error(n: f64) -> f64 {
    if n < 16.0 {
        let mut factorial = 1.0;
        let mut i = 2.0;
        while i <= n {
            factorial *= i;
            i += 1.0;
        }
        return f64::ln(factorial) - (n + 0.5) * n.ln() + n - 0.5 * (2.0 * PI).ln();
    }
    let m = n * n;
    (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - (1.0 / 1680.0 - 1.0 / 1188.0 / m) / m) / m) / m) / n
}

/// x ln(x/m) + m − x, by a series where x is near m and the terms would cancel.
fn deviance(x: f64, m: f64) -> f64 {
    if (x - m).abs() >= 0.1 * (x + m) {
        return x * (x / m).ln() + m - x;
    }
    let v = (x - m) / (x + m);
    let (mut sum, mut power, mut k) = ((x - m) * v, 2.0 * x * v, 1.0);
    loop {
        power *= v * v;
        k += 2.0;
        let next = sum + power / k;
        if next == sum {
            return sum;
        }
        sum = next;
    }
}

/// p-values adjusted for several tests by S. Holm, "A simple sequentially rejective multiple test procedure" (1979):
/// rejecting where the adjusted value is below α keeps the chance of any false rejection at α, whatever the dependence.
/// Values outside [0, 1] are clamped and NaN counts as 1.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let order = ascending(p_values);
    let mut adjusted = vec![1.0; p_values.len()];
    let mut running = 0.0_f64;
    for (rank, &(index, p)) in order.iter().enumerate() {
        running = running.max(p * (order.len() - rank) as f64).min(1.0);
        adjusted[index] = running;
    }
    adjusted
}

/// p-values adjusted by Y. Benjamini and Y. Hochberg, "Controlling the false discovery rate" (1995): rejecting below α
/// keeps the expected share of false rejections at α for independent or positively dependent tests. Values outside
/// [0, 1] are clamped and NaN counts as 1.
pub fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    let order = ascending(p_values);
    let mut adjusted = vec![1.0; p_values.len()];
    let mut running = 1.0_f64;
    for (rank, &(index, p)) in order.iter().enumerate().rev() {
        running = running.min(p * (order.len() as f64 / (rank + 1) as f64));
        adjusted[index] = running;
    }
    adjusted
}

fn ascending(p_values: &[f64]) -> Vec<(usize, f64)> {
    let clean = |p: f64| if p.is_nan() { 1.0 } else { p.clamp(0.0, 1.0) };
    let mut order: Vec<(usize, f64)> = p_values.iter().map(|&p| clean(p)).enumerate().collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    order
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn near(got: f64, expect: f64, tolerance: f64) {
        assert!((got - expect).abs() <= tolerance * expect.abs(), "{got:e}, expected {expect:e}");
    }

    #[test]
    fn sample_ratio_figures() {
        let p = |observed: &[u64], weights: &[f64]| chi_squared_fit(observed, weights).unwrap().p_value;
        assert!((p(&[500, 600], &[0.5, 0.5]) - 0.002_568_83).abs() < 0.5e-8);
        assert!((p(&[1000, 900], &[0.5, 0.5]) - 0.021_781_46).abs() < 0.5e-8);
        assert_eq!(p(&[1000, 900], &[3.0, 3.0]), p(&[1000, 900], &[0.5, 0.5]));
        assert_eq!(p(&[0, 0], &[0.5, 0.5]), 1.0);
        assert_eq!(p(&[7], &[1.0]), 1.0);
        assert_eq!(p(&[], &[]), 1.0);
        assert_eq!(p(&[3, 4], &[0.0, 0.0]), 1.0);
        assert_eq!(p(&[10, 1_000_000_000], &[0.5, 0.5]), 0.0);
    }

    #[test]
    fn arms_without_weight_take_no_part() {
        let two = chi_squared_fit(&[500, 600], &[0.5, 0.5]).unwrap();
        let three = chi_squared_fit(&[500, 7, 600], &[0.5, 0.0, 0.5]).unwrap();
        assert_eq!((three.df, three.p_value, three.statistic), (1, two.p_value, two.statistic));
        assert_eq!(three.expected, [550.0, 0.0, 550.0]);
    }

    #[test]
    fn bad_weights_and_counts_are_refused() {
        assert!(chi_squared_fit(&[1], &[0.5, 0.5]).is_err());
        assert!(matches!(chi_squared_fit(&[1, 2], &[0.5, -0.5]), Err(GoodnessError::BadWeight { index: 1, .. })));
        assert!(chi_squared_fit(&[1], &[f64::NAN]).is_err());
        assert!(binomial_test(2, 1, 0.5, Alternative::TwoSided).is_err());
        assert!(binomial_test(1, 2, f64::NAN, Alternative::TwoSided).is_err());
        let huge = chi_squared_fit(&[1, 2], &[f64::MAX, f64::MAX]).unwrap();
        assert_eq!(huge.expected, [1.5, 1.5]);
    }

    /// Sums of binomial probabilities in 60 digits; 682 of 925 at 3/4 is the example of R's `binom.test`, p 0.3825.
    #[test]
    fn binomial_figures() {
        let cases = [
            (7, 10, 0.5, 0.343_75, 0.171_875, 0.945_312_5),
            (682, 925, 0.75, 0.382_491_559_574_851_7, 0.824_089_122_352_422_6, 0.196_009_267_053_883_35),
            (0, 10, 0.3, 0.038_839_603_3, 1.0, 0.028_247_524_9),
            (10, 10, 0.3, 5.9049e-6, 5.9049e-6, 1.0),
            (950, 1000, 0.95, 1.0, 0.537_529_040_801_425_2, 0.520_258_942_912_682),
            (930, 1000, 0.95, 0.005_670_160_942_551_189, 0.997_669_699_452_391_4, 0.003_474_358_698_846_145_6),
            (3, 40, 0.1, 0.794_112_956_558_800_9, 0.777_191_875_660_597_1, 0.423_130_653_093_002),
            (5, 1_000_000, 1e-5, 0.150_542_448_434_504_95, 0.970_747_879_420_963, 0.067_085_017_046_531_16),
            (1900, 2000, 0.94, 0.059_625_021_754_795_02, 0.030_615_221_272_465_45, 0.975_663_653_121_681),
            (15, 15, 0.5, 6.103_515_625e-5, 3.051_757_812_5e-5, 1.0),
            (100, 300, 0.2, 6.545_125_296_590_317e-8, 4.275_106_293_552_331e-8, 0.999_999_979_121_905),
            (0, 0, 0.3, 1.0, 1.0, 1.0),
            (0, 5, 0.0, 1.0, 1.0, 1.0),
            (1, 5, 0.0, 0.0, 0.0, 1.0),
            (4, 5, 1.0, 0.0, 1.0, 0.0),
        ];
        for (k, n, null, two_sided, greater, less) in cases {
            near(binomial_test(k, n, null, Alternative::TwoSided).unwrap(), two_sided, 2e-12);
            near(binomial_test(k, n, null, Alternative::Greater).unwrap(), greater, 2e-12);
            near(binomial_test(k, n, null, Alternative::Less).unwrap(), less, 2e-12);
        }
    }

    #[test]
    fn adjusted_p_values() {
        // R: p.adjust(c(.01, .04, .03, .005), "holm") and "BH".
        let p = [0.01, 0.04, 0.03, 0.005];
        let check = |got: Vec<f64>, expect: [f64; 4]| {
            got.into_iter().zip(expect).for_each(|(got, expect)| near(got, expect, 1e-14));
        };
        check(holm(&p), [0.03, 0.06, 0.06, 0.02]);
        check(benjamini_hochberg(&p), [0.02, 0.04, 0.04, 0.02]);
        assert_eq!(holm(&[f64::NAN, 0.6, 0.7]), [1.0, 1.0, 1.0]);
        assert!(holm(&[]).is_empty() && benjamini_hochberg(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn binomial_tails_complete_each_other(n in 1..400_u64, share in 0.0..=1.0_f64, null in 0.001..0.999_f64) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and n")]
            let k = (share * n as f64) as u64;
            let law = Binomial { n, p: null, q: 1.0 - null };
            let less = binomial_test(k, n, null, Alternative::Less).unwrap();
            let greater = binomial_test(k, n, null, Alternative::Greater).unwrap();
            prop_assert!((less + greater - law.mass(k) - 1.0).abs() < 1e-11);
            // The two-sided test in the obvious way.
            let masses: Vec<f64> = (0..=n).map(|i| law.mass(i)).collect();
            let bound = law.mass(k) * (1.0 + 1e-7);
            let slow: f64 = masses.iter().filter(|m| **m <= bound).sum();
            prop_assert!((masses.iter().sum::<f64>() - 1.0).abs() < 1e-11);
            prop_assert!((binomial_test(k, n, null, Alternative::TwoSided).unwrap() - slow.min(1.0)).abs() < 1e-10);
        }

        #[test]
        fn adjusting_keeps_order_and_never_lowers(p in prop::collection::vec(0.0..=1.0_f64, 1..12)) {
            for adjusted in [holm(&p), benjamini_hochberg(&p)] {
                for i in 0..p.len() {
                    prop_assert!(adjusted[i] >= p[i] && adjusted[i] <= 1.0);
                    for j in 0..p.len() {
                        prop_assert!(p[i] > p[j] || adjusted[i] <= adjusted[j]);
                    }
                }
            }
            let smallest = p.iter().copied().fold(1.0, f64::min);
            prop_assert!(holm(&p).iter().any(|a| *a == (smallest * p.len() as f64).min(1.0)));
        }
    }
}
