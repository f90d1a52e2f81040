//! Weights of the affine estimates behind the smoothness bound.
//!
//! Let v_m weight the coefficient m periods before the base. The estimate l·β_post + v·β_pre is free of any linear trend when
//! Σ m v_m = Σ s l_s, and then its worst bias over slopes that change by at most M is M (C + Σ_{i≥1} |q_i|) with
//! q_i = Σ_{m>i} (m − i) v_m and C from l alone. v are the second differences of q (q_0 fixed, q_i = 0 from i = K on), so
//! the least variance for a bias is a lasso in q, solved by coordinate descent along a path of penalties.

use crate::Joint;

/// Points of the path between the least variance and the least bias.
const STEPS: usize = 60;

/// Sweeps of coordinate descent per point.
const SWEEPS: usize = 10_000;

pub(super) struct Smooth<'a> {
    joint: &'a Joint,
    before: usize,
    target: &'a [f64],
    /// Σ s l_s.
    first: f64,
    /// What l alone adds to the bias.
    constant: f64,
}

impl<'a> Smooth<'a> {
    pub(super) fn new(joint: &'a Joint, before: usize, target: &'a [f64]) -> Self {
        let n = target.len();
        let first: f64 = target.iter().enumerate().map(|(s, l)| (s + 1) as f64 * l).sum();
        // Position s (from 1) moves by (s − j) per unit change of slope at j.
        let later = |j: usize| (j + 1..=n).map(|s| (s - j) as f64 * target[s - 1]).sum::<f64>().abs();
        let constant = first.abs() + (1..n).map(later).sum::<f64>();
        Self { joint, before, target, first, constant }
    }

    /// v from q: the weight of the coefficient m = 1.. periods before the base.
    fn before_weights(&self, q: &[f64]) -> Vec<f64> {
        let at = |i: usize| match i {
            0 => self.first,
            i => q.get(i - 1).copied().unwrap_or(0.0),
        };
        (1..=self.before).map(|m| at(m - 1) - 2.0 * at(m) + at(m + 1)).collect()
    }

    /// Weights of all coefficients in order of time.
    pub(super) fn all(&self, q: &[f64]) -> Vec<f64> {
        let mut all: Vec<f64> = self.before_weights(q);
        all.reverse();
        all.extend(self.target);
        all
    }

    /// Worst bias per unit of M.
    pub(super) fn bias(&self, q: &[f64]) -> f64 {
        self.constant + q.iter().map(|v| v.abs()).sum::<f64>()
    }

    pub(super) fn std_error(&self, q: &[f64]) -> f64 {
        let all = self.all(q);
        self.product(&all, &all).max(0.0).sqrt()
    }

    fn product(&self, a: &[f64], b: &[f64]) -> f64 {
        let row = |i: usize| b.iter().enumerate().map(|(j, b)| b * self.joint.covariance(i, j)).sum::<f64>();
        a.iter().enumerate().filter(|(_, a)| **a != 0.0).map(|(i, a)| a * row(i)).sum()
    }
}

/// Candidate weights q, from the least variance to the least bias (q = 0).
pub(super) fn frontier(smooth: &Smooth<'_>, with_bias: bool) -> Vec<Vec<f64>> {
    let k = smooth.before - 1;
    let zero = vec![0.0; k];
    if k == 0 {
        return vec![zero];
    }
    let base = smooth.all(&zero);
    let direction = |i: usize| {
        let mut unit = zero.clone();
        unit[i] = 1.0;
        smooth.all(&unit).iter().zip(&base).map(|(a, b)| a - b).collect::<Vec<f64>>()
    };
    let directions: Vec<Vec<f64>> = (0..k).map(direction).collect();
    let gradient: Vec<f64> = directions.iter().map(|d| smooth.product(d, &base)).collect();
    let hessian: Vec<f64> =
        directions.iter().flat_map(|a| directions.iter().map(|b| smooth.product(a, b)).collect::<Vec<_>>()).collect();
    let most = gradient.iter().fold(0.0, |m: f64, g| m.max(g.abs()));
    let mut q = zero.clone();
    let mut path = vec![zero];
    // From the strongest penalty, where q is 0, down: each point starts from the last.
    for step in 1..=STEPS {
        let penalty = most * (-9.0 * step as f64 / STEPS as f64).exp();
        descend(&mut q, &gradient, &hessian, penalty);
        path.push(q.clone());
    }
    descend(&mut q, &gradient, &hessian, 0.0);
    path.push(q);
    if with_bias { path } else { path.split_off(path.len() - 1) }
}

/// Minimises ½ qᵀHq + gᵀq + penalty · |q|₁.
fn descend(q: &mut [f64], gradient: &[f64], hessian: &[f64], penalty: f64) {
    let k = q.len();
    for _ in 0..SWEEPS {
        let mut moved = 0.0_f64;
        for i in 0..k {
            let h = hessian[i * k + i];
            if h <= 0.0 {
                continue;
            }
            let others: f64 = (0..k).filter(|j| *j != i).map(|j| hessian[i * k + j] * q[j]).sum();
            let free = -(gradient[i] + others);
            let new = free.signum() * (free.abs() - penalty).max(0.0) / h;
            moved = moved.max((new - q[i]).abs());
            q[i] = new;
        }
        if moved <= 1e-9 * q.iter().fold(1e-9, |m: f64, v| m.max(v.abs())) {
            return;
        }
    }
}
