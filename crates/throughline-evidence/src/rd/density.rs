//! Whether the density of the score jumps at the cut-off: people who could choose their side would pile up on one.
//!
//! The density on each side is the slope of a local polynomial fitted to the empirical distribution function. Source: Cattaneo,
//! Jansson, Ma (2020), JASA 115(531): polynomials of order 2 for the bandwidth and 3 for the test, triangular kernel, jackknife
//! errors, bandwidth the median of the best for the side, the difference and the sum.

use crate::{EvidenceError, Joint, small};

/// The test.
#[derive(Debug)]
pub(super) struct DensityTest {
    pub(super) left: f64,
    pub(super) right: f64,
    /// Right less left.
    pub(super) difference: Joint,
    pub(super) bandwidths: [f64; 2],
}

/// Order of the fit the bandwidth is best for.
const ORDER: usize = 2;

/// Units, and distinct scores, that a bandwidth must reach on each side.
const LEAST: usize = 20 + ORDER + 1;

/// Units below which the test says nothing.
const FEW: usize = 100;

/// Constants of the rule of thumb for the pilot bandwidths of the derivative and of the density, order 2, triangular kernel.
const PILOT: [f64; 2] = [3_430_865.455_123_618, 548.571_428_571_554_6];

/// Tests sorted scores less the cut-off; `None` with fewer than 100 units or too few distinct scores.
pub(super) fn test(sorted: &[f64], given: Option<[f64; 2]>) -> Result<Option<DensityTest>, EvidenceError> {
    let below = sorted.partition_point(|x| *x < 0.0);
    if given.is_none() && (sorted.len() < FEW || below < LEAST || sorted.len() - below < LEAST) {
        return Ok(None);
    }
    let data = Sample::new(sorted);
    let Some([l, r]) = given.or_else(|| data.bandwidths()) else { return Ok(None) };
    let Some(fit) = data.fit(l, r, ORDER + 1) else { return Ok(None) };
    let phi: Vec<f64> = fit.right.influence.iter().zip(&fit.left.influence).map(|(r, l)| r - l).collect();
    let n = sorted.len() as u64;
    let value = fit.right.slope - fit.left.slope;
    let difference =
        Joint::from_influence(vec!["density".into()], vec![value], vec![phi], n, "local_polynomial_density")?;
    Ok(Some(DensityTest { left: fit.left.slope, right: fit.right.slope, difference, bandwidths: [l, r] }))
}

struct Sample<'a> {
    x: &'a [f64],
    /// Empirical distribution function, equal scores at the value of their first.
    y: Vec<f64>,
    /// First place of the run of equal scores each place belongs to.
    first: Vec<usize>,
    distances: [Vec<f64>; 2],
}

struct Both {
    left: SideFit,
    right: SideFit,
}

struct SideFit {
    slope: f64,
    /// Influence values of the slope over the window of both sides.
    influence: Vec<f64>,
}

impl<'a> Sample<'a> {
    fn new(x: &'a [f64]) -> Self {
        let mut first = vec![0; x.len()];
        for i in 1..x.len() {
            first[i] = if x[i] == x[i - 1] { first[i - 1] } else { i };
        }
        let last = (x.len() - 1) as f64;
        let y = first.iter().map(|f| *f as f64 / last).collect();
        let side = |right: bool| {
            let mut d: Vec<f64> = x.iter().filter(|v| (**v >= 0.0) == right).map(|v| v.abs()).collect();
            d.sort_by(f64::total_cmp);
            d
        };
        Self { x, y, first, distances: [side(false), side(true)] }
    }

    /// Slopes of the distribution function at the cut-off from a polynomial of order `p` on each side.
    fn fit(&self, l: f64, r: f64, p: usize) -> Option<Both> {
        let window = self.x.partition_point(|x| *x < -l)..self.x.partition_point(|x| *x <= r);
        let middle = self.x.partition_point(|x| *x < 0.0);
        let left = self.side(window.start..middle, &window, l, p)?;
        Some(Both { left, right: self.side(middle..window.end, &window, r, p)? })
    }

    fn side(&self, own: std::ops::Range<usize>, window: &std::ops::Range<usize>, h: f64, p: usize) -> Option<SideFit> {
        let k = p + 1;
        let power = |u: f64, j: usize| u.powi(i32::try_from(j).unwrap_or(i32::MAX));
        let (mut sums, mut right) = (vec![0.0; 2 * k - 1], vec![0.0; k]);
        for i in own.clone() {
            let u = self.x[i] / h;
            let w = (1.0 - u.abs()) / h;
            sums.iter_mut().enumerate().for_each(|(j, s)| *s += w * power(u, j));
            right.iter_mut().enumerate().for_each(|(j, s)| *s += w * power(u, j) * self.y[i]);
        }
        let inverse = small::inverse(&(0..k * k).map(|c| sums[c / k + c % k]).collect::<Vec<_>>(), k)?;
        let beta = small::mul(&inverse, &right, k, 1);
        // Removing unit i lowers the distribution function of all units after it.
        let row = &inverse[k..2 * k];
        let loading = |i: usize| {
            let u = self.x[i] / h;
            let own: f64 = row.iter().enumerate().map(|(j, c)| c * power(u, j)).sum();
            own * (1.0 - u.abs()) / h
        };
        let mut influence = vec![0.0; window.len()];
        let mut tail = 0.0;
        let last = (self.x.len() - 1) as f64;
        for place in window.clone().rev() {
            influence[place - window.start] = tail / last / h;
            if own.contains(&place) {
                tail += loading(place);
            }
        }
        for place in window.clone() {
            let first = self.first[place].max(window.start);
            influence[place - window.start] = influence[first - window.start];
        }
        Some(SideFit { slope: beta[1] / h, influence })
    }

    /// The least bandwidth that reaches so many units and distinct scores on both sides.
    fn reaching(&self, count: usize) -> [f64; 2] {
        [0, 1].map(|s| {
            let all = &self.distances[s];
            let mut distinct = all.clone();
            distinct.dedup();
            all[count.min(all.len()) - 1].max(distinct[count.min(distinct.len()) - 1])
        })
    }

    /// Left and right bandwidths.
    fn bandwidths(&self) -> Option<[f64; 2]> {
        let n = self.x.len() as f64;
        let mean = self.x.iter().sum::<f64>() / n;
        let sd = (self.x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
        if sd <= 0.0 {
            return None;
        }
        let z = mean / sd;
        let density = (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
        let hermite = [z.powi(4) - 6.0 * z * z + 3.0, z * z - 1.0];
        let reach = [0, 1].map(|s| self.distances[s].last().copied().unwrap_or(0.0));
        let farthest = reach[0].max(reach[1]);
        let p = ORDER as f64;
        let rule = |i: usize, factor: f64, rate: f64| {
            (factor * PILOT[i] / (hermite[i].powi(2) * density) / n).powf(1.0 / rate) * sd
        };
        let at_least = |h: f64, count: usize| {
            let least = self.reaching(count);
            h.min(farthest).max(least[0]).max(least[1])
        };
        let b = at_least(rule(0, (2.0 * p + 1.0) / 4.0, 2.0 * p + 5.0), LEAST + 2);
        let c = at_least(rule(1, 1.0 / (2.0 * p), 2.0 * p + 1.0), LEAST);
        let (slope, curve) = (self.fit(c, c, ORDER)?, self.next_derivative(b)?);
        let variance = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
            let pairs = slope.left.influence.iter().zip(&slope.right.influence);
            n * c * pairs.map(|(l, r)| of(*l, *r).powi(2)).sum::<f64>()
        };
        // Bias constant of the slope under the triangular kernel on [0, 1].
        let constant = bias_constant()?;
        let (bl, br) = (curve[0] * constant, curve[1] * constant);
        let best = |variance: f64, bias: f64| (variance / (2.0 * p) / (bias * bias) / n).powf(1.0 / (2.0 * p + 1.0));
        let least = self.reaching(LEAST);
        let both = |h: f64| h.min(farthest).max(least[0]).max(least[1]);
        let difference = both(best(variance(&|l, r| r - l), br - bl));
        let sum = both(best(variance(&|l, r| r + l), br + bl));
        let own = [best(variance(&|l, _| l), bl), best(variance(&|_, r| r), br)];
        let median = |s: usize| {
            let mut three = [own[s].min(reach[s]).max(least[s]), difference, sum];
            three.sort_by(f64::total_cmp);
            three[1]
        };
        let out = [median(0), median(1)];
        out.iter().all(|h| h.is_finite() && *h > 0.0).then_some(out)
    }

    /// Coefficients of x³ of a fit of order 4 on each side.
    fn next_derivative(&self, b: f64) -> Option<[f64; 2]> {
        let window = self.x.partition_point(|x| *x < -b)..self.x.partition_point(|x| *x <= b);
        let middle = self.x.partition_point(|x| *x < 0.0);
        let of = |own: std::ops::Range<usize>| self.coefficient(own, b, ORDER + 2, ORDER + 1);
        Some([of(window.start..middle)?, of(middle..window.end)?])
    }

    /// Coefficient j of a fit of order p.
    fn coefficient(&self, own: std::ops::Range<usize>, h: f64, p: usize, j: usize) -> Option<f64> {
        let k = p + 1;
        let power = |u: f64, j: usize| u.powi(i32::try_from(j).unwrap_or(i32::MAX));
        let (mut sums, mut right) = (vec![0.0; 2 * k - 1], vec![0.0; k]);
        for i in own {
            let u = self.x[i] / h;
            let w = (1.0 - u.abs()) / h;
            sums.iter_mut().enumerate().for_each(|(j, s)| *s += w * power(u, j));
            right.iter_mut().enumerate().for_each(|(j, s)| *s += w * power(u, j) * self.y[i]);
        }
        let inverse = small::inverse(&(0..k * k).map(|c| sums[c / k + c % k]).collect::<Vec<_>>(), k)?;
        Some(small::mul(&inverse, &right, k, 1)[j] / power(h, j))
    }
}

/// e₁ᵀ S⁻¹ c with S and c the moments ∫ uʲ (1 − u) du = 1 / ((j + 1)(j + 2)) on [0, 1].
fn bias_constant() -> Option<f64> {
    let k = ORDER + 1;
    let moment = |j: usize| 1.0 / ((j + 1) as f64 * (j + 2) as f64);
    let inverse = small::inverse(&(0..k * k).map(|c| moment(c / k + c % k)).collect::<Vec<_>>(), k)?;
    Some((0..k).map(|j| inverse[k + j] * moment(j + k)).sum())
}
