//! Selection on observables: effects where treatment was not assigned at random, but everything that drove both treatment
//! and outcome was measured.
//!
//! A [`Study`] holds outcome, treatment and covariates. Each method returns a [`Joint`](crate::Joint) (or an estimate made from
//! its own variance, for matching); [`report`] puts balance, overlap and sensitivity beside it.

mod study;

mod table;

mod settings;

mod crossfit;

mod score;

mod aipw;

mod plr;

mod ipw;

mod entropy;

mod nearest;

mod matching;

mod balance;

mod confounding;

mod hidden;

mod evalue;

mod report;

mod touchpoint;

mod simulate;

pub use aipw::{AipwFit, aipw};
pub use balance::{Balance, BalanceRow, Overlap, balance, overlap};
pub use confounding::{Benchmark, OlsSensitivity, ols_sensitivity};
pub use crossfit::Folds;
pub use entropy::{EntropyFit, entropy_balancing};
pub use evalue::{EValue, e_value_of_difference, e_value_of_ratio};
pub use hidden::{HiddenConfounding, SensitivityElements};
pub use ipw::{IpwFit, ipw};
pub use matching::{MatchFit, MatchMetric, MatchSettings, matching};
pub use plr::{PlrFit, PlrScore, plr};
pub use report::{Method, effect};
pub use settings::{AdjustSettings, Estimand, LearnerSpec};
pub use study::Study;
pub use table::{Missing, StudyColumns, study_of};
pub use touchpoint::{TouchAt, TouchpointEffect, TouchpointSettings, Touchpoints, touchpoint};

use crate::registry::EstimatorEntry;

/// The estimators of this family.
pub const ESTIMATORS: &[EstimatorEntry] = simulate::ESTIMATORS;
