//! Secrets: random ones made, hashes of them kept.

use std::sync::OnceLock;

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, PasswordHash, Version};

use crate::problem::ApiError;

/// Argon2id with the first recommendation of OWASP for it: 19 MiB, 2 passes, 1 lane.
fn hasher() -> Argon2<'static> {
    let params = Params::new(19 * 1024, 2, 1, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Random bytes as hexadecimal text.
pub(crate) fn random_hex(bytes: usize) -> Result<String, ApiError> {
    let mut buffer = vec![0; bytes];
    getrandom::fill(&mut buffer).map_err(|e| ApiError::inside(e.to_string()))?;
    Ok(hex::encode(buffer))
}

/// A new id: 128 random bits.
pub(crate) fn new_id() -> Result<String, ApiError> {
    random_hex(16)
}

/// The hash of a secret as a PHC string. Slow on purpose, so it runs beside the server's own threads.
pub(crate) async fn hash_secret(secret: String) -> Result<String, ApiError> {
    let hashed = tokio::task::spawn_blocking(move || {
        hasher().hash_password(secret.as_bytes()).map(|h| h.to_string()).map_err(|e| e.to_string())
    });
    hashed.await?.map_err(ApiError::inside)
}

/// Whether a secret has this hash. Without a hash the work is done all the same, so that the time taken does not tell
/// whether an account exists.
pub(crate) async fn verify_secret(secret: String, hash: Option<String>) -> Result<bool, ApiError> {
    static DECOY: OnceLock<String> = OnceLock::new();
    let verified = tokio::task::spawn_blocking(move || {
        let known = hash.is_some();
        let decoy =
            || DECOY.get_or_init(|| hasher().hash_password(b"decoy").map(|h| h.to_string()).unwrap_or_default());
        let text = hash.unwrap_or_else(|| decoy().clone());
        let right =
            PasswordHash::new(&text).is_ok_and(|parsed| hasher().verify_password(secret.as_bytes(), &parsed).is_ok());
        right && known
    });
    Ok(verified.await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_secret_verifies_against_its_own_hash_only() -> Result<(), ApiError> {
        let hash = hash_secret("correct horse".into()).await?;
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(verify_secret("correct horse".into(), Some(hash.clone())).await?);
        assert!(!verify_secret("correct horsf".into(), Some(hash)).await?);
        assert!(!verify_secret("decoy".into(), None).await?, "no account has no password");
        assert!(!verify_secret("x".into(), Some("not a hash".into())).await?);
        Ok(())
    }
}
