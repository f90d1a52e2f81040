//! Small dense factorisations in place, for the inner loops.

/// Replaces the lower triangle of the n × n matrix `a` by L with A = L Lᵀ; false when A is not positive definite.
pub(super) fn factorise(a: &mut [f64], n: usize) -> bool {
    for i in 0..n {
        for j in 0..=i {
            let (above, here) = a.split_at(i * n);
            let row_j = if i == j { &here[..j] } else { &above[j * n..j * n + j] };
            let sum: f64 = row_j.iter().zip(&here[..j]).map(|(x, y)| x * y).sum();
            let rest = a[i * n + j] - sum;
            if i == j {
                if !(rest > 0.0 && rest.is_finite()) {
                    return false;
                }
                a[i * n + i] = rest.sqrt();
            } else {
                a[i * n + j] = rest / a[j * n + j];
            }
        }
    }
    true
}

/// b ← L⁻¹ b.
pub(super) fn forward(l: &[f64], n: usize, b: &mut [f64]) {
    for i in 0..n {
        let sum: f64 = l[i * n..i * n + i].iter().zip(&*b).map(|(x, y)| x * y).sum();
        b[i] = (b[i] - sum) / l[i * n + i];
    }
}

/// b ← L⁻ᵀ b.
pub(super) fn backward(l: &[f64], n: usize, b: &mut [f64]) {
    for i in (0..n).rev() {
        b[i] /= l[i * n + i];
        let x = b[i];
        b[..i].iter_mut().zip(&l[i * n..i * n + i]).for_each(|(b, l)| *b -= l * x);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_and_refuses() {
        let a = [4.0, 2.0, 0.6, 2.0, 5.0, 1.0, 0.6, 1.0, 3.0];
        let mut l = a;
        assert!(factorise(&mut l, 3));
        let mut x = [1.0, -2.0, 0.5];
        forward(&l, 3, &mut x);
        backward(&l, 3, &mut x);
        for (i, b) in [1.0, -2.0, 0.5].iter().enumerate() {
            let back: f64 = (0..3).map(|j| a[i * 3 + j] * x[j]).sum();
            assert!((back - b).abs() < 1e-14);
        }
        assert!(!factorise(&mut [1.0, 2.0, 2.0, 1.0], 2) && !factorise(&mut [f64::NAN], 1));
    }
}
