//! Plan, then send.

use throughline_core::consent::RemovedByConsent;
use throughline_core::expr::Value;
use throughline_core::{RunContext, SubjectToken};
use throughline_lake::{Lake, Snapshot, Staged, TableWriter, Unit, tables};
use throughline_vault::{Opening, Vault};

use crate::batch::{Pending, all_values, head};
use crate::destination::{Acknowledged, Batch, BatchHead, Receipt};
use crate::error::ActivateError;
use crate::fate::Fate;
use crate::part::{Judge, Part, delivery};
use crate::people::People;
use crate::prior::{Held, Prior};
use crate::report::{ActivateReport, DeliveryPlan, Fates, PlannedBatch};
use crate::route::Route;
use crate::rows::{self, Belongs, Delivery, Progress};

const STAGE: &str = "activate";

/// One cycle of decisions on its way to one destination.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// The destination.
    pub route: &'a Route,
    /// The decisions, of this cycle and others.
    pub decisions: &'a Snapshot,
    /// The cycle to deliver.
    pub cycle_id: &'a str,
    /// Tokens and consent of entities.
    pub people: &'a dyn People,
    /// Where identifiers are opened.
    pub vault: &'a Vault,
    /// What an earlier attempt planned or sent.
    pub prior: &'a Prior,
    /// The lake that receives `deliveries` and `receipts`.
    pub lake: &'a Lake,
    /// The unit that owns their rows: one per destination and cycle ([`Job::unit_name`]).
    pub unit: &'a Unit,
}

impl std::fmt::Debug for Job<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job")
            .field("route", &self.route.name())
            .field("cycle_id", &self.cycle_id)
            .finish_non_exhaustive()
    }
}

impl Job<'_> {
    /// The name of the unit of a destination and cycle.
    pub fn unit_name(destination: &str, cycle_id: &str) -> String {
        format!("{destination}/{cycle_id}")
    }
}

/// A plan, with its rows for `deliveries` (status `planned`), which a run may publish before it sends.
#[derive(Debug)]
pub struct PlanOutcome {
    /// Files of `deliveries`.
    pub staged: Vec<Staged>,
    /// The plan.
    pub plan: DeliveryPlan,
}

/// What was delivered, ready for the commit.
#[derive(Debug)]
pub struct ActivateOutcome {
    /// Files of `deliveries` and `receipts`.
    pub staged: Vec<Staged>,
    /// What happened.
    pub report: ActivateReport,
}

/// Decides every row's fate and cuts batches. Sends nothing, opens no identifier.
pub async fn plan(job: &Job<'_>, context: &RunContext) -> Result<PlanOutcome, ActivateError> {
    let held = job.prior.held(job.route).await?;
    let mut pass = Pass::new(*job, context, &held, None)?;
    pass.run().await?;
    let Closed { deliveries, fates, batches, .. } = pass.close().await?;
    let plan = DeliveryPlan {
        destination: job.route.name().to_owned(),
        adapter: job.route.adapter.clone(),
        cycle_id: job.cycle_id.to_owned(),
        mapping_hash: job.route.mapping_hash().to_owned(),
        fates,
        batches,
    };
    Ok(PlanOutcome { staged: vec![deliveries], plan })
}

/// Sends what the plan says and nothing else. Consent, expiry and identifiers are looked at again; where that gives
/// another batch than planned, the plan is refused before that batch leaves.
pub async fn send(job: &Job<'_>, plan: &DeliveryPlan, context: &RunContext) -> Result<ActivateOutcome, ActivateError> {
    let (route, batches) = (job.route, plan.batches.len() as u64);
    for (what, planned, found) in [
        ("destination", plan.destination.as_str(), route.name()),
        ("cycle", &plan.cycle_id, job.cycle_id),
        ("mapping", &plan.mapping_hash, route.mapping_hash()),
    ] {
        same(what, planned, found)?;
    }
    context.progress.start(STAGE, Some(batches));
    let held = job.prior.held(route).await?;
    let mut pass = Pass::new(*job, context, &held, Some(plan))?;
    pass.run().await?;
    same("number of batches", &batches.to_string(), &pass.batches.len().to_string())?;
    let Closed { deliveries, receipts, fates, removed, batches, sent, openings } = pass.close().await?;
    let report = ActivateReport {
        destination: route.name().to_owned(),
        adapter: route.adapter.clone(),
        cycle_id: job.cycle_id.to_owned(),
        fates,
        batches_sent: sent,
        batches_found: batches.len() as u64 - sent,
        batches,
        openings,
        removed_by_consent: vec![removed],
    };
    context.progress.finish(STAGE, &report.summary());
    Ok(ActivateOutcome { staged: vec![deliveries, receipts], report })
}

fn same(what: &'static str, planned: &str, found: &str) -> Result<(), ActivateError> {
    if planned == found {
        return Ok(());
    }
    Err(ActivateError::StalePlan { what, planned: planned.to_owned(), found: found.to_owned() })
}

/// One pass over the decisions of a cycle, partition by partition: memory holds one partition and one batch.
struct Pass<'a> {
    job: Job<'a>,
    context: &'a RunContext,
    held: &'a Held<'a>,
    /// Present when sending.
    plan: Option<&'a DeliveryPlan>,
    deliveries: TableWriter,
    receipts: TableWriter,
    pending: Vec<Pending>,
    fates: Fates,
    removed: RemovedByConsent,
    batches: Vec<PlannedBatch>,
    sent: u64,
    openings: Vec<Opening>,
}

impl<'a> Pass<'a> {
    fn new(
        job: Job<'a>,
        context: &'a RunContext,
        held: &'a Held<'a>,
        plan: Option<&'a DeliveryPlan>,
    ) -> Result<Self, ActivateError> {
        // The rows carry the instant of the run and planned rows differ from sent ones, so the names of their files
        // must too: an attempt must not overwrite a file that an unpublished commit already names.
        let step = if plan.is_some() { "sent" } else { "planned" };
        let fingerprint = format!("{}/{step}@{}", job.unit.fingerprint, context.now.micros());
        let unit = Unit { fingerprint, ..job.unit.clone() };
        Ok(Self {
            job,
            context,
            held,
            plan,
            deliveries: job.lake.writer(&tables::deliveries(), &unit)?,
            receipts: job.lake.writer(&tables::receipts(), &unit)?,
            pending: Vec::new(),
            fates: Fates::default(),
            removed: RemovedByConsent::new("decisions", job.route.purpose),
            batches: Vec::new(),
            sent: 0,
            openings: Vec::new(),
        })
    }

    async fn run(&mut self) -> Result<(), ActivateError> {
        let Job { route, decisions, cycle_id, people, vault, .. } = self.job;
        let judge = Judge { route, cycle_id, people, vault, held: self.held, now: self.context.now };
        let limit = route.destination.batch_rows().max(1);
        let mut partitions: Vec<String> = decisions.partitions().into_iter().collect();
        partitions.sort_by_key(|partition| (partition.parse::<i64>().ok(), partition.clone()));
        for partition in partitions {
            if self.context.is_cancelled() {
                return Err(ActivateError::Cancelled { batches: self.batches.len() });
            }
            let part = judge.partition(decisions, &partition).await?;
            self.settle(part).await?;
            while self.pending.len() >= limit {
                let rest = self.pending.split_off(limit);
                let full = std::mem::replace(&mut self.pending, rest);
                self.batch(full).await?;
            }
        }
        let last = std::mem::take(&mut self.pending);
        if !last.is_empty() {
            self.batch(last).await?;
        }
        self.carried_receipts().await
    }

    async fn settle(&mut self, part: Part) -> Result<(), ActivateError> {
        self.fates.decisions += part.read;
        self.removed.add(&part.removed);
        for row in &part.settled {
            match &row.fate {
                Fate::Kept(reason) => {
                    let counts =
                        if reason.is_rejection() { &mut self.fates.rejected } else { &mut self.fates.suppressed };
                    *counts.entry(reason.name().to_owned()).or_default() += 1;
                }
                Fate::Carried { .. } => self.fates.carried += 1,
                Fate::Batched => self.fates.to_send += 1,
            }
        }
        self.record(&part.settled, Belongs::default()).await?;
        self.pending.extend(part.pending);
        Ok(())
    }

    /// Plans or sends one batch and records its rows.
    async fn batch(&mut self, mut pending: Vec<Pending>) -> Result<(), ActivateError> {
        let route = self.job.route;
        let head = head(route, self.job.cycle_id, &mut pending, self.context.now)?;
        let there = acknowledged(route, &head).await?;
        let already_there = there.is_some();
        if let Some(plan) = self.plan {
            let planned = plan.batches.get(self.batches.len()).map_or("no batch", |b| b.idempotency_key.as_str());
            same("key of a batch", planned, &head.idempotency_key)?;
            let there = match there {
                Some(there) => there,
                None => self.deliver(&head, &pending).await?,
            };
            self.receive(&head, there).await?;
            self.context.progress.advance(STAGE, 1);
        }
        let deliveries = pending.iter().map(|p| delivery(&p.source, p.row, &p.entity_id, Fate::Batched));
        let deliveries: Vec<Delivery> = deliveries.collect::<Result<_, _>>()?;
        self.fates.to_send += head.rows;
        self.record(&deliveries, Belongs { batch_id: &head.batch_id, idempotency_key: &head.idempotency_key }).await?;
        let BatchHead { batch_id, idempotency_key, rows, rows_sha256, .. } = head;
        self.batches.push(PlannedBatch { batch_id, idempotency_key, rows, rows_sha256, already_there });
        Ok(())
    }

    /// Opens the identifiers of a batch and hands it over.
    async fn deliver(&mut self, head: &BatchHead, pending: &[Pending]) -> Result<Acknowledged, ActivateError> {
        let Job { route, vault, .. } = self.job;
        let mut identifiers = vec![Value::Null; pending.len()];
        let tokens: Vec<SubjectToken> = pending.iter().filter_map(|p| p.token).collect();
        if !tokens.is_empty() {
            let actor = format!("{STAGE}/{}", route.name());
            let revealed = vault.reveal(&tokens, route.purpose(), &actor, self.context.now).await?;
            self.openings.push(revealed.opening);
            let gone = revealed.values.iter().filter(|value| value.is_none()).count();
            if gone > 0 {
                return Err(ActivateError::IdentifierGone { count: gone, batch_id: head.batch_id.clone() });
            }
            let opened = revealed.values.iter().flatten().map(|value| Value::text(value.expose()));
            identifiers = opened.collect();
        }
        let batch = Batch { head: head.clone(), rows: all_values(route, pending, identifiers)? };
        let prepared = route.destination.prepare(&batch).await?;
        route.destination.send(head, &prepared).await?;
        self.sent += 1;
        let confirmed = acknowledged(route, head).await?;
        confirmed.ok_or_else(|| ActivateError::NotConfirmed {
            destination: route.name().to_owned(),
            batch_id: head.batch_id.clone(),
        })
    }

    async fn receive(&mut self, head: &BatchHead, there: Acknowledged) -> Result<(), ActivateError> {
        let mut receipts = vec![planned(&there)];
        receipts.extend(there.receipts);
        let batch = rows::receipts(&head.batch_id, self.job.route.name(), &receipts)?;
        Ok(self.receipts.write(None, &batch).await?)
    }

    /// Receipts of batches of an earlier attempt that are not also batches of this one.
    async fn carried_receipts(&mut self) -> Result<(), ActivateError> {
        if self.plan.is_none() {
            return Ok(());
        }
        for (batch_id, there) in self.held.batches() {
            let mut receipts = vec![planned(there)];
            receipts.extend(there.receipts.iter().cloned());
            let batch = rows::receipts(batch_id, self.job.route.name(), &receipts)?;
            self.receipts.write(None, &batch).await?;
        }
        Ok(())
    }

    async fn record(&mut self, deliveries: &[Delivery], belongs: Belongs<'_>) -> Result<(), ActivateError> {
        let progress = if self.plan.is_some() { Progress::Sent } else { Progress::Planned };
        let (name, now) = (self.job.route.name(), self.context.now);
        let batch = rows::deliveries(deliveries, belongs, name, self.job.cycle_id, progress, now)?;
        Ok(self.deliveries.write(None, &batch).await?)
    }

    /// Closes the files, after checking that every decision read has exactly one row.
    async fn close(self) -> Result<Closed, ActivateError> {
        let (deliveries, receipts) = (self.deliveries.finish().await?, self.receipts.finish().await?);
        let (read, counted, written) = (self.fates.decisions, self.fates.accounted(), deliveries.rows());
        if read != counted || read != written {
            let accounted = if read == counted { written } else { counted };
            let destination = self.job.route.name().to_owned();
            return Err(ActivateError::Conservation { destination, read, accounted });
        }
        let Self { fates, removed, batches, sent, openings, .. } = self;
        Ok(Closed { deliveries, receipts, fates, removed, batches, sent, openings })
    }
}

/// A finished pass.
struct Closed {
    deliveries: Staged,
    receipts: Staged,
    fates: Fates,
    removed: RemovedByConsent,
    batches: Vec<PlannedBatch>,
    sent: u64,
    openings: Vec<Opening>,
}

/// What the destination holds under the key of a batch, checked against the batch.
async fn acknowledged(route: &Route, head: &BatchHead) -> Result<Option<Acknowledged>, ActivateError> {
    let there = route.destination.receipt(&head.batch_id, &head.idempotency_key).await?;
    let Some(there) = there else { return Ok(None) };
    let other = |what, found: &str, expected: &str| ActivateError::OtherPayload {
        batch_id: head.batch_id.clone(),
        what,
        found: found.to_owned(),
        expected: expected.to_owned(),
    };
    if there.rows != head.rows {
        return Err(other("number of rows", &there.rows.to_string(), &head.rows.to_string()));
    }
    if there.rows_sha256 != head.rows_sha256 {
        return Err(other("digest of rows", &there.rows_sha256, &head.rows_sha256));
    }
    Ok(Some(there))
}

/// The first receipt of a batch, dated like the first answer of the destination so that asking again gives the same.
fn planned(there: &Acknowledged) -> Receipt {
    let received_at = there.receipts.first().map_or(throughline_core::Timestamp::MIN, |receipt| receipt.received_at);
    Receipt { step: "planned", rows: there.rows, digest: there.rows_sha256.clone(), detail: None, received_at }
}
