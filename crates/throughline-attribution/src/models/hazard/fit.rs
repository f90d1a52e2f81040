//! Expectation–maximisation of the additive hazard.

use throughline_stats::parallel::{map_parts, threads_for};

use super::{ChannelHazard, HazardFit};
use crate::PathTable;
use crate::distinct::{Distinct, Total};

const DAY_US: f64 = 86_400_000_000.0;
/// Ages below this count as this: clocks hardly agree to a second.
const SHORTEST_DAYS: f64 = 1.0 / 86_400.0;
/// Bounds of ω times the longest age.
const BOUNDS: (f64, f64) = (1e-3, 1e6);
/// Gain in log-likelihood for each conversion below which steps end.
const GAIN: f64 = 1e-10;
const MOST_PASSES: usize = 500;
/// Paths summed as one part, whatever the number of threads.
const PART: usize = 1 << 14;

/// The touches of the distinct paths, path by path.
pub(super) struct Touches {
    ends: Vec<usize>,
    channels: Vec<u32>,
    /// In days.
    ages: Vec<f64>,
    /// Number of channels.
    count: usize,
    /// Bounds of ω.
    bounds: (f64, f64),
}

/// Parameters and how they were found.
#[derive(Debug, Clone)]
pub(super) struct Fitted {
    parameters: Parameters,
    bounds: (f64, f64),
    log_likelihoods: Vec<f64>,
    passes: usize,
    converged: bool,
}

#[derive(Debug, Clone, PartialEq)]
struct Parameters {
    beta: Vec<f64>,
    omega: Vec<f64>,
}

/// Sums of one pass by channel.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    /// A: responsibilities.
    credit: f64,
    /// B: responsibilities × age.
    delay: f64,
    /// E: Σ (1 − e^(−ωΔ)).
    exposure: f64,
    /// Σ Δ e^(−ωΔ).
    slope: f64,
}

impl Fitted {
    pub(super) fn public(&self) -> HazardFit {
        let channel = |(&beta, &omega): (&f64, &f64)| ChannelHazard {
            conversions_per_touch: beta,
            decay_per_day: omega,
            at_bound: omega <= self.bounds.0 || omega >= self.bounds.1,
        };
        HazardFit {
            channels: self.parameters.beta.iter().zip(&self.parameters.omega).map(channel).collect(),
            log_likelihoods: self.log_likelihoods.clone(),
            passes: self.passes,
            converged: self.converged,
        }
    }
}

impl Touches {
    pub(super) fn new(table: &PathTable, distinct: &Distinct) -> Self {
        let mut touches = Self {
            ends: Vec::with_capacity(distinct.len()),
            channels: Vec::new(),
            ages: Vec::new(),
            count: table.channels().len(),
            bounds: (0.0, 0.0),
        };
        for path in (0..distinct.len()).map(|d| table.path(distinct.rows(d)[0])) {
            touches.channels.extend_from_slice(path.steps);
            let ages = path.ages.unwrap_or_default();
            touches.ages.extend(ages.iter().map(|&age| (age as f64 / DAY_US).max(SHORTEST_DAYS)));
            touches.ends.push(touches.channels.len());
        }
        let longest = touches.ages.iter().copied().fold(SHORTEST_DAYS, f64::max);
        touches.bounds = (BOUNDS.0 / longest, BOUNDS.1 / longest);
        touches
    }

    fn range(&self, path: usize) -> std::ops::Range<usize> {
        if path == 0 { 0..self.ends[0] } else { self.ends[path - 1]..self.ends[path] }
    }

    /// The channels of a path's touches.
    pub(super) fn channels(&self, path: usize) -> &[u32] {
        &self.channels[self.range(path)]
    }

    /// The responsibilities of a path's touches; equal where no touch has a rate.
    pub(super) fn weigh(&self, fitted: &Fitted, path: usize, weights: &mut Vec<f64>) {
        let Parameters { beta, omega } = &fitted.parameters;
        let range = self.range(path);
        let log_rate = |at: usize| {
            let c = self.channels[at] as usize;
            (beta[c] * omega[c]).ln() - omega[c] * self.ages[at]
        };
        weights.clear();
        weights.extend(range.map(log_rate));
        let most = weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // Without any rate all are alike.
        for w in &mut *weights {
            *w = if most.is_finite() { (*w - most).exp() } else { 1.0 };
        }
        let sum: f64 = weights.iter().sum();
        for w in &mut *weights {
            *w /= sum;
        }
    }

    /// Fits, from `start` or from equal responsibilities and the mean age of each channel.
    pub(super) fn fit(&self, totals: &[Total], start: Option<&Fitted>) -> Fitted {
        let first = start.map_or_else(|| self.first(totals), |fitted| fitted.parameters.clone());
        let conversions: f64 = totals.iter().map(|t| t.conversions).sum();
        let mut fitted = Fitted {
            parameters: first,
            bounds: self.bounds,
            log_likelihoods: Vec::new(),
            passes: 0,
            converged: conversions == 0.0,
        };
        if conversions == 0.0 {
            fitted.parameters.beta.fill(0.0);
            return fitted;
        }
        self.climb(totals, GAIN * conversions, &mut fitted);
        fitted
    }

    fn climb(&self, totals: &[Total], enough: f64, fitted: &mut Fitted) {
        let mut here = fitted.parameters.clone();
        let (mut height, mut next) = self.step(totals, &here);
        fitted.passes = 1;
        fitted.log_likelihoods.push(height);
        while fitted.passes < MOST_PASSES {
            let (next_height, after) = self.step(totals, &next);
            fitted.passes += 1;
            fitted.log_likelihoods.push(next_height);
            if next_height - height <= enough {
                fitted.converged = true;
                here = next;
                break;
            }
            let leap = self.extrapolate(&here, &next, &after);
            let (leap_height, leap_next) = self.step(totals, &leap);
            fitted.passes += 1;
            if leap_height >= next_height {
                fitted.log_likelihoods.push(leap_height);
                (here, height, next) = (leap, leap_height, leap_next);
            } else {
                (here, height, next) = (next, next_height, after);
            }
        }
        fitted.parameters = here;
    }

    fn first(&self, totals: &[Total]) -> Parameters {
        let mut sums = vec![[0.0; 3]; self.count];
        for (path, total) in totals.iter().enumerate() {
            let range = self.range(path);
            let share = total.conversions / range.len() as f64;
            for at in range {
                let sum = &mut sums[self.channels[at] as usize];
                sum[0] += share;
                sum[1] += total.walks();
                sum[2] += total.walks() * self.ages[at];
            }
        }
        let ratio = |a: f64, b: f64| if b > 0.0 { a / b } else { 0.0 };
        Parameters {
            beta: sums.iter().map(|s| ratio(s[0], s[1])).collect(),
            omega: sums.iter().map(|s| self.bounded(ratio(s[1], s[2]))).collect(),
        }
    }

    fn bounded(&self, omega: f64) -> f64 {
        omega.clamp(self.bounds.0, self.bounds.1)
    }

    /// The log-likelihood at some parameters, and those after one step from there.
    fn step(&self, totals: &[Total], at: &Parameters) -> (f64, Parameters) {
        let (height, sums) = self.pass(totals, at);
        let mut next = at.clone();
        for (c, sum) in sums.iter().enumerate() {
            next.beta[c] = if sum.exposure > 0.0 { sum.credit / sum.exposure } else { 0.0 };
            let delays = sum.delay + next.beta[c] * sum.slope;
            if sum.credit > 0.0 && delays > 0.0 {
                next.omega[c] = self.bounded(sum.credit / delays);
            }
        }
        (height, next)
    }

    /// Beyond the last of three points in a row, in the logarithms of β ω and ω; scheme S3 of the accelerated EM. Where ω
    /// meets a bound, the rate β ω is kept, which is what the data know.
    fn extrapolate(&self, zero: &Parameters, one: &Parameters, two: &Parameters) -> Parameters {
        // Channels without a rate stay so.
        let change = |from: f64, to: f64| if from > 0.0 && to > 0.0 { (to / from).ln() } else { 0.0 };
        let pairs = |a: &Parameters, b: &Parameters| -> Vec<[f64; 2]> {
            let omegas = a.omega.iter().zip(&b.omega).map(|(&a, &b)| change(a, b));
            a.beta.iter().zip(&b.beta).zip(omegas).map(|((&a, &b), omega)| [change(a, b) + omega, omega]).collect()
        };
        let (first, second) = (pairs(zero, one), pairs(one, two));
        let bends = first.iter().flatten().zip(second.iter().flatten()).map(|(r, s)| (s - r).powi(2));
        let (bend, length): (f64, f64) = (bends.sum(), first.iter().flatten().map(|r| r * r).sum());
        let reach = if bend > 0.0 { (length / bend).sqrt().clamp(1.0, 1e3) } else { 1.0 };
        let moved = |[from, to]: [f64; 2]| (2.0 * reach * from + reach * reach * (to - from)).clamp(-50.0, 50.0).exp();
        let mut leap = zero.clone();
        for (c, (r, s)) in first.iter().zip(&second).enumerate() {
            leap.omega[c] = self.bounded(zero.omega[c] * moved([r[1], s[1]]));
            leap.beta[c] = zero.beta[c] * zero.omega[c] * moved([r[0], s[0]]) / leap.omega[c];
        }
        leap
    }

    fn pass(&self, totals: &[Total], at: &Parameters) -> (f64, Vec<Sums>) {
        let parts: Vec<_> = (0..totals.len()).step_by(PART).map(|p| p..totals.len().min(p + PART)).collect();
        let threads = threads_for(parts.len());
        let mut sums = vec![Sums::default(); self.count];
        let mut height = 0.0;
        for (part_height, part) in map_parts(parts, threads, |paths| self.pass_part(totals, at, paths)) {
            height += part_height;
            for (sum, part) in sums.iter_mut().zip(part) {
                sum.credit += part.credit;
                sum.delay += part.delay;
                sum.exposure += part.exposure;
                sum.slope += part.slope;
            }
        }
        (height, sums)
    }

    fn pass_part(&self, totals: &[Total], at: &Parameters, paths: std::ops::Range<usize>) -> (f64, Vec<Sums>) {
        let mut sums = vec![Sums::default(); self.count];
        let mut height = 0.0;
        let mut rates: Vec<f64> = Vec::new();
        for path in paths {
            let total = totals[path];
            let walks = total.walks();
            if walks <= 0.0 {
                continue;
            }
            rates.clear();
            let (mut rate, mut exposed) = (0.0, 0.0);
            for touch in self.range(path) {
                let (c, age) = (self.channels[touch] as usize, self.ages[touch]);
                let (left, gone) = decayed(at.omega[c] * age);
                sums[c].exposure += walks * gone;
                sums[c].slope += walks * age * left;
                exposed += at.beta[c] * gone;
                rates.push(at.beta[c] * at.omega[c] * left);
                rate += at.beta[c] * at.omega[c] * left;
            }
            height -= walks * exposed;
            if total.conversions > 0.0 {
                height += total.conversions * self.share(at, path, rate, &mut rates);
                for (touch, share) in self.range(path).zip(&rates) {
                    let sum = &mut sums[self.channels[touch] as usize];
                    sum.credit += total.conversions * share;
                    sum.delay += total.conversions * share * self.ages[touch];
                }
            }
        }
        (height, sums)
    }

    /// Turns rates into shares of their sum, and answers with its logarithm; in logarithms where the rates vanish.
    fn share(&self, at: &Parameters, path: usize, rate: f64, rates: &mut [f64]) -> f64 {
        if rate > f64::MIN_POSITIVE {
            for r in &mut *rates {
                *r /= rate;
            }
            return rate.ln();
        }
        for (log, touch) in rates.iter_mut().zip(self.range(path)) {
            let c = self.channels[touch] as usize;
            *log = (at.beta[c] * at.omega[c]).max(f64::MIN_POSITIVE).ln() - at.omega[c] * self.ages[touch];
        }
        let most = rates.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        for r in &mut *rates {
            *r = (*r - most).exp();
        }
        let sum: f64 = rates.iter().sum();
        for r in &mut *rates {
            *r /= sum;
        }
        most + sum.ln()
    }
}

/// e^−z and 1 − e^−z, both to full precision.
#[inline]
fn decayed(z: f64) -> (f64, f64) {
    if z < 0.5 {
        let gone = -(-z).exp_m1();
        (1.0 - gone, gone)
    } else {
        let left = (-z).exp();
        (left, 1.0 - left)
    }
}
