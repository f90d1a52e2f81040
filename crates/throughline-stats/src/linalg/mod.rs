//! Small dense symmetric systems, row-major: some hundred columns at most. Work grows with the cube of the columns.

mod eigen;

mod gram;

pub use eigen::{SymmetricEigen, symmetric_eigen};
pub(crate) use gram::{BLOCK, add_products, mirror, parts_of, sum_parts};
pub use gram::{dot, gram, times};

/// The lower-triangular L of A = L Lᵀ.
#[derive(Debug, Clone)]
pub struct Cholesky {
    n: usize,
    lower: Vec<f64>,
}

impl Cholesky {
    /// Factorises the symmetric n × n matrix `a` (only its lower triangle is read); `None` unless every pivot exceeds
    /// `tolerance` times its diagonal entry, which measures how much of a column the earlier ones leave unexplained.
    pub fn new(a: &[f64], n: usize, tolerance: f64) -> Option<Self> {
        let mut lower = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..=i {
                let dot: f64 = (0..j).map(|k| lower[i * n + k] * lower[j * n + k]).sum();
                let rest = a[i * n + j] - dot;
                if j < i {
                    lower[i * n + j] = rest / lower[j * n + j];
                } else if rest > tolerance * a[i * n + i] && rest > 0.0 && rest.is_finite() {
                    lower[i * n + i] = rest.sqrt();
                } else {
                    return None;
                }
            }
        }
        Some(Self { n, lower })
    }

    /// Solves A x = b.
    pub fn solve(&self, b: &[f64]) -> Vec<f64> {
        let n = self.n;
        let mut x = b.to_vec();
        for i in 0..n {
            let dot: f64 = (0..i).map(|k| self.lower[i * n + k] * x[k]).sum();
            x[i] = (x[i] - dot) / self.lower[i * n + i];
        }
        for i in (0..n).rev() {
            let dot: f64 = (i + 1..n).map(|k| self.lower[k * n + i] * x[k]).sum();
            x[i] = (x[i] - dot) / self.lower[i * n + i];
        }
        x
    }

    /// ln det A.
    pub fn log_determinant(&self) -> f64 {
        2.0 * (0..self.n).map(|i| self.lower[i * self.n + i].ln()).sum::<f64>()
    }

    /// A⁻¹.
    pub fn inverse(&self) -> Vec<f64> {
        let n = self.n;
        let mut inverse = vec![0.0; n * n];
        for j in 0..n {
            let mut unit = vec![0.0; n];
            unit[j] = 1.0;
            for (i, x) in self.solve(&unit).into_iter().enumerate() {
                inverse[i * n + j] = x;
            }
        }
        inverse
    }
}

/// Which columns of a Gram matrix are independent of those before them: a column is kept while the pivot it adds
/// exceeds `tolerance` times its diagonal entry.
pub fn independent_columns(gram: &[f64], n: usize, tolerance: f64) -> Vec<usize> {
    let mut kept: Vec<usize> = Vec::new();
    // Rows of the factor over the kept columns so far.
    let mut rows: Vec<Vec<f64>> = Vec::new();
    for i in 0..n {
        let mut row: Vec<f64> = Vec::with_capacity(kept.len() + 1);
        for (&j, other) in kept.iter().zip(&rows) {
            let dot: f64 = row.iter().zip(other).map(|(a, b)| a * b).sum();
            row.push((gram[i * n + j] - dot) / other[row.len()]);
        }
        let rest = gram[i * n + i] - row.iter().map(|l| l * l).sum::<f64>();
        if rest > 0.0 && rest > tolerance * gram[i * n + i] {
            row.push(rest.sqrt());
            rows.push(row);
            kept.push(i);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_and_inverts() {
        let a = [4.0, 2.0, 2.0, 10.0];
        let factor = Cholesky::new(&a, 2, 0.0).expect("positive definite");
        assert_eq!(factor.solve(&[8.0, 22.0]), [1.0, 2.0]);
        let expect = [10.0 / 36.0, -2.0 / 36.0, -2.0 / 36.0, 4.0 / 36.0];
        for (got, expect) in factor.inverse().into_iter().zip(expect) {
            assert!((got - expect).abs() < 1e-15);
        }
        assert!(Cholesky::new(&[1.0, 2.0, 2.0, 4.0], 2, 1e-12).is_none());
        assert!(Cholesky::new(&[f64::NAN], 1, 0.0).is_none());
    }

    #[test]
    fn dependent_columns_are_found() {
        // Third column is the sum of the first two; the second is empty in the second case.
        assert_eq!(independent_columns(&[2.0, 1.0, 3.0, 1.0, 2.0, 3.0, 3.0, 3.0, 6.0], 3, 1e-10), [0, 1]);
        assert_eq!(independent_columns(&[2.0, 0.0, 0.0, 0.0], 2, 1e-10), [0]);
    }
}
