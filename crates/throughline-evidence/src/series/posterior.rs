//! The posterior of variances, inclusion and coefficients, without a tuned chain.
//!
//! With q the variances of the states over the noise variance σ², three blocks are integrated in closed form: coefficients
//! (normal, scaled by σ²), starting states (flat) and σ² itself (inverse gamma, because the inverse-gamma priors of
//! the states' variances q σ² are one in σ² too). What is left is the posterior of log q, of one to a few dimensions, and of
//! the set γ of controls that are included. log q lies on a lattice around the mode whose steps are its conditional posterior
//! standard deviation (mean and variance of a normal on such a lattice are right to 1e-7); the filter runs once per lattice
//! point that is visited. With one variance and all controls included draws are independent; otherwise
//! Gibbs steps visit each axis of the lattice and each control in turn, each drawn from its exact conditional.
//!
//! Sources: E. I. George and R. E. McCulloch, "Approaches for Bayesian variable selection", Statistica Sinica 7 (1997);
//! S. L. Scott and H. R. Varian, "Predicting the present with Bayesian structural time series" (2014); K. H. Brodersen
//! et al., "Inferring causal impact using Bayesian structural time-series models", Annals of Applied Statistics 9 (2015).

use std::collections::HashMap;
use std::rc::Rc;

use super::components::Structure;
use super::filter::{Collapsed, Rows, collapse};
use super::random::Cursor;
use super::small::{backward, factorise, forward};

/// Steps of the lattice in conditional posterior standard deviations.
const STEP: f64 = 1.0;
/// Log density below the highest of a line at which it is no longer followed.
const NEGLIGIBLE: f64 = 14.0;
/// Bounds of log q.
const BOUNDS: (f64, f64) = (-30.0, 20.0);
/// Log densities that are remembered before all are forgotten.
const MOST_REMEMBERED: usize = 100_000;
/// Inclusion indicators visited per iteration; all when there are no more controls.
const MOST_FLIPS: usize = 40;

/// ν s² / σ² ~ χ²_ν: a guess s of a standard deviation with the weight of ν observations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VariancePrior {
    /// s.
    pub guess: f64,
    /// ν.
    pub df: f64,
}

/// The priors, in the units of the rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Priors {
    /// Of σ, the noise.
    pub noise: VariancePrior,
    /// Of the innovations, one per variance of the structure.
    pub states: Vec<VariancePrior>,
    /// Prior precision of the coefficients in units of 1/σ², p × p.
    pub precision: Vec<f64>,
    /// Prior probability that a control is included; 1 includes all.
    pub inclusion: f64,
}

/// κ (½ X'X / n + ½ diag(X'X / n)) of centred controls: the information of κ observations, made proper by its diagonal.
pub fn g_prior(columns: &[Vec<f64>], information: f64) -> Vec<f64> {
    let refs: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let (p, n) = (columns.len(), columns.first().map_or(1, Vec::len).max(1));
    let mut out = throughline_stats::linalg::gram(&refs);
    for (k, v) in out.iter_mut().enumerate() {
        *v *= information / n as f64 * if k / p == k % p { 1.0 } else { 0.5 };
    }
    out
}

/// One draw.
#[derive(Debug, Clone, PartialEq)]
pub struct Draw {
    /// Variances of the states over the noise variance.
    pub ratios: Vec<f64>,
    /// σ.
    pub sigma: f64,
    /// One coefficient per control; 0 where it is not included.
    pub beta: Vec<f64>,
    /// The state after the last row.
    pub state: Vec<f64>,
    /// Mean of the coefficients given ratios and inclusion.
    pub beta_mean: Vec<f64>,
    /// Mean of the state given ratios and inclusion.
    pub state_mean: Vec<f64>,
}

type Point = Vec<i32>;

/// The posterior of a model given rows.
#[derive(Debug)]
pub struct Posterior<'a> {
    structure: &'a Structure,
    rows: &'a Rows,
    priors: &'a Priors,
    seen: usize,
    centre: Vec<f64>,
    step: Vec<f64>,
    memo: HashMap<Point, Option<Rc<Collapsed>>>,
    /// Log densities of points with their included controls.
    densities: HashMap<(Point, Vec<usize>), Option<f64>>,
}

/// What a set of controls and a lattice point give.
struct Conditional {
    log_density: f64,
    /// Cholesky factor of the coefficients' precision.
    factor: Vec<f64>,
    included: Vec<usize>,
    beta: Vec<f64>,
    shape: f64,
    rate: f64,
}

impl<'a> Posterior<'a> {
    /// Finds the mode and lays the lattice. `None` when the rows do not determine the starting states, that is, when fewer
    /// rows are seen than there are states, or one more is missing for a variance.
    pub fn new(structure: &'a Structure, rows: &'a Rows, priors: &'a Priors) -> Option<Self> {
        let seen = rows.seen.iter().filter(|s| **s).count();
        if seen <= structure.dim() {
            return None;
        }
        let start = |s: &VariancePrior| (2.0 * (s.guess / priors.noise.guess).ln()).clamp(-20.0, 10.0);
        let centre: Vec<f64> = priors.states.iter().map(start).collect();
        let step = vec![1.0; centre.len()];
        let mut posterior =
            Self { structure, rows, priors, seen, centre, step, memo: HashMap::new(), densities: HashMap::new() };
        posterior.find_mode()?;
        Some(posterior)
    }

    /// Climbs along the axes with all controls included, with steps that halve, and takes the curvature there.
    fn find_mode(&mut self) -> Option<()> {
        let all: Vec<usize> = (0..self.rows.width - 1).collect();
        let density = |at: &[f64]| -> Option<f64> {
            let ratios: Vec<f64> = at.iter().map(|x| x.exp()).collect();
            let collapsed = collapse(self.structure, &ratios, self.rows)?;
            conditional(&collapsed, &ratios, &all, self.priors, self.seen, self.structure.dim()).map(|c| c.log_density)
        };
        let mut at = self.centre.clone();
        let mut best = density(&at)?;
        let mut stride = 2.0;
        while stride > 0.1 {
            let mut moved = false;
            for k in 0..at.len() {
                for sign in [1.0, -1.0] {
                    loop {
                        let before = at[k];
                        at[k] = (at[k] + sign * stride).clamp(BOUNDS.0, BOUNDS.1);
                        let there = density(&at).filter(|d| *d > best + 1e-9);
                        let Some(better) = there else {
                            at[k] = before;
                            break;
                        };
                        best = better;
                        moved = true;
                    }
                }
            }
            if !moved {
                stride /= 2.0;
            }
        }
        for k in 0..at.len() {
            let shifted = |h: f64| {
                let mut there = at.clone();
                there[k] += h;
                density(&there)
            };
            let curvature = shifted(0.25).zip(shifted(-0.25)).map(|(up, down)| (2.0 * best - up - down) / 0.0625);
            let sd = curvature.filter(|c| *c > 0.0).map_or(1.0, |c| c.sqrt().recip());
            self.step[k] = STEP * sd.clamp(0.02, 1.5);
        }
        self.centre = at;
        Some(())
    }

    fn ratios(&self, point: &Point) -> Vec<f64> {
        let at = |((c, s), i): ((&f64, &f64), &i32)| (c + s * f64::from(*i)).exp();
        self.centre.iter().zip(&self.step).zip(point).map(at).collect()
    }

    fn collapsed(&mut self, point: &Point) -> Option<Rc<Collapsed>> {
        if let Some(known) = self.memo.get(point) {
            return known.clone();
        }
        let inside =
            |(k, i): (usize, &i32)| (BOUNDS.0..=BOUNDS.1).contains(&(self.centre[k] + self.step[k] * f64::from(*i)));
        let new = if point.iter().enumerate().all(inside) {
            collapse(self.structure, &self.ratios(point), self.rows).map(Rc::new)
        } else {
            None
        };
        self.memo.insert(point.clone(), new.clone());
        new
    }

    fn conditional(&mut self, point: &Point, included: &[usize]) -> Option<Conditional> {
        let collapsed = self.collapsed(point)?;
        let ratios = self.ratios(point);
        conditional(&collapsed, &ratios, included, self.priors, self.seen, self.structure.dim())
    }

    /// The log density alone, remembered.
    fn density(&mut self, point: &Point, included: &[usize]) -> Option<f64> {
        let key = (point.clone(), included.to_vec());
        if let Some(known) = self.densities.get(&key) {
            return *known;
        }
        if self.densities.len() >= MOST_REMEMBERED {
            self.densities.clear();
        }
        let new = self.conditional(point, included).map(|c| c.log_density);
        self.densities.insert(key, new);
        new
    }

    /// Draws the position along axis `k` of the lattice given the rest.
    fn move_along(&mut self, point: &mut Point, k: usize, included: &[usize], cursor: &mut Cursor) {
        let line = self.line(point, k, included);
        let weights: Vec<f64> = line.iter().map(|(_, d)| *d).collect();
        if !line.is_empty() {
            point[k] = line[cursor.choose(&weights)].0;
        }
    }

    /// Positions along axis `k` with their log densities, as far as these are not negligible; the point stays.
    fn line(&mut self, point: &mut Point, k: usize, included: &[usize]) -> Vec<(i32, f64)> {
        let home = point[k];
        let mut line: Vec<(i32, f64)> = Vec::new();
        let mut top = f64::NEG_INFINITY;
        for (start, direction) in [(home, 1), (home - 1, -1)] {
            let mut i = start;
            loop {
                point[k] = i;
                let Some(density) = self.density(point, included) else { break };
                top = top.max(density);
                line.push((i, density));
                if density < top - NEGLIGIBLE {
                    break;
                }
                i += direction;
            }
        }
        point[k] = home;
        line
    }

    /// Draws each visited control's inclusion given the rest.
    fn flip(&mut self, point: &Point, included: &mut Vec<usize>, cursor: &mut Cursor) {
        let p = self.rows.width - 1;
        let odds = (self.priors.inclusion / (1.0 - self.priors.inclusion)).ln();
        let Some(mut here) = self.density(point, included) else { return };
        for visit in 0..p.min(MOST_FLIPS) {
            let j = if p <= MOST_FLIPS { visit } else { cursor.below(p) };
            let mut other = included.clone();
            let sign = match other.binary_search(&j) {
                Ok(position) => {
                    other.remove(position);
                    -1.0
                }
                Err(position) => {
                    other.insert(position, j);
                    1.0
                }
            };
            let Some(there) = self.density(point, &other) else { continue };
            let log_odds = there - here + sign * odds;
            if cursor.uniform() < 1.0 / (1.0 + (-log_odds).exp()) {
                (*included, here) = (other, there);
            }
        }
    }

    /// Draws `count` times after `warm` iterations that are thrown away. Draws are independent when there is one variance
    /// and every control is included.
    pub(super) fn draws(&mut self, count: usize, warm: usize, cursor: &mut Cursor) -> Vec<Draw> {
        let p = self.rows.width - 1;
        let selects = p > 0 && self.priors.inclusion < 1.0;
        let mut included: Vec<usize> = if selects { Vec::new() } else { (0..p).collect() };
        let mut point = vec![0; self.centre.len()];
        let warm = if selects || point.len() > 1 { warm } else { 0 };
        let independent = !selects && point.len() == 1;
        let line = if independent { self.line(&mut point, 0, &included) } else { Vec::new() };
        let weights: Vec<f64> = line.iter().map(|(_, d)| *d).collect();
        let mut out = Vec::with_capacity(count);
        for iteration in 0..warm + count {
            if independent && !line.is_empty() {
                point[0] = line[cursor.choose(&weights)].0;
            }
            for k in 0..point.len() {
                if !independent {
                    self.move_along(&mut point, k, &included, cursor);
                }
            }
            if selects {
                self.flip(&point, &mut included, cursor);
            }
            if iteration >= warm {
                let (Some(collapsed), Some(given)) = (self.collapsed(&point), self.conditional(&point, &included))
                else {
                    continue;
                };
                out.push(draw(&collapsed, &given, self.ratios(&point), p, self.structure.dim(), cursor));
            }
        }
        out
    }

    /// Filter passes so far.
    pub fn passes(&self) -> usize {
        self.memo.len()
    }
}

/// The log density of log q and γ up to a constant, with what it takes to draw the rest.
fn conditional(
    c: &Collapsed,
    ratios: &[f64],
    included: &[usize],
    priors: &Priors,
    seen: usize,
    starts: usize,
) -> Option<Conditional> {
    let (p, k) = (c.xy.len(), included.len());
    let mut prior = Vec::with_capacity(k * k);
    let mut factor = Vec::with_capacity(k * k);
    for &i in included {
        for &j in included {
            prior.push(priors.precision[i * p + j]);
            factor.push(priors.precision[i * p + j] + c.xx[i * p + j]);
        }
    }
    if !factorise(&mut factor, k) || !factorise(&mut prior, k) {
        return None;
    }
    let log_root = |l: &[f64]| (0..k).map(|i| l[i * k + i].ln()).sum::<f64>();
    let mut beta: Vec<f64> = included.iter().map(|i| c.xy[*i]).collect();
    forward(&factor, k, &mut beta);
    let explained: f64 = beta.iter().map(|b| b * b).sum();
    backward(&factor, k, &mut beta);
    let mut rate = (c.yy - explained).max(0.0) + priors.noise.df * priors.noise.guess.powi(2);
    let mut shape = seen as f64 - starts as f64 + priors.noise.df;
    let mut log_density = -0.5 * c.log_det - log_root(&factor) + log_root(&prior);
    for (q, s) in ratios.iter().zip(&priors.states) {
        rate += s.df * s.guess * s.guess / q;
        shape += s.df;
        log_density -= 0.5 * s.df * q.ln();
    }
    (shape, rate) = (0.5 * shape, 0.5 * rate);
    log_density -= shape * rate.ln();
    let included = included.to_vec();
    log_density.is_finite().then_some(Conditional { log_density, factor, included, beta, shape, rate })
}

fn draw(c: &Collapsed, given: &Conditional, ratios: Vec<f64>, p: usize, m: usize, cursor: &mut Cursor) -> Draw {
    let sigma = (given.rate / cursor.gamma(given.shape)).sqrt();
    let k = given.included.len();
    let mut noise: Vec<f64> = (0..k).map(|_| sigma * cursor.normal()).collect();
    backward(&given.factor, k, &mut noise);
    let (mut beta, mut beta_mean) = (vec![0.0; p], vec![0.0; p]);
    for ((j, mean), e) in given.included.iter().zip(&given.beta).zip(&noise) {
        (beta[*j], beta_mean[*j]) = (mean + e, *mean);
    }
    let state_at = |beta: &[f64]| -> Vec<f64> {
        let less = |i: usize| c.state_x[i * p..(i + 1) * p].iter().zip(beta).map(|(a, b)| a * b).sum::<f64>();
        (0..m).map(|i| c.state[i] - less(i)).collect()
    };
    let (mut state, state_mean) = (state_at(&beta), state_at(&beta_mean));
    let mut root = c.covariance.clone();
    // A covariance at the edge of rounding gets a ridge of a trillionth of its trace.
    let ridge = 1e-12 * (0..m).map(|i| root[i * m + i]).sum::<f64>();
    (0..m).for_each(|i| root[i * m + i] += ridge);
    if factorise(&mut root, m) {
        let z: Vec<f64> = (0..m).map(|_| sigma * cursor.normal()).collect();
        for (i, s) in state.iter_mut().enumerate() {
            *s += root[i * m..=i * m + i].iter().zip(&z).map(|(l, z)| l * z).sum::<f64>();
        }
    }
    Draw { ratios, sigma, beta, state, beta_mean, state_mean }
}
