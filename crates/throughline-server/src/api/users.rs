//! Accounts.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use throughline_core::Timestamp;
use throughline_govern::{Approval, Facts, NewApproval, Role, SignOff, rules_for};
use throughline_ledger::{AuditEntry, User};
use utoipa::ToSchema;

use super::Body;
use super::approvals::view;
use super::page::Page;
use super::shapes::{RoleName, SignInMethod, SignOffName};
use crate::access::{Identity, checked_display_name, checked_name, hash_secret, new_id};
use crate::app::Shared;
use crate::problem::{ApiError, Problem};
use crate::work::apply::Rights;
use crate::work::requests;

/// An account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserItem {
    id: String,
    name: String,
    display_name: String,
    #[schema(value_type = Vec<RoleName>)]
    roles: Vec<String>,
    #[schema(value_type = Vec<SignOffName>)]
    sign_offs: Vec<String>,
    disabled: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_seen_at: Option<Timestamp>,
    /// How it can sign in.
    #[schema(value_type = Vec<SignInMethod>)]
    methods: Vec<&'static str>,
}

/// How an account can sign in.
pub(super) fn methods(user: &User) -> Vec<&'static str> {
    let ways = [(user.password_hash.is_some(), "password"), (user.oidc.is_some(), "oidc")];
    ways.into_iter().filter(|(has, _)| *has).map(|(_, way)| way).collect()
}

impl From<User> for UserItem {
    fn from(user: User) -> Self {
        let methods = methods(&user);
        Self {
            id: user.id,
            name: user.name,
            display_name: user.display_name,
            roles: user.roles,
            sign_offs: user.sign_offs,
            disabled: user.disabled,
            created_at: user.created_at,
            last_seen_at: user.last_seen_at,
            methods,
        }
    }
}

/// The accounts by name.
#[utoipa::path(get, path = "/users", operation_id = "listUsers", tag = "users",
    responses((status = 200, body = Page<UserItem>)))]
pub(crate) async fn list_users(State(app): State<Shared>) -> Result<Json<Page<UserItem>>, ApiError> {
    let items: Vec<UserItem> = app.ledger().users().await?.into_iter().map(UserItem::from).collect();
    let total = Some(items.len() as u64);
    Ok(Json(Page { items, next_cursor: None, total }))
}

/// A new account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUser {
    /// Sign-in name: letters, digits, `.`, `_`, `-` and `@`, up to 100.
    name: String,
    /// Name for people; the sign-in name without.
    #[serde(default)]
    display_name: Option<String>,
    /// Roles.
    #[schema(value_type = Vec<RoleName>)]
    roles: Vec<Role>,
    /// Functions it may sign off for.
    #[serde(default)]
    #[schema(value_type = Vec<SignOffName>)]
    sign_offs: Vec<SignOff>,
    /// Password of 12 to 200 characters; without one it signs in elsewhere or with a token.
    #[serde(default)]
    #[schema(format = Password)]
    password: Option<String>,
}

/// A password that is long enough and not absurd (NIST SP 800-63B: length, not composition).
pub(super) fn checked_password(password: String) -> Result<String, ApiError> {
    match password.chars().count() {
        12..=200 => Ok(password),
        n => Err(ApiError::invalid(format!("the password has {n} characters: it must have 12 to 200"))),
    }
}

/// Makes an account. Where its rights need agreement, it has none until there is (202 with the request).
#[utoipa::path(post, path = "/users", operation_id = "createUser", tag = "users", request_body = NewUser,
    responses((status = 201, body = UserItem), (status = 202, body = super::approvals::ApprovalView),
    (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn create_user(
    State(app): State<Shared>,
    identity: Identity,
    Body(body): Body<NewUser>,
) -> Result<Response, ApiError> {
    let name = checked_name(&body.name)?;
    let display_name = checked_display_name(body.display_name.as_deref().unwrap_or(&name))?;
    let password_hash = match body.password {
        Some(password) => Some(hash_secret(checked_password(password)?).await?),
        None => None,
    };
    let now = app.now();
    let user = User {
        id: new_id()?,
        name,
        display_name,
        roles: Vec::new(),
        sign_offs: Vec::new(),
        password_hash,
        oidc: None,
        disabled: false,
        created_at: now,
        last_seen_at: None,
    };
    let full = User { roles: ordered(&body.roles), sign_offs: ordered(&body.sign_offs), ..user.clone() };
    let approval = ask(&app, &identity, &user, &full)?;
    let made = if approval.is_some() { user } else { full };
    let payload = json!({ "user": made.name, "roles": made.roles, "sign_offs": made.sign_offs });
    let entry = AuditEntry { kind: "user_added", actor: &identity.user.name, payload: &payload, at: now };
    app.ledger().add_user(&made, entry).await?;
    match approval {
        Some(approval) => asked(&app, &identity, approval).await,
        None => Ok((StatusCode::CREATED, Json(UserItem::from(made))).into_response()),
    }
}

/// Puts a request before people, and answers with it.
async fn asked(app: &Shared, identity: &Identity, approval: Approval) -> Result<Response, ApiError> {
    requests::add(app, &approval, &identity.user.name).await?;
    Ok((StatusCode::ACCEPTED, Json(view(app, identity, approval).await?)).into_response())
}

/// Names in one order, each once: rights are sets.
fn ordered<T: ToString>(rights: &[T]) -> Vec<String> {
    rights.iter().map(ToString::to_string).collect::<BTreeSet<_>>().into_iter().collect()
}

/// What to change of an account.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct UserChange {
    /// Name for people.
    display_name: Option<String>,
    /// Roles, all of them.
    #[schema(value_type = Option<Vec<RoleName>>)]
    roles: Option<Vec<Role>>,
    /// Sign-offs, all of them.
    #[schema(value_type = Option<Vec<SignOffName>>)]
    sign_offs: Option<Vec<SignOff>>,
    /// Whether it is barred.
    disabled: Option<bool>,
    /// A new password.
    #[schema(format = Password)]
    password: Option<String>,
}

/// Changes an account; its sessions end with its password, its rights or itself. A change of rights may need agreement:
/// the rest is changed at once, and the answer is the request (202).
#[utoipa::path(patch, path = "/users/{id}", operation_id = "changeUser", tag = "users",
    params(("id" = String, Path, description = "Id of the user")), request_body = UserChange,
    responses((status = 200, body = UserItem), (status = 202, body = super::approvals::ApprovalView), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn change_user(
    State(app): State<Shared>,
    identity: Identity,
    Path(id): Path<String>,
    Body(change): Body<UserChange>,
) -> Result<Response, ApiError> {
    let user = app.ledger().user(&id).await?.ok_or_else(|| ApiError::not_found(format!("user `{id}`")))?;
    let mut next = user.clone();
    if let Some(name) = &change.display_name {
        next.display_name = checked_display_name(name)?;
    }
    if let Some(password) = change.password {
        next.password_hash = Some(hash_secret(checked_password(password)?).await?);
    }
    next.disabled = change.disabled.unwrap_or(user.disabled);
    let kept = (ordered(&user.roles), ordered(&user.sign_offs));
    let wanted = (
        change.roles.as_deref().map_or_else(|| kept.0.clone(), ordered),
        change.sign_offs.as_deref().map_or_else(|| kept.1.clone(), ordered),
    );
    let with_rights = User { roles: wanted.0.clone(), sign_offs: wanted.1.clone(), ..next.clone() };
    last_admin_stays(&app, &user, &with_rights).await?;
    let rights_change = wanted != kept;
    let approval = if rights_change { ask(&app, &identity, &user, &with_rights)? } else { None };
    if approval.is_none() {
        next = with_rights;
    }
    if next != user {
        keep(&app, &identity, &user, &next).await?;
    }
    match approval {
        Some(approval) => asked(&app, &identity, approval).await,
        None => Ok(Json(UserItem::from(next)).into_response()),
    }
}

/// Stores a changed account, on record.
async fn keep(app: &Shared, identity: &Identity, user: &User, next: &User) -> Result<(), ApiError> {
    let told = |u: &User| json!({ "display_name": u.display_name, "roles": u.roles, "sign_offs": u.sign_offs, "disabled": u.disabled });
    let password = next.password_hash != user.password_hash;
    let payload = json!({ "user": user.name, "password": password, "before": told(user), "after": told(next) });
    let entry = AuditEntry { kind: "user_changed", actor: &identity.user.name, payload: &payload, at: app.now() };
    let rights = |u: &User| (ordered(&u.roles), ordered(&u.sign_offs));
    let end_sessions = rights(next) != rights(user) || next.disabled || password;
    Ok(app.ledger().change_user(next, end_sessions, entry).await?)
}

/// Refuses to leave an installation without an administrator.
async fn last_admin_stays(app: &Shared, user: &User, next: &User) -> Result<(), ApiError> {
    let admin = Role::Admin.to_string();
    let is_admin = |u: &User| !u.disabled && u.roles.contains(&admin);
    if !is_admin(user) || is_admin(next) {
        return Ok(());
    }
    let others = app.ledger().users().await?.into_iter().filter(|u| u.id != user.id && is_admin(u)).count();
    if others == 0 {
        return Err(ApiError::Conflict { why: "this is the last administrator: make another one first".to_owned() });
    }
    Ok(())
}

/// A request for a change of rights, when there are any and a rule of the project asks for one.
fn ask(app: &Shared, identity: &Identity, user: &User, next: &User) -> Result<Option<Approval>, ApiError> {
    let admin = Role::Admin.to_string();
    let grants_admin = next.roles.contains(&admin) && !user.roles.contains(&admin);
    let facts = Facts::Role { role: next.roles.join(", "), grants_admin };
    let rules: Vec<_> = app.project().approvals.iter().map(|r| r.value.clone()).collect();
    let unchanged = (&next.roles, &next.sign_offs) == (&user.roles, &user.sign_offs);
    let Some(requirement) = rules_for(&rules, &facts).filter(|_| !unchanged) else { return Ok(None) };
    let rights = |u: &User| Rights {
        roles: u.roles.iter().filter_map(|r| r.parse().ok()).collect(),
        sign_offs: u.sign_offs.iter().filter_map(|s| s.parse().ok()).collect(),
    };
    let approval = Approval::request(NewApproval {
        id: new_id()?,
        title: format!("Change the rights of {}", user.display_name),
        subject: user.id.clone(),
        subject_version: format!("{}|{}", next.roles.join(","), next.sign_offs.join(",")),
        by: identity.user.id.clone(),
        at: app.now(),
        reason: String::new(),
        before: serde_json::to_value(rights(user))?,
        after: serde_json::to_value(rights(next))?,
        facts,
        requirement,
    })?;
    Ok(Some(approval))
}
