//! Entropy balancing: control weights under which covariate means are exactly those of the treated.

use throughline_core::Diagnostic;
use throughline_stats::linalg::Cholesky;
use throughline_stats::ols::ols;

use super::aipw::unadjusted;
use super::score::{Score, joint};
use super::settings::data;
use super::study::Study;
use crate::{EvidenceError, Joint};

/// Newton steps.
const MOST_STEPS: usize = 200;
/// Largest imbalance of a covariate, in its standard deviations, that counts as balanced.
const BALANCED: f64 = 1e-8;

/// A fit. The first estimate of `joint` is the ATT.
#[derive(Debug, Clone)]
pub struct EntropyFit {
    /// ATT, both means, the unadjusted difference.
    pub joint: Joint,
    /// 1 for the treated; weights of the controls, of sum n₁.
    pub weights: Vec<f64>,
    /// What the checks found.
    pub diagnostics: Vec<Diagnostic>,
}

/// The ATT with control weights w ∝ exp(λ·x) that meet Σ w x = the treated's mean of x, the closest to equal weights in
/// entropy. Source: Hainmueller (2012), Political Analysis 20. Consistent when either the odds of treatment are log-linear in
/// x or the untreated outcome is linear (Zhao, Percival 2017, J. Causal Inference 5); with β the slopes of a regression of Y on
/// x weighted by w, φ = D/n₁ (Y − Ȳ₁ − β·(x − x̄₁)) − (1 − D) w (Y − θ₀ − β·(x − x̄₁)).
///
/// # Errors
/// A treatment that is not 0/1 (TL385); means of the treated outside what controls can reach (TL392).
pub fn entropy_balancing(study: &Study) -> Result<EntropyFit, EvidenceError> {
    study.require_binary()?;
    let (n, k) = (study.n(), study.covariates.len());
    let treated = study.treated() as f64;
    // Distances from the treated's means, in standard deviations.
    let z: Vec<Vec<f64>> = study.columns().iter().map(|c| centred(c, &study.treatment)).collect();
    let controls: Vec<usize> = (0..n).filter(|i| study.treatment[*i] == 0.0).collect();
    let rows: Vec<Vec<f64>> = controls.iter().map(|i| z.iter().map(|c| c[*i]).collect()).collect();
    let shares = balance_shares(&rows, k).ok_or_else(|| {
        data(
            "TL392",
            "no weights of the controls reach the covariate means of the treated".into(),
            "compare with controls that are more alike, or name fewer covariates",
        )
    })?;
    let y: Vec<f64> = controls.iter().map(|i| study.outcome[*i]).collect();
    let zero = y.iter().zip(&shares).map(|(y, w)| y * w).sum::<f64>();
    let one = study.outcome.iter().zip(&study.treatment).map(|(y, d)| y * d).sum::<f64>() / treated;
    let slopes = slopes(&rows, &y, &shares, k);
    let fitted = |i: usize| z.iter().zip(&slopes).map(|(c, b)| c[i] * b).sum::<f64>();
    let mut share = vec![0.0; n];
    controls.iter().zip(&shares).for_each(|(i, w)| share[*i] = *w);
    let of = |value: f64, name: &str, f: &dyn Fn(usize) -> f64| Score {
        name: name.into(),
        value,
        influence: (0..n).map(f).collect(),
    };
    let (d, out) = (&study.treatment, &study.outcome);
    let first = of(one, "E[Y(1)|D=1]", &|i| d[i] * (out[i] - one) / treated);
    let second = of(zero, "E[Y(0)|D=1]", &|i| d[i] * fitted(i) / treated + share[i] * (out[i] - zero - fitted(i)));
    let difference = super::score::less("ATT", &first, &second);
    let joint =
        joint(vec![difference, first, second, unadjusted(study)?], study.clusters.as_deref(), "entropy_balancing")?;
    let weights = (0..n).map(|i| if d[i] == 1.0 { 1.0 } else { share[i] * treated }).collect();
    Ok(EntropyFit { joint, weights, diagnostics: Vec::new() })
}

fn centred(column: &[f64], treatment: &[f64]) -> Vec<f64> {
    let n = column.len() as f64;
    let treated: f64 = treatment.iter().sum();
    let mean = column.iter().sum::<f64>() / n;
    let scale = (column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt();
    let target = column.iter().zip(treatment).map(|(x, d)| x * d).sum::<f64>() / treated;
    column.iter().map(|x| (x - target) / scale).collect()
}

/// Weights of sum 1 with Σ w z = 0: Newton on the convex ln Σ exp(λ·z), halved steps.
fn balance_shares(rows: &[Vec<f64>], k: usize) -> Option<Vec<f64>> {
    let mut lambda = vec![0.0; k];
    let (mut value, mut shares) = tilted(rows, &lambda);
    for _ in 0..MOST_STEPS {
        let (mut gradient, mut hessian) = (vec![0.0; k], vec![0.0; k * k]);
        for (row, w) in rows.iter().zip(&shares) {
            for a in 0..k {
                gradient[a] += w * row[a];
                (0..=a).for_each(|b| hessian[a * k + b] += w * row[a] * row[b]);
            }
        }
        for a in 0..k {
            (0..=a).for_each(|b| hessian[a * k + b] -= gradient[a] * gradient[b]);
        }
        if gradient.iter().all(|g| g.abs() < BALANCED) {
            return Some(shares);
        }
        let step = Cholesky::new(&hessian, k, 1e-14)?.solve(&gradient);
        let mut length = 1.0;
        loop {
            let next: Vec<f64> = lambda.iter().zip(&step).map(|(l, s)| l - length * s).collect();
            let (next_value, next_shares) = tilted(rows, &next);
            if next_value <= value {
                (lambda, value, shares) = (next, next_value, next_shares);
                break;
            }
            length *= 0.5;
            if length < 1e-8 {
                // The value cannot fall further: balanced to rounding, or never.
                return gradient.iter().all(|g| g.abs() < 1e-6).then_some(shares);
            }
        }
    }
    None
}

/// ln Σ exp(λ·z) and the shares exp(λ·z) / Σ.
fn tilted(rows: &[Vec<f64>], lambda: &[f64]) -> (f64, Vec<f64>) {
    let dots: Vec<f64> = rows.iter().map(|r| r.iter().zip(lambda).map(|(z, l)| z * l).sum()).collect();
    let top = dots.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let raised: Vec<f64> = dots.iter().map(|d| (d - top).exp()).collect();
    let total: f64 = raised.iter().sum();
    (top + total.ln(), raised.iter().map(|r| r / total).collect())
}

fn slopes(rows: &[Vec<f64>], y: &[f64], shares: &[f64], k: usize) -> Vec<f64> {
    let mut columns = vec![vec![1.0; rows.len()]];
    columns.extend((0..k).map(|j| rows.iter().map(|r| r[j]).collect::<Vec<f64>>()));
    let refs: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let weights: Vec<f64> = shares.iter().map(|w| w.max(1e-300) * rows.len() as f64).collect();
    ols(&refs, y, Some(&weights)).map_or_else(|_| vec![0.0; k], |fit| fit.coefficients[1..].to_vec())
}
