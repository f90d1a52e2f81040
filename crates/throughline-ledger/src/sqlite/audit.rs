//! The audit log in `SQLite`.

use sqlx::SqliteConnection;
use throughline_core::Timestamp;

use super::SqliteLedger;
use super::convert::{Doing, from_sql, to_sql};
use crate::audit::{Checker, GENESIS};
use crate::{AuditCheck, AuditEntry, AuditRecord, Hash, LedgerError};

const READ: &str = "read the audit log";
const WRITE: &str = "append to the audit log";
const PAGE: u32 = 1000;

/// Appends within the caller's transaction, which must be one that may write.
pub(super) async fn append(
    connection: &mut SqliteConnection,
    entry: AuditEntry<'_>,
) -> Result<AuditRecord, LedgerError> {
    let (size, head) = head(connection).await?;
    let mut record = AuditRecord {
        seq: size + 1,
        kind: entry.kind.to_owned(),
        actor: entry.actor.to_owned(),
        payload: entry.payload.to_string(),
        at: entry.at,
        prev: head,
        leaf: GENESIS,
    };
    record.leaf = record.compute_leaf();
    let seq = to_sql("audit sequence number", record.seq)?;
    sqlx::query("INSERT INTO audit (seq, kind, actor, payload, at, prev, leaf) VALUES (?, ?, ?, ?, ?, ?, ?)")
        .bind(seq)
        .bind(&record.kind)
        .bind(&record.actor)
        .bind(&record.payload)
        .bind(record.at.micros())
        .bind(&record.prev[..])
        .bind(&record.leaf[..])
        .execute(&mut *connection)
        .await
        .doing(WRITE)?;
    sqlx::query("UPDATE audit_head SET size = ?, leaf = ?")
        .bind(seq)
        .bind(&record.leaf[..])
        .execute(connection)
        .await
        .doing(WRITE)?;
    Ok(record)
}

pub(super) async fn append_alone(ledger: &SqliteLedger, entry: AuditEntry<'_>) -> Result<AuditRecord, LedgerError> {
    let mut tx = ledger.write().await?;
    let record = append(&mut tx, entry).await?;
    tx.commit().await.doing(WRITE)?;
    Ok(record)
}

pub(super) async fn list(ledger: &SqliteLedger, after: u64, limit: u32) -> Result<Vec<AuditRecord>, LedgerError> {
    let mut connection = ledger.pool.acquire().await.doing(READ)?;
    page(&mut connection, after, limit).await
}

pub(super) async fn verify(ledger: &SqliteLedger) -> Result<AuditCheck, LedgerError> {
    // One transaction, so that the pages and the remembered end are of the same moment.
    let mut tx = ledger.pool.begin().await.doing(READ)?;
    let mut checker = Checker::new();
    loop {
        let records = page(&mut tx, checker.last_seq(), PAGE).await?;
        if records.is_empty() {
            break;
        }
        for record in &records {
            checker.read(record);
        }
    }
    let (size, leaf) = head(&mut tx).await?;
    Ok(checker.finish(size, leaf))
}

async fn head(connection: &mut SqliteConnection) -> Result<(u64, Hash), LedgerError> {
    let (size, leaf): (i64, Vec<u8>) =
        sqlx::query_as("SELECT size, leaf FROM audit_head").fetch_one(connection).await.doing(READ)?;
    Ok((from_sql("audit size", size)?, hash(&leaf)?))
}

type Row = (i64, String, String, String, i64, Vec<u8>, Vec<u8>);

async fn page(connection: &mut SqliteConnection, after: u64, limit: u32) -> Result<Vec<AuditRecord>, LedgerError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT seq, kind, actor, payload, at, prev, leaf FROM audit WHERE seq > ? ORDER BY seq LIMIT ?",
    )
    .bind(to_sql("audit sequence number", after)?)
    .bind(limit)
    .fetch_all(connection)
    .await
    .doing(READ)?;
    rows.into_iter()
        .map(|(seq, kind, actor, payload, at, prev, leaf)| {
            let (prev, leaf) = (hash(&prev)?, hash(&leaf)?);
            let seq = from_sql("audit sequence number", seq)?;
            Ok(AuditRecord { seq, kind, actor, payload, at: Timestamp::from_micros(at), prev, leaf })
        })
        .collect()
}

fn hash(bytes: &[u8]) -> Result<Hash, LedgerError> {
    bytes.try_into().map_err(|_| LedgerError::Unreadable {
        what: "audit hash",
        detail: format!("{} bytes, expected {}", bytes.len(), GENESIS.len()),
    })
}
