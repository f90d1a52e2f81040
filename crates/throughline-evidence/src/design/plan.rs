//! A design as one document, written before the experiment and held against its reading.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use throughline_core::{Diagnostic, Level};
use throughline_stats::goodness::chi_squared_fit;

use super::{Holdout, Layer, Looks, PowerAnswer, PowerPlan};
use crate::{Reading, Srm};

/// An arm, and what is really done in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanArm {
    /// Name, as it will stand in the assignment.
    pub name: String,
    /// Share of the units in the experiment.
    pub weight: f64,
    /// The policy or action taken in this arm, in words or by name: what would be rolled out if it wins.
    pub action: String,
    /// Units planned.
    pub n: u64,
    /// Clusters planned, where units come in clusters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clusters: Option<u64>,
}

/// When the experiment ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StopRule {
    /// In words.
    pub rule: String,
    /// Units after which it ends at the latest.
    pub at_units: u64,
    /// Days that takes, at the traffic given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days: Option<u64>,
    /// Days it takes on average if the effect is true, where it may stop early.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_days: Option<u64>,
}

/// A design.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Name; also the salt of the assignment unless another is given.
    pub name: String,
    /// `ab`, `multi_arm`, `factorial`, `switchback` or `holdout`.
    pub design: String,
    /// The decision this experiment is to settle.
    pub decision: String,
    /// What is assigned: person, cluster, market.
    pub unit: String,
    /// What is estimated, in words.
    pub estimand: String,
    /// Name of the metric.
    pub metric: String,
    /// The arm the others are compared with.
    pub control: String,
    /// Arms, the control first.
    pub arms: Vec<PlanArm>,
    /// Salt of the assignment.
    pub salt: String,
    /// The part of a layer the experiment has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer: Option<Layer>,
    /// The holdout its units are kept out of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holdout: Option<Holdout>,
    /// The estimator that reads it, by name.
    pub estimator: String,
    /// Confidence level of the reading.
    pub level: Level,
    /// The question of power it answers; a switchback has its own, in the details.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power: Option<PowerPlan>,
    /// When it ends.
    pub stop: StopRule,
    /// What must hold, in plain language.
    pub assumptions: Vec<String>,
    /// What belongs to the design: cells and contrasts, the schedule of a switchback.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub details: Map<String, Value>,
}

impl Plan {
    /// The assumptions every randomised design makes, and those this plan adds.
    pub fn usual_assumptions(power: &PowerPlan) -> Vec<String> {
        let mut out = vec![
            "units are assigned by the salt alone, with these weights".to_owned(),
            "a unit's outcome does not depend on the arms of other units".to_owned(),
            "baseline and spread stay as before the experiment".to_owned(),
        ];
        if power.clusters.is_some() {
            out.push("all units of a cluster are in one arm, and clusters do not affect each other".to_owned());
        }
        if power.cuped_correlation != 0.0 {
            out.push("the covariate was measured before the assignment".to_owned());
        }
        if power.margin.is_some() {
            out.push("a loss up to the margin is acceptable, decided before the experiment".to_owned());
        }
        out
    }

    /// The rule for stopping, with days at so many units of all arms a day.
    pub fn stop_rule(power: &PowerPlan, answer: &PowerAnswer, daily: Option<f64>) -> StopRule {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and bounded by the plan")]
        let days = |units: f64| daily.filter(|d| *d > 0.0).map(|d| (units / d).ceil() as u64);
        let rule = match &power.looks {
            Looks::Fixed => "read once, when the planned units are in; no decision before".to_owned(),
            Looks::ConfidenceSequence { .. } => {
                "stop at any time once the confidence sequence excludes 0, at the latest at the planned units"
                    .to_owned()
            }
            Looks::Group { looks, .. } => format!(
                "stop at the first of {} planned looks whose boundary is crossed, at the latest at the planned units",
                looks.len()
            ),
        };
        StopRule {
            rule,
            at_units: answer.n_total,
            days: days(answer.n_total as f64),
            expected_days: answer.expected_n.and_then(days),
        }
    }

    /// How a reading departs from this plan (TL349): arms that differ, sizes that do not fit the planned weights, a metric that was
    /// not planned, another level, and units that are not all in where the plan is to read once. Nothing means the
    /// reading is the one that was planned.
    pub fn held_against(&self, reading: &Reading) -> Vec<Diagnostic> {
        let mut out = Vec::new();
        let mut depart = |message: String, help: &str| out.push(Diagnostic::warning("TL349", message).help(help));
        let units = |name: &str| reading.arms.iter().find(|a| a.arm == name).map(|a| a.units);
        for arm in &self.arms {
            if units(&arm.name).is_none() {
                depart(format!("planned arm `{}` has no units", arm.name), "check the assignment and its column");
            }
        }
        for arm in reading.arms.iter().filter(|a| self.arms.iter().all(|p| p.name != a.arm)) {
            depart(format!("arm `{}` was not planned", arm.arm), "a result of it is exploration, not this experiment");
        }
        let counts: Vec<u64> = self.arms.iter().map(|a| units(&a.name).unwrap_or(0)).collect();
        let weights: Vec<f64> = self.arms.iter().map(|a| a.weight).collect();
        if let Ok(fit) = chi_squared_fit(&counts, &weights)
            && fit.p_value < Srm::ALARM
        {
            let message = format!("units of the arms {counts:?} do not fit the planned weights: p {:.2e}", fit.p_value);
            depart(message, "find out why before using any difference");
        }
        for c in reading.comparisons.iter().filter(|c| c.metric != self.metric) {
            depart(
                format!("metric `{}` was not planned", c.metric),
                "treat it as exploration, or correct for all metrics",
            );
        }
        for e in reading.comparisons.iter().filter_map(|c| c.estimate.as_ref()).filter(|e| e.level != self.level) {
            let message = format!("read at level {}, planned at {}", e.level.get(), self.level.get());
            depart(message, "read at the planned level");
        }
        let total: u64 = counts.iter().sum();
        let once = self.power.as_ref().is_none_or(|p| p.looks == Looks::Fixed);
        if once && total < self.stop.at_units {
            let message =
                format!("{total} of {} planned units are in, and the plan is to read once", self.stop.at_units);
            depart(message, "wait, or plan looks from the start");
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::design::{Effect, MetricPlan};
    use crate::{Accumulator, ExperimentSpec, MetricKind};

    fn plan() -> Plan {
        let power = PowerPlan::new(MetricPlan::Mean { baseline: 1.0, sd: 1.0 }, Effect::Absolute(0.5));
        let answer = power.sample_size().expect("a size");
        let arm = |(name, size): (&str, &crate::design::ArmSize)| PlanArm {
            name: name.into(),
            weight: size.share,
            action: format!("policy {name}"),
            n: size.n,
            clusters: None,
        };
        Plan {
            name: "p".into(),
            design: "ab".into(),
            decision: "roll out b".into(),
            unit: "person".into(),
            estimand: "difference of means".into(),
            metric: "spend".into(),
            control: "a".into(),
            arms: ["a", "b"].into_iter().zip(&answer.arms).map(arm).collect(),
            salt: "p".into(),
            layer: None,
            holdout: None,
            estimator: "welch".into(),
            level: Level::P95,
            stop: Plan::stop_rule(&power, &answer, Some(10.0)),
            assumptions: Plan::usual_assumptions(&power),
            power: Some(power),
            details: Map::new(),
        }
    }

    fn reading(units: [u32; 2], metric: &str) -> Reading {
        let spec = ExperimentSpec::new(["a", "b"].map(str::to_owned).to_vec(), "a").metric(metric, MetricKind::Mean);
        let mut seen = Accumulator::new(&spec).expect("valid");
        for (arm, n) in units.into_iter().enumerate() {
            for i in 0..n {
                seen.observe(arm, &[Some(f64::from(i % 7))]).expect("an arm");
            }
        }
        seen.finish()
    }

    #[test]
    fn a_plan_survives_being_written_down() {
        let plan = plan();
        let text = serde_json::to_string(&plan).expect("a document");
        assert_eq!(serde_json::from_str::<Plan>(&text).expect("the same"), plan);
        assert_eq!(plan.stop.days, Some(plan.stop.at_units.div_ceil(10)));
    }

    #[test]
    fn departures_are_named() {
        assert_eq!(plan().held_against(&reading([80, 80], "spend")), Vec::new());
        let of = |units, metric| {
            plan().held_against(&reading(units, metric)).iter().map(ToString::to_string).collect::<String>()
        };
        assert!(of([20, 20], "spend").contains("read once"));
        assert!(of([200, 80], "spend").contains("planned weights"));
        assert!(of([80, 80], "visits").contains("was not planned"));
    }
}
