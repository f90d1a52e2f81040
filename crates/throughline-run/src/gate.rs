//! The gate before delivery: a freeze closes it at once, and rules of the project may ask for people's agreement first.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use throughline_core::Timestamp;
use throughline_core::money::units_from_micros;
use throughline_govern::{Approval, ApprovalKind, Facts, NewApproval, PolicyFacts, Requirement, State, rules_for};
use throughline_ledger::LedgerError;

use crate::approvals;
use crate::error::RunError;
use crate::project::CompiledPolicy;
use crate::stage::StageContext;

/// Whether decisions of a policy may leave, and why.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Gate {
    /// No rule asks for agreement.
    Open,
    /// People agreed, in this request.
    Agreed(String),
    /// People are asked, in this request.
    Waiting(String),
    /// People said no, or their agreement has lapsed, in this request.
    Refused(String, State),
    /// Deliveries are frozen.
    Frozen(Value),
}

impl Gate {
    /// Whether decisions may leave.
    pub(crate) const fn is_open(&self) -> bool {
        matches!(self, Self::Open | Self::Agreed(_))
    }

    /// What makes a unit compute anew when it changes.
    pub(crate) fn input(&self) -> String {
        match self {
            Self::Open => "gate open".into(),
            Self::Agreed(id) => format!("gate agreed {id}"),
            Self::Waiting(id) => format!("gate waiting {id}"),
            Self::Refused(id, state) => format!("gate {state} {id}"),
            Self::Frozen(why) => format!("gate frozen {why}"),
        }
    }

    /// For the run report.
    pub(crate) fn told(&self) -> Value {
        match self {
            Self::Open => json!({ "state": "open" }),
            Self::Agreed(id) => json!({ "state": "agreed", "approval": id }),
            Self::Waiting(id) => json!({ "state": "waiting", "approval": id }),
            Self::Refused(id, state) => json!({ "state": state, "approval": id }),
            Self::Frozen(why) => json!({ "state": "frozen", "freeze": why }),
        }
    }
}

/// Looks at the gate of a policy; asks people when a rule says so and nobody has been asked about this version.
///
/// A rule without a condition is asked once for each version of the policy. A rule with a condition is asked for each
/// cycle in which the condition is met, because the facts are those of the cycle. A request about another version or
/// cycle is superseded: nobody can agree any more to what is no longer proposed.
pub(crate) async fn look(context: &StageContext<'_>, policy: &CompiledPolicy, cycle: &str) -> Result<Gate, RunError> {
    if let Some(frozen) = context.ledger.switch(approvals::FROZEN).await? {
        return Ok(Gate::Frozen(frozen));
    }
    let asked = approvals::about(context.ledger, ApprovalKind::Policy.name(), policy.name()).await?;
    let facts = facts(context, policy, cycle, &asked).await?;
    let rules: Vec<_> = context.project.approvals.iter().map(|r| r.value.clone()).collect();
    let Some(requirement) = rules_for(&rules, &facts) else { return Ok(Gate::Open) };
    let version = version(policy, cycle, &requirement);
    let now = context.wall();
    if let Some(same) = asked.iter().find(|a| a.subject_version == version && a.state != State::Superseded) {
        return standing(context, same, now).await;
    }
    for other in asked.iter().filter(|a| !a.state.is_over()) {
        if let Ok(next) = other.supersede(&format!("version {version} is proposed"), now) {
            quietly(approvals::change(context.ledger, &next, "run", now).await)?;
        }
    }
    let approval = request(context, policy, cycle, version, facts, requirement, &asked, now)?;
    quietly(approvals::add(context.ledger, &approval, &context.requested_by, now).await)?;
    Ok(Gate::Waiting(approval.id))
}

/// Marks a request as carried out. Somebody who withdraws or expires it in the same moment wins.
pub(crate) async fn carried_out(context: &StageContext<'_>, gate: &Gate) -> Result<(), RunError> {
    let Gate::Agreed(id) = gate else { return Ok(()) };
    let now = context.wall();
    let Some(approval) = approvals::find(context.ledger, id).await? else { return Ok(()) };
    if let Ok(next) = approval.applied(now) {
        quietly(approvals::change(context.ledger, &next, "run", now).await)?;
    }
    Ok(())
}

/// How a request about exactly this stands.
async fn standing(context: &StageContext<'_>, approval: &Approval, now: Timestamp) -> Result<Gate, RunError> {
    if let Some(expired) = approval.expire_if_due(now) {
        quietly(approvals::change(context.ledger, &expired, "run", now).await)?;
        return Ok(Gate::Refused(approval.id.clone(), State::Expired));
    }
    Ok(match approval.state {
        State::Pending => Gate::Waiting(approval.id.clone()),
        State::Approved | State::Applied => Gate::Agreed(approval.id.clone()),
        state => Gate::Refused(approval.id.clone(), state),
    })
}

/// Somebody else was faster: what they wrote stands, and the next look sees it.
fn quietly(result: Result<(), RunError>) -> Result<(), RunError> {
    match result {
        Err(RunError::Ledger(LedgerError::Conflict { .. })) => Ok(()),
        other => other,
    }
}

fn version(policy: &CompiledPolicy, cycle: &str, requirement: &Requirement) -> String {
    let version = &policy.policy.version;
    match requirement.when {
        None => version.clone(),
        Some(_) => format!("{version} in {cycle}"),
    }
}

/// What the policy would do in this cycle, from the report of the stage that decided, beside the last cycle agreed to.
async fn facts(
    context: &StageContext<'_>,
    policy: &CompiledPolicy,
    cycle: &str,
    asked: &[Approval],
) -> Result<Facts, RunError> {
    let decided = context.ledger.fingerprint("decide", cycle).await?.map(|r| r.metrics).unwrap_or_default();
    let before = asked.iter().find(|a| a.state == State::Applied);
    let earlier = |name: &str| before.and_then(|a| a.facts.get(name)).and_then(Value::as_f64);
    let actions = decided["actions"].as_object();
    let deliveries = actions.into_iter().flatten().filter(|(action, _)| *action != "none");
    let people = decided["people"].as_u64().unwrap_or(0);
    let (expected_value, expected_value_low) = worth(&decided, people);
    Ok(Facts::Policy(PolicyFacts {
        is_new: before.is_none(),
        people,
        deliveries: deliveries.filter_map(|(_, n)| n.as_u64()).sum(),
        cost: decided["cost"].as_f64().unwrap_or(f64::NAN),
        cost_before: earlier("cost"),
        expected_value,
        expected_value_low,
        budget: decided["certificate"]["budget_micros"].as_i64().map(units_from_micros),
        budget_before: earlier("budget"),
        policy: policy.name().to_owned(),
        destinations: context.project.destinations.len() as u64,
    }))
}

/// What a cycle is worth against doing nothing, and the lower end of the interval: from the log of the experiment where
/// that tells, else the sum of what the model expects of each decision, without an interval.
fn worth(decided: &Value, people: u64) -> (f64, Option<f64>) {
    let constants = decided["value"]["constant_policies"].as_array().into_iter().flatten();
    let against_none = constants.filter(|c| c["action"] == "none").map(|c| &c["policy_less_this"]).next();
    let all = |per_person: &Value| per_person.as_f64().map(|v| v * people as f64);
    match against_none.and_then(|d| Some((all(&d["value"])?, all(&d["set"][0][0])))) {
        Some(estimate) => estimate,
        None => (decided["expected_net_value"].as_f64().unwrap_or(f64::NAN), None),
    }
}

#[expect(clippy::too_many_arguments, reason = "a request is made of all it will say, in one place")]
fn request(
    context: &StageContext<'_>,
    policy: &CompiledPolicy,
    cycle: &str,
    version: String,
    facts: Facts,
    requirement: Requirement,
    asked: &[Approval],
    now: Timestamp,
) -> Result<Approval, RunError> {
    let before = asked.iter().find(|a| a.state == State::Applied).map_or(Value::Null, |a| a.after.clone());
    let after = json!({
        "policy": policy.name(),
        "version": policy.policy.version,
        "cycle": cycle,
        "description": policy.config.description,
        "actions": policy.config.actions,
        "constraints": policy.config.constraints,
        "margin": policy.config.margin,
        "facts": facts.to_map(),
    });
    let id = Sha256::new()
        .chain_update(policy.name().as_bytes())
        .chain_update([0])
        .chain_update(version.as_bytes())
        .chain_update(now.micros().to_be_bytes())
        .finalize();
    let reason = policy.config.description.clone().unwrap_or_default();
    let approval = Approval::request(NewApproval {
        id: hex::encode(&id[..16]),
        title: format!("Deliver the decisions of policy {}", policy.name()),
        subject: policy.name().to_owned(),
        subject_version: version,
        by: context.requested_by.clone(),
        at: now,
        reason,
        before,
        after,
        facts,
        requirement,
    });
    Ok(approval?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worth_and_its_interval_are_of_one_estimate() {
        let constant = |action: &str, value: f64, low: f64| {
            json!({ "action": action, "ips": { "value": 9.0, "set": [[8.0, 10.0]] },
            "policy_less_this": { "value": value, "set": [[low, 3.0]] } })
        };
        let decided = json!({ "expected_net_value": -36.5, "value": {
            "policy": { "ips": { "value": 9.5, "set": [[9.0, 10.0]] } },
            "constant_policies": [constant("mail", 0.1, -0.2), constant("none", 0.5, -0.25)] } });
        assert_eq!(worth(&decided, 1000), (500.0, Some(-250.0)));
        let without = json!({ "expected_net_value": -36.5, "value": { "absent": "no log" } });
        assert_eq!(worth(&without, 1000), (-36.5, None));
    }
}
