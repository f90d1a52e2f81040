//! Group average treatment effects: what was promised beside what was measured, by quantile, by segment and over time.

use std::ops::Range;

use throughline_core::{Diagnostic, Estimate, Level};
use throughline_stats::dist::chi_squared_sf;
use throughline_stats::ols::{Covariance, ols};

use super::calibration::mean_estimate;
use super::scores::EffectScores;
use crate::UpliftError;
use crate::ranking::cut;
use crate::training::same_length;

/// Rows of each arm a group needs: below, there is no variance of its own.
const LEAST_PER_ARM: usize = 2;

/// The average effect in one group.
#[derive(Debug, Clone, PartialEq)]
pub struct EffectGroup {
    /// `1` to the number of quantiles (1 for the largest predictions), the segment, or the period.
    pub name: String,
    /// Treated rows.
    pub treated: u64,
    /// Control rows.
    pub control: u64,
    /// Mean predicted effect; `None` for a group without rows.
    pub predicted: Option<f64>,
    /// Mean Γ; `None` where an arm has fewer than 2 rows (`TL742`).
    pub effect: Option<Estimate>,
    /// Mean Γ less mean prediction: the interval holds 0 where the promise was kept.
    pub gap: Option<Estimate>,
}

/// Average effects of disjoint groups.
#[derive(Debug, Clone, PartialEq)]
pub struct EffectGroups {
    /// The groups, in order.
    pub groups: Vec<EffectGroup>,
    /// p-value that all groups have one effect (χ² of independent means); `None` below two groups with an effect, or
    /// where one of them does not vary.
    pub same_effect_p: Option<f64>,
    /// First less last group with an effect: for quantiles, most promising less least.
    pub first_less_last: Option<Estimate>,
    /// Change of (Γ − prediction) per period; only over time, and only with two periods or more.
    pub drift: Option<Estimate>,
    /// What to know about the answer.
    pub diagnostics: Vec<Diagnostic>,
}

/// Effects by quantile of the prediction (GATES of Chernozhukov et al. 2025): at most `parts` groups of nearly equal size,
/// the largest predictions first. Tied predictions stay in one group, so that some may be absent.
///
/// # Errors
/// Predictions of another number or that are not finite; 0 parts.
pub fn effects_by_quantile(
    scores: &EffectScores,
    predicted: &[f64],
    parts: usize,
    level: Level,
) -> Result<EffectGroups, UpliftError> {
    scores.check("predicted effect", predicted)?;
    if parts == 0 {
        return Err(UpliftError::Empty { what: "parts" });
    }
    let order = scores.order_by(predicted);
    let parts = parts.min(order.len());
    let mut start = 0;
    let blocks: Vec<Range<usize>> = order
        .chunk_by(|&a, &b| predicted[a] == predicted[b])
        .map(|tied| {
            start += tied.len();
            start - tied.len()..start
        })
        .collect();
    let groups = cut(order.len(), parts, &blocks)
        .into_iter()
        .map(|(part, range)| ((part + 1).to_string(), order[range].to_vec()))
        .collect();
    of_groups(scores, predicted, groups, level)
}

/// Effects by named segment: `codes` gives each row's position in `names`. A segment without rows stays, without effect.
///
/// # Errors
/// Lengths that differ, predictions that are not finite, a code without a name.
pub fn effects_by_segment(
    scores: &EffectScores,
    predicted: &[f64],
    codes: &[u32],
    names: &[String],
    level: Level,
) -> Result<EffectGroups, UpliftError> {
    scores.check("predicted effect", predicted)?;
    same_length("segment", codes.len(), scores.n())?;
    let mut groups: Vec<(String, Vec<usize>)> = names.iter().map(|n| (n.clone(), Vec::new())).collect();
    for row in scores.order_by(predicted) {
        let unknown = || UpliftError::Params {
            name: "effects_by_segment",
            message: format!("row {row} has segment number {}, but there are only {} names", codes[row], names.len()),
        };
        groups.get_mut(codes[row] as usize).ok_or_else(unknown)?.1.push(row);
    }
    of_groups(scores, predicted, groups, level)
}

/// Effects by period (any whole number that grows with time, such as days), with the drift of the calibration: the slope of
/// Γ − prediction on the period, HC3.
///
/// # Errors
/// Lengths that differ, predictions that are not finite.
pub fn effects_by_period(
    scores: &EffectScores,
    predicted: &[f64],
    period: &[i64],
    level: Level,
) -> Result<EffectGroups, UpliftError> {
    scores.check("predicted effect", predicted)?;
    same_length("period", period.len(), scores.n())?;
    let mut order = scores.order_by(predicted);
    order.sort_by_key(|&row| period[row]);
    let groups =
        order.chunk_by(|&a, &b| period[a] == period[b]).map(|rows| (period[rows[0]].to_string(), rows.to_vec()));
    let mut found = of_groups(scores, predicted, groups.collect(), level)?;
    if found.groups.len() > 1 && order.len() > 2 {
        let start = period[order[0]];
        let (ones, time): (Vec<f64>, Vec<f64>) =
            order.iter().map(|&row| (1.0, (i128::from(period[row]) - i128::from(start)) as f64)).unzip();
        let gap: Vec<f64> = order.iter().map(|&row| scores.values[row] - predicted[row]).collect();
        let columns: [&[f64]; 2] = [&ones, &time];
        let fit = ols(&columns, &gap, None)
            .map_err(|e| UpliftError::Params { name: "effects_by_period", message: e.to_string() })?;
        let error = fit.covariance(&columns, None, Covariance::Hc3)[3].max(0.0).sqrt();
        let (df, n) = (Some(fit.df as f64), order.len() as u64);
        found.drift = Some(scores.assumed(Estimate::wald(fit.coefficients[1], error, df, n, level, "drift_hc3")?));
    }
    Ok(found)
}

fn of_groups(
    scores: &EffectScores,
    predicted: &[f64],
    groups: Vec<(String, Vec<usize>)>,
    level: Level,
) -> Result<EffectGroups, UpliftError> {
    let mut found = EffectGroups {
        groups: Vec::with_capacity(groups.len()),
        same_effect_p: None,
        first_less_last: None,
        drift: None,
        diagnostics: Vec::new(),
    };
    let mut small = Vec::new();
    for (name, rows) in groups {
        let group = one(scores, predicted, name, &rows, level)?;
        if group.effect.is_none() {
            small.push(format!("`{}` ({} treated, {} control)", group.name, group.treated, group.control));
        }
        found.groups.push(group);
    }
    if !small.is_empty() {
        found.diagnostics.push(
            Diagnostic::warning(
                "TL742",
                format!("no effect for groups with fewer than {LEAST_PER_ARM} rows of an arm: {}", small.join(", ")),
            )
            .help("use fewer or larger groups"),
        );
    }
    let measured: Vec<&Estimate> = found.groups.iter().filter_map(|g| g.effect.as_ref()).collect();
    found.same_effect_p = same_effect(&measured);
    if let [first, .., last] = measured.as_slice() {
        let error = first.std_error.unwrap_or(0.0).hypot(last.std_error.unwrap_or(0.0));
        let difference =
            Estimate::wald(first.value - last.value, error, None, first.n + last.n, level, "aipw_group_difference")?;
        found.first_less_last = Some(scores.assumed(difference));
    }
    Ok(found)
}

fn one(
    scores: &EffectScores,
    predicted: &[f64],
    name: String,
    rows: &[usize],
    level: Level,
) -> Result<EffectGroup, UpliftError> {
    let treated = rows.iter().filter(|&&row| scores.treated[row]).count();
    let control = rows.len() - treated;
    let mut group = EffectGroup {
        name,
        treated: treated as u64,
        control: control as u64,
        predicted: (!rows.is_empty()).then(|| rows.iter().map(|&row| predicted[row]).sum::<f64>() / rows.len() as f64),
        effect: None,
        gap: None,
    };
    if treated.min(control) >= LEAST_PER_ARM {
        let gamma: Vec<f64> = rows.iter().map(|&row| scores.values[row]).collect();
        let gap: Vec<f64> = rows.iter().map(|&row| scores.values[row] - predicted[row]).collect();
        group.effect = Some(scores.assumed(mean_estimate(&gamma, level, "aipw_group_mean")?));
        group.gap = Some(scores.assumed(mean_estimate(&gap, level, "aipw_group_mean_less_prediction")?));
    }
    Ok(group)
}

/// Σ ((τ_g − τ̄) / se_g)² with τ̄ the precision-weighted mean, against χ² with groups − 1 degrees of freedom.
fn same_effect(measured: &[&Estimate]) -> Option<f64> {
    let errors: Vec<f64> = measured.iter().map(|e| e.std_error.unwrap_or(0.0)).collect();
    let least = errors.iter().copied().fold(f64::INFINITY, f64::min);
    if measured.len() < 2 || least <= 0.0 {
        return None;
    }
    // Precisions relative to the largest, so that tiny errors do not overflow.
    let precision: Vec<f64> = errors.iter().map(|e| (least / e).powi(2)).collect();
    let total: f64 = precision.iter().sum();
    let mean = measured.iter().zip(&precision).map(|(e, w)| e.value * w).sum::<f64>() / total;
    let statistic: f64 = measured.iter().zip(&errors).map(|(e, se)| ((e.value - mean) / se).powi(2)).sum();
    Some(chi_squared_sf(statistic, (measured.len() - 1) as f64))
}
