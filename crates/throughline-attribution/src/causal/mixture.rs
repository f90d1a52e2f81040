//! Mixtures of normal distributions: what is left when the spreads are integrated out on a grid.

use serde::{Deserialize, Serialize};
use throughline_stats::dist;

/// Levels of the intervals that every distribution shows.
pub const LEVELS: [f64; 3] = [0.5, 0.9, 0.95];

/// Components below this share of the largest weight are left out.
const NEGLIGIBLE: f64 = 1e-9;

/// Weighted normal distributions; weights sum to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Mixture {
    /// Weight, mean, standard deviation.
    parts: Vec<(f64, f64, f64)>,
}

/// A distribution in numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// Mean.
    pub mean: f64,
    /// Median.
    pub median: f64,
    /// Standard deviation.
    pub std_dev: f64,
    /// Equal-tailed intervals: level, lower and upper end, in the order of [`LEVELS`].
    pub intervals: [(f64, f64, f64); 3],
    /// The probability that it is above 0.
    pub above_zero: f64,
}

impl Distribution {
    /// The interval of one of [`LEVELS`].
    pub fn interval(&self, level: f64) -> Option<(f64, f64)> {
        self.intervals.iter().find(|i| i.0 == level).map(|i| (i.1, i.2))
    }
}

impl Mixture {
    /// From weight, mean and variance of each part; weights are made to sum to 1. A negative variance counts as 0.
    pub fn new(parts: impl IntoIterator<Item = (f64, f64, f64)>) -> Self {
        let mut parts: Vec<(f64, f64, f64)> = parts.into_iter().collect();
        let most = parts.iter().fold(0.0, |m: f64, p| m.max(p.0));
        parts.retain(|p| p.0 > most * NEGLIGIBLE);
        let total: f64 = parts.iter().map(|p| p.0).sum();
        for part in &mut parts {
            part.0 /= total;
            part.2 = part.2.max(0.0).sqrt();
        }
        Self { parts }
    }

    /// Mean: Σ w m.
    pub fn mean(&self) -> f64 {
        self.parts.iter().map(|p| p.0 * p.1).sum()
    }

    /// Standard deviation: √(Σ w (s² + (m − mean)²)).
    pub fn std_dev(&self) -> f64 {
        let mean = self.mean();
        self.parts.iter().map(|p| p.0 * (p.2 * p.2 + (p.1 - mean).powi(2))).sum::<f64>().sqrt()
    }

    /// P(X ≤ x). A part without spread steps at its mean.
    pub fn cdf(&self, x: f64) -> f64 {
        let below = |m: f64, s: f64| {
            if s > 0.0 { dist::normal_cdf((x - m) / s) } else { f64::from(u8::from(m <= x)) }
        };
        self.parts.iter().map(|p| p.0 * below(p.1, p.2)).sum()
    }

    /// The x at which P(X ≤ x) reaches `p` (0 < p < 1): Newton's steps where they stay within the bracket, halving elsewhere.
    pub fn quantile(&self, p: f64) -> f64 {
        let z = dist::normal_quantile(p);
        let ends = self.parts.iter().map(|part| part.1 + z * part.2);
        // Each part's own quantile is on one side of the mixture's, so the mixture's lies between the extremes.
        let (mut low, mut high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(x), h.max(x)));
        let (mean, deviation) = (self.mean(), self.std_dev());
        let tolerance = 1e-10 * (deviation + mean.abs());
        let mut x = (mean + z * deviation).clamp(low, high);
        for _ in 0..200 {
            let (cumulative, density) = self.cdf_and_density(x);
            if cumulative < p {
                low = x;
            } else {
                high = x;
            }
            let step = (cumulative - p) / density;
            let next = x - step;
            if high - low <= tolerance || (step.abs() <= tolerance && next >= low && next <= high) {
                return if next >= low && next <= high { next } else { 0.5 * (low + high) };
            }
            x = if next > low && next < high { next } else { 0.5 * (low + high) };
        }
        x
    }

    /// P(X ≤ x) and the density at x, without the parts that have no spread.
    fn cdf_and_density(&self, x: f64) -> (f64, f64) {
        let (mut cumulative, mut density) = (0.0, 0.0);
        for &(weight, mean, deviation) in &self.parts {
            if deviation > 0.0 {
                let z = (x - mean) / deviation;
                cumulative += weight * dist::normal_cdf(z);
                density += weight * (-0.5 * z * z).exp() / (deviation * (2.0 * std::f64::consts::PI).sqrt());
            } else if mean <= x {
                cumulative += weight;
            }
        }
        (cumulative, density)
    }

    /// All of it in numbers, times a factor.
    pub fn scaled(&self, factor: f64) -> Distribution {
        let ends = |level: f64| {
            let tail = 0.5 * (1.0 - level);
            let (a, b) = (factor * self.quantile(tail), factor * self.quantile(1.0 - tail));
            (level, a.min(b), a.max(b))
        };
        let below = self.cdf(0.0);
        Distribution {
            mean: factor * self.mean(),
            median: factor * self.quantile(0.5),
            std_dev: factor.abs() * self.std_dev(),
            intervals: LEVELS.map(ends),
            above_zero: if factor >= 0.0 { 1.0 - below } else { below },
        }
    }

    /// All of it in numbers.
    pub fn distribution(&self) -> Distribution {
        self.scaled(1.0)
    }

    /// A number minus it.
    #[must_use]
    pub fn taken_from(&self, total: f64) -> Self {
        Self { parts: self.parts.iter().map(|p| (p.0, total - p.1, p.2)).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_part_is_a_normal_distribution() {
        let d = Mixture::new([(3.0, 10.0, 4.0)]).distribution();
        assert!((d.mean - 10.0).abs() < 1e-12 && (d.median - 10.0).abs() < 1e-9 && (d.std_dev - 2.0).abs() < 1e-12);
        let (low, high) = d.interval(0.95).expect("a level");
        assert!((low - (10.0 - 2.0 * 1.959_963_985)).abs() < 1e-7 && (high - 13.919_927_97).abs() < 1e-7);
        assert!((d.above_zero - 0.999_999_713).abs() < 1e-8, "{}", d.above_zero);
    }

    #[test]
    fn two_far_parts_have_their_quantiles_in_both() {
        // Half at −10 ± 1, half at 10 ± 1: the quartiles are the medians of the parts.
        let m = Mixture::new([(1.0, -10.0, 1.0), (1.0, 10.0, 1.0)]);
        assert!((m.quantile(0.25) + 10.0).abs() < 1e-7 && (m.quantile(0.75) - 10.0).abs() < 1e-7);
        assert!((m.std_dev() - 101.0_f64.sqrt()).abs() < 1e-12);
        assert!((m.taken_from(5.0).quantile(0.25) + 5.0).abs() < 1e-7);
        let turned = Mixture::new([(1.0, 1.0, 1.0)]).scaled(-2.0);
        assert!((turned.mean + 2.0).abs() < 1e-12 && turned.intervals[1].1 < turned.intervals[1].2);
        assert!((turned.above_zero - 0.158_655_254).abs() < 1e-8);
    }

    #[test]
    fn a_part_without_spread_is_a_point() {
        let d = Mixture::new([(1.0, 7.0, 0.0)]).distribution();
        assert_eq!((d.mean, d.std_dev, d.above_zero), (7.0, 0.0, 1.0));
        assert!((d.intervals[2].1 - 7.0).abs() < 1e-9);
    }
}
