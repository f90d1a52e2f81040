//! Ratios given the evidence: exact given the spreads, summed over a grid of them.

use std::f64::consts::FRAC_PI_2;

use throughline_stats::dist;
use throughline_stats::linalg::Cholesky;

use super::input::Settings;
use super::process::{Process, Spreads};
use super::select::{Item, Place};
use crate::AttributionError;

/// Nodes of the spread between channels and of the drift.
const NODES: (usize, usize) = (64, 16);
/// Variances of evidence below this share of the prior's are counted as it, so that systems can be solved.
const LEAST_VARIANCE: f64 = 1e-10;

/// A weighted sum of ratios of cells; without any, the population's mean ratio.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Target {
    /// Position among the cells, weight.
    pub(super) of: Vec<(usize, f64)>,
}

/// One node of the grid: spreads, posterior weight (sums to 1), mean and variance of each target.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) spreads: Spreads,
    pub(super) weight: f64,
    pub(super) moments: Vec<(f64, f64)>,
}

/// Covariance parts of everything, computed once.
struct Parts {
    /// Of items with items, row-major.
    items: Vec<[f64; 3]>,
    /// Of each target with each item.
    cross: Vec<Vec<[f64; 3]>>,
    /// Of each target with itself.
    own: Vec<[f64; 3]>,
    /// Prior mean of each target.
    mean: Vec<f64>,
}

/// The posterior of targets over all nodes. Without items it is the prior.
pub(super) fn posterior(
    cells: &[&Place],
    items: &[Item<'_>],
    targets: &[Target],
    settings: &Settings,
) -> Result<Vec<Node>, AttributionError> {
    let process = Process { settings, squared_ratio: squared_ratio(items, settings) };
    let parts = Parts::new(&process, cells, items, targets);
    let mut nodes = Vec::with_capacity(NODES.0 * NODES.1);
    let mut logs = Vec::with_capacity(NODES.0 * NODES.1);
    for spreads in grid(settings) {
        let (log, moments) = parts.at(spreads, items, settings.mean)?;
        logs.push(log);
        nodes.push(Node { spreads, weight: 0.0, moments });
    }
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = logs.iter().map(|l| (l - most).exp()).sum();
    nodes.iter_mut().zip(&logs).for_each(|(node, log)| node.weight = (log - most).exp() / total);
    Ok(nodes)
}

/// For each cell, its variance given the evidence over that given everything but its own channel's, at one pair of spreads: 1
/// where its own channel has none.
pub(super) fn left_by_own(
    cells: &[&Place],
    items: &[Item<'_>],
    spreads: Spreads,
    settings: &Settings,
) -> Result<Vec<f64>, AttributionError> {
    let process = Process { settings, squared_ratio: squared_ratio(items, settings) };
    let variance = |cell: usize, kept: &[Item<'_>]| {
        let parts = Parts::new(&process, cells, kept, &[Target { of: vec![(cell, 1.0)] }]);
        parts.at(spreads, kept, settings.mean).map(|(_, moments)| moments.first().map_or(0.0, |m| m.1))
    };
    let share = |cell: usize| {
        let others: Vec<Item<'_>> = items.iter().filter(|i| i.place.channel != cells[cell].channel).cloned().collect();
        if others.len() == items.len() {
            return Ok(1.0);
        }
        let without = variance(cell, &others)?;
        Ok(if without > 0.0 { (variance(cell, items)? / without).clamp(0.0, 1.0) } else { 1.0 })
    };
    (0..cells.len()).map(share).collect()
}

/// Every pair of spreads, in cells of equal prior mass: the middle quantiles of a half-Cauchy and of a half-normal distribution.
pub(super) fn grid(settings: &Settings) -> impl Iterator<Item = Spreads> + '_ {
    let middle = |i: usize, n: usize| (i as f64 + 0.5) / n as f64;
    (0..NODES.0).flat_map(move |i| {
        let tau = settings.channel_scale * (FRAC_PI_2 * middle(i, NODES.0)).tan();
        (0..NODES.1).map(move |j| Spreads {
            tau,
            omega: settings.drift_scale * dist::normal_quantile(0.5 + 0.5 * middle(j, NODES.1)),
        })
    })
}

/// The square of Σ effect / Σ credit over the evidence.
fn squared_ratio(items: &[Item<'_>], settings: &Settings) -> f64 {
    let credit: f64 = items.iter().map(|i| i.credit).sum();
    let ratio = items.iter().map(|i| i.ratio * i.credit).sum::<f64>() / credit;
    if ratio.is_finite() { ratio * ratio } else { settings.mean * settings.mean }
}

fn plus(sum: [f64; 3], more: [f64; 3], weight: f64) -> [f64; 3] {
    [sum[0] + weight * more[0], sum[1] + weight * more[1], sum[2] + weight * more[2]]
}

impl Parts {
    fn new(process: &Process<'_>, cells: &[&Place], items: &[Item<'_>], targets: &[Target]) -> Self {
        let settings = process.settings;
        let common = settings.mean_sd.powi(2);
        let cross = |target: &Target, item: &Item<'_>| {
            if target.of.is_empty() {
                return [if item.place.exchangeable { common } else { 0.0 }, 0.0, 0.0];
            }
            target.of.iter().fold([0.0; 3], |sum, (c, w)| plus(sum, process.parts(cells[*c], &item.place), *w))
        };
        let own = |target: &Target| {
            if target.of.is_empty() {
                return [common, 0.0, 0.0];
            }
            let pairs = target.of.iter().flat_map(|a| target.of.iter().map(move |b| (a, b)));
            pairs.fold([0.0; 3], |sum, ((a, v), (b, w))| plus(sum, process.parts(cells[*a], cells[*b]), v * w))
        };
        let mean = |target: &Target| {
            let weight = if target.of.is_empty() { 1.0 } else { target.of.iter().map(|t| t.1).sum() };
            weight * settings.mean
        };
        Self {
            items: items
                .iter()
                .flat_map(|a| items.iter().map(move |b| (a, b)))
                .map(|(a, b)| process.parts(&a.place, &b.place))
                .collect(),
            cross: targets.iter().map(|t| items.iter().map(|i| cross(t, i)).collect()).collect(),
            own: targets.iter().map(own).collect(),
            mean: targets.iter().map(mean).collect(),
        }
    }

    /// Log likelihood (up to a constant) and the targets' moments at a node.
    fn at(&self, spreads: Spreads, items: &[Item<'_>], mean: f64) -> Result<(f64, Vec<(f64, f64)>), AttributionError> {
        let n = items.len();
        let mut system: Vec<f64> = self.items.iter().map(|p| spreads.of(*p)).collect();
        for (i, item) in items.iter().enumerate() {
            let prior = system[i * n + i];
            system[i * n + i] = prior + item.variance.max(prior * LEAST_VARIANCE);
        }
        let factor = Cholesky::new(&system, n, 1e-14).ok_or(AttributionError::Unsolvable { pieces: n })?;
        let residual: Vec<f64> = items.iter().map(|i| i.ratio - mean).collect();
        let alpha = factor.solve(&residual);
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
        let log = -0.5 * (factor.log_determinant() + dot(&residual, &alpha));
        let moments = self
            .cross
            .iter()
            .zip(&self.own)
            .zip(&self.mean)
            .map(|((cross, own), mean)| {
                let k: Vec<f64> = cross.iter().map(|p| spreads.of(*p)).collect();
                let explained = dot(&k, &factor.solve(&k));
                (mean + dot(&k, &alpha), (spreads.of(*own) - explained).max(0.0))
            })
            .collect();
        Ok((log, moments))
    }
}
