//! Immutable things the project made: models, policies, mappings.

use serde::Serialize;
use serde_json::Value;
use throughline_core::Timestamp;

/// An artefact to register. Its content lies elsewhere (the lake) or, for small texts such as policies, in `metadata`.
#[derive(Debug, Clone, Copy)]
pub struct NewArtefact<'a> {
    /// What it is: `model`, `policy`, …
    pub kind: &'a str,
    /// Its name within the kind.
    pub name: &'a str,
    /// Hash of its content.
    pub content_hash: &'a str,
    /// Anything worth keeping with it.
    pub metadata: &'a Value,
    /// The present instant.
    pub now: Timestamp,
}

/// A registered artefact.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Artefact {
    /// What it is.
    pub kind: String,
    /// Its name within the kind.
    pub name: String,
    /// Its version, from 1 per kind and name; the same content hash keeps its version.
    pub version: u32,
    /// Hash of its content.
    pub content_hash: String,
    /// What was kept with it when this version was first registered.
    pub metadata: Value,
    /// When this version was first registered.
    pub created_at: Timestamp,
}
