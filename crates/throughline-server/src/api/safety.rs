//! The brake: deliveries stop at once, whoever pulls it and whatever waits for approval. Letting go may need agreement.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use throughline_core::Timestamp;
use throughline_govern::{Approval, Facts, MAX_TEXT, NewApproval, rules_for};
use throughline_ledger::AuditEntry;
use throughline_run::approvals::FROZEN;
use utoipa::ToSchema;

use super::Body;
use super::approvals::view;
use super::line::Freeze;
use crate::access::{Identity, new_id};
use crate::app::Shared;
use crate::problem::{ApiError, Problem};
use crate::work::hub::Topic;
use crate::work::{apply, requests};

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reason {
    /// In words.
    pub(crate) reason: String,
}

impl Reason {
    /// The reason, which must not be blank.
    pub(crate) fn checked(self) -> Result<String, ApiError> {
        let reason = self.reason.trim();
        match reason.chars().count() {
            0 => Err(ApiError::invalid("say why: the reason is empty")),
            n if n > MAX_TEXT => {
                Err(ApiError::invalid(format!("the reason has {n} characters, the limit is {MAX_TEXT}")))
            }
            _ => Ok(reason.to_owned()),
        }
    }
}

/// Stops every delivery at once. Never waits for an approval; a second freeze changes nothing.
#[utoipa::path(post, path = "/freeze", operation_id = "freeze", tag = "safety", request_body = Reason,
    responses((status = 200, body = Freeze), (status = 422, body = Problem)))]
pub(crate) async fn freeze(
    State(app): State<Shared>,
    identity: Identity,
    Body(body): Body<Reason>,
) -> Result<Json<Freeze>, ApiError> {
    let reason = body.checked()?;
    if let Some(frozen) = app.ledger().switch(FROZEN).await? {
        return Ok(Json(Freeze::read(&frozen)));
    }
    let now = app.now();
    let value = json!({ "reason": reason, "by": identity.user.name, "at": now });
    let entry = AuditEntry { kind: "deliveries_frozen", actor: &identity.user.name, payload: &value, at: now };
    app.ledger().set_switch(FROZEN, Some(&value), entry).await?;
    app.hub.changed([Topic::Line, Topic::Audit]);
    Ok(Json(Freeze::read(&value)))
}

/// Lets deliveries go on, or asks for agreement when a rule of the project says so.
#[utoipa::path(delete, path = "/freeze", operation_id = "unfreeze", tag = "safety", request_body = Reason,
    responses((status = 204), (status = 202, body = super::approvals::ApprovalView), (status = 409, body = Problem)))]
pub(crate) async fn unfreeze(
    State(app): State<Shared>,
    identity: Identity,
    Body(body): Body<Reason>,
) -> Result<Response, ApiError> {
    let reason = body.checked()?;
    let frozen = app.ledger().switch(FROZEN).await?;
    let frozen = frozen.ok_or_else(|| ApiError::Conflict { why: "deliveries are not frozen".to_owned() })?;
    let version = frozen["at"].as_str().unwrap_or_default();
    let now = app.now();
    let since: Timestamp = version.parse().unwrap_or(now);
    let frozen_hours = now.micros().saturating_sub(since.micros()) as f64 / 3.6e9;
    let facts = Facts::Unfreeze { frozen_hours };
    let rules: Vec<_> = app.project().approvals.iter().map(|r| r.value.clone()).collect();
    let Some(requirement) = rules_for(&rules, &facts) else {
        apply::unfreeze(&app, version, &identity.user.name).await?;
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    let approval = Approval::request(NewApproval {
        id: new_id()?,
        title: "Let deliveries go on".to_owned(),
        subject: "deliveries".to_owned(),
        subject_version: version.to_owned(),
        by: identity.user.id.clone(),
        at: now,
        reason,
        before: json!({ "frozen": frozen }),
        after: json!({ "frozen": null }),
        facts,
        requirement,
    })?;
    requests::add(&app, &approval, &identity.user.name).await?;
    Ok((StatusCode::ACCEPTED, Json(view(&app, &identity, approval).await?)).into_response())
}
