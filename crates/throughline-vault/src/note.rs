//! Notes about a subject, sealed under the subject's own key: what the audit log may hold about a person. They end with
//! the person's erasure, while the sealed bytes, and every proof over them, stay.

use throughline_core::{IdentifierKind, SubjectToken};
use zeroize::Zeroizing;

use crate::seal::{NOTE_NONCE, Sealed};
use crate::store::Doing;
use crate::vault::parse_kind;
use crate::{Vault, VaultError};

const DOING: &str = "read a subject's key";

impl Vault {
    /// Seals a text under the key of a subject; `None` when the subject is unknown or erased.
    pub async fn seal_note(&self, token: SubjectToken, text: &str) -> Result<Option<Vec<u8>>, VaultError> {
        let Some((kind, key)) = self.subject_key(token).await? else { return Ok(None) };
        let mut nonce = [0; NOTE_NONCE];
        self.entropy.fill(&mut nonce)?;
        self.keys.seal_note(token, kind, &key, text, nonce).map(Some)
    }

    /// Opens a sealed text; `None` when its subject was erased. The caller records why it was opened.
    pub async fn open_note(&self, token: SubjectToken, note: &[u8]) -> Result<Option<Zeroizing<String>>, VaultError> {
        let Some((kind, key)) = self.subject_key(token).await? else { return Ok(None) };
        self.keys.open_note(token, kind, &key, note).map(Some)
    }

    async fn subject_key(&self, token: SubjectToken) -> Result<Option<(IdentifierKind, Sealed)>, VaultError> {
        let row: Option<(String, Vec<u8>, Vec<u8>)> =
            sqlx::query_as("SELECT kind, wrapped, sealed FROM subjects WHERE token = ? AND erased_at IS NULL")
                .bind(&token.0[..])
                .fetch_optional(&self.pool)
                .await
                .doing(DOING)?;
        row.map(|(kind, wrapped, sealed)| Ok((parse_kind(&kind)?, Sealed { wrapped, sealed }))).transpose()
    }
}
