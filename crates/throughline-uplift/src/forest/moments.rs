//! From leaf moments to an effect and its standard error.

use throughline_stats::dist::normal_sf;

use super::params::GROUP;

/// Sums of the estimation rows of a leaf.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct LeafSums {
    weight: f64,
    sums: [f64; 4],
}

impl LeafSums {
    /// Adds a row: its weight (positive), residual treatment and residual outcome.
    #[inline]
    pub(crate) fn add(&mut self, weight: f64, w: f64, y: f64) {
        self.weight += weight;
        self.sums[0] += weight * w;
        self.sums[1] += weight * y;
        self.sums[2] += weight * w * y;
        self.sums[3] += weight * w * w;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.weight == 0.0
    }

    /// The weighted means; zeros for no rows.
    #[expect(clippy::cast_possible_truncation, reason = "leaves are kept in single precision, thousands are averaged")]
    pub(crate) fn means(&self) -> Leaf {
        if self.is_empty() { Leaf::default() } else { Leaf(self.sums.map(|s| (s / self.weight) as f32)) }
    }
}

/// Weighted means of a leaf: W̃, Ỹ, W̃Ỹ, W̃².
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Leaf(pub(crate) [f32; 4]);

/// Sums of leaf means over the trees that speak for a row.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Moments {
    sums: [f64; 4],
    trees: u32,
}

impl Moments {
    #[inline]
    pub(crate) fn add(&mut self, leaf: &Leaf) {
        for i in 0..self.sums.len() {
            self.sums[i] += f64::from(leaf.0[i]);
        }
        self.trees += 1;
    }

    /// The effect, where the neighbourhood holds treated and untreated rows.
    pub(crate) fn solve(&self) -> Option<Solution> {
        if self.trees == 0 {
            return None;
        }
        let [w, y, wy, ww] = self.sums.map(|s| s / f64::from(self.trees));
        let variance = ww - w * w;
        // Residual treatments are at most 1 in size; below this the variance is the rounding of single precision.
        if variance.is_nan() || variance < 1e-6 {
            return None;
        }
        let effect = (wy - w * y) / variance;
        Some(Solution { effect, intercept: y - w * effect, treatment: w, variance })
    }
}

/// The solution of the local moment conditions Σ αᵢ (Ỹᵢ − μ − W̃ᵢ τ) (1, W̃ᵢ) = 0, with αᵢ the mean over trees of
/// 1{i in the leaf of x} sᵢ / Σ s of the leaf.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Solution {
    /// τ.
    pub(crate) effect: f64,
    /// μ.
    intercept: f64,
    /// Σ αᵢ W̃ᵢ.
    treatment: f64,
    /// Σ αᵢ W̃ᵢ² − (Σ αᵢ W̃ᵢ)².
    variance: f64,
}

impl Solution {
    /// The pseudo-outcome of one leaf: how far τ would move, to first order, if the forest were this leaf,
    /// (ψ₁ − W̄ ψ₂) / Var W̃ with ψ₁ = mean W̃ (Ỹ − μ − W̃ τ) and ψ₂ = mean (Ỹ − μ − W̃ τ) over the leaf.
    #[inline]
    pub(crate) fn influence(&self, leaf: &Leaf) -> f64 {
        let [w, y, wy, ww] = leaf.0;
        let (w, y) = (f64::from(w), f64::from(y));
        let first = f64::from(wy) - self.intercept * w - self.effect * f64::from(ww);
        let second = y - self.intercept - self.effect * w;
        (first - self.treatment * second) / self.variance
    }
}

/// Squares of the influences of trees, and of their means over groups.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spread {
    total: f64,
    between: f64,
    groups: u32,
}

impl Spread {
    /// Adds the influences of the trees of a group.
    #[inline]
    pub(crate) fn add(&mut self, influences: [f64; GROUP]) {
        let [first, second] = influences;
        self.total += first * first + second * second;
        self.between += ((first + second) / GROUP as f64).powi(2);
        self.groups += 1;
    }

    /// The variance of the effect by the bootstrap of little bags (Athey, Tibshirani, Wager 2019, §4.1, after Sexton and
    /// Laake 2009): the variance of the means of groups, less the share of it that is the noise of the trees within them.
    ///
    /// The difference b − w can be negative when trees are few. It is replaced by the mean of a normal with this mean and
    /// the standard deviation max(b, w) √(2 / groups), cut to positive values: never negative, and equal to b − w
    /// where that is well determined. To it comes the Monte-Carlo error of a forest of finitely many trees, b / groups.
    pub(crate) fn variance(&self) -> f64 {
        if self.groups == 0 {
            return 0.0;
        }
        let groups = f64::from(self.groups);
        let (total, between) = (self.total / groups / GROUP as f64, self.between / groups);
        let within = ((total - between) / (GROUP as f64 - 1.0)).max(0.0);
        positive_mean(between - within, between.max(within) * (2.0 / groups).sqrt()) + between / groups
    }
}

/// E[Z | Z > 0] for Z normal with this mean and standard deviation: m + s φ(m / s) / Φ(m / s).
fn positive_mean(mean: f64, deviation: f64) -> f64 {
    if deviation <= 0.0 {
        return mean.max(0.0);
    }
    let ratio = mean / deviation;
    if ratio < -30.0 {
        // Φ and φ have underflowed; the tail is exponential with this mean.
        return -deviation / ratio;
    }
    let density = (-0.5 * ratio * ratio).exp() / std::f64::consts::TAU.sqrt();
    (mean + deviation * density / normal_sf(-ratio)).max(0.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Weighted least squares of y on (1, w) by the textbook: slope = Σ s (w − w̄)(y − ȳ) / Σ s (w − w̄)².
    fn slope(rows: &[(f64, f64, f64)]) -> f64 {
        let weight: f64 = rows.iter().map(|r| r.0).sum();
        let (w, y) = (
            rows.iter().map(|r| r.0 * r.1).sum::<f64>() / weight,
            rows.iter().map(|r| r.0 * r.2).sum::<f64>() / weight,
        );
        let cross: f64 = rows.iter().map(|r| r.0 * (r.1 - w) * (r.2 - y)).sum();
        cross / rows.iter().map(|r| r.0 * (r.1 - w).powi(2)).sum::<f64>()
    }

    proptest! {
        /// The forest is a weighted regression: leaves of the same weight mean the regression of all rows, each leaf's
        /// weights brought to the same sum.
        #[test]
        fn averaged_leaves_solve_the_weighted_regression(
            leaves in prop::collection::vec(
                prop::collection::vec((0.1_f64..3.0, any::<bool>(), -1.0_f64..1.0), 4..20), 2..6),
        ) {
            let (mut moments, mut rows, mut kept) = (Moments::default(), Vec::new(), Vec::new());
            for leaf in &leaves {
                let total: f64 = leaf.iter().map(|r| r.0).sum();
                let mut sums = LeafSums::default();
                for (i, (s, treated, y)) in leaf.iter().enumerate() {
                    // Both arms are always there.
                    let w = if i == 0 || (i > 1 && *treated) { 0.5 } else { -0.5 };
                    sums.add(*s, w, *y);
                    rows.push((s / total, w, *y));
                }
                kept.push(sums.means());
                moments.add(&sums.means());
            }
            let solution = moments.solve().expect("both arms");
            prop_assert!((solution.effect - slope(&rows)).abs() < 1e-4, "{} {}", solution.effect, slope(&rows));
            // Influences are deviations: they cancel.
            let mean: f64 = kept.iter().map(|l| solution.influence(l)).sum();
            prop_assert!(mean.abs() < 1e-6, "{mean}");
        }

        #[test]
        fn variances_are_never_negative(pairs in prop::collection::vec((-5.0_f64..5.0, -5.0_f64..5.0), 0..40)) {
            let mut spread = Spread::default();
            for (a, b) in &pairs {
                spread.add([*a, *b]);
            }
            prop_assert!(spread.variance() >= 0.0 && spread.variance().is_finite());
        }
    }

    #[test]
    fn the_cut_normal_has_its_known_means() {
        #[track_caller]
        fn check(mean: f64, deviation: f64, expect: f64) {
            let got = positive_mean(mean, deviation);
            assert!((got - expect).abs() < 1e-9 * expect.max(1e-3), "{got} against {expect}");
        }
        check(0.0, 1.0, (2.0 / std::f64::consts::PI).sqrt());
        check(10.0, 0.1, 10.0);
        check(0.0, 0.0, 0.0);
        check(-1.0, 0.0, 0.0);
        // φ(2) / Φ(−2) − 2.
        check(-2.0, 1.0, 0.373_215_532_822_843);
        assert!((positive_mean(-29.999, 1.0) - positive_mean(-30.001, 1.0)).abs() < 1e-4);
    }

    #[test]
    fn no_variation_has_no_solution() {
        let mut moments = Moments::default();
        assert_eq!(moments.solve(), None);
        let mut sums = LeafSums::default();
        sums.add(1.0, 0.5, 1.0);
        sums.add(2.0, 0.5, 3.0);
        moments.add(&sums.means());
        assert_eq!(moments.solve(), None);
        assert_eq!(LeafSums::default().means(), Leaf::default());
    }

    /// Groups of known spread: between-group variance 4, within-group noise 1.
    #[test]
    fn groups_are_told_from_trees() {
        let mut spread = Spread::default();
        for i in 0..2000 {
            let (group, noise) = (if i % 2 == 0 { 2.0 } else { -2.0 }, if i % 4 < 2 { 1.0 } else { -1.0 });
            spread.add([group + noise, group - noise]);
        }
        // Means of groups are ±2 exactly: b = 4; total = 5, so w = 1.
        assert!((spread.variance() - (3.0 + 4.0 / 2000.0)).abs() < 1e-6, "{}", spread.variance());
    }
}
