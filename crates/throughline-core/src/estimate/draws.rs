//! Estimates from bootstrap or posterior draws.

use super::{ConfidenceSet, Estimate, EstimateError, InferenceKind};
use crate::Level;

impl Estimate {
    /// An estimate from B draws. With m(b) = min(#{d ≤ b}, #{d ≥ b}), p(b) = min(1, 2 · (m(b) + 1) / (B + 1)); the set
    /// holds every b with p(b) ≥ 1 − level, that is, all between two order statistics, or the whole line when there
    /// are too few draws for the level. It is widened where needed so that it holds the value; `p_value` is p(0), and
    /// 1 − level where only the widening holds 0.
    pub fn from_draws(
        value: f64,
        draws: &[f64],
        n: u64,
        level: Level,
        method: impl Into<String>,
    ) -> Result<Self, EstimateError> {
        if !value.is_finite() {
            return Err(EstimateError::NotFinite { value });
        }
        let mut sorted: Vec<f64> = draws.iter().copied().filter(|d| d.is_finite()).collect();
        if sorted.len() < 2 {
            return Err(EstimateError::TooFewDraws { draws: sorted.len() });
        }
        sorted.sort_by(f64::total_cmp);
        let count = sorted.len();
        let mean = sorted.iter().sum::<f64>() / count as f64;
        let variance = sorted.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (count - 1) as f64;
        let p_of = |least: usize| (2.0 * (least as f64 + 1.0) / (count as f64 + 1.0)).min(1.0);
        // The fewest draws that must lie on either side of a value of the set.
        let least = (0..=count / 2).find(|m| p_of(*m) >= level.alpha()).unwrap_or(count / 2);
        let (lo, hi) = match least.checked_sub(1) {
            Some(index) => (sorted[index], sorted[count - 1 - index]),
            None => (f64::NEG_INFINITY, f64::INFINITY),
        };
        let set = ConfidenceSet(vec![(lo.min(value), hi.max(value))]);
        let below = sorted.partition_point(|d| *d <= 0.0);
        let above = count - sorted.partition_point(|d| *d < 0.0);
        let mut p_value = p_of(below.min(above));
        if set.contains(0.0) {
            p_value = p_value.max(level.alpha());
        }
        Ok(Self {
            value,
            std_error: Some(variance.sqrt()),
            set,
            level,
            p_value,
            n,
            inference: InferenceKind::Draws,
            method: method.into(),
            assumptions: Vec::new(),
        })
    }
}
