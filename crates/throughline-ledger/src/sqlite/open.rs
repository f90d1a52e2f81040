//! Opening: file permissions, pragmas, schema.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;
use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::convert::{Doing, SQLITE_BUSY, primary_code};
use super::{SqliteLedger, audit};
use crate::LedgerError;

/// `TLLG`, so that another program's database is not taken for ours.
const APPLICATION_ID: i64 = 0x544c_4c47;

/// Schema number and the migration that leads to it. A migration sets `user_version` itself, so that both change in one
/// transaction.
const MIGRATIONS: [(i64, &str); 3] = [
    (1, include_str!("../../migrations/sqlite/0001_ledger.sql")),
    (2, include_str!("../../migrations/sqlite/0002_people.sql")),
    (3, include_str!("../../migrations/sqlite/0003_evidence.sql")),
];

/// The newest schema known.
const NEWEST: i64 = MIGRATIONS[MIGRATIONS.len() - 1].0;

/// How long a writer waits for another process's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

impl SqliteLedger {
    /// Opens the ledger in this file; makes it, readable by its owner only, when absent. An older schema is migrated.
    pub async fn open(path: &Path) -> Result<Self, LedgerError> {
        make_private(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let pool = connect(SqlitePoolOptions::new().max_connections(4), options).await?;
        Self::with_schema(pool, path).await
    }

    /// A ledger in memory, for tests. Clones share it; it is gone with the last of them.
    pub async fn in_memory() -> Result<Self, LedgerError> {
        // Each connection to memory is its own database, so there must be one, and it must stay.
        let pool = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
        let pool = connect(pool, SqliteConnectOptions::new().in_memory(true).foreign_keys(true)).await?;
        Self::with_schema(pool, Path::new("in memory")).await
    }

    async fn with_schema(pool: SqlitePool, path: &Path) -> Result<Self, LedgerError> {
        let ledger = Self { pool };
        if ledger.schema(path).await? < NEWEST {
            let mut tx = ledger.write().await?;
            // Another process may have migrated between the look and the lock.
            let present = schema_of(&mut tx, path).await?;
            for (_, migration) in MIGRATIONS.into_iter().filter(|(schema, _)| *schema > present) {
                sqlx::raw_sql(migration).execute(&mut *tx).await.doing("migrate its schema")?;
            }
            if present == 1 {
                audit::grow_tree(&mut tx).await?;
            }
            tx.commit().await.doing("migrate its schema")?;
        }
        Ok(ledger)
    }

    async fn schema(&self, path: &Path) -> Result<i64, LedgerError> {
        let mut connection = self.pool.acquire().await.doing("open its file")?;
        schema_of(&mut connection, path).await
    }
}

/// The schema version present: 0 for an empty file, an error for a file that is not ours or newer than we know.
async fn schema_of(connection: &mut sqlx::SqliteConnection, path: &Path) -> Result<i64, LedgerError> {
    let doing = "read its schema version";
    let application: i64 =
        sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut *connection).await.doing(doing)?;
    let found: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *connection).await.doing(doing)?;
    let objects: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(&mut *connection).await.doing(doing)?;
    if (application, found, objects) == (0, 0, 0) {
        return Ok(0);
    }
    if application != APPLICATION_ID {
        return Err(LedgerError::NotALedger { path: path.to_owned(), found: application, expected: APPLICATION_ID });
    }
    if !(1..=NEWEST).contains(&found) {
        return Err(LedgerError::NewerSchema { place: path.display().to_string(), found, known: NEWEST });
    }
    Ok(found)
}

/// Connects. Turning on the write-ahead log of a fresh file needs a lock that `SQLite` does not wait for, so two processes
/// that open it at the same moment need a few tries.
async fn connect(pool: SqlitePoolOptions, options: SqliteConnectOptions) -> Result<SqlitePool, LedgerError> {
    let mut tries = 0;
    loop {
        match pool.clone().connect_with(options.clone()).await {
            Err(e) if primary_code(&e) == Some(SQLITE_BUSY) && tries < 100 => {
                tries += 1;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            other => return other.doing("open its file"),
        }
    }
}

/// Makes the file and its folder when absent and takes others' access away. `SQLite` gives the log beside it the same mode.
fn make_private(path: &Path) -> Result<(), LedgerError> {
    let failed = |doing| move |source: io::Error| LedgerError::Io { doing, path: path.to_owned(), source };
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(failed("make the folder of"))?;
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(failed("open"))?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .map_err(failed("restrict the permissions of"))?;
    drop(file);
    Ok(())
}
