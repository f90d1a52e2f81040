//! The records of an erasure in the ledger: begun, asked of destinations, finished. None holds a raw value.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use throughline_core::{PersonId, SubjectToken, Timestamp};
use throughline_ledger::{AuditEntry, NewArtefact, Repository};

use crate::error::RunError;

const BEGUN: &str = "erasure";
const FINISHED: &str = "erasure_finished";
const DELETION: &str = "erasure_deletion";
const CONFIRMED: &str = "erasure_deletion_confirmed";

/// Whom an erasure takes out, and how much that is. Ids and tokens are random or hashes of random bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// Its id.
    pub id: String,
    /// Ids of the person, now and in earlier versions.
    pub persons: Vec<PersonId>,
    /// Ids that are somebody else's today but were this person's too in an earlier version.
    pub persons_before: Vec<PersonId>,
    /// The person's identifiers.
    pub identifiers: Vec<SubjectToken>,
    /// What sources said about the person.
    pub profiles: Vec<SubjectToken>,
    /// Quarantined rows that name one of the identifiers.
    pub quarantined: Vec<SubjectToken>,
    /// Rows by table.
    pub tables: BTreeMap<String, ErasedRows>,
    /// Where the person was delivered to.
    pub delivered: Vec<Delivered>,
    /// Who asked.
    pub actor: String,
}

/// What goes from a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasedRows {
    /// Files rewritten.
    pub files: u64,
    /// Rows over all retained versions.
    pub rows: u64,
    /// Of them, rows of the published version.
    pub published: u64,
    /// Rows of others that lose an identifier of the person.
    pub changed: u64,
}

/// A destination that got the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivered {
    /// The destination.
    pub destination: String,
    /// The ids under which the person was delivered.
    pub entity_ids: Vec<String>,
    /// The batches.
    pub batches: Vec<String>,
}

/// A destination that is to delete the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingDeletion {
    /// The erasure that asks.
    pub erasure: String,
    /// Where, and what it got.
    #[serde(flatten)]
    pub delivered: Delivered,
    /// Where the request was put for the destination; nothing where somebody has to ask it.
    pub request: Option<String>,
    /// Whether somebody confirmed that it is done.
    #[serde(default)]
    pub confirmed: bool,
}

async fn register(
    ledger: &dyn Repository,
    kind: &str,
    name: &str,
    metadata: &Value,
    now: Timestamp,
) -> Result<(), RunError> {
    // One version a name: again with the same name changes nothing.
    ledger.register(NewArtefact { kind, name, content_hash: name, metadata, now }).await?;
    Ok(())
}

pub(super) async fn begin(ledger: &dyn Repository, erasure: &Erasure, now: Timestamp) -> Result<(), RunError> {
    register(ledger, BEGUN, &erasure.id, &serde_json::to_value(erasure)?, now).await
}

/// Puts the end of an erasure on record.
pub(super) async fn finish(ledger: &dyn Repository, erasure: &Erasure, now: Timestamp) -> Result<(), RunError> {
    let rows: u64 = erasure.tables.values().map(|t| t.rows).sum();
    let payload = json!({
        "erasure": erasure.id,
        "persons": erasure.persons,
        "identifiers": erasure.identifiers.len(),
        "profiles": erasure.profiles.len(),
        "quarantined": erasure.quarantined.len(),
        "rows": rows,
        "destinations": erasure.delivered.iter().map(|d| &d.destination).collect::<Vec<_>>(),
    });
    ledger.append_audit(AuditEntry { kind: "erased", actor: &erasure.actor, payload: &payload, at: now }).await?;
    register(ledger, FINISHED, &erasure.id, &payload, now).await
}

async fn begun(ledger: &dyn Repository) -> Result<Vec<(Erasure, bool)>, RunError> {
    let finished: BTreeSet<String> = ledger.artefacts(FINISHED).await?.into_iter().map(|a| a.name).collect();
    let mut all = ledger.artefacts(BEGUN).await?;
    all.sort_by(|a, b| a.created_at.cmp(&b.created_at).then_with(|| a.name.cmp(&b.name)));
    let read = |a: throughline_ledger::Artefact| Ok((serde_json::from_value(a.metadata)?, finished.contains(&a.name)));
    all.into_iter().map(read).collect()
}

pub(super) async fn unfinished(ledger: &dyn Repository) -> Result<Vec<Erasure>, RunError> {
    Ok(begun(ledger).await?.into_iter().filter(|(_, done)| !done).map(|(erasure, _)| erasure).collect())
}

pub(super) async fn finished(ledger: &dyn Repository) -> Result<Vec<Erasure>, RunError> {
    Ok(begun(ledger).await?.into_iter().filter(|(_, done)| *done).map(|(erasure, _)| erasure).collect())
}

/// The ids of everybody who was erased, in order.
pub(crate) async fn erased_persons(ledger: &dyn Repository) -> Result<Vec<PersonId>, RunError> {
    let all: BTreeSet<PersonId> = finished(ledger).await?.into_iter().flat_map(|e| e.persons).collect();
    Ok(all.into_iter().collect())
}

pub(super) async fn ask(ledger: &dyn Repository, deletion: &PendingDeletion, now: Timestamp) -> Result<(), RunError> {
    let name = deletion_name(&deletion.erasure, &deletion.delivered.destination);
    register(ledger, DELETION, &name, &serde_json::to_value(deletion)?, now).await
}

pub(super) async fn deletions(ledger: &dyn Repository) -> Result<Vec<PendingDeletion>, RunError> {
    let confirmed: BTreeSet<String> = ledger.artefacts(CONFIRMED).await?.into_iter().map(|a| a.name).collect();
    let read = |a: throughline_ledger::Artefact| {
        let deletion: PendingDeletion = serde_json::from_value(a.metadata)?;
        Ok(PendingDeletion { confirmed: confirmed.contains(&a.name), ..deletion })
    };
    ledger.artefacts(DELETION).await?.into_iter().map(read).collect()
}

pub(super) async fn confirm(
    ledger: &dyn Repository,
    erasure: &str,
    destination: &str,
    actor: &str,
    now: Timestamp,
) -> Result<(), RunError> {
    let is_this = |d: &PendingDeletion| d.erasure == erasure && d.delivered.destination == destination;
    if !deletions(ledger).await?.iter().any(is_this) {
        let help = "see `throughline erasures`".to_owned();
        let name = deletion_name(erasure, destination);
        return Err(RunError::NotFound { what: "deletion", name, help });
    }
    let payload = json!({ "erasure": erasure, "destination": destination });
    ledger.append_audit(AuditEntry { kind: "deletion_confirmed", actor, payload: &payload, at: now }).await?;
    register(ledger, CONFIRMED, &deletion_name(erasure, destination), &payload, now).await
}

fn deletion_name(erasure: &str, destination: &str) -> String {
    format!("{erasure}/{destination}")
}
