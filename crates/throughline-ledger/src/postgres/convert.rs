//! PostgreSQL's errors as ours.

pub(super) use crate::convert::{from_sql, json_from_sql, small_from_sql, to_sql};

use crate::LedgerError;

/// Names what was tried when the database answers with an error.
pub(super) trait Doing<T> {
    fn doing(self, doing: &'static str) -> Result<T, LedgerError>;
}

impl<T> Doing<T> for Result<T, sqlx::Error> {
    fn doing(self, doing: &'static str) -> Result<T, LedgerError> {
        self.map_err(|source| refused(doing, source))
    }
}

/// The error behind an answer of the database.
pub(super) fn refused(doing: &'static str, source: sqlx::Error) -> LedgerError {
    match code(&source).as_deref() {
        Some(DATA_CORRUPTED | INDEX_CORRUPTED) => LedgerError::Corrupt { doing, source },
        // Text that comes from here is UTF-8, so the byte that the server does not take is a zero.
        Some(CHARACTER_NOT_IN_REPERTOIRE) => LedgerError::NulCharacter { doing },
        _ => LedgerError::Database { doing, source },
    }
}

/// A column that a statement names is not there.
pub(super) const UNDEFINED_COLUMN: &str = "42703";
const CHARACTER_NOT_IN_REPERTOIRE: &str = "22021";
const DATA_CORRUPTED: &str = "XX001";
const INDEX_CORRUPTED: &str = "XX002";

/// The SQLSTATE of an error.
pub(super) fn code(error: &sqlx::Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}
