//! The density of a test statistic over looks, as far as no boundary was crossed.
//!
//! On the scale of B(t) = Z(t) √t the statistic is Brownian motion with drift: B(t) ~ N(δ t, t), increments independent. The
//! density of B at a look over the region where the test goes on is carried from look to look by convolution with the
//! increment's normal density (Armitage, McPherson, Rowe 1969, JRSS A 132(2); Jennison, Turnbull 2000, ch. 19). The
//! integrals use Gauss–Legendre panels as wide as 2 standard deviations of the narrower of the increments before and
//! after, so that the grid is as fine as the looks are near, and each node reaches only 8½ deviations: a look costs
//! about 68 densities a node, and k equal looks about k^1.5 in all.

use std::f64::consts::PI;

use throughline_stats::dist;

/// Gauss–Legendre on [−1, 1] with 8 nodes: the positive nodes and their weights.
const NODES: [f64; 4] =
    [0.183_434_642_495_649_8, 0.525_532_409_916_329, 0.796_666_477_413_626_7, 0.960_289_856_497_536_3];
const WEIGHTS: [f64; 4] =
    [0.362_683_783_378_362, 0.313_706_645_877_887_3, 0.222_381_034_453_374_5, 0.101_228_536_290_376_3];

/// Width of a panel in standard deviations of the narrower increment.
const PANEL: f64 = 2.0;

/// Beyond so many standard deviations a normal density adds nothing to a double.
const REACH: f64 = 8.5;

/// Mass at the ends of the grid below this is dropped.
const NOTHING: f64 = 1e-24;

/// Mass of B over the region of continuation, at nodes in order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Density {
    nodes: Vec<f64>,
    mass: Vec<f64>,
}

/// One step of the motion: its information and its drift.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) drift: f64,
}

impl Step {
    fn deviation(self) -> f64 {
        (self.to - self.from).sqrt()
    }

    fn shift(self) -> f64 {
        self.drift * (self.to - self.from)
    }
}

impl Density {
    /// All mass at 0 before the first look.
    pub(super) fn start() -> Self {
        Self { nodes: vec![0.0], mass: vec![1.0] }
    }

    /// P(B ≥ `bound` after the step, still going before it).
    pub(super) fn above(&self, step: Step, bound: f64) -> f64 {
        let (deviation, shift) = (step.deviation(), step.shift());
        let term = |(x, m): (&f64, &f64)| {
            let z = (bound - x - shift) / deviation;
            if z > 38.0 { 0.0 } else { m * dist::normal_sf(z) }
        };
        self.nodes.iter().zip(&self.mass).map(term).sum()
    }

    /// P(B ≤ `bound` after the step, still going before it).
    pub(super) fn below(&self, step: Step, bound: f64) -> f64 {
        let (deviation, shift) = (step.deviation(), step.shift());
        let term = |(x, m): (&f64, &f64)| {
            let z = (bound - x - shift) / deviation;
            if z < -38.0 { 0.0 } else { m * dist::normal_cdf(z) }
        };
        self.nodes.iter().zip(&self.mass).map(term).sum()
    }

    /// The density of B at `y` after the step.
    pub(super) fn density(&self, step: Step, y: f64) -> f64 {
        let (deviation, shift) = (step.deviation(), step.shift());
        let near = REACH * deviation;
        let first = self.nodes.partition_point(|x| *x < y - shift - near);
        let last = self.nodes.partition_point(|x| *x <= y - shift + near);
        let scale = -0.5 / (deviation * deviation);
        let kernel = |(x, m): (&f64, &f64)| m * (scale * (y - shift - x).powi(2)).exp();
        let sum: f64 = self.nodes[first..last].iter().zip(&self.mass[first..last]).map(kernel).sum();
        sum / (deviation * (2.0 * PI).sqrt())
    }

    /// The density after the step over `low` to `high`, where the test goes on. `next` is the information of the increment
    /// after it, if there is one.
    pub(super) fn step(&self, step: Step, low: f64, high: f64, next: Option<f64>) -> Self {
        let (centre, wide) = (step.drift * step.to, REACH * step.to.sqrt());
        let (low, high) = (low.max(centre - wide), high.min(centre + wide));
        let finest = next.map_or(step.deviation(), |n| step.deviation().min(n.sqrt()));
        let mut out = Self { nodes: Vec::new(), mass: Vec::new() };
        if low >= high {
            return out;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and far below 2³²")]
        let panels = ((high - low) / (PANEL * finest)).ceil().max(1.0) as usize;
        let half = (high - low) / panels as f64 / 2.0;
        for panel in 0..panels {
            let middle = low + half * (2 * panel + 1) as f64;
            let left = NODES.iter().zip(WEIGHTS).rev().map(|(x, w)| (-x, w));
            let right = NODES.iter().zip(WEIGHTS).map(|(x, w)| (*x, w));
            for (x, w) in left.chain(right) {
                let y = middle + half * x;
                out.nodes.push(y);
                out.mass.push(w * half * self.density(step, y));
            }
        }
        out.trim();
        out
    }

    fn trim(&mut self) {
        let last = self.mass.iter().rposition(|m| *m > NOTHING).map_or(0, |i| i + 1);
        let first = self.mass.iter().position(|m| *m > NOTHING).unwrap_or(0);
        self.nodes = self.nodes[first.min(last)..last].to_vec();
        self.mass = self.mass[first.min(last)..last].to_vec();
    }

    /// What has not crossed.
    #[cfg(test)]
    pub(super) fn total(&self) -> f64 {
        self.mass.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mass_is_kept_and_matches_a_single_step() {
        // Without boundaries any path of looks gives the normal law at the end.
        for drift in [0.0, 1.5, -3.0] {
            for looks in [
                vec![1.0],
                vec![0.5, 1.0],
                vec![0.001, 0.4, 0.401, 1.0],
                (1..=40).map(|i| f64::from(i) / 40.0).collect(),
            ] {
                let (mut density, mut from) = (Density::start(), 0.0);
                for (i, &to) in looks[..looks.len() - 1].iter().enumerate() {
                    density = density.step(Step { from, to, drift }, -50.0, 50.0, Some(looks[i + 1] - to));
                    from = to;
                    assert!((density.total() - 1.0).abs() < 1e-10, "{looks:?} at {to}: {}", density.total());
                }
                let step = Step { from, to: 1.0, drift };
                for bound in [-2.0, 0.3, 2.5] {
                    let expected = dist::normal_sf(bound - drift);
                    assert!((density.above(step, bound) - expected).abs() < 1e-10, "{looks:?} {bound}");
                    assert!((density.below(step, bound) - (1.0 - expected)).abs() < 1e-10, "{looks:?} {bound}");
                }
            }
        }
    }
}
