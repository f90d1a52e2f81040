//! Instrumental variables: the effect of something chosen together with the outcome, from what moved it by chance.
//!
//! y = D β + X γ + e with D correlated with e, and instruments Z that move D and touch y through D only. Everything is
//! computed on what the controls X leave of y, D and Z ([`throughline_stats::partial`]), so a million rows cost two passes over
//! the controls. Estimates come as [`Joint`](crate::Joint)s of influence values; the Anderson–Rubin set as an inverted test.

mod anderson_rubin;

mod checks;

mod data;

mod first_stage;

mod gmm;

mod kclass;

mod reduced;

mod report;

mod roots;

mod scores;

mod simulate;

mod weak;

use serde::{Deserialize, Serialize};
use throughline_core::Level;

pub(crate) use data::dense;
pub use data::{IvColumns, IvData, Named};
pub use report::analyse;
pub use simulate::ESTIMATORS;

/// The estimator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IvMethod {
    /// Two-stage least squares.
    Tsls,
    /// Limited-information maximum likelihood: less biased with many or weak instruments.
    Liml,
    /// Fuller's LIML with constant 1: its moments exist.
    Fuller,
    /// Two-step efficient GMM.
    Gmm,
    /// GMM repeated until its weights stand.
    GmmIterated,
}

impl IvMethod {
    /// The method's name in answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tsls => "2sls",
            Self::Liml => "liml",
            Self::Fuller => "fuller",
            Self::Gmm => "gmm",
            Self::GmmIterated => "gmm_iterated",
        }
    }
}

/// Which errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IvCovariance {
    /// Equal variances.
    Classical,
    /// Unequal variances (White).
    Robust,
    /// Dependence within clusters.
    Cluster,
}

/// How to estimate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IvSettings {
    /// The estimator.
    pub method: IvMethod,
    /// Which errors.
    pub covariance: IvCovariance,
    /// Divisors n − k and Student's t instead of n and the normal distribution (clustered errors always have G / (G − 1) and t
    /// with G − 1 degrees of freedom).
    pub small_sample: bool,
    /// Confidence level.
    pub level: Level,
}

impl IvSettings {
    /// 2SLS with robust errors at 95 %.
    pub const fn new() -> Self {
        Self { method: IvMethod::Tsls, covariance: IvCovariance::Robust, small_sample: false, level: Level::P95 }
    }
}

impl Default for IvSettings {
    fn default() -> Self {
        Self::new()
    }
}
