//! Evidence and what is noted about it, in `SQLite`.

use serde_json::{Value, json};
use throughline_core::Timestamp;

use super::convert::{Doing, json_from_sql};
use super::{SqliteLedger, audit};
use crate::{AuditEntry, EvidenceNote, EvidenceRecord, LedgerError, NewEvidenceNote};

const READ: &str = "read the registry";
const WRITE: &str = "write the registry";

pub(super) async fn record_evidence(
    ledger: &SqliteLedger,
    id: &str,
    record: &Value,
    now: Timestamp,
) -> Result<(), LedgerError> {
    let mut tx = ledger.write().await?;
    let known: Option<String> = sqlx::query_scalar("SELECT record FROM evidence WHERE id = ?")
        .bind(id)
        .fetch_optional(&mut *tx)
        .await
        .doing(READ)?;
    if let Some(text) = known {
        let same = json_from_sql("evidence record", &text)? == *record;
        return if same { Ok(()) } else { Err(LedgerError::Conflict { what: "evidence", key: id.to_owned() }) };
    }
    sqlx::query("INSERT INTO evidence (id, record, created_at) VALUES (?, ?, ?)")
        .bind(id)
        .bind(record.to_string())
        .bind(now.micros())
        .execute(&mut *tx)
        .await
        .doing(WRITE)?;
    let payload = json!({ "id": id, "record": record });
    audit::append(&mut tx, AuditEntry { kind: "evidence_recorded", actor: "registry", payload: &payload, at: now })
        .await?;
    tx.commit().await.doing(WRITE)
}

pub(super) async fn evidence(ledger: &SqliteLedger) -> Result<Vec<EvidenceRecord>, LedgerError> {
    let rows: Vec<(String, String, i64)> = sqlx::query_as("SELECT id, record, created_at FROM evidence ORDER BY id")
        .fetch_all(&ledger.pool)
        .await
        .doing(READ)?;
    rows.into_iter()
        .map(|(id, record, at)| {
            let record = json_from_sql("evidence record", &record)?;
            Ok(EvidenceRecord { id, record, created_at: Timestamp::from_micros(at) })
        })
        .collect()
}

pub(super) async fn note_evidence(ledger: &SqliteLedger, note: NewEvidenceNote<'_>) -> Result<(), LedgerError> {
    let NewEvidenceNote { id, key, kind, by, text, now } = note;
    let mut tx = ledger.write().await?;
    let found: Option<i64> = sqlx::query_scalar("SELECT created_at FROM evidence WHERE id = ?")
        .bind(id)
        .fetch_optional(&mut *tx)
        .await
        .doing(READ)?;
    if found.is_none() {
        return Err(LedgerError::Unknown { what: "evidence", key: id.to_owned() });
    }
    let known: Option<(String, String, String)> =
        sqlx::query_as("SELECT kind, made_by, text FROM evidence_notes WHERE evidence = ? AND key = ?")
            .bind(id)
            .bind(key)
            .fetch_optional(&mut *tx)
            .await
            .doing(READ)?;
    if let Some((known_kind, known_by, known_text)) = known {
        let same = (known_kind.as_str(), known_by.as_str(), known_text.as_str()) == (kind, by, text);
        return if same { Ok(()) } else { Err(LedgerError::Conflict { what: "note", key: format!("{id} {key}") }) };
    }
    sqlx::query("INSERT INTO evidence_notes (evidence, key, kind, made_by, text, made_at) VALUES (?, ?, ?, ?, ?, ?)")
        .bind(id)
        .bind(key)
        .bind(kind)
        .bind(by)
        .bind(text)
        .bind(now.micros())
        .execute(&mut *tx)
        .await
        .doing(WRITE)?;
    let payload = json!({ "id": id, "key": key, "text": text });
    let happened = format!("evidence_{kind}");
    audit::append(&mut tx, AuditEntry { kind: &happened, actor: by, payload: &payload, at: now }).await?;
    tx.commit().await.doing(WRITE)
}

pub(super) async fn evidence_notes(ledger: &SqliteLedger) -> Result<Vec<EvidenceNote>, LedgerError> {
    let rows: Vec<(String, String, String, String, String, i64)> = sqlx::query_as(
        "SELECT evidence, key, kind, made_by, text, made_at FROM evidence_notes ORDER BY evidence, made_at, key",
    )
    .fetch_all(&ledger.pool)
    .await
    .doing(READ)?;
    let note = |(evidence, key, kind, by, text, at)| EvidenceNote {
        evidence,
        key,
        kind,
        by,
        text,
        at: Timestamp::from_micros(at),
    };
    Ok(rows.into_iter().map(note).collect())
}
