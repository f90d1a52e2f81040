//! Opening: the connection, whose ledger it is, schema.

use std::time::Duration;

use sqlx::Connection as _;
use sqlx::postgres::{PgConnection, PgPoolOptions};

use super::PostgresLedger;
use super::convert::{Doing, UNDEFINED_COLUMN, code};
use crate::{LedgerError, PostgresAddress};

/// Schema number and the migration that leads to it, from an empty schema or the number before.
const MIGRATIONS: [(i64, &str); 2] = [
    (2, include_str!("../../migrations/postgres/0002_ledger.sql")),
    (3, include_str!("../../migrations/postgres/0003_evidence.sql")),
];

/// The newest schema known.
const NEWEST: i64 = MIGRATIONS[MIGRATIONS.len() - 1].0;

/// First half of the advisory lock of migrations (`TLLG`); the second is the name of the schema.
const MIGRATION_LOCK: i32 = 0x544c_4c47;

/// How long a caller waits for one of the pool's connections.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);

/// The schema of a ledger whose address names none.
const SCHEMA: &str = "throughline";

/// Where a ledger lies.
struct Place<'a> {
    schema: &'a str,
    text: String,
}

impl PostgresLedger {
    /// Opens the ledger of a project; makes schema and tables when absent. An older schema is migrated. The ledger of
    /// another project is refused.
    pub async fn open(address: &PostgresAddress, project: &str) -> Result<Self, LedgerError> {
        let schema = address.schema().unwrap_or(SCHEMA);
        let place = Place { schema, text: format!("{address} (schema {schema})") };
        // Only its schema is looked at, nobody waits for ever, and a process that was stopped inside a transaction does not
        // hold the others up.
        let settings =
            [("search_path", schema), ("lock_timeout", "30s"), ("idle_in_transaction_session_timeout", "60s")];
        // One connection by hand first: a pool would try again for half a minute where the server is not there at all.
        let mut connection = address.connect(&settings).await?;
        prepare(&mut connection, &place, project).await?;
        connection.close().await.doing("close a connection")?;
        let pool = PgPoolOptions::new()
            .max_connections(4)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .after_connect(|connection, _| Box::pin(make_durable(connection)))
            .connect_lazy_with(address.options(&settings));
        Ok(Self { pool })
    }
}

/// What is acknowledged is on disk, on servers too that let others lose their last commits.
async fn make_durable(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let sql =
        "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";
    sqlx::query(sql).execute(connection).await?;
    Ok(())
}

/// Looks at the schema and migrates it where it is older or absent. A current one is only looked at, so that a user
/// without rights to make tables can open it.
async fn prepare(connection: &mut PgConnection, place: &Place<'_>, project: &str) -> Result<(), LedgerError> {
    let encoding: String =
        sqlx::query_scalar("SHOW server_encoding").fetch_one(&mut *connection).await.doing("read its encoding")?;
    if encoding != "UTF8" {
        return Err(LedgerError::Encoding { place: place.text.clone(), encoding });
    }
    if schema_of(connection, place, project).await? == NEWEST {
        return Ok(());
    }
    let doing = "migrate its schema";
    // At the level named, each look sees what others committed while this one waited.
    let mut tx = connection.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE").await.doing(doing)?;
    sqlx::query("SELECT pg_advisory_xact_lock($1, hashtext($2))")
        .bind(MIGRATION_LOCK)
        .bind(place.schema)
        .execute(&mut *tx)
        .await
        .doing(doing)?;
    // Another process may have migrated between the look and the lock.
    let present = schema_of(&mut tx, place, project).await?;
    if !exists(&mut tx, place.schema).await? {
        let sql = format!("CREATE SCHEMA \"{}\"", place.schema);
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut *tx).await.doing("make its schema")?;
    }
    for (number, migration) in MIGRATIONS.into_iter().filter(|(number, _)| *number > present) {
        sqlx::raw_sql(migration).execute(&mut *tx).await.doing(doing)?;
        sqlx::query(
            "INSERT INTO ledger (id, application, schema_number, project) VALUES (1, 'throughline', $1, $2) \
             ON CONFLICT (id) DO UPDATE SET schema_number = excluded.schema_number",
        )
        .bind(number)
        .bind(project)
        .execute(&mut *tx)
        .await
        .doing(doing)?;
    }
    tx.commit().await.doing(doing)
}

async fn exists(connection: &mut PgConnection, schema: &str) -> Result<bool, LedgerError> {
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)")
        .bind(schema)
        .fetch_one(connection)
        .await
        .doing("look for its schema")
}

/// The schema number present: 0 for an absent or empty schema, an error for one that is not ours, not this project's or
/// newer than we know.
async fn schema_of(connection: &mut PgConnection, place: &Place<'_>, project: &str) -> Result<i64, LedgerError> {
    let doing = "read its schema number";
    let (ours, all): (i64, i64) = sqlx::query_as(
        "SELECT count(*) FILTER (WHERE c.relname = 'ledger' AND c.relkind = 'r'), count(*) \
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1",
    )
    .bind(place.schema)
    .fetch_one(&mut *connection)
    .await
    .doing(doing)?;
    if all == 0 {
        return Ok(0);
    }
    let foreign = || LedgerError::ForeignSchema { place: place.text.clone() };
    if ours == 0 {
        return Err(foreign());
    }
    let answer =
        sqlx::query_as("SELECT application, schema_number, project FROM ledger").fetch_optional(connection).await;
    let row: Option<(String, i64, String)> = match answer {
        Err(error) if code(&error).as_deref() == Some(UNDEFINED_COLUMN) => return Err(foreign()),
        other => other.doing(doing)?,
    };
    let (_, found, owner) = row.filter(|(application, ..)| application == "throughline").ok_or_else(foreign)?;
    if owner != project {
        return Err(LedgerError::OtherProject { place: place.text.clone(), owner, project: project.to_owned() });
    }
    if !(1..=NEWEST).contains(&found) {
        return Err(LedgerError::NewerSchema { place: place.text.clone(), found, known: NEWEST });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use throughline_testbed::PostgresServer;

    use super::*;

    async fn setting(ledger: &PostgresLedger, name: &str) -> Result<String, sqlx::Error> {
        sqlx::query_scalar("SELECT current_setting($1)").bind(name).fetch_one(&ledger.pool).await
    }

    #[tokio::test]
    async fn connections_wait_for_nobody_for_ever_and_lose_no_commit() -> Result<(), Box<dyn std::error::Error>> {
        let server = PostgresServer::start()?;
        server.sql("postgres", "ALTER SYSTEM SET synchronous_commit = off")?;
        server.sql("postgres", "SELECT pg_reload_conf()")?;
        let address = server.url("throughline", "postgres").parse()?;
        let ledger = PostgresLedger::open(&address, "shop").await?;
        for (name, expect) in [
            ("lock_timeout", "30s"),
            ("idle_in_transaction_session_timeout", "1min"),
            ("search_path", "throughline"),
            ("synchronous_commit", "on"),
        ] {
            assert_eq!(setting(&ledger, name).await?, expect, "{name}");
        }
        Ok(())
    }
}
