//! Proofs that travel: what a verifier needs and nothing else.

use serde::{Deserialize, Serialize};

use super::{Hash, as_hex, from_hex, verify_consistency, verify_inclusion};

/// That one record stands in the log of a head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InclusionProof {
    /// Which record.
    pub seq: u64,
    /// The number of records of the head.
    pub size: u64,
    /// The record's leaf hash.
    #[serde(serialize_with = "as_hex", deserialize_with = "from_hex")]
    pub leaf: Hash,
    /// The head's root.
    #[serde(serialize_with = "as_hex", deserialize_with = "from_hex")]
    pub root: Hash,
    /// The audit path, lowest first.
    #[serde(serialize_with = "all_as_hex", deserialize_with = "all_from_hex")]
    pub path: Vec<Hash>,
}

impl InclusionProof {
    /// Whether it proves what it says.
    pub fn holds(&self) -> bool {
        self.seq > 0 && verify_inclusion(&self.leaf, self.seq - 1, self.size, &self.path, &self.root)
    }
}

/// That the log of one head is the beginning of the log of a later one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsistencyProof {
    /// The number of records of the earlier head.
    pub first: u64,
    /// Its root.
    #[serde(serialize_with = "as_hex", deserialize_with = "from_hex")]
    pub first_root: Hash,
    /// The number of records of the later head.
    pub second: u64,
    /// Its root.
    #[serde(serialize_with = "as_hex", deserialize_with = "from_hex")]
    pub second_root: Hash,
    /// The proof's hashes.
    #[serde(serialize_with = "all_as_hex", deserialize_with = "all_from_hex")]
    pub path: Vec<Hash>,
}

impl ConsistencyProof {
    /// Whether it proves what it says.
    pub fn holds(&self) -> bool {
        verify_consistency((self.first, &self.first_root), (self.second, &self.second_root), &self.path)
    }
}

fn all_as_hex<S: serde::Serializer>(hashes: &[Hash], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(hashes.iter().map(hex::encode))
}

fn all_from_hex<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Hash>, D::Error> {
    let texts: Vec<String> = Vec::deserialize(deserializer)?;
    let hash = |text: &String| {
        let mut hash = [0; 32];
        hex::decode_to_slice(text, &mut hash).map(|()| hash).map_err(serde::de::Error::custom)
    };
    texts.iter().map(hash).collect()
}
