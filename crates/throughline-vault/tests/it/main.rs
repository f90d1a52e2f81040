//! The vault's promises: same value, same token; nothing readable without the key; erased for good.

mod bulk;
mod erasure;
mod keys;
mod tokens;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use throughline_core::{IdentifierKind, Purpose, SubjectToken, Timestamp};
use throughline_vault::{Entropy, KeySource, MasterKey, Vault, VaultError};

/// Shortens the signatures of tests.
type Outcome = Result<(), Box<dyn std::error::Error>>;

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fn now() -> Timestamp {
    Timestamp::from_micros(1_770_000_000_000_000)
}

fn given(hex: &str) -> Result<KeySource, VaultError> {
    MasterKey::from_hex(hex, "of the test").map(KeySource::Given)
}

/// A counter in place of randomness: repeatable, and never the same bytes twice.
#[derive(Debug, Default)]
struct Counter(AtomicU64);

impl Entropy for Counter {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), VaultError> {
        for chunk in buffer.chunks_mut(8) {
            let next = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes();
            chunk.copy_from_slice(&next[..chunk.len()]);
        }
        Ok(())
    }
}

async fn repeatable(folder: &Path) -> Result<Vault, VaultError> {
    Vault::open_with(folder, given(KEY)?, Arc::new(Counter::default())).await
}

/// A connection behind the vault's back.
async fn raw(folder: &Path) -> Result<SqliteConnection, sqlx::Error> {
    SqliteConnectOptions::new().filename(folder.join("vault.db")).connect().await
}

/// Whether the bytes occur in any file of the folder.
fn on_disk(folder: &Path, bytes: &[u8]) -> std::io::Result<bool> {
    for file in std::fs::read_dir(folder)? {
        let content = std::fs::read(file?.path())?;
        if content.windows(bytes.len()).any(|w| w == bytes) {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn emails(vault: &Vault, values: &[&str]) -> Result<Vec<Option<SubjectToken>>, VaultError> {
    let items: Vec<_> = values.iter().map(|v| (IdentifierKind::Email, *v)).collect();
    vault.tokenise("crm", &items).await
}

/// The values behind tokens, dashes where there are none.
async fn opened(vault: &Vault, tokens: &[SubjectToken]) -> Result<Vec<String>, VaultError> {
    let revealed = vault.reveal(tokens, Purpose::Messaging, "test", now()).await?;
    let show = |v: &Option<throughline_vault::RawIdentifier>| {
        v.as_ref().map_or_else(|| "-".to_owned(), |v| format!("{} {}", v.kind(), v.expose()))
    };
    Ok(revealed.values.iter().map(show).collect())
}
