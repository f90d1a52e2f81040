//! Tokens for programs.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use throughline_core::Timestamp;
use throughline_govern::{Resource, Scope};
use throughline_ledger::{ApiToken, AuditEntry};
use utoipa::ToSchema;

use super::Body;
use super::page::Page;
use super::shapes::ScopeName;
use crate::access::{Identity, issue};
use crate::app::Shared;
use crate::problem::{ApiError, Problem};
use crate::work::apply::texts;

/// Longest life of a token, in days.
const MAX_DAYS: u32 = 366;
const DAY_MICROS: i64 = 86_400_000_000;

/// A token, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokenItem {
    id: String,
    user_id: String,
    label: String,
    #[schema(value_type = Vec<ScopeName>)]
    scopes: Vec<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
}

impl From<ApiToken> for TokenItem {
    fn from(token: ApiToken) -> Self {
        Self {
            id: token.id,
            user_id: token.user_id,
            label: token.label,
            scopes: token.scopes,
            created_at: token.created_at,
            expires_at: token.expires_at,
            revoked_at: token.revoked_at,
            last_used_at: token.last_used_at,
        }
    }
}

/// One's own tokens; all of them for administrators.
#[utoipa::path(get, path = "/tokens", operation_id = "listTokens", tag = "tokens",
    responses((status = 200, body = Page<TokenItem>)))]
pub(crate) async fn list_tokens(
    State(app): State<Shared>,
    identity: Identity,
) -> Result<Json<Page<TokenItem>>, ApiError> {
    identity.require(&app, "listTokens", &Resource::Account { id: &identity.user.id })?;
    let all = identity.may(&app, "seeAllTokens", &Resource::Project)?;
    let of = (!all).then_some(identity.user.id.as_str());
    let items: Vec<TokenItem> = app.ledger().tokens(of).await?.into_iter().map(TokenItem::from).collect();
    let total = Some(items.len() as u64);
    Ok(Json(Page { items, next_cursor: None, total }))
}

/// A new token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewToken {
    /// What it is for.
    label: String,
    /// What it may be used for.
    #[schema(value_type = Vec<ScopeName>)]
    scopes: Vec<Scope>,
    /// Days until it ends, 366 at most.
    #[schema(minimum = 1, maximum = 366)]
    expires_in_days: u32,
}

/// A token as shown once.
#[derive(Serialize, ToSchema)]
pub(crate) struct MadeToken {
    /// The token. It is not shown again.
    token: String,
    #[serde(flatten)]
    item: TokenItem,
}

/// Makes a token for oneself. It can do no more than the credential that makes it.
#[utoipa::path(post, path = "/tokens", operation_id = "createToken", tag = "tokens", request_body = NewToken,
    responses((status = 201, body = MadeToken), (status = 403, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn create_token(
    State(app): State<Shared>,
    identity: Identity,
    Body(body): Body<NewToken>,
) -> Result<(StatusCode, Json<MadeToken>), ApiError> {
    identity.require(&app, "createToken", &Resource::Account { id: &identity.user.id })?;
    let label = body.label.trim();
    if label.is_empty() || label.chars().count() > 100 || label.chars().any(char::is_control) {
        return Err(ApiError::invalid("a label has 1 to 100 characters and no control characters"));
    }
    if !(1..=MAX_DAYS).contains(&body.expires_in_days) {
        return Err(ApiError::invalid(format!("a token lives 1 to {MAX_DAYS} days")));
    }
    if body.scopes.is_empty() {
        return Err(ApiError::invalid("a token needs at least one scope"));
    }
    if let Some(more) = body.scopes.iter().find(|s| !identity.principal.scopes.contains(s)) {
        return Err(ApiError::Forbidden { why: format!("this credential does not have the scope `{more}` itself") });
    }
    let now = app.now();
    let expires_at = now.plus_micros(i64::from(body.expires_in_days) * DAY_MICROS);
    let (text, token) = issue(&identity.user, label, texts(&body.scopes), now, expires_at).await?;
    let payload = json!({ "token": token.id, "label": label, "scopes": token.scopes, "expires_at": expires_at });
    let entry = AuditEntry { kind: "token_added", actor: &identity.user.name, payload: &payload, at: now };
    app.ledger().add_token(&token, entry).await?;
    Ok((StatusCode::CREATED, Json(MadeToken { token: text, item: token.into() })))
}

/// Ends a token.
#[utoipa::path(delete, path = "/tokens/{id}", operation_id = "revokeToken", tag = "tokens",
    params(("id" = String, Path, description = "Id of the token")),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn revoke_token(
    State(app): State<Shared>,
    identity: Identity,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let token = app.ledger().token(&id).await?;
    // Others' tokens and unknown ones answer alike, so that ids cannot be tried.
    let owner = token.as_ref().map_or("", |t| t.user_id.as_str());
    identity.require(&app, "revokeToken", &Resource::Account { id: owner })?;
    let token = token.ok_or_else(|| ApiError::not_found(format!("token `{id}`")))?;
    let payload = json!({ "token": token.id, "label": token.label });
    let entry = AuditEntry { kind: "token_revoked", actor: &identity.user.name, payload: &payload, at: app.now() };
    app.ledger().revoke_token(&token.id, entry).await?;
    Ok(StatusCode::NO_CONTENT)
}
