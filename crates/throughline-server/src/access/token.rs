//! Tokens for programs: `tlk_<id>_<secret>`. The id finds the record, the secret is kept as a hash only.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;
use throughline_core::Timestamp;
use throughline_ledger::{ApiToken, User};

use super::secret::{hash_secret, random_hex, verify_secret};
use crate::app::Shared;
use crate::problem::ApiError;

/// How long a token that was verified is believed without hashing again. Revocation and expiry are looked up each time.
const BELIEVED: Duration = Duration::from_mins(10);

/// Tokens verified not long ago, by id: the digest of the whole token and when it was verified.
#[derive(Debug, Default)]
pub(crate) struct TokenCache(Mutex<HashMap<String, ([u8; 32], Instant)>>);

impl TokenCache {
    fn knows(&self, id: &str, digest: &[u8; 32]) -> bool {
        let cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cache.get(id).is_some_and(|(known, at)| at.elapsed() < BELIEVED && bool::from(known[..].ct_eq(&digest[..])))
    }

    fn learn(&self, id: &str, digest: [u8; 32]) {
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cache.retain(|_, (_, at)| at.elapsed() < BELIEVED);
        cache.insert(id.to_owned(), (digest, Instant::now()));
    }
}

/// A new token for a user: what is shown once, and what is kept.
pub(crate) async fn issue(
    user: &User,
    label: &str,
    scopes: Vec<String>,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(String, ApiToken), ApiError> {
    let (id, secret) = (random_hex(8)?, random_hex(24)?);
    let hash = hash_secret(secret.clone()).await?;
    let token = ApiToken {
        id: id.clone(),
        user_id: user.id.clone(),
        label: label.to_owned(),
        scopes,
        hash,
        created_at: now,
        expires_at,
        revoked_at: None,
        last_used_at: None,
    };
    Ok((format!("tlk_{id}_{secret}"), token))
}

/// The token behind a text, when it is valid now.
pub(crate) async fn verify(app: &Shared, text: &str) -> Result<Option<ApiToken>, ApiError> {
    let Some((id, secret)) = text.strip_prefix("tlk_").and_then(|rest| rest.split_once('_')) else { return Ok(None) };
    let Some(token) = app.ledger().token(id).await? else {
        verify_secret(secret.to_owned(), None).await?;
        return Ok(None);
    };
    let now = app.now();
    if token.revoked_at.is_some() || token.expires_at <= now {
        return Ok(None);
    }
    let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
    if !app.tokens.knows(id, &digest) {
        if !verify_secret(secret.to_owned(), Some(token.hash.clone())).await? {
            return Ok(None);
        }
        app.tokens.learn(id, digest);
        app.ledger().saw_token(id, now).await?;
    }
    Ok(Some(token))
}
