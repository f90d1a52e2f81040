//! Which database keeps the ledger.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use throughline_postgres::PostgresAddress;

use crate::{LedgerError, PostgresLedger, Repository, SqliteLedger};

/// Where the ledger of a project is kept.
#[derive(Debug, Clone)]
pub enum LedgerPlace {
    /// In a `SQLite` file.
    File(PathBuf),
    /// On a PostgreSQL server.
    Postgres(PostgresAddress),
}

impl fmt::Display for LedgerPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Postgres(address) => address.fmt(f),
        }
    }
}

impl LedgerPlace {
    /// Opens the ledger of the project of this name; makes it when absent.
    pub async fn open(&self, project: &str) -> Result<Arc<dyn Repository>, LedgerError> {
        Ok(match self {
            Self::File(path) => Arc::new(SqliteLedger::open(path).await?),
            Self::Postgres(address) => Arc::new(PostgresLedger::open(address, project).await?),
        })
    }
}
