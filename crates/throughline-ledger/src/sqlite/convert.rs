//! `SQLite`'s errors as ours.

pub(super) use crate::convert::{from_sql, json_from_sql, small_from_sql, to_sql};

use crate::LedgerError;

/// Names what was tried when the database answers with an error.
pub(super) trait Doing<T> {
    fn doing(self, doing: &'static str) -> Result<T, LedgerError>;
}

impl<T> Doing<T> for Result<T, sqlx::Error> {
    fn doing(self, doing: &'static str) -> Result<T, LedgerError> {
        self.map_err(|source| match primary_code(&source) {
            Some(SQLITE_CORRUPT | SQLITE_NOTADB) => LedgerError::Corrupt { doing, source },
            _ => LedgerError::Database { doing, source },
        })
    }
}

/// The file is locked by another connection.
pub(super) const SQLITE_BUSY: i64 = 5;
const SQLITE_CORRUPT: i64 = 11;
const SQLITE_NOTADB: i64 = 26;

/// `SQLite`'s primary result code: the low byte of the extended one.
pub(super) fn primary_code(error: &sqlx::Error) -> Option<i64> {
    let code: i64 = error.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xff)
}
