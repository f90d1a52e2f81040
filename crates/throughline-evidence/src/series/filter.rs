//! The Kalman filter over all columns at once, and what it leaves of the data.
//!
//! With the variances of the states given in units of the noise's, the filter is linear: it turns the outcome, every
//! control and every unknown starting state into uncorrelated errors of one-step predictions. All starting states are
//! diffuse and are handled exactly, as coefficients with a flat prior. Source: P. de Jong, "The diffuse Kalman filter",
//! Annals of Statistics 19 (1991). What is left are small sums of products in which coefficients and starting states are
//! eliminated in closed form.

use throughline_stats::linalg::Cholesky;

use super::components::Structure;

/// Outcome and controls by time: `1 + controls` values a row, the outcome first.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// Values, row by row.
    pub values: Vec<f64>,
    /// 1 + number of controls.
    pub width: usize,
    /// Whether the row is seen; others only let time pass.
    pub seen: Vec<bool>,
}

/// What the filter leaves of rows, in units of the noise: everything the posterior of coefficients, noise and the state
/// after the last row depends on.
#[derive(Debug, Clone, PartialEq)]
pub struct Collapsed {
    /// Sum of squares and products of the controls, p × p, net of the starting states.
    pub xx: Vec<f64>,
    /// The same with the outcome.
    pub xy: Vec<f64>,
    /// The same of the outcome.
    pub yy: f64,
    /// Σ log F_t + log |D'F⁻¹D|.
    pub log_det: f64,
    /// The next state's mean when all coefficients are 0.
    pub state: Vec<f64>,
    /// How its mean falls with each coefficient, m × p.
    pub state_x: Vec<f64>,
    /// Its covariance in units of the noise variance, m × m.
    pub covariance: Vec<f64>,
}

/// The running state of the filter.
pub(super) struct Filter<'a> {
    structure: &'a Structure,
    /// Variance of each state's innovation in units of the noise variance.
    drive: Vec<f64>,
    /// Columns: starting states, then controls, then the outcome.
    width: usize,
    /// Predicted states, m × width.
    pub(super) state: Vec<f64>,
    /// Their covariance, m × m.
    pub(super) covariance: Vec<f64>,
    /// P Z'.
    pub(super) gain: Vec<f64>,
    /// Errors of this step's prediction.
    pub(super) errors: Vec<f64>,
    scratch: Vec<f64>,
}

impl<'a> Filter<'a> {
    /// Before the first row. `ratios` are the variances of the structure over the noise variance.
    pub(super) fn new(structure: &'a Structure, ratios: &[f64], columns: usize) -> Self {
        let m = structure.dim();
        let width = m + columns;
        let mut state = vec![0.0; m * width];
        // Column j starts at minus the unit state j, so that its errors are those of "data" that start there.
        (0..m).for_each(|j| state[j * width + j] = -1.0);
        Self {
            structure,
            drive: structure.driver().iter().map(|k| ratios[*k]).collect(),
            width,
            state,
            covariance: vec![0.0; m * m],
            gain: vec![0.0; m],
            errors: vec![0.0; width],
            scratch: vec![0.0; m * m],
        }
    }

    /// Errors of predicting a row given as controls then outcome, into `errors`; returns their variance F ≥ 1.
    pub(super) fn predict(&mut self, row: impl Iterator<Item = f64>) -> f64 {
        let m = self.structure.dim();
        self.errors[..m].fill(0.0);
        self.errors[m..].iter_mut().zip(row).for_each(|(e, x)| *e = x);
        self.gain.fill(0.0);
        for &i in self.structure.seen() {
            let state = &self.state[i * self.width..(i + 1) * self.width];
            self.errors.iter_mut().zip(state).for_each(|(e, s)| *e -= s);
            self.gain.iter_mut().zip(&self.covariance[i * m..(i + 1) * m]).for_each(|(g, p)| *g += p);
        }
        1.0 + self.structure.seen().iter().map(|i| self.gain[*i]).sum::<f64>().max(0.0)
    }

    /// Learns from the errors of [`Filter::predict`].
    pub(super) fn update(&mut self, f: f64) {
        let m = self.structure.dim();
        for i in 0..m {
            let k = self.gain[i] / f;
            if k != 0.0 {
                let state = &mut self.state[i * self.width..(i + 1) * self.width];
                state.iter_mut().zip(&self.errors).for_each(|(s, e)| *s += k * e);
                let row = &mut self.covariance[i * m..(i + 1) * m];
                row.iter_mut().zip(&self.gain).for_each(|(p, g)| *p -= k * g);
            }
        }
    }

    /// Lets a step of time pass.
    pub(super) fn advance(&mut self) {
        let m = self.structure.dim();
        self.structure.advance(&mut self.state, self.width);
        self.structure.advance(&mut self.covariance, m);
        for i in 0..m {
            for j in 0..m {
                self.scratch[i * m + j] = self.covariance[j * m + i];
            }
        }
        std::mem::swap(&mut self.scratch, &mut self.covariance);
        self.structure.advance(&mut self.covariance, m);
        for (i, q) in self.drive.iter().enumerate() {
            self.covariance[i * m + i] += q;
        }
    }
}

/// Collapses rows. `None` when they do not determine the starting states.
pub fn collapse(structure: &Structure, ratios: &[f64], rows: &Rows) -> Option<Collapsed> {
    let (m, p) = (structure.dim(), rows.width - 1);
    let mut filter = Filter::new(structure, ratios, rows.width);
    let width = m + rows.width;
    let mut products = vec![0.0; width * width];
    let mut log_det = 0.0;
    for (row, seen) in rows.values.chunks_exact(rows.width).zip(&rows.seen) {
        if *seen {
            let f = filter.predict(row[1..].iter().chain(&row[..1]).copied());
            log_det += f.ln();
            for i in 0..width {
                let e = filter.errors[i] / f;
                let line = &mut products[i * width..=i * width + i];
                line.iter_mut().zip(&filter.errors).for_each(|(g, v)| *g += e * v);
            }
            filter.update(f);
        }
        filter.advance();
    }
    let starts: Vec<f64> = (0..m * m).map(|k| products[(k / m).max(k % m) * width + (k / m).min(k % m)]).collect();
    let factor = Cholesky::new(&starts, m, 1e-12)?;
    let inverse = factor.inverse();
    log_det += log_determinant(&starts, m)?;
    // What each control and the outcome say about the starting states.
    let columns: Vec<Vec<f64>> = (m..width).map(|c| factor.solve(&products[c * width..c * width + m])).collect();
    let net = |c: usize, d: usize| {
        let (low, high) = (c.min(d), c.max(d));
        let inner: f64 =
            products[high * width..high * width + m].iter().zip(&columns[low - m]).map(|(a, b)| a * b).sum();
        products[high * width + low] - inner
    };
    let y = width - 1;
    let state = |i: usize, c: usize| {
        let line = &filter.state[i * width..(i + 1) * width];
        line[c] - line[..m].iter().zip(&columns[c - m]).map(|(a, b)| a * b).sum::<f64>()
    };
    let starting = |i: usize| &filter.state[i * width..i * width + m];
    let covariance = (0..m * m)
        .map(|k| {
            let (a, b) = (starting(k / m), starting(k % m));
            let sum: f64 = (0..m).map(|r| a[r] * (0..m).map(|c| inverse[r * m + c] * b[c]).sum::<f64>()).sum();
            filter.covariance[k] + sum
        })
        .collect();
    let out = Collapsed {
        xx: (0..p * p).map(|k| net(m + k / p, m + k % p)).collect(),
        xy: (0..p).map(|j| net(m + j, y)).collect(),
        yy: net(y, y).max(0.0),
        log_det,
        state: (0..m).map(|i| state(i, y)).collect(),
        state_x: (0..m * p).map(|k| state(k / p, m + k % p)).collect(),
        covariance,
    };
    (out.yy.is_finite() && out.log_det.is_finite()).then_some(out)
}

/// The starting states by least squares, of rows without controls. `None` when the rows do not determine them.
pub(super) fn starting_states(structure: &Structure, ratios: &[f64], rows: &Rows) -> Option<Vec<f64>> {
    let m = structure.dim();
    let mut filter = Filter::new(structure, ratios, 1);
    let (mut products, mut right) = (vec![0.0; m * m], vec![0.0; m]);
    for (row, seen) in rows.values.iter().zip(&rows.seen) {
        if *seen {
            let f = filter.predict(std::iter::once(*row));
            for i in 0..m {
                let e = filter.errors[i] / f;
                (0..m).for_each(|j| products[i * m + j] += e * filter.errors[j]);
                right[i] += e * filter.errors[m];
            }
            filter.update(f);
        }
        filter.advance();
    }
    Some(Cholesky::new(&products, m, 1e-12)?.solve(&right))
}

/// log |A| of a positive definite matrix.
fn log_determinant(a: &[f64], n: usize) -> Option<f64> {
    let mut work = a.to_vec();
    super::small::factorise(&mut work, n).then(|| 2.0 * (0..n).map(|i| work[i * n + i].ln()).sum::<f64>())
}
