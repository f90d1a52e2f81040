//! The vault's file: permissions, pragmas, schema.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Sqlite, SqliteConnection, SqlitePool, Transaction};

use crate::VaultError;

/// `TLVT`, so that another program's database is not taken for ours.
const APPLICATION_ID: i64 = 0x544c_5654;

/// Schema number and the migration that leads to it. A migration sets `user_version` itself, so that both change in one
/// transaction.
const MIGRATIONS: [(i64, &str); 2] =
    [(1, include_str!("../migrations/0001_vault.sql")), (2, include_str!("../migrations/0002_tombstones.sql"))];

/// The newest schema known.
const NEWEST: i64 = MIGRATIONS[MIGRATIONS.len() - 1].0;

pub(crate) type Tx = Transaction<'static, Sqlite>;

/// Names what was tried when the database answers with an error.
pub(crate) trait Doing<T> {
    fn doing(self, doing: &'static str) -> Result<T, VaultError>;
}

impl<T> Doing<T> for Result<T, sqlx::Error> {
    fn doing(self, doing: &'static str) -> Result<T, VaultError> {
        self.map_err(|source| match primary_code(&source) {
            Some(SQLITE_CORRUPT | SQLITE_NOTADB) => VaultError::Corrupt { doing, source },
            _ => VaultError::Database { doing, source },
        })
    }
}

const SQLITE_BUSY: i64 = 5;
const SQLITE_CORRUPT: i64 = 11;
const SQLITE_NOTADB: i64 = 26;

/// `SQLite`'s primary result code: the low byte of the extended one.
fn primary_code(error: &sqlx::Error) -> Option<i64> {
    let code: i64 = error.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xff)
}

/// SQL over `n(i)`: the numbers of the fixed-width parts of the blob `?1`, which is not empty. One packed blob for
/// thousands of tokens or hashes: a parameter for each would cost more than the search itself.
macro_rules! over_packed {
    ($width:literal, $sql:literal) => {
        concat!(
            "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE (i + 2) * ",
            $width,
            " <= length(?1)) ",
            $sql
        )
    };
}
pub(crate) use over_packed;

/// Begins a transaction that may write.
pub(crate) async fn write(pool: &SqlitePool) -> Result<Tx, VaultError> {
    pool.begin_with("BEGIN IMMEDIATE").await.doing("begin a transaction")
}

/// Pages in memory, in KiB: tokens and hashes are random, so each insertion touches other pages.
pub(crate) const CACHE: u32 = 64 << 10;

/// Sets how much of the file a connection keeps in memory, in KiB.
pub(crate) async fn cache(connection: &mut SqliteConnection, kib: u32) -> Result<(), VaultError> {
    // A pragma takes no parameters; the text holds a number and nothing else.
    let sql = sqlx::AssertSqlSafe(format!("PRAGMA cache_size = -{kib}"));
    sqlx::raw_sql(sql).execute(connection).await.doing("size its cache")?;
    Ok(())
}

/// Opens the file; makes it, readable by its owner only, when absent.
pub(crate) async fn open(path: &Path) -> Result<SqlitePool, VaultError> {
    make_private(path)?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(30))
        // Erased content is overwritten, and nothing is spilled to files outside the folder.
        .pragma("secure_delete", "ON")
        .pragma("temp_store", "MEMORY")
        .pragma("cache_size", format!("-{CACHE}"))
        .disable_statement_logging();
    let pool = connect(SqlitePoolOptions::new().max_connections(2), options).await?;
    if schema_of(&mut *pool.acquire().await.doing("open its file")?, path).await? < NEWEST {
        let mut tx = write(&pool).await?;
        // Another process may have migrated between the look and the lock.
        let present = schema_of(&mut tx, path).await?;
        for (_, migration) in MIGRATIONS.into_iter().filter(|(schema, _)| *schema > present) {
            sqlx::raw_sql(migration).execute(&mut *tx).await.doing("migrate its schema")?;
        }
        tx.commit().await.doing("migrate its schema")?;
    }
    Ok(pool)
}

/// The schema version present: 0 for an empty file, an error for a file that is not ours or newer than we know.
async fn schema_of(connection: &mut SqliteConnection, path: &Path) -> Result<i64, VaultError> {
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
        return Err(VaultError::NotAVault { path: path.to_owned(), found: application, expected: APPLICATION_ID });
    }
    if !(1..=NEWEST).contains(&found) {
        return Err(VaultError::NewerSchema { path: path.to_owned(), found, known: NEWEST });
    }
    Ok(found)
}

/// Connects. Turning on the write-ahead log of a fresh file needs a lock that `SQLite` does not wait for, so two
/// processes that open it at the same moment need a few tries.
async fn connect(pool: SqlitePoolOptions, options: SqliteConnectOptions) -> Result<SqlitePool, VaultError> {
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

/// Makes the file and its folder when absent and takes others' access to the file away. `SQLite` gives the log beside it
/// the same mode.
fn make_private(path: &Path) -> Result<(), VaultError> {
    let failed = |doing| move |source: io::Error| VaultError::Io { doing, path: path.to_owned(), source };
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
