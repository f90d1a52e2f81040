//! The ledger as its users see it, whichever database keeps it.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use serde_json::Value;
use throughline_core::Timestamp;

use crate::{
    ApprovalStore, Artefact, AuditCheck, AuditEntry, AuditRecord, ConsistencyProof, Delivery, DeliveryStart,
    DeliveryStatus, EvidenceNote, EvidenceRecord, FingerprintRecord, Hash, InclusionProof, Lease, LeaseRequest,
    LedgerError, NewArtefact, NewDelivery, NewEvidenceNote, NewRun, PeopleStore, Publication, Published, RunRecord,
    RunStatus, SignedHead,
};

/// A future answer of the ledger. Boxed, so that `dyn Repository` can be chosen by URL.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, LedgerError>> + Send + 'a>>;

/// Control state of one project.
///
/// Writes that steer runs and deliveries name the `fence` of the lease and are refused with [`LedgerError::Fenced`] once
/// someone else acquired it. Facts that are only ever added (artefacts, evidence, audit records) need no lease, so
/// that a person can approve or record something while a run is at work. Each method is one transaction: when its
/// future is dropped or the process dies, either all of it happened or nothing.
pub trait Repository: AuditLog + PeopleStore + ApprovalStore + Send + Sync + fmt::Debug {
    /// Acquires the lease when it is free, expired, or held by the holder named dead. Refused with
    /// [`LedgerError::LeaseHeld`] otherwise. A take-over is audited.
    fn acquire_lease<'a>(&'a self, request: LeaseRequest<'a>) -> Answer<'a, Lease>;
    /// Prolongs the lease to `now + ttl`.
    fn renew_lease(&self, fence: u64, now: Timestamp, ttl: Duration) -> Answer<'_, Lease>;
    /// Gives the lease back.
    fn release_lease(&self, fence: u64) -> Answer<'_, ()>;
    /// Who holds the lease, expired or not.
    fn lease(&self) -> Answer<'_, Option<Lease>>;

    /// Begins a run. An unfinished one before it becomes [`RunStatus::Abandoned`].
    fn begin_run<'a>(&'a self, fence: u64, run: NewRun<'a>) -> Answer<'a, RunRecord>;
    /// Resumes the last run when it is unfinished and has the same configuration hash and as-of instant (its seed stays);
    /// begins a run otherwise.
    fn resume_or_begin_run<'a>(&'a self, fence: u64, run: NewRun<'a>) -> Answer<'a, RunRecord>;
    /// Ends a run with a final status and its report. Ending it again with the same status changes nothing.
    fn finish_run<'a>(
        &'a self,
        fence: u64,
        run_seq: u64,
        status: RunStatus,
        finished_at: Timestamp,
        report: &'a Value,
    ) -> Answer<'a, ()>;
    /// The last `limit` runs, newest first.
    fn runs(&self, limit: u32) -> Answer<'_, Vec<RunRecord>>;
    /// The newest run with this status; `None` asks for the newest finished one (neither running nor abandoned).
    fn last_run(&self, status: Option<RunStatus>) -> Answer<'_, Option<RunRecord>>;

    /// Makes a finished unit visible: sets the table versions, keeps their history, records the fingerprint and appends
    /// an audit record, in one transaction.
    fn publish<'a>(&'a self, fence: u64, publication: Publication<'a>) -> Answer<'a, Published>;
    /// The published version of every table.
    fn manifest(&self) -> Answer<'_, BTreeMap<String, u64>>;
    /// The manifest as run `run_seq` left it (or leaves it, while it runs).
    fn manifest_at(&self, run_seq: u64) -> Answer<'_, BTreeMap<String, u64>>;
    /// The last publication of a unit.
    fn fingerprint<'a>(&'a self, stage: &'a str, unit: &'a str) -> Answer<'a, Option<FingerprintRecord>>;
    /// The last publication of every unit of a stage.
    fn fingerprints<'a>(&'a self, stage: &'a str) -> Answer<'a, BTreeMap<String, FingerprintRecord>>;
    /// Forgets the fingerprints of a stage, so that all of it is computed again; tables stay published. Returns how many
    /// units were forgotten.
    fn forget<'a>(&'a self, fence: u64, stage: &'a str, now: Timestamp) -> Answer<'a, u64>;

    /// Registers an artefact. The same kind, name and hash keep their version and their first metadata.
    fn register<'a>(&'a self, artefact: NewArtefact<'a>) -> Answer<'a, Artefact>;
    /// The artefacts of a kind by name and version.
    fn artefacts<'a>(&'a self, kind: &'a str) -> Answer<'a, Vec<Artefact>>;
    /// Records evidence. Again with the same content changes nothing; with other content is a conflict.
    fn record_evidence<'a>(&'a self, id: &'a str, record: &'a Value, now: Timestamp) -> Answer<'a, ()>;
    /// All evidence by id.
    fn evidence(&self) -> Answer<'_, Vec<EvidenceRecord>>;
    /// Notes something about recorded evidence. Again with the same key and content changes nothing; with other content is a
    /// conflict.
    fn note_evidence<'a>(&'a self, note: NewEvidenceNote<'a>) -> Answer<'a, ()>;
    /// All notes by evidence and time.
    fn evidence_notes(&self) -> Answer<'_, Vec<EvidenceNote>>;

    /// Begins a delivery, or answers with the one known under its key. A failed one may be sent again; another digest,
    /// row count or destination under a known key is a conflict.
    fn begin_delivery<'a>(&'a self, fence: u64, delivery: NewDelivery<'a>) -> Answer<'a, DeliveryStart>;
    /// Ends a pending delivery. Again with the same status changes nothing.
    fn complete_delivery<'a>(
        &'a self,
        fence: u64,
        idempotency_key: &'a str,
        status: DeliveryStatus,
        details: &'a Value,
        now: Timestamp,
    ) -> Answer<'a, ()>;
    /// All deliveries by creation.
    fn deliveries(&self) -> Answer<'_, Vec<Delivery>>;
}

/// The audit log: append-only, one sequencer, provable.
pub trait AuditLog: Send + Sync {
    /// Appends to the audit log.
    fn append_audit<'a>(&'a self, entry: AuditEntry<'a>) -> Answer<'a, AuditRecord>;
    /// Up to `limit` records with sequence numbers above `after`.
    fn audit_records(&self, after: u64, limit: u32) -> Answer<'_, Vec<AuditRecord>>;
    /// Records newest first.
    fn latest_audit<'a>(&'a self, filter: AuditFilter<'a>) -> Answer<'a, Vec<AuditRecord>>;
    /// Recomputes every hash of the log and of its tree, looks for gaps and compares every signed head.
    fn verify_audit(&self) -> Answer<'_, AuditCheck>;
    /// How many records there are, and the Merkle root over them.
    fn audit_tree(&self) -> Answer<'_, (u64, Hash)>;
    /// Proves that record `seq` stands among the first `size`. Cost grows with the square of the logarithm of `size`.
    fn prove_inclusion(&self, seq: u64, size: u64) -> Answer<'_, InclusionProof>;
    /// Proves that the first `first` records are the beginning of the first `second`.
    fn prove_consistency(&self, first: u64, second: u64) -> Answer<'_, ConsistencyProof>;
    /// Keeps a signed head, so that later checks compare it.
    fn keep_head<'a>(&'a self, head: &'a SignedHead) -> Answer<'a, ()>;
    /// The signed heads, by size.
    fn signed_heads(&self) -> Answer<'_, Vec<SignedHead>>;
}

/// Which audit records are asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct AuditFilter<'a> {
    /// Only this kind.
    pub kind: Option<&'a str>,
    /// Only this actor.
    pub actor: Option<&'a str>,
    /// Only sequence numbers below.
    pub before: Option<u64>,
    /// At most so many.
    pub limit: u32,
}
