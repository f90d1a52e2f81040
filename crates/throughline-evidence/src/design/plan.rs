//! A design as one document, written before the experiment and held against its reading.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Holdout, Layer, PowerAnswer, PowerPlan};

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
    /// The question of power it answers.
    pub power: PowerPlan,
    /// When it ends.
    pub stop: StopRule,
    /// What must hold, in plain language.
    pub assumptions: Vec<String>,
    /// What belongs to the design: cells and contrasts, the schedule of a switchback.
    #[serde(skip_serializing_if = "Map::is_empty")]
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
            super::Looks::Fixed => "read once, when the planned units are in; no decision before".to_owned(),
            super::Looks::ConfidenceSequence { .. } => {
                "stop at any time once the confidence sequence excludes 0, at the latest at the planned units"
                    .to_owned()
            }
            super::Looks::Group { looks, .. } => format!(
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
}
