//! Whether the effect differs between segments, and by how much it does in each.

use serde::{Deserialize, Serialize};
use throughline_core::{Diagnostic, Estimate, Level};
use throughline_stats::goodness;

use super::groups::{GroupEffects, Question};
use super::judge::Judge;
use crate::contract::WaldTest;
use crate::{Correction, EvidenceError, Joint, Table};

/// The effect in one segment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SegmentEffect {
    /// The segment.
    pub segment: String,
    /// Its effect alone.
    pub estimate: Estimate,
    /// p-value corrected for the number of segments.
    pub adjusted_p_value: f64,
    /// Whether that is below α.
    pub significant: bool,
    /// The effect shrunk towards the segments' common effect, which is the better guess of it.
    pub shrunk: Estimate,
}

/// One comparison by the segments of one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Segmentation {
    /// The column.
    pub column: String,
    /// The treated arm.
    pub arm: String,
    /// The metric.
    pub metric: String,
    /// The test that all segments have the same effect; absent below two segments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heterogeneity: Option<WaldTest>,
    /// Standard deviation of true effects between segments (DerSimonian–Laird); 0 where chance explains all.
    pub between: f64,
    /// The segments, in the order in which they stand.
    pub effects: Vec<SegmentEffect>,
}

/// Most segments of a column.
const MOST: usize = 100;

/// Codes and names of a segment column. Errors: more segments than make sense.
pub(crate) fn column(table: &Table, name: &str) -> Result<(Vec<u32>, Vec<String>), EvidenceError> {
    let (codes, names) = table.codes(name)?;
    if names.len() > MOST {
        let message = format!("column `{name}` has {} segments, at most {MOST} are read", names.len());
        let help = "declare few segments beforehand; group values that belong together".into();
        return Err(EvidenceError::Data { code: "TL334", message, help });
    }
    Ok((codes, names))
}

/// The effects of one comparison by segment; `None` where no segment has one.
pub(crate) fn read(
    question: &Question<'_>,
    label: (&str, &str, &str),
    (codes, names): &(Vec<u32>, Vec<String>),
    judge: &Judge,
    correction: Correction,
    found: &mut Vec<Diagnostic>,
) -> Option<Segmentation> {
    let (column, arm, metric) = label;
    let place = format!("`{metric}` of `{arm}` by `{column}`");
    let by = match question.by(codes, names.len(), names) {
        Ok(by) => by,
        Err(e) => {
            found.push(Diagnostic::warning("TL334", format!("{place}: {e}")));
            return None;
        }
    };
    if !by.absent.is_empty() {
        let of = |(g, why): &(u32, String)| format!("{}: {why}", names[*g as usize]);
        let listed: Vec<String> = by.absent.iter().take(5).map(of).collect();
        let message = format!("{place}: {} segments have no effect ({})", by.absent.len(), listed.join("; "));
        found.push(Diagnostic::warning("TL334", message).help("merge small segments, or wait for more units"));
    }
    let heterogeneity = heterogeneity(&by.joint);
    let (between, shrunk) = shrink(&by, judge.level).ok()?;
    let estimates: Vec<Estimate> = by.effects.iter().map(|e| judge.absolute(e)).collect::<Result<_, _>>().ok()?;
    let p: Vec<f64> = estimates.iter().map(|e| e.p_value).collect();
    // Segments are looked at because they are many: Holm unless something else was asked for.
    let adjusted = match correction {
        Correction::BenjaminiHochberg => goodness::benjamini_hochberg(&p),
        _ => goodness::holm(&p),
    };
    let effects = by.groups.iter().zip(estimates).zip(adjusted).zip(shrunk);
    let effects = effects.map(|(((group, estimate), p), shrunk)| SegmentEffect {
        segment: names[*group as usize].clone(),
        estimate,
        adjusted_p_value: p,
        significant: p < judge.level.alpha(),
        shrunk,
    });
    let effects = effects.collect();
    Some(Segmentation {
        column: column.into(),
        arm: arm.into(),
        metric: metric.into(),
        heterogeneity,
        between,
        effects,
    })
}

/// The Wald test that all effects are equal; for independent segments Cochran's Q.
fn heterogeneity(joint: &Joint) -> Option<WaldTest> {
    let k = joint.len();
    let against_last = |i: usize| {
        let mut weights = vec![0.0; k];
        weights[i] = 1.0;
        weights[k - 1] = -1.0;
        (String::new(), weights)
    };
    let contrasts: Vec<_> = (0..k.saturating_sub(1)).map(against_last).collect();
    let all: Vec<usize> = (0..contrasts.len()).collect();
    joint.combine(&contrasts).ok()?.wald_test(&all).ok()
}

/// Effects shrunk towards their precision-weighted mean.
///
/// With v the variances, τ² is DerSimonian and Laird's (1986) moment estimate of the variance of true effects, μ̂ their
/// mean with weights 1 / (v + τ²). Each becomes δ − B (δ − μ̂), B = v / (v + τ²), with variance
/// (1 − B) v + B² (Var μ̂ + 2 (δ − μ̂)² / (k − 3)), the last term for k > 3 only, as B is estimated: Morris (1983), JASA
/// 78(381). The sets hold the truth on average over segments, not for each one.
fn shrink(by: &GroupEffects, level: Level) -> Result<(f64, Vec<Estimate>), EvidenceError> {
    let k = by.effects.len() as f64;
    let variances: Vec<f64> = by.effects.iter().map(|e| e.variance().max(f64::MIN_POSITIVE)).collect();
    let mean_with = |extra: f64| {
        let (mut sum, mut weights) = (0.0, 0.0);
        for (e, v) in by.effects.iter().zip(&variances) {
            sum += e.value / (v + extra);
            weights += 1.0 / (v + extra);
        }
        (sum / weights, weights)
    };
    let (fixed, weights) = mean_with(0.0);
    let q: f64 = by.effects.iter().zip(&variances).map(|(e, v)| (e.value - fixed).powi(2) / v).sum();
    let squares: f64 = variances.iter().map(|v| 1.0 / (v * v)).sum();
    let scale = weights - squares / weights;
    let tau2 = if scale > 0.0 { ((q - (k - 1.0)) / scale).max(0.0) } else { 0.0 };
    let (mean, weights) = mean_with(tau2);
    let shrunk = by.effects.iter().zip(&variances).map(|(e, v)| {
        let b = v / (v + tau2);
        let from_mean = e.value - mean;
        let estimated = if k > 3.0 { 2.0 * from_mean * from_mean / (k - 3.0) } else { 0.0 };
        // Never wider than the segment alone would be.
        let variance = ((1.0 - b) * v + b * b * (1.0 / weights + estimated)).min(*v);
        let method = format!("{}_empirical_bayes", e.method);
        let estimate = Estimate::wald(e.value - b * from_mean, variance.sqrt(), None, e.n, level, method)?;
        Ok(estimate.assuming("true effects of segments are spread normally around a common one"))
    });
    Ok((tau2.sqrt(), shrunk.collect::<Result<_, EvidenceError>>()?))
}
