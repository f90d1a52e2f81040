//! Small dense matrices, row-major.

use throughline_stats::linalg::{Cholesky, dot};

/// A (rows × inner) times B (inner × columns).
pub(crate) fn mul(a: &[f64], b: &[f64], inner: usize, columns: usize) -> Vec<f64> {
    let rows = a.len() / inner.max(1);
    let cell = |i: usize, j: usize| (0..inner).map(|l| a[i * inner + l] * b[l * columns + j]).sum();
    (0..rows).flat_map(|i| (0..columns).map(move |j| (i, j))).map(|(i, j)| cell(i, j)).collect()
}

/// The transpose of a matrix with so many columns.
pub(crate) fn transpose(a: &[f64], columns: usize) -> Vec<f64> {
    let rows = a.len() / columns.max(1);
    (0..columns).flat_map(|j| (0..rows).map(move |i| a[i * columns + j])).collect()
}

/// xᵀ A x.
pub(crate) fn quadratic(a: &[f64], x: &[f64]) -> f64 {
    (0..x.len()).map(|i| x[i] * dot(&a[i * x.len()..(i + 1) * x.len()], x)).sum()
}

/// The sum of the diagonal of an n × n matrix.
pub(crate) fn trace(a: &[f64], n: usize) -> f64 {
    (0..n).map(|i| a[i * n + i]).sum()
}

/// The lower factor L of A = L Lᵀ, row-major.
pub(crate) fn lower(a: &[f64], n: usize) -> Option<Vec<f64>> {
    let mut l = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let rest = a[i * n + j] - (0..j).map(|k| l[i * n + k] * l[j * n + k]).sum::<f64>();
            if j < i {
                l[i * n + j] = rest / l[j * n + j];
            } else if rest > 0.0 && rest.is_finite() {
                l[i * n + i] = rest.sqrt();
            } else {
                return None;
            }
        }
    }
    Some(l)
}

/// L⁻¹ of a lower factor.
pub(crate) fn invert_lower(l: &[f64], n: usize) -> Vec<f64> {
    let mut inverse = vec![0.0; n * n];
    for j in 0..n {
        for i in j..n {
            let below: f64 = (j..i).map(|k| l[i * n + k] * inverse[k * n + j]).sum();
            inverse[i * n + j] = (f64::from(u8::from(i == j)) - below) / l[i * n + i];
        }
    }
    inverse
}

/// A⁻¹ of a symmetric positive definite matrix, scaled to a unit diagonal first; `None` where it has no inverse.
pub(crate) fn inverse(a: &[f64], n: usize) -> Option<Vec<f64>> {
    let scale: Vec<f64> = (0..n).map(|i| a[i * n + i].sqrt()).collect();
    if scale.iter().any(|s| !s.is_finite() || *s <= 0.0) {
        return None;
    }
    let scaled = |m: &[f64]| -> Vec<f64> { (0..n * n).map(|c| m[c] / (scale[c / n] * scale[c % n])).collect() };
    let factor = Cholesky::new(&scaled(a), n, 1e-13)?;
    Some(scaled(&factor.inverse()))
}

/// aᵀ A⁻¹ a, `None` where A has no inverse.
pub(crate) fn wald(a: &[f64], covariance: &[f64]) -> Option<f64> {
    Some(quadratic(&inverse(covariance, a.len())?, a))
}
