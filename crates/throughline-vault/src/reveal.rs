//! Opening values: counted, with purpose and actor.

use std::fmt;

use serde::Serialize;
use throughline_core::{IdentifierKind, Purpose, SubjectToken, Timestamp};
use zeroize::Zeroizing;

use crate::seal::Sealed;
use crate::store::{self, Doing, over_packed};
use crate::vault::{CHUNK, at, packed, parse_kind};
use crate::{Vault, VaultError};

/// An identifier in the clear. `Debug` shows its kind only; the value is wiped from memory when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct RawIdentifier {
    kind: IdentifierKind,
    value: Zeroizing<String>,
}

impl RawIdentifier {
    /// What it identifies.
    pub const fn kind(&self) -> IdentifierKind {
        self.kind
    }

    /// The normalised value. Do not log it.
    pub fn expose(&self) -> &str {
        &self.value
    }
}

impl fmt::Debug for RawIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawIdentifier({}, secret)", self.kind)
    }
}

/// What values are opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum OpenFor {
    /// A purpose that people consented to.
    Purpose(Purpose),
    /// Somebody answers the person's own request, or the law's.
    #[serde(serialize_with = "subject_access")]
    SubjectAccess,
    /// A row of the quarantine is corrected.
    #[serde(serialize_with = "correction")]
    Correction,
}

fn correction<S: serde::Serializer>(serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(OpenFor::Correction.name())
}

fn subject_access<S: serde::Serializer>(serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(OpenFor::SubjectAccess.name())
}

impl OpenFor {
    /// The name used on record.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Purpose(purpose) => purpose.name(),
            Self::SubjectAccess => "subject_access",
            Self::Correction => "correction",
        }
    }
}

impl From<Purpose> for OpenFor {
    fn from(purpose: Purpose) -> Self {
        Self::Purpose(purpose)
    }
}

/// The record of one opening of the vault: for the audit log, without tokens and values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Opening {
    /// Its number in the vault.
    pub opening: u64,
    /// What the values were opened for.
    pub purpose: OpenFor,
    /// Who opened them.
    pub actor: String,
    /// When.
    pub at: Timestamp,
    /// How many tokens were asked for.
    pub requested: u64,
    /// How many of them could be opened.
    pub opened: u64,
}

/// Opened values and the record of the opening.
#[derive(Debug)]
pub struct Revealed {
    /// The value of each token, in order; `None` for unknown and erased ones.
    pub values: Vec<Option<RawIdentifier>>,
    /// What the caller puts into the audit log.
    pub opening: Opening,
}

/// Position, token, kind, wrapped data key, sealed value.
type Row = (i64, Vec<u8>, String, Vec<u8>, Vec<u8>);

impl Vault {
    /// Opens the values of tokens. The opening is recorded in the vault before any value is returned; the caller also
    /// puts [`Revealed::opening`] into the project's audit log. Whether consent allows it is the caller's to check.
    pub async fn reveal(
        &self,
        tokens: &[SubjectToken],
        purpose: impl Into<OpenFor>,
        actor: &str,
        now: Timestamp,
    ) -> Result<Revealed, VaultError> {
        let purpose = purpose.into();
        let doing = "open values";
        let mut tx = store::write(&self.pool).await?;
        let mut values: Vec<Option<RawIdentifier>> = vec![None; tokens.len()];
        for (chunk, values) in tokens.chunks(CHUNK).zip(values.chunks_mut(CHUNK)) {
            let rows: Vec<Row> = sqlx::query_as(over_packed!(
                16,
                "SELECT i, token, kind, wrapped, sealed FROM n CROSS JOIN subjects \
                 ON token = substr(?1, i * 16 + 1, 16) WHERE erased_at IS NULL"
            ))
            .bind(packed(chunk))
            .fetch_all(&mut *tx)
            .await
            .doing(doing)?;
            for (i, token, kind, wrapped, sealed) in rows {
                let kind = parse_kind(&kind)?;
                let token = token
                    .try_into()
                    .map(SubjectToken)
                    .map_err(|t| VaultError::Unreadable { what: "token", detail: format!("{} bytes", t.len()) })?;
                let value = self.keys.open(token, kind, &Sealed { wrapped, sealed })?;
                *at(values, i)? = Some(RawIdentifier { kind, value });
            }
        }
        let (requested, opened) = (values.len() as u64, values.iter().flatten().count() as u64);
        let opening: i64 = sqlx::query_scalar(
            "INSERT INTO openings (purpose, actor, at, requested, opened) VALUES (?, ?, ?, ?, ?) RETURNING id",
        )
        .bind(purpose.name())
        .bind(actor)
        .bind(now.micros())
        .bind(requested.cast_signed())
        .bind(opened.cast_signed())
        .fetch_one(&mut *tx)
        .await
        .doing(doing)?;
        tx.commit().await.doing(doing)?;
        let opening = opening.cast_unsigned();
        let opening = Opening { opening, purpose, actor: actor.to_owned(), at: now, requested, opened };
        Ok(Revealed { values, opening })
    }
}
