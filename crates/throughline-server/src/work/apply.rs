//! Carrying out what people agreed to, exactly as it was when they agreed.

use serde::{Deserialize, Serialize};
use serde_json::json;
use throughline_govern::{Approval, ApprovalKind, Role, SignOff, State};
use throughline_ledger::AuditEntry;
use throughline_run::approvals;

use super::hub::Topic;
use super::requests;
use super::runner::{self, Order};
use crate::app::Shared;
use crate::problem::ApiError;

/// Roles and sign-offs of a user, as proposed and as agreed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rights {
    pub(crate) roles: Vec<Role>,
    pub(crate) sign_offs: Vec<SignOff>,
}

/// Carries out a request that is approved; others are left as they are.
pub(crate) async fn carry_out(app: &Shared, approval: Approval) -> Result<Approval, ApiError> {
    if approval.state != State::Approved {
        return Ok(approval);
    }
    match approval.kind {
        // The run delivers and marks the request, so that it is marked only once the decisions have left.
        ApprovalKind::Policy => {
            let order = Order::of_approval(&approval.id);
            match runner::start(app, order.clone()).await {
                Ok(_) => Ok(approval),
                // The run at work may have passed the gate already: another one follows it.
                Err(ApiError::Conflict { .. }) => {
                    app.runner.want(order, app.now());
                    Ok(approval)
                }
                Err(other) => Err(other),
            }
        }
        ApprovalKind::Unfreeze => {
            unfreeze(app, &approval.subject_version, &format!("approval {}", approval.id)).await?;
            done(app, &approval.id).await
        }
        ApprovalKind::Role => match change_rights(app, &approval).await {
            Ok(()) => done(app, &approval.id).await,
            Err(error) => {
                let why = error.to_string();
                requests::change(app, &approval.id, "server", |a| Ok(a.failed(&why, app.now())?)).await
            }
        },
        ApprovalKind::Other => done(app, &approval.id).await,
    }
}

async fn done(app: &Shared, id: &str) -> Result<Approval, ApiError> {
    requests::change(app, id, "server", |a| Ok(a.applied(app.now())?)).await
}

/// Lets deliveries go on, when they are still frozen by exactly this freeze.
pub(crate) async fn unfreeze(app: &Shared, version: &str, by: &str) -> Result<(), ApiError> {
    let frozen = app.ledger().switch(approvals::FROZEN).await?;
    if frozen.as_ref().is_none_or(|f| f["at"] != version) {
        return Err(ApiError::Conflict { why: "deliveries are not frozen by that freeze any more".to_owned() });
    }
    let payload = json!({ "frozen": frozen });
    let entry = AuditEntry { kind: "deliveries_unfrozen", actor: by, payload: &payload, at: app.now() };
    app.ledger().set_switch(approvals::FROZEN, None, entry).await?;
    app.hub.changed([Topic::Line, Topic::Audit]);
    Ok(())
}

async fn change_rights(app: &Shared, approval: &Approval) -> Result<(), ApiError> {
    let (before, after): (Rights, Rights) =
        (serde_json::from_value(approval.before.clone())?, serde_json::from_value(approval.after.clone())?);
    let user = app.ledger().user(&approval.subject).await?;
    let mut user = user.ok_or_else(|| ApiError::not_found(format!("user `{}`", approval.subject)))?;
    if texts(&before.roles) != user.roles || texts(&before.sign_offs) != user.sign_offs {
        return Err(ApiError::Conflict { why: "the user's roles changed since the request".to_owned() });
    }
    user.roles = texts(&after.roles);
    user.sign_offs = texts(&after.sign_offs);
    let payload = json!({ "user": user.name, "before": before, "after": after, "approval": approval.id });
    let actor = format!("approval {}", approval.id);
    let entry = AuditEntry { kind: "user_changed", actor: &actor, payload: &payload, at: app.now() };
    Ok(app.ledger().change_user(&user, true, entry).await?)
}

/// Names as the ledger keeps them.
pub(crate) fn texts<T: ToString>(names: &[T]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}
