//! Inner products of long columns.

use crate::parallel::{PART, map_parts, threads_for};

/// Rows whose columns are kept near while all their products are taken.
pub(crate) const BLOCK: usize = 256;

/// Sums that are kept apart in an inner product: a fixed order of additions, the same on every machine.
const LANES: usize = 4;

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

/// The four inner products of two columns with two others: each value is read once for two products, which keeps the
/// arithmetic units rather than the memory ports busy.
#[inline]
fn dots(a: [&[f64]; 2], b: [&[f64]; 2]) -> [[f64; 2]; 2] {
    let mut lanes = [[[0.0_f64; LANES]; 2]; 2];
    let n = a[0].len().min(a[1].len()).min(b[0].len()).min(b[1].len());
    let whole = n - n % LANES;
    let (a0, a1) = (a[0][..whole].as_chunks::<LANES>().0, a[1][..whole].as_chunks::<LANES>().0);
    let (b0, b1) = (b[0][..whole].as_chunks::<LANES>().0, b[1][..whole].as_chunks::<LANES>().0);
    // Equal lengths in the eyes of the compiler, so that no access is checked.
    let m = a0.len();
    let (a1, b0, b1) = (&a1[..m], &b0[..m], &b1[..m]);
    for at in 0..m {
        let (x0, x1, y0, y1) = (a0[at], a1[at], b0[at], b1[at]);
        for lane in 0..LANES {
            lanes[0][0][lane] += x0[lane] * y0[lane];
            lanes[0][1][lane] += x0[lane] * y1[lane];
            lanes[1][0][lane] += x1[lane] * y0[lane];
            lanes[1][1][lane] += x1[lane] * y1[lane];
        }
    }
    let mut out = [[0.0; 2]; 2];
    for (i, j) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let [w, x, y, z] = lanes[i][j];
        let tail: f64 = a[i][whole..n].iter().zip(&b[j][whole..n]).map(|(x, y)| x * y).sum();
        out[i][j] = (w + x) + (y + z) + tail;
    }
    out
}

/// Adds aᵀb of one block to `out` (row-major, a × b); with `lower` only the cells on and below the diagonal are needed.
pub(crate) fn add_products(a: &[&[f64]], b: &[&[f64]], lower: bool, out: &mut [f64]) {
    let width = b.len();
    for i in (0..a.len()).step_by(2) {
        let second_row = i + 1 < a.len();
        let rows = [a[i], a[if second_row { i + 1 } else { i }]];
        let end = if lower { width.min(i + 2) } else { width };
        for j in (0..end).step_by(2) {
            let second_column = j + 1 < width;
            let cells = dots(rows, [b[j], b[if second_column { j + 1 } else { j }]]);
            out[i * width + j] += cells[0][0];
            if second_column {
                out[i * width + j + 1] += cells[0][1];
            }
            if second_row {
                out[(i + 1) * width + j] += cells[1][0];
                if second_column {
                    out[(i + 1) * width + j + 1] += cells[1][1];
                }
            }
        }
    }
}

/// Sums of results of parts, in order.
pub(crate) fn sum_parts(parts: Vec<Vec<f64>>, cells: usize) -> Vec<f64> {
    let mut out = vec![0.0; cells];
    for part in parts {
        out.iter_mut().zip(part).for_each(|(o, p)| *o += p);
    }
    out
}

/// Fills the upper triangle from the lower one.
pub(crate) fn mirror(a: &mut [f64], k: usize) {
    for i in 0..k {
        for j in 0..i {
            a[j * k + i] = a[i * k + j];
        }
    }
}

/// Rows from–to of every part of n rows.
pub(crate) fn parts_of(n: usize) -> Vec<(usize, usize)> {
    (0..n).step_by(PART).map(|start| (start, n.min(start + PART))).collect()
}

/// XᵀX of k columns of equal length, row-major k × k. Work: n k² / 2 multiplications, in one pass over memory; long
/// columns on all cores, with the same bits for any number of them.
pub fn gram(columns: &[&[f64]]) -> Vec<f64> {
    let k = columns.len();
    let n = columns.first().map_or(0, |c| c.len());
    let parts = parts_of(n);
    let threads = threads_for(parts.len());
    let of_part = |(from, to): (usize, usize)| {
        let mut sums = vec![0.0; k * k];
        for start in (from..to).step_by(BLOCK) {
            let end = to.min(start + BLOCK);
            let block: Vec<&[f64]> = columns.iter().map(|c| &c[start..end]).collect();
            add_products(&block, &block, true, &mut sums);
        }
        sums
    };
    let mut out = sum_parts(map_parts(parts, threads, of_part), k * k);
    mirror(&mut out, k);
    out
}

/// Xᵀy of k columns.
pub fn times(columns: &[&[f64]], y: &[f64]) -> Vec<f64> {
    columns.iter().map(|c| c.chunks(BLOCK).zip(y.chunks(BLOCK)).map(|(c, y)| dot(c, y)).sum()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slow(x: &[f64], y: &[f64]) -> f64 {
        x.iter().zip(y).map(|(x, y)| x * y).sum()
    }

    #[test]
    fn products_are_those_of_the_definition() {
        let a: Vec<f64> = (0..2500).map(|i| f64::from(i % 17)).collect();
        let b: Vec<f64> = (0..2500).map(|i| f64::from(i % 5) - 2.0).collect();
        assert_eq!(gram(&[&a, &b]), [slow(&a, &a), slow(&a, &b), slow(&a, &b), slow(&b, &b)]);
        assert_eq!(times(&[&a, &b], &b), [slow(&a, &b), slow(&b, &b)]);
        assert_eq!(gram(&[]), Vec::<f64>::new());
    }

    #[test]
    fn every_shape_of_columns_is_covered() {
        // Whole numbers, so that any order of additions gives the same; lengths around the lanes, blocks and parts.
        for k in 1..8_usize {
            for n in [1, 3, 4, 5, 255, 256, 257, PART - 1, PART + 3] {
                let of = |j: usize| (0..n).map(|i| ((i * (j + 3) + j) % 11) as f64 - 5.0).collect::<Vec<f64>>();
                let columns: Vec<Vec<f64>> = (0..k).map(of).collect();
                let refs: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
                let g = gram(&refs);
                for i in 0..k {
                    for j in 0..k {
                        assert_eq!(g[i * k + j], slow(refs[i], refs[j]), "{k} columns of {n}, cell {i} {j}");
                    }
                }
            }
        }
    }
}
