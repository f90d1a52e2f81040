//! Requests for approval.

use serde_json::Value;
use utoipa::ToSchema;

use super::{RoleName, SignOffName};

/// What a request is about.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum ApprovalAbout {
    Policy,
    Unfreeze,
    Role,
    Other,
}

/// Where a request stands.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum ApprovalStand {
    Pending,
    Approved,
    Applied,
    Rejected,
    Expired,
    Superseded,
    Withdrawn,
    Failed,
}

/// A yes or a no.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum Choice {
    Approve,
    Reject,
}

/// A request for agreement to exactly one version of one subject.
#[derive(ToSchema)]
pub(crate) struct ApprovalDocument {
    id: String,
    kind: ApprovalAbout,
    /// One line for people.
    title: String,
    /// What exactly: the policy, the user; empty where there is none.
    subject: String,
    /// The version that people agree to, and no other.
    subject_version: String,
    state: ApprovalStand,
    /// Counts changes, from 1. A vote names the one it is about.
    revision: u64,
    /// Id of the requester.
    requested_by: String,
    #[schema(format = DateTime)]
    requested_at: String,
    /// From this instant on it cannot be agreed to, nor applied.
    #[schema(format = DateTime)]
    expires_at: String,
    reason: String,
    /// What is now.
    before: Value,
    /// What would be.
    after: Value,
    /// The facts that the rules saw.
    #[schema(value_type = std::collections::BTreeMap<String, Value>)]
    facts: (),
    rule: ApprovalRule,
    /// Oldest first.
    votes: Vec<ApprovalVote>,
    /// Oldest first.
    comments: Vec<ApprovalComment>,
    /// Oldest first.
    history: Vec<ApprovalStep>,
}

/// What a request needs: the rules that apply, taken together.
#[derive(ToSchema)]
pub(crate) struct ApprovalRule {
    /// Names of the rules, joined by ` + `.
    name: String,
    /// People who must approve.
    quorum: u32,
    /// Roles whose holders may vote.
    roles: Vec<RoleName>,
    /// Sign-offs that must be given.
    sign_offs: Vec<SignOffName>,
    /// Whether the requester's vote counts.
    self_approve: bool,
    /// The conditions that were met; null where no rule has one.
    when: Option<String>,
    expires_after_hours: u32,
    /// The rules themselves, each to be met by people of its own.
    rules: Vec<ApprovalTerms>,
}

/// What one rule asks.
#[derive(ToSchema)]
pub(crate) struct ApprovalTerms {
    name: String,
    /// Why the rule exists.
    reason: Option<String>,
    quorum: u32,
    roles: Vec<RoleName>,
    sign_offs: Vec<SignOffName>,
}

/// A vote.
#[derive(ToSchema)]
pub(crate) struct ApprovalVote {
    /// Id of the voter.
    by: String,
    vote: Choice,
    /// The sign-off it gives.
    #[schema(rename = "as")]
    as_sign_off: Option<SignOffName>,
    /// The voter's roles at the time.
    roles: Vec<RoleName>,
    reason: Option<String>,
    #[schema(format = DateTime)]
    at: String,
}

/// What somebody says about a request.
#[derive(ToSchema)]
pub(crate) struct ApprovalComment {
    /// Id of who says it.
    by: String,
    text: String,
    #[schema(format = DateTime)]
    at: String,
}

/// One step in the life of a request.
#[derive(ToSchema)]
pub(crate) struct ApprovalStep {
    #[schema(format = DateTime)]
    at: String,
    /// Id of who did it; null for what follows by itself.
    by: Option<String>,
    /// What, in words.
    what: String,
}
