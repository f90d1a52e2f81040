//! Sessions of browsers. The cookie is random and kept as a hash; a new one is made at every sign-in, so that a cookie
//! planted before it is worth nothing afterwards.

use axum::http::HeaderValue;
use serde_json::json;
use sha2::{Digest, Sha256};
use throughline_core::Timestamp;
use throughline_ledger::{AuditEntry, Session, User};

use super::secret::random_hex;
use crate::app::Shared;
use crate::problem::ApiError;

/// The cookie's name.
pub(crate) const COOKIE: &str = "throughline_session";

/// How long a session lasts without use, in hours.
pub(crate) const IDLE_HOURS: i64 = 12;
/// How long a session lasts at most, in hours.
const LIFE_HOURS: i64 = 24 * 7;

const HOUR_MICROS: i64 = 3_600_000_000;

/// What is kept of a cookie.
pub(crate) fn session_id(cookie: &str) -> [u8; 32] {
    Sha256::digest(cookie.as_bytes()).into()
}

/// The token that unsafe requests of a session carry in a header. It follows from the cookie, which pages cannot read, and
/// does not lead back to it.
pub(crate) fn csrf_token(cookie: &str) -> String {
    let hash = Sha256::new().chain_update(b"throughline csrf v1\n").chain_update(cookie.as_bytes()).finalize();
    hex::encode(hash)
}

/// Begins a session: the cookie's value and the header that sets it.
pub(crate) async fn begin(app: &Shared, user: &User, how: &str) -> Result<(String, Session, HeaderValue), ApiError> {
    let cookie = random_hex(32)?;
    let now = app.now();
    let session = Session {
        id: session_id(&cookie),
        user_id: user.id.clone(),
        created_at: now,
        seen_at: now,
        expires_at: now.plus_micros(LIFE_HOURS * HOUR_MICROS),
    };
    let payload = json!({ "user": user.name, "method": how });
    let entry = AuditEntry { kind: "signed_in", actor: &user.name, payload: &payload, at: now };
    app.ledger().begin_session(&session, entry).await?;
    let header = set_cookie(app, &cookie, LIFE_HOURS * 3600)?;
    Ok((cookie, session, header))
}

/// Whether a session is still good at an instant.
pub(crate) fn is_live(session: &Session, now: Timestamp) -> bool {
    session.expires_at > now && session.seen_at.plus_micros(IDLE_HOURS * HOUR_MICROS) > now
}

/// The header that removes the cookie.
pub(crate) fn expired_cookie(app: &Shared) -> Result<HeaderValue, ApiError> {
    set_cookie(app, "", 0)
}

fn set_cookie(app: &Shared, value: &str, seconds: i64) -> Result<HeaderValue, ApiError> {
    let secure = if app.settings.is_https() { "; Secure" } else { "" };
    // `Lax` would do for links from elsewhere, but then the first request after them would already be signed in.
    let text = format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
    HeaderValue::from_str(&text).map_err(ApiError::inside)
}
