//! Tests of what the model assumes: overidentification and endogeneity.

use serde_json::{Value, json};
use throughline_stats::dist;

use super::IvCovariance;
use super::kclass::Fit;
use super::reduced::Reduced;
use super::scores::Score;
use crate::small;

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
    let whole = fit.squares(reduced);
    let df = (q - p) as f64;
    let sargan = Test { statistic: reduced.n as f64 * explained / whole, df, df_denominator: None };
    let basmann =
        Test { statistic: reduced.first_stage_df() * explained / (whole - explained), df, df_denominator: None };
    Some((sargan, basmann))
}

/// The tests that the endogenous variables are exogenous: Wu–Hausman's F with classical errors, and Wooldridge's Wald test with
/// the chosen errors (HC0 for robust): both of the first-stage residuals V̂ added to the regression of y on D and X. Sources: Wu
/// (1973), Hausman (1978); Wooldridge (1995). `None` where the first stage leaves nothing.
pub(super) fn endogeneity(reduced: &Reduced<'_>, covariance: IvCovariance) -> Option<(Test, Test)> {
    let (p, q, n) = (reduced.p, reduced.q, reduced.n as f64);
    let first_t = small::transpose(&reduced.on_instruments(1, p), p);
    let (dd, dy) = (reduced.block(1, p, 1, p), reduced.block(1, p, 0, 1));
    let minus = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<f64>>();
    // V̂ᵀD = V̂ᵀV̂ and V̂ᵀy.
    let vv = minus(&dd, &small::mul(&first_t, &reduced.block(1 + p, q, 1, p), q, p));
    let vy = minus(&dy, &small::mul(&first_t, &reduced.block(1 + p, q, 0, 1), q, 1));
    let k = 2 * p;
    let cell = |i: usize, j: usize| if i < p && j < p { dd[i * p + j] } else { vv[i % p * p + j % p] };
    let gram: Vec<f64> = (0..k * k).map(|c| cell(c / k, c % k)).collect();
    let inverse = small::inverse(&gram, k)?;
    let right: Vec<f64> = dy.iter().chain(&vy).copied().collect();
    let long = small::mul(&inverse, &right, k, 1);
    // D a + V̂ b = D (a + b) − Z Π b in weights over (y, D, Z).
    let weights = |coefficients: &[f64]| {
        let (a, b) = coefficients.split_at(p);
        let mut out = reduced.weights(1, &a.iter().zip(b).map(|(a, b)| a + b).collect::<Vec<_>>());
        out[1 + p..].iter_mut().zip(small::mul(b, &first_t, p, q)).for_each(|(w, c)| *w = -c);
        out
    };
    let mut residual: Vec<f64> = weights(&long).iter().map(|w| -w).collect();
    residual[0] = 1.0;
    let short = small::mul(&small::inverse(&dd, p)?, &dy, p, 1);
    let (rss, rss_short) = (reduced.squares(&residual), reduced.squares(&reduced.structural(&short)));
    let df = n - reduced.controls() as f64 - k as f64;
    if df < 1.0 || rss <= 0.0 {
        return None;
    }
    let f = (rss_short - rss).max(0.0) / p as f64 / (rss / df);
    let hausman = Test { statistic: f, df: p as f64, df_denominator: Some(df) };
    let score = |j: usize| Score { loading: weights(&inverse[j * k..(j + 1) * k]), residual: residual.clone() };
    let mut cells = match covariance {
        IvCovariance::Classical => {
            reduced.score_covariance(&(p..k).map(score).collect::<Vec<_>>(), IvCovariance::Robust)
        }
        other => reduced.score_covariance(&(p..k).map(score).collect::<Vec<_>>(), other),
    };
    if let (IvCovariance::Cluster, Some((_, groups))) = (covariance, reduced.clusters()) {
        let g = groups as f64;
        for cell in &mut cells {
            *cell *= g / (g - 1.0);
        }
    }
    let statistic = small::wald(&long[p..], &cells)?;
    Some((hausman, Test { statistic, df: p as f64, df_denominator: None }))
}
