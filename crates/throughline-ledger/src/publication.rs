//! Publication: the one transaction that makes the tables of a finished unit of work visible.

use serde::Serialize;
use serde_json::Value;
use throughline_core::Timestamp;

/// A finished unit of work of a stage.
#[derive(Debug, Clone, Copy)]
pub struct Publication<'a> {
    /// The run it belongs to; it must be running.
    pub run_seq: u64,
    /// The stage.
    pub stage: &'a str,
    /// The unit within the stage: a day, a bucket, or empty for a stage that has one.
    pub unit: &'a str,
    /// Hash of everything the unit was computed from.
    pub fingerprint: &'a str,
    /// The tables it wrote, with the version each now has.
    pub tables: &'a [(String, u64)],
    /// What it counted, for reports.
    pub metrics: &'a Value,
    /// The present instant.
    pub now: Timestamp,
}

/// Whether a publication changed anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// It is visible now.
    Now,
    /// The same publication had already been made; nothing was written.
    Before,
}

/// The last publication of a unit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FingerprintRecord {
    /// Hash of everything the unit was computed from.
    pub fingerprint: String,
    /// The run that published it.
    pub run_seq: u64,
    /// What it counted.
    pub metrics: Value,
    /// When it was published.
    pub published_at: Timestamp,
}
