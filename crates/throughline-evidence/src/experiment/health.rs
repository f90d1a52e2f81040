//! Checks that need single units: who carries an effect, whether it changes with time, whether it can be true.

use serde::{Deserialize, Serialize};
use throughline_core::{Diagnostic, Estimate, Severity};

use super::Crossover;
use super::effect::Effect;
use super::groups::{GroupEffects, Question};
use super::outcome::Summing;
use crate::{Comparison, EvidenceError, Table};

/// What the checks of single units found.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct HealthChecks {
    /// Units in more than one arm; absent without a column of units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crossover: Option<Crossover>,
    /// How far single units carry each effect.
    pub outliers: Vec<Outliers>,
    /// Effects over time; empty without a column of time.
    pub trends: Vec<Trend>,
    /// Effects too large to believe at once.
    pub implausible: Vec<Implausible>,
}

/// How far single units (or clusters) carry an effect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outliers {
    /// The treated arm.
    pub arm: String,
    /// The metric.
    pub metric: String,
    /// The largest share of the effect's variance that comes from one unit.
    pub variance_share: f64,
    /// The effect without that unit, to first order.
    pub effect_without: f64,
    /// Share of both arms' total that the top 1 % of units hold; absent for metrics that are not means of values of at
    /// least 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_percent_share: Option<f64>,
}

/// An effect over time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trend {
    /// The treated arm.
    pub arm: String,
    /// The metric.
    pub metric: String,
    /// Mean time, effect and its standard error per period, in order.
    pub periods: Vec<(f64, f64, f64)>,
    /// Change of the effect per unit of time.
    pub slope: Estimate,
    /// Whether its p-value is below [`Trend::ALARM`].
    pub alarm: bool,
}

impl Trend {
    /// The p-value below which a change with time is said.
    pub const ALARM: f64 = 0.01;
}

/// An effect that is more often a fault than a finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Implausible {
    /// The treated arm.
    pub arm: String,
    /// The metric.
    pub metric: String,
    /// The end of the lift's interval nearer to 0.
    pub at_least: f64,
}

/// One unit with more of the variance than this is said.
const ONE_UNIT: f64 = 0.1;

/// A lift whose whole interval is beyond this is said (Twyman's law: what looks interesting is usually wrong).
const TOO_GOOD: f64 = 0.5;

/// Most periods of a trend.
const PERIODS: usize = 10;

/// Distinct times up to which each is a period of its own.
const OWN_PERIOD: usize = 31;

/// The units behind an effect. `values` are the outcomes of both arms.
pub(crate) fn outliers(
    comparison: &Comparison,
    effect: &Effect,
    summing: Summing,
    values: impl Iterator<Item = f64>,
    clustered: bool,
    found: &mut Vec<Diagnostic>,
) -> Outliers {
    let (mut largest, mut total) = (0.0_f64, 0.0);
    for a in &effect.absolute {
        total += a * a;
        if a.abs() > largest.abs() {
            largest = *a;
        }
    }
    let share = if total > 0.0 { largest * largest / total } else { 0.0 };
    let (arm, metric) = (comparison.arm.clone(), comparison.metric.clone());
    if share > ONE_UNIT && effect.independent > 30 {
        let what = if clustered { "cluster" } else { "unit" };
        let message = format!(
            "`{arm}` on `{metric}`: one {what} brings {:.0} % of the variance; without it the effect is about {:.4e}, not {:.4e}",
            share * 100.0,
            effect.value - largest,
            effect.value
        );
        let help = "look at it: a fault, a bot or a reseller; winsorise the metric if large values are real";
        found.push(Diagnostic::warning("TL327", message).help(help));
    }
    let top_percent_share = if summing == Summing::Mean { top_percent(values.collect()) } else { None };
    Outliers { arm, metric, variance_share: share, effect_without: effect.value - largest, top_percent_share }
}

fn top_percent(mut values: Vec<f64>) -> Option<f64> {
    let total: f64 = values.iter().sum();
    if values.is_empty() || values.iter().any(|v| *v < 0.0) || !(total > 0.0 && total.is_finite()) {
        return None;
    }
    let count = values.len().div_ceil(100);
    let (top, at, _) = values.select_nth_unstable_by(count - 1, |a, b| b.total_cmp(a));
    Some((top.iter().sum::<f64>() + *at) / total)
}

/// Whether a lift is too large to be believed without a look.
pub(crate) fn implausible(comparison: &Comparison, found: &mut Vec<Diagnostic>) -> Option<Implausible> {
    let (low, high) = comparison.relative.as_ref()?.interval();
    let at_least = if low > TOO_GOOD {
        low
    } else if high < -TOO_GOOD {
        high
    } else {
        return None;
    };
    let (arm, metric) = (comparison.arm.clone(), comparison.metric.clone());
    let message = format!("`{arm}` changes `{metric}` by at least {:.0} % of the control", at_least * 100.0);
    let help = "effects this large are usually faults of measurement: check logging, bots and the definition first";
    found.push(Diagnostic::new(Severity::Info, "TL329", message).help(help));
    Some(Implausible { arm, metric, at_least })
}

/// Periods of a column of time: each time of its own where there are few, otherwise ten of equal size. Gives the code of
/// each row and the mean time of each period.
pub(crate) fn periods(table: &Table, column: &str) -> Result<(Vec<u32>, Vec<f64>), EvidenceError> {
    let times = table.numbers(column)?;
    let mut sorted: Vec<f64> = times.iter().copied().filter(|t| t.is_finite()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let mut distinct = sorted.clone();
    distinct.dedup();
    let ends: Vec<f64> = if distinct.len() <= OWN_PERIOD {
        distinct
    } else {
        let mut ends: Vec<f64> = (1..=PERIODS).map(|i| sorted[i * sorted.len() / PERIODS - 1]).collect();
        ends.dedup();
        ends
    };
    let code = |t: &f64| if t.is_finite() { ends.partition_point(|e| e < t) } else { usize::MAX };
    let codes: Vec<u32> = times.iter().map(|t| u32::try_from(code(t)).unwrap_or(u32::MAX)).collect();
    let (mut sums, mut counts) = (vec![0.0; ends.len()], vec![0.0_f64; ends.len()]);
    for (code, time) in codes.iter().zip(times).filter(|(c, _)| **c != u32::MAX) {
        sums[*code as usize] += time;
        counts[*code as usize] += 1.0;
    }
    let means = sums.iter().zip(&counts).map(|(s, n)| s / n.max(1.0)).collect();
    Ok((codes, means))
}

/// The trend of an effect over periods: the slope of a line through the periods' effects, weighted by their units, with the
/// error of their joint distribution. `None` below three periods with an effect.
pub(crate) fn trend(
    question: &Question<'_>,
    comparison: &Comparison,
    (codes, times): &(Vec<u32>, Vec<f64>),
    found: &mut Vec<Diagnostic>,
) -> Option<Trend> {
    let names: Vec<String> = times.iter().map(f64::to_string).collect();
    let by = question.by(codes, times.len(), &names).ok()?;
    if by.effects.len() < 3 {
        return None;
    }
    let at: Vec<f64> = by.groups.iter().map(|g| times[*g as usize]).collect();
    let level = comparison.estimate.as_ref()?.level;
    let slope = by.joint.combine(&[("slope".into(), line(&at, &by)?)]).ok()?.estimate(0, level).ok()?;
    let alarm = slope.p_value < Trend::ALARM;
    let (arm, metric) = (comparison.arm.clone(), comparison.metric.clone());
    if alarm {
        let message = format!(
            "`{arm}` on `{metric}`: the effect changes by {:.4e} per unit of time (p {:.2e})",
            slope.value, slope.p_value
        );
        let help =
            "novelty wears off and learning grows: read the latest periods, and run on until the effect is steady";
        found.push(Diagnostic::warning("TL328", message).help(help));
    }
    let periods = at.iter().zip(&by.effects).map(|(t, e)| (*t, e.value, e.variance().sqrt())).collect();
    let slope = slope.assuming("units of different periods are alike but for the time");
    Some(Trend { arm, metric, periods, slope, alarm })
}

/// Weights of the slope: w (t − t̄) / Σ w (t − t̄)², with w the units of each period: variances of small periods are too
/// uncertain to weigh by.
fn line(at: &[f64], by: &GroupEffects) -> Option<Vec<f64>> {
    let weights: Vec<f64> = by.effects.iter().map(|e| e.n as f64).collect();
    let total: f64 = weights.iter().sum();
    let centre = at.iter().zip(&weights).map(|(t, w)| t * w).sum::<f64>() / total;
    let spread: f64 = at.iter().zip(&weights).map(|(t, w)| w * (t - centre).powi(2)).sum();
    let slope: Vec<f64> = at.iter().zip(&weights).map(|(t, w)| w * (t - centre) / spread).collect();
    slope.iter().all(|s| s.is_finite()).then_some(slope)
}
