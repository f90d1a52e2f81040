//! The calibrators, one file each.

pub(crate) mod beta;

pub(crate) mod identity;

pub(crate) mod isotonic;

pub(crate) mod platt;

pub use beta::Beta;
pub use identity::Identity;
pub use isotonic::Isotonic;
pub use platt::{Platt, PlattParams, ScoreScale};

use serde::{Deserialize, Serialize};
use throughline_stats::logistic::{LogisticFit, LogisticRegression, Rows};

use crate::LearnError;

/// A calibrator without parameters.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct NoParams {}

/// Logistic regression of outcomes in [0, 1] on columns of numbers given row by row.
fn logistic(
    name: &'static str,
    x: &[f64],
    columns: usize,
    y: &[f64],
    weights: &[f64],
) -> Result<LogisticFit, LearnError> {
    let rows = Rows { x, columns, y, weights: Some(weights) };
    LogisticRegression::default().fit(&rows).map_err(|e| LearnError::Learner { name, source: Box::new(e) })
}
