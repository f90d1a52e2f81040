//! Raw identifiers in, tokens out, for many batches by one writer.
//!
//! A batch costs one keyed hash and one look into memory for each identifier. What memory does not know is looked up in the file,
//! until that has happened so often that reading all of it is cheaper; from then on, and from the beginning in an empty vault, what
//! memory does not know is new. New identifiers are numbered at once and stored by [`store`](Intake::store), sorted, so that a page of
//! an index is written once for many of them.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::mem;
use std::sync::Arc;

use sqlx::SqliteConnection;
use throughline_core::{IdentifierKind, SubjectToken};
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

use crate::seal::LookupHash;
use crate::store::{self, Doing};
use crate::tokenise::{MAX_VALUE_BYTES, New, Tokenised, Wanted, find, insert_new};
use crate::{Vault, VaultError};

/// Most identifiers in memory: 32 bytes each, in a table that is at most half empty.
const MOST_KNOWN: usize = 12_000_000;

/// So many new identifiers touch most pages of the indexes, each several times: a cache that holds them all pays.
const BULK: usize = 50_000;
/// That cache, in KiB.
const BULK_CACHE: u32 = 384 << 10;

const READ: &str = "read what identifiers it holds";

/// Gives tokens to the identifiers of a run that reads files.
///
/// No other process may put identifiers into the vault meanwhile; [`store`](Self::store) refuses if one did. What was given a token and
/// not stored is forgotten with the intake.
#[derive(Debug)]
pub struct Intake {
    vault: Vault,
    known: HashMap<u128, SubjectToken, BuildHasherDefault<Uniform>>,
    /// What was erased for good.
    erased: HashSet<u128, BuildHasherDefault<Uniform>>,
    /// Whether everything that the file holds is known.
    complete: bool,
    /// Number of the last identifier of the file, those on their way to it included; `None` before the first look.
    stored: Option<u64>,
    /// How many identifiers were looked up in the file.
    asked: u64,
    new: Vec<New>,
    /// Identifiers on their way to the file.
    storing: Option<JoinHandle<Result<(), VaultError>>>,
}

/// Keyed hashes are uniform already.
#[derive(Debug, Default)]
struct Uniform(u64);

impl Hasher for Uniform {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, value: u128) {
        let bytes = value.to_le_bytes();
        self.0 = u64::from_le_bytes(bytes.first_chunk().copied().unwrap_or_default());
    }
}

/// The half of a keyed hash under which memory knows an identifier: 128 bits, of which no two are equal among any number that fits.
fn short(hash: &LookupHash) -> u128 {
    u128::from_le_bytes(hash.first_chunk().copied().unwrap_or_default())
}

impl Vault {
    /// Begins to take identifiers in.
    pub fn intake(&self) -> Intake {
        let (known, erased) = (HashMap::default(), HashSet::default());
        Intake {
            vault: self.clone(),
            known,
            erased,
            complete: false,
            stored: None,
            asked: 0,
            new: Vec::new(),
            storing: None,
        }
    }
}

impl Intake {
    /// What each identifier becomes, in order. The same as [`Vault::tokenise_told`], but new identifiers are in the file only after
    /// [`store`](Self::store).
    pub async fn tokenise(
        &mut self,
        source: &Arc<str>,
        items: &[(IdentifierKind, &str)],
    ) -> Result<Vec<Tokenised>, VaultError> {
        self.make_room().await?;
        let mut hashes = Vec::with_capacity(items.len());
        for (kind, raw) in items {
            let value = kind.normalise(raw).map(Zeroizing::new);
            if let Some(bytes) = value.as_ref().map(|v| v.len()).filter(|bytes| *bytes > MAX_VALUE_BYTES) {
                return Err(VaultError::TooLong { bytes, limit: MAX_VALUE_BYTES });
            }
            hashes.push(value.map(|value| self.vault.keys.lookup_hash(source, *kind, &value)));
        }
        self.look_up(&hashes).await?;
        let mut last = self.numbered() + self.new.len() as u64;
        let mut tokens = Vec::with_capacity(items.len());
        for ((kind, raw), hash) in items.iter().zip(hashes) {
            let Some(hash) = hash else {
                tokens.push(Tokenised::Nothing);
                continue;
            };
            if self.erased.contains(&short(&hash)) {
                tokens.push(Tokenised::Erased);
                continue;
            }
            let token = *self.known.entry(short(&hash)).or_insert_with(|| {
                last += 1;
                let token = self.vault.keys.token(last);
                let value = Zeroizing::new(kind.normalise(raw).unwrap_or_default());
                self.new.push(New { seq: last, token, kind: *kind, hash, source: Arc::clone(source), value });
                token
            });
            tokens.push(Tokenised::Token(token));
        }
        Ok(tokens)
    }

    /// How many identifiers have a token and neither are in the file nor on their way to it.
    pub fn unstored(&self) -> usize {
        self.new.len()
    }

    /// Begins to put new identifiers into the file, all or none, while others are taken in. Waits for those before.
    pub async fn begin_to_store(&mut self) -> Result<(), VaultError> {
        self.finish_storing().await?;
        if !self.new.is_empty() {
            let (vault, new, before) = (self.vault.clone(), mem::take(&mut self.new), self.numbered());
            self.stored = Some(before + new.len() as u64);
            self.storing = Some(tokio::spawn(async move { put(&vault, &new, before).await }));
        }
        Ok(())
    }

    /// Puts new identifiers into the file, all or none; those on their way to it are in it too.
    pub async fn store(&mut self) -> Result<(), VaultError> {
        self.begin_to_store().await?;
        self.finish_storing().await
    }

    /// Waits for identifiers on their way to the file. After an error this intake gives no tokens that could be kept.
    async fn finish_storing(&mut self) -> Result<(), VaultError> {
        match self.storing.take() {
            None => Ok(()),
            Some(task) => match task.await {
                Ok(stored) => stored,
                Err(error) => match error.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    // The runtime is going down: nothing was stored.
                    Err(_) => Err(VaultError::Overtaken),
                },
            },
        }
    }

    /// Number of the last identifier that is in the file or on its way to it.
    fn numbered(&self) -> u64 {
        self.stored.unwrap_or(0)
    }

    /// Forgets identifiers that are not in the file: the rows that named them are not kept.
    pub fn abandon(&mut self) {
        for new in mem::take(&mut self.new) {
            self.known.remove(&short(&new.hash));
        }
    }

    /// Forgets what the file holds when memory would take too much of it.
    async fn make_room(&mut self) -> Result<(), VaultError> {
        if self.known.len() > MOST_KNOWN {
            self.store().await?;
            self.known = HashMap::default();
            self.complete = false;
        }
        Ok(())
    }

    /// Makes known what the file knows of these.
    async fn look_up(&mut self, hashes: &[Option<LookupHash>]) -> Result<(), VaultError> {
        let stored = if let Some(stored) = self.stored {
            stored
        } else {
            let mut connection = self.vault.pool.acquire().await.doing(READ)?;
            let stored = last(&mut connection).await?;
            self.complete = stored == 0;
            let erased: Vec<Vec<u8>> =
                sqlx::query_scalar("SELECT hash FROM tombstones").fetch_all(&mut *connection).await.doing(READ)?;
            self.erased = erased.iter().filter_map(|hash| hash.first_chunk().map(short)).collect();
            *self.stored.insert(stored)
        };
        if self.complete {
            return Ok(());
        }
        let unknown = hashes.iter().flatten().filter(|hash| !self.known.contains_key(&short(hash)));
        let mut wanted: Vec<LookupHash> = unknown.copied().collect();
        wanted.sort_unstable();
        wanted.dedup();
        self.asked += wanted.len() as u64;
        let fits = usize::try_from(stored).is_ok_and(|n| n < MOST_KNOWN);
        let mut connection = self.vault.pool.acquire().await.doing(READ)?;
        // Reading one in order costs about a quarter of finding one.
        if fits && self.asked > stored / 4 {
            self.read_all(&mut connection).await?;
            self.complete = true;
            return Ok(());
        }
        let mut wanted: Vec<Wanted> = wanted.into_iter().map(Wanted::of).collect();
        find(&mut connection, &mut wanted.iter_mut().collect::<Vec<_>>()).await?;
        for (hash, token) in wanted.into_iter().filter_map(Wanted::found) {
            self.known.insert(short(&hash), token);
        }
        Ok(())
    }

    async fn read_all(&mut self, connection: &mut SqliteConnection) -> Result<(), VaultError> {
        /// Rows of one answer: both halves as text of fixed width.
        const ROWS: i64 = 4096;
        let mut after = Vec::new();
        loop {
            let found: String = sqlx::query_scalar(
                "SELECT coalesce(group_concat(hex(hash) || hex(token), ''), '') \
                 FROM (SELECT hash, token FROM lookup WHERE hash > ? ORDER BY hash LIMIT ?)",
            )
            .bind(&after)
            .bind(ROWS)
            .fetch_one(&mut *connection)
            .await
            .doing(READ)?;
            let (rows, rest) = found.as_bytes().as_chunks::<96>();
            let mut row = [0_u8; 48];
            for text in rows {
                let read = hex::decode_to_slice(text, &mut row);
                read.map_err(|e| VaultError::Unreadable { what: "lookup", detail: e.to_string() })?;
                let (hash, token) = (row.first_chunk::<32>().copied(), row.last_chunk().copied());
                let (hash, token) = (hash.unwrap_or_default(), token.unwrap_or_default());
                self.known.insert(short(&hash), SubjectToken(token));
            }
            if !rest.is_empty() {
                let detail = format!("{} characters", found.len());
                return Err(VaultError::Unreadable { what: "lookup", detail });
            }
            if rows.is_empty() {
                return Ok(());
            }
            after = row[..32].to_vec();
        }
    }
}

/// Inserts identifiers, the first as the one after `before`.
async fn put(vault: &Vault, new: &[New], before: u64) -> Result<(), VaultError> {
    let mut tx = store::write(&vault.pool).await?;
    if last(&mut tx).await? != before {
        return Err(VaultError::Overtaken);
    }
    if new.len() >= BULK {
        store::cache(&mut tx, BULK_CACHE).await?;
    }
    insert_new(vault, &mut tx, new).await?;
    // The larger cache goes with what it holds.
    store::cache(&mut tx, store::CACHE).await?;
    tx.commit().await.doing("insert identifiers")
}

async fn last(connection: &mut SqliteConnection) -> Result<u64, VaultError> {
    let last: i64 =
        sqlx::query_scalar("SELECT coalesce(max(seq), 0) FROM subjects").fetch_one(connection).await.doing(READ)?;
    Ok(last.cast_unsigned())
}
