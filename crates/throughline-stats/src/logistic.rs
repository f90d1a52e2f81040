//! Logistic regression by iteratively reweighted least squares (Newton's method), with an optional ridge penalty.
//!
//! Maximises Σ wᵢ [yᵢ ln pᵢ + (1 − yᵢ) ln(1 − pᵢ)] − ½ λ Σ βⱼ², with ln(p / (1 − p)) = β₀ + x·β and the intercept never
//! penalised. Standard errors come from the inverse of the (penalised) information matrix Xᵀ W X + λ I (P. McCullagh
//! and J. A. Nelder, "Generalized Linear Models", 1989). Inside, columns are centred and scaled so that the algebra does
//! not depend on their units; coefficients, errors and λ are in the units given. The two ways the model fails to have
//! a single finite answer, collinear columns and separated outcomes, are reported as findings, never as NaN.

use crate::linalg::{Cholesky, independent_columns};

/// A column is aliased when earlier ones leave less than this share of its variation.
const ALIASED: f64 = 1e-11;
/// A regular fit ends when no row's log-odds move by more than this.
const CONVERGED: f64 = 1e-9;
/// Outcomes are separated when the likelihood stands still to this …
const FLAT: f64 = 1e-6;
/// … while some row's log-odds keep moving by more than this, …
const RUNAWAY: f64 = 0.1;
/// … this many iterations in a row.
const RUNAWAY_ITERATIONS: usize = 3;

/// Why data cannot be fitted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LogisticError {
    /// A slice has the wrong length.
    #[error("`{what}` has {got} entries, expected {expected}")]
    Length {
        /// Which slice.
        what: &'static str,
        /// Its length.
        got: usize,
        /// The length the others imply.
        expected: usize,
    },
    /// A number outside its bounds.
    #[error("`{what}` entry {index} of {value} is outside {bounds}")]
    BadValue {
        /// Which slice.
        what: &'static str,
        /// Position in it, from 0.
        index: usize,
        /// The number.
        value: f64,
        /// The accepted range in words.
        bounds: &'static str,
    },
    /// Nothing to learn from.
    #[error("no row has a positive weight")]
    NoRows,
}

/// Something about a fit that its reader must know. Positions count coefficients, the intercept included.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Finding {
    /// These coefficients belong to columns that earlier ones determine; they are 0 and have no standard error.
    Collinear {
        /// Positions of the coefficients left out.
        coefficients: Vec<usize>,
    },
    /// A combination of columns splits the outcomes perfectly, so the likelihood has no finite maximum. The fit is where
    /// the likelihood stopped changing; these coefficients grow without end and no standard errors are given. A ridge
    /// penalty makes the answer finite.
    Separated {
        /// Positions of the coefficients that run away.
        coefficients: Vec<usize>,
    },
    /// The iteration limit was reached first; the coefficients are the last ones and no standard errors are given.
    NotConverged {
        /// Iterations made.
        iterations: usize,
    },
}

/// The model before it has seen data.
#[derive(Debug, Clone, PartialEq)]
pub struct LogisticRegression {
    /// Penalty λ ≥ 0 on half the squared coefficients, in the units of the columns; 0 for maximum likelihood.
    pub ridge: f64,
    /// Whether to fit an intercept (coefficient 0 of the fit).
    pub intercept: bool,
    /// Most Newton iterations.
    pub max_iterations: usize,
}

impl Default for LogisticRegression {
    fn default() -> Self {
        Self { ridge: 0.0, intercept: true, max_iterations: 100 }
    }
}

/// Rows to learn from.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    /// Feature values row by row, `y.len() × columns`.
    pub x: &'a [f64],
    /// Features per row; may be 0.
    pub columns: usize,
    /// Outcomes in [0, 1]: 0 or 1 for single trials, shares for grouped ones.
    pub y: &'a [f64],
    /// How many trials each row stands for, at least 0; 1 each when absent.
    pub weights: Option<&'a [f64]>,
}

/// A fitted model.
#[derive(Debug, Clone, PartialEq)]
pub struct LogisticFit {
    /// Log-odds coefficients, the intercept first where there is one.
    pub coefficients: Vec<f64>,
    /// Standard error of each coefficient; absent where a finding says why.
    pub std_errors: Vec<Option<f64>>,
    /// Log-likelihood at the coefficients, without the penalty.
    pub log_likelihood: f64,
    /// Newton iterations made.
    pub iterations: usize,
    /// What the reader must know; empty for a regular fit.
    pub findings: Vec<Finding>,
    intercept: bool,
}

impl LogisticFit {
    /// Log-odds of a row; missing trailing features count as 0.
    pub fn log_odds(&self, row: &[f64]) -> f64 {
        let (start, slopes) = self.coefficients.split_at(usize::from(self.intercept));
        start.first().copied().unwrap_or(0.0) + slopes.iter().zip(row).map(|(b, x)| b * x).sum::<f64>()
    }

    /// Probability of success of a row.
    pub fn probability(&self, row: &[f64]) -> f64 {
        sigmoid(self.log_odds(row))
    }
}

/// 1 / (1 + e^−η) without overflow.
pub fn sigmoid(log_odds: f64) -> f64 {
    if log_odds >= 0.0 {
        1.0 / (1.0 + (-log_odds).exp())
    } else {
        let e = log_odds.exp();
        e / (1.0 + e)
    }
}

impl LogisticRegression {
    /// Fits the model. Time: rows × columns² per iteration; memory: columns² besides the input.
    pub fn fit(&self, rows: &Rows<'_>) -> Result<LogisticFit, LogisticError> {
        self.validate(rows)?;
        let problem = Problem::new(self, rows);
        let search = problem.maximise(self.max_iterations);
        Ok(problem.finish(&search))
    }

    fn validate(&self, rows: &Rows<'_>) -> Result<(), LogisticError> {
        let n = rows.y.len();
        let lengths = [("x", rows.x.len(), n * rows.columns), ("weights", rows.weights.map_or(n, <[f64]>::len), n)];
        if let Some((what, got, expected)) = lengths.into_iter().find(|(_, got, expected)| got != expected) {
            return Err(LogisticError::Length { what, got, expected });
        }
        check_all("ridge", &[self.ridge], "0 to 1e100", |v| (0.0..=1e100).contains(&v))?;
        check_all("x", rows.x, "-1e100 to 1e100", |v| (-1e100..=1e100).contains(&v))?;
        check_all("y", rows.y, "0 to 1", |v| (0.0..=1.0).contains(&v))?;
        let weights = rows.weights.unwrap_or_default();
        check_all("weights", weights, "0 to 1e100", |v| (0.0..=1e100).contains(&v))?;
        let any = rows.weights.map_or(n > 0, |w| w.iter().any(|v| *v > 0.0));
        if any { Ok(()) } else { Err(LogisticError::NoRows) }
    }
}

fn check_all(
    what: &'static str,
    values: &[f64],
    bounds: &'static str,
    inside: impl Fn(f64) -> bool,
) -> Result<(), LogisticError> {
    match values.iter().position(|&v| !inside(v)) {
        Some(index) => Err(LogisticError::BadValue { what, index, value: values[index], bounds }),
        None => Ok(()),
    }
}

/// The standardised problem: coefficient j multiplies (x − centre) / scale of its column, or 1 for the intercept.
struct Problem<'a> {
    rows: Rows<'a>,
    intercept: bool,
    centres: Vec<f64>,
    scales: Vec<f64>,
    penalties: Vec<f64>,
    /// Coefficients in the model, ascending.
    kept: Vec<usize>,
    all: usize,
}

/// Where the search ended, in standardised units of the kept coefficients.
struct Search {
    gamma: Vec<f64>,
    information: Option<Cholesky>,
    log_likelihood: f64,
    iterations: usize,
    finding: Option<Finding>,
}

/// Likelihood, gradient and information at one point.
struct Point {
    log_likelihood: f64,
    objective: f64,
    gradient: Vec<f64>,
    information: Vec<f64>,
}

impl<'a> Problem<'a> {
    fn new(model: &LogisticRegression, rows: &Rows<'a>) -> Self {
        let shift = usize::from(model.intercept);
        let all = rows.columns + shift;
        let mut problem = Self {
            rows: *rows,
            intercept: model.intercept,
            centres: vec![0.0; all],
            scales: vec![1.0; all],
            penalties: vec![0.0; all],
            kept: (0..all).collect(),
            all,
        };
        problem.standardise();
        for j in shift..all {
            problem.penalties[j] = (model.ridge / problem.scales[j] / problem.scales[j]).min(1e200);
        }
        let mut gram = problem.information_at(|_| 1.0);
        for j in 0..all {
            gram[j * all + j] += problem.penalties[j];
        }
        problem.kept = independent_columns(&gram, all, ALIASED);
        problem
    }

    fn weight(&self, i: usize) -> f64 {
        self.rows.weights.map_or(1.0, |w| w[i])
    }

    fn total_weight(&self) -> f64 {
        (0..self.rows.y.len()).map(|i| self.weight(i)).sum()
    }

    /// Weighted mean (where an intercept can absorb it) and root mean square around it, in two passes. A column with no
    /// variation beyond rounding becomes exactly constant, so that it is found to be aliased.
    fn standardise(&mut self) {
        let total = self.total_weight();
        let shift = usize::from(self.intercept);
        for j in shift..self.all {
            let column = || self.rows.x.iter().skip(j - shift).step_by(self.rows.columns).enumerate();
            let largest = column().map(|(_, x)| x.abs()).fold(0.0, f64::max);
            let mean = |f: &dyn Fn(f64) -> f64| column().map(|(i, &x)| self.weight(i) / total * f(x)).sum::<f64>();
            let centre = if self.intercept { mean(&|x| x) } else { 0.0 };
            let spread = mean(&|x| (x - centre).powi(2)).sqrt();
            self.centres[j] = centre;
            self.scales[j] = if spread > largest * 1e-14 { spread } else { f64::INFINITY };
        }
    }

    /// The standardised row.
    fn fill(&self, i: usize, z: &mut Vec<f64>) {
        z.clear();
        let shift = usize::from(self.intercept);
        for &j in &self.kept {
            z.push(if j < shift {
                1.0
            } else {
                (self.rows.x[i * self.rows.columns + j - shift] - self.centres[j]) / self.scales[j]
            });
        }
    }

    /// Σ weight(i) f(i) z zᵀ over the kept columns.
    fn information_at(&self, f: impl Fn(usize) -> f64) -> Vec<f64> {
        let m = self.kept.len();
        let mut information = vec![0.0; m * m];
        let mut z = Vec::with_capacity(m);
        for i in 0..self.rows.y.len() {
            self.fill(i, &mut z);
            add_outer(&mut information, &z, self.weight(i) * f(i));
        }
        mirror(&mut information, m);
        information
    }

    fn point(&self, gamma: &[f64]) -> Point {
        let m = self.kept.len();
        let (mut gradient, mut information) = (vec![0.0; m], vec![0.0; m * m]);
        let (mut log_likelihood, mut z) = (0.0, Vec::with_capacity(m));
        for (i, &y) in self.rows.y.iter().enumerate() {
            self.fill(i, &mut z);
            let eta: f64 = z.iter().zip(gamma).map(|(z, g)| z * g).sum();
            let (p, q, weight) = (sigmoid(eta), sigmoid(-eta), self.weight(i));
            // y ln p + (1 − y) ln q, with ln p = −ln(1 + e^−η) taken on the side that does not overflow.
            log_likelihood -=
                weight * ((-eta.abs()).exp().ln_1p() + if eta > 0.0 { (1.0 - y) * eta } else { -y * eta });
            let residual = weight * (y * q - (1.0 - y) * p);
            gradient.iter_mut().zip(&z).for_each(|(g, z)| *g += residual * z);
            add_outer(&mut information, &z, weight * p * q);
        }
        mirror(&mut information, m);
        let mut objective = log_likelihood;
        for (k, &j) in self.kept.iter().enumerate() {
            objective -= 0.5 * self.penalties[j] * gamma[k] * gamma[k];
            gradient[k] -= self.penalties[j] * gamma[k];
            information[k * m + k] += self.penalties[j];
        }
        Point { log_likelihood, objective, gradient, information }
    }

    /// The largest |change of log-odds| over rows with weight that a step makes.
    fn reach(&self, step: &[f64]) -> f64 {
        let mut z = Vec::with_capacity(step.len());
        let mut reach = 0.0_f64;
        for i in (0..self.rows.y.len()).filter(|&i| self.weight(i) > 0.0) {
            self.fill(i, &mut z);
            reach = reach.max(z.iter().zip(step).map(|(z, s)| z * s).sum::<f64>().abs());
        }
        reach
    }

    fn maximise(&self, max_iterations: usize) -> Search {
        let mut gamma = vec![0.0; self.kept.len()];
        let mut point = self.point(&gamma);
        let mut runaway = 0;
        let end = |gamma, point: &Point, information, iterations, finding| Search {
            gamma,
            information,
            log_likelihood: point.log_likelihood,
            iterations,
            finding,
        };
        for iteration in 1..=max_iterations {
            let Some(factor) = Cholesky::new(&point.information, gamma.len(), 0.0) else {
                let finding = Finding::Separated { coefficients: self.kept.clone() };
                return end(gamma, &point, None, iteration - 1, Some(finding));
            };
            let step = factor.solve(&point.gradient);
            let gain: f64 = step.iter().zip(&point.gradient).map(|(s, g)| s * g).sum();
            let reach = self.reach(&step);
            let (next, next_point) = self.line_search(&gamma, &step, &point);
            (gamma, point) = (next, next_point);
            if reach <= CONVERGED {
                let information = Cholesky::new(&point.information, gamma.len(), 0.0);
                return end(gamma, &point, information, iteration, None);
            }
            runaway = if gain < FLAT && reach > RUNAWAY { runaway + 1 } else { 0 };
            if runaway == RUNAWAY_ITERATIONS {
                let finding = Finding::Separated { coefficients: self.moving(&step) };
                return end(gamma, &point, None, iteration, Some(finding));
            }
        }
        end(gamma, &point, None, max_iterations, Some(Finding::NotConverged { iterations: max_iterations }))
    }

    /// The Newton step, halved until the objective does not fall (beyond rounding).
    fn line_search(&self, gamma: &[f64], step: &[f64], point: &Point) -> (Vec<f64>, Point) {
        // A sum over n rows is known to n rounding errors: with less slack, steps at the maximum of a million rows are
        // halved for ever.
        let slack = (1e-12 + self.rows.y.len() as f64 * f64::EPSILON) * point.objective.abs();
        let mut length = 1.0;
        loop {
            let next: Vec<f64> = gamma.iter().zip(step).map(|(g, s)| g + length * s).collect();
            let next_point = self.point(&next);
            if next_point.objective >= point.objective - slack || length < 1e-9 {
                return (next, next_point);
            }
            length *= 0.5;
        }
    }

    /// Coefficients that still move, in the units given: a standardised intercept also moves when a column's mean does.
    fn moving(&self, step: &[f64]) -> Vec<usize> {
        let raw = self.unstandardise(step);
        let size = |j: usize| (raw[j] * if self.scales[j].is_finite() { self.scales[j] } else { 0.0 }).abs();
        let largest = (0..self.all).map(size).fold(0.0, f64::max);
        (0..self.all).filter(|&j| size(j) > 0.01 * largest).collect()
    }

    /// Coefficients in the units given, 0 where left out.
    fn unstandardise(&self, gamma: &[f64]) -> Vec<f64> {
        let mut beta = vec![0.0; self.all];
        for (&j, g) in self.kept.iter().zip(gamma) {
            beta[j] = g / self.scales[j];
        }
        if self.intercept {
            beta[0] -= (1..self.all).map(|j| beta[j] * self.centres[j]).sum::<f64>();
        }
        beta
    }

    /// √ of the diagonal of J A⁻¹ Jᵀ, with J the linear map of [`Self::unstandardise`].
    fn std_errors(&self, information: &Cholesky) -> Vec<Option<f64>> {
        let m = self.kept.len();
        let inverse = information.inverse();
        let mut errors = vec![None; self.all];
        for (k, &j) in self.kept.iter().enumerate() {
            let mut weights = vec![0.0; m];
            weights[k] = 1.0 / self.scales[j];
            if self.intercept && j == 0 {
                for (k, &j) in self.kept.iter().enumerate().skip(1) {
                    weights[k] = -self.centres[j] / self.scales[j];
                }
            }
            let variance: f64 = (0..m * m).map(|at| weights[at / m] * inverse[at] * weights[at % m]).sum();
            errors[j] = Some(variance.max(0.0).sqrt()).filter(|e| e.is_finite());
        }
        errors
    }

    fn finish(&self, search: &Search) -> LogisticFit {
        let mut findings = Vec::new();
        let left_out: Vec<usize> = (0..self.all).filter(|j| !self.kept.contains(j)).collect();
        if !left_out.is_empty() {
            findings.push(Finding::Collinear { coefficients: left_out });
        }
        findings.extend(search.finding.clone());
        LogisticFit {
            coefficients: self.unstandardise(&search.gamma),
            std_errors: search.information.as_ref().map_or_else(|| vec![None; self.all], |i| self.std_errors(i)),
            log_likelihood: search.log_likelihood,
            iterations: search.iterations,
            findings,
            intercept: self.intercept,
        }
    }
}

/// Adds weight · z zᵀ to the lower triangle.
fn add_outer(matrix: &mut [f64], z: &[f64], weight: f64) {
    for (i, &zi) in z.iter().enumerate() {
        let scaled = weight * zi;
        matrix[i * z.len()..].iter_mut().zip(&z[..=i]).for_each(|(entry, zj)| *entry += scaled * zj);
    }
}

fn mirror(matrix: &mut [f64], m: usize) {
    for i in 0..m {
        for j in 0..i {
            matrix[j * m + i] = matrix[i * m + j];
        }
    }
}

#[cfg(test)]
mod tests;
