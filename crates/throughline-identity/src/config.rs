//! `identity.yaml`.

use serde::{Deserialize, Serialize};
use throughline_core::Share;

/// The probability from which profiles are linked where nothing is said.
const LINK_AT: f64 = 0.95;

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
    /// How profiles are compared.
    pub matching: MatchingConfig,
}

/// How what sources say about people is compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MatchingConfig {
    /// The probability from which two profiles are linked.
    pub link_at: Share,
    /// The probability from which a pair that is not linked waits for a person to look at it.
    pub review_at: Share,
    /// Sources with one record a person: two of their records are never of one.
    pub one_record_per_person: Vec<String>,
    /// Pairs of sources whose profiles are never compared and never linked by comparison.
    pub never_compare: Vec<[String; 2]>,
}

impl Default for IdentityConfig {
    fn default() -> Self {
        Self {
            api_version: "throughline/v1".into(),
            kind: "Identity".into(),
            max_identifiers_per_person: 100,
            matching: MatchingConfig::default(),
        }
    }
}

impl Default for MatchingConfig {
    fn default() -> Self {
        Self {
            link_at: Share::new(LINK_AT).unwrap_or(Share::ONE),
            review_at: Share::HALF,
            one_record_per_person: Vec::new(),
            never_compare: Vec::new(),
        }
    }
}

impl MatchingConfig {
    /// Every source that is named.
    pub fn named(&self) -> impl Iterator<Item = &str> {
        self.one_record_per_person.iter().chain(self.never_compare.iter().flatten()).map(String::as_str)
    }
}
