//! Publication in PostgreSQL: manifest, its history and fingerprints.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sqlx::PgConnection;
use throughline_core::Timestamp;

use super::convert::{Doing, from_sql, json_from_sql, to_sql};
use super::{PostgresLedger, audit, run};
use crate::{AuditEntry, FingerprintRecord, LedgerError, Publication, Published, RunStatus};

const READ: &str = "read the manifest";
const WRITE: &str = "publish";

pub(super) async fn publish(
    ledger: &PostgresLedger,
    fence: u64,
    publication: Publication<'_>,
) -> Result<Published, LedgerError> {
    let (mut tx, holder) = ledger.write_fenced(fence).await?;
    let published = publish_in(&mut tx, &holder, publication).await?;
    if published == Published::Now {
        tx.commit().await.doing(WRITE)?;
    }
    Ok(published)
}

async fn publish_in(
    connection: &mut PgConnection,
    holder: &str,
    publication: Publication<'_>,
) -> Result<Published, LedgerError> {
    let Publication { run_seq, stage, unit, fingerprint, tables, metrics, now } = publication;
    match run::status_of(connection, run_seq).await? {
        RunStatus::Running => {}
        status => return Err(LedgerError::RunOver { run_seq, status }),
    }
    let before = read_manifest(connection).await?;
    let last = read_fingerprint(connection, stage, unit).await?;
    let visible = tables.iter().all(|(table, version)| before.get(table) == Some(version));
    if visible && last.is_some_and(|l| l.fingerprint == fingerprint && l.run_seq == run_seq) {
        return Ok(Published::Before);
    }
    for (table, version) in tables {
        if before.get(table) != Some(version) {
            set_version(connection, &publication, table, *version).await?;
        }
    }
    sqlx::query(
        "INSERT INTO fingerprints (stage, unit, fingerprint, run_seq, metrics, published_at) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (stage, unit) DO UPDATE SET fingerprint = excluded.fingerprint, \
         run_seq = excluded.run_seq, metrics = excluded.metrics, published_at = excluded.published_at",
    )
    .bind(stage)
    .bind(unit)
    .bind(fingerprint)
    .bind(to_sql("run number", run_seq)?)
    .bind(metrics.to_string())
    .bind(now.micros())
    .execute(&mut *connection)
    .await
    .doing(WRITE)?;
    let versions: Map<String, Value> = tables.iter().map(|(t, v)| (t.clone(), json!(v))).collect();
    let payload = json!({ "run_seq": run_seq, "stage": stage, "unit": unit, "fingerprint": fingerprint,
        "tables": versions });
    audit::append(connection, AuditEntry { kind: "published", actor: holder, payload: &payload, at: now }).await?;
    Ok(Published::Now)
}

async fn set_version(
    connection: &mut PgConnection,
    publication: &Publication<'_>,
    table: &str,
    version: u64,
) -> Result<(), LedgerError> {
    let (version, run_seq) = (to_sql("table version", version)?, to_sql("run number", publication.run_seq)?);
    sqlx::query(
        "INSERT INTO manifest (table_name, version, run_seq) VALUES ($1, $2, $3) \
         ON CONFLICT (table_name) DO UPDATE SET version = excluded.version, run_seq = excluded.run_seq",
    )
    .bind(table)
    .bind(version)
    .bind(run_seq)
    .execute(&mut *connection)
    .await
    .doing(WRITE)?;
    sqlx::query(
        "INSERT INTO manifest_history (table_name, version, run_seq, stage, unit, published_at) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(table)
    .bind(version)
    .bind(run_seq)
    .bind(publication.stage)
    .bind(publication.unit)
    .bind(publication.now.micros())
    .execute(connection)
    .await
    .doing(WRITE)?;
    Ok(())
}

pub(super) async fn manifest(ledger: &PostgresLedger) -> Result<BTreeMap<String, u64>, LedgerError> {
    let mut connection = ledger.pool.acquire().await.doing(READ)?;
    read_manifest(&mut connection).await
}

pub(super) async fn manifest_at(ledger: &PostgresLedger, run_seq: u64) -> Result<BTreeMap<String, u64>, LedgerError> {
    // Runs follow one another under the lease, so the newest entry of a run is newer than any of the runs before it.
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT table_name, version FROM manifest_history WHERE id IN \
         (SELECT max(id) FROM manifest_history WHERE run_seq <= $1 GROUP BY table_name)",
    )
    .bind(to_sql("run number", run_seq)?)
    .fetch_all(&ledger.pool)
    .await
    .doing(READ)?;
    versions(rows)
}

async fn read_manifest(connection: &mut PgConnection) -> Result<BTreeMap<String, u64>, LedgerError> {
    versions(sqlx::query_as("SELECT table_name, version FROM manifest").fetch_all(connection).await.doing(READ)?)
}

fn versions(rows: Vec<(String, i64)>) -> Result<BTreeMap<String, u64>, LedgerError> {
    rows.into_iter().map(|(table, version)| Ok((table, from_sql("table version", version)?))).collect()
}

pub(super) async fn fingerprint(
    ledger: &PostgresLedger,
    stage: &str,
    unit: &str,
) -> Result<Option<FingerprintRecord>, LedgerError> {
    let mut connection = ledger.pool.acquire().await.doing(READ)?;
    read_fingerprint(&mut connection, stage, unit).await
}

/// Unit, fingerprint, run, metrics, instant.
type Row = (String, String, i64, String, i64);

async fn read_fingerprint(
    connection: &mut PgConnection,
    stage: &str,
    unit: &str,
) -> Result<Option<FingerprintRecord>, LedgerError> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT unit, fingerprint, run_seq, metrics, published_at FROM fingerprints WHERE stage = $1 AND unit = $2",
    )
    .bind(stage)
    .bind(unit)
    .fetch_optional(connection)
    .await
    .doing(READ)?;
    Ok(row.map(record).transpose()?.map(|(_, record)| record))
}

pub(super) async fn fingerprints(
    ledger: &PostgresLedger,
    stage: &str,
) -> Result<BTreeMap<String, FingerprintRecord>, LedgerError> {
    let rows: Vec<Row> =
        sqlx::query_as("SELECT unit, fingerprint, run_seq, metrics, published_at FROM fingerprints WHERE stage = $1")
            .bind(stage)
            .fetch_all(&ledger.pool)
            .await
            .doing(READ)?;
    rows.into_iter().map(record).collect()
}

fn record((unit, fingerprint, run_seq, metrics, at): Row) -> Result<(String, FingerprintRecord), LedgerError> {
    let record = FingerprintRecord {
        fingerprint,
        run_seq: from_sql("run number", run_seq)?,
        metrics: json_from_sql("unit metrics", &metrics)?,
        published_at: Timestamp::from_micros(at),
    };
    Ok((unit, record))
}

pub(super) async fn forget(
    ledger: &PostgresLedger,
    fence: u64,
    stage: &str,
    now: Timestamp,
) -> Result<u64, LedgerError> {
    let doing = "forget fingerprints";
    let (mut tx, holder) = ledger.write_fenced(fence).await?;
    let gone = sqlx::query("DELETE FROM fingerprints WHERE stage = $1")
        .bind(stage)
        .execute(&mut *tx)
        .await
        .doing(doing)?
        .rows_affected();
    if gone > 0 {
        let payload = json!({ "stage": stage, "units": gone });
        audit::append(&mut tx, AuditEntry { kind: "forgotten", actor: &holder, payload: &payload, at: now }).await?;
        tx.commit().await.doing(doing)?;
    }
    Ok(gone)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use throughline_testbed::PostgresServer;

    use super::*;
    use crate::{AuditLog as _, LeaseRequest, NewRun, Repository};

    #[tokio::test]
    async fn a_connection_killed_before_the_commit_publishes_nothing() -> Result<(), Box<dyn std::error::Error>> {
        let server = PostgresServer::start()?;
        let address = server.url("throughline", "postgres").parse()?;
        let ledger = PostgresLedger::open(&address, "shop").await?;
        let now = Timestamp::from_micros(1);
        let ttl = Duration::from_mins(1);
        let fence = ledger.acquire_lease(LeaseRequest { holder: "h", now, ttl, dead: None }).await?.fence;
        let new = NewRun { as_of: now, config_hash: "c", seed: 1, started_at: now };
        let run_seq = ledger.begin_run(fence, new).await?.run_seq;
        let tables = [("events".to_owned(), 3)];
        let publication = Publication {
            run_seq,
            stage: "ingest",
            unit: "",
            fingerprint: "f",
            tables: &tables,
            metrics: &Value::Null,
            now,
        };

        let (mut tx, holder) = ledger.write_fenced(fence).await?;
        assert_eq!(publish_in(&mut tx, &holder, publication).await?, Published::Now);
        assert_eq!(read_manifest(&mut tx).await?, BTreeMap::from(tables.clone()), "visible inside");
        let killed = server.sql(
            "postgres",
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
             WHERE application_name = 'throughline' AND pid <> pg_backend_pid()",
        )?;
        assert_ne!(killed, "0");
        assert!(tx.commit().await.is_err());
        assert!(ledger.manifest().await?.is_empty());
        assert!(ledger.fingerprint("ingest", "").await?.is_none());
        assert_eq!(ledger.verify_audit().await?.records, 1, "only the beginning of the run");

        assert_eq!(ledger.publish(fence, publication).await?, Published::Now);
        assert_eq!(ledger.manifest().await?, BTreeMap::from(tables));
        Ok(())
    }
}
