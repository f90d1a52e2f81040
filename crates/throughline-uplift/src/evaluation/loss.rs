//! Losses of predicted effects, and the difference of two models' losses.

use throughline_core::{Estimate, Level};

use super::calibration::mean_estimate;
use super::scores::EffectScores;
use crate::UpliftError;

/// Mean losses of predicted effects, or differences of them. Their level holds the noise of single outcomes, which no model
/// can remove: compare models by [`effect_losses_between`].
#[derive(Debug, Clone, PartialEq)]
pub struct EffectLosses {
    /// Mean (Y* − prediction)² with the transformed outcome Y* = Y (W − e) / (e (1 − e)) (Athey and Imbens 2016), in squared
    /// units of the outcome.
    pub transformed_outcome: Estimate,
    /// Mean (Γ − prediction)²: the same with doubly robust scores, much less noisy (Mahajan et al., "Empirical analysis of
    /// model selection for heterogeneous causal effect estimation", ICLR 2024, "DR score").
    pub doubly_robust: Estimate,
}

/// The losses of one model's predictions, one per row.
///
/// # Errors
/// Predictions of another number or that are not finite; squares beyond the range of numbers.
pub fn effect_losses(scores: &EffectScores, predicted: &[f64], level: Level) -> Result<EffectLosses, UpliftError> {
    scores.check("predicted effect", predicted)?;
    let of = |target: &[f64], method: &str| {
        let losses = target.iter().zip(predicted).map(|(t, p)| (t - p).powi(2)).collect();
        mean_of(scores, losses, level, method)
    };
    Ok(EffectLosses {
        transformed_outcome: of(&scores.transformed, "transformed_outcome_loss")?,
        doubly_robust: of(&scores.values, "doubly_robust_loss")?,
    })
}

/// The losses of model `a` less those of model `b` on the same rows, with paired intervals: below 0 where `a` is better. Both
/// differences estimate E(τ − a)² − E(τ − b)², the difference of the errors in the effect itself.
///
/// # Errors
/// As for [`effect_losses`].
pub fn effect_losses_between(
    scores: &EffectScores,
    a: &[f64],
    b: &[f64],
    level: Level,
) -> Result<EffectLosses, UpliftError> {
    scores.check("predicted effect", a)?;
    scores.check("predicted effect", b)?;
    let of = |target: &[f64], method: &str| {
        // (t − a)² − (t − b)², without the cancelling t².
        let each = target.iter().zip(a.iter().zip(b)).map(|(t, (a, b))| (a - b) * ((a - t) + (b - t))).collect();
        mean_of(scores, each, level, method)
    };
    Ok(EffectLosses {
        transformed_outcome: of(&scores.transformed, "transformed_outcome_loss_difference")?,
        doubly_robust: of(&scores.values, "doubly_robust_loss_difference")?,
    })
}

/// Sorted, so that the mean does not depend on the order of rows.
fn mean_of(scores: &EffectScores, mut each: Vec<f64>, level: Level, method: &str) -> Result<Estimate, UpliftError> {
    each.sort_unstable_by(f64::total_cmp);
    Ok(scores.assumed(mean_estimate(&each, level, method)?))
}
