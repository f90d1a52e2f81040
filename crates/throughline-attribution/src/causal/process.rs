//! The prior of ratios as a Gaussian process, given the spreads.
//!
//! r(c, t, s) = μ + a_c + u_c(t, s) + e: a population mean, the channel's own deviation, its drift over time and scope, and
//! what the credit is off by. All are normal given the spread τ of a (of a channel of mean size) and ω of u.

use super::input::Settings;
use super::select::Place;

/// A pair of spreads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spreads {
    /// Between channels.
    pub(super) tau: f64,
    /// Of the drift.
    pub(super) omega: f64,
}

/// Covariances of ratios.
#[derive(Debug, Clone, Copy)]
pub(super) struct Process<'a> {
    pub(super) settings: &'a Settings,
    /// The squared ratio by which errors of credit are multiplied.
    pub(super) squared_ratio: f64,
}

impl Process<'_> {
    /// Deviation of a channel's ratio relative to that of one of mean size: size^(power − 1).
    fn relative(&self, place: &Place) -> f64 {
        place.size.powf(self.settings.size_power - 1.0)
    }

    /// The parts of the covariance of two ratios that are multiplied by 1, τ² and ω².
    ///
    /// exp(−d/ℓ) with d the mean distance of starts and ends is a product of two exponential kernels, and κ for other scopes is one
    /// of compound symmetry: both are positive definite, and so is their product.
    pub(super) fn parts(&self, a: &Place, b: &Place) -> [f64; 3] {
        let same = a.channel == b.channel;
        let shared = same || (a.exchangeable && b.exchangeable);
        let mean = if shared { self.settings.mean_sd.powi(2) } else { 0.0 };
        if !same {
            return [mean, 0.0, 0.0];
        }
        let error = match (a.cell, b.cell) {
            (Some(i), Some(j)) if i == j => a.credit_error,
            _ if std::ptr::eq(a, b) => a.credit_error,
            _ => 0.0,
        };
        let scopes = if a.scope == b.scope { 1.0 } else { self.settings.scope_correlation };
        let drift = scopes * (-a.span.distance_days(b.span) / self.settings.memory_days).exp();
        [mean + error * self.squared_ratio, self.relative(a) * self.relative(b), drift]
    }
}

impl Spreads {
    /// A covariance from its parts.
    pub(super) fn of(self, parts: [f64; 3]) -> f64 {
        parts[0] + self.tau * self.tau * parts[1] + self.omega * self.omega * parts[2]
    }
}
