//! The ledger in one schema of a PostgreSQL database.
//!
//! Every write begins by locking the one row of `lease`: writers of any process on any machine queue up, and at the level
//! READ COMMITTED each statement behind the lock sees all that was committed before it, so that what a transaction read
//! stays true until it commits. What is read in several statements is read from one snapshot.

mod approval;
mod artefact;
mod audit;
mod convert;
mod delivery;
mod evidence;
mod lease;
mod open;
mod people;
mod publication;
mod run;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use sqlx::{PgPool, Postgres, Transaction};
use throughline_core::Timestamp;

use self::convert::Doing;
use crate::{
    Answer, Artefact, AuditCheck, AuditEntry, AuditFilter, AuditLog, AuditRecord, ConsistencyProof, Delivery,
    DeliveryStart, DeliveryStatus, EvidenceNote, EvidenceRecord, FingerprintRecord, Hash, InclusionProof, Lease,
    LeaseRequest, LedgerError, NewArtefact, NewDelivery, NewEvidenceNote, NewRun, Publication, Published, Repository,
    RunRecord, RunStatus, SignedHead,
};

/// The ledger of one project in one schema of a PostgreSQL database.
#[derive(Debug, Clone)]
pub struct PostgresLedger {
    pool: PgPool,
}

type Tx = Transaction<'static, Postgres>;

impl PostgresLedger {
    /// Begins a transaction that may write, once no other one may. The level is named because servers can have another
    /// default.
    async fn write(&self) -> Result<Tx, LedgerError> {
        let doing = "begin a transaction";
        let mut tx = self.pool.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE").await.doing(doing)?;
        sqlx::query("SELECT fence FROM lease FOR UPDATE").fetch_one(&mut *tx).await.doing(doing)?;
        Ok(tx)
    }

    /// Begins a transaction that reads one snapshot.
    async fn read(&self) -> Result<Tx, LedgerError> {
        self.pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await.doing("begin a transaction")
    }

    /// Begins a transaction that may write while `fence` is the valid one; also names the holder.
    async fn write_fenced(&self, fence: u64) -> Result<(Tx, String), LedgerError> {
        let mut tx = self.write().await?;
        let holder = lease::check(&mut tx, fence).await?;
        Ok((tx, holder))
    }
}

impl Repository for PostgresLedger {
    fn acquire_lease<'a>(&'a self, request: LeaseRequest<'a>) -> Answer<'a, Lease> {
        Box::pin(lease::acquire(self, request))
    }

    fn renew_lease(&self, fence: u64, now: Timestamp, ttl: Duration) -> Answer<'_, Lease> {
        Box::pin(lease::renew(self, fence, now, ttl))
    }

    fn release_lease(&self, fence: u64) -> Answer<'_, ()> {
        Box::pin(lease::release(self, fence))
    }

    fn lease(&self) -> Answer<'_, Option<Lease>> {
        Box::pin(lease::current(self))
    }

    fn begin_run<'a>(&'a self, fence: u64, run: NewRun<'a>) -> Answer<'a, RunRecord> {
        Box::pin(run::begin(self, fence, run, run::Resume::Never))
    }

    fn resume_or_begin_run<'a>(&'a self, fence: u64, run: NewRun<'a>) -> Answer<'a, RunRecord> {
        Box::pin(run::begin(self, fence, run, run::Resume::SameInputs))
    }

    fn finish_run<'a>(
        &'a self,
        fence: u64,
        run_seq: u64,
        status: RunStatus,
        finished_at: Timestamp,
        report: &'a Value,
    ) -> Answer<'a, ()> {
        Box::pin(run::finish(self, fence, run_seq, status, finished_at, report))
    }

    fn runs(&self, limit: u32) -> Answer<'_, Vec<RunRecord>> {
        Box::pin(run::list(self, limit))
    }

    fn last_run(&self, status: Option<RunStatus>) -> Answer<'_, Option<RunRecord>> {
        Box::pin(run::last(self, status))
    }

    fn publish<'a>(&'a self, fence: u64, publication: Publication<'a>) -> Answer<'a, Published> {
        Box::pin(publication::publish(self, fence, publication))
    }

    fn manifest(&self) -> Answer<'_, BTreeMap<String, u64>> {
        Box::pin(publication::manifest(self))
    }

    fn manifest_at(&self, run_seq: u64) -> Answer<'_, BTreeMap<String, u64>> {
        Box::pin(publication::manifest_at(self, run_seq))
    }

    fn fingerprint<'a>(&'a self, stage: &'a str, unit: &'a str) -> Answer<'a, Option<FingerprintRecord>> {
        Box::pin(publication::fingerprint(self, stage, unit))
    }

    fn fingerprints<'a>(&'a self, stage: &'a str) -> Answer<'a, BTreeMap<String, FingerprintRecord>> {
        Box::pin(publication::fingerprints(self, stage))
    }

    fn forget<'a>(&'a self, fence: u64, stage: &'a str, now: Timestamp) -> Answer<'a, u64> {
        Box::pin(publication::forget(self, fence, stage, now))
    }

    fn register<'a>(&'a self, artefact: NewArtefact<'a>) -> Answer<'a, Artefact> {
        Box::pin(artefact::register(self, artefact))
    }

    fn artefacts<'a>(&'a self, kind: &'a str) -> Answer<'a, Vec<Artefact>> {
        Box::pin(artefact::list(self, kind))
    }

    fn record_evidence<'a>(&'a self, id: &'a str, record: &'a Value, now: Timestamp) -> Answer<'a, ()> {
        Box::pin(evidence::record_evidence(self, id, record, now))
    }

    fn evidence(&self) -> Answer<'_, Vec<EvidenceRecord>> {
        Box::pin(evidence::evidence(self))
    }

    fn note_evidence<'a>(&'a self, note: NewEvidenceNote<'a>) -> Answer<'a, ()> {
        Box::pin(evidence::note_evidence(self, note))
    }

    fn evidence_notes(&self) -> Answer<'_, Vec<EvidenceNote>> {
        Box::pin(evidence::evidence_notes(self))
    }

    fn begin_delivery<'a>(&'a self, fence: u64, delivery: NewDelivery<'a>) -> Answer<'a, DeliveryStart> {
        Box::pin(delivery::begin(self, fence, delivery))
    }

    fn complete_delivery<'a>(
        &'a self,
        fence: u64,
        idempotency_key: &'a str,
        status: DeliveryStatus,
        details: &'a Value,
        now: Timestamp,
    ) -> Answer<'a, ()> {
        Box::pin(delivery::complete(self, fence, idempotency_key, status, details, now))
    }

    fn deliveries(&self) -> Answer<'_, Vec<Delivery>> {
        Box::pin(delivery::list(self))
    }
}

impl AuditLog for PostgresLedger {
    fn append_audit<'a>(&'a self, entry: AuditEntry<'a>) -> Answer<'a, AuditRecord> {
        Box::pin(audit::append_alone(self, entry))
    }

    fn audit_records(&self, after: u64, limit: u32) -> Answer<'_, Vec<AuditRecord>> {
        Box::pin(audit::list(self, after, limit))
    }

    fn verify_audit(&self) -> Answer<'_, AuditCheck> {
        Box::pin(audit::verify(self))
    }

    fn latest_audit<'a>(&'a self, filter: AuditFilter<'a>) -> Answer<'a, Vec<AuditRecord>> {
        Box::pin(async move { audit::latest(self, &filter).await })
    }

    fn audit_tree(&self) -> Answer<'_, (u64, Hash)> {
        Box::pin(audit::tree(self))
    }

    fn prove_inclusion(&self, seq: u64, size: u64) -> Answer<'_, InclusionProof> {
        Box::pin(audit::inclusion(self, seq, size))
    }

    fn prove_consistency(&self, first: u64, second: u64) -> Answer<'_, ConsistencyProof> {
        Box::pin(audit::consistency(self, first, second))
    }

    fn keep_head<'a>(&'a self, head: &'a SignedHead) -> Answer<'a, ()> {
        Box::pin(audit::keep_head(self, head))
    }

    fn signed_heads(&self) -> Answer<'_, Vec<SignedHead>> {
        Box::pin(audit::heads(self))
    }
}
