//! Causal findings, and what is noted about them: who answers for their assumptions, who retired them, what rested on them.

use serde::Serialize;
use serde_json::Value;
use throughline_core::Timestamp;

/// A causal finding as it was recorded.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EvidenceRecord {
    /// Its id.
    pub id: String,
    /// The record.
    pub record: Value,
    /// When it was recorded.
    pub created_at: Timestamp,
}

/// A note to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewEvidenceNote<'a> {
    /// The evidence.
    pub id: &'a str,
    /// What makes the note one of its kind, for example `used/policy a@1`.
    pub key: &'a str,
    /// `approved`, `retired` or `used`.
    pub kind: &'a str,
    /// Who.
    pub by: &'a str,
    /// Why, or what for.
    pub text: &'a str,
    /// The present instant.
    pub now: Timestamp,
}

/// A note as it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EvidenceNote {
    /// The evidence.
    pub evidence: String,
    /// What makes it one of its kind.
    pub key: String,
    /// `approved`, `retired` or `used`.
    pub kind: String,
    /// Who.
    pub by: String,
    /// Why, or what for.
    pub text: String,
    /// When.
    pub at: Timestamp,
}
