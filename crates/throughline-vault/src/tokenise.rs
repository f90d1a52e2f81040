//! Raw identifiers in, tokens out.
//!
//! Known identifiers are found by their keyed hash without a lock. New ones are numbered, sealed and inserted in the order
//! of their first appearance, in one transaction that looks again first, because another process may have been faster.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use sqlx::SqliteConnection;
use throughline_core::{IdentifierKind, SubjectToken};
use zeroize::Zeroizing;

use crate::seal::{LookupHash, RANDOM_PER_SUBJECT, Sealed};
use crate::store::{self, Doing, over_packed};
use crate::vault::{CHUNK, at};
use crate::{Vault, VaultError};

/// Longest identifier accepted, in bytes, after normalisation.
pub(crate) const MAX_VALUE_BYTES: usize = 4096;

const READ: &str = "look identifiers up";
const WRITE: &str = "insert identifiers";

/// One of the different identifiers of a batch.
pub(crate) struct Wanted {
    hash: LookupHash,
    /// Where it first appears in the batch.
    first: usize,
    token: Option<SubjectToken>,
    /// Whether the value was erased for good.
    refused: bool,
}

/// What an identifier became.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tokenised {
    /// It has this token.
    Token(SubjectToken),
    /// Normalising left nothing of it.
    Nothing,
    /// It was erased for good and is not taken in again.
    Erased,
}

impl Tokenised {
    /// The token, where there is one.
    pub const fn token(self) -> Option<SubjectToken> {
        match self {
            Self::Token(token) => Some(token),
            Self::Nothing | Self::Erased => None,
        }
    }
}

impl Wanted {
    /// An identifier to be found.
    pub(crate) const fn of(hash: LookupHash) -> Self {
        Self { hash, first: 0, token: None, refused: false }
    }

    /// Its hash and token, if it was found.
    pub(crate) fn found(self) -> Option<(LookupHash, SubjectToken)> {
        self.token.map(|token| (self.hash, token))
    }
}

/// A new identifier, numbered.
pub(crate) struct New {
    pub(crate) seq: u64,
    pub(crate) token: SubjectToken,
    pub(crate) kind: IdentifierKind,
    pub(crate) hash: LookupHash,
    /// The source that had it first.
    pub(crate) source: Arc<str>,
    pub(crate) value: Zeroizing<String>,
}

impl fmt::Debug for New {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("New").field("seq", &self.seq).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// A new identifier, numbered and sealed.
struct Subject {
    seq: i64,
    token: SubjectToken,
    kind: IdentifierKind,
    hash: LookupHash,
    source: i64,
    seal: Sealed,
}

impl Vault {
    /// The token of each identifier, in order; new ones are sealed and stored. `None` where normalising leaves nothing or
    /// the value was erased for good.
    ///
    /// The same kind and normalised value always give the same token until it is erased, whatever the source; only
    /// [`IdentifierKind::Record`] is known within its source alone. What is stored is the normalised value, so it does
    /// not depend on which spelling came first. All of the call is one transaction: after a crash, call again.
    pub async fn tokenise(
        &self,
        source: &str,
        items: &[(IdentifierKind, &str)],
    ) -> Result<Vec<Option<SubjectToken>>, VaultError> {
        Ok(self.tokenise_told(source, items).await?.into_iter().map(Tokenised::token).collect())
    }

    /// The token of a value that is known, without taking it in.
    pub async fn find(
        &self,
        source: &str,
        kind: IdentifierKind,
        raw: &str,
    ) -> Result<Option<SubjectToken>, VaultError> {
        let (mut wanted, _) = self.distinct(source, &[(kind, raw)])?;
        let mut connection = self.pool.acquire().await.doing(READ)?;
        find(&mut connection, &mut wanted.iter_mut().collect::<Vec<_>>()).await?;
        Ok(wanted.first().and_then(|w| w.token))
    }

    /// Whether a value was erased for good.
    pub async fn is_erased(&self, source: &str, kind: IdentifierKind, raw: &str) -> Result<bool, VaultError> {
        let (mut wanted, _) = self.distinct(source, &[(kind, raw)])?;
        let mut connection = self.pool.acquire().await.doing(READ)?;
        refuse(&mut connection, &mut wanted.iter_mut().collect::<Vec<_>>()).await?;
        Ok(wanted.first().is_some_and(|w| w.refused))
    }

    /// [`tokenise`](Self::tokenise) that tells erased values from empty ones.
    pub async fn tokenise_told(
        &self,
        source: &str,
        items: &[(IdentifierKind, &str)],
    ) -> Result<Vec<Tokenised>, VaultError> {
        let (mut wanted, places) = self.distinct(source, items)?;
        let mut known = self.pool.begin().await.doing(READ)?;
        find(&mut known, &mut wanted.iter_mut().collect::<Vec<_>>()).await?;
        known.commit().await.doing(READ)?;
        let mut new: Vec<&mut Wanted> = wanted.iter_mut().filter(|w| w.token.is_none()).collect();
        if !new.is_empty() {
            self.insert(source, items, &mut new).await?;
        }
        let told = |wanted: &Wanted| match wanted.token {
            Some(token) => Tokenised::Token(token),
            None if wanted.refused => Tokenised::Erased,
            None => Tokenised::Nothing,
        };
        Ok(places.into_iter().map(|place| place.map_or(Tokenised::Nothing, |p| told(&wanted[p]))).collect())
    }

    /// The different identifiers of a batch in order of their hashes (neighbours share pages of the index), and for each
    /// item which of them it is.
    fn distinct(
        &self,
        source: &str,
        items: &[(IdentifierKind, &str)],
    ) -> Result<(Vec<Wanted>, Vec<Option<usize>>), VaultError> {
        let mut hashed = Vec::with_capacity(items.len());
        for (i, (kind, raw)) in items.iter().enumerate() {
            let Some(value) = kind.normalise(raw).map(Zeroizing::new) else { continue };
            if value.len() > MAX_VALUE_BYTES {
                return Err(VaultError::TooLong { bytes: value.len(), limit: MAX_VALUE_BYTES });
            }
            hashed.push((self.keys.lookup_hash(source, *kind, &value), i));
        }
        hashed.sort_unstable();
        let mut places = vec![None; items.len()];
        let mut wanted: Vec<Wanted> = Vec::with_capacity(hashed.len());
        for (hash, i) in hashed {
            if wanted.last().is_none_or(|w| w.hash != hash) {
                wanted.push(Wanted { hash, first: i, token: None, refused: false });
            }
            places[i] = Some(wanted.len() - 1);
        }
        Ok((wanted, places))
    }

    async fn insert(
        &self,
        source: &str,
        items: &[(IdentifierKind, &str)],
        wanted: &mut [&mut Wanted],
    ) -> Result<(), VaultError> {
        let mut tx = store::write(&self.pool).await?;
        find(&mut tx, wanted).await?;
        let mut new: Vec<&mut Wanted> = wanted.iter_mut().filter(|w| w.token.is_none()).map(|w| &mut **w).collect();
        refuse(&mut tx, &mut new).await?;
        new.retain(|w| !w.refused);
        new.sort_unstable_by_key(|w| w.first);
        let last: i64 =
            sqlx::query_scalar("SELECT coalesce(max(seq), 0) FROM subjects").fetch_one(&mut *tx).await.doing(READ)?;
        let source: Arc<str> = source.into();
        let mut numbered = Vec::with_capacity(new.len());
        for (wanted, seq) in new.into_iter().zip(last.cast_unsigned() + 1..) {
            let (kind, raw) = items[wanted.first];
            let value = Zeroizing::new(kind.normalise(raw).unwrap_or_default());
            let token = self.keys.token(seq);
            wanted.token = Some(token);
            numbered.push(New { seq, token, kind, hash: wanted.hash, source: Arc::clone(&source), value });
        }
        insert_new(self, &mut tx, &numbered).await?;
        tx.commit().await.doing(WRITE)
    }

    /// Seals new identifiers, each with the number of its source.
    fn seal(&self, new: &[New], sources: &HashMap<Arc<str>, i64>) -> Result<Vec<Subject>, VaultError> {
        let mut random = Zeroizing::new(vec![0_u8; new.len() * RANDOM_PER_SUBJECT]);
        self.entropy.fill(&mut random)?;
        let (random, _) = random.as_chunks::<RANDOM_PER_SUBJECT>();
        let sealed = new.iter().zip(random).map(|(new, random)| {
            let seal = self.keys.seal(new.token, new.kind, &new.value, random)?;
            let source = sources.get(&new.source).copied().unwrap_or_default();
            let (seq, token, kind, hash) = (new.seq.cast_signed(), new.token, new.kind, new.hash);
            Ok(Subject { seq, token, kind, hash, source, seal })
        });
        sealed.collect()
    }
}

/// Seals and inserts new identifiers: the lookup in the order of its index, then the subjects in the order of their numbers.
pub(crate) async fn insert_new(vault: &Vault, tx: &mut SqliteConnection, new: &[New]) -> Result<(), VaultError> {
    let mut sources: HashMap<Arc<str>, i64> = HashMap::new();
    for new in new {
        if !sources.contains_key(&new.source) {
            let id = source_id(tx, &new.source).await?;
            sources.insert(Arc::clone(&new.source), id);
        }
    }
    let mut pairs: Vec<(&LookupHash, &SubjectToken)> = new.iter().map(|new| (&new.hash, &new.token)).collect();
    pairs.sort_unstable_by_key(|(hash, _)| *hash);
    let mut sealed = Vec::new();
    let mut chunks = new.chunks(ROWS);
    for pairs in pairs.chunks(CHUNK) {
        insert_pairs(tx, pairs).await?;
    }
    loop {
        let chunk = chunks.next().unwrap_or_default();
        // The database works on its own thread: it inserts one chunk while the next is sealed here.
        let (inserted, next) = tokio::join!(insert_subjects(tx, sealed), async { vault.seal(chunk, &sources) });
        sealed = next?;
        inserted?;
        if sealed.is_empty() {
            return Ok(());
        }
    }
}

/// Fills in the tokens of known identifiers.
pub(crate) async fn find(connection: &mut SqliteConnection, wanted: &mut [&mut Wanted]) -> Result<(), VaultError> {
    for chunk in wanted.chunks_mut(CHUNK) {
        let hashes: Vec<u8> = chunk.iter().flat_map(|w| w.hash).collect();
        // One row: 32 hexadecimal digits, or as many dashes, for each hash.
        let found: String = sqlx::query_scalar(over_packed!(
            32,
            "SELECT group_concat(iif(token IS NULL, '--------------------------------', hex(token)), '' ORDER BY i) \
             FROM n LEFT JOIN lookup ON hash = substr(?1, i * 32 + 1, 32)"
        ))
        .bind(hashes)
        .fetch_one(&mut *connection)
        .await
        .doing(READ)?;
        let (texts, rest) = found.as_bytes().as_chunks::<32>();
        if texts.len() != chunk.len() || !rest.is_empty() {
            let detail = format!("{} characters for {} hashes", found.len(), chunk.len());
            return Err(VaultError::Unreadable { what: "answer of the lookup", detail });
        }
        for (wanted, text) in chunk.iter_mut().zip(texts) {
            let mut token = [0_u8; 16];
            wanted.token = hex::decode_to_slice(text, &mut token).is_ok().then_some(SubjectToken(token));
        }
    }
    Ok(())
}

/// Marks the identifiers that were erased for good.
async fn refuse(connection: &mut SqliteConnection, wanted: &mut [&mut Wanted]) -> Result<(), VaultError> {
    for chunk in wanted.chunks_mut(CHUNK) {
        let hashes: Vec<u8> = chunk.iter().flat_map(|w| w.hash).collect();
        let found: Vec<i64> = sqlx::query_scalar(over_packed!(
            32,
            "SELECT i FROM n CROSS JOIN tombstones ON hash = substr(?1, i * 32 + 1, 32)"
        ))
        .bind(hashes)
        .fetch_all(&mut *connection)
        .await
        .doing(READ)?;
        for i in found {
            at(chunk, i)?.refused = true;
        }
    }
    Ok(())
}

async fn source_id(connection: &mut SqliteConnection, source: &str) -> Result<i64, VaultError> {
    sqlx::query("INSERT INTO sources (name) VALUES (?) ON CONFLICT DO NOTHING")
        .bind(source)
        .execute(&mut *connection)
        .await
        .doing(WRITE)?;
    sqlx::query_scalar("SELECT id FROM sources WHERE name = ?").bind(source).fetch_one(connection).await.doing(WRITE)
}

/// Subjects that are sealed while those before are inserted.
const ROWS: usize = 2048;
const TOKEN: usize = 16;
const HASH: usize = 32;

async fn insert_pairs(
    connection: &mut SqliteConnection,
    pairs: &[(&LookupHash, &SubjectToken)],
) -> Result<(), VaultError> {
    let packed: Vec<u8> = pairs.iter().flat_map(|(hash, token)| hash.iter().chain(&token.0).copied()).collect();
    sqlx::query(over_packed!(
        48,
        "INSERT INTO lookup (hash, token) SELECT substr(?1, i * 48 + 1, 32), substr(?1, i * 48 + 33, 16) FROM n"
    ))
    .bind(packed)
    .execute(connection)
    .await
    .doing(WRITE)?;
    Ok(())
}

/// A length as the database counts.
fn length(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// Digits of a number in a packed row.
const SEQ: usize = 20;

/// Inserts subjects, those alike in kind, source and length of the seal by one packed blob: a parameter for each column of each row
/// would cost several times the insertion.
async fn insert_subjects(connection: &mut SqliteConnection, subjects: Vec<Subject>) -> Result<(), VaultError> {
    let mut alike: BTreeMap<_, Vec<Subject>> = BTreeMap::new();
    for subject in subjects {
        let (wrapped, sealed) = (subject.seal.wrapped.len(), subject.seal.sealed.len());
        alike.entry((subject.kind.name(), subject.source, wrapped, sealed)).or_default().push(subject);
    }
    for ((kind, source, wrapped, sealed), subjects) in alike {
        let width = SEQ + TOKEN + HASH + wrapped + sealed;
        let mut packed = Vec::with_capacity(subjects.len() * width);
        for subject in &subjects {
            packed.extend_from_slice(format!("{:0SEQ$}", subject.seq).as_bytes());
            for part in [&subject.token.0[..], &subject.hash, &subject.seal.wrapped, &subject.seal.sealed] {
                packed.extend_from_slice(part);
            }
        }
        sqlx::query(
            "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE (i + 2) * ?2 <= length(?1)) \
             INSERT INTO subjects (seq, token, kind, source, lookup, wrapped, sealed) \
             SELECT CAST(CAST(substr(?1, i * ?2 + 1, 20) AS TEXT) AS INTEGER), substr(?1, i * ?2 + 21, 16), ?3, ?4, \
                    substr(?1, i * ?2 + 37, 32), substr(?1, i * ?2 + 69, ?5), substr(?1, i * ?2 + 69 + ?5, ?6) FROM n",
        )
        .bind(packed)
        .bind(length(width))
        .bind(kind)
        .bind(source)
        .bind(length(wrapped))
        .bind(length(sealed))
        .execute(&mut *connection)
        .await
        .doing(WRITE)?;
    }
    Ok(())
}
