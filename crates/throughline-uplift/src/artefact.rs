//! Saved models: the encoder and the fitted model in one file with a version and a content hash.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use throughline_core::Diagnostic;

use crate::{Effects, Encoder, FittedUplift, RawColumn, UpliftError, uplift_model};

/// Version of the file format written and read here.
pub const ARTEFACT_VERSION: u64 = 1;

const FORMAT: &str = "throughline-uplift-model";

/// A model ready to score raw columns, and to be saved.
#[derive(Debug)]
pub struct Artefact {
    /// How raw columns become features.
    pub encoder: Encoder,
    /// The fitted model.
    pub model: Box<dyn FittedUplift>,
}

/// The identity of saved bytes: SHA-256 in hexadecimal.
pub fn content_hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

impl Artefact {
    /// Effects for raw columns, with what the encoder found (unseen levels, infinite values).
    pub fn score(&self, raw: &[RawColumn<'_>]) -> Result<(Effects, Vec<Diagnostic>), UpliftError> {
        let (features, diagnostics) = self.encoder.transform(raw)?;
        Ok((self.model.effects(&features)?, diagnostics))
    }

    /// The file's bytes: one JSON object. Equal models give equal bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, UpliftError> {
        let document = json!({
            "format": FORMAT,
            "format_version": ARTEFACT_VERSION,
            "model": self.model.name(),
            "encoder": self.encoder,
            "state": self.model.state()?,
        });
        serde_json::to_vec(&document).map_err(|e| damaged(&e))
    }

    /// Reads a file written by [`to_bytes`](Self::to_bytes); it predicts the same bits.
    ///
    /// # Errors
    /// Not such a file, a damaged one, another format version, or a model this version does not know.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, UpliftError> {
        let document: Value = serde_json::from_slice(bytes).map_err(|e| damaged(&e))?;
        if document.get("format").and_then(Value::as_str) != Some(FORMAT) {
            return Err(damaged(&format_args!("its `format` is not `{FORMAT}`")));
        }
        let version = document.get("format_version").and_then(Value::as_u64);
        let got = version.ok_or_else(|| damaged(&"it has no `format_version`"))?;
        if got != ARTEFACT_VERSION {
            return Err(UpliftError::ArtefactVersion { got, supported: ARTEFACT_VERSION });
        }
        let name = document.get("model").and_then(Value::as_str).unwrap_or_default();
        let part = |key: &str| document.get(key).ok_or_else(|| damaged(&format_args!("it has no `{key}`")));
        let encoder: Encoder = serde_json::from_value(part("encoder")?.clone()).map_err(|e| damaged(&e))?;
        let model = (uplift_model(name)?.load)(part("state")?)?;
        if !encoder.columns().iter().map(|(name, _)| name).eq(model.features()) {
            return Err(damaged(&"its encoder and its model name different features"));
        }
        Ok(Self { encoder, model })
    }
}

fn damaged(message: &dyn std::fmt::Display) -> UpliftError {
    UpliftError::ArtefactFormat { message: message.to_string() }
}
