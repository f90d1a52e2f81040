//! The direct solver: dense triangular factors without subtractions.

use super::{Counts, axpy, dot};

/// Factors of M = L · U.
#[derive(Debug, Clone)]
pub(super) struct Dense {
    /// Row-major: the negated strict triangles of the factors, all entries at least 0, and a last column of ways out of
    /// the chain, which only the factorisation reads.
    factors: Vec<f64>,
    /// Diagonal of U; 1 for states that no walk visits.
    pivots: Vec<f64>,
}

impl Dense {
    /// Factorises, ⅓ states³ multiplications.
    pub(super) fn new(counts: &Counts) -> Self {
        let n = counts.start.len();
        let mut factors = counts.rates();
        let pivots = eliminate(&mut factors, n + 1, n);
        Self { factors, pivots }
    }

    /// M⁻¹ · `reward`.
    pub(super) fn solve(&self, reward: &[f64]) -> Vec<f64> {
        let n = self.pivots.len();
        let mut x = vec![0.0; n];
        for i in 0..n {
            x[i] = reward.get(i).copied().unwrap_or(0.0) + dot(self.lower(i), &x[..i]);
        }
        for i in (0..n).rev() {
            x[i] = (x[i] + dot(self.upper(i), &x[i + 1..])) / self.pivots[i];
        }
        x
    }

    /// `start` · M⁻¹.
    pub(super) fn solve_left(&self, start: &[f64]) -> Vec<f64> {
        let n = self.pivots.len();
        let mut v = start.to_vec();
        for k in 0..n {
            v[k] /= self.pivots[k];
            let (done, rest) = v.split_at_mut(k + 1);
            axpy(rest, done[k], self.upper(k));
        }
        for i in (0..n).rev() {
            let (rest, done) = v.split_at_mut(i);
            axpy(rest, done[0], self.lower(i));
        }
        v
    }

    /// The inverses of L and of U, row-major; no entry is negative and none comes from a difference.
    pub(super) fn inverse_factors(&self) -> (Vec<f64>, Vec<f64>) {
        let n = self.pivots.len();
        let (mut lower, mut upper) = (vec![0.0; n * n], vec![0.0; n * n]);
        for i in 0..n {
            let (done, rest) = lower.split_at_mut(i * n);
            rest[i] = 1.0;
            for (row, &factor) in done.chunks_exact(n).zip(self.lower(i)).enumerate().map(|(k, (r, f))| (&r[..=k], f)) {
                axpy(&mut rest[..row.len()], factor, row);
            }
        }
        for i in (0..n).rev() {
            let (rest, done) = upper.split_at_mut((i + 1) * n);
            let row = &mut rest[i * n..];
            row[i] = 1.0;
            for (k, (below, &factor)) in done.chunks_exact(n).zip(self.upper(i)).enumerate() {
                axpy(&mut row[i + 1 + k..], factor, &below[i + 1 + k..]);
            }
            row[i..].iter_mut().for_each(|u| *u /= self.pivots[i]);
        }
        (lower, upper)
    }

    /// Row i of the negated L, left of the diagonal.
    fn lower(&self, i: usize) -> &[f64] {
        let row = i * (self.pivots.len() + 1);
        &self.factors[row..row + i]
    }

    /// Row i of the negated U, right of the diagonal.
    fn upper(&self, i: usize) -> &[f64] {
        let n = self.pivots.len();
        let row = i * (n + 1);
        &self.factors[row + i + 1..row + n]
    }
}

/// Rows that elimination updates together, so that the rows above them are read from memory once for all: 200 kB at
/// [`super::MAX_DENSE_STATES`].
const BLOCK: usize = 8;

/// Eliminates the first `count` states of a table of rates in place, subtraction-free, and answers with their pivots: the
/// sum of a state's remaining ways out, its row right of the diagonal; 1 for states without, which no walk visits. What
/// elimination puts on the diagonal is a return to the same state, which is never read; left of it remain the shares
/// with which rows above were added.
pub(super) fn eliminate(cells: &mut [f64], width: usize, count: usize) -> Vec<f64> {
    let mut pivots: Vec<f64> = Vec::with_capacity(count);
    for first in (0..cells.len() / width).step_by(BLOCK) {
        let (done, rest) = cells.split_at_mut(first * width);
        let block = rest.len().min(BLOCK * width);
        let block = &mut rest[..block];
        for (k, above) in done.chunks_exact(width).take(count).enumerate() {
            add_shares(block, width, k, above, pivots[k]);
        }
        for k in first..count.min(first + block.len() / width) {
            let (above, below) = block.split_at_mut((k - first + 1) * width);
            let above = &above[(k - first) * width..];
            let out: f64 = above[k + 1..].iter().sum();
            let pivot = if out > 0.0 { out } else { 1.0 };
            pivots.push(pivot);
            add_shares(below, width, k, above, pivot);
        }
    }
    pivots
}

/// Sends what the rows of `below` send to state k on to where k, whose row is `above`, leads.
fn add_shares(below: &mut [f64], width: usize, k: usize, above: &[f64], pivot: f64) {
    for row in below.chunks_exact_mut(width) {
        if row[k] > 0.0 {
            let share = row[k] / pivot;
            row[k] = share;
            axpy(&mut row[k + 1..], share, &above[k + 1..]);
        }
    }
}
