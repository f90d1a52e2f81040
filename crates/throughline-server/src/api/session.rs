//! Signing in and out.

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use throughline_core::Timestamp;
use throughline_govern::{Resource, Scope};
use throughline_ledger::{AuditEntry, User};
use utoipa::ToSchema;

use super::shapes::{RoleName, SignInMethod, SignOffName};
use super::users::methods;
use crate::access::{
    Identity, LINK, Via, begin_session, csrf_token, expired_cookie, hash_secret, session_id, verify_secret,
    verify_token,
};
use crate::app::Shared;
use crate::http::limits::Peer;
use crate::problem::{ApiError, Problem};

/// How people can sign in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SignIn {
    /// Name of the project.
    project: String,
    /// Version of Throughline.
    version: &'static str,
    /// The ways.
    methods: SignInMethods,
}

/// Ways to sign in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SignInMethods {
    /// With name and password.
    password: bool,
    /// With a token.
    token: bool,
    /// With an account elsewhere.
    oidc: Vec<OidcMethod>,
}

/// A provider to sign in with.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OidcMethod {
    /// Its id in addresses.
    id: String,
    /// Its name on the button.
    label: String,
}

/// Who is signed in, and what they may do.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionInfo {
    /// Who.
    user: SignedIn,
    /// What unsafe requests carry in the header `x-csrf-token`.
    csrf_token: String,
    /// When the session ends at the latest; absent for tokens.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// Operations to offer.
    may: Vec<String>,
}

/// The account signed in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SignedIn {
    /// Its id.
    id: String,
    /// Its sign-in name.
    name: String,
    /// Its name for people.
    display_name: String,
    /// Its roles.
    #[schema(value_type = Vec<RoleName>)]
    roles: Vec<String>,
    /// What it may sign off for.
    #[schema(value_type = Vec<SignOffName>)]
    sign_offs: Vec<String>,
    /// How it can sign in.
    #[schema(value_type = Vec<SignInMethod>)]
    methods: Vec<&'static str>,
}

/// Credentials: a token, or name and password.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Credentials {
    /// A token.
    Token {
        /// `tlk_…`
        token: String,
    },
    /// Name and password.
    Password {
        /// Sign-in name.
        name: String,
        /// Password.
        #[schema(format = Password)]
        password: String,
    },
}

/// How people can sign in.
#[utoipa::path(get, path = "/sign-in", operation_id = "getSignIn", tag = "session", security(()),
    responses((status = 200, body = SignIn)))]
pub(crate) async fn sign_in_methods(State(app): State<Shared>) -> Json<SignIn> {
    let oidc = app.providers.iter().map(|p| OidcMethod { id: p.id().to_owned(), label: p.label().to_owned() });
    let methods = SignInMethods { password: true, token: true, oidc: oidc.collect() };
    Json(SignIn { project: app.project().config.value.name.clone(), version: env!("CARGO_PKG_VERSION"), methods })
}

/// Signs in.
#[utoipa::path(post, path = "/session", operation_id = "createSession", tag = "session", security(()),
    request_body = Credentials, responses((status = 200, body = SessionInfo), (status = 401, body = Problem),
    (status = 429, body = Problem)))]
pub(crate) async fn create_session(
    State(app): State<Shared>,
    Extension(Peer(peer)): Extension<Peer>,
    super::Body(credentials): super::Body<Credentials>,
) -> Result<Response, ApiError> {
    app.throttle.sign_in(&peer.to_string())?;
    let (user, how) = match check(&app, credentials).await {
        Err(ApiError::WrongCredentials) => {
            metrics::counter!("throughline_sign_ins_refused_total").increment(1);
            return Err(ApiError::WrongCredentials);
        }
        other => other?,
    };
    let (cookie, session, set) = begin_session(&app, &user, how).await?;
    let identity = Identity::new(user, Via::Session(cookie), Scope::ALL.iter().copied().collect());
    let info = info(&app, &identity, Some(session.expires_at))?;
    Ok(([(header::SET_COOKIE, set)], Json(info)).into_response())
}

async fn check(app: &Shared, credentials: Credentials) -> Result<(User, &'static str), ApiError> {
    let user = match credentials {
        Credentials::Token { token } => {
            let token = verify_token(app, &token).await?.ok_or(ApiError::WrongCredentials)?;
            // A session carries every scope, so only a token that does may begin one.
            if Scope::ALL.iter().any(|s| !token.scopes.contains(&s.to_string())) {
                return Err(ApiError::WrongCredentials);
            }
            if token.label == LINK {
                // A link works once.
                let payload = json!({ "token": token.id, "why": "used" });
                let entry = AuditEntry { kind: "token_revoked", actor: "sign-in", payload: &payload, at: app.now() };
                app.ledger().revoke_token(&token.id, entry).await?;
            }
            (app.ledger().user(&token.user_id).await?, "token")
        }
        Credentials::Password { name, password } => {
            app.throttle.sign_in(&format!("name {name}"))?;
            let user = app.ledger().user_named(&name).await?;
            let hash = user.as_ref().and_then(|u| u.password_hash.clone());
            if !verify_secret(password, hash).await? {
                refused(app, user.as_ref()).await?;
                return Err(ApiError::WrongCredentials);
            }
            (user, "password")
        }
    };
    match user {
        (Some(user), how) if !user.disabled => Ok((user, how)),
        _ => Err(ApiError::WrongCredentials),
    }
}

/// Puts a wrong password on record, for accounts that exist: names that do not could be anything, passwords included.
async fn refused(app: &Shared, user: Option<&User>) -> Result<(), ApiError> {
    let Some(user) = user else { return Ok(()) };
    let payload = json!({ "user": user.name });
    app.ledger()
        .append_audit(AuditEntry { kind: "sign_in_refused", actor: &user.name, payload: &payload, at: app.now() })
        .await?;
    Ok(())
}

fn info(app: &Shared, identity: &Identity, expires_at: Option<Timestamp>) -> Result<SessionInfo, ApiError> {
    let may = app.guard.may(&identity.principal)?.into_iter().collect();
    let user = &identity.user;
    let csrf_token = match &identity.via {
        Via::Session(cookie) => csrf_token(cookie),
        Via::Token(_) => String::new(),
    };
    Ok(SessionInfo {
        user: SignedIn {
            id: user.id.clone(),
            name: user.name.clone(),
            display_name: user.display_name.clone(),
            roles: user.roles.clone(),
            sign_offs: user.sign_offs.clone(),
            methods: methods(user),
        },
        csrf_token,
        expires_at,
        may,
    })
}

/// Who is signed in.
#[utoipa::path(get, path = "/session", operation_id = "getSession", tag = "session",
    responses((status = 200, body = SessionInfo), (status = 401, body = Problem)))]
pub(crate) async fn get_session(State(app): State<Shared>, identity: Identity) -> Result<Json<SessionInfo>, ApiError> {
    let expires_at = match &identity.via {
        Via::Session(cookie) => app.ledger().session(&session_id(cookie)).await?.map(|s| s.expires_at),
        Via::Token(id) => app.ledger().token(id).await?.map(|t| t.expires_at),
    };
    Ok(Json(info(&app, &identity, expires_at)?))
}

/// Signs out.
#[utoipa::path(delete, path = "/session", operation_id = "deleteSession", tag = "session",
    responses((status = 204), (status = 401, body = Problem)))]
pub(crate) async fn delete_session(State(app): State<Shared>, identity: Identity) -> Result<Response, ApiError> {
    if let Via::Session(cookie) = &identity.via {
        let payload = json!({ "user": identity.user.name });
        let actor = &identity.user.name;
        let entry = AuditEntry { kind: "signed_out", actor, payload: &payload, at: app.now() };
        app.ledger().end_session(&session_id(cookie), entry).await?;
    }
    let mut headers = HeaderMap::new();
    headers.insert(header::SET_COOKIE, expired_cookie(&app)?);
    Ok((StatusCode::NO_CONTENT, headers).into_response())
}

/// A new password for oneself.
#[derive(Deserialize, ToSchema)]
pub(crate) struct NewPassword {
    /// The password so far; none for an account that has no password yet.
    #[schema(format = Password)]
    current: Option<String>,
    /// The new one, of 12 to 200 characters.
    #[schema(format = Password)]
    new: String,
}

/// Changes one's own password. Other sessions end.
#[utoipa::path(put, path = "/session/password", operation_id = "changeOwnPassword", tag = "session",
    request_body = NewPassword, responses((status = 204), (status = 401, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn change_own_password(
    State(app): State<Shared>,
    identity: Identity,
    super::Body(body): super::Body<NewPassword>,
) -> Result<Response, ApiError> {
    identity.require(&app, "changeOwnPassword", &Resource::Account { id: &identity.user.id })?;
    let mut user = identity.user.clone();
    app.throttle.sign_in(&format!("name {}", user.name))?;
    if let Some(hash) = user.password_hash.clone()
        && !verify_secret(body.current.unwrap_or_default(), Some(hash)).await?
    {
        return Err(ApiError::WrongCredentials);
    }
    user.password_hash = Some(hash_secret(super::users::checked_password(body.new)?).await?);
    let payload = json!({ "user": user.name, "password": "changed" });
    let entry = AuditEntry { kind: "user_changed", actor: &user.name, payload: &payload, at: app.now() };
    app.ledger().change_user(&user, true, entry).await?;
    let (_, _, set) = begin_session(&app, &user, "password change").await?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, set)]).into_response())
}
