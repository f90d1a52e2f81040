//! Stage 10: decisions leave the house. One unit a destination and cycle. The plan is published before anything is
//! sent, so that after a crash it is known what may have left.

use async_trait::async_trait;
use serde_json::{Value, json};
use throughline_activate::{ActivateReport, DeliveryPlan, Job, Persons, Prior, Route, Site, plan, send};
use throughline_lake::{Unit, tables};
use throughline_ledger::{DeliveryStatus, NewDelivery};

use super::consent::standings;
use super::model::policy_of;
use crate::error::RunError;
use crate::gate;
use crate::project::Project;
use crate::stage::{Stage, StageContext, StageError, StageOutput, UnitPlan};

#[derive(Debug)]
pub(super) struct Activate;

fn route(project: &Project, name: &str) -> Result<Route, StageError> {
    let config = project.destinations.iter().find(|d| d.value.name.value == name).ok_or_else(|| {
        RunError::NotFound { what: "destination", name: name.to_owned(), help: "see destinations/*.yaml".into() }
    })?;
    let site = Site { project: project.root.clone() };
    Ok(Route::compile(&config.value, &site).map_err(RunError::Project)?)
}

#[async_trait]
impl Stage for Activate {
    fn name(&self) -> &'static str {
        "activate"
    }

    fn version(&self) -> u32 {
        2
    }

    fn reads(&self) -> &'static [&'static str] {
        &["decisions", "persons", "timeline"]
    }

    fn writes(&self) -> &'static [&'static str] {
        &["deliveries", "receipts"]
    }

    fn depends_on_as_of(&self) -> bool {
        true
    }

    async fn units(&self, context: &StageContext<'_>) -> Result<Vec<UnitPlan>, StageError> {
        let mut units = Vec::new();
        for destination in &context.project.destinations {
            for policy in &context.project.policies {
                let cycle = format!("{}@{}", policy.value.name(), context.run.as_of);
                let name = Job::unit_name(&destination.value.name.value, &cycle);
                let gate = gate::look(context, &policy.value, &cycle).await?;
                units.push(UnitPlan { name, inputs: vec![destination.hash.clone(), gate.input()] });
            }
        }
        Ok(units)
    }

    async fn run(&self, context: &StageContext<'_>, unit: &Unit) -> Result<StageOutput, StageError> {
        let (destination, cycle_id) = unit.name.split_once('/').unwrap_or((&unit.name, ""));
        let route = route(context.project, destination)?;
        let gate = gate::look(context, policy_of(context, policy_name(cycle_id))?, cycle_id).await?;
        if !gate.is_open() {
            let told = gate.told();
            let why = format!("{destination}: nothing delivered, {}", told["state"].as_str().unwrap_or_default());
            context.run.progress.start("activate", None);
            context.run.progress.finish("activate", &why);
            let metrics = json!({ "destination": destination, "cycle_id": cycle_id, "gate": told });
            return Ok(StageOutput { staged: Vec::new(), metrics });
        }
        let people = people(context).await?;
        let prior = Prior::read(&context.read(&tables::deliveries()).await?, destination, cycle_id).await?;
        let decisions = context.read(&tables::decisions()).await?;
        let job = Job {
            route: &route,
            decisions: &decisions,
            cycle_id,
            people: &people,
            vault: context.vault,
            prior: &prior,
            lake: context.lake,
            unit,
        };
        let planned = plan(&job, &context.run).await?;
        let early = Unit { fingerprint: format!("planned:{}", unit.fingerprint), ..unit.clone() };
        context.publish(&early, planned.staged, &json!({ "planned": planned.plan })).await?;
        begin(context, &planned.plan).await?;
        let outcome = send(&job, &planned.plan, &context.run).await?;
        complete(context, &outcome.report).await?;
        gate::carried_out(context, &gate).await?;
        Ok(StageOutput { staged: outcome.staged, metrics: serde_json::to_value(outcome.report)? })
    }
}

/// The policy of a cycle.
fn policy_name(cycle_id: &str) -> &str {
    cycle_id.split('@').next().unwrap_or_default()
}

/// Tokens and consents of everybody, as they stand now: a denial outranks, whichever source it came from.
async fn people(context: &StageContext<'_>) -> Result<Persons, StageError> {
    let mut people = Persons::read(&context.read(&tables::persons()).await?, context.run.as_of).await?;
    let timeline = context.read(&tables::timeline()).await?;
    for bucket in timeline.partitions() {
        for (person, standing) in standings(&timeline, &bucket).await? {
            people.set_consent(person, standing.consent());
        }
    }
    Ok(people)
}

/// Announces every batch in the ledger before it leaves.
async fn begin(context: &StageContext<'_>, plan: &DeliveryPlan) -> Result<(), StageError> {
    for batch in &plan.batches {
        let details = json!({ "cycle_id": plan.cycle_id, "mapping": plan.mapping_hash });
        let delivery = NewDelivery {
            idempotency_key: &batch.idempotency_key,
            destination: &plan.destination,
            digest: &batch.rows_sha256,
            row_count: batch.rows,
            details: &details,
            now: context.wall(),
        };
        context.ledger.begin_delivery(context.fence, delivery).await?;
    }
    Ok(())
}

/// Records what was delivered, and every opening of the vault, in the audit log.
async fn complete(context: &StageContext<'_>, report: &ActivateReport) -> Result<(), StageError> {
    for batch in &report.batches {
        let details: Value = json!({ "batch_id": batch.batch_id, "rows": batch.rows });
        let (key, now) = (batch.idempotency_key.as_str(), context.wall());
        context.ledger.complete_delivery(context.fence, key, DeliveryStatus::Delivered, &details, now).await?;
    }
    context.audit_openings(&report.openings).await
}
