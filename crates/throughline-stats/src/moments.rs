//! Running means, variances and covariances, by pushing values, merging parts or from sufficient statistics.
//!
//! Updates follow B. P. Welford, "Note on a method for calculating corrected sums of squares and products",
//! Technometrics 4 (1962); merges follow T. F. Chan, G. H. Golub and R. J. LeVeque, "Updating formulae and a pairwise
//! algorithm for computing sample variances" (1979). Floating-point results depend on the order of pushes and merges in
//! their last bits: for identical bits push in a fixed order and merge fixed chunks in a fixed order.

use crate::two_sample::Summary;

/// Count, sum, mean and centred sum of squares of one variable. Values must be finite.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Moments {
    n: u64,
    sum: f64,
    /// Neumaier's correction: what the additions to `sum` rounded away.
    carry: f64,
    mean: f64,
    m2: f64,
}

impl Moments {
    /// From n, Σx and Σx². The centred sum of squares Σx² − (Σx)²/n cancels when the mean is large against the spread;
    /// where units are at hand, push them instead. A negative result of rounding becomes 0.
    pub fn from_sums(n: u64, sum: f64, sum_of_squares: f64) -> Self {
        if n == 0 {
            return Self::default();
        }
        let mean = sum / n as f64;
        Self { n, sum, carry: 0.0, mean, m2: (sum_of_squares - sum * mean).max(0.0) }
    }

    /// Adds one value.
    pub fn push(&mut self, x: f64) {
        self.n += 1;
        self.add_to_sum(x);
        let before = x - self.mean;
        self.mean += before / self.n as f64;
        self.m2 += before * (x - self.mean);
    }

    /// Appends another part: the result is that of `self`'s values followed by `other`'s, up to rounding.
    pub fn merge(&mut self, other: &Self) {
        if other.n == 0 {
            return;
        }
        if self.n == 0 {
            *self = *other;
            return;
        }
        let (here, there) = (self.n as f64, other.n as f64);
        let (delta, total) = (other.mean - self.mean, here + there);
        self.mean += delta * (there / total);
        self.m2 += other.m2 + delta * delta * (here * (there / total));
        self.n += other.n;
        self.add_to_sum(other.sum);
        self.carry += other.carry;
    }

    fn add_to_sum(&mut self, x: f64) {
        let total = self.sum + x;
        self.carry += if self.sum.abs() >= x.abs() { (self.sum - total) + x } else { (x - total) + self.sum };
        self.sum = total;
    }

    /// How many values.
    pub const fn n(&self) -> u64 {
        self.n
    }

    /// Σx; exact for whole numbers up to 2^53.
    pub fn sum(&self) -> f64 {
        self.sum + self.carry
    }

    /// Mean Σx / n; `None` without values.
    pub fn mean(&self) -> Option<f64> {
        (self.n > 0).then(|| self.sum() / self.n as f64)
    }

    /// Sample variance with n − 1 in the denominator; `None` below two values.
    pub fn variance(&self) -> Option<f64> {
        (self.n > 1).then(|| self.m2 / (self.n as f64 - 1.0))
    }

    /// Standard error of the mean, √(variance / n); `None` below two values.
    pub fn std_error(&self) -> Option<f64> {
        self.variance().map(|v| (v / self.n as f64).sqrt())
    }

    /// What a two-sample comparison needs. Where mean or variance are undefined they are 0, and `n` says so.
    pub fn summary(&self) -> Summary {
        Summary { n: self.n, mean: self.mean().unwrap_or(0.0), variance: self.variance().unwrap_or(0.0) }
    }
}

impl Extend<f64> for Moments {
    fn extend<I: IntoIterator<Item = f64>>(&mut self, values: I) {
        values.into_iter().for_each(|x| self.push(x));
    }
}

impl FromIterator<f64> for Moments {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut moments = Self::default();
        moments.extend(values);
        moments
    }
}

/// Moments of pairs (x, y) with their centred sum of products, for ratios by the delta method and for covariate
/// adjustment. Values must be finite.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct CoMoments {
    x: Moments,
    y: Moments,
    cross: f64,
}

impl CoMoments {
    /// From the moments of x and of y over the same units and Σxy; `None` when their counts differ.
    pub fn from_sums(x: Moments, y: Moments, sum_of_products: f64) -> Option<Self> {
        let centre = x.sum() * y.mean().unwrap_or(0.0);
        (x.n == y.n).then_some(Self { x, y, cross: sum_of_products - centre })
    }

    /// Adds one pair.
    pub fn push(&mut self, x: f64, y: f64) {
        let before = x - self.x.mean;
        self.x.push(x);
        self.y.push(y);
        self.cross += before * (y - self.y.mean);
    }

    /// Appends another part.
    pub fn merge(&mut self, other: &Self) {
        let (here, there) = (self.x.n as f64, other.x.n as f64);
        if there > 0.0 {
            let share = here * (there / (here + there));
            self.cross += other.cross + (other.x.mean - self.x.mean) * (other.y.mean - self.y.mean) * share;
        }
        self.x.merge(&other.x);
        self.y.merge(&other.y);
    }

    /// Moments of the first variable.
    pub const fn x(&self) -> &Moments {
        &self.x
    }

    /// Moments of the second variable.
    pub const fn y(&self) -> &Moments {
        &self.y
    }

    /// Sample covariance with n − 1 in the denominator; `None` below two pairs.
    pub fn covariance(&self) -> Option<f64> {
        (self.x.n > 1).then(|| self.cross / (self.x.n as f64 - 1.0))
    }

    /// Least-squares slope of y on x, Cov(x, y) / Var(x); `None` below two pairs or when x does not vary.
    pub fn slope(&self) -> Option<f64> {
        (self.x.n > 1 && self.x.m2 > 0.0).then(|| self.cross / self.x.m2)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn close(a: f64, b: f64, scale: f64) -> bool {
        (a - b).abs() <= 1e-12 * scale.max(1e-300)
    }

    /// Two passes, the obvious way.
    fn reference(pairs: &[(f64, f64)]) -> (f64, f64, f64) {
        let n = pairs.len() as f64;
        let mean_x = pairs.iter().map(|p| p.0).sum::<f64>() / n;
        let mean_y = pairs.iter().map(|p| p.1).sum::<f64>() / n;
        let sum = |f: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(f).sum::<f64>() / (n - 1.0);
        (mean_x, sum(&|p| (p.0 - mean_x).powi(2)), sum(&|p| (p.0 - mean_x) * (p.1 - mean_y)))
    }

    #[test]
    fn few_values_have_no_variance() {
        let mut m = Moments::default();
        assert_eq!((m.mean(), m.variance(), m.sum()), (None, None, 0.0));
        m.push(4.0);
        assert_eq!((m.mean(), m.variance(), m.std_error()), (Some(4.0), None, None));
        m.push(6.0);
        assert_eq!((m.mean(), m.variance(), m.std_error()), (Some(5.0), Some(2.0), Some(1.0)));
    }

    #[test]
    fn a_large_mean_does_not_drown_the_variance() {
        let m: Moments = [4.0, 7.0, 13.0, 16.0].map(|x| x + 1e9).into_iter().collect();
        assert_eq!(m.variance(), Some(30.0));
        let small: Moments = [1e16, 1.0, -1e16].into_iter().collect();
        assert_eq!(small.sum(), 1.0);
    }

    #[test]
    fn sufficient_statistics_give_the_same_moments() {
        let values = [1.0, 2.0, 4.0, 8.0];
        let m = Moments::from_sums(4, 15.0, 85.0);
        assert_eq!(m.variance(), values.into_iter().collect::<Moments>().variance());
        assert_eq!(Moments::from_sums(3, 3.0, 2.999), Moments::from_sums(3, 3.0, 3.0));
        assert_eq!(Moments::from_sums(0, 1.0, 1.0), Moments::default());
        let (x, y) = (Moments::from_sums(3, 6.0, 14.0), Moments::from_sums(3, 9.0, 35.0));
        let pairs = CoMoments::from_sums(x, y, 22.0).expect("equal counts");
        assert_eq!((pairs.covariance(), pairs.slope()), (Some(2.0), Some(2.0)));
        assert_eq!(CoMoments::from_sums(x, m, 0.0), None);
    }

    proptest! {
        #[test]
        fn pushes_and_merges_agree_with_two_passes(
            pairs in prop::collection::vec((-1e3..1e3_f64, -1e3..1e3_f64), 2..60),
            cuts in prop::collection::vec(0..60_usize, 0..4),
            offset in prop::sample::select(vec![0.0, 1e6]),
        ) {
            let pairs: Vec<_> = pairs.into_iter().map(|(x, y)| (x + offset, x - y)).collect();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c.min(pairs.len())).collect();
            cuts.extend([0, pairs.len()]);
            cuts.sort_unstable();
            let mut merged = CoMoments::default();
            for part in cuts.windows(2).map(|w| &pairs[w[0]..w[1]]) {
                let mut moments = CoMoments::default();
                for &(x, y) in part {
                    moments.push(x, y);
                }
                merged.merge(&moments);
            }
            let (mean, variance, covariance) = reference(&pairs);
            let scale = 1e6 + offset;
            prop_assert_eq!(merged.x().n(), pairs.len() as u64);
            prop_assert!(close(merged.x().mean().unwrap(), mean, scale));
            prop_assert!(close(merged.x().variance().unwrap(), variance, scale * 10.0));
            prop_assert!(close(merged.covariance().unwrap(), covariance, scale * 10.0));
        }
    }
}
