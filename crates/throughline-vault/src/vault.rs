//! The vault: opening it with its key, and what it can say without opening a value.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use sqlx::SqlitePool;
use throughline_core::{IdentifierKind, SubjectToken};

use crate::seal::Keys;
use crate::store::{self, Doing, over_packed};
use crate::{Entropy, KeySource, OsEntropy, VaultError, key};

/// Raw identifiers behind random tokens, in one file with its own key.
#[derive(Clone)]
pub struct Vault {
    pub(crate) path: PathBuf,
    pub(crate) pool: SqlitePool,
    pub(crate) keys: Arc<Keys>,
    pub(crate) entropy: Arc<dyn Entropy>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("path", &self.path).finish_non_exhaustive()
    }
}

/// What the vault holds, in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct VaultStats {
    /// Identifiers that can be opened, by kind.
    pub identifiers: BTreeMap<IdentifierKind, u64>,
    /// Identifiers that were erased.
    pub erased: u64,
    /// How often the vault was opened.
    pub openings: u64,
}

impl Vault {
    /// Opens `vault.db` of a folder; makes it, and with [`KeySource::File`] its key, when the vault is new.
    pub async fn open(folder: &Path, source: KeySource) -> Result<Self, VaultError> {
        Self::open_with(folder, source, Arc::new(OsEntropy)).await
    }

    /// [`open`](Self::open) with another source of randomness, for repeatable tests.
    pub async fn open_with(folder: &Path, source: KeySource, entropy: Arc<dyn Entropy>) -> Result<Self, VaultError> {
        let path = folder.join("vault.db");
        let pool = store::open(&path).await?;
        let in_use = stored_check(&pool).await?.is_some();
        let key_path = key::key_path(folder);
        let (master, place) = match source {
            KeySource::Given(master) => (master, "given".to_owned()),
            KeySource::File => {
                let master = match key::read(&key_path)? {
                    Some(master) => master,
                    // A new key would make what the vault holds unreadable for ever.
                    None if in_use => return Err(VaultError::MissingKey { path: key_path }),
                    None => key::create(&key_path, &*entropy)?,
                };
                (master, key_path.display().to_string())
            }
        };
        let keys = Keys::derive(&master);
        if !in_use {
            sqlx::query("INSERT INTO key_check VALUES (1, ?) ON CONFLICT DO NOTHING")
                .bind(&keys.check()[..])
                .execute(&pool)
                .await
                .doing("store its key check")?;
        }
        if stored_check(&pool).await?.as_deref() != Some(&keys.check()[..]) {
            return Err(VaultError::WrongKey { place, path });
        }
        Ok(Self { path, pool, keys: Arc::new(keys), entropy })
    }

    /// The kind of each token; `None` for unknown and erased ones. Opens no value.
    pub async fn kinds(&self, tokens: &[SubjectToken]) -> Result<Vec<Option<IdentifierKind>>, VaultError> {
        let doing = "read kinds";
        let mut kinds = vec![None; tokens.len()];
        for (chunk, kinds) in tokens.chunks(CHUNK).zip(kinds.chunks_mut(CHUNK)) {
            let rows: Vec<(i64, String)> = sqlx::query_as(over_packed!(
                16,
                "SELECT i, kind FROM n CROSS JOIN subjects ON token = substr(?1, i * 16 + 1, 16) \
                 WHERE erased_at IS NULL"
            ))
            .bind(packed(chunk))
            .fetch_all(&self.pool)
            .await
            .doing(doing)?;
            for (i, kind) in rows {
                *at(kinds, i)? = Some(parse_kind(&kind)?);
            }
        }
        Ok(kinds)
    }

    /// Counts. Opens no value.
    pub async fn stats(&self) -> Result<VaultStats, VaultError> {
        let doing = "count";
        let rows: Vec<(String, i64, i64)> =
            sqlx::query_as("SELECT kind, count(*), count(erased_at) FROM subjects GROUP BY kind")
                .fetch_all(&self.pool)
                .await
                .doing(doing)?;
        let openings: i64 =
            sqlx::query_scalar("SELECT count(*) FROM openings").fetch_one(&self.pool).await.doing(doing)?;
        let mut stats = VaultStats { openings: openings.cast_unsigned(), ..VaultStats::default() };
        for (kind, all, erased) in rows {
            stats.erased += erased.cast_unsigned();
            if all > erased {
                stats.identifiers.insert(parse_kind(&kind)?, (all - erased).cast_unsigned());
            }
        }
        Ok(stats)
    }
}

/// How many tokens or hashes go into one query, as one packed blob (see `over_packed`).
pub(crate) const CHUNK: usize = 4096;

/// Tokens one behind the other.
pub(crate) fn packed(tokens: &[SubjectToken]) -> Vec<u8> {
    tokens.iter().flat_map(|t| t.0).collect()
}

/// The place of a chunk that a query's row speaks of.
pub(crate) fn at<T>(places: &mut [T], i: i64) -> Result<&mut T, VaultError> {
    let unreadable = || VaultError::Unreadable { what: "position", detail: i.to_string() };
    usize::try_from(i).ok().and_then(|i| places.get_mut(i)).ok_or_else(unreadable)
}

pub(crate) fn parse_kind(name: &str) -> Result<IdentifierKind, VaultError> {
    name.parse().map_err(|_| VaultError::Unreadable { what: "identifier kind", detail: name.to_owned() })
}

async fn stored_check(pool: &SqlitePool) -> Result<Option<Vec<u8>>, VaultError> {
    sqlx::query_scalar(r#"SELECT "check" FROM key_check"#).fetch_optional(pool).await.doing("read its key check")
}
