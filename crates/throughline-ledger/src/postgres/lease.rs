//! The lease in PostgreSQL: one row.

use std::time::Duration;

use serde_json::json;
use sqlx::PgConnection;
use throughline_core::Timestamp;

use super::convert::{Doing, from_sql, to_sql};
use super::{PostgresLedger, audit};
use crate::lease::expiry;
use crate::{AuditEntry, Lease, LeaseRequest, LedgerError};

const READ: &str = "read the lease";
const WRITE: &str = "write the lease";

pub(super) async fn acquire(ledger: &PostgresLedger, request: LeaseRequest<'_>) -> Result<Lease, LedgerError> {
    let mut tx = ledger.write().await?;
    let (last_fence, held) = read(&mut tx).await?;
    let lease = Lease {
        fence: last_fence + 1,
        holder: request.holder.to_owned(),
        acquired_at: request.now,
        expires_at: expiry(request.now, request.ttl),
    };
    if let Some(before) = held {
        if before.expires_at > request.now && request.dead != Some(before.fence) {
            return Err(LedgerError::LeaseHeld {
                holder: before.holder,
                fence: before.fence,
                expires_at: before.expires_at,
            });
        }
        let payload = json!({ "from": before.holder, "from_fence": before.fence, "fence": lease.fence });
        let entry = AuditEntry { kind: "lease_taken_over", actor: request.holder, payload: &payload, at: request.now };
        audit::append(&mut tx, entry).await?;
    }
    write(&mut tx, &lease).await?;
    tx.commit().await.doing(WRITE)?;
    Ok(lease)
}

pub(super) async fn renew(
    ledger: &PostgresLedger,
    fence: u64,
    now: Timestamp,
    ttl: Duration,
) -> Result<Lease, LedgerError> {
    let (mut tx, _) = ledger.write_fenced(fence).await?;
    let (_, held) = read(&mut tx).await?;
    let mut lease = held.ok_or(LedgerError::LeaseReleased { fence })?;
    lease.expires_at = expiry(now, ttl);
    write(&mut tx, &lease).await?;
    tx.commit().await.doing(WRITE)?;
    Ok(lease)
}

pub(super) async fn release(ledger: &PostgresLedger, fence: u64) -> Result<(), LedgerError> {
    let (mut tx, _) = ledger.write_fenced(fence).await?;
    sqlx::query("UPDATE lease SET holder = NULL").execute(&mut *tx).await.doing(WRITE)?;
    tx.commit().await.doing(WRITE)
}

pub(super) async fn current(ledger: &PostgresLedger) -> Result<Option<Lease>, LedgerError> {
    let mut connection = ledger.pool.acquire().await.doing(READ)?;
    Ok(read(&mut connection).await?.1)
}

/// The holder, when `fence` is the valid one.
pub(super) async fn check(connection: &mut PgConnection, fence: u64) -> Result<String, LedgerError> {
    let (held, lease) = read(connection).await?;
    if held != fence {
        return Err(LedgerError::Fenced { held, given: fence });
    }
    lease.map(|l| l.holder).ok_or(LedgerError::LeaseReleased { fence })
}

/// The last fence given, and the lease while it is held.
async fn read(connection: &mut PgConnection) -> Result<(u64, Option<Lease>), LedgerError> {
    let (fence, holder, acquired_at, expires_at): (i64, Option<String>, i64, i64) =
        sqlx::query_as("SELECT fence, holder, acquired_at, expires_at FROM lease")
            .fetch_one(connection)
            .await
            .doing(READ)?;
    let fence = from_sql("fence", fence)?;
    let lease = holder.map(|holder| Lease {
        fence,
        holder,
        acquired_at: Timestamp::from_micros(acquired_at),
        expires_at: Timestamp::from_micros(expires_at),
    });
    Ok((fence, lease))
}

async fn write(connection: &mut PgConnection, lease: &Lease) -> Result<(), LedgerError> {
    sqlx::query("UPDATE lease SET fence = $1, holder = $2, acquired_at = $3, expires_at = $4")
        .bind(to_sql("fence", lease.fence)?)
        .bind(&lease.holder)
        .bind(lease.acquired_at.micros())
        .bind(lease.expires_at.micros())
        .execute(connection)
        .await
        .doing(WRITE)?;
    Ok(())
}
