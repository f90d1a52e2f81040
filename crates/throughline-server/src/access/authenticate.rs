//! Who is asking: by session cookie or by token.

use std::collections::BTreeSet;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use throughline_govern::{Principal, Resource, Scope};
use throughline_ledger::User;

use super::session::{COOKIE, is_live, session_id};
use super::token;
use crate::app::Shared;
use crate::problem::ApiError;

/// How often the time a session was last used is written, in microseconds.
const SEEN_EVERY_MICROS: i64 = 60_000_000;

/// How somebody proved who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Via {
    /// A browser's session, with its cookie.
    Session(String),
    /// A token, by id.
    Token(String),
}

/// Somebody who proved who they are.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) user: User,
    pub(crate) principal: Principal,
    pub(crate) via: Via,
}

impl Identity {
    /// The identity of a user that came by some way.
    pub(crate) fn new(user: User, via: Via, scopes: BTreeSet<Scope>) -> Self {
        // A name that is no longer known gives no right.
        let principal = Principal {
            id: user.id.clone(),
            roles: user.roles.iter().filter_map(|r| r.parse().ok()).collect(),
            sign_offs: user.sign_offs.iter().filter_map(|s| s.parse().ok()).collect(),
            scopes,
        };
        Self { user, principal, via }
    }

    /// Whether an operation on a resource is allowed.
    pub(crate) fn may(&self, app: &Shared, operation: &str, resource: &Resource<'_>) -> Result<bool, ApiError> {
        Ok(app.guard.decide(&self.principal, operation, resource)?.allowed)
    }

    /// Refuses an operation that is not allowed on a resource.
    pub(crate) fn require(&self, app: &Shared, operation: &str, resource: &Resource<'_>) -> Result<(), ApiError> {
        let access = app.guard.decide(&self.principal, operation, resource)?;
        if access.allowed {
            return Ok(());
        }
        let by = if access.reasons.is_empty() { String::new() } else { format!(" ({})", access.reasons.join(", ")) };
        Err(ApiError::Forbidden { why: format!("your account may not do this: `{operation}`{by}") })
    }
}

impl<S: Sync> FromRequestParts<S> for Identity {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get::<Self>().cloned().ok_or(ApiError::SignedOut)
    }
}

/// Puts the identity of the caller beside the request, when there is one. Wrong credentials are refused; none are not.
pub(crate) async fn authenticate(State(app): State<Shared>, mut request: Request, next: Next) -> Response {
    match identify(&app, request.headers()).await {
        Ok(Some(identity)) => {
            request.extensions_mut().insert(identity);
        }
        Ok(None) => {}
        Err(error) => return error.into_response(),
    }
    next.run(request).await
}

async fn identify(app: &Shared, headers: &HeaderMap) -> Result<Option<Identity>, ApiError> {
    if let Some(given) = headers.get(header::AUTHORIZATION) {
        let text = given.to_str().ok().and_then(|t| t.strip_prefix("Bearer ")).ok_or(ApiError::WrongCredentials)?;
        let token = token::verify(app, text).await?.ok_or(ApiError::WrongCredentials)?;
        let user =
            app.ledger().user(&token.user_id).await?.filter(|u| !u.disabled).ok_or(ApiError::WrongCredentials)?;
        let scopes = token.scopes.iter().filter_map(|s| s.parse().ok()).collect();
        return Ok(Some(Identity::new(user, Via::Token(token.id), scopes)));
    }
    let Some(cookie) = cookie(headers) else { return Ok(None) };
    let id = session_id(&cookie);
    let now = app.now();
    let Some(session) = app.ledger().session(&id).await?.filter(|s| is_live(s, now)) else { return Ok(None) };
    let Some(user) = app.ledger().user(&session.user_id).await?.filter(|u| !u.disabled) else { return Ok(None) };
    if now.micros() - session.seen_at.micros() > SEEN_EVERY_MICROS {
        app.ledger().saw_session(&id, now).await?;
    }
    Ok(Some(Identity::new(user, Via::Session(cookie), Scope::ALL.iter().copied().collect())))
}

/// The session cookie of a request.
fn cookie(headers: &HeaderMap) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, value)| *name == COOKIE && value.len() == 64)
        .map(|(_, value)| value.to_owned())
}
