//! Artefacts in `SQLite`.

use serde_json::json;
use throughline_core::Timestamp;

use super::convert::{Doing, json_from_sql, small_from_sql};
use super::{SqliteLedger, audit};
use crate::{Artefact, AuditEntry, LedgerError, NewArtefact};

const READ: &str = "read the registry";
const WRITE: &str = "write the registry";

/// Kind, name, version, content hash, metadata, instant: the columns in the order of the schema.
type Row = (String, String, i64, String, String, i64);

pub(super) async fn register(ledger: &SqliteLedger, new: NewArtefact<'_>) -> Result<Artefact, LedgerError> {
    let NewArtefact { kind, name, content_hash, metadata, now } = new;
    let mut tx = ledger.write().await?;
    let known: Option<Row> = sqlx::query_as("SELECT * FROM artefacts WHERE kind = ? AND name = ? AND content_hash = ?")
        .bind(kind)
        .bind(name)
        .bind(content_hash)
        .fetch_optional(&mut *tx)
        .await
        .doing(READ)?;
    if let Some(row) = known {
        return artefact(row);
    }
    let row: Row = sqlx::query_as(
        "INSERT INTO artefacts (kind, name, version, content_hash, metadata, created_at) VALUES (?1, ?2, \
         (SELECT coalesce(max(version), 0) + 1 FROM artefacts WHERE kind = ?1 AND name = ?2), ?3, ?4, ?5) RETURNING *",
    )
    .bind(kind)
    .bind(name)
    .bind(content_hash)
    .bind(metadata.to_string())
    .bind(now.micros())
    .fetch_one(&mut *tx)
    .await
    .doing(WRITE)?;
    let registered = artefact(row)?;
    let payload = json!({ "kind": kind, "name": name, "version": registered.version, "content_hash": content_hash });
    audit::append(&mut tx, AuditEntry { kind: "registered", actor: "registry", payload: &payload, at: now }).await?;
    tx.commit().await.doing(WRITE)?;
    Ok(registered)
}

pub(super) async fn list(ledger: &SqliteLedger, kind: &str) -> Result<Vec<Artefact>, LedgerError> {
    let rows: Vec<Row> = sqlx::query_as("SELECT * FROM artefacts WHERE kind = ? ORDER BY name, version")
        .bind(kind)
        .fetch_all(&ledger.pool)
        .await
        .doing(READ)?;
    rows.into_iter().map(artefact).collect()
}

fn artefact((kind, name, version, content_hash, metadata, at): Row) -> Result<Artefact, LedgerError> {
    Ok(Artefact {
        kind,
        name,
        version: small_from_sql("artefact version", version)?,
        content_hash,
        metadata: json_from_sql("artefact metadata", &metadata)?,
        created_at: Timestamp::from_micros(at),
    })
}
