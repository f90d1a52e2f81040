//! Approvals and switches in PostgreSQL.

use serde_json::Value;
use throughline_core::Timestamp;

use super::convert::{Doing, from_sql, json_from_sql, refused, to_sql};
use super::{PostgresLedger, audit};
use crate::approval::{ApprovalRow, ApprovalStore};
use crate::{Answer, AuditEntry, LedgerError};

const READ: &str = "read the approvals";
const WRITE: &str = "write the approvals";

const SELECT: &str = "SELECT id, kind, subject, subject_version, state, revision, requested_at, expires_at, body \
                      FROM approvals";
type Row = (String, String, String, String, String, i64, i64, i64, String);

fn approval(row: Row) -> Result<ApprovalRow, LedgerError> {
    let (id, kind, subject, subject_version, state, revision, requested, expires, body) = row;
    Ok(ApprovalRow {
        id,
        kind,
        subject,
        subject_version,
        state,
        revision: from_sql("revision", revision)?,
        requested_at: Timestamp::from_micros(requested),
        expires_at: Timestamp::from_micros(expires),
        body: json_from_sql("approval", &body)?,
    })
}

fn conflict(row: &ApprovalRow) -> LedgerError {
    LedgerError::Conflict { what: "approval", key: row.id.clone() }
}

async fn add(ledger: &PostgresLedger, row: &ApprovalRow, entry: AuditEntry<'_>) -> Result<(), LedgerError> {
    let mut tx = ledger.write().await?;
    sqlx::query(
        "INSERT INTO approvals (id, kind, subject, subject_version, state, revision, requested_at, expires_at, body) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(&row.id)
    .bind(&row.kind)
    .bind(&row.subject)
    .bind(&row.subject_version)
    .bind(&row.state)
    .bind(to_sql("revision", row.revision)?)
    .bind(row.requested_at.micros())
    .bind(row.expires_at.micros())
    .bind(row.body.to_string())
    .execute(&mut *tx)
    .await
    .map_err(|source| match source.as_database_error() {
        Some(e) if e.is_unique_violation() => conflict(row),
        _ => refused(WRITE, source),
    })?;
    audit::append(&mut tx, entry).await?;
    tx.commit().await.doing(WRITE)
}

async fn change(ledger: &PostgresLedger, row: &ApprovalRow, entry: AuditEntry<'_>) -> Result<(), LedgerError> {
    let mut tx = ledger.write().await?;
    let revision = to_sql("revision", row.revision)?;
    let changed = sqlx::query(
        "UPDATE approvals SET state = $1, revision = $2, expires_at = $3, body = $4 WHERE id = $5 AND revision = $6",
    )
    .bind(&row.state)
    .bind(revision)
    .bind(row.expires_at.micros())
    .bind(row.body.to_string())
    .bind(&row.id)
    .bind(revision - 1)
    .execute(&mut *tx)
    .await
    .doing(WRITE)?;
    if changed.rows_affected() == 0 {
        return Err(conflict(row));
    }
    audit::append(&mut tx, entry).await?;
    tx.commit().await.doing(WRITE)
}

async fn list(
    ledger: &PostgresLedger,
    states: &[&str],
    before: Option<(Timestamp, &str)>,
    limit: u32,
) -> Result<Vec<ApprovalRow>, LedgerError> {
    let sql = format!(
        "{SELECT} WHERE (cardinality($1) = 0 OR state = ANY($1)) \
         AND ($2 IS NULL OR (requested_at, id) < ($2, $3)) ORDER BY requested_at DESC, id DESC LIMIT $4"
    );
    let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(states)
        .bind(before.map(|(at, _)| at.micros()))
        .bind(before.map(|(_, id)| id))
        .bind(i64::from(limit))
        .fetch_all(&ledger.pool)
        .await
        .doing(READ)?;
    rows.into_iter().map(approval).collect()
}

async fn set_switch(
    ledger: &PostgresLedger,
    name: &str,
    value: Option<&Value>,
    entry: AuditEntry<'_>,
) -> Result<(), LedgerError> {
    let mut tx = ledger.write().await?;
    match value {
        Some(value) => sqlx::query(
            "INSERT INTO switches (name, value, set_at) VALUES ($1, $2, $3) \
             ON CONFLICT (name) DO UPDATE SET value = excluded.value, set_at = excluded.set_at",
        )
        .bind(name)
        .bind(value.to_string())
        .bind(entry.at.micros()),
        None => sqlx::query("DELETE FROM switches WHERE name = $1").bind(name),
    }
    .execute(&mut *tx)
    .await
    .doing(WRITE)?;
    audit::append(&mut tx, entry).await?;
    tx.commit().await.doing(WRITE)
}

impl ApprovalStore for PostgresLedger {
    fn add_approval<'a>(&'a self, row: &'a ApprovalRow, entry: AuditEntry<'a>) -> Answer<'a, ()> {
        Box::pin(add(self, row, entry))
    }

    fn change_approval<'a>(&'a self, row: &'a ApprovalRow, entry: AuditEntry<'a>) -> Answer<'a, ()> {
        Box::pin(change(self, row, entry))
    }

    fn approval<'a>(&'a self, id: &'a str) -> Answer<'a, Option<ApprovalRow>> {
        Box::pin(async move {
            let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE id = $1"));
            let row: Option<Row> = sqlx::query_as(sql).bind(id).fetch_optional(&self.pool).await.doing(READ)?;
            row.map(approval).transpose()
        })
    }

    fn approvals<'a>(
        &'a self,
        states: &'a [&'a str],
        before: Option<(Timestamp, &'a str)>,
        limit: u32,
    ) -> Answer<'a, Vec<ApprovalRow>> {
        Box::pin(list(self, states, before, limit))
    }

    fn approvals_about<'a>(&'a self, kind: &'a str, subject: &'a str) -> Answer<'a, Vec<ApprovalRow>> {
        Box::pin(async move {
            let sql = format!("{SELECT} WHERE kind = $1 AND subject = $2 ORDER BY requested_at DESC, id DESC");
            let query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(kind).bind(subject);
            let rows: Vec<Row> = query.fetch_all(&self.pool).await.doing(READ)?;
            rows.into_iter().map(approval).collect()
        })
    }

    fn switch<'a>(&'a self, name: &'a str) -> Answer<'a, Option<Value>> {
        Box::pin(async move {
            let text: Option<String> = sqlx::query_scalar("SELECT value FROM switches WHERE name = $1")
                .bind(name)
                .fetch_optional(&self.pool)
                .await
                .doing(READ)?;
            text.map(|t| json_from_sql("switch", &t)).transpose()
        })
    }

    fn set_switch<'a>(&'a self, name: &'a str, value: Option<&'a Value>, entry: AuditEntry<'a>) -> Answer<'a, ()> {
        Box::pin(set_switch(self, name, value, entry))
    }
}
