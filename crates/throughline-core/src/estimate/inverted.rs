//! Estimates whose set is all values that a test does not reject.

use super::wald::check;
use super::{ConfidenceSet, Estimate, EstimateError, InferenceKind};
use crate::Level;

/// What rounding may make of a p-value at the very end of a set.
const ROUNDING: f64 = 1e-6;

impl Estimate {
    /// An estimate from a test: `set` is all b with p(b) ≥ 1 − level, `p_value` is p(0). The set may be disjoint,
    /// unbounded, or empty when the test rejects every value. Where 0 lies so near an end that rounding decides, the
    /// set decides and the p-value follows.
    pub fn inverted(
        value: f64,
        std_error: Option<f64>,
        set: ConfidenceSet,
        p_value: f64,
        n: u64,
        level: Level,
        method: impl Into<String>,
    ) -> Result<Self, EstimateError> {
        check(value, std_error.unwrap_or(0.0))?;
        if !(0.0..=1.0).contains(&p_value) {
            return Err(EstimateError::BadPValue { p_value });
        }
        let ordered = set.0.iter().all(|(lo, hi)| lo <= hi) && set.0.windows(2).all(|pair| pair[0].1 < pair[1].0);
        if !ordered {
            return Err(EstimateError::BadSet);
        }
        let alpha = level.alpha();
        let p_value = match (set.contains(0.0), p_value < alpha) {
            (true, true) if alpha - p_value <= ROUNDING => alpha,
            (false, false) if p_value - alpha <= ROUNDING => alpha.next_down(),
            (true, true) | (false, false) => return Err(EstimateError::Disagree { p_value }),
            _ => p_value,
        };
        Ok(Self {
            value,
            std_error,
            set,
            level,
            p_value,
            n,
            inference: InferenceKind::InvertedTest,
            method: method.into(),
            assumptions: Vec::new(),
        })
    }
}
