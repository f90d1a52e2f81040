//! Efficient GMM: two steps, or repeated until the weights stand.
//!
//! The moments of the controls can be concentrated out: the optimal weight of the instruments' moments is then the inverse of
//! their own block of S, and the controls' coefficients move so that their moments are S_xz S_zz⁻¹ g_z. Source: Hansen (1982),
//! Econometrica 50(4); the algebra is that of a partitioned quadratic form.

use throughline_stats::linalg::{dot, gram};
use throughline_stats::ols::sums_within;

use super::IvCovariance;
use super::kclass::{Fit, finish, unidentified};
use super::reduced::{Reduced, plus};
use super::scores::Score;
use crate::small;
use crate::{EvidenceError, Joint};

/// Rounds of repeated GMM at most.
const ROUNDS: usize = 100;

/// An efficient GMM estimate.
#[derive(Debug)]
pub(super) struct GmmFit {
    pub(super) joint: Joint,
    /// Hansen's J: n gᵀ S⁻¹ g.
    pub(super) j: f64,
    /// Steps taken.
    pub(super) steps: usize,
}

/// Repeats β = (GᵀWG)⁻¹GᵀW Z̃ᵀỹ, W = S(β)⁻¹, from the 2SLS estimate. S sums e² z̃z̃ᵀ, within clusters where errors are clustered;
/// classical S is s² Z̃ᵀZ̃, which gives 2SLS again. Two steps unless `iterate`.
pub(super) fn gmm(
    reduced: &Reduced<'_>,
    start: &Fit,
    covariance: IvCovariance,
    iterate: bool,
    small_sample: bool,
) -> Result<GmmFit, EvidenceError> {
    let (p, q, n) = (reduced.p, reduced.q, reduced.n);
    let (zd, zy) = (reduced.block(1 + p, q, 1, p), reduced.block(1 + p, q, 0, 1));
    let mut residuals = reduced.combination(&reduced.structural(&start.beta));
    let mut last = start.beta.clone();
    let (mut step, singular) = (1, || unidentified(reduced));
    loop {
        let s = Scores::new(reduced, &residuals, covariance);
        let weight = small::inverse(&s.middle(reduced), q).ok_or_else(singular)?;
        let gw = small::mul(&small::transpose(&zd, p), &weight, q, q);
        let bread = small::inverse(&small::mul(&gw, &zd, q, p), p).ok_or_else(singular)?;
        let beta = small::mul(&bread, &small::mul(&gw, &zy, q, 1), p, 1);
        let moments: Vec<f64> = small::mul(&zd, &beta, p, 1).iter().zip(&zy).map(|(f, y)| y - f).collect();
        let pull = small::mul(&weight, &moments, q, 1);
        let mut next = reduced.combination(&reduced.structural(&beta));
        if q > p {
            s.move_controls(reduced, &pull, &mut next);
        }
        residuals = next;
        step += 1;
        let moved = beta.iter().zip(&last).map(|(b, l)| (b - l).abs() / (b.abs() + 1e-8)).fold(0.0, f64::max);
        if !iterate || moved < 1e-12 || step > ROUNDS {
            let loadings = small::mul(&bread, &gw, p, q);
            let influence: Vec<Vec<f64>> = (0..p)
                .map(|j| {
                    let mut column = plus(vec![0.0; n], reduced.z(), &loadings[j * q..(j + 1) * q]);
                    column.iter_mut().zip(&residuals).for_each(|(c, e)| *c *= e);
                    column
                })
                .collect();
            let names = reduced.data.endogenous.iter().map(|d| d.name.clone()).collect();
            let joint = Joint::from_influence(names, beta, influence, n as u64, "gmm")?;
            // Moments of a just identified model are zero but for rounding.
            let j = if q > p { dot(&moments, &pull) } else { 0.0 };
            return Ok(GmmFit { joint: finish(joint, reduced, covariance, small_sample)?, j, steps: step });
        }
        last = beta;
    }
}

/// Hansen's J of two-step GMM alone.
pub(super) fn hansen_j(reduced: &Reduced<'_>, start: &Fit, covariance: IvCovariance) -> Option<f64> {
    let (p, q) = (reduced.p, reduced.q);
    let residual = reduced.structural(&start.beta);
    let unit = |i: usize| Score { loading: reduced.weights(1 + p + i, &[1.0]), residual: residual.clone() };
    let weight = small::inverse(&reduced.score_covariance(&(0..q).map(unit).collect::<Vec<_>>(), covariance), q)?;
    let (zd, zy) = (reduced.block(1 + p, q, 1, p), reduced.block(1 + p, q, 0, 1));
    let gw = small::mul(&small::transpose(&zd, p), &weight, q, q);
    let beta = small::mul(&small::inverse(&small::mul(&gw, &zd, q, p), p)?, &small::mul(&gw, &zy, q, 1), p, 1);
    let moments: Vec<f64> = small::mul(&zd, &beta, p, 1).iter().zip(&zy).map(|(f, y)| y - f).collect();
    Some(small::quadratic(&weight, &moments))
}

/// Scores z̃ e of one set of residuals.
struct Scores<'s> {
    residuals: &'s [f64],
    covariance: IvCovariance,
    columns: Vec<Vec<f64>>,
}

impl<'s> Scores<'s> {
    fn new(reduced: &Reduced<'_>, residuals: &'s [f64], covariance: IvCovariance) -> Self {
        let product = |z: &Vec<f64>| -> Vec<f64> { z.iter().zip(residuals).map(|(z, e)| z * e).collect() };
        let columns = if covariance == IvCovariance::Classical {
            Vec::new()
        } else {
            reduced.z().iter().map(|z| within(product(z), reduced, covariance)).collect()
        };
        Self { residuals, covariance, columns }
    }

    /// S of the instruments.
    fn middle(&self, reduced: &Reduced<'_>) -> Vec<f64> {
        if self.covariance == IvCovariance::Classical {
            let s2 = dot(self.residuals, self.residuals) / reduced.n as f64;
            return reduced.block(1 + reduced.p, reduced.q, 1 + reduced.p, reduced.q).iter().map(|v| v * s2).collect();
        }
        gram(&self.columns.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }

    /// Adds X (XᵀX)⁻¹ S_xz `pull` to the residuals: what efficient weights make of the controls' coefficients. Under
    /// classical S the block S_xz is 0.
    fn move_controls(&self, reduced: &Reduced<'_>, pull: &[f64], residuals: &mut [f64]) {
        if self.covariance == IvCovariance::Classical {
            return;
        }
        let pulled = plus(vec![0.0; self.columns[0].len()], &self.columns, pull);
        let parts = &reduced.parts;
        let inner = |column: Vec<f64>| dot(&within(column, reduced, self.covariance), &pulled);
        let constant = inner(self.residuals.to_vec()) / reduced.n as f64;
        let controls = &reduced.data.controls;
        let right: Vec<f64> = controls
            .iter()
            .zip(&parts.means)
            .map(|(x, m)| inner(x.values.iter().zip(self.residuals).map(|(x, e)| (x - m) * e).collect()))
            .collect();
        let moves = small::mul(&parts.inverse, &right, controls.len(), 1);
        for r in residuals.iter_mut() {
            *r += constant;
        }
        for ((x, m), c) in controls.iter().zip(&parts.means).zip(&moves) {
            residuals.iter_mut().zip(x.values.iter()).for_each(|(r, x)| *r += c * (x - m));
        }
    }
}

/// A column of scores, summed within clusters where errors are clustered.
fn within(column: Vec<f64>, reduced: &Reduced<'_>, covariance: IvCovariance) -> Vec<f64> {
    match (covariance, reduced.clusters()) {
        (IvCovariance::Cluster, Some((codes, groups))) => sums_within(&column, codes, groups),
        _ => column,
    }
}
