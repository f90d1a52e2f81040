//! What the policy would have earned on the experiment's people its model has not seen, beside the constant policies.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use throughline_core::{Level, PersonId};
use throughline_decide::{
    Action, ActionKind, Constraints, Cycle, DecideError, Decision, Logged, PairedLogged, Policy, decide,
    policy_difference, policy_value,
};

use super::candidates::{Sources, candidates};
use super::training::{Label, labels_of};
use crate::project::CompiledPolicy;
use crate::stage::{StageContext, StageError};

/// One person of the evaluation: what was logged and what it earned.
struct Row {
    propensity: f64,
    logged_arm: String,
    reward: f64,
    chosen: usize,
}

/// The report: value per person of the policy and of every constant policy, and the differences, each with interval.
///
/// The policy is evaluated without holdout and exploration, its budget scaled to the share of people evaluated. The
/// reward of a person is outcome × margin − cost of the logged action.
pub(super) async fn policy_value_report(
    context: &StageContext<'_>,
    policy: &CompiledPolicy,
    sources: &Sources,
    cycle: Cycle,
) -> Result<Value, StageError> {
    let experiment = &context.project.experiments[policy.experiment].value.config;
    let labels = labels_of(context, &experiment.name.value, policy.outcome).await?;
    let purpose = format!("train:{}", experiment.name.value);
    let mut standing = Vec::new();
    for bucket in sources.buckets() {
        standing
            .extend(candidates(context, policy, sources, &bucket, &purpose).await?.into_iter().map(|s| s.candidate));
    }
    // Contacts since the assignment must not count against the decision of then.
    for candidate in &mut standing {
        candidate.contacts_in_window = 0;
        candidate.score_expired = false;
        for action in &mut candidate.actions {
            action.days_since_last = None;
        }
    }
    if standing.is_empty() {
        return Ok(json!({ "absent": "no one is left to evaluate on: lower train_share" }));
    }
    let share = standing.len() as f64 / labels.len().max(1) as f64;
    let plain = without_randomness(&policy.policy, share);
    let decisions = decide(&plain, cycle, &standing)?.decisions;
    let rows = rows(&plain, &experiment.control.value, &labels, &decisions);
    // Too small a log, or one without support, is a fact to report and no reason to stop deciding.
    Ok(compare(&plain, &experiment.control.value, &rows).unwrap_or_else(|e| json!({ "absent": e.to_string() })))
}

/// The policy beside every constant policy, on the same rows.
fn compare(plain: &Policy, control: &str, rows: &[Row]) -> Result<Value, DecideError> {
    let arm_of = |action: &Action| action.arm.clone().unwrap_or_else(|| control.to_owned());
    let target = |row: &Row, action: usize| f64::from(arm_of(&plain.actions[action]) == row.logged_arm);
    let logged = |choose: &dyn Fn(&Row) -> usize| -> Vec<Logged> {
        rows.iter()
            .map(|r| Logged { propensity: r.propensity, target: target(r, choose(r)), reward: r.reward })
            .collect()
    };
    let value = policy_value(&logged(&|r| r.chosen), Level::P95)?;
    let mut constants = Vec::new();
    for (index, action) in plain.actions.iter().enumerate() {
        let constant = policy_value(&logged(&|_| index), Level::P95)?;
        let paired: Vec<PairedLogged> = rows
            .iter()
            .map(|r| PairedLogged {
                propensity: r.propensity,
                target_a: target(r, r.chosen),
                target_b: target(r, index),
                reward: r.reward,
            })
            .collect();
        let difference = policy_difference(&paired, Level::P95)?;
        constants.push(json!({
            "action": action.name,
            "ips": constant.ips,
            "snips": constant.snips,
            "policy_less_this": difference.ips,
        }));
    }
    Ok(json!({
        "unit": "net profit per person",
        "people": rows.len(),
        "method": "inverse propensity scoring on people the model has not seen",
        "policy": { "ips": value.ips, "snips": value.snips, "effective_sample_size": value.effective_sample_size },
        "constant_policies": constants,
        "diagnostics": value.diagnostics,
    }))
}

/// The policy without holdout and exploration, its budget scaled to a share of the people.
fn without_randomness(policy: &Policy, share: f64) -> Policy {
    #[expect(clippy::cast_possible_truncation, reason = "a share of a budget that is an i64")]
    let scaled = |budget: i64| (budget as f64 * share) as i64;
    let constraints = Constraints {
        budget_micros: policy.constraints.budget_micros.map(scaled),
        holdout: None,
        exploration: None,
        ..policy.constraints.clone()
    };
    Policy { constraints, ..policy.clone() }
}

fn rows(policy: &Policy, control: &str, labels: &BTreeMap<PersonId, Label>, decisions: &[Decision]) -> Vec<Row> {
    let cost_of_arm = |arm: &str| {
        let matches = |a: &&Action| match &a.arm {
            Some(of) => of == arm,
            None => a.kind == ActionKind::None && arm == control,
        };
        policy.actions.iter().find(matches).map_or(0, |a| a.cost_micros)
    };
    decisions
        .iter()
        .filter_map(|decision| {
            let label = labels.get(&decision.entity)?;
            let propensity = label.probability.filter(|p| *p > 0.0 && *p <= 1.0)?;
            let cost = throughline_core::money::units_from_micros(cost_of_arm(&label.arm));
            Some(Row {
                propensity,
                logged_arm: label.arm.clone(),
                reward: label.outcome * policy.margin - cost,
                chosen: policy.action(&decision.action).ok()?,
            })
        })
        .collect()
}
