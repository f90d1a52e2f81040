//! The k-class: OLS (κ = 0), 2SLS (κ = 1), LIML and Fuller.

use throughline_stats::linalg::symmetric_eigen;

use super::IvCovariance;
use super::reduced::Reduced;
use super::scores::Score;
use crate::small;
use crate::{EvidenceError, Joint};

/// One estimate of all endogenous coefficients.
#[derive(Debug)]
pub(super) struct Fit {
    pub(super) beta: Vec<f64>,
    pub(super) kappa: f64,
    /// (D̃ᵀ(I − κM)D̃)⁻¹.
    inverse: Vec<f64>,
    /// Influence values of each coefficient: rows of the inverse times P D̃ (D̃ for OLS), times the residual.
    scores: Vec<Score>,
}

/// β(κ) = (D̃ᵀ(I − κM)D̃)⁻¹ D̃ᵀ(I − κM)ỹ, M = I − P, P the projection on Z̃. Source: Theil (1958).
pub(super) fn fit(reduced: &Reduced<'_>, kappa: f64) -> Result<Fit, EvidenceError> {
    let (p, q) = (reduced.p, reduced.q);
    let first_t = small::transpose(&reduced.on_instruments(1, p), p);
    let (zd, zy) = (reduced.block(1 + p, q, 1, p), reduced.block(1 + p, q, 0, 1));
    let mix = |whole: Vec<f64>, projected: Vec<f64>| -> Vec<f64> {
        whole.iter().zip(&projected).map(|(w, h)| (1.0 - kappa) * w + kappa * h).collect()
    };
    let left = mix(reduced.block(1, p, 1, p), small::mul(&first_t, &zd, q, p));
    let right = mix(reduced.block(1, p, 0, 1), small::mul(&first_t, &zy, q, 1));
    let inverse = small::inverse(&left, p).ok_or_else(|| unidentified(reduced))?;
    let beta = small::mul(&inverse, &right, p, 1);
    let residual = reduced.structural(&beta);
    let loading = |j: usize| {
        let row = &inverse[j * p..(j + 1) * p];
        if kappa == 0.0 { reduced.weights(1, row) } else { reduced.weights(1 + p, &small::mul(row, &first_t, p, q)) }
    };
    let scores = (0..p).map(|j| Score { loading: loading(j), residual: residual.clone() }).collect();
    Ok(Fit { beta, kappa, inverse, scores })
}

pub(super) fn unidentified(reduced: &Reduced<'_>) -> EvidenceError {
    let names: Vec<&str> = reduced.data.endogenous.iter().map(|d| d.name.as_str()).collect();
    EvidenceError::Data {
        code: "TL370",
        message: format!("the instruments do not move {} separately: there is no estimate", names.join(" and ")),
        help: "name instruments that are related to each endogenous variable in its own way".into(),
    }
}

/// LIML's κ: the smallest root of |Yᵀ Y − κ Yᵀ M Y| for Y = (ỹ, D̃). Source: Anderson, Rubin (1949). `None` where outcome and
/// endogenous variables are exactly dependent given the instruments.
pub(super) fn liml_kappa(reduced: &Reduced<'_>) -> Option<f64> {
    let (p, q) = (reduced.p, reduced.q);
    let k = p + 1;
    let whole = reduced.block(0, k, 0, k);
    let coefficients = small::transpose(&reduced.on_instruments(0, k), k);
    let explained = small::mul(&coefficients, &reduced.block(1 + p, q, 0, k), q, k);
    // In units in which YᵀY has a unit diagonal, so that magnitudes of columns do not matter.
    let scale: Vec<f64> = (0..k).map(|i| whole[i * k + i].sqrt()).collect();
    let unexplained: Vec<f64> = (0..k * k).map(|c| (whole[c] - explained[c]) / (scale[c / k] * scale[c % k])).collect();
    let gain: Vec<f64> = (0..k * k).map(|c| explained[c] / (scale[c / k] * scale[c % k])).collect();
    let root = small::invert_lower(&small::lower(&unexplained, k)?, k);
    let middle = small::mul(&small::mul(&root, &gain, k, k), &small::transpose(&root, k), k, k);
    let least = symmetric_eigen(&middle, k)?.values.first().copied()?;
    Some(1.0 + if q == p { 0.0 } else { least.max(0.0) })
}

impl Fit {
    /// The estimates with their covariance. Robust and clustered: influence values (D̃ᵀ(I − κM)D̃)⁻¹ d̂ᵢ eᵢ; classical:
    /// s² (D̃ᵀ(I − κM)D̃)⁻¹. With `small_sample`: divisors n − k and Student's t.
    pub(super) fn joint(
        &self,
        reduced: &Reduced<'_>,
        covariance: IvCovariance,
        small_sample: bool,
        method: &str,
    ) -> Result<Joint, EvidenceError> {
        let names = reduced.data.endogenous.iter().map(|d| d.name.clone()).collect();
        let (n, df) = (reduced.n, reduced.df());
        if covariance == IvCovariance::Classical {
            let s2 = self.squares(reduced) / if small_sample { df } else { n as f64 };
            let cells = self.inverse.iter().map(|v| v * s2).collect();
            let joint = Joint::from_covariance(names, self.beta.clone(), cells, n as u64, method)?;
            return Ok(if small_sample { joint.with_df(df) } else { joint });
        }
        let influence = self.scores.iter().map(|s| reduced.influence(s)).collect();
        let joint = Joint::from_influence(names, self.beta.clone(), influence, n as u64, method)?;
        finish(joint, reduced, covariance, small_sample)
    }

    /// The first estimate alone, its influence values summed as they are made.
    pub(super) fn beside(
        &self,
        reduced: &Reduced<'_>,
        covariance: IvCovariance,
        small_sample: bool,
        method: &str,
    ) -> Result<Joint, EvidenceError> {
        if covariance != IvCovariance::Robust {
            return self.joint(reduced, covariance, small_sample, method);
        }
        let names = vec![reduced.data.endogenous[0].name.clone()];
        let cells = reduced.score_covariance(&self.scores[..1], covariance);
        let joint = Joint::from_covariance(names, self.beta[..1].to_vec(), cells, reduced.n as u64, method)?;
        finish(joint, reduced, covariance, small_sample)
    }

    /// eᵀe.
    pub(super) fn squares(&self, reduced: &Reduced<'_>) -> f64 {
        reduced.squares(&reduced.structural(&self.beta))
    }
}

/// Clusters and small-sample corrections of a joint made of influence values.
pub(super) fn finish(
    joint: Joint,
    reduced: &Reduced<'_>,
    covariance: IvCovariance,
    small_sample: bool,
) -> Result<Joint, EvidenceError> {
    let (n, df) = (reduced.n as f64, reduced.df());
    if covariance == IvCovariance::Cluster {
        let (codes, _) = reduced.clusters().ok_or(EvidenceError::Shape { what: "clusters" })?;
        let joint = joint.clustered(codes)?;
        return Ok(if small_sample { joint.with_factor((n - 1.0) / df) } else { joint });
    }
    Ok(if small_sample { joint.with_factor(n / df).with_df(df) } else { joint })
}
