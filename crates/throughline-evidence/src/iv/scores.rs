//! Influence values that are products of two linear combinations of what is left of (y, D, Z), block by block: covariances of
//! many of them take one pass and no memory of the length of the data.

use std::ops::Range;

use throughline_stats::linalg::gram;
use throughline_stats::ols::sums_within;
use throughline_stats::parallel::{PART, map_parts, threads_for};

use super::IvCovariance;
use super::reduced::Reduced;

/// One influence value per row: (loading · row) × (residual · row), with weights over (y, D, Z).
#[derive(Debug, Clone)]
pub(super) struct Score {
    pub(super) loading: Vec<f64>,
    pub(super) residual: Vec<f64>,
}

/// Rows taken at once, so that the combinations stay near.
const BLOCK: usize = 1024;

impl Reduced<'_> {
    /// A weight vector over (y, D, Z) with `values` from column `at` on.
    pub(super) fn weights(&self, at: usize, values: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; 1 + self.p + self.q];
        out[at..at + values.len()].copy_from_slice(values);
        out
    }

    /// Weights of y − D β.
    pub(super) fn structural(&self, beta: &[f64]) -> Vec<f64> {
        let mut out = self.weights(0, &[1.0]);
        out[1..=self.p].iter_mut().zip(beta).for_each(|(w, b)| *w = -b);
        out
    }

    /// Adds a combination of the columns over some rows to `out`.
    fn add(&self, weights: &[f64], rows: Range<usize>, out: &mut [f64]) {
        out.fill(0.0);
        for (column, w) in self.parts.residuals.iter().zip(weights).filter(|(_, w)| **w != 0.0) {
            out.iter_mut().zip(&column[rows.clone()]).for_each(|(o, v)| *o += w * v);
        }
    }

    /// A combination of the columns.
    pub(super) fn combination(&self, weights: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; self.n];
        self.add(weights, 0..self.n, &mut out);
        out
    }

    /// The sum of squares of a combination.
    pub(super) fn squares(&self, weights: &[f64]) -> f64 {
        let unit = Score { loading: weights.to_vec(), residual: Vec::new() };
        self.sums(&[unit])[0]
    }

    /// The influence values of a score.
    pub(super) fn influence(&self, score: &Score) -> Vec<f64> {
        let mut out = self.combination(&score.loading);
        let mut block = vec![0.0; BLOCK];
        for (index, piece) in out.chunks_mut(BLOCK).enumerate() {
            let (from, block) = (index * BLOCK, &mut block[..piece.len()]);
            self.add(&score.residual, from..from + block.len(), block);
            piece.iter_mut().zip(block.iter()).for_each(|(o, e)| *o *= e);
        }
        out
    }

    /// Σ φφᵀ of scores, within clusters where errors are clustered, without any correction.
    pub(super) fn score_covariance(&self, scores: &[Score], covariance: IvCovariance) -> Vec<f64> {
        match (covariance, self.clusters()) {
            (IvCovariance::Cluster, Some((codes, groups))) => {
                let sums: Vec<Vec<f64>> =
                    scores.iter().map(|s| sums_within(&self.influence(s), codes, groups)).collect();
                gram(&sums.iter().map(Vec::as_slice).collect::<Vec<_>>())
            }
            _ => self.sums(scores),
        }
    }

    /// Σ φφᵀ over rows; a score without residual weights is its loading alone.
    fn sums(&self, scores: &[Score]) -> Vec<f64> {
        let k = scores.len();
        let parts: Vec<Range<usize>> = (0..self.n).step_by(PART).map(|s| s..self.n.min(s + PART)).collect();
        let threads = threads_for(parts.len());
        let work = |part: Range<usize>| {
            let mut sums = vec![0.0; k * k];
            let mut columns = vec![0.0; k * BLOCK];
            let mut residual = vec![0.0; BLOCK];
            for start in part.clone().step_by(BLOCK) {
                let end = part.end.min(start + BLOCK);
                let size = end - start;
                for (s, column) in columns.chunks_exact_mut(BLOCK).enumerate() {
                    let column = &mut column[..size];
                    self.add(&scores[s].loading, start..end, column);
                    if scores[s].residual.is_empty() {
                        continue;
                    }
                    // Scores of one residual stand together: it is computed once.
                    if s == 0 || scores[s].residual != scores[s - 1].residual {
                        self.add(&scores[s].residual, start..end, &mut residual[..size]);
                    }
                    column.iter_mut().zip(&residual).for_each(|(c, e)| *c *= e);
                }
                let block: Vec<&[f64]> = columns.chunks_exact(BLOCK).map(|c| &c[..size]).collect();
                sums.iter_mut().zip(gram(&block)).for_each(|(s, g)| *s += g);
            }
            sums
        };
        map_parts(parts, threads, work).into_iter().fold(vec![0.0; k * k], |mut all, part| {
            all.iter_mut().zip(part).for_each(|(a, p)| *a += p);
            all
        })
    }
}
