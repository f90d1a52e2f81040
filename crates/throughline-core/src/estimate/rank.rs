//! Estimates judged by their rank among placebos.

use super::{ConfidenceSet, Estimate, EstimateError, InferenceKind};
use crate::Level;

impl Estimate {
    /// An estimate among J placebo effects, exchangeable with its error when nothing happened.
    ///
    /// p(b) = (1 + #{|placebo| ≥ |value − b|}) / (J + 1), the rank test of a constant effect b; the set is all b with
    /// p(b) ≥ 1 − level: value ± the k-th largest |placebo|, with the least k for which (k + 1) / (J + 1) ≥ 1 − level.
    /// With fewer than 1 / (1 − level) − 1 placebos no effect can be excluded and the set is the whole line. There is no
    /// standard error. Source: Abadie, Diamond, Hainmueller (2010), JASA 105(490); inversion: Firpo, Possebom (2018).
    pub fn ranked(
        value: f64,
        placebos: &[f64],
        n: u64,
        level: Level,
        method: impl Into<String>,
    ) -> Result<Self, EstimateError> {
        if !value.is_finite() {
            return Err(EstimateError::NotFinite { value });
        }
        let mut sizes: Vec<f64> = placebos.iter().filter(|p| p.is_finite()).map(|p| p.abs()).collect();
        if sizes.is_empty() || sizes.len() < placebos.len() {
            return Err(EstimateError::TooFewPlacebos { placebos: sizes.len() });
        }
        sizes.sort_by(|a, b| b.total_cmp(a));
        let p_of = |larger: usize| (larger as f64 + 1.0) / (sizes.len() as f64 + 1.0);
        let least = (0..=sizes.len()).find(|k| p_of(*k) >= level.alpha()).unwrap_or(sizes.len());
        let half = least.checked_sub(1).map_or(f64::INFINITY, |index| sizes[index]);
        // The comparison of the p-value is that of the set, rounding included.
        let set = ConfidenceSet(vec![(value - half, value + half)]);
        let larger = sizes.partition_point(|size| *size >= value.abs());
        let p_value = if set.contains(0.0) { p_of(larger).max(p_of(least)) } else { p_of(larger) };
        Ok(Self {
            value,
            std_error: None,
            set,
            level,
            p_value,
            n,
            inference: InferenceKind::Rank,
            method: method.into(),
            assumptions: Vec::new(),
        })
    }
}
