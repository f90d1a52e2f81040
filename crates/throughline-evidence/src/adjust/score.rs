//! Estimates that solve Σ (b − θ a) = 0, their influence values, and medians over repetitions.

use throughline_stats::ols::sums_within;

use crate::{EvidenceError, Joint};

/// θ = Σ b / Σ a with φ = (b − θ a) / Σ a.
#[derive(Debug, Clone)]
pub(crate) struct Score {
    pub(crate) name: String,
    pub(crate) value: f64,
    pub(crate) influence: Vec<f64>,
}

/// The score of two columns. Errors: a denominator of 0.
pub(crate) fn ratio(name: impl Into<String>, b: &[f64], a: &[f64]) -> Result<Score, EvidenceError> {
    let (name, total) = (name.into(), a.iter().sum::<f64>());
    let value = b.iter().sum::<f64>() / total;
    if total == 0.0 || !value.is_finite() {
        return Err(EvidenceError::NotFinite { what: name });
    }
    let influence = b.iter().zip(a).map(|(b, a)| (b - value * a) / total).collect();
    Ok(Score { name, value, influence })
}

/// The difference of two estimates.
pub(crate) fn less(name: impl Into<String>, a: &Score, b: &Score) -> Score {
    let influence = a.influence.iter().zip(&b.influence).map(|(a, b)| a - b).collect();
    Score { name: name.into(), value: a.value - b.value, influence }
}

fn variance(influence: &[f64], clusters: Option<&[u32]>) -> f64 {
    let squares = |values: &[f64]| values.iter().map(|v| v * v).sum();
    match clusters {
        None => squares(influence),
        Some(codes) => squares(&sums_within(influence, codes, codes.iter().max().map_or(0, |m| *m as usize + 1))),
    }
}

/// Medians over repetitions of the same estimates, with the spread between repetitions in their errors: value
/// θ̃ = median θᵣ, variance median (σᵣ² + (θᵣ − θ̃)²). Source: Chernozhukov et al. (2018), Econometrics Journal 21, §3.4. The
/// influence values are those of the repetition at the median (of both beside it for an even number), scaled to that
/// variance.
pub(crate) fn medians(mut repetitions: Vec<Vec<Score>>, clusters: Option<&[u32]>) -> Vec<Score> {
    if repetitions.len() < 2 {
        return repetitions.pop().unwrap_or_default();
    }
    let estimates = repetitions[0].len();
    (0..estimates).map(|j| median_of(&repetitions.iter().map(|r| &r[j]).collect::<Vec<_>>(), clusters)).collect()
}

fn median_of(scores: &[&Score], clusters: Option<&[u32]>) -> Score {
    let mut order: Vec<&Score> = scores.to_vec();
    order.sort_by(|a, b| a.value.total_cmp(&b.value));
    let (low, high) = (order[(order.len() - 1) / 2], order[order.len() / 2]);
    let value = f64::midpoint(low.value, high.value);
    let mut variances: Vec<f64> =
        scores.iter().map(|s| variance(&s.influence, clusters) + (s.value - value).powi(2)).collect();
    variances.sort_by(f64::total_cmp);
    let target = f64::midpoint(variances[(variances.len() - 1) / 2], variances[variances.len() / 2]);
    let mut influence: Vec<f64> =
        low.influence.iter().zip(&high.influence).map(|(a, b)| f64::midpoint(*a, *b)).collect();
    let own = variance(&influence, clusters);
    let scale = if own > 0.0 { (target / own).sqrt() } else { 1.0 };
    for v in &mut influence {
        *v *= scale;
    }
    Score { name: low.name.clone(), value, influence }
}

/// All estimates with one contract, clustered where units belong together.
pub(crate) fn joint(scores: Vec<Score>, clusters: Option<&[u32]>, method: &str) -> Result<Joint, EvidenceError> {
    let n = scores.first().map_or(0, |s| s.influence.len()) as u64;
    let (mut names, mut values, mut influence) = (Vec::new(), Vec::new(), Vec::new());
    for score in scores {
        names.push(score.name);
        values.push(score.value);
        influence.push(score.influence);
    }
    let joint = Joint::from_influence(names, values, influence, n, method)?;
    match clusters {
        Some(codes) => joint.clustered(codes),
        None => Ok(joint),
    }
}
