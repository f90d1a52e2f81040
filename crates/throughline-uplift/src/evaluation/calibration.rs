//! Are predicted effects right in size? The best linear projection of effects on their prediction.

use throughline_core::{Diagnostic, Estimate, Level};
use throughline_stats::ols::{Covariance, ols};

use super::scores::EffectScores;
use crate::UpliftError;

/// The best linear projection of the effect on its prediction, with heteroskedasticity-robust errors.
#[derive(Debug, Clone, PartialEq)]
pub struct EffectCalibration {
    /// The average effect: mean Γ.
    pub average: Estimate,
    /// The average effect less the mean prediction; its interval holds 0 where predictions are right on average.
    pub average_gap: Estimate,
    /// β of Γ = α + β · prediction: 1 for calibrated predictions, 0 for useless ones, above 1 for timid ones. Its p-value is
    /// that of 0: a small one says that the predictions find differences. `None` where predictions do not vary (`TL741`)
    /// or rows are fewer than 3.
    pub slope: Option<Estimate>,
    /// β − 1: its p-value is that of calibration.
    pub slope_gap: Option<Estimate>,
    /// α, the effect where the prediction is 0, in the unit of the outcome; 0 for calibrated predictions.
    pub intercept: Option<Estimate>,
    /// What to know about the answer.
    pub diagnostics: Vec<Diagnostic>,
}

/// Least squares of Γ on the predicted effect, centred: Γ = average + β (prediction − mean) (Chernozhukov, Demirer, Duflo
/// and Fernández-Val, "Generic machine learning inference on heterogeneous treatment effects", Econometrica 2025, with
/// doubly robust scores as in grf's `test_calibration`); covariance HC3, Student's t with n − 2 degrees of freedom. Assumes
/// that predictions come from data other than these rows, and what the scores assume.
///
/// # Errors
/// Predictions of another number or that are not finite; numbers too large to square.
pub fn calibrate_effects(
    scores: &EffectScores,
    predicted: &[f64],
    level: Level,
) -> Result<EffectCalibration, UpliftError> {
    scores.check("predicted effect", predicted)?;
    let order = scores.order_by(predicted);
    let prediction: Vec<f64> = order.iter().map(|&i| predicted[i]).collect();
    let gamma: Vec<f64> = order.iter().map(|&i| scores.values[i]).collect();
    let n = gamma.len();
    let gaps: Vec<f64> = gamma.iter().zip(&prediction).map(|(g, p)| g - p).collect();
    let mut found = EffectCalibration {
        average: scores.assumed(mean_estimate(&gamma, level, "aipw_mean")?),
        average_gap: scores.assumed(mean_estimate(&gaps, level, "aipw_mean_less_prediction")?),
        slope: None,
        slope_gap: None,
        intercept: None,
        diagnostics: Vec::new(),
    };
    // In the order of the ranking: the first is the largest.
    let (largest, least) = (prediction[0], prediction[n - 1]);
    let centre = prediction.iter().sum::<f64>() / n as f64;
    let constant = largest - least <= 1e-12 * largest.abs().max(least.abs());
    if constant || n < 3 {
        let message = if constant {
            format!("all {n} predicted effects are {largest}: their calibration has no slope")
        } else {
            format!("{n} rows are too few for the slope of a calibration (at least 3 are needed)")
        };
        found.diagnostics.push(Diagnostic::warning("TL741", message).help("judge the average effect only"));
        return Ok(found);
    }
    let (ones, centred) = (vec![1.0; n], prediction.iter().map(|p| p - centre).collect::<Vec<f64>>());
    let columns: [&[f64]; 2] = [&ones, &centred];
    let fit = ols(&columns, &gamma, None)
        .map_err(|e| UpliftError::Params { name: "calibrate_effects", message: e.to_string() })?;
    let v = fit.covariance(&columns, None, Covariance::Hc3);
    let (level_of, slope) = (fit.coefficients[0], fit.coefficients[1]);
    let estimate = |value: f64, variance: f64, method: &str| -> Result<Estimate, UpliftError> {
        let error = variance.max(0.0).sqrt();
        Ok(scores.assumed(Estimate::wald(value, error, Some(fit.df as f64), n as u64, level, method)?))
    };
    found.slope = Some(estimate(slope, v[3], "blp_hc3")?);
    found.slope_gap = Some(estimate(slope - 1.0, v[3], "blp_hc3_less_1")?);
    let at_zero = v[0] - 2.0 * centre * v[1] + centre * centre * v[3];
    found.intercept = Some(estimate(level_of - centre * slope, at_zero, "blp_hc3")?);
    Ok(found)
}

/// The mean of values with Student's t; a standard error of 0 for one value.
pub(super) fn mean_estimate(values: &[f64], level: Level, method: &str) -> Result<Estimate, UpliftError> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    let df = (n > 1.0).then_some(n - 1.0);
    let error = if n > 1.0 { (squares / (n - 1.0) / n).sqrt() } else { 0.0 };
    Ok(Estimate::wald(mean, error, df, values.len() as u64, level, method)?)
}
