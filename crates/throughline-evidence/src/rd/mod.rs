//! Regression discontinuity: what a treatment does at the cut-off of a score that decides who gets it.
//!
//! Just below and just above the cut-off people are alike but for the treatment, so the jump of the outcome there is its effect for
//! them. A policy's own cut-off (a score above which the offer is sent) is such a natural experiment.

mod bandwidth;

mod data;

mod density;

mod estimate;

mod report;

mod side;

mod simulate;

use serde::{Deserialize, Serialize};
use throughline_core::Level;

pub use data::{RdColumns, RdData};
pub use report::analyse;
pub use simulate::ESTIMATORS;

/// How weight falls with distance from the cut-off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kernel {
    /// 1 − |u|: best for a jump.
    Triangular,
    /// ¾ (1 − u²).
    Epanechnikov,
    /// ½.
    Uniform,
}

impl Kernel {
    /// K(u), 0 outside −1 to 1.
    fn weight(self, u: f64) -> f64 {
        if u.abs() > 1.0 {
            return 0.0;
        }
        match self {
            Self::Triangular => 1.0 - u.abs(),
            Self::Epanechnikov => 0.75 * (1.0 - u * u),
            Self::Uniform => 0.5,
        }
    }
}

/// Which residuals the errors are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RdVariance {
    /// Differences from so many nearest neighbours.
    NearestNeighbour(usize),
    /// Residuals of the fit.
    Hc0,
    /// Times √(n / (n − k)).
    Hc1,
    /// Over √(1 − leverage).
    Hc2,
    /// Over 1 − leverage.
    Hc3,
}

/// How to estimate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RdSettings {
    /// Order of the local polynomial: 1 unless there is a reason.
    pub order: usize,
    /// Weights.
    pub kernel: Kernel,
    /// Bandwidth; the one of least mean squared error without.
    pub h: Option<f64>,
    /// Bandwidth of the bias estimate; as `h` where only that is given.
    pub b: Option<f64>,
    /// Errors.
    pub variance: RdVariance,
    /// Units nearer to the cut-off than this are left out.
    pub donut: f64,
    /// Confidence level.
    pub level: Level,
}

impl RdSettings {
    /// Local linear, triangular, selected bandwidth, three neighbours, no donut, 95 %.
    pub const fn new() -> Self {
        Self {
            order: 1,
            kernel: Kernel::Triangular,
            h: None,
            b: None,
            variance: RdVariance::NearestNeighbour(3),
            donut: 0.0,
            level: Level::P95,
        }
    }
}

impl Default for RdSettings {
    fn default() -> Self {
        Self::new()
    }
}
