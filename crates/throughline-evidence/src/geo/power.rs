//! One past window: effects put in and looked for, from inner products shared by all candidates.

use throughline_stats::linalg::{dot, gram};

use crate::Panel;
use crate::synth::conformal::{Orders, Permutations};
use crate::synth::simplex::nearest;
use crate::synth::study::mean;

/// A window of a panel with the inner products of all its markets.
pub(super) struct Window {
    /// First period of the test.
    pub(super) pre: usize,
    /// Period after its last.
    pub(super) end: usize,
    /// Series over the whole window less their mean, market by market.
    all: Vec<Vec<f64>>,
    /// Inner products of `all`.
    all_gram: Vec<f64>,
    /// Inner products of the series before the test less their mean there.
    pre_gram: Vec<f64>,
    orders: Orders,
    intercept: bool,
}

/// What a test finds of one effect.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cell {
    /// Of the conformal test of no effect.
    pub(super) p_value: f64,
    /// Effect per market and period.
    pub(super) att: f64,
    /// Relative effect.
    pub(super) lift: f64,
    /// Scaled imbalance before the test.
    pub(super) scaled_l2: f64,
    /// Outcome put in over all test markets and periods.
    pub(super) incremental: f64,
}

impl Window {
    /// The window that ends before period `end` with a test of `duration` periods.
    pub(super) fn new(panel: &Panel, end: usize, duration: usize, intercept: bool, permutations: Permutations) -> Self {
        let pre = end - duration;
        let centred = |s: &[f64]| -> Vec<f64> {
            let shift = if intercept { mean(s) } else { 0.0 };
            s.iter().map(|y| y - shift).collect()
        };
        let n = panel.units();
        let all: Vec<Vec<f64>> = (0..n).map(|i| centred(&panel.outcomes_of(i)[..end])).collect();
        let before: Vec<Vec<f64>> = (0..n).map(|i| centred(&panel.outcomes_of(i)[..pre])).collect();
        let of = |rows: &[Vec<f64>]| gram(&rows.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let post: Vec<usize> = (pre..end).collect();
        Self {
            pre,
            end,
            all_gram: of(&all),
            pre_gram: of(&before),
            orders: Orders::of(permutations, end, &post),
            all,
            intercept,
        }
    }

    /// Tests `set` for every effect.
    pub(super) fn cells(&self, panel: &Panel, set: &[usize], effects: &[f64]) -> Vec<Cell> {
        let n = panel.units();
        let donors: Vec<usize> = (0..n).filter(|i| !set.contains(i)).collect();
        let before = Inner::new(&self.pre_gram, n, &donors, set);
        let weights = nearest(&before.gram(), donors.len(), None).weights;
        let scaled_l2 = before.scaled_imbalance(&weights);
        let treated: Vec<f64> = (0..self.end)
            .map(|t| set.iter().map(|i| panel.outcomes_of(*i)[t]).sum::<f64>() / set.len() as f64)
            .collect();
        let synthetic = self.synthetic(panel, &donors, &weights, &treated);
        let counterfactual = mean(&synthetic);
        let observed = mean(&treated[self.pre..]);
        // The effect per unit of relative effect, as the whole window sees it.
        let mut push: Vec<f64> = (0..self.end).map(|t| if t < self.pre { 0.0 } else { treated[t] }).collect();
        let shift = if self.intercept { mean(&push) } else { 0.0 };
        for p in &mut push {
            *p -= shift;
        }
        let mut base = vec![0.0; self.end];
        for i in set {
            base.iter_mut().zip(&self.all[*i]).for_each(|(b, y)| *b += y / set.len() as f64);
        }
        let along: Vec<f64> = donors.iter().map(|i| dot(&self.all[*i], &push)).collect();
        let whole = Inner::new(&self.all_gram, n, &donors, set);
        let (self_along, length) = (dot(&base, &push), dot(&push, &push));
        let scale = base.iter().map(|b| b.abs()).fold(0.0, f64::max);
        let mut warm: Option<Vec<f64>> = Some(weights);
        let cells = (set.len() * (self.end - self.pre)) as f64;
        effects
            .iter()
            .map(|effect| {
                let moved = whole.moved(&along, self_along, length, *effect);
                let found = nearest(&moved.gram(), donors.len(), warm.as_deref()).weights;
                let mut rest: Vec<f64> = base.iter().zip(&push).map(|(b, p)| b + effect * p).collect();
                for (i, w) in donors.iter().zip(&found).filter(|(_, w)| **w > 0.0) {
                    rest.iter_mut().zip(&self.all[*i]).for_each(|(r, y)| *r -= w * y);
                }
                warm = Some(found);
                let att = observed * (1.0 + effect) - counterfactual;
                Cell {
                    p_value: self.orders.p_value(&rest, scale),
                    att,
                    lift: att / counterfactual,
                    scaled_l2,
                    incremental: effect * observed * cells,
                }
            })
            .collect()
    }

    /// The counterfactual during the test.
    fn synthetic(&self, panel: &Panel, donors: &[usize], weights: &[f64], treated: &[f64]) -> Vec<f64> {
        let mut path = vec![0.0; self.end];
        for (i, w) in donors.iter().zip(weights).filter(|(_, w)| **w > 0.0) {
            path.iter_mut().zip(panel.outcomes_of(*i)).for_each(|(p, y)| *p += w * y);
        }
        let shift = if self.intercept { mean(&treated[..self.pre]) - mean(&path[..self.pre]) } else { 0.0 };
        path[self.pre..].iter().map(|p| p + shift).collect()
    }
}

/// Inner products of donors with each other and with the mean of the test markets, all read off one matrix: a candidate
/// that differs by one market costs donors² additions and no pass over the periods.
struct Inner {
    donors: Vec<f64>,
    with_target: Vec<f64>,
    target: f64,
}

impl Inner {
    fn new(gram: &[f64], n: usize, donors: &[usize], set: &[usize]) -> Self {
        let k = set.len() as f64;
        let with_target: Vec<f64> =
            donors.iter().map(|i| set.iter().map(|m| gram[i * n + m]).sum::<f64>() / k).collect();
        let target = set.iter().flat_map(|i| set.iter().map(move |j| gram[i * n + j])).sum::<f64>() / (k * k);
        let donors = donors.iter().flat_map(|i| donors.iter().map(move |j| gram[i * n + j])).collect();
        Self { donors, with_target, target }
    }

    /// With the target moved by `effect` times a direction.
    fn moved(&self, along: &[f64], self_along: f64, length: f64, effect: f64) -> Self {
        Self {
            donors: self.donors.clone(),
            with_target: self.with_target.iter().zip(along).map(|(w, a)| w + effect * a).collect(),
            target: self.target + 2.0 * effect * self_along + effect * effect * length,
        }
    }

    /// (aᵢ − b)·(aⱼ − b).
    fn gram(&self) -> Vec<f64> {
        let n = self.with_target.len();
        let mut out = self.donors.clone();
        for (row, a) in out.chunks_exact_mut(n).zip(&self.with_target) {
            row.iter_mut().zip(&self.with_target).for_each(|(g, b)| *g += self.target - a - b);
        }
        out
    }

    /// ‖A w − b‖ over that of equal weights.
    fn scaled_imbalance(&self, weights: &[f64]) -> f64 {
        let n = weights.len();
        let gram = self.gram();
        let squared = |w: &dyn Fn(usize) -> f64| -> f64 {
            (0..n).map(|i| w(i) * (0..n).map(|j| gram[i * n + j] * w(j)).sum::<f64>()).sum::<f64>().max(0.0)
        };
        let equal = squared(&|_| 1.0 / n as f64);
        if equal > 0.0 { (squared(&|i| weights[i]) / equal).sqrt() } else { 0.0 }
    }
}
