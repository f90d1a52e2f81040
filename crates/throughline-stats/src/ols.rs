//! Least squares over columns, with the covariances of the field.
//!
//! Normal equations of columns scaled to a mean square of 1, by Cholesky, and one step of iterative refinement on the
//! residuals, which brings the coefficients to the accuracy of an orthogonal factorisation for all but hopeless data. A
//! column that the earlier ones explain but for a share of [`COLLINEAR`] of its length is named, not dropped in silence.

use crate::linalg::{Cholesky, gram, independent_columns, times};

/// The share of a column's sum of squares that earlier columns must leave unexplained.
pub const COLLINEAR: f64 = 1e-12;

/// Why there is no fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OlsError {
    /// Columns of unequal length, or none.
    #[error("columns have unequal lengths, or there are none")]
    Shape,
    /// A value is NaN or infinite.
    #[error("value {row} of column {column} is not finite")]
    NotFinite {
        /// Position of the column; the number of columns means the outcome.
        column: usize,
        /// Position of the row.
        row: usize,
    },
    /// Columns are combinations of earlier ones.
    #[error("columns {columns:?} are combinations of earlier columns")]
    Collinear {
        /// Positions.
        columns: Vec<usize>,
    },
    /// As many coefficients as rows, or more.
    #[error("{rows} rows are too few for {columns} coefficients")]
    TooFewRows {
        /// Rows.
        rows: usize,
        /// Coefficients.
        columns: usize,
    },
}

/// Which covariance of the coefficients.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Covariance<'a> {
    /// s² (XᵀX)⁻¹ with s² over n − k: equal variances.
    Classical,
    /// White: no correction.
    Hc0,
    /// White times n / (n − k).
    Hc1,
    /// Residuals over √(1 − leverage).
    Hc2,
    /// Residuals over 1 − leverage.
    Hc3,
    /// Sums of scores within clusters (codes from 0), times G / (G − 1) · (n − 1) / (n − k).
    Cluster(&'a [u32]),
}

/// A fit.
#[derive(Debug, Clone, PartialEq)]
pub struct OlsFit {
    /// One coefficient per column.
    pub coefficients: Vec<f64>,
    /// y − X b.
    pub residuals: Vec<f64>,
    /// (XᵀWX)⁻¹, row-major.
    pub inverse: Vec<f64>,
    /// Rows − columns.
    pub df: usize,
}

/// Minimises Σ w (y − X b)². Weights, if any, must be positive.
pub fn ols(columns: &[&[f64]], y: &[f64], weights: Option<&[f64]>) -> Result<OlsFit, OlsError> {
    check(columns, y, weights)?;
    let (n, k) = (y.len(), columns.len());
    let owned: Vec<Vec<f64>>;
    let weighted: Vec<&[f64]> = match weights {
        None => columns.to_vec(),
        Some(w) => {
            owned = columns.iter().map(|c| c.iter().zip(w).map(|(x, w)| x * w).collect()).collect();
            owned.iter().map(Vec::as_slice).collect()
        }
    };
    let mut g = match weights {
        None => gram(columns),
        Some(_) => columns.iter().flat_map(|c| times(&weighted, c)).collect(),
    };
    let scale: Vec<f64> = (0..k).map(|j| (g[j * k + j] / n as f64).sqrt()).collect();
    let scale: Vec<f64> = scale.into_iter().map(|s| if s > 0.0 { s } else { 1.0 }).collect();
    for i in 0..k {
        for j in 0..k {
            g[i * k + j] /= scale[i] * scale[j];
        }
    }
    let Some(factor) = Cholesky::new(&g, k, COLLINEAR) else {
        let kept = independent_columns(&g, k, COLLINEAR);
        return Err(OlsError::Collinear { columns: (0..k).filter(|j| !kept.contains(j)).collect() });
    };
    let mut fit = OlsFit { coefficients: vec![0.0; k], residuals: y.to_vec(), inverse: Vec::new(), df: n - k };
    for _ in 0..2 {
        let right: Vec<f64> = times(&weighted, &fit.residuals).iter().zip(&scale).map(|(b, s)| b / s).collect();
        for ((c, step), s) in fit.coefficients.iter_mut().zip(factor.solve(&right)).zip(&scale) {
            *c += step / s;
        }
        fit.residuals.copy_from_slice(y);
        for (c, column) in fit.coefficients.iter().zip(columns) {
            fit.residuals.iter_mut().zip(*column).for_each(|(r, x)| *r -= c * x);
        }
    }
    fit.inverse = factor.inverse();
    for i in 0..k {
        for j in 0..k {
            fit.inverse[i * k + j] /= scale[i] * scale[j];
        }
    }
    Ok(fit)
}

fn check(columns: &[&[f64]], y: &[f64], weights: Option<&[f64]>) -> Result<(), OlsError> {
    let (n, k) = (y.len(), columns.len());
    if k == 0 || columns.iter().any(|c| c.len() != n) || weights.is_some_and(|w| w.len() != n) {
        return Err(OlsError::Shape);
    }
    for (column, values) in columns.iter().copied().chain([y]).enumerate() {
        if let Some(row) = values.iter().position(|x| !x.is_finite()) {
            return Err(OlsError::NotFinite { column, row });
        }
    }
    if n <= k {
        return Err(OlsError::TooFewRows { rows: n, columns: k });
    }
    Ok(())
}

impl OlsFit {
    /// Influence values of coefficient `j`: φᵢ with b − β ≈ Σ φᵢ; φ = (XᵀWX)⁻¹ x w e.
    pub fn influence(&self, columns: &[&[f64]], weights: Option<&[f64]>, j: usize) -> Vec<f64> {
        let k = columns.len();
        let mut out = vec![0.0; self.residuals.len()];
        for (l, column) in columns.iter().enumerate() {
            let a = self.inverse[j * k + l];
            out.iter_mut().zip(*column).for_each(|(o, x)| *o += a * x);
        }
        out.iter_mut().zip(&self.residuals).for_each(|(o, e)| *o *= e);
        if let Some(w) = weights {
            out.iter_mut().zip(w).for_each(|(o, w)| *o *= w);
        }
        out
    }

    /// xᵢᵀ (XᵀWX)⁻¹ xᵢ wᵢ of every row.
    pub fn leverage(&self, columns: &[&[f64]], weights: Option<&[f64]>) -> Vec<f64> {
        let k = columns.len();
        (0..self.residuals.len())
            .map(|i| {
                let mut h = 0.0;
                for a in 0..k {
                    let inner: f64 = (0..k).map(|b| self.inverse[a * k + b] * columns[b][i]).sum();
                    h += columns[a][i] * inner;
                }
                h * weights.map_or(1.0, |w| w[i])
            })
            .collect()
    }

    /// Covariance of the coefficients, row-major k × k.
    pub fn covariance(&self, columns: &[&[f64]], weights: Option<&[f64]>, kind: Covariance<'_>) -> Vec<f64> {
        let (n, k) = (self.residuals.len() as f64, columns.len());
        let df = self.df as f64;
        if kind == Covariance::Classical {
            let squares = |(i, e): (usize, &f64)| e * e * weights.map_or(1.0, |w| w[i]);
            let s2 = self.residuals.iter().enumerate().map(squares).sum::<f64>() / df;
            return self.inverse.iter().map(|v| v * s2).collect();
        }
        let mut scores: Vec<Vec<f64>> = (0..k).map(|j| self.influence(columns, weights, j)).collect();
        let mut factor = if kind == Covariance::Hc1 { n / df } else { 1.0 };
        if matches!(kind, Covariance::Hc2 | Covariance::Hc3) {
            let power = if kind == Covariance::Hc2 { 0.5 } else { 1.0 };
            let h = self.leverage(columns, weights);
            for column in &mut scores {
                column.iter_mut().zip(&h).for_each(|(s, h)| *s /= (1.0 - h).max(f64::EPSILON).powf(power));
            }
        }
        if let Covariance::Cluster(codes) = kind {
            let groups = codes.iter().max().map_or(0, |m| *m as usize + 1);
            scores = scores.iter().map(|column| sums_within(column, codes, groups)).collect();
            let g = groups as f64;
            factor = g / (g - 1.0) * (n - 1.0) / df;
        }
        let refs: Vec<&[f64]> = scores.iter().map(Vec::as_slice).collect();
        gram(&refs).into_iter().map(|v| v * factor).collect()
    }
}

/// Sums of values by code, `groups` of them.
pub fn sums_within(values: &[f64], codes: &[u32], groups: usize) -> Vec<f64> {
    let mut out = vec![0.0; groups];
    for (value, code) in values.iter().zip(codes) {
        out[*code as usize] += value;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Longley-like: Wampler's fifth-degree polynomial, certified coefficients all 1 (NIST StRD Wampler1).
    #[test]
    fn a_badly_conditioned_problem_keeps_its_digits() {
        let x: Vec<f64> = (0..21).map(f64::from).collect();
        let columns: Vec<Vec<f64>> = (0..6).map(|p| x.iter().map(|v| v.powi(p)).collect()).collect();
        let refs: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let y: Vec<f64> = (0..21).map(|i| columns.iter().map(|c| c[i]).sum()).collect();
        let fit = ols(&refs, &y, None).expect("a fit");
        for c in &fit.coefficients {
            assert!((c - 1.0).abs() < 1e-6, "{:?}", fit.coefficients);
        }
    }

    #[test]
    fn covariances_agree_with_formulas_by_hand() {
        // Two groups: the slope's HC2 variance is s₁²/n₁ + s₀²/n₀.
        let one = [1.0; 7];
        let d = [0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0];
        let y = [1.0, 2.0, 4.0, 3.0, 5.0, 4.5, 7.0];
        let columns: [&[f64]; 2] = [&one, &d];
        let fit = ols(&columns, &y, None).expect("a fit");
        let variance = |v: &[f64]| {
            let m = v.iter().sum::<f64>() / v.len() as f64;
            v.iter().map(|x| (x - m).powi(2)).sum::<f64>() / (v.len() - 1) as f64
        };
        let neyman = variance(&y[..3]) / 3.0 + variance(&y[3..]) / 4.0;
        assert!((fit.covariance(&columns, None, Covariance::Hc2)[3] - neyman).abs() < 1e-12);
        // Every row its own cluster: HC0 times n / (n − 1) · (n − 1) / (n − k) = HC1.
        let own: Vec<u32> = (0..7).collect();
        let (cluster, hc1) = (
            fit.covariance(&columns, None, Covariance::Cluster(&own)),
            fit.covariance(&columns, None, Covariance::Hc1),
        );
        assert!((cluster[3] - hc1[3]).abs() < 1e-14);
        let whole: f64 = fit.influence(&columns, None, 1).iter().map(|p| p * p).sum();
        assert!((whole - fit.covariance(&columns, None, Covariance::Hc0)[3]).abs() < 1e-14);
    }

    #[test]
    fn weights_repeat_rows() {
        let one = [1.0; 6];
        let (x, y) = ([0.0, 1.0, 2.0, 2.0, 3.0, 3.0], [1.0, 2.0, 2.5, 2.5, 5.0, 5.0]);
        let repeated = ols(&[&one, &x], &y, None).expect("a fit");
        let weighted = ols(&[&one[..4], &[0.0, 1.0, 2.0, 3.0]], &[1.0, 2.0, 2.5, 5.0], Some(&[1.0, 1.0, 2.0, 2.0]))
            .expect("a fit");
        assert!((repeated.coefficients[1] - weighted.coefficients[1]).abs() < 1e-14);
    }

    #[test]
    fn faults_are_named() {
        let (one, two) = ([1.0; 4], [2.0; 4]);
        let y = [1.0, 2.0, 3.0, 4.0];
        assert_eq!(ols(&[&one, &two], &y, None), Err(OlsError::Collinear { columns: vec![1] }));
        assert_eq!(ols(&[&one[..1]], &y[..1], None), Err(OlsError::TooFewRows { rows: 1, columns: 1 }));
        assert_eq!(ols(&[&[1.0, f64::NAN, 1.0]], &y[..3], None), Err(OlsError::NotFinite { column: 0, row: 1 }));
        assert_eq!(ols(&[], &y, None), Err(OlsError::Shape));
    }
}
