//! Requests for approval as rows: the rules about them are not the ledger's.

use serde_json::Value;
use throughline_core::Timestamp;

use crate::{Answer, AuditEntry};

/// A request as kept.
#[derive(Debug, Clone, PartialEq)]
pub struct ApprovalRow {
    /// Its id.
    pub id: String,
    /// What kind of thing it is about.
    pub kind: String,
    /// Which thing.
    pub subject: String,
    /// Exactly which version of it.
    pub subject_version: String,
    /// `pending`, `approved`, …
    pub state: String,
    /// Grows by one with each change, from 1.
    pub revision: u64,
    /// When it was requested.
    pub requested_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// Everything about it.
    pub body: Value,
}

/// Approvals and the switches of the installation. Each change is one transaction with its audit record.
pub trait ApprovalStore: Send + Sync {
    /// Adds a request. Another open one about the same version of the same thing is a conflict.
    fn add_approval<'a>(&'a self, row: &'a ApprovalRow, entry: AuditEntry<'a>) -> Answer<'a, ()>;
    /// Replaces a request, whose revision must be one below the new one; otherwise nothing changes and a conflict is
    /// reported: somebody else was faster.
    fn change_approval<'a>(&'a self, row: &'a ApprovalRow, entry: AuditEntry<'a>) -> Answer<'a, ()>;
    /// A request by id.
    fn approval<'a>(&'a self, id: &'a str) -> Answer<'a, Option<ApprovalRow>>;
    /// Requests in one of these states (all for an empty list), newest first, up to `limit`, requested before `before`.
    fn approvals<'a>(
        &'a self,
        states: &'a [&'a str],
        before: Option<(Timestamp, &'a str)>,
        limit: u32,
    ) -> Answer<'a, Vec<ApprovalRow>>;
    /// Requests about a thing, newest first.
    fn approvals_about<'a>(&'a self, kind: &'a str, subject: &'a str) -> Answer<'a, Vec<ApprovalRow>>;

    /// A switch of the installation.
    fn switch<'a>(&'a self, name: &'a str) -> Answer<'a, Option<Value>>;
    /// Sets a switch, or removes it with `None`.
    fn set_switch<'a>(&'a self, name: &'a str, value: Option<&'a Value>, entry: AuditEntry<'a>) -> Answer<'a, ()>;
}
