//! From an effect to estimates: one or two sides, one look or a sequence, margins, and several comparisons at once.

use serde::{Deserialize, Serialize};
use throughline_core::{Estimate, Level, Side};
use throughline_stats::two_sample::Uninformative;

use super::Looks;
use super::effect::Effect;
use super::plan::{Margin, Metric, Plan};
use super::welch::{FAR_FROM_ZERO, NO_INTERFERENCE, NORMAL, RANDOM};
use crate::{Comparison, EvidenceError, Joint};

/// Whether an arm is not worse than the control by more than a margin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NonInferiority {
    /// The margin, above 0.
    pub margin: f64,
    /// Whether it is a share of the control's mean.
    pub relative: bool,
    /// Effect plus margin where more is better, effect less margin where less is, against the one-sided null that it is on
    /// the wrong side of 0.
    pub estimate: Estimate,
    /// Whether it is shown: the p-value is below α.
    pub shown: bool,
}

/// Share of a variance below which it is rounding.
const ROUNDING: f64 = 1e-20;

const NO_CHANCE: &str = "the difference does not vary, which leaves no measure of chance";

/// How effects are judged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Judge<'a> {
    pub(crate) level: Level,
    pub(crate) side: Option<Side>,
    pub(crate) sequential: Option<&'a Looks>,
}

impl<'a> Judge<'a> {
    pub(crate) const fn of(plan: &'a Plan) -> Self {
        Self { level: plan.level, side: plan.alternative.side(), sequential: plan.sequential.as_ref() }
    }

    /// The absolute difference.
    pub(crate) fn absolute(&self, effect: &Effect) -> Result<Estimate, String> {
        self.estimate(effect, (effect.value, &effect.absolute, 1.0), &effect.method)
    }

    /// The relative lift.
    pub(crate) fn relative(&self, effect: &Effect) -> Result<Estimate, String> {
        let lift = effect.lift().ok_or_else(|| Uninformative::ZeroBaseline.to_string())?;
        // Where every treated unit is 0 the lift is −1 whatever the control is, and what is left of its error is rounding.
        let left: f64 = effect.relative.iter().map(|r| r * r).sum();
        if left <= ROUNDING * effect.variance() / effect.base / effect.base {
            return Err(NO_CHANCE.into());
        }
        let scale = 1.0 / effect.base.abs();
        let method = format!("{}_relative", effect.method);
        let estimate = self.estimate(effect, (lift, &effect.relative, scale), &method)?;
        Ok(estimate.assuming(FAR_FROM_ZERO))
    }

    /// An estimate of `value` whose error is that of the influence values, in units of 1 / `scale` of the metric's.
    fn estimate(
        &self,
        effect: &Effect,
        (value, influence, scale): (f64, &[f64], f64),
        method: &str,
    ) -> Result<Estimate, String> {
        let name = || vec![method.to_owned()];
        let joint = Joint::from_influence(name(), vec![value], vec![influence.to_vec()], effect.n, method)
            .map_err(|_| Uninformative::OutOfRange.to_string())?;
        let std_error = joint.std_error(0);
        if std_error == 0.0 {
            return Err(NO_CHANCE.into());
        }
        let (level, df) = (self.level, Some(effect.df));
        let estimate = match (self.sequential, self.side) {
            (None, None) => joint.with_df(effect.df).estimate(0, level),
            (None, Some(side)) => {
                Estimate::wald_one_sided(value, std_error, df, effect.n, level, method, side).map_err(Into::into)
            }
            (Some(looks), side) => {
                let once = joint.estimate(0, level).map_err(|e| e.to_string())?;
                looks.at(once, effect.independent, scale, side)
            }
        };
        let estimate = estimate.map_err(|e| e.to_string())?;
        let (low, high) = estimate.interval();
        if self.side.is_none() && !(low.is_finite() && high.is_finite()) {
            return Err(Uninformative::OutOfRange.to_string());
        }
        Ok(estimate.assuming(RANDOM).assuming(NO_INTERFERENCE).assuming(NORMAL))
    }

    /// Whether the arm is not worse than the margin allows, at one-sided 1 − level.
    pub(crate) fn non_inferiority(&self, metric: &Metric, effect: &Effect) -> Option<NonInferiority> {
        let (margin, relative) = match metric.margin? {
            Margin::Absolute(margin) => (margin, false),
            Margin::Relative(margin) => (margin, true),
        };
        let (value, influence, scale) = if relative {
            (effect.lift()?, &effect.relative, 1.0 / effect.base.abs())
        } else {
            (effect.value, &effect.absolute, 1.0)
        };
        let (shifted, side) =
            if metric.lower_is_better { (value - margin, Side::Less) } else { (value + margin, Side::Greater) };
        let one_sided = Self { side: Some(side), ..*self };
        let method = format!("{}_non_inferiority", effect.method);
        let estimate = one_sided.estimate(effect, (shifted, influence, scale), &method).ok()?;
        let shown = estimate.p_value < self.level.alpha();
        Some(NonInferiority { margin, relative, estimate, shown })
    }
}

/// Simultaneous intervals and p-values over all comparisons that have an effect; `length` is of the rows or clusters.
pub(crate) fn bands(
    comparisons: &mut [Comparison],
    effects: &[Option<Effect>],
    length: usize,
    plan: &Plan,
) -> Result<(), EvidenceError> {
    let present: Vec<usize> = (0..effects.len()).filter(|i| comparisons[*i].estimate.is_some()).collect();
    let of = |i: &usize| effects[*i].as_ref();
    let effects: Vec<&Effect> = present.iter().filter_map(of).collect();
    if effects.is_empty() || effects.len() != present.len() {
        return Ok(());
    }
    let names = present.iter().map(|i| format!("{} {}", comparisons[*i].arm, comparisons[*i].metric)).collect();
    let values = effects.iter().map(|e| e.value).collect();
    let influence = effects.iter().map(|e| e.dense(length)).collect();
    let n = effects.iter().map(|e| e.n).max().unwrap_or(0);
    let df = effects.iter().map(|e| e.df).fold(f64::INFINITY, f64::min);
    let joint = Joint::from_influence(names, values, influence, n, "simultaneous")?.with_df(df);
    let band = joint.band(plan.level, plan.seed)?;
    for ((i, interval), p) in present.iter().zip(&band.intervals).zip(&band.p_values) {
        let comparison = &mut comparisons[*i];
        comparison.band = Some(*interval);
        comparison.adjusted_p_value = Some(p.max(comparison.estimate.as_ref().map_or(0.0, |e| e.p_value)));
        comparison.significant = comparison.adjusted_p_value.is_some_and(|p| p < plan.level.alpha());
    }
    Ok(())
}
