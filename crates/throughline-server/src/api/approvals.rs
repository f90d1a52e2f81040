//! Requests for approval.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use throughline_core::Timestamp;
use throughline_govern::{Approval, Ballot, Choice, Facts, NewApproval, Resource, SignOff, State as Stand, rules_for};
use throughline_run::approvals;
use utoipa::{IntoParams, ToSchema};

use super::page::{Page, PageQuery};
use super::shapes::SignOffName;
use super::shapes::approval::{ApprovalDocument, ApprovalStand, Choice as ChoiceName};
use super::{Body, Query};
use crate::access::{Identity, new_id};
use crate::app::Shared;
use crate::problem::{ApiError, Problem};
use crate::work::requests;

/// Which requests.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Only in this state.
    #[param(value_type = Option<ApprovalStand>)]
    state: Option<String>,
}

/// What the caller may do about a request.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct May {
    /// Approve or reject it.
    vote: bool,
    /// Take it back.
    withdraw: bool,
    /// Sign-offs the caller can give that are still missing.
    #[schema(value_type = Vec<SignOffName>)]
    sign_offs: Vec<String>,
    /// Why no vote.
    why_not: Option<String>,
}

/// A request as seen by the caller: the request itself, what is still missing, names of the people in it, what the caller
/// may do.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ApprovalView {
    /// The request.
    #[serde(flatten)]
    #[schema(value_type = ApprovalDocument)]
    approval: Approval,
    /// What is still missing.
    needs: NeedsView,
    /// Display names by user id.
    people: BTreeMap<String, String>,
    /// What the caller may do.
    may: May,
}

/// What is still missing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NeedsView {
    /// People.
    approvals: u32,
    /// Sign-offs, which may come with those people.
    #[schema(value_type = Vec<SignOffName>)]
    sign_offs: Vec<String>,
}

/// A request as the caller sees it.
pub(crate) async fn view(app: &Shared, identity: &Identity, approval: Approval) -> Result<ApprovalView, ApiError> {
    let now = app.now();
    let approval = approval.expire_if_due(now).unwrap_or(approval);
    let resource = Resource::Approval(&approval);
    let access = app.guard.decide(&identity.principal, "voteApproval", &resource)?;
    let pending = approval.state == Stand::Pending;
    let why_not = match (pending, access.allowed) {
        (false, _) => Some(format!("the request is {}", approval.state)),
        (true, false) => Some(reason(&access.reasons)),
        (true, true) => None,
    };
    let needs = approval.needs();
    let held = |s: &&SignOff| identity.principal.sign_offs.contains(s);
    let sign_offs: Vec<String> = needs.sign_offs.iter().filter(held).map(ToString::to_string).collect();
    let withdraw = pending && app.guard.decide(&identity.principal, "withdrawApproval", &resource)?.allowed;
    let mut ids: Vec<&str> = vec![&approval.requested_by];
    ids.extend(approval.votes.iter().map(|v| v.by.as_str()).chain(approval.comments.iter().map(|c| c.by.as_str())));
    ids.extend(approval.history.iter().filter_map(|h| h.by.as_deref()));
    ids.sort_unstable();
    ids.dedup();
    let mut people = BTreeMap::new();
    for id in ids {
        if let Some(user) = app.ledger().user(id).await? {
            people.insert(user.id, user.display_name);
        }
    }
    let may = May { vote: why_not.is_none(), withdraw, sign_offs, why_not };
    let missing = needs.sign_offs.iter().map(ToString::to_string).collect();
    let needs = NeedsView { approvals: needs.approvals, sign_offs: missing };
    Ok(ApprovalView { approval, needs, people, may })
}

/// The rule that forbids a vote, in words.
fn reason(policies: &[String]) -> String {
    match policies.first().map(String::as_str) {
        Some("four-eyes") => "you asked for it yourself: somebody else must decide".to_owned(),
        Some("one-vote-each") => "you have voted already".to_owned(),
        Some(other) => format!("rule {other} forbids it"),
        None => "your roles and sign-offs are not those that this request asks for".to_owned(),
    }
}

/// The requests, newest first.
#[utoipa::path(get, path = "/approvals", operation_id = "listApprovals", tag = "approvals",
    params(Wanted, PageQuery), responses((status = 200, body = Page<ApprovalView>), (status = 422, body = Problem)))]
pub(crate) async fn list_approvals(
    State(app): State<Shared>,
    identity: Identity,
    Query(wanted): Query<Wanted>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<ApprovalView>>, ApiError> {
    let limit = page.limit()?;
    let state: Option<Stand> = wanted.state.map(|s| s.parse()).transpose().map_err(|e| invalid(&e))?;
    let states: Vec<&str> = state.iter().map(|s| s.name()).collect();
    let after: Option<(i64, String)> = page.after()?;
    let after = after.as_ref().map(|(at, id)| (Timestamp::from_micros(*at), id.as_str()));
    let rows = app.ledger().approvals(&states, after, limit + 1).await?;
    let mut views = Vec::new();
    for row in rows {
        views.push(view(&app, &identity, approvals::read(row)?).await?);
    }
    let place = |v: &ApprovalView| (v.approval.requested_at.micros(), v.approval.id.clone());
    Ok(Json(Page::cut(views, limit, place)?))
}

fn invalid(error: &impl ToString) -> ApiError {
    ApiError::invalid(error.to_string())
}

/// One request.
#[utoipa::path(get, path = "/approvals/{id}", operation_id = "getApproval", tag = "approvals",
    params(("id" = String, Path, description = "Id of the request")),
    responses((status = 200, body = ApprovalView), (status = 404, body = Problem)))]
pub(crate) async fn get_approval(
    State(app): State<Shared>,
    identity: Identity,
    Path(id): Path<String>,
) -> Result<Json<ApprovalView>, ApiError> {
    let approval = requests::find(&app, &id).await?;
    Ok(Json(view(&app, &identity, approval).await?))
}

/// Something to be agreed to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRequest {
    /// One line for people.
    title: String,
    /// Why.
    reason: String,
    /// What is now.
    #[serde(default)]
    before: Value,
    /// What would be.
    #[serde(default)]
    after: Value,
}

/// Asks people to agree to something.
#[utoipa::path(post, path = "/approvals", operation_id = "requestApproval", tag = "approvals",
    request_body = NewRequest, responses((status = 201, body = ApprovalView), (status = 422, body = Problem)))]
pub(crate) async fn request_approval(
    State(app): State<Shared>,
    identity: Identity,
    Body(body): Body<NewRequest>,
) -> Result<(StatusCode, Json<ApprovalView>), ApiError> {
    let rules: Vec<_> = app.project().approvals.iter().map(|r| r.value.clone()).collect();
    let id = new_id()?;
    let approval = Approval::request(NewApproval {
        id: id.clone(),
        title: body.title,
        subject: id,
        subject_version: "1".to_owned(),
        by: identity.user.id.clone(),
        at: app.now(),
        reason: body.reason,
        before: body.before,
        after: body.after,
        facts: Facts::Other,
        requirement: rules_for(&rules, &Facts::Other).unwrap_or_default(),
    })
    .map_err(|e| invalid(&e))?;
    requests::add(&app, &approval, &identity.user.name).await?;
    Ok((StatusCode::CREATED, Json(view(&app, &identity, approval).await?)))
}

/// A vote.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VoteBody {
    /// Yes or no.
    #[schema(value_type = ChoiceName)]
    vote: String,
    /// The revision that was seen: a request that changed since is to be looked at again.
    revision: u64,
    /// Why; a rejection needs it.
    #[serde(default)]
    reason: Option<String>,
    /// The sign-off that this vote gives.
    #[serde(default, rename = "as")]
    #[schema(value_type = Option<SignOffName>)]
    as_sign_off: Option<String>,
}

/// Approves or rejects.
#[utoipa::path(post, path = "/approvals/{id}/votes", operation_id = "voteApproval", tag = "approvals",
    params(("id" = String, Path, description = "Id of the request")), request_body = VoteBody,
    responses((status = 200, body = ApprovalView), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn vote_approval(
    State(app): State<Shared>,
    identity: Identity,
    Path(id): Path<String>,
    Body(body): Body<VoteBody>,
) -> Result<Json<ApprovalView>, ApiError> {
    let vote: Choice = body.vote.parse().map_err(|e| invalid(&e))?;
    let as_sign_off: Option<SignOff> = body.as_sign_off.map(|s| s.parse()).transpose().map_err(|e| invalid(&e))?;
    let ballot = Ballot { vote, as_sign_off, reason: body.reason, at: app.now(), revision: body.revision };
    let approval = requests::vote(&app, &identity, &id, &ballot).await?;
    Ok(Json(view(&app, &identity, approval).await?))
}

/// A comment.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CommentBody {
    /// What to say.
    text: String,
}

/// Says something about a request.
#[utoipa::path(post, path = "/approvals/{id}/comments", operation_id = "commentApproval", tag = "approvals",
    params(("id" = String, Path, description = "Id of the request")), request_body = CommentBody,
    responses((status = 200, body = ApprovalView), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn comment_approval(
    State(app): State<Shared>,
    identity: Identity,
    Path(id): Path<String>,
    Body(body): Body<CommentBody>,
) -> Result<Json<ApprovalView>, ApiError> {
    let comment = |a: &Approval| Ok(a.comment(&identity.user.id, &body.text, app.now())?);
    let approval = requests::change(&app, &id, &identity.user.name, comment).await?;
    Ok(Json(view(&app, &identity, approval).await?))
}

/// Takes a request back.
#[utoipa::path(post, path = "/approvals/{id}/withdrawal", operation_id = "withdrawApproval", tag = "approvals",
    params(("id" = String, Path, description = "Id of the request")), request_body = super::safety::Reason,
    responses((status = 200, body = ApprovalView), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem)))]
pub(crate) async fn withdraw_approval(
    State(app): State<Shared>,
    identity: Identity,
    Path(id): Path<String>,
    Body(body): Body<super::safety::Reason>,
) -> Result<Json<ApprovalView>, ApiError> {
    let reason = body.checked()?;
    let seen = requests::find(&app, &id).await?;
    identity.require(&app, "withdrawApproval", &Resource::Approval(&seen))?;
    let withdraw = |a: &Approval| Ok(a.withdraw(&identity.principal, &reason, app.now())?);
    let approval = requests::change(&app, &id, &identity.user.name, withdraw).await?;
    Ok(Json(view(&app, &identity, approval).await?))
}
