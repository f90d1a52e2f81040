//! Approvals and switches in `SQLite`.

use serde_json::Value;
use throughline_core::Timestamp;

use super::convert::{Doing, from_sql, json_from_sql, to_sql};
use super::{SqliteLedger, audit};
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

async fn add(ledger: &SqliteLedger, row: &ApprovalRow, entry: AuditEntry<'_>) -> Result<(), LedgerError> {
    let mut tx = ledger.write().await?;
    sqlx::query(
        "INSERT INTO approvals (id, kind, subject, subject_version, state, revision, requested_at, expires_at, body) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
        _ => LedgerError::Database { doing: WRITE, source },
    })?;
    audit::append(&mut tx, entry).await?;
    tx.commit().await.doing(WRITE)
}

async fn change(ledger: &SqliteLedger, row: &ApprovalRow, entry: AuditEntry<'_>) -> Result<(), LedgerError> {
    let mut tx = ledger.write().await?;
    let revision = to_sql("revision", row.revision)?;
    let changed = sqlx::query(
        "UPDATE approvals SET state = ?, revision = ?, expires_at = ?, body = ? WHERE id = ? AND revision = ?",
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
    ledger: &SqliteLedger,
    states: &[&str],
    before: Option<(Timestamp, &str)>,
    limit: u32,
) -> Result<Vec<ApprovalRow>, LedgerError> {
    let sql = format!(
        "{SELECT} WHERE (?1 = '[]' OR state IN (SELECT value FROM json_each(?1))) \
         AND (?2 IS NULL OR (requested_at, id) < (?2, ?3)) ORDER BY requested_at DESC, id DESC LIMIT ?4"
    );
    let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(Value::from(states).to_string())
        .bind(before.map(|(at, _)| at.micros()))
        .bind(before.map(|(_, id)| id))
        .bind(limit)
        .fetch_all(&ledger.pool)
        .await
        .doing(READ)?;
    rows.into_iter().map(approval).collect()
}

async fn set_switch(
    ledger: &SqliteLedger,
    name: &str,
    value: Option<&Value>,
    entry: AuditEntry<'_>,
) -> Result<(), LedgerError> {
    let mut tx = ledger.write().await?;
    match value {
        Some(value) => sqlx::query("INSERT OR REPLACE INTO switches (name, value, set_at) VALUES (?, ?, ?)")
            .bind(name)
            .bind(value.to_string())
            .bind(entry.at.micros()),
        None => sqlx::query("DELETE FROM switches WHERE name = ?").bind(name),
    }
    .execute(&mut *tx)
    .await
    .doing(WRITE)?;
    audit::append(&mut tx, entry).await?;
    tx.commit().await.doing(WRITE)
}

impl ApprovalStore for SqliteLedger {
    fn add_approval<'a>(&'a self, row: &'a ApprovalRow, entry: AuditEntry<'a>) -> Answer<'a, ()> {
        Box::pin(add(self, row, entry))
    }

    fn change_approval<'a>(&'a self, row: &'a ApprovalRow, entry: AuditEntry<'a>) -> Answer<'a, ()> {
        Box::pin(change(self, row, entry))
    }

    fn approval<'a>(&'a self, id: &'a str) -> Answer<'a, Option<ApprovalRow>> {
        Box::pin(async move {
            let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE id = ?"));
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
            let sql = format!("{SELECT} WHERE kind = ? AND subject = ? ORDER BY requested_at DESC, id DESC");
            let query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(kind).bind(subject);
            let rows: Vec<Row> = query.fetch_all(&self.pool).await.doing(READ)?;
            rows.into_iter().map(approval).collect()
        })
    }

    fn switch<'a>(&'a self, name: &'a str) -> Answer<'a, Option<Value>> {
        Box::pin(async move {
            let text: Option<String> = sqlx::query_scalar("SELECT value FROM switches WHERE name = ?")
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
