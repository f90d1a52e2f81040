//! Ridge logistic regression on sparse rows, from any start: for many columns of which each row holds few, fitted again and
//! again on other weights. [`crate::logistic`] has standard errors and findings; this has none.
//!
//! Maximises Σ [sᵢ ln pᵢ + (nᵢ − sᵢ) ln(1 − pᵢ)] − ½ λ Σ βⱼ² over an intercept, never penalised, and one coefficient a
//! column, with s successes in n trials and ln(p / (1 − p)) = β₀ + x·β. Newton's method; each step is solved by conjugate
//! gradients with the diagonal as preconditioner (C.-J. Lin, R. C. Weng, S. S. Keerthi, "Trust region Newton method for
//! large-scale logistic regression", JMLR 9, 2008, whose trust region is a halved step here) and halved until the
//! objective, which is concave, does not fall.

use crate::logistic::sigmoid;

/// Newton steps end when one would raise the objective by less than this share of the number of trials.
const GAIN: f64 = 1e-14;
const MOST_STEPS: usize = 50;
const MOST_GRADIENTS: usize = 200;
/// Residual at which a Newton step counts as solved.
const RESIDUAL: f64 = 1e-8;

/// Rows to learn from: row i holds `columns[ends[i - 1]..ends[i]]` with as many `values`.
#[derive(Debug, Clone, Copy)]
pub struct SparseRows<'a> {
    /// Where each row ends.
    pub ends: &'a [usize],
    /// Column numbers.
    pub columns: &'a [u32],
    /// Their values.
    pub values: &'a [f64],
}

impl SparseRows<'_> {
    /// Calls `each` with every row's number and entries.
    fn for_each(&self, mut each: impl FnMut(usize, &[u32], &[f64])) {
        let mut start = 0;
        for (i, &end) in self.ends.iter().enumerate() {
            each(i, &self.columns[start..end], &self.values[start..end]);
            start = end;
        }
    }
}

/// A fit.
#[derive(Debug, Clone, PartialEq)]
pub struct SparseFit {
    /// Log-odds coefficients, the intercept first; 0 for columns left out.
    pub coefficients: Vec<f64>,
    /// Newton steps made.
    pub steps: usize,
    /// Whether they ended by themselves.
    pub converged: bool,
}

/// Fits the columns that `active` holds, with `successes` and `failures` of at least 0 for each row, from `start` (an
/// intercept and the columns) or from the mean; λ = `ridge` > 0 keeps the answer finite. `None` without a success or
/// without a failure, where the intercept has no maximum. Cost: entries × gradients × steps.
pub fn ridge_logistic(
    rows: &SparseRows<'_>,
    successes: &[f64],
    failures: &[f64],
    active: &[bool],
    ridge: f64,
    start: Option<&[f64]>,
) -> Option<SparseFit> {
    let (won, lost): (f64, f64) = (successes.iter().sum(), failures.iter().sum());
    if !(won > 0.0 && lost > 0.0) {
        return None;
    }
    let problem = Problem { rows, successes, failures, active, ridge };
    let mut coefficients = vec![0.0; active.len() + 1];
    match start {
        Some(start) => coefficients.copy_from_slice(start),
        None => coefficients[0] = (won / lost).ln(),
    }
    let mut objective = problem.objective(&coefficients);
    for step in 1..=MOST_STEPS {
        let (gradient, curvature) = problem.slopes(&coefficients);
        let direction = problem.newton(&gradient, &curvature);
        let gain: f64 = direction.iter().zip(&gradient).map(|(d, g)| d * g).sum();
        if gain <= GAIN * (won + lost) {
            return Some(SparseFit { coefficients, steps: step, converged: true });
        }
        let mut length = 1.0;
        loop {
            let next: Vec<f64> = coefficients.iter().zip(&direction).map(|(c, d)| c + length * d).collect();
            let reached = problem.objective(&next);
            if reached >= objective {
                (coefficients, objective) = (next, reached);
                break;
            }
            if length < 1e-9 {
                // No step up means that rounding is all that is left.
                return Some(SparseFit { coefficients, steps: step, converged: true });
            }
            length *= 0.5;
        }
    }
    Some(SparseFit { coefficients, steps: MOST_STEPS, converged: false })
}

struct Problem<'a> {
    rows: &'a SparseRows<'a>,
    successes: &'a [f64],
    failures: &'a [f64],
    active: &'a [bool],
    ridge: f64,
}

impl Problem<'_> {
    fn objective(&self, coefficients: &[f64]) -> f64 {
        let mut objective = -0.5 * self.ridge * coefficients[1..].iter().map(|c| c * c).sum::<f64>();
        self.rows.for_each(|i, columns, values| {
            let (won, lost) = (self.successes[i], self.failures[i]);
            if won + lost > 0.0 {
                let odds = log_odds(coefficients, columns, values);
                // ln(1 + e^−|η|) and what the sign of η adds.
                let shared = (-odds.abs()).exp().ln_1p();
                objective -= won * (shared + (-odds).max(0.0)) + lost * (shared + odds.max(0.0));
            }
        });
        objective
    }

    /// The gradient, and each row's weight in the second derivative.
    fn slopes(&self, coefficients: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let mut gradient: Vec<f64> = coefficients.iter().map(|c| -self.ridge * c).collect();
        gradient[0] = 0.0;
        let mut curvature = vec![0.0; self.rows.ends.len()];
        self.rows.for_each(|i, columns, values| {
            let (won, lost) = (self.successes[i], self.failures[i]);
            if won + lost > 0.0 {
                let odds = log_odds(coefficients, columns, values);
                let (p, q) = (sigmoid(odds), sigmoid(-odds));
                curvature[i] = (won + lost) * p * q;
                add(&mut gradient, columns, values, won * q - lost * p);
            }
        });
        self.mask(&mut gradient);
        (gradient, curvature)
    }

    fn mask(&self, vector: &mut [f64]) {
        vector[1..].iter_mut().zip(self.active).filter(|(_, active)| !**active).for_each(|(v, _)| *v = 0.0);
    }

    /// Information × `vector`.
    fn times(&self, curvature: &[f64], vector: &[f64]) -> Vec<f64> {
        let mut product: Vec<f64> = vector.iter().map(|v| self.ridge * v).collect();
        product[0] = 0.0;
        self.rows.for_each(|i, columns, values| {
            if curvature[i] > 0.0 {
                add(&mut product, columns, values, curvature[i] * log_odds(vector, columns, values));
            }
        });
        self.mask(&mut product);
        product
    }

    /// The Newton direction by conjugate gradients.
    fn newton(&self, gradient: &[f64], curvature: &[f64]) -> Vec<f64> {
        let mut diagonal = vec![self.ridge; gradient.len()];
        diagonal[0] = f64::MIN_POSITIVE;
        self.rows.for_each(|i, columns, values| {
            diagonal[0] += curvature[i];
            columns.iter().zip(values).for_each(|(&c, x)| diagonal[c as usize + 1] += curvature[i] * x * x);
        });
        let scaled = |r: &[f64]| -> Vec<f64> { r.iter().zip(&diagonal).map(|(r, d)| r / d).collect() };
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let mut direction = vec![0.0; gradient.len()];
        let mut residual = gradient.to_vec();
        let mut near = scaled(&residual);
        let mut along = near.clone();
        let mut size = dot(&residual, &near);
        let enough = size * RESIDUAL * RESIDUAL;
        for _ in 0..MOST_GRADIENTS {
            let product = self.times(curvature, &along);
            let bend = dot(&along, &product);
            if !(bend > 0.0 && size > enough) {
                break;
            }
            let length = size / bend;
            direction.iter_mut().zip(&along).for_each(|(d, a)| *d += length * a);
            residual.iter_mut().zip(&product).for_each(|(r, p)| *r -= length * p);
            near = scaled(&residual);
            let next = dot(&residual, &near);
            along.iter_mut().zip(&near).for_each(|(a, n)| *a = n + next / size * *a);
            size = next;
        }
        direction
    }
}

#[inline]
fn log_odds(coefficients: &[f64], columns: &[u32], values: &[f64]) -> f64 {
    columns.iter().zip(values).fold(coefficients[0], |odds, (&c, x)| odds + coefficients[c as usize + 1] * x)
}

#[inline]
fn add(vector: &mut [f64], columns: &[u32], values: &[f64], amount: f64) {
    vector[0] += amount;
    columns.iter().zip(values).for_each(|(&c, x)| vector[c as usize + 1] += amount * x);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logistic::{LogisticRegression, Rows};
    use crate::stream::Stream;

    const COLUMNS: usize = 5;

    /// Rows of two entries with counts.
    fn rows() -> (Vec<u32>, [Vec<f64>; 3]) {
        let stream = Stream::new(3, 1);
        let (mut columns, mut values, mut won, mut lost) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for i in 0..40_u64 {
            let first = u32::try_from(i % 5).expect("small");
            columns.extend([first, (first + 1 + u32::try_from(i / 5 % 4).expect("small")) % 5]);
            values.extend([1.0, 0.5 + stream.uniform_at(3 * i)]);
            won.push((3.0 * stream.uniform_at(3 * i + 1)).floor());
            lost.push((9.0 * stream.uniform_at(3 * i + 2)).floor());
        }
        (columns, [values, won, lost])
    }

    #[test]
    fn it_is_the_dense_regression() {
        let ends: Vec<usize> = (1..=40).map(|i| 2 * i).collect();
        let (columns, [values, won, lost]) = rows();
        let mut x = vec![0.0; 40 * COLUMNS];
        for (k, (&c, v)) in columns.iter().zip(&values).enumerate() {
            x[k / 2 * COLUMNS + c as usize] = *v;
        }
        let weights: Vec<f64> = won.iter().zip(&lost).map(|(w, l)| w + l).collect();
        let y: Vec<f64> = won.iter().zip(&weights).map(|(w, n)| if *n > 0.0 { w / n } else { 0.0 }).collect();
        let dense = LogisticRegression { ridge: 0.7, ..LogisticRegression::default() };
        let dense = dense.fit(&Rows { x: &x, columns: COLUMNS, y: &y, weights: Some(&weights) }).expect("fits");
        let rows = SparseRows { ends: &ends, columns: &columns, values: &values };
        let fit = ridge_logistic(&rows, &won, &lost, &[true; COLUMNS], 0.7, None).expect("both outcomes");
        assert!(fit.converged);
        for (sparse, dense) in fit.coefficients.iter().zip(&dense.coefficients) {
            assert!((sparse - dense).abs() < 1e-8, "{:?} against {:?}", fit.coefficients, dense);
        }
        let again =
            ridge_logistic(&rows, &won, &lost, &[true; COLUMNS], 0.7, Some(&fit.coefficients)).expect("as before");
        assert_eq!((again.steps, again.converged), (1, true), "a start at the answer stays there");
    }

    #[test]
    fn separated_and_left_out_columns_are_defined() {
        // Column 0 decides everything; column 1 is left out.
        let rows = SparseRows { ends: &[1, 3], columns: &[0, 0, 1], values: &[0.0, 1.0, 1.0] };
        let fit = ridge_logistic(&rows, &[0.0, 50.0], &[50.0, 0.0], &[true, false], 1.0, None).expect("both outcomes");
        assert!(fit.converged && fit.coefficients[1] > 3.0 && fit.coefficients[2] == 0.0, "{fit:?}");
        assert_eq!(ridge_logistic(&rows, &[0.0, 0.0], &[50.0, 0.0], &[true, true], 1.0, None), None);
        assert_eq!(ridge_logistic(&rows, &[0.0, 9.0], &[0.0, 0.0], &[true, true], 1.0, None), None);
    }
}
