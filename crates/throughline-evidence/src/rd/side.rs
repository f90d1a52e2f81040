//! One side of the cut-off: local polynomial fits and what their errors are made of.

use std::ops::Range;

use crate::small;

use super::{Kernel, RdVariance};

/// The units of one side, sorted by score.
#[derive(Debug, Clone)]
pub(super) struct Side {
    /// Score less the cut-off, ascending.
    pub(super) x: Vec<f64>,
    /// Outcome, treatment if there is one, covariates.
    pub(super) columns: Vec<Vec<f64>>,
    /// Which unit of the data stands in each place.
    pub(super) units: Vec<usize>,
}

impl Side {
    /// Distinct scores by distance from the cut-off.
    pub(super) fn distances(&self) -> Vec<f64> {
        let mut distances: Vec<f64> = self.x.iter().map(|x| x.abs()).collect();
        distances.sort_by(f64::total_cmp);
        distances.dedup();
        distances
    }

    /// The farthest score.
    pub(super) fn reach(&self) -> f64 {
        self.x.iter().fold(0.0, |m: f64, x| m.max(x.abs()))
    }
}

/// A weighted polynomial fit within a bandwidth, in powers of u = x / h.
#[derive(Debug)]
pub(super) struct LocalFit {
    /// Places of the side with weight.
    pub(super) range: Range<usize>,
    pub(super) u: Vec<f64>,
    /// K(u) / h.
    pub(super) w: Vec<f64>,
    pub(super) order: usize,
    h: f64,
    /// (Σ w r rᵀ)⁻¹.
    inverse: Vec<f64>,
}

/// uʲ for j up to the order.
fn powers(u: f64, order: usize) -> impl Iterator<Item = f64> {
    std::iter::successors(Some(1.0), move |p| Some(p * u)).take(order + 1)
}

impl LocalFit {
    /// `None` with fewer distinct scores than coefficients within the bandwidth.
    pub(super) fn new(side: &Side, h: f64, kernel: Kernel, order: usize) -> Option<Self> {
        if !h.is_finite() || h <= 0.0 {
            return None;
        }
        let weighted = |x: f64| kernel.weight(x / h) > 0.0;
        let start = side.x.partition_point(|x| *x < 0.0 && !weighted(*x));
        let end =
            start + side.x[start..].iter().position(|x| *x >= 0.0 && !weighted(*x)).unwrap_or(side.x.len() - start);
        let range = start..end;
        let xs = &side.x[range.clone()];
        let distinct = 1 + xs.windows(2).filter(|p| p[0] != p[1]).count();
        if xs.is_empty() || distinct < order + 1 {
            return None;
        }
        let u: Vec<f64> = xs.iter().map(|x| x / h).collect();
        let w: Vec<f64> = u.iter().map(|u| kernel.weight(*u) / h).collect();
        let k = order + 1;
        let mut g = vec![0.0; k * k];
        for (u, w) in u.iter().zip(&w) {
            // Sums of powers fill the matrix.
            for (i, a) in powers(*u, order).enumerate() {
                g[i * k] += w * a;
            }
            let highest = powers(*u, order).last().unwrap_or(1.0);
            for (j, b) in powers(*u, order).enumerate().skip(1) {
                g[order * k + j] += w * highest * b;
            }
        }
        let sums: Vec<f64> = (0..k).map(|i| g[i * k]).chain((1..k).map(|j| g[order * k + j])).collect();
        let cells: Vec<f64> = (0..k * k).map(|c| sums[c / k + c % k]).collect();
        let inverse = small::inverse(&cells, k)?;
        Some(Self { range, u, w, order, h, inverse })
    }

    /// Row j of G⁻¹: the combination that gives coefficient j (of uʲ) is Σᵢ (row · rᵢ) wᵢ yᵢ.
    fn row(&self, j: usize) -> &[f64] {
        let k = self.order + 1;
        &self.inverse[j * k..(j + 1) * k]
    }

    /// What each unit's value is multiplied with in coefficient j.
    pub(super) fn loading(&self, j: usize) -> Vec<f64> {
        let row = self.row(j);
        let at = |u: f64| powers(u, self.order).zip(row).map(|(p, c)| p * c).sum::<f64>();
        self.u.iter().zip(&self.w).map(|(u, w)| at(*u) * w).collect()
    }

    /// Σ w rⱼ v.
    fn moments(&self, values: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut out = vec![0.0; self.order + 1];
        for (i, (u, w)) in self.u.iter().zip(&self.w).enumerate() {
            let v = w * values(i);
            out.iter_mut().zip(powers(*u, self.order)).for_each(|(o, p)| *o += p * v);
        }
        out
    }

    /// Coefficients of a column, of powers of u.
    pub(super) fn beta(&self, column: &[f64]) -> Vec<f64> {
        let values = &column[self.range.clone()];
        small::mul(&self.inverse, &self.moments(|i| values[i]), self.order + 1, 1)
    }

    /// (G⁻¹ Σ w r uᵒ⁺¹)_j: how the next power leans into coefficient j.
    pub(super) fn leaning(&self, j: usize) -> f64 {
        let next = i32::try_from(self.order + 1).unwrap_or(i32::MAX);
        let moments = self.moments(|i| self.u[i].powi(next));
        self.row(j).iter().zip(moments).map(|(a, b)| a * b).sum()
    }

    /// Cross products of what the fit leaves of two lists of columns.
    pub(super) fn left(&self, a: &[&Vec<f64>], b: &[&Vec<f64>]) -> Vec<f64> {
        let k = self.order + 1;
        let moments = |column: &&Vec<f64>| {
            let values = &column[self.range.clone()];
            self.moments(|i| values[i])
        };
        let (ma, mb): (Vec<_>, Vec<_>) = (a.iter().map(moments).collect(), b.iter().map(moments).collect());
        let mut out = Vec::with_capacity(a.len() * b.len());
        for (ca, ma) in a.iter().zip(&ma) {
            let solved = small::mul(&self.inverse, ma, k, 1);
            for (cb, mb) in b.iter().zip(&mb) {
                let (va, vb) = (&ca[self.range.clone()], &cb[self.range.clone()]);
                let whole: f64 = self.w.iter().zip(va).zip(vb).map(|((w, a), b)| w * a * b).sum();
                out.push(whole - solved.iter().zip(mb).map(|(a, b)| a * b).sum::<f64>());
            }
        }
        out
    }

    /// Residuals of a combination of the columns over some places, as the variance estimator takes them. Outside the bandwidth
    /// the fitted curve is continued.
    pub(super) fn residuals(
        &self,
        side: &Side,
        combination: &[f64],
        variance: RdVariance,
        places: &Range<usize>,
    ) -> Vec<f64> {
        let mut values = vec![0.0; side.x.len()];
        let reach = places.start.min(self.range.start)..places.end.max(self.range.end);
        for (column, c) in side.columns.iter().zip(combination).filter(|(_, c)| **c != 0.0) {
            values[reach.clone()].iter_mut().zip(&column[reach.clone()]).for_each(|(v, y)| *v += c * y);
        }
        if let RdVariance::NearestNeighbour(matches) = variance {
            return neighbour_residuals(&side.x[places.clone()], &values[places.clone()], matches);
        }
        let k = self.order + 1;
        let beta = small::mul(&self.inverse, &self.moments(|i| values[self.range.start + i]), k, 1);
        let n = places.len() as f64;
        let u = |place: usize| side.x[place] / self.h;
        let leverage = |place: usize| {
            let weight = if self.range.contains(&place) { self.w[place - self.range.start] } else { 0.0 };
            weight * small::quadratic(&self.inverse, &powers(u(place), self.order).collect::<Vec<f64>>())
        };
        let factor = |place: usize| match variance {
            RdVariance::Hc1 => (n / (n - k as f64).max(1.0)).sqrt(),
            RdVariance::Hc2 => (1.0 - leverage(place)).max(1e-8).sqrt().recip(),
            RdVariance::Hc3 => (1.0 - leverage(place)).max(1e-8).recip(),
            _ => 1.0,
        };
        let fitted = |place: usize| powers(u(place), self.order).zip(&beta).map(|(p, b)| p * b).sum::<f64>();
        places.clone().map(|place| factor(place) * (values[place] - fitted(place))).collect()
    }
}

/// √(J / (J + 1)) times the difference from the mean of the J nearest others by score; J is `matches`, more with ties. Source:
/// Abadie, Imbens (2006), as used by Calonico, Cattaneo, Titiunik (2014).
fn neighbour_residuals(x: &[f64], values: &[f64], matches: usize) -> Vec<f64> {
    let n = x.len();
    let groups = groups(x);
    // Sums up to each place, about a centre so that they keep their digits.
    let centre = values.iter().sum::<f64>() / n as f64;
    let mut sums = Vec::with_capacity(n + 1);
    sums.push(0.0);
    for v in values {
        sums.push(sums[sums.len() - 1] + (v - centre));
    }
    let cap = matches.min(n - 1);
    let mut out = Vec::with_capacity(n);
    for (g, group) in groups.iter().enumerate() {
        // All of one score share their neighbours.
        let (mut low, mut high) = (g, g);
        let count = |low: usize, high: usize| groups[high].end - groups[low].start;
        while count(low, high) - 1 < cap {
            let below = low.checked_sub(1).map(|l| x[group.start] - x[groups[l].start]);
            let above = groups.get(high + 1).map(|h| x[h.start] - x[group.start]);
            match (below, above) {
                (None, _) => high += 1,
                (_, None) => low -= 1,
                (Some(b), Some(a)) => {
                    let tolerance = a.max(b) * f64::EPSILON.sqrt();
                    if b - a <= tolerance {
                        low -= 1;
                    }
                    if a - b <= tolerance {
                        high += 1;
                    }
                }
            }
        }
        let (from, to) = (groups[low].start, groups[high].end);
        let others = (to - from - 1) as f64;
        let scale = (others / (others + 1.0)).sqrt();
        for place in group.clone() {
            let own = values[place];
            let mean = if to - from <= 64 {
                (values[from..to].iter().sum::<f64>() - own) / others
            } else {
                (sums[to] - sums[from] - (own - centre)) / others + centre
            };
            out.push(if others > 0.0 { scale * (own - mean) } else { 0.0 });
        }
    }
    out
}

/// Runs of equal values.
fn groups(x: &[f64]) -> Vec<Range<usize>> {
    let mut out: Vec<Range<usize>> = Vec::new();
    for (i, v) in x.iter().enumerate() {
        match out.last_mut().filter(|g| x[g.start] == *v) {
            Some(group) => group.end = i + 1,
            None => out.push(i..i + 1),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, unit by unit.
    fn slow(x: &[f64], y: &[f64], matches: usize) -> Vec<f64> {
        let n = x.len();
        (0..n)
            .map(|i| {
                let mut others: Vec<usize> = (0..n).filter(|j| *j != i).collect();
                others.sort_by(|a, b| (x[*a] - x[i]).abs().total_cmp(&(x[*b] - x[i]).abs()));
                let reach = (x[others[matches.min(n - 1) - 1]] - x[i]).abs();
                others.retain(|j| (x[*j] - x[i]).abs() <= reach * (1.0 + 1e-9));
                let j = others.len() as f64;
                (j / (j + 1.0)).sqrt() * (y[i] - others.iter().map(|o| y[*o]).sum::<f64>() / j)
            })
            .collect()
    }

    #[test]
    fn neighbours_are_the_nearest_with_all_ties() {
        let stream = throughline_stats::stream::Stream::new(4, 4);
        for (n, steps) in [(2, 1000.0), (5, 3.0), (60, 1000.0), (200, 10.0), (300, 2.0)] {
            let mut x: Vec<f64> = (0..n).map(|i| (stream.uniform_at(i) * steps).floor()).collect();
            x.sort_by(f64::total_cmp);
            let y: Vec<f64> = (0..n).map(|i| 100.0 + stream.normal_at(1000 + i)).collect();
            let (got, expect) = (neighbour_residuals(&x, &y, 3), slow(&x, &y, 3));
            assert!(got.iter().zip(&expect).all(|(a, b)| (a - b).abs() < 1e-10), "{n}: {got:?} {expect:?}");
        }
    }
}
