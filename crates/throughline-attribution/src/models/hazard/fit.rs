//! Expectation–maximisation of the additive hazard.

use throughline_stats::parallel::{map_parts, threads_for};

use super::newton::{Curvature, MOST_CHANNELS};
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
pub(super) struct Parameters {
    pub(super) beta: Vec<f64>,
    pub(super) omega: Vec<f64>,
}

/// What a pass over the touches finds at some parameters.
struct Pass {
    height: f64,
    sums: Vec<Sums>,
    curvature: Option<Curvature>,
}

/// Sums of one pass by channel.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sums {
    /// A: responsibilities.
    pub(super) credit: f64,
    /// B: responsibilities × age.
    pub(super) delay: f64,
    /// E: Σ (1 − e^(−ωΔ)).
    pub(super) exposure: f64,
    /// S: Σ Δ e^(−ωΔ).
    pub(super) slope: f64,
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

    /// Newton's steps where they are defined and do not lower the likelihood, else accelerated steps of
    /// expectation–maximisation, which never do.
    fn climb(&self, totals: &[Total], enough: f64, fitted: &mut Fitted) {
        let mut here = fitted.parameters.clone();
        let mut pass = self.pass(totals, &here);
        fitted.passes = 1;
        fitted.log_likelihoods.push(pass.height);
        while fitted.passes < MOST_PASSES {
            let newton = pass.curvature.as_ref().and_then(|c| c.step(&here, &pass.sums, self.bounds));
            if let Some(next) = newton {
                let after = self.pass(totals, &next);
                fitted.passes += 1;
                if after.height >= pass.height {
                    let gain = after.height - pass.height;
                    fitted.log_likelihoods.push(after.height);
                    (here, pass) = (next, after);
                    if gain <= enough {
                        fitted.converged = true;
                        break;
                    }
                    continue;
                }
            }
            let (next, after, gain) = self.maximise(totals, (&here, &pass), enough, fitted);
            (here, pass) = (next, after);
            if gain <= enough {
                fitted.converged = true;
                break;
            }
        }
        fitted.parameters = here;
    }

    /// Two steps of expectation–maximisation and a leap along them where that is higher; the gain of the first step.
    fn maximise(
        &self,
        totals: &[Total],
        (here, pass): (&Parameters, &Pass),
        enough: f64,
        fitted: &mut Fitted,
    ) -> (Parameters, Pass, f64) {
        let next = self.step(here, &pass.sums);
        let after = self.pass(totals, &next);
        fitted.passes += 1;
        fitted.log_likelihoods.push(after.height);
        let gain = after.height - pass.height;
        if gain <= enough {
            return (next, after, gain);
        }
        let leap = self.extrapolate(here, &next, &self.step(&next, &after.sums));
        let leapt = self.pass(totals, &leap);
        fitted.passes += 1;
        if leapt.height >= after.height {
            fitted.log_likelihoods.push(leapt.height);
            return (leap, leapt, gain);
        }
        (next, after, gain)
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

    /// Parameters after one step of expectation–maximisation.
    fn step(&self, at: &Parameters, sums: &[Sums]) -> Parameters {
        let mut next = at.clone();
        for (c, sum) in sums.iter().enumerate() {
            next.beta[c] = if sum.exposure > 0.0 { sum.credit / sum.exposure } else { 0.0 };
            let delays = sum.delay + next.beta[c] * sum.slope;
            if sum.credit > 0.0 && delays > 0.0 {
                next.omega[c] = self.bounded(sum.credit / delays);
            }
        }
        next
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

    fn pass(&self, totals: &[Total], at: &Parameters) -> Pass {
        let parts: Vec<_> = (0..totals.len()).step_by(PART).map(|p| p..totals.len().min(p + PART)).collect();
        let threads = threads_for(parts.len());
        let mut out = self.nothing();
        for part in map_parts(parts, threads, |paths| self.pass_part(totals, at, paths)) {
            out.height += part.height;
            for (sum, part) in out.sums.iter_mut().zip(part.sums) {
                sum.credit += part.credit;
                sum.delay += part.delay;
                sum.exposure += part.exposure;
                sum.slope += part.slope;
            }
            if let (Some(all), Some(part)) = (&mut out.curvature, &part.curvature) {
                all.add(part);
            }
        }
        out
    }

    fn nothing(&self) -> Pass {
        let curvature = (self.count <= MOST_CHANNELS).then(|| Curvature::new(self.count));
        Pass { height: 0.0, sums: vec![Sums::default(); self.count], curvature }
    }

    fn pass_part(&self, totals: &[Total], at: &Parameters, paths: std::ops::Range<usize>) -> Pass {
        let mut out = self.nothing();
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
                out.sums[c].exposure += walks * gone;
                out.sums[c].slope += walks * age * left;
                if let Some(curvature) = &mut out.curvature {
                    curvature.slope[c] += walks * age * age * left;
                }
                exposed += at.beta[c] * gone;
                rates.push(at.beta[c] * at.omega[c] * left);
                rate += at.beta[c] * at.omega[c] * left;
            }
            out.height -= walks * exposed;
            if total.conversions > 0.0 {
                out.height += total.conversions * self.share(at, path, rate, &mut rates);
                self.credit(at, path, total.conversions, &rates, &mut out);
            }
        }
        out
    }

    /// Adds what a path's conversions give to its channels.
    fn credit(&self, at: &Parameters, path: usize, conversions: f64, shares: &[f64], out: &mut Pass) {
        for (touch, share) in self.range(path).zip(shares) {
            let (c, age) = (self.channels[touch] as usize, self.ages[touch]);
            out.sums[c].credit += conversions * share;
            out.sums[c].delay += conversions * share * age;
            if let Some(curvature) = &mut out.curvature {
                curvature.touch(c, *share, at.omega[c] * age, conversions);
            }
        }
        if let Some(curvature) = &mut out.curvature {
            curvature.close(conversions);
        }
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
