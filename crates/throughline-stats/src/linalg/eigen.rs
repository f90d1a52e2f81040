//! Eigenvalues and eigenvectors of symmetric matrices.

/// All eigenvalues of a symmetric matrix, ascending, with orthonormal eigenvectors.
#[derive(Debug, Clone, PartialEq)]
pub struct SymmetricEigen {
    /// Eigenvalues, ascending.
    pub values: Vec<f64>,
    /// Eigenvector k in row k.
    pub vectors: Vec<Vec<f64>>,
}

/// Sweeps after which any matrix has converged many times over.
const SWEEPS: usize = 60;

/// Decomposes the symmetric n × n matrix `a` (row-major) by cyclic Jacobi rotations: slow (about 10 n³ operations a
/// sweep) and accurate to rounding in every eigenvalue. Source: Golub, Van Loan, "Matrix Computations", §8.5. `None` for
/// a matrix with entries that are not finite.
pub fn symmetric_eigen(a: &[f64], n: usize) -> Option<SymmetricEigen> {
    if a.len() < n * n || a.iter().any(|x| !x.is_finite()) {
        return None;
    }
    let mut a = a.to_vec();
    let mut v = vec![0.0; n * n];
    (0..n).for_each(|i| v[i * n + i] = 1.0);
    for _ in 0..SWEEPS {
        let off: f64 = (0..n).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| a[i * n + j].powi(2)).sum();
        let scale: f64 = (0..n).map(|i| a[i * n + i].powi(2)).sum();
        if off <= f64::EPSILON.powi(2) * scale || off == 0.0 {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                rotate(&mut a, &mut v, n, p, q);
            }
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| a[i * n + i].total_cmp(&a[j * n + j]));
    Some(SymmetricEigen {
        values: order.iter().map(|&i| a[i * n + i]).collect(),
        vectors: order.iter().map(|&i| (0..n).map(|k| v[k * n + i]).collect()).collect(),
    })
}

/// Makes the entry (p, q) zero.
fn rotate(a: &mut [f64], v: &mut [f64], n: usize, p: usize, q: usize) {
    let apq = a[p * n + q];
    if apq == 0.0 {
        return;
    }
    let theta = (a[q * n + q] - a[p * n + p]) / (2.0 * apq);
    let t = if theta.is_finite() { theta.signum() / (theta.abs() + theta.hypot(1.0)) } else { 0.0 };
    let c = 1.0 / t.hypot(1.0);
    let s = t * c;
    for k in 0..n {
        let (kp, kq) = (a[k * n + p], a[k * n + q]);
        a[k * n + p] = c * kp - s * kq;
        a[k * n + q] = s * kp + c * kq;
    }
    for k in 0..n {
        let (pk, qk) = (a[p * n + k], a[q * n + k]);
        a[p * n + k] = c * pk - s * qk;
        a[q * n + k] = s * pk + c * qk;
    }
    a[p * n + q] = 0.0;
    a[q * n + p] = 0.0;
    for k in 0..n {
        let (kp, kq) = (v[k * n + p], v[k * n + q]);
        v[k * n + p] = c * kp - s * kq;
        v[k * n + q] = s * kp + c * kq;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decomposes_a_known_matrix() {
        // Eigenvalues of the second-difference matrix are 2 − 2 cos(kπ / (n + 1)).
        let n = 9;
        let mut a = vec![0.0; n * n];
        for i in 0..n {
            a[i * n + i] = 2.0;
            if i > 0 {
                a[i * n + i - 1] = -1.0;
                a[(i - 1) * n + i] = -1.0;
            }
        }
        let e = symmetric_eigen(&a, n).expect("finite");
        for (k, value) in e.values.iter().enumerate() {
            let expect = 2.0 - 2.0 * (std::f64::consts::PI * (k + 1) as f64 / (n + 1) as f64).cos();
            assert!((value - expect).abs() < 1e-14, "{k}: {value} {expect}");
            for i in 0..n {
                let image: f64 = (0..n).map(|j| a[i * n + j] * e.vectors[k][j]).sum();
                assert!((image - value * e.vectors[k][i]).abs() < 1e-13);
            }
        }
        assert!(symmetric_eigen(&[f64::NAN], 1).is_none());
        assert_eq!(symmetric_eigen(&[], 0).expect("empty").values, Vec::<f64>::new());
    }
}
