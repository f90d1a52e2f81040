//! Between Rust values and those that every database keeps: signed 64-bit integers and text.

use serde_json::Value;

use crate::LedgerError;

pub(crate) fn to_sql(what: &'static str, value: u64) -> Result<i64, LedgerError> {
    i64::try_from(value).map_err(|_| LedgerError::TooLarge { what, value })
}

pub(crate) fn from_sql(what: &'static str, value: i64) -> Result<u64, LedgerError> {
    u64::try_from(value).map_err(|_| LedgerError::Unreadable { what, detail: format!("{value} is negative") })
}

pub(crate) fn small_from_sql(what: &'static str, value: i64) -> Result<u32, LedgerError> {
    u32::try_from(value)
        .map_err(|_| LedgerError::Unreadable { what, detail: format!("{value} is not within 0 to {}", u32::MAX) })
}

pub(crate) fn json_from_sql(what: &'static str, text: &str) -> Result<Value, LedgerError> {
    serde_json::from_str(text).map_err(|e| LedgerError::Unreadable { what, detail: e.to_string() })
}
