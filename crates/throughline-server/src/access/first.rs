//! Links to sign in with: for the first account, made when there is none, and for people who lost their way in. Each works
//! once.

use serde_json::json;
use throughline_core::Timestamp;
use throughline_govern::{Role, Scope, SignOff};
use throughline_ledger::{AuditEntry, Repository, User};

use super::secret::new_id;
use super::token::issue;
use crate::problem::ApiError;

/// The label of the token in a link.
pub(crate) const LINK: &str = "sign-in link";

/// How long a link works.
const LINK_HOURS: i64 = 24;

/// Makes the account `admin` in an installation that has none, and a link to sign in with. `None` when there are accounts.
pub async fn first_link(ledger: &dyn Repository, url: &str, now: Timestamp) -> Result<Option<String>, ApiError> {
    if !ledger.users().await?.is_empty() {
        return Ok(None);
    }
    let user = User {
        id: new_id()?,
        name: "admin".into(),
        display_name: "Administrator".into(),
        roles: vec![Role::Admin.to_string()],
        sign_offs: SignOff::ALL.iter().map(ToString::to_string).collect(),
        password_hash: None,
        oidc: None,
        disabled: false,
        created_at: now,
        last_seen_at: None,
    };
    let payload = json!({ "user": user.name, "roles": user.roles, "first": true });
    ledger.add_user(&user, AuditEntry { kind: "user_added", actor: "first start", payload: &payload, at: now }).await?;
    link(ledger, &user, url, "first start", now).await.map(Some)
}

/// A link for an account that exists, asked for by somebody who holds the project's files.
pub async fn sign_in_link(ledger: &dyn Repository, name: &str, url: &str, now: Timestamp) -> Result<String, ApiError> {
    let user = ledger.user_named(name).await?.ok_or_else(|| ApiError::not_found(format!("user `{name}`")))?;
    if user.disabled {
        return Err(ApiError::Conflict { why: format!("user `{name}` is disabled") });
    }
    link(ledger, &user, url, "command line", now).await
}

async fn link(
    ledger: &dyn Repository,
    user: &User,
    url: &str,
    actor: &str,
    now: Timestamp,
) -> Result<String, ApiError> {
    let expires_at = now.plus_micros(LINK_HOURS * 3_600_000_000);
    let scopes = Scope::ALL.iter().map(ToString::to_string).collect();
    let (text, token) = issue(user, LINK, scopes, now, expires_at).await?;
    let payload = json!({ "user": user.name, "token": token.id, "label": token.label, "expires_at": expires_at });
    ledger.add_token(&token, AuditEntry { kind: "token_added", actor, payload: &payload, at: now }).await?;
    Ok(format!("{url}/sign-in#token={text}"))
}
