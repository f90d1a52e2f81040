//! `identity.yaml`.

use serde::{Deserialize, Serialize};

/// How identifiers become people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IdentityConfig {
    /// Version of the file format.
    #[serde(rename = "apiVersion")]
    pub api_version: String,
    /// `Identity`.
    pub kind: String,
    /// A person may have at most this many identifiers. A link that would make a larger person is refused and counted:
    /// it is an identifier shared by a crowd (a kiosk, a family computer, a placeholder address).
    pub max_identifiers_per_person: u32,
}

impl Default for IdentityConfig {
    fn default() -> Self {
        Self { api_version: "throughline/v1".into(), kind: "Identity".into(), max_identifiers_per_person: 100 }
    }
}
