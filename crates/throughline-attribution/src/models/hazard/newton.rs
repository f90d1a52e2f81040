//! Newton's step for the additive hazard, in a = ln(β ω) and w = ln ω of each channel.
//!
//! With r the responsibilities of a conversion's touches and d = −ω Δ, write R = Σ r and D = Σ r d over the touches of a channel. Then
//! for each conversion ∂ ln λ = (R, D), and its second derivatives are those of Σ r and Σ r (d² + d) less the outer products of
//! (R, D). Exposure X = β E has ∂X/∂a = X, ∂X/∂w = β (ω S − E), ∂²X/∂w² = β (E − ω S − ω² T), with S = Σ Δ e^(−ωΔ) and T = Σ Δ² e^(−ωΔ).

use throughline_stats::linalg::Cholesky;

use super::fit::{Parameters, Sums};

/// Most channels for which products of all pairs are kept: 128 kB.
pub(super) const MOST_CHANNELS: usize = 64;
/// The share of a diagonal that earlier coefficients must leave.
const DEFINITE: f64 = 1e-10;
/// Longest step in a logarithm.
const LONGEST: f64 = 2.0;

/// Sums of second derivatives over paths.
#[derive(Debug, Clone, Default)]
pub(super) struct Curvature {
    channels: usize,
    /// Σ conversions × outer products of (R, D), row-major; a of all channels, then w of all.
    outer: Vec<f64>,
    /// Σ conversions × r (d² + d) by channel.
    bend: Vec<f64>,
    /// T by channel.
    pub(super) slope: Vec<f64>,
    /// (R, D) of the path at hand, and the channels it has.
    of_path: Vec<(f64, f64)>,
    met: Vec<bool>,
    seen: Vec<usize>,
}

impl Curvature {
    pub(super) fn new(channels: usize) -> Self {
        Self {
            channels,
            outer: vec![0.0; 4 * channels * channels],
            bend: vec![0.0; channels],
            slope: vec![0.0; channels],
            of_path: vec![(0.0, 0.0); channels],
            met: vec![false; channels],
            seen: Vec::new(),
        }
    }

    /// A touch of the path at hand: its share, ω Δ and the path's conversions.
    pub(super) fn touch(&mut self, channel: usize, share: f64, decayed: f64, conversions: f64) {
        let d = -decayed;
        if !std::mem::replace(&mut self.met[channel], true) {
            self.seen.push(channel);
        }
        self.of_path[channel].0 += share;
        self.of_path[channel].1 += share * d;
        self.bend[channel] += conversions * share * (d * d + d);
    }

    /// Ends the path at hand.
    pub(super) fn close(&mut self, conversions: f64) {
        let (k, width) = (self.channels, 2 * self.channels);
        for &i in &self.seen {
            let (r, d) = self.of_path[i];
            for &j in &self.seen {
                let (other_r, other_d) = self.of_path[j];
                self.outer[i * width + j] += conversions * r * other_r;
                self.outer[i * width + k + j] += conversions * r * other_d;
                self.outer[(k + i) * width + j] += conversions * d * other_r;
                self.outer[(k + i) * width + k + j] += conversions * d * other_d;
            }
        }
        for channel in self.seen.drain(..) {
            self.of_path[channel] = (0.0, 0.0);
            self.met[channel] = false;
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        let pairs = [(&mut self.outer, &other.outer), (&mut self.bend, &other.bend), (&mut self.slope, &other.slope)];
        for (mine, theirs) in pairs {
            mine.iter_mut().zip(theirs).for_each(|(a, b)| *a += b);
        }
    }

    /// Parameters one Newton step from `at`, where the likelihood is concave there. Channels without a rate, and decays that would
    /// leave their bounds, stay.
    pub(super) fn step(&self, at: &Parameters, sums: &[Sums], bounds: (f64, f64)) -> Option<Parameters> {
        let k = self.channels;
        let mut gradient = vec![0.0; 2 * k];
        let mut free = Vec::with_capacity(2 * k);
        for (c, sum) in sums.iter().enumerate() {
            let (beta, omega) = (at.beta[c], at.omega[c]);
            let rate = omega * sum.slope;
            gradient[c] = sum.credit - beta * sum.exposure;
            gradient[k + c] = -omega * sum.delay + beta * (sum.exposure - rate);
            let out = (omega <= bounds.0 && gradient[k + c] <= 0.0) || (omega >= bounds.1 && gradient[k + c] >= 0.0);
            if sum.credit > 0.0 && beta > 0.0 {
                free.push(c);
                if !out {
                    free.push(k + c);
                }
            }
        }
        let factor = Cholesky::new(&self.information(at, sums, &free), free.len(), DEFINITE)?;
        let right: Vec<f64> = free.iter().map(|&p| gradient[p]).collect();
        let mut step = vec![0.0; 2 * k];
        free.iter().zip(factor.solve(&right)).for_each(|(&p, by)| step[p] = by);
        let longest = step.iter().fold(0.0_f64, |m, s| m.max(s.abs()));
        if !longest.is_finite() {
            return None;
        }
        let shorter = (LONGEST / longest).min(1.0);
        let mut next = at.clone();
        for c in 0..k {
            let omega = (at.omega[c] * (shorter * step[k + c]).exp()).clamp(bounds.0, bounds.1);
            next.beta[c] = at.beta[c] * at.omega[c] * (shorter * step[c]).exp() / omega;
            next.omega[c] = omega;
        }
        Some(next)
    }

    /// The negative second derivatives by the free parameters, row-major.
    fn information(&self, at: &Parameters, sums: &[Sums], free: &[usize]) -> Vec<f64> {
        let (k, width) = (self.channels, 2 * self.channels);
        let mut out = Vec::with_capacity(free.len() * free.len());
        for &i in free {
            for &j in free {
                let (c, of_w) = (i % k, usize::from(i >= k) + usize::from(j >= k));
                let mut value = self.outer[i * width + j];
                if c == j % k {
                    let (sum, beta, omega) = (&sums[c], at.beta[c], at.omega[c]);
                    let rate = omega * sum.slope;
                    value += match of_w {
                        0 => beta * sum.exposure - sum.credit,
                        1 => beta * (rate - sum.exposure) + omega * sum.delay,
                        _ => beta * (sum.exposure - rate - omega * omega * self.slope[c]) - self.bend[c],
                    };
                }
                out.push(value);
            }
        }
        out
    }
}
