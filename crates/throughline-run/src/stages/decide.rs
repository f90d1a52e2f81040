//! Stage 9: the best feasible action for everyone. One unit a policy and cycle; earlier cycles stay.

use std::collections::BTreeMap;

use arrow::array::{Array, Float64Array, ListArray, StringArray, StructArray};
use async_trait::async_trait;
use serde_json::json;
use throughline_core::{EvidenceTier, Level};
use throughline_decide::{Cycle, Planner};
use throughline_evidence::{Question, Verdict, weigh};
use throughline_lake::{Unit, tables};
use throughline_ledger::{NewArtefact, NewEvidenceNote};

use super::candidates::{Sources, candidates};
use super::consent::Excluded;
use super::decision_rows::{CycleFacts, DecisionRow, decision_rows};
use super::model::policy_of;
use super::policy_value::policy_value_report;
use crate::evidence::kept_evidence;
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
        let mut units = Vec::new();
        for policy in &context.project.policies {
            // A record that is approved, retired or new may open or close a gate.
            let verdicts = serde_json::to_string(&verdicts(context, &policy.value).await?)?;
            let name = cycle_id(context, policy.value.name());
            units.push(UnitPlan { name, inputs: vec![policy.hash.clone(), verdicts] });
        }
        Ok(units)
    }

    async fn run(&self, context: &StageContext<'_>, unit: &Unit) -> Result<StageOutput, StageError> {
        let name = unit.name.split('@').next().unwrap_or_default();
        let policy = policy_of(context, name)?;
        context.run.progress.start("decide", None);
        let verdicts = verdicts(context, policy).await?;
        let tier = tier_of(&verdicts);
        let held = verdicts.iter().filter(|(_, v)| !v.passes).map(|(action, _)| action.clone()).collect();
        let cycle = Cycle { id: unit.name.clone(), evidence_tier: tier, level: Level::P95, top_n: TOP_N, held };
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
        note_uses(context, &unit.name, &verdicts).await?;
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
            "evidence": verdicts.iter().cloned().collect::<BTreeMap<_, _>>(),
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

/// What evidence says about each action of a policy that has an arm: (action, verdict), in the order of the policy.
async fn verdicts(context: &StageContext<'_>, policy: &CompiledPolicy) -> Result<Vec<(String, Verdict)>, StageError> {
    let all = kept_evidence(context.ledger).await?;
    let metric = &context.project.experiments[policy.experiment].value.metrics[policy.outcome].name;
    let actions = policy.policy.actions.iter().filter_map(|a| Some((a, a.arm.as_ref()?)));
    Ok(actions
        .map(|(action, arm)| {
            let question = Question {
                action: arm.clone(),
                metric: Some(metric.clone()),
                segment: None,
                geo: None,
                at: context.run.as_of,
            };
            (action.name.clone(), weigh(&all, &question, policy.config.gates.evidence))
        })
        .collect())
}

/// The tier of a cycle: the lowest of its actions' evidence. Scores are at least modelled.
fn tier_of(verdicts: &[(String, Verdict)]) -> EvidenceTier {
    verdicts.iter().map(|(_, v)| v.tier).min().unwrap_or(EvidenceTier::Modelled).max(EvidenceTier::Modelled)
}

/// Records that decisions rest on evidence.
async fn note_uses(context: &StageContext<'_>, cycle: &str, verdicts: &[(String, Verdict)]) -> Result<(), StageError> {
    for (action, verdict) in verdicts {
        let Some(id) = &verdict.best else { continue };
        let (key, text) = (format!("used/{cycle}/{action}"), format!("decisions of cycle {cycle} about {action}"));
        let note = NewEvidenceNote { id, key: &key, kind: "used", by: "decide", text: &text, now: context.wall() };
        context.ledger.note_evidence(note).await?;
    }
    Ok(())
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
