//! Inner products of long columns.

/// Rows whose columns are kept near while all their products are taken.
const BLOCK: usize = 1024;

/// The inner product in eight lanes: a fixed order of additions, the same on every machine.
#[inline]
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0_f64; 8];
    let (a8, b8) = (a.chunks_exact(8), b.chunks_exact(8));
    let tail: f64 = a8.remainder().iter().zip(b8.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a8.zip(b8) {
        for lane in 0..8 {
            lanes[lane] += x[lane] * y[lane];
        }
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + b) + (c + d)) + ((e + f) + (g + h)) + tail
}

/// XᵀX of k columns of equal length, row-major k × k. Work: n k² / 2 multiplications, in one pass over memory.
pub fn gram(columns: &[&[f64]]) -> Vec<f64> {
    let k = columns.len();
    let n = columns.first().map_or(0, |c| c.len());
    let mut out = vec![0.0; k * k];
    for start in (0..n).step_by(BLOCK) {
        let end = n.min(start + BLOCK);
        for i in 0..k {
            for j in 0..=i {
                out[i * k + j] += dot(&columns[i][start..end], &columns[j][start..end]);
            }
        }
    }
    for i in 0..k {
        for j in 0..i {
            out[j * k + i] = out[i * k + j];
        }
    }
    out
}

/// Xᵀy of k columns.
pub fn times(columns: &[&[f64]], y: &[f64]) -> Vec<f64> {
    columns.iter().map(|c| c.chunks(BLOCK).zip(y.chunks(BLOCK)).map(|(c, y)| dot(c, y)).sum()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_those_of_the_definition() {
        let a: Vec<f64> = (0..2500).map(|i| f64::from(i % 17)).collect();
        let b: Vec<f64> = (0..2500).map(|i| f64::from(i % 5) - 2.0).collect();
        let slow = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
        assert_eq!(gram(&[&a, &b]), [slow(&a, &a), slow(&a, &b), slow(&a, &b), slow(&b, &b)]);
        assert_eq!(times(&[&a, &b], &b), [slow(&a, &b), slow(&b, &b)]);
    }
}
