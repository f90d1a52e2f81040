//! People who use the installation, and how they prove who they are. What they may do is not decided here.

use std::fmt;

use throughline_core::Timestamp;

use crate::{Answer, AuditEntry};

/// A person or a machine with an account.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// Stable id.
    pub id: String,
    /// Sign-in name, unique without regard to case.
    pub name: String,
    /// Name for people.
    pub display_name: String,
    /// Roles.
    pub roles: Vec<String>,
    /// Functions it may sign off for.
    pub sign_offs: Vec<String>,
    /// Hash of the password (PHC string), when it may sign in with one.
    pub password_hash: Option<String>,
    /// Issuer and subject of its OpenID identity.
    pub oidc: Option<(String, String)>,
    /// A disabled account cannot sign in and its sessions and tokens are refused.
    pub disabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last seen.
    pub last_seen_at: Option<Timestamp>,
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("id", &self.id).field("name", &self.name).finish_non_exhaustive()
    }
}

/// A credential for programs.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// Public part, by which it is found.
    pub id: String,
    /// Whose it is.
    pub user_id: String,
    /// What it is for.
    pub label: String,
    /// What it may be used for.
    pub scopes: Vec<String>,
    /// Hash of the secret part (PHC string).
    pub hash: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
}

impl fmt::Debug for ApiToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiToken").field("id", &self.id).field("user_id", &self.user_id).finish_non_exhaustive()
    }
}

/// A signed-in browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of the cookie.
    pub id: [u8; 32],
    /// Whose it is.
    pub user_id: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used.
    pub seen_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Accounts and credentials. Each change is one transaction with its audit record.
pub trait PeopleStore: Send + Sync {
    /// All accounts by name.
    fn users(&self) -> Answer<'_, Vec<User>>;
    /// An account by id.
    fn user<'a>(&'a self, id: &'a str) -> Answer<'a, Option<User>>;
    /// An account by sign-in name.
    fn user_named<'a>(&'a self, name: &'a str) -> Answer<'a, Option<User>>;
    /// An account by its OpenID identity.
    fn user_of_oidc<'a>(&'a self, issuer: &'a str, subject: &'a str) -> Answer<'a, Option<User>>;
    /// Makes an account. A taken name or OpenID identity is a conflict.
    fn add_user<'a>(&'a self, user: &'a User, entry: AuditEntry<'a>) -> Answer<'a, ()>;
    /// Replaces an account. Its sessions end when `end_sessions` says so.
    fn change_user<'a>(&'a self, user: &'a User, end_sessions: bool, entry: AuditEntry<'a>) -> Answer<'a, ()>;

    /// The tokens of a user, or all, by creation.
    fn tokens<'a>(&'a self, user_id: Option<&'a str>) -> Answer<'a, Vec<ApiToken>>;
    /// A token by its public part.
    fn token<'a>(&'a self, id: &'a str) -> Answer<'a, Option<ApiToken>>;
    /// Makes a token.
    fn add_token<'a>(&'a self, token: &'a ApiToken, entry: AuditEntry<'a>) -> Answer<'a, ()>;
    /// Ends a token. Again changes nothing.
    fn revoke_token<'a>(&'a self, id: &'a str, entry: AuditEntry<'a>) -> Answer<'a, ()>;
    /// Notes that a token was used.
    fn saw_token<'a>(&'a self, id: &'a str, now: Timestamp) -> Answer<'a, ()>;

    /// Begins a session; sessions over at its beginning are removed.
    fn begin_session<'a>(&'a self, session: &'a Session, entry: AuditEntry<'a>) -> Answer<'a, ()>;
    /// A session by the hash of its cookie, over or not.
    fn session<'a>(&'a self, id: &'a [u8; 32]) -> Answer<'a, Option<Session>>;
    /// Notes that a session was used.
    fn saw_session<'a>(&'a self, id: &'a [u8; 32], now: Timestamp) -> Answer<'a, ()>;
    /// Ends a session.
    fn end_session<'a>(&'a self, id: &'a [u8; 32], entry: AuditEntry<'a>) -> Answer<'a, ()>;
}
