//! What a destination is: it takes a batch at most once in effect, and says what became of it.

use std::fmt::Debug;
use std::path::PathBuf;

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use throughline_core::Timestamp;
use throughline_core::expr::{Type, Value};

use crate::error::ActivateError;

/// An output column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Name.
    pub name: String,
    /// Type: `bool`, `int`, `float`, `text` or `time`.
    #[serde(rename = "type")]
    pub kind: ColumnType,
}

/// The type of an output column. Every value may be absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    /// True or false.
    Bool,
    /// A 64-bit integer.
    Int,
    /// A finite 64-bit float.
    Float,
    /// Text.
    Text,
    /// An instant, UTC microseconds.
    Time,
}

impl From<Type> for ColumnType {
    fn from(ty: Type) -> Self {
        match ty {
            Type::Bool => Self::Bool,
            Type::Int => Self::Int,
            Type::Float => Self::Float,
            Type::Text => Self::Text,
            Type::Time => Self::Time,
        }
    }
}

/// What a batch is, without its rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BatchHead {
    /// Id of the batch: the first 32 digits of its idempotency key.
    pub batch_id: String,
    /// The same for every attempt to send these rows there, different for every other batch.
    pub idempotency_key: String,
    /// Name of the destination.
    pub destination: String,
    /// The scoring cycle.
    pub cycle_id: String,
    /// Version of the contract of `decisions`; several joined by a comma.
    pub contract_version: String,
    /// How many rows.
    pub rows: u64,
    /// SHA-256 over the rows in order, in hexadecimal. Stands on tokens, not on raw identifiers.
    pub rows_sha256: String,
    /// Output columns in order.
    pub schema: Vec<Column>,
    /// When it was planned.
    pub created_at: Timestamp,
}

/// A batch on its way. `Debug` shows no values, since they hold identifiers in the clear.
#[derive(Clone)]
pub struct Batch {
    /// What it is.
    pub head: BatchHead,
    /// Values by row, ordered by entity id, in the order of the schema.
    pub rows: Vec<Vec<Value>>,
}

impl Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batch").field("head", &self.head).finish_non_exhaustive()
    }
}

/// A payload that is ready but not yet visible to the receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// SHA-256 of the payload, in hexadecimal.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
}

/// A step of a batch that the destination has confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// `planned`, `exported`, `accepted`, …
    pub step: &'static str,
    /// Rows it covers.
    pub rows: u64,
    /// What was covered: the digest of rows or payload.
    pub digest: String,
    /// Anything the destination said.
    pub detail: Option<String>,
    /// When.
    pub received_at: Timestamp,
}

/// What a destination says about a batch it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledged {
    /// Rows it holds.
    pub rows: u64,
    /// Digest of the rows as planned.
    pub rows_sha256: String,
    /// The receipts, in the order of the steps. Asking again gives the same.
    pub receipts: Vec<Receipt>,
}

/// A person whom a destination is asked to delete. `Debug` shows no identifiers.
#[derive(Clone, Serialize)]
pub struct Deletion {
    /// The erasure that asks.
    pub erasure: String,
    /// The ids under which the person was delivered.
    pub entity_ids: Vec<String>,
    /// The batches they were in.
    pub batches: Vec<String>,
    /// The person's identifiers of the kind that the destination got.
    pub identifiers: Vec<String>,
}

impl Debug for Deletion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deletion").field("erasure", &self.erasure).finish_non_exhaustive()
    }
}

/// Something that takes batches.
///
/// `receipt` comes first and last: a batch that the destination already holds is not sent again.
#[async_trait]
pub trait Destination: Debug + Send + Sync {
    /// Everything of the options that changes the payload or its place, as text; enters the idempotency key.
    fn fingerprint(&self) -> String;

    /// The most rows of one batch.
    fn batch_rows(&self) -> usize;

    /// What the destination holds under this key; `None` when it holds no complete batch. An error when what it holds
    /// was sent under another key or was altered.
    async fn receipt(&self, batch_id: &str, idempotency_key: &str) -> Result<Option<Acknowledged>, ActivateError>;

    /// Makes the payload where the receiver does not look. May be repeated, also after a crash.
    async fn prepare(&self, batch: &Batch) -> Result<Prepared, ActivateError>;

    /// Makes the prepared payload visible. A crash in between leaves the batch either unsent or sent.
    async fn send(&self, head: &BatchHead, prepared: &Prepared) -> Result<(), ActivateError>;

    /// Hands over a request to delete somebody, and says where; again with the same erasure changes nothing. `None` where
    /// the destination takes no such requests, so that a person has to ask it.
    async fn delete(&self, _deletion: &Deletion) -> Result<Option<String>, ActivateError> {
        Ok(None)
    }
}

/// Where a project stands; adapters resolve relative paths against it.
#[derive(Debug, Clone)]
pub struct Site {
    /// Folder of the project.
    pub project: PathBuf,
}

/// An adapter as its own file declares it, with typed options that the registry erases.
pub trait Adapter: Destination + Sized + 'static {
    /// The name in the registry.
    const NAME: &'static str;
    /// One sentence for people.
    const DOC: &'static str;
    /// Its options.
    type Options: DeserializeOwned;

    /// Checks the options; sends nothing and makes nothing.
    fn open(options: Self::Options, site: &Site) -> Result<Self, String>;
}
