//! Sample size, power and minimum detectable effect.

use serde::{Deserialize, Serialize};
use throughline_core::Estimate;

use super::power::{Effect, PowerPlan, Rule};
use super::unusable;
use crate::EvidenceError;
use crate::sequential::Boundaries;

/// Units of one arm.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ArmSize {
    /// Share of all units.
    pub share: f64,
    /// Units, rounded up.
    pub n: u64,
    /// Clusters, where units come in clusters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clusters: Option<u64>,
}

/// What a plan needs and finds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PowerAnswer {
    /// Units of each arm, the control first.
    pub arms: Vec<ArmSize>,
    /// Units of all arms.
    pub n_total: u64,
    /// The chance to find the effect with those units: of each comparison, at its corrected error rate.
    pub power: f64,
    /// The effect asked for, in units of the metric.
    pub effect: f64,
    /// The effect relative to the control; absent when the control is 0.
    pub effect_relative: Option<f64>,
    /// The smallest effect those units find with the power asked for, on the scale of the reading. With a margin: the
    /// largest expected loss (as a number below 0) or least gain at which non-inferiority is still shown.
    pub minimum_detectable: f64,
    /// What the reading would be if the estimate came out as the effect.
    pub expected_reading: Estimate,
    /// Error rate of one comparison.
    pub alpha: f64,
    /// Critical value at the last look.
    pub critical_value: f64,
    /// By how much clusters multiply the variance.
    pub design_effect: f64,
    /// By how much the covariate multiplies the variance.
    pub covariate_factor: f64,
    /// Units over those of the same plan read once.
    pub inflation: f64,
    /// Expected units when the effect is true and the test stops at its first crossing; group sequential only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_n: Option<f64>,
    /// Boundaries; group sequential only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boundaries: Option<Boundaries>,
}

/// More units than there are people.
const MOST: f64 = 1e12;

impl PowerPlan {
    /// The least units with the power asked for. Errors: see [`PowerPlan::validate`]; an effect that no number of units finds (TL340).
    pub fn sample_size(&self) -> Result<PowerAnswer, EvidenceError> {
        self.validate()?;
        let (weights, rule) = (self.weights()?, self.rule()?);
        let total = self.least_total(&weights, &rule)?;
        let arms = self.sizes(total, &weights);
        self.answer(arms, &rule)
    }

    /// Power and minimum detectable effect with so many units in each arm, the control first. Errors: as before; arms
    /// without at least two units (TL339).
    pub fn with_units(&self, n: &[u64]) -> Result<PowerAnswer, EvidenceError> {
        self.validate()?;
        if n.len() != self.treatments + 1 || n.iter().any(|n| *n < 2) {
            let message = format!("units {n:?} for a control and {} treatments", self.treatments);
            return Err(unusable("TL339", message, "give at least 2 units for every arm"));
        }
        let total: u64 = n.iter().sum();
        let arm = |n: &u64| ArmSize { share: *n as f64 / total as f64, n: *n, clusters: self.clusters_of(*n as f64) };
        self.answer(n.iter().map(arm).collect(), &self.rule()?)
    }

    fn clusters_of(&self, n: f64) -> Option<u64> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and at most 1e12")]
        self.clusters.map(|c| (n / c.size - 1e-9).ceil() as u64)
    }

    fn sizes(&self, total: f64, weights: &[f64]) -> Vec<ArmSize> {
        let size = self.clusters.map_or(1.0, |c| c.size);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and at most 1e12")]
        let arm = |share: &f64| {
            let whole = (total * share / size - 1e-9).ceil().max(2.0);
            ArmSize { share: *share, n: (whole * size).ceil() as u64, clusters: self.clusters.map(|_| whole as u64) }
        };
        weights.iter().map(arm).collect()
    }

    fn least_total(&self, weights: &[f64], rule: &Rule) -> Result<f64, EvidenceError> {
        let enough = |total: f64| self.enough(total, weights, rule);
        let mut high = 4.0;
        while !enough(high) {
            high *= 2.0;
            if high > MOST {
                let message = format!("an effect of {} needs more than {MOST:.0e} units", self.stated());
                return Err(unusable(
                    "TL340",
                    message,
                    "look for a larger effect, a steadier metric or a better covariate",
                ));
            }
        }
        let mut low = high / 2.0;
        while high - low > 1e-7 * high && high - low > 1e-4 {
            let middle = f64::midpoint(low, high);
            if enough(middle) { high = middle } else { low = middle }
        }
        Ok(high)
    }

    fn answer(&self, arms: Vec<ArmSize>, rule: &Rule) -> Result<PowerAnswer, EvidenceError> {
        let n_total: u64 = arms.iter().map(|a| a.n).sum();
        let total = n_total as f64;
        let weights: Vec<f64> = arms.iter().map(|a| a.n as f64 / total).collect();
        let at = self.precision(total, &weights);
        let power = self.power_at(total, &weights, rule);
        let boundaries = if let Rule::Group(bounds, _) = rule { Some(bounds.clone()) } else { None };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and at most 1e12")]
        let n = at.n.round() as u64;
        let method = match self.effect {
            Effect::Absolute(_) => "welch",
            Effect::Relative(_) => "welch_relative",
        };
        let expected_reading = Estimate::wald(self.stated(), at.std_error, Some(at.df), n, self.level, method)?;
        let once = Self { looks: super::Looks::Fixed, ..self.clone() };
        let inflation = match rule {
            Rule::Fixed => 1.0,
            _ => self.least_total(&weights, rule)? / once.least_total(&weights, &Rule::Fixed)?,
        };
        let baseline = self.metric.baseline().abs();
        Ok(PowerAnswer {
            n_total,
            power,
            effect: self.absolute(),
            effect_relative: (baseline > 0.0).then(|| self.absolute() / baseline),
            minimum_detectable: self.minimum_detectable(total, &weights, rule)?,
            expected_reading,
            alpha: self.alpha(),
            critical_value: self.critical(rule, at),
            design_effect: self.design_effect(),
            covariate_factor: self.covariate_factor(),
            inflation,
            expected_n: boundaries.as_ref().map(|b| b.expected_information(self.drift(at)) * total),
            boundaries,
            arms,
        })
    }

    /// The effect, in the direction asked for, with exactly the power asked for.
    fn minimum_detectable(&self, total: f64, weights: &[f64], rule: &Rule) -> Result<f64, EvidenceError> {
        let margin = self.margin.unwrap_or(0.0);
        let sign = if self.margin.is_some() || self.stated() > 0.0 { 1.0 } else { -1.0 };
        let plan = |effect: f64| self.with_effect(effect);
        let room = self.room(sign);
        // Beside the margin, effects count from there.
        let found = |size: f64| plan(sign * size - margin).enough(total, weights, rule);
        let (mut low, mut high) = (0.0, (self.stated() + margin).abs().max(f64::MIN_POSITIVE));
        while high < room + margin && !found(high) {
            low = high;
            high *= 2.0;
        }
        high = high.min(room + margin);
        if !found(high) {
            let message = format!("{total} units find no effect with a chance of {}", self.power);
            return Err(unusable("TL340", message, "plan more units, or a lower power"));
        }
        for _ in 0..200 {
            let middle = f64::midpoint(low, high);
            if found(middle) {
                high = middle;
            } else {
                low = middle;
            }
            if high - low <= 1e-10 * high {
                break;
            }
        }
        Ok(sign * high - margin)
    }

    /// How far an effect can go on the scale of the reading.
    fn room(&self, sign: f64) -> f64 {
        let super::MetricPlan::Proportion { baseline } = self.metric else { return f64::MAX };
        let room = (if sign > 0.0 { 1.0 - baseline } else { baseline }) * (1.0 - 1e-9);
        if matches!(self.effect, Effect::Relative(_)) { room / baseline } else { room }
    }
}
