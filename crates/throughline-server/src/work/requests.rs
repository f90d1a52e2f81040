//! Requests for approval: asked, voted on, expired. The rules are those of `throughline-govern`.

use throughline_govern::{Approval, Resource};
use throughline_ledger::LedgerError;
use throughline_run::{RunError, approvals};

use super::apply;
use super::hub::Topic;
use crate::access::Identity;
use crate::app::Shared;
use crate::problem::ApiError;

/// How often a change is tried again when somebody else was faster.
const TRIES: usize = 5;

/// A request that must exist.
pub(crate) async fn find(app: &Shared, id: &str) -> Result<Approval, ApiError> {
    approvals::find(app.ledger(), id).await?.ok_or_else(|| ApiError::not_found(format!("approval `{id}`")))
}

/// Adds a request and tells open pages.
pub(crate) async fn add(app: &Shared, approval: &Approval, actor: &str) -> Result<(), ApiError> {
    approvals::add(app.ledger(), approval, actor, app.now()).await?;
    app.hub.changed([Topic::Approvals, Topic::Audit]);
    Ok(())
}

/// Changes a request by a rule that may be tried again on its newest state.
pub(crate) async fn change(
    app: &Shared,
    id: &str,
    actor: &str,
    change: impl Fn(&Approval) -> Result<Approval, ApiError>,
) -> Result<Approval, ApiError> {
    for _ in 0..TRIES {
        let before = find(app, id).await?;
        let next = change(&before)?;
        match approvals::change(app.ledger(), &next, actor, app.now()).await {
            Ok(()) => {
                app.hub.changed([Topic::Approvals, Topic::Audit]);
                return Ok(next);
            }
            Err(RunError::Ledger(LedgerError::Conflict { .. })) => {}
            Err(other) => return Err(other.into()),
        }
    }
    Err(ApiError::Conflict { why: "others keep changing this request; look at it again".to_owned() })
}

/// Votes, and carries out what is approved by it.
pub(crate) async fn vote(
    app: &Shared,
    identity: &Identity,
    id: &str,
    ballot: &throughline_govern::Ballot,
) -> Result<Approval, ApiError> {
    let seen = find(app, id).await?;
    identity.require(app, "voteApproval", &Resource::Approval(&seen))?;
    // A vote is about what was seen: it is not tried again on a newer state.
    let next = seen.vote(&identity.principal, ballot)?;
    match approvals::change(app.ledger(), &next, &identity.user.name, app.now()).await {
        Err(RunError::Ledger(LedgerError::Conflict { .. })) => {
            return Err(ApiError::Conflict {
                why: "somebody changed this request meanwhile; look at it again".to_owned(),
            });
        }
        other => other?,
    }
    app.hub.changed([Topic::Approvals, Topic::Audit]);
    apply::carry_out(app, next).await
}

/// Ends requests whose time is over.
pub(crate) async fn expire(app: &Shared) -> Result<(), ApiError> {
    let now = app.now();
    for row in app.ledger().approvals(&approvals::OPEN, None, 1000).await? {
        let approval = approvals::read(row)?;
        if let Some(expired) = approval.expire_if_due(now) {
            match approvals::change(app.ledger(), &expired, "clock", now).await {
                Ok(()) => app.hub.changed([Topic::Approvals, Topic::Audit]),
                Err(RunError::Ledger(LedgerError::Conflict { .. })) => {}
                Err(other) => return Err(other.into()),
            }
        }
    }
    Ok(())
}
