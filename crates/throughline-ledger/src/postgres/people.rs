//! Accounts and credentials in PostgreSQL.

use sqlx::PgConnection;
use throughline_core::Timestamp;

use super::convert::{Doing, refused};
use super::{PostgresLedger, Tx, audit};
use crate::people::{ApiToken, PeopleStore, Session, User};
use crate::{Answer, AuditEntry, LedgerError};

const READ: &str = "read the accounts";
const WRITE: &str = "write the accounts";

const USER: &str = "SELECT id, name, display_name, roles, sign_offs, password_hash, oidc_issuer, oidc_subject, disabled, \
                    created_at, last_seen_at FROM users";
type UserRow =
    (String, String, String, String, String, Option<String>, Option<String>, Option<String>, bool, i64, Option<i64>);

const TOKEN: &str =
    "SELECT id, user_id, label, scopes, hash, created_at, expires_at, revoked_at, last_used_at FROM api_tokens";
type TokenRow = (String, String, String, String, String, i64, i64, Option<i64>, Option<i64>);

type SessionRow = (Vec<u8>, String, i64, i64, i64);

fn names(what: &'static str, text: &str) -> Result<Vec<String>, LedgerError> {
    serde_json::from_str(text).map_err(|e| LedgerError::Unreadable { what, detail: e.to_string() })
}

fn list(names: &[String]) -> String {
    serde_json::Value::from(names).to_string()
}

fn user(row: UserRow) -> Result<User, LedgerError> {
    let (id, name, display_name, roles, sign_offs, password_hash, issuer, subject, disabled, created, seen) = row;
    Ok(User {
        id,
        name,
        display_name,
        roles: names("list of roles", &roles)?,
        sign_offs: names("list of sign-offs", &sign_offs)?,
        password_hash,
        oidc: issuer.zip(subject),
        disabled,
        created_at: Timestamp::from_micros(created),
        last_seen_at: seen.map(Timestamp::from_micros),
    })
}

fn token(row: TokenRow) -> Result<ApiToken, LedgerError> {
    let (id, user_id, label, scopes, hash, created, expires, revoked, used) = row;
    Ok(ApiToken {
        id,
        user_id,
        label,
        scopes: names("list of scopes", &scopes)?,
        hash,
        created_at: Timestamp::from_micros(created),
        expires_at: Timestamp::from_micros(expires),
        revoked_at: revoked.map(Timestamp::from_micros),
        last_used_at: used.map(Timestamp::from_micros),
    })
}

/// Appends the audit record and commits.
async fn commit(mut tx: Tx, entry: AuditEntry<'_>) -> Result<(), LedgerError> {
    audit::append(&mut tx, entry).await?;
    tx.commit().await.doing(WRITE)
}

/// A unique name that is taken is a conflict, not a failure of the database.
fn taken(error: sqlx::Error, key: &str) -> LedgerError {
    if error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation) {
        return LedgerError::Conflict { what: "user", key: key.to_owned() };
    }
    refused(WRITE, error)
}

async fn one_user(ledger: &PostgresLedger, filter: &str, binds: &[&str]) -> Result<Option<User>, LedgerError> {
    let sql = format!("{USER} WHERE {filter}");
    let mut query = sqlx::query_as::<_, UserRow>(sqlx::AssertSqlSafe(sql));
    for bind in binds {
        query = query.bind(*bind);
    }
    query.fetch_optional(&ledger.pool).await.doing(READ)?.map(user).transpose()
}

async fn add_user(ledger: &PostgresLedger, user: &User, entry: AuditEntry<'_>) -> Result<(), LedgerError> {
    let mut tx = ledger.write().await?;
    let (issuer, subject) = user.oidc.clone().unzip();
    sqlx::query(
        "INSERT INTO users (id, name, display_name, roles, sign_offs, password_hash, oidc_issuer, oidc_subject, disabled, \
         created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(&user.id)
    .bind(&user.name)
    .bind(&user.display_name)
    .bind(list(&user.roles))
    .bind(list(&user.sign_offs))
    .bind(&user.password_hash)
    .bind(issuer)
    .bind(subject)
    .bind(user.disabled)
    .bind(user.created_at.micros())
    .execute(&mut *tx)
    .await
    .map_err(|e| taken(e, &user.name))?;
    commit(tx, entry).await
}

async fn change_user(
    ledger: &PostgresLedger,
    user: &User,
    end_sessions: bool,
    entry: AuditEntry<'_>,
) -> Result<(), LedgerError> {
    let mut tx = ledger.write().await?;
    let (issuer, subject) = user.oidc.clone().unzip();
    let changed = sqlx::query(
        "UPDATE users SET display_name = $1, roles = $2, sign_offs = $3, password_hash = $4, oidc_issuer = $5, \
         oidc_subject = $6, disabled = $7 WHERE id = $8",
    )
    .bind(&user.display_name)
    .bind(list(&user.roles))
    .bind(list(&user.sign_offs))
    .bind(&user.password_hash)
    .bind(issuer)
    .bind(subject)
    .bind(user.disabled)
    .bind(&user.id)
    .execute(&mut *tx)
    .await
    .map_err(|e| taken(e, &user.name))?;
    if changed.rows_affected() == 0 {
        return Err(LedgerError::Unknown { what: "user", key: user.id.clone() });
    }
    if end_sessions {
        sqlx::query("DELETE FROM sessions WHERE user_id = $1").bind(&user.id).execute(&mut *tx).await.doing(WRITE)?;
    }
    commit(tx, entry).await
}

async fn add_token(ledger: &PostgresLedger, token: &ApiToken, entry: AuditEntry<'_>) -> Result<(), LedgerError> {
    let mut tx = ledger.write().await?;
    sqlx::query(
        "INSERT INTO api_tokens (id, user_id, label, scopes, hash, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(&token.id)
    .bind(&token.user_id)
    .bind(&token.label)
    .bind(list(&token.scopes))
    .bind(&token.hash)
    .bind(token.created_at.micros())
    .bind(token.expires_at.micros())
    .execute(&mut *tx)
    .await
    .doing(WRITE)?;
    commit(tx, entry).await
}

async fn revoke_token(ledger: &PostgresLedger, id: &str, entry: AuditEntry<'_>) -> Result<(), LedgerError> {
    let mut tx = ledger.write().await?;
    let ended = sqlx::query("UPDATE api_tokens SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL")
        .bind(entry.at.micros())
        .bind(id)
        .execute(&mut *tx)
        .await
        .doing(WRITE)?;
    if ended.rows_affected() == 0 {
        return Ok(());
    }
    commit(tx, entry).await
}

async fn begin_session(ledger: &PostgresLedger, session: &Session, entry: AuditEntry<'_>) -> Result<(), LedgerError> {
    let mut tx = ledger.write().await?;
    let now = session.created_at.micros();
    sqlx::query("DELETE FROM sessions WHERE expires_at <= $1").bind(now).execute(&mut *tx).await.doing(WRITE)?;
    sqlx::query("INSERT INTO sessions (id, user_id, created_at, seen_at, expires_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(&session.id[..])
        .bind(&session.user_id)
        .bind(now)
        .bind(session.seen_at.micros())
        .bind(session.expires_at.micros())
        .execute(&mut *tx)
        .await
        .doing(WRITE)?;
    saw_user(&mut tx, &session.user_id, session.created_at).await?;
    commit(tx, entry).await
}

async fn saw_user(connection: &mut PgConnection, id: &str, now: Timestamp) -> Result<(), LedgerError> {
    sqlx::query("UPDATE users SET last_seen_at = greatest(last_seen_at, $1) WHERE id = $2")
        .bind(now.micros())
        .bind(id)
        .execute(connection)
        .await
        .doing(WRITE)?;
    Ok(())
}

async fn saw_session(ledger: &PostgresLedger, id: &[u8; 32], now: Timestamp) -> Result<(), LedgerError> {
    let mut tx = ledger.write().await?;
    let user: Option<String> = sqlx::query_scalar("UPDATE sessions SET seen_at = $1 WHERE id = $2 RETURNING user_id")
        .bind(now.micros())
        .bind(&id[..])
        .fetch_optional(&mut *tx)
        .await
        .doing(WRITE)?;
    if let Some(user) = user {
        saw_user(&mut tx, &user, now).await?;
    }
    tx.commit().await.doing(WRITE)
}

async fn session(ledger: &PostgresLedger, id: &[u8; 32]) -> Result<Option<Session>, LedgerError> {
    let row: Option<SessionRow> =
        sqlx::query_as("SELECT id, user_id, created_at, seen_at, expires_at FROM sessions WHERE id = $1")
            .bind(&id[..])
            .fetch_optional(&ledger.pool)
            .await
            .doing(READ)?;
    Ok(row.map(|(_, user_id, created, seen, expires)| Session {
        id: *id,
        user_id,
        created_at: Timestamp::from_micros(created),
        seen_at: Timestamp::from_micros(seen),
        expires_at: Timestamp::from_micros(expires),
    }))
}

impl PeopleStore for PostgresLedger {
    fn users(&self) -> Answer<'_, Vec<User>> {
        Box::pin(async {
            let sql = sqlx::AssertSqlSafe(format!("{USER} ORDER BY lower(name)"));
            let rows: Vec<UserRow> = sqlx::query_as(sql).fetch_all(&self.pool).await.doing(READ)?;
            rows.into_iter().map(user).collect()
        })
    }

    fn user<'a>(&'a self, id: &'a str) -> Answer<'a, Option<User>> {
        Box::pin(async move { one_user(self, "id = $1", &[id]).await })
    }

    fn user_named<'a>(&'a self, name: &'a str) -> Answer<'a, Option<User>> {
        Box::pin(async move { one_user(self, "lower(name) = lower($1 COLLATE \"C\")", &[name]).await })
    }

    fn user_of_oidc<'a>(&'a self, issuer: &'a str, subject: &'a str) -> Answer<'a, Option<User>> {
        Box::pin(async move { one_user(self, "oidc_issuer = $1 AND oidc_subject = $2", &[issuer, subject]).await })
    }

    fn add_user<'a>(&'a self, user: &'a User, entry: AuditEntry<'a>) -> Answer<'a, ()> {
        Box::pin(add_user(self, user, entry))
    }

    fn change_user<'a>(&'a self, user: &'a User, end_sessions: bool, entry: AuditEntry<'a>) -> Answer<'a, ()> {
        Box::pin(change_user(self, user, end_sessions, entry))
    }

    fn tokens<'a>(&'a self, user_id: Option<&'a str>) -> Answer<'a, Vec<ApiToken>> {
        Box::pin(async move {
            let sql = sqlx::AssertSqlSafe(format!("{TOKEN} WHERE $1 IS NULL OR user_id = $1 ORDER BY created_at, id"));
            let rows: Vec<TokenRow> = sqlx::query_as(sql).bind(user_id).fetch_all(&self.pool).await.doing(READ)?;
            rows.into_iter().map(token).collect()
        })
    }

    fn token<'a>(&'a self, id: &'a str) -> Answer<'a, Option<ApiToken>> {
        Box::pin(async move {
            let sql = sqlx::AssertSqlSafe(format!("{TOKEN} WHERE id = $1"));
            let row: Option<TokenRow> = sqlx::query_as(sql).bind(id).fetch_optional(&self.pool).await.doing(READ)?;
            row.map(token).transpose()
        })
    }

    fn add_token<'a>(&'a self, token: &'a ApiToken, entry: AuditEntry<'a>) -> Answer<'a, ()> {
        Box::pin(add_token(self, token, entry))
    }

    fn revoke_token<'a>(&'a self, id: &'a str, entry: AuditEntry<'a>) -> Answer<'a, ()> {
        Box::pin(revoke_token(self, id, entry))
    }

    fn saw_token<'a>(&'a self, id: &'a str, now: Timestamp) -> Answer<'a, ()> {
        Box::pin(async move {
            sqlx::query("UPDATE api_tokens SET last_used_at = $1 WHERE id = $2")
                .bind(now.micros())
                .bind(id)
                .execute(&self.pool)
                .await
                .doing(WRITE)?;
            Ok(())
        })
    }

    fn begin_session<'a>(&'a self, session: &'a Session, entry: AuditEntry<'a>) -> Answer<'a, ()> {
        Box::pin(begin_session(self, session, entry))
    }

    fn session<'a>(&'a self, id: &'a [u8; 32]) -> Answer<'a, Option<Session>> {
        Box::pin(session(self, id))
    }

    fn saw_session<'a>(&'a self, id: &'a [u8; 32], now: Timestamp) -> Answer<'a, ()> {
        Box::pin(saw_session(self, id, now))
    }

    fn end_session<'a>(&'a self, id: &'a [u8; 32], entry: AuditEntry<'a>) -> Answer<'a, ()> {
        Box::pin(async move {
            let mut tx = self.write().await?;
            sqlx::query("DELETE FROM sessions WHERE id = $1").bind(&id[..]).execute(&mut *tx).await.doing(WRITE)?;
            commit(tx, entry).await
        })
    }
}
