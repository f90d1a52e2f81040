//! Delivery envelopes in PostgreSQL.

use serde_json::{Value, json};
use sqlx::PgConnection;
use throughline_core::Timestamp;

use super::convert::{Doing, from_sql, json_from_sql, small_from_sql, to_sql};
use super::{PostgresLedger, audit};
use crate::{AuditEntry, Delivery, DeliveryStart, DeliveryStatus, LedgerError, NewDelivery};

const READ: &str = "read the deliveries";
const WRITE: &str = "write a delivery";

/// The columns of `delivery_batches` in the order of the schema.
type Row = (String, String, String, String, i64, String, i64, i64, Option<i64>);

pub(super) async fn begin(
    ledger: &PostgresLedger,
    fence: u64,
    new: NewDelivery<'_>,
) -> Result<DeliveryStart, LedgerError> {
    let (mut tx, holder) = ledger.write_fenced(fence).await?;
    let known = find(&mut tx, new.idempotency_key).await?;
    if let Some(before) = known {
        let same = (before.destination.as_str(), before.digest.as_str(), before.row_count)
            == (new.destination, new.digest, new.row_count);
        if !same {
            return Err(LedgerError::Conflict { what: "delivery", key: before.idempotency_key });
        }
        if before.status != DeliveryStatus::Failed {
            return Ok(DeliveryStart::Existing(before));
        }
    }
    let row: Row = sqlx::query_as(
        "INSERT INTO delivery_batches (idempotency_key, destination, status, digest, row_count, details, created_at) \
         VALUES ($1, $2, 'pending', $3, $4, $5, $6) ON CONFLICT (idempotency_key) DO UPDATE SET status = 'pending', \
         details = excluded.details, attempts = delivery_batches.attempts + 1, completed_at = NULL RETURNING *",
    )
    .bind(new.idempotency_key)
    .bind(new.destination)
    .bind(new.digest)
    .bind(to_sql("row count", new.row_count)?)
    .bind(new.details.to_string())
    .bind(new.now.micros())
    .fetch_one(&mut *tx)
    .await
    .doing(WRITE)?;
    let delivery = record(row)?;
    let payload = json!({ "idempotency_key": new.idempotency_key, "destination": new.destination,
        "digest": new.digest, "rows": new.row_count, "attempt": delivery.attempts });
    let entry = AuditEntry { kind: "delivery_begun", actor: &holder, payload: &payload, at: new.now };
    audit::append(&mut tx, entry).await?;
    tx.commit().await.doing(WRITE)?;
    Ok(DeliveryStart::Send(delivery))
}

pub(super) async fn complete(
    ledger: &PostgresLedger,
    fence: u64,
    idempotency_key: &str,
    status: DeliveryStatus,
    details: &Value,
    now: Timestamp,
) -> Result<(), LedgerError> {
    if status == DeliveryStatus::Pending {
        return Err(LedgerError::NotFinal { status: status.name() });
    }
    let (mut tx, holder) = ledger.write_fenced(fence).await?;
    let key = || idempotency_key.to_owned();
    let before = find(&mut tx, idempotency_key).await?.ok_or_else(|| LedgerError::UnknownDelivery { key: key() })?;
    match before.status {
        DeliveryStatus::Pending => {}
        same if same == status => return Ok(()),
        other => return Err(LedgerError::DeliveryOver { key: key(), status: other }),
    }
    sqlx::query("UPDATE delivery_batches SET status = $1, details = $2, completed_at = $3 WHERE idempotency_key = $4")
        .bind(status.name())
        .bind(details.to_string())
        .bind(now.micros())
        .bind(idempotency_key)
        .execute(&mut *tx)
        .await
        .doing(WRITE)?;
    let payload = json!({ "idempotency_key": idempotency_key, "status": status, "digest": before.digest });
    let entry = AuditEntry { kind: "delivery_completed", actor: &holder, payload: &payload, at: now };
    audit::append(&mut tx, entry).await?;
    tx.commit().await.doing(WRITE)
}

pub(super) async fn list(ledger: &PostgresLedger) -> Result<Vec<Delivery>, LedgerError> {
    let rows: Vec<Row> = sqlx::query_as("SELECT * FROM delivery_batches ORDER BY created_at, idempotency_key")
        .fetch_all(&ledger.pool)
        .await
        .doing(READ)?;
    rows.into_iter().map(record).collect()
}

async fn find(connection: &mut PgConnection, key: &str) -> Result<Option<Delivery>, LedgerError> {
    let row: Option<Row> = sqlx::query_as("SELECT * FROM delivery_batches WHERE idempotency_key = $1")
        .bind(key)
        .fetch_optional(connection)
        .await
        .doing(READ)?;
    row.map(record).transpose()
}

fn record(row: Row) -> Result<Delivery, LedgerError> {
    let (idempotency_key, destination, status, digest, rows, details, attempts, created_at, completed_at) = row;
    Ok(Delivery {
        idempotency_key,
        destination,
        status: status.parse()?,
        digest,
        row_count: from_sql("row count", rows)?,
        details: json_from_sql("delivery details", &details)?,
        attempts: small_from_sql("count of attempts", attempts)?,
        created_at: Timestamp::from_micros(created_at),
        completed_at: completed_at.map(Timestamp::from_micros),
    })
}
