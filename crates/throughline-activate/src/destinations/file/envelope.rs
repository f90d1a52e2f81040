//! The envelope: what a batch is, and the proof that its payload is complete.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use throughline_core::Timestamp;

use super::{Format, atomic};
use crate::destination::{BatchHead, Column, Prepared};
use crate::error::ActivateError;

const API_VERSION: &str = "throughline/v1";
const KIND: &str = "Envelope";

/// `envelope.json` of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// `throughline/v1`.
    #[serde(rename = "apiVersion")]
    pub api_version: String,
    /// `Envelope`.
    pub kind: String,
    /// The batch, also the name of its folder.
    pub batch_id: String,
    /// The same for every attempt to deliver these rows.
    pub idempotency_key: String,
    /// The destination of the project.
    pub destination: String,
    /// The scoring cycle.
    pub cycle_id: String,
    /// Version of the contract of the rows.
    pub contract_version: String,
    /// How many rows.
    pub rows: u64,
    /// SHA-256 over the rows in order, independent of the format.
    pub rows_sha256: String,
    /// Name of the payload in this folder.
    pub file: String,
    /// How it is written.
    pub format: Format,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256.
    pub sha256: String,
    /// Its columns.
    pub schema: Vec<Column>,
    /// When the batch was made.
    pub created_at: Timestamp,
}

impl Envelope {
    pub(super) fn new(head: &BatchHead, prepared: &Prepared, format: Format, file: String) -> Self {
        Self {
            api_version: API_VERSION.to_owned(),
            kind: KIND.to_owned(),
            batch_id: head.batch_id.clone(),
            idempotency_key: head.idempotency_key.clone(),
            destination: head.destination.clone(),
            cycle_id: head.cycle_id.clone(),
            contract_version: head.contract_version.clone(),
            rows: head.rows,
            rows_sha256: head.rows_sha256.clone(),
            file,
            format,
            bytes: prepared.bytes,
            sha256: prepared.sha256.clone(),
            schema: head.schema.clone(),
            created_at: head.created_at,
        }
    }

    /// Reads an envelope; `None` when there is none.
    pub fn read(path: &Path) -> Result<Option<Self>, ActivateError> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(ActivateError::io("read", path)(error)),
        };
        let unreadable = |reason: String| ActivateError::Envelope { path: path.to_owned(), reason };
        let envelope: Self = serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))?;
        if envelope.api_version != API_VERSION || envelope.kind != KIND {
            let Self { api_version, kind, .. } = envelope;
            return Err(unreadable(format!("it is `{kind}` of `{api_version}`, expected `{KIND}` of `{API_VERSION}`")));
        }
        // The name is joined to the folder; anything but a plain name would lead elsewhere.
        if Path::new(&envelope.file).file_name().is_none_or(|name| name != envelope.file.as_str()) {
            return Err(unreadable(format!("`{}` is not a file name", envelope.file)));
        }
        Ok(Some(envelope))
    }

    pub(super) fn write(&self, path: &Path, out: &mut dyn Write) -> Result<(), ActivateError> {
        let unwritable = |reason: String| ActivateError::Envelope { path: path.to_owned(), reason };
        serde_json::to_writer_pretty(&mut *out, self).map_err(|error| unwritable(error.to_string()))?;
        out.write_all(b"\n").map_err(ActivateError::io("write", path))
    }

    /// Checks the key and the payload against the envelope. False when the payload is no longer there.
    pub(super) fn verify(&self, folder: &Path, idempotency_key: &str) -> Result<bool, ActivateError> {
        let same = |what, found: &str, expected: &str| {
            if found == expected {
                return Ok(());
            }
            let (found, expected) = (found.to_owned(), expected.to_owned());
            Err(ActivateError::OtherPayload { batch_id: self.batch_id.clone(), what, found, expected })
        };
        same("idempotency key", &self.idempotency_key, idempotency_key)?;
        let Some(payload) = atomic::digest(&folder.join(&self.file))? else { return Ok(false) };
        same("payload size", &payload.bytes.to_string(), &self.bytes.to_string())?;
        same("payload digest", &payload.sha256, &self.sha256)?;
        Ok(true)
    }
}
