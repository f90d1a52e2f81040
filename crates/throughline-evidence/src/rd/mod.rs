//! Regression discontinuity.
/// None yet.
pub const ESTIMATORS: &[crate::EstimatorEntry] = &[];
