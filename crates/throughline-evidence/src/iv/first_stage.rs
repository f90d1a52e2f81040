//! First stages: how the instruments move the endogenous variables, and whether that is enough.

use serde_json::{Value, json};
use throughline_stats::dist;
use throughline_stats::linalg::symmetric_eigen;

use super::anderson_rubin::covariances;
use super::reduced::Reduced;
use super::{IvCovariance, weak};
use crate::small;
use crate::{EvidenceError, Joint};

/// Strength of the instruments.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Strength {
    /// The statistic that decides: effective F, or Kleibergen–Paap's F with several endogenous variables.
    pub(super) statistic: f64,
    /// What it must exceed.
    pub(super) critical: f64,
    pub(super) statistic_name: &'static str,
    pub(super) details: Value,
}

impl Strength {
    pub(super) fn weak(&self) -> bool {
        self.statistic <= self.critical
    }
}

/// Per endogenous variable: F of the instruments with classical and robust errors, partial R² and coefficients.
pub(super) fn first_stages(reduced: &Reduced<'_>, form: &Joint, robust: &Joint, classical: &Joint) -> Vec<Value> {
    let (p, q, df) = (reduced.p, reduced.q, reduced.first_stage_df());
    let of = |j: usize| {
        let range = (1 + j) * q..(2 + j) * q;
        let f = |joint: &Joint| {
            let statistic =
                small::wald(&joint.values()[range.clone()], &covariances(joint, range.clone(), range.clone()));
            statistic.map(|w| w / q as f64)
        };
        let whole = reduced.block(1 + j, 1, 1 + j, 1)[0];
        let explained: f64 =
            form.values()[range.clone()].iter().zip(reduced.block(1 + p, q, 1 + j, 1)).map(|(c, zd)| c * zd).sum();
        let coefficients: Vec<Value> = range
            .clone()
            .zip(&reduced.data.instruments)
            .map(|(i, z)| json!({ "instrument": z.name, "value": form.values()[i], "std_error": form.std_error(i) }))
            .collect();
        let classical_f = f(classical);
        let hc1 = f(robust);
        json!({
            "endogenous": reduced.data.endogenous[j].name,
            "f": classical_f,
            "df": [q, df],
            "p_value": classical_f.map(|f| dist::f_sf(f, q as f64, df)),
            "robust_f_hc0": hc1.map(|f| f * reduced.n as f64 / df),
            "robust_f_hc1": hc1,
            "clustered_f": if reduced.clusters().is_some() { f(form) } else { None },
            "partial_r_squared": explained / whole,
            "conditional_f": if p > 1 { conditional_f(reduced, j) } else { None },
            "coefficients": coefficients,
        })
    };
    (0..p).map(of).collect()
}

/// Sanderson and Windmeijer's F of one endogenous variable among several: of the instruments in the first stage of what is left of
/// it after the others' 2SLS fit, over q − p + 1. Source: Sanderson, Windmeijer (2016), J. Econometrics 190(2).
fn conditional_f(reduced: &Reduced<'_>, j: usize) -> Option<f64> {
    let (p, q) = (reduced.p, reduced.q);
    let others: Vec<usize> = (0..p).filter(|i| *i != j).collect();
    let dd = reduced.block(1, p, 1, p);
    let first = small::transpose(&reduced.on_instruments(1, p), p);
    let projected = small::mul(&first, &reduced.block(1 + p, q, 1, p), q, p);
    let pick = |a: &[f64], rows: &[usize], columns: &[usize]| -> Vec<f64> {
        rows.iter().flat_map(|r| columns.iter().map(move |c| a[r * p + c])).collect()
    };
    let inverse = small::inverse(&pick(&projected, &others, &others), others.len())?;
    let delta = small::mul(&inverse, &pick(&projected, &others, &[j]), others.len(), 1);
    // The combination D_j − D_others δ.
    let mut weights = vec![0.0; p];
    weights[j] = 1.0;
    others.iter().zip(&delta).for_each(|(i, d)| weights[*i] = -d);
    let (whole, explained) = (small::quadratic(&dd, &weights), small::quadratic(&projected, &weights));
    Some(explained / (q - p + 1) as f64 / ((whole - explained) / reduced.first_stage_df()))
}

/// Effective F, Cragg–Donald, Kleibergen–Paap and critical values.
pub(super) fn strength(
    reduced: &Reduced<'_>,
    form: &Joint,
    covariance: IvCovariance,
) -> Result<Strength, EvidenceError> {
    let failed = || EvidenceError::NotFinite { what: "strength of the instruments".into() };
    let (p, q) = (reduced.p, reduced.q);
    let cragg_donald = cragg_donald(reduced).ok_or_else(failed)?;
    let table = weak::stock_yogo(p, q);
    let stock_yogo = table.map(|v| json!({ "size_10": v[0], "size_15": v[1], "size_20": v[2], "size_25": v[3] }));
    if p > 1 {
        let kp = kleibergen_paap(reduced, form).ok_or_else(failed)?;
        let statistic = if covariance == IvCovariance::Classical { cragg_donald } else { kp };
        // Beyond the table the rule of thumb of Staiger and Stock (1997).
        let critical = table.map_or(10.0, |v| v[0]);
        let name = if covariance == IvCovariance::Classical { "Cragg–Donald F" } else { "Kleibergen–Paap F" };
        let details = json!({ "cragg_donald": cragg_donald, "kleibergen_paap": kp, "stock_yogo": stock_yogo,
            "weak": statistic <= critical });
        return Ok(Strength { statistic, critical, statistic_name: name, details });
    }
    let zz = reduced.block(1 + p, q, 1 + p, q);
    let covariance = covariances(form, q..2 * q, q..2 * q);
    let spread = small::mul(&covariance, &zz, q, q);
    let trace = small::trace(&spread, q);
    let square = small::trace(&small::mul(&spread, &spread, q, q), q);
    let root = small::lower(&zz, q).ok_or_else(failed)?;
    let whitened = small::mul(&small::mul(&small::transpose(&root, q), &covariance, q, q), &root, q, q);
    let eigen = symmetric_eigen(&whitened, q).ok_or_else(failed)?;
    let largest = eigen.values.last().copied().unwrap_or(0.0);
    let statistic = small::quadratic(&zz, &form.values()[q..2 * q]) / trace;
    if !statistic.is_finite() {
        return Err(failed());
    }
    let critical = |tau: f64| weak::effective_f_critical(trace, square, largest, tau);
    let ten = critical(0.1);
    let details = json!({
        "effective_f": statistic,
        "critical": { "bias_5": critical(0.05), "bias_10": ten, "bias_20": critical(0.2), "bias_30": critical(0.3) },
        "cragg_donald": cragg_donald,
        "stock_yogo": stock_yogo,
        "weak": statistic <= ten,
    });
    Ok(Strength { statistic, critical: ten, statistic_name: "effective F", details })
}

/// Σ̂ of the first-stage residuals over n − k.
fn residual_covariance(reduced: &Reduced<'_>) -> (Vec<f64>, Vec<f64>) {
    let (p, q) = (reduced.p, reduced.q);
    let first = small::transpose(&reduced.on_instruments(1, p), p);
    let explained = small::mul(&first, &reduced.block(1 + p, q, 1, p), q, p);
    let whole = reduced.block(1, p, 1, p);
    let sigma = whole.iter().zip(&explained).map(|(w, e)| (w - e) / reduced.first_stage_df()).collect();
    (sigma, explained)
}

/// The smallest eigenvalue of Σ̂^(−1/2) D̃ᵀPD̃ Σ̂^(−1/2) over q; F of the instruments for one endogenous variable. Source: Cragg,
/// Donald (1993), Econometric Theory 9(2).
fn cragg_donald(reduced: &Reduced<'_>) -> Option<f64> {
    let p = reduced.p;
    let (sigma, explained) = residual_covariance(reduced);
    let root = small::invert_lower(&small::lower(&sigma, p)?, p);
    let middle = small::mul(&small::mul(&root, &explained, p, p), &small::transpose(&root, p), p, p);
    Some(symmetric_eigen(&middle, p)?.values.first()? / reduced.q as f64)
}

/// The Wald form of the rank test that the first stages have rank p − 1, over q: of the coefficients in units of Z̃ᵀZ̃ and Σ̂, the part
/// outside their best approximation of rank p − 1, with its covariance. Source: Kleibergen, Paap (2006), J. Econometrics 133(1).
fn kleibergen_paap(reduced: &Reduced<'_>, form: &Joint) -> Option<f64> {
    let (p, q) = (reduced.p, reduced.q);
    let (sigma, _) = residual_covariance(reduced);
    let right = small::transpose(&small::invert_lower(&small::lower(&sigma, p)?, p), p);
    let left = small::transpose(&small::lower(&reduced.block(1 + p, q, 1 + p, q), q)?, q);
    let theta = small::mul(&small::mul(&left, &reduced.on_instruments(1, p), q, p), &right, p, p);
    let theta_t = small::transpose(&theta, p);
    let v = symmetric_eigen(&small::mul(&theta_t, &theta, q, p), p)?.vectors.swap_remove(0);
    let u = symmetric_eigen(&small::mul(&theta, &theta_t, p, q), q)?.vectors;
    let kept = q - p + 1;
    // λ = Uᵀ Θ v is linear in the coefficients: weights over (instrument, endogenous).
    let across = small::mul(&right, &v, p, 1);
    let weights: Vec<f64> = u[..kept]
        .iter()
        .flat_map(|u| {
            let rows = small::mul(u, &left, q, q);
            across.iter().flat_map(|a| rows.iter().map(|r| r * a).collect::<Vec<_>>()).collect::<Vec<f64>>()
        })
        .collect();
    let range = q..(1 + p) * q;
    let cells = covariances(form, range.clone(), range.clone());
    let lambda = small::mul(&weights, &form.values()[range], p * q, 1);
    let spread =
        small::mul(&small::mul(&weights, &cells, p * q, p * q), &small::transpose(&weights, p * q), p * q, kept);
    Some(small::wald(&lambda, &spread)? / q as f64)
}
