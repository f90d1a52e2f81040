//! Tests of what the model assumes: overidentification and endogeneity.

use serde_json::{Value, json};
use throughline_stats::dist;
use throughline_stats::linalg::dot;
use throughline_stats::ols::{Covariance, OlsFit, ols};

use super::kclass::Fit;
use super::reduced::{Reduced, plus};
use super::{IvCovariance, small};

/// A test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Test {
    pub(super) statistic: f64,
    pub(super) df: f64,
    /// Of the denominator where the statistic is an F.
    pub(super) df_denominator: Option<f64>,
}

impl Test {
    pub(super) fn p_value(&self) -> f64 {
        match self.df_denominator {
            Some(df) => dist::f_sf(self.statistic, self.df, df),
            None => dist::chi_squared_sf(self.statistic, self.df),
        }
    }

    pub(super) fn json(&self) -> Value {
        let mut out = json!({ "statistic": self.statistic, "df": self.df, "p_value": self.p_value() });
        if let (Some(df), Some(map)) = (self.df_denominator, out.as_object_mut()) {
            map.insert("df_denominator".into(), json!(df));
        }
        out
    }
}

/// Sargan's and Basmann's tests that all instruments are valid, from classical 2SLS residuals e: n eᵀPe / eᵀe, and
/// (n − k − q + p) eᵀPe / eᵀMe in the form of a χ² with q − p degrees; `None` when just identified. Sources: Sargan (1958);
/// Basmann (1960).
pub(super) fn overidentification(reduced: &Reduced<'_>, fit: &Fit) -> Option<(Test, Test)> {
    let (p, q) = (reduced.p, reduced.q);
    if q == p {
        return None;
    }
    // Z̃ᵀe from the cross products.
    let fitted = small::mul(&reduced.block(1 + p, q, 1, p), &fit.beta, p, 1);
    let ze: Vec<f64> = reduced.block(1 + p, q, 0, 1).iter().zip(fitted).map(|(y, f)| y - f).collect();
    let explained = small::quadratic(&reduced.zz_inverse, &ze);
    let whole = dot(&fit.residuals, &fit.residuals);
    let df = (q - p) as f64;
    let sargan = Test { statistic: reduced.n as f64 * explained / whole, df, df_denominator: None };
    let basmann =
        Test { statistic: reduced.first_stage_df() * explained / (whole - explained), df, df_denominator: None };
    Some((sargan, basmann))
}

/// The tests that the endogenous variables are exogenous: Wu–Hausman's F with classical errors, and Wooldridge's Wald test with
/// the chosen errors: both of the first-stage residuals added to the regression of y on D and X. Sources: Wu (1973), Hausman
/// (1978); Wooldridge (1995). `None` where the first stage leaves nothing.
pub(super) fn endogeneity(reduced: &Reduced<'_>, covariance: IvCovariance) -> Option<(Test, Test)> {
    let (p, q, n) = (reduced.p, reduced.q, reduced.n);
    let first = small::transpose(&reduced.on_instruments(1, p), p);
    let unexplained: Vec<Vec<f64>> = (0..p)
        .map(|j| {
            let minus: Vec<f64> = first[j * q..(j + 1) * q].iter().map(|c| -c).collect();
            plus(reduced.d()[j].clone(), reduced.z(), &minus)
        })
        .collect();
    let d: Vec<&[f64]> = reduced.d().iter().map(Vec::as_slice).collect();
    let both: Vec<&[f64]> = d.iter().copied().chain(unexplained.iter().map(Vec::as_slice)).collect();
    let short = ols(&d, reduced.y(), None).ok()?;
    let long = ols(&both, reduced.y(), None).ok()?;
    let squares = |fit: &OlsFit| dot(&fit.residuals, &fit.residuals);
    let df = n as f64 - reduced.controls() as f64 - 2.0 * p as f64;
    if df < 1.0 || squares(&long) <= 0.0 {
        return None;
    }
    let hausman = Test {
        statistic: (squares(&short) - squares(&long)).max(0.0) / p as f64 / (squares(&long) / df),
        df: p as f64,
        df_denominator: Some(df),
    };
    let kind = match (covariance, reduced.clusters()) {
        (IvCovariance::Cluster, Some((codes, _))) => Covariance::Cluster(codes),
        _ => Covariance::Hc0,
    };
    let cells = long.covariance(&both, None, kind);
    let added = p..2 * p;
    let block: Vec<f64> =
        added.clone().flat_map(|i| added.clone().map(move |j| (i, j))).map(|(i, j)| cells[i * 2 * p + j]).collect();
    let statistic = small::wald(&long.coefficients[p..], &block)?;
    Some((hausman, Test { statistic, df: p as f64, df_denominator: None }))
}
