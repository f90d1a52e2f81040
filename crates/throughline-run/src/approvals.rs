//! Requests for approval in the ledger: read, written with their audit records, never overwritten by a slower hand.

use serde_json::{Value, json};
use throughline_core::Timestamp;
use throughline_govern::{Approval, ApprovalKind, Ballot, Choice, Principal, Role, State};
use throughline_ledger::{ApprovalRow, AuditEntry, Repository};

use crate::error::RunError;
use crate::project::Project;

/// States in which a request can still change.
pub const OPEN: [&str; 2] = ["pending", "approved"];

/// The switch that stops deliveries.
pub const FROZEN: &str = "frozen";

/// A row as the request it holds.
pub fn read(row: ApprovalRow) -> Result<Approval, RunError> {
    Ok(serde_json::from_value(row.body)?)
}

/// A request as a row.
pub fn row(approval: &Approval) -> Result<ApprovalRow, RunError> {
    Ok(ApprovalRow {
        id: approval.id.clone(),
        kind: approval.kind.to_string(),
        subject: approval.subject.clone(),
        subject_version: approval.subject_version.clone(),
        state: approval.state.to_string(),
        revision: approval.revision,
        requested_at: approval.requested_at,
        expires_at: approval.expires_at,
        body: serde_json::to_value(approval)?,
    })
}

/// Adds a request.
pub async fn add(ledger: &dyn Repository, approval: &Approval, actor: &str, now: Timestamp) -> Result<(), RunError> {
    let payload = told(approval);
    let entry = AuditEntry { kind: "approval_requested", actor, payload: &payload, at: now };
    Ok(ledger.add_approval(&row(approval)?, entry).await?)
}

/// Writes the next state of a request. A conflict when somebody else changed it meanwhile.
pub async fn change(ledger: &dyn Repository, next: &Approval, actor: &str, now: Timestamp) -> Result<(), RunError> {
    let payload = told(next);
    let entry = AuditEntry { kind: "approval_changed", actor, payload: &payload, at: now };
    Ok(ledger.change_approval(&row(next)?, entry).await?)
}

/// A request by id.
pub async fn find(ledger: &dyn Repository, id: &str) -> Result<Option<Approval>, RunError> {
    ledger.approval(id).await?.map(read).transpose()
}

/// The requests about a thing, newest first.
pub async fn about(ledger: &dyn Repository, kind: &str, subject: &str) -> Result<Vec<Approval>, RunError> {
    ledger.approvals_about(kind, subject).await?.into_iter().map(read).collect()
}

/// Agrees, in the name of an approver, to every request about a policy that waits; how many were approved by it. For simulated
/// markets: there is nobody else to ask.
pub async fn approve_waiting(
    project: &Project,
    ledger: &dyn Repository,
    signer: &str,
    reason: &str,
    now: Timestamp,
) -> Result<usize, RunError> {
    let approver = Principal::signed_in(signer, [Role::Approver], []);
    let mut approved = 0;
    for policy in &project.policies {
        let asked = about(ledger, ApprovalKind::Policy.name(), policy.value.name()).await?;
        for waiting in asked.iter().filter(|a| a.state == State::Pending) {
            let ballot = Ballot {
                vote: Choice::Approve,
                as_sign_off: None,
                reason: Some(reason.to_owned()),
                at: now,
                revision: waiting.revision,
            };
            let next = waiting.vote(&approver, &ballot)?;
            change(ledger, &next, signer, now).await?;
            approved += usize::from(next.state == State::Approved);
        }
    }
    Ok(approved)
}

/// What the audit log says about a change: the step, not the whole request.
fn told(approval: &Approval) -> Value {
    let step = approval.history.last().map(|s| s.what.as_str());
    json!({ "approval": approval.id, "kind": approval.kind, "subject": approval.subject,
        "version": approval.subject_version, "state": approval.state, "revision": approval.revision, "step": step })
}
