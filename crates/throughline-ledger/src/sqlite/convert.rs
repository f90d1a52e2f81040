//! Between Rust values and `SQLite`'s, and between database errors and ours.

use serde_json::Value;

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

pub(super) fn to_sql(what: &'static str, value: u64) -> Result<i64, LedgerError> {
    i64::try_from(value).map_err(|_| LedgerError::TooLarge { what, value })
}

pub(super) fn from_sql(what: &'static str, value: i64) -> Result<u64, LedgerError> {
    u64::try_from(value).map_err(|_| LedgerError::Unreadable { what, detail: format!("{value} is negative") })
}

pub(super) fn small_from_sql(what: &'static str, value: i64) -> Result<u32, LedgerError> {
    u32::try_from(value)
        .map_err(|_| LedgerError::Unreadable { what, detail: format!("{value} is not within 0 to {}", u32::MAX) })
}

pub(super) fn json_from_sql(what: &'static str, text: &str) -> Result<Value, LedgerError> {
    serde_json::from_str(text).map_err(|e| LedgerError::Unreadable { what, detail: e.to_string() })
}
