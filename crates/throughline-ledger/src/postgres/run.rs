//! Runs in PostgreSQL.

use serde_json::{Value, json};
use sqlx::PgConnection;
use throughline_core::Timestamp;

use super::convert::{Doing, from_sql, json_from_sql, small_from_sql, to_sql};
use super::{PostgresLedger, audit};
use crate::{AuditEntry, LedgerError, NewRun, RunRecord, RunStatus};

const READ: &str = "read the runs";
const WRITE: &str = "write a run";

/// Whether an unfinished run with the same inputs is taken up again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resume {
    Never,
    SameInputs,
}

pub(super) async fn begin(
    ledger: &PostgresLedger,
    fence: u64,
    run: NewRun<'_>,
    resume: Resume,
) -> Result<RunRecord, LedgerError> {
    let (mut tx, holder) = ledger.write_fenced(fence).await?;
    let last = select(&mut tx, "SELECT * FROM runs ORDER BY run_seq DESC LIMIT 1", None).await?.pop();
    let last_seq = last.as_ref().map_or(0, |r| r.run_seq);
    let unfinished = last.filter(|r| r.status == RunStatus::Running);
    let record = match unfinished {
        Some(mut record)
            if resume == Resume::SameInputs && record.as_of == run.as_of && record.config_hash == run.config_hash =>
        {
            record.resumed += 1;
            record.fence = fence;
            record
        }
        unfinished => {
            if let Some(left) = unfinished {
                finish_in(&mut tx, left.run_seq, RunStatus::Abandoned, run.started_at, &Value::Null).await?;
            }
            RunRecord {
                run_seq: last_seq + 1,
                as_of: run.as_of,
                config_hash: run.config_hash.to_owned(),
                seed: run.seed,
                status: RunStatus::Running,
                fence,
                started_at: run.started_at,
                resumed: 0,
                finished_at: None,
                report: None,
            }
        }
    };
    upsert(&mut tx, &record).await?;
    let payload = json!({ "run_seq": record.run_seq, "as_of": record.as_of, "config_hash": record.config_hash,
        "seed": record.seed, "fence": fence });
    let kind = if record.resumed == 0 { "run_begun" } else { "run_resumed" };
    audit::append(&mut tx, AuditEntry { kind, actor: &holder, payload: &payload, at: run.started_at }).await?;
    tx.commit().await.doing(WRITE)?;
    Ok(record)
}

pub(super) async fn finish(
    ledger: &PostgresLedger,
    fence: u64,
    run_seq: u64,
    status: RunStatus,
    finished_at: Timestamp,
    report: &Value,
) -> Result<(), LedgerError> {
    if status == RunStatus::Running {
        return Err(LedgerError::NotFinal { status: status.name() });
    }
    let (mut tx, holder) = ledger.write_fenced(fence).await?;
    match status_of(&mut tx, run_seq).await? {
        RunStatus::Running => {}
        before if before == status => return Ok(()),
        before => return Err(LedgerError::RunOver { run_seq, status: before }),
    }
    finish_in(&mut tx, run_seq, status, finished_at, report).await?;
    let payload = json!({ "run_seq": run_seq, "status": status });
    audit::append(&mut tx, AuditEntry { kind: "run_finished", actor: &holder, payload: &payload, at: finished_at })
        .await?;
    tx.commit().await.doing(WRITE)
}

pub(super) async fn list(ledger: &PostgresLedger, limit: u32) -> Result<Vec<RunRecord>, LedgerError> {
    let mut connection = ledger.pool.acquire().await.doing(READ)?;
    let limit = limit.to_string();
    select(&mut connection, "SELECT * FROM runs ORDER BY run_seq DESC LIMIT CAST($1 AS BIGINT)", Some(&limit)).await
}

pub(super) async fn last(ledger: &PostgresLedger, status: Option<RunStatus>) -> Result<Option<RunRecord>, LedgerError> {
    let mut connection = ledger.pool.acquire().await.doing(READ)?;
    let sql = if status.is_some() {
        "SELECT * FROM runs WHERE status = $1 ORDER BY run_seq DESC LIMIT 1"
    } else {
        "SELECT * FROM runs WHERE status NOT IN ('running', 'abandoned') ORDER BY run_seq DESC LIMIT 1"
    };
    Ok(select(&mut connection, sql, status.map(RunStatus::name)).await?.pop())
}

/// The status of a run that must exist.
pub(super) async fn status_of(connection: &mut PgConnection, run_seq: u64) -> Result<RunStatus, LedgerError> {
    let status: Option<String> = sqlx::query_scalar("SELECT status FROM runs WHERE run_seq = $1")
        .bind(to_sql("run number", run_seq)?)
        .fetch_optional(connection)
        .await
        .doing(READ)?;
    status.ok_or(LedgerError::UnknownRun { run_seq })?.parse()
}

async fn finish_in(
    connection: &mut PgConnection,
    run_seq: u64,
    status: RunStatus,
    at: Timestamp,
    report: &Value,
) -> Result<(), LedgerError> {
    sqlx::query("UPDATE runs SET status = $1, finished_at = $2, report = $3 WHERE run_seq = $4")
        .bind(status.name())
        .bind(at.micros())
        .bind((!report.is_null()).then(|| report.to_string()))
        .bind(to_sql("run number", run_seq)?)
        .execute(connection)
        .await
        .doing(WRITE)?;
    Ok(())
}

/// Writes a running run.
async fn upsert(connection: &mut PgConnection, run: &RunRecord) -> Result<(), LedgerError> {
    sqlx::query(
        "INSERT INTO runs (run_seq, as_of, config_hash, seed, status, fence, started_at) \
         VALUES ($1, $2, $3, $4, 'running', $5, $6) \
         ON CONFLICT (run_seq) DO UPDATE SET fence = excluded.fence, resumed = runs.resumed + 1",
    )
    .bind(to_sql("run number", run.run_seq)?)
    .bind(run.as_of.micros())
    .bind(&run.config_hash)
    .bind(run.seed.cast_signed())
    .bind(to_sql("fence", run.fence)?)
    .bind(run.started_at.micros())
    .execute(connection)
    .await
    .doing(WRITE)?;
    Ok(())
}

/// The columns of `runs` in the order of the schema.
type Row = (i64, i64, String, i64, String, i64, i64, i64, Option<i64>, Option<String>);

async fn select(
    connection: &mut PgConnection,
    sql: &'static str,
    argument: Option<&str>,
) -> Result<Vec<RunRecord>, LedgerError> {
    let mut query = sqlx::query_as::<_, Row>(sql);
    if let Some(argument) = argument {
        query = query.bind(argument.to_owned());
    }
    query.fetch_all(connection).await.doing(READ)?.into_iter().map(record).collect()
}

fn record(row: Row) -> Result<RunRecord, LedgerError> {
    let (run_seq, as_of, config_hash, seed, status, fence, started_at, resumed, finished_at, report) = row;
    Ok(RunRecord {
        run_seq: from_sql("run number", run_seq)?,
        as_of: Timestamp::from_micros(as_of),
        config_hash,
        seed: seed.cast_unsigned(),
        status: status.parse()?,
        fence: from_sql("fence", fence)?,
        started_at: Timestamp::from_micros(started_at),
        resumed: small_from_sql("count of resumptions", resumed)?,
        finished_at: finished_at.map(Timestamp::from_micros),
        report: report.map(|text| json_from_sql("run report", &text)).transpose()?,
    })
}
