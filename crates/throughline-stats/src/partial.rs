//! Partialling out: columns without what controls and a constant explain of them.
//!
//! By the theorem of Frisch, Waugh and Lovell a regression on controls and other columns has for those others the
//! coefficients, residuals and robust errors of the regression on what is left of everything after the controls. With many
//! rows the controls are then touched twice in all, whatever is estimated after. Source: Lovell (1963), JASA 58.

use crate::linalg::{BLOCK, Cholesky, add_products, dot, independent_columns, mirror, parts_of, sum_parts};
use crate::ols::{COLLINEAR, OlsError};
use crate::parallel::{PART, map_parts, threads_for};

/// What is left of target columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Partialled {
    /// One column per target: the residuals of its regression on a constant and the controls.
    pub residuals: Vec<Vec<f64>>,
    /// Per target, one coefficient per control.
    pub coefficients: Vec<Vec<f64>>,
    /// Per target, its value where all controls are 0.
    pub intercepts: Vec<f64>,
    /// Per target, the share of its variation about the mean that is left; 0 for a constant column.
    pub left: Vec<f64>,
    /// Means of the controls.
    pub means: Vec<f64>,
    /// Inverse of the centred cross products of the controls, row-major.
    pub inverse: Vec<f64>,
}

/// Rounds of refinement at most; one is enough but for nearly collinear controls.
const ROUNDS: usize = 4;

/// The largest correlation with a control that counts as none.
const ORTHOGONAL: f64 = 1e-13;

/// Regresses every target on a constant and the controls, all finite and of equal length. Normal equations of centred
/// and scaled columns by Cholesky; residuals are corrected until they are orthogonal to every control to 1e-13, which gives
/// the accuracy of an orthogonal factorisation. Work: n (k + t)² / 2 + 2 n k t multiplications for k controls and t targets,
/// on all cores with the same bits for any number of them. Errors: as of [`crate::ols::ols`], with positions among
/// the controls (a constant control is collinear with the constant), targets after them.
pub fn partial_out(controls: &[&[f64]], targets: &[&[f64]]) -> Result<Partialled, OlsError> {
    let all: Vec<&[f64]> = controls.iter().chain(targets).copied().collect();
    let n = all.first().map_or(0, |c| c.len());
    if targets.is_empty() || all.iter().any(|c| c.len() != n) {
        return Err(OlsError::Shape);
    }
    let k = controls.len();
    if n < k + 2 {
        return Err(OlsError::TooFewRows { rows: n, columns: k + 1 });
    }
    let (means, products) = centred_products(&all)?;
    let width = all.len();
    let cell = |i: usize, j: usize| products[i * width + j];
    // A column that varies only by rounding does not vary.
    let floor = |j: usize| n as f64 * (means[j].abs() * 4.0 * f64::EPSILON).powi(2);
    let scale: Vec<f64> = (0..k).map(|j| cell(j, j).max(0.0).sqrt()).map(|s| if s > 0.0 { s } else { 1.0 }).collect();
    let mut g: Vec<f64> = (0..k).flat_map(|i| (0..k).map(move |j| (i, j))).map(|(i, j)| cell(i, j)).collect();
    for i in 0..k {
        for j in 0..k {
            g[i * k + j] /= scale[i] * scale[j];
        }
        if cell(i, i) <= floor(i) {
            (0..k).for_each(|j| (g[i * k + j], g[j * k + i]) = (0.0, 0.0));
        }
    }
    let Some(factor) = Cholesky::new(&g, k, COLLINEAR) else {
        let kept = independent_columns(&g, k, COLLINEAR);
        return Err(OlsError::Collinear { columns: (0..k).filter(|j| !kept.contains(j)).collect() });
    };
    let mut inverse = factor.inverse();
    for i in 0..k {
        for j in 0..k {
            inverse[i * k + j] /= scale[i] * scale[j];
        }
    }
    let right = |t: usize| (0..k).map(|j| cell(k + t, j)).collect::<Vec<f64>>();
    let before: Vec<f64> = (0..targets.len()).map(|t| cell(k + t, k + t)).collect();
    let constant: Vec<bool> = (0..targets.len()).map(|t| before[t] <= floor(k + t)).collect();
    let mut out = Fit { k, means, scale, factor }.residuals(&all, &(0..targets.len()).map(right).collect::<Vec<_>>());
    out.inverse = inverse;
    for (t, before) in before.iter().enumerate() {
        let after = dot(&out.residuals[t], &out.residuals[t]);
        out.left[t] = if constant[t] { 0.0 } else { (after / before).min(1.0) };
    }
    Ok(out)
}

struct Fit {
    k: usize,
    means: Vec<f64>,
    scale: Vec<f64>,
    factor: Cholesky,
}

impl Fit {
    /// Coefficients from products of the targets with the centred controls.
    fn step(&self, right: &[f64]) -> Vec<f64> {
        let scaled: Vec<f64> = right.iter().zip(&self.scale).map(|(r, s)| r / s).collect();
        self.factor.solve(&scaled).iter().zip(&self.scale).map(|(c, s)| c / s).collect()
    }

    fn residuals(self, all: &[&[f64]], right: &[Vec<f64>]) -> Partialled {
        let (k, n, targets) = (self.k, all[0].len(), all.len() - self.k);
        let centres = &self.means[k..];
        let mut residuals: Vec<Vec<f64>> =
            all[k..].iter().zip(centres).map(|(c, m)| c.iter().map(|v| v - m).collect()).collect();
        let mut coefficients = vec![vec![0.0; k]; targets];
        let mut steps: Vec<Vec<f64>> = right.iter().map(|r| self.step(r)).collect();
        for round in 0..ROUNDS {
            for (sum, step) in coefficients.iter_mut().zip(&steps) {
                sum.iter_mut().zip(step).for_each(|(c, s)| *c += s);
            }
            let products = self.subtract(all, &steps, &mut residuals);
            let size = |t: usize| products[targets * k + t].sqrt();
            let worst = (0..targets)
                .flat_map(|t| (0..k).map(move |j| (t, j)))
                .map(|(t, j)| products[t * k + j].abs() / (self.scale[j] * size(t)).max(f64::MIN_POSITIVE))
                .fold(0.0, f64::max);
            if worst <= ORTHOGONAL || round + 1 == ROUNDS || n == 0 {
                break;
            }
            steps = (0..targets).map(|t| self.step(&products[t * k..(t + 1) * k])).collect();
        }
        let at_zero = |c: &Vec<f64>, m: &f64| m - c.iter().zip(&self.means).map(|(c, m)| c * m).sum::<f64>();
        let intercepts = coefficients.iter().zip(centres).map(|(c, m)| at_zero(c, m)).collect();
        let means = self.means[..k].to_vec();
        Partialled { residuals, coefficients, intercepts, left: vec![0.0; targets], means, inverse: Vec::new() }
    }

    /// Subtracts `steps` times the centred controls from the residuals; returns their products with the centred controls, target
    /// by target, and after those each one's with itself.
    fn subtract(&self, all: &[&[f64]], steps: &[Vec<f64>], residuals: &mut [Vec<f64>]) -> Vec<f64> {
        let (k, n) = (self.k, all[0].len());
        let bounds = parts_of(n);
        let mut parts: Vec<(usize, Vec<&mut [f64]>)> = bounds.iter().map(|(from, _)| (*from, Vec::new())).collect();
        for column in residuals.iter_mut() {
            for (part, piece) in parts.iter_mut().zip(column.chunks_mut(PART)) {
                part.1.push(piece);
            }
        }
        let threads = threads_for(parts.len());
        let work = |(from, mut pieces): (usize, Vec<&mut [f64]>)| {
            let mut sums = vec![0.0; steps.len() * (k + 1)];
            let mut packed = vec![0.0; k * BLOCK];
            let rows = pieces.first().map_or(0, |p| p.len());
            for start in (0..rows).step_by(BLOCK) {
                let end = rows.min(start + BLOCK);
                let size = end - start;
                pack(&all[..k], &self.means, from + start, size, &mut packed);
                let block: Vec<&[f64]> = (0..k).map(|j| &packed[j * BLOCK..j * BLOCK + size]).collect();
                for (piece, step) in pieces.iter_mut().zip(steps) {
                    subtract(&mut piece[start..end], step, &block);
                }
                let left: Vec<&[f64]> = pieces.iter().map(|p| &p[start..end]).collect();
                let (with_controls, own) = sums.split_at_mut(steps.len() * k);
                add_products(&left, &block, false, with_controls);
                own.iter_mut().zip(&left).for_each(|(s, r)| *s += dot(r, r));
            }
            sums
        };
        sum_parts(map_parts(parts, threads, work), steps.len() * (k + 1))
    }
}

/// Subtracts coefficients times columns from `out`, four columns at a time so that `out` is read and written seldom.
fn subtract(out: &mut [f64], coefficients: &[f64], columns: &[&[f64]]) {
    for (c, x) in coefficients.chunks(4).zip(columns.chunks(4)) {
        if let ([c0, c1, c2, c3], [x0, x1, x2, x3]) = (c, x) {
            let pairs = x0.iter().zip(*x1).zip(x2.iter().zip(*x3));
            for (o, ((x0, x1), (x2, x3))) in out.iter_mut().zip(pairs) {
                *o -= (c0 * x0 + c1 * x1) + (c2 * x2 + c3 * x3);
            }
        } else {
            for (c, x) in c.iter().zip(x) {
                out.iter_mut().zip(*x).for_each(|(o, x)| *o -= c * x);
            }
        }
    }
}

/// Copies `size` rows of the columns less their centres next to each other.
fn pack(columns: &[&[f64]], centres: &[f64], start: usize, size: usize, packed: &mut [f64]) {
    for ((column, centre), out) in columns.iter().zip(centres).zip(packed.chunks_exact_mut(BLOCK)) {
        out.iter_mut().zip(&column[start..start + size]).for_each(|(o, v)| *o = v - centre);
    }
}

/// The sum in eight lanes, which need not wait for each other.
fn total(column: &[f64]) -> f64 {
    let (chunks, rest) = column.as_chunks::<8>();
    let mut lanes = [0.0; 8];
    for chunk in chunks {
        lanes.iter_mut().zip(chunk).for_each(|(l, v)| *l += v);
    }
    lanes.iter().chain(rest).sum()
}

/// Means of the columns and their centred cross products (row-major), in one pass: about a centre from rows spread over the
/// columns, corrected to the mean at the end.
fn centred_products(all: &[&[f64]]) -> Result<(Vec<f64>, Vec<f64>), OlsError> {
    let (width, n) = (all.len(), all[0].len());
    let stride = n.div_ceil(512).max(1);
    let near = |c: &&[f64]| c.iter().step_by(stride).sum::<f64>() / n.div_ceil(stride) as f64;
    let centres: Vec<f64> = all.iter().map(near).collect();
    let parts = parts_of(n);
    let threads = threads_for(parts.len());
    let work = |(from, to): (usize, usize)| {
        let mut sums = vec![0.0; width * width + width];
        let mut packed = vec![0.0; width * BLOCK];
        for start in (from..to).step_by(BLOCK) {
            let size = to.min(start + BLOCK) - start;
            pack(all, &centres, start, size, &mut packed);
            let block: Vec<&[f64]> = (0..width).map(|j| &packed[j * BLOCK..j * BLOCK + size]).collect();
            add_products(&block, &block, true, &mut sums[..width * width]);
            for (sum, column) in sums[width * width..].iter_mut().zip(&block) {
                *sum += total(column);
            }
        }
        sums
    };
    let sums = sum_parts(map_parts(parts, threads, work), width * width + width);
    let (mut products, totals) = (sums[..width * width].to_vec(), &sums[width * width..]);
    if let Some(column) = (0..width).find(|j| !products[j * width + j].is_finite()) {
        let row = all[column].iter().position(|v| !v.is_finite()).unwrap_or(0);
        return Err(OlsError::NotFinite { column, row });
    }
    let off: Vec<f64> = totals.iter().map(|t| t / n as f64).collect();
    for i in 0..width {
        for j in 0..=i {
            products[i * width + j] -= n as f64 * off[i] * off[j];
        }
    }
    mirror(&mut products, width);
    Ok((centres.iter().zip(&off).map(|(c, o)| c + o).collect(), products))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ols::ols;
    use crate::stream::Stream;

    fn columns(n: usize, k: usize, seed: u64) -> Vec<Vec<f64>> {
        let stream = Stream::new(seed, 1);
        (0..k).map(|j| (0..n).map(|i| 3.0 * j as f64 + stream.normal_at((i * k + j) as u64)).collect()).collect()
    }

    #[test]
    fn residuals_are_those_of_least_squares() {
        for (n, k) in [(7, 0), (9, 3), (300, 5), (PART + 100, 2)] {
            let data = columns(n, k + 2, 5);
            let refs: Vec<&[f64]> = data.iter().map(Vec::as_slice).collect();
            let got = partial_out(&refs[..k], &refs[k..]).expect("a fit");
            let one = vec![1.0; n];
            let design: Vec<&[f64]> = std::iter::once(one.as_slice()).chain(refs[..k].iter().copied()).collect();
            for t in 0..2 {
                let fit = ols(&design, refs[k + t], None).expect("a fit");
                assert!((fit.coefficients[0] - got.intercepts[t]).abs() < 1e-10);
                assert!(fit.residuals.iter().zip(&got.residuals[t]).all(|(a, b)| (a - b).abs() < 1e-11));
                assert!(fit.coefficients[1..].iter().zip(&got.coefficients[t]).all(|(a, b)| (a - b).abs() < 1e-11));
            }
        }
    }

    /// NIST StRD Wampler1: a fifth-degree polynomial with certified coefficients of 1.
    #[test]
    fn nearly_collinear_controls_keep_their_digits() {
        let powers: Vec<Vec<f64>> = (1..6).map(|p| (0..21).map(|i| f64::from(i).powi(p)).collect()).collect();
        let refs: Vec<&[f64]> = powers.iter().map(Vec::as_slice).collect();
        let y: Vec<f64> = (0..21).map(|i| 1.0 + powers.iter().map(|c| c[i]).sum::<f64>()).collect();
        let got = partial_out(&refs, &[&y]).expect("a fit");
        assert!(got.coefficients[0].iter().all(|c| (c - 1.0).abs() < 1e-8), "{:?}", got.coefficients);
        assert!((got.intercepts[0] - 1.0).abs() < 1e-6 && got.left[0] < 1e-20);
    }

    #[test]
    fn faults_are_named() {
        let data = columns(50, 3, 9);
        let sum: Vec<f64> = data[0].iter().zip(&data[1]).map(|(a, b)| a + 2.0 * b).collect();
        let tenth = vec![0.1; 50];
        let refs: Vec<&[f64]> = data.iter().map(Vec::as_slice).collect();
        let of = |controls: &[&[f64]]| partial_out(controls, &refs[2..]);
        assert_eq!(of(&[refs[0], refs[1], &sum]), Err(OlsError::Collinear { columns: vec![2] }));
        assert_eq!(of(&[refs[0], &tenth]), Err(OlsError::Collinear { columns: vec![1] }));
        assert_eq!(of(&[&tenth[..4]]), Err(OlsError::Shape));
        assert!(matches!(partial_out(&[], &[&[1.0]]), Err(OlsError::TooFewRows { .. })));
        let left = partial_out(&refs[..2], &[&sum, &tenth, refs[2]]).expect("a fit").left;
        assert!(left[0] < 1e-20 && left[1] == 0.0 && left[2] > 0.9, "{left:?}");
        let hole = [1.0, f64::NAN, 2.0, 3.0];
        assert_eq!(partial_out(&[], &[&hole]), Err(OlsError::NotFinite { column: 0, row: 1 }));
    }
}
