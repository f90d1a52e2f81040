//! Balanced panels without covariates: everything follows from each group's mean path and its covariance.
//!
//! The influence value of a unit of group h on any effect is linear in its path: c + k · (ΔY − mean ΔY of h). Sums over
//! units of products of influence values are then n c c′ plus quadratic forms in the group's covariance of paths, so one
//! pass over the units gives all effects and their covariance, with no value stored per unit.

use super::design::{Cell, Design, OUT};
use crate::{EvidenceError, Joint, Panel};

/// Sums of one group.
struct Group {
    units: f64,
    mean: Vec<f64>,
    /// Sums of products of deviations from the mean path, periods × periods.
    products: Vec<f64>,
}

/// How the units of one group enter one estimate: c + k · (deviation in `time` − deviation in `base`).
#[derive(Debug, Clone, Copy, Default)]
struct Loading {
    c: f64,
    k: f64,
    time: usize,
    base: usize,
}

/// Effects of all cells and then the shares of all groups, with their covariance; summed within clusters where there are any.
pub(super) fn joint(panel: &Panel, design: &Design, names: Vec<String>) -> Result<Joint, EvidenceError> {
    let groups = groups(panel, design);
    let (values, loadings) = loadings(design, &groups);
    let n = design.units() as u64;
    match panel.clusters() {
        None => Joint::from_covariance(names, values, covariance(&groups, &loadings, panel.periods()), n, METHOD),
        Some(clusters) => {
            let columns = clustered(panel, design, &groups, &loadings, clusters);
            let codes: Vec<u32> = (0..u32::try_from(columns.first().map_or(0, Vec::len)).unwrap_or(u32::MAX)).collect();
            Joint::from_influence(names, values, columns, n, METHOD)?.clustered(&codes)
        }
    }
}

const METHOD: &str = "callaway_santanna";

fn groups(panel: &Panel, design: &Design) -> Vec<Group> {
    let t = panel.periods();
    let new = |n: &usize| Group { units: *n as f64, mean: vec![0.0; t], products: vec![0.0; t * t] };
    let mut groups: Vec<Group> = design.sizes.iter().map(new).collect();
    let members = || design.codes.iter().enumerate().filter(|(_, c)| **c != OUT);
    for (i, code) in members() {
        let group = &mut groups[*code as usize];
        group.mean.iter_mut().zip(panel.outcomes_of(i)).for_each(|(m, y)| *m += y);
    }
    for group in &mut groups {
        let n = group.units.max(1.0);
        group.mean.iter_mut().for_each(|m| *m /= n);
    }
    let mut deviation = vec![0.0; t];
    for (i, code) in members() {
        let group = &mut groups[*code as usize];
        for ((d, y), m) in deviation.iter_mut().zip(panel.outcomes_of(i)).zip(&group.mean) {
            *d = y - m;
        }
        for (row, d) in group.products.chunks_mut(t).zip(&deviation) {
            row.iter_mut().zip(&deviation).for_each(|(p, e)| *p += d * e);
        }
    }
    groups
}

/// Values, and for each estimate the loading of each group.
fn loadings(design: &Design, groups: &[Group]) -> (Vec<f64>, Vec<Vec<Loading>>) {
    let (mut values, mut all) = (Vec::new(), Vec::new());
    for cell in &design.cells {
        let (value, loading) = of_cell(design, groups, cell);
        values.push(value);
        all.push(loading);
    }
    let n = design.units() as f64;
    for group in 0..design.groups.len() {
        let share = groups[group].units / n;
        values.push(share);
        let c = |h: usize| (f64::from(u8::from(h == group)) - share) / n;
        all.push((0..groups.len()).map(|h| Loading { c: c(h), ..Loading::default() }).collect());
    }
    (values, all)
}

fn of_cell(design: &Design, groups: &[Group], cell: &Cell) -> (f64, Vec<Loading>) {
    let change = |h: usize| groups[h].mean[cell.time] - groups[h].mean[cell.base];
    let is_control: Vec<bool> = (0..groups.len()).map(|h| design.is_control(cell, h)).collect();
    let pool = || is_control.iter().enumerate().filter(|(_, is)| **is).map(|(h, _)| h);
    let units: f64 = pool().map(|h| groups[h].units).sum();
    let mean = pool().map(|h| groups[h].units * change(h)).sum::<f64>() / units;
    let loading = |h: usize| {
        let (c, k) = match is_control[h] {
            _ if h == cell.group => (0.0, 1.0 / groups[h].units),
            true => ((mean - change(h)) / units, -1.0 / units),
            false => (0.0, 0.0),
        };
        Loading { c, k, time: cell.time, base: cell.base }
    };
    (change(cell.group) - mean, (0..groups.len()).map(loading).collect())
}

fn covariance(groups: &[Group], loadings: &[Vec<Loading>], periods: usize) -> Vec<f64> {
    let m = loadings.len();
    let mut out = vec![0.0; m * m];
    for i in 0..m {
        for j in 0..=i {
            let mut sum = 0.0;
            for ((group, a), b) in groups.iter().zip(&loadings[i]).zip(&loadings[j]) {
                sum += group.units * a.c * b.c;
                if a.k != 0.0 && b.k != 0.0 {
                    let s = |t: usize, u: usize| group.products[t * periods + u];
                    let product = s(a.time, b.time) - s(a.time, b.base) - s(a.base, b.time) + s(a.base, b.base);
                    sum += a.k * b.k * product;
                }
            }
            out[i * m + j] = sum;
            out[j * m + i] = sum;
        }
    }
    out
}

/// Influence values summed within clusters, one column per estimate.
fn clustered(
    panel: &Panel,
    design: &Design,
    groups: &[Group],
    loadings: &[Vec<Loading>],
    clusters: &[u32],
) -> Vec<Vec<f64>> {
    let count = clusters.iter().max().map_or(0, |m| *m as usize + 1);
    let mut columns = vec![vec![0.0; count]; loadings.len()];
    let mut seen = vec![false; count];
    for (i, code) in design.codes.iter().enumerate().filter(|(_, c)| **c != OUT) {
        let (y, h, cluster) = (panel.outcomes_of(i), *code as usize, clusters[i] as usize);
        let mean = &groups[h].mean;
        seen[cluster] = true;
        for (column, loading) in columns.iter_mut().zip(loadings) {
            let Loading { c, k, time, base } = loading[h];
            let deviation = (y[time] - mean[time]) - (y[base] - mean[base]);
            column[cluster] += c + k * deviation;
        }
    }
    // Clusters of units that take no part are none.
    for column in &mut columns {
        let mut at = 0;
        column.retain(|_| {
            at += 1;
            seen[at - 1]
        });
    }
    columns
}
