//! Stage 9: the best feasible action for everyone. One unit a policy and cycle; earlier cycles stay.

use std::collections::BTreeMap;

use arrow::array::{Array, Float64Array, ListArray, StringArray, StructArray};
use async_trait::async_trait;
use serde_json::json;
use throughline_core::{EvidenceTier, Level};
use throughline_decide::{Cycle, Planner};
use throughline_lake::{Unit, tables};
use throughline_ledger::NewArtefact;

use super::candidates::{Sources, candidates};
use super::consent::Excluded;
use super::decision_rows::{CycleFacts, DecisionRow, decision_rows};
use super::model::policy_of;
use super::policy_value::policy_value_report;
use crate::project::CompiledPolicy;
use crate::stage::{Stage, StageContext, StageError, StageOutput, UnitPlan};

const TOP_N: usize = 3;

#[derive(Debug)]
pub(super) struct Decide;

fn cycle_id(context: &StageContext<'_>, policy: &str) -> String {
    format!("{policy}@{}", context.run.as_of)
}

#[async_trait]
impl Stage for Decide {
    fn name(&self) -> &'static str {
        "decide"
    }

    fn version(&self) -> u32 {
        2
    }

    fn reads(&self) -> &'static [&'static str] {
        &["scores", "features", "timeline", "labels"]
    }

    fn writes(&self) -> &'static [&'static str] {
        &["decisions"]
    }

    fn depends_on_as_of(&self) -> bool {
        true
    }

    async fn units(&self, context: &StageContext<'_>) -> Result<Vec<UnitPlan>, StageError> {
        let policies = context.project.policies.iter();
        Ok(policies
            .map(|p| UnitPlan { name: cycle_id(context, p.value.name()), inputs: vec![p.hash.clone()] })
            .collect())
    }

    async fn run(&self, context: &StageContext<'_>, unit: &Unit) -> Result<StageOutput, StageError> {
        let name = unit.name.split('@').next().unwrap_or_default();
        let policy = policy_of(context, name)?;
        context.run.progress.start("decide", None);
        let tier = evidence_tier(context, policy).await?;
        let cycle = Cycle { id: unit.name.clone(), evidence_tier: tier, level: Level::P95, top_n: TOP_N };
        let sources = Sources::open(context).await?;
        let mut planner = Planner::new(&policy.policy, cycle.clone())?;
        let mut excluded = Excluded::new(&policy.policy.actions);
        for bucket in sources.buckets() {
            for standing in candidates(context, policy, &sources, &bucket, "score").await? {
                planner.add(&standing.candidate)?;
                excluded.count(&standing.candidate.consent);
            }
        }
        let plan = planner.solve()?;
        let facts = facts(context, policy, &sources).await?;
        let mut writer = context.lake.writer(&tables::decisions(), unit)?;
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        let mut expected_micros: i128 = 0;
        let mut cost_micros: i128 = 0;
        for bucket in sources.buckets() {
            let mut rows = Vec::new();
            for standing in candidates(context, policy, &sources, &bucket, "score").await? {
                let decision = plan.decide(&standing.candidate)?;
                *counts.entry(decision.action.clone()).or_default() += 1;
                expected_micros += i128::from(decision.expected_net_value_micros);
                cost_micros += i128::from(decision.cost_micros);
                rows.push(DecisionRow {
                    decision,
                    features: standing.features,
                    consent: standing.candidate.consent.to_string(),
                    scored_at: standing.scored_at,
                    model_version: standing.model_version,
                });
            }
            rows.sort_by_key(|r| r.decision.entity);
            writer.write(Some(&bucket), &decision_rows(&rows, &facts)?).await?;
            context.run.progress.advance("decide", rows.len() as u64);
        }
        let value = policy_value_report(context, policy, &sources, cycle).await?;
        let summary = plan.summary();
        context.run.progress.finish("decide", &format!("{} people decided", summary.people));
        let metrics = json!({
            "policy": policy.name(),
            "policy_version": facts.policy_version,
            "cycle_id": unit.name,
            "people": summary.people,
            "held_out": summary.held_out,
            "explored": summary.explored,
            "exploration_rate": summary.exploration_rate,
            "without_score": summary.without_score,
            "actions": counts,
            "expected_net_value": micros(expected_micros),
            "cost": micros(cost_micros),
            "certificate": summary.certificate,
            "evidence_tier": tier.number(),
            "value": value,
            "removed_by_consent": excluded.finish(),
            "diagnostics": summary.diagnostics,
        });
        Ok(StageOutput { staged: vec![writer.finish().await?], metrics })
    }
}

fn micros(sum: i128) -> f64 {
    sum as f64 / 1e6
}

async fn facts<'a>(
    context: &'a StageContext<'_>,
    policy: &'a CompiledPolicy,
    sources: &Sources,
) -> Result<CycleFacts<'a>, StageError> {
    let text = json!({ "version": policy.policy.version, "owner": policy.config.owner });
    let new = NewArtefact {
        kind: "policy",
        name: policy.name(),
        content_hash: &policy.policy.version,
        metadata: &text,
        now: context.wall(),
    };
    let version = context.ledger.register(new).await?.version;
    #[expect(clippy::cast_possible_truncation, reason = "hours of a decision's life")]
    let life = (policy.config.decisions_expire_after_hours * 3.6e9) as i64;
    Ok(CycleFacts {
        policy: policy.name(),
        policy_version: i32::try_from(version).unwrap_or(i32::MAX),
        feature_snapshot: sources.feature_version(),
        decided_at: context.run.as_of.micros(),
        expires_at: context.run.as_of.plus_micros(life).micros(),
        currency: context.project.config.value.currency.as_str(),
    })
}

/// Tier 3 when the policy's experiment was read as healthy; a failed sample ratio makes the scores merely modelled.
async fn evidence_tier(context: &StageContext<'_>, policy: &CompiledPolicy) -> Result<EvidenceTier, StageError> {
    let experiment = &context.project.experiments[policy.experiment].value.config.name.value;
    let record = context.ledger.fingerprint("prove", "all").await?;
    let healthy = record.is_some_and(|r| {
        r.metrics["experiments"].as_array().is_some_and(|all| {
            all.iter().any(|e| e["experiment"] == experiment.as_str() && e["reading"]["health"] == "healthy")
        })
    });
    Ok(if healthy { EvidenceTier::Randomised } else { EvidenceTier::Modelled })
}

/// The pairs (action, number) of one row of `top_n` or `action_probabilities`.
pub(crate) fn probability_pairs(lists: &ListArray, row: usize) -> Vec<(String, f64)> {
    if lists.is_null(row) {
        return Vec::new();
    }
    let values = lists.value(row);
    let Some(entries) = values.as_any().downcast_ref::<StructArray>() else { return Vec::new() };
    let actions = entries.column(0).as_any().downcast_ref::<StringArray>();
    let numbers = entries.column(1).as_any().downcast_ref::<Float64Array>();
    match (actions, numbers) {
        (Some(actions), Some(numbers)) => {
            (0..entries.len()).map(|i| (actions.value(i).to_owned(), numbers.value(i))).collect()
        }
        _ => Vec::new(),
    }
}
