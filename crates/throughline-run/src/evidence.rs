//! The evidence ledger of a project: what is known about effects, how it stands, and what people decide about it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use throughline_core::Timestamp;
use throughline_evidence::{Conflict, EvidenceRecord, Health, Kept, Note, NoteKind, Standing, conflicts};
use throughline_ledger::{NewEvidenceNote, Repository};

use crate::error::RunError;

/// A record with how it stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EvidenceItem {
    /// The record, its notes and when it was recorded.
    #[serde(flatten)]
    pub kept: Kept,
    /// How it stands.
    pub standing: Standing,
}

/// The ledger at an instant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EvidenceList {
    /// The records by source and end of period, newest first within a source.
    pub items: Vec<EvidenceItem>,
    /// Where they contradict each other.
    pub conflicts: Vec<Conflict>,
}

/// What somebody wants to do about a record.
#[derive(Debug, Clone, Copy)]
pub struct EvidenceWish<'a> {
    /// The record.
    pub id: &'a str,
    /// Who.
    pub by: &'a str,
    /// Why.
    pub text: &'a str,
    /// When.
    pub now: Timestamp,
}

/// All records with their notes. Errors: a record that is not one.
pub async fn kept_evidence(ledger: &dyn Repository) -> Result<Vec<Kept>, RunError> {
    let mut notes: BTreeMap<String, Vec<Note>> = BTreeMap::new();
    for n in ledger.evidence_notes().await? {
        let kind = serde_json::from_value(Value::String(n.kind))?;
        notes.entry(n.evidence).or_default().push(Note { kind, by: n.by, at: n.at, text: n.text });
    }
    let mut out = Vec::new();
    for stored in ledger.evidence().await? {
        let record = serde_json::from_value(stored.record)?;
        let notes = notes.remove(&stored.id).unwrap_or_default();
        out.push(Kept { record, recorded_at: stored.created_at, notes });
    }
    Ok(out)
}

/// The records as they stand at an instant.
pub async fn list_evidence(ledger: &dyn Repository, at: Timestamp) -> Result<EvidenceList, RunError> {
    let all = kept_evidence(ledger).await?;
    let conflicts = conflicts(&all, at);
    let mut items: Vec<EvidenceItem> =
        all.iter().map(|kept| EvidenceItem { kept: kept.clone(), standing: kept.standing(&all, at) }).collect();
    let order = |i: &EvidenceItem| (i.kept.record.source_name().to_owned(), i.kept.record.estimand.metric.clone());
    items.sort_by(|a, b| {
        let (a_end, b_end) = (a.kept.record.scope.period_end, b.kept.record.scope.period_end);
        order(a).cmp(&order(b)).then(b_end.cmp(&a_end)).then(a.kept.record.id.cmp(&b.kept.record.id))
    });
    Ok(EvidenceList { items, conflicts })
}

/// Answers for the assumptions of a record. Errors: none of this id, retired, or suspect: a failed check is no assumption.
pub async fn approve_evidence(ledger: &dyn Repository, wish: EvidenceWish<'_>) -> Result<(), RunError> {
    let kept = find(ledger, wish.id).await?;
    if kept.record.health == Health::Suspect {
        return Err(refused(wish.id, "a check of it failed, and nobody can approve that away"));
    }
    note(ledger, &kept, NoteKind::Approved, &format!("approved/{}", wish.by), wish).await
}

/// Takes a record out of use, for good. Errors: none of this id, retired already, no reason.
pub async fn retire_evidence(ledger: &dyn Repository, wish: EvidenceWish<'_>) -> Result<(), RunError> {
    if wish.text.trim().is_empty() {
        return Err(refused(wish.id, "say why it is retired"));
    }
    let kept = find(ledger, wish.id).await?;
    note(ledger, &kept, NoteKind::Retired, "retired", wish).await
}

/// Records evidence that was made outside a run. Again with the same content changes nothing. Errors: its id stands with
/// other content.
pub async fn record_evidence(ledger: &dyn Repository, record: &EvidenceRecord, now: Timestamp) -> Result<(), RunError> {
    Ok(ledger.record_evidence(&record.id, &serde_json::to_value(record)?, now).await?)
}

async fn find(ledger: &dyn Repository, id: &str) -> Result<Kept, RunError> {
    let all = kept_evidence(ledger).await?;
    all.into_iter().find(|k| k.record.id == id).ok_or_else(|| RunError::NotFound {
        what: "evidence",
        name: id.to_owned(),
        help: "`throughline evidence list` shows what there is".to_owned(),
    })
}

async fn note(
    ledger: &dyn Repository,
    kept: &Kept,
    kind: NoteKind,
    key: &str,
    wish: EvidenceWish<'_>,
) -> Result<(), RunError> {
    if let Some(note) = kept.retirement() {
        return Err(refused(wish.id, &format!("{} retired it: {}", note.by, note.text)));
    }
    let name = if kind == NoteKind::Retired { "retired" } else { "approved" };
    let EvidenceWish { id, by, text, now } = wish;
    Ok(ledger.note_evidence(NewEvidenceNote { id, key, kind: name, by, text, now }).await?)
}

fn refused(id: &str, why: &str) -> RunError {
    RunError::Evidence { id: id.to_owned(), why: why.to_owned() }
}
