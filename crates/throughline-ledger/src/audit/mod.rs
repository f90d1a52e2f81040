//! The audit log: what each record's hash covers, and what a check can find.

mod merkle;
mod note;
mod proof;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use throughline_core::Timestamp;

pub(crate) use merkle::{Frontier, Node, completed_by, consistency_ranges, cover, fold, inclusion_ranges};
pub use merkle::{empty_root, node_hash, verify_consistency, verify_inclusion};
pub use note::{AuditKey, PublicKey, SignedHead, TreeHead};
pub use proof::{ConsistencyProof, InclusionProof};

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// The hash before the first record.
pub(crate) const GENESIS: Hash = [0; 32];

/// Something to be put on record.
#[derive(Debug, Clone, Copy)]
pub struct AuditEntry<'a> {
    /// What happened: `published`, `vault_opened`, …
    pub kind: &'a str,
    /// Who did it.
    pub actor: &'a str,
    /// The particulars. Never a raw identifier: the log outlives an erasure.
    pub payload: &'a Value,
    /// When.
    pub at: Timestamp,
}

/// A record of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// Its place, from 1, without gaps.
    pub seq: u64,
    /// What happened.
    pub kind: String,
    /// Who did it.
    pub actor: String,
    /// The particulars, exactly the text the hash covers.
    pub payload: String,
    /// When.
    pub at: Timestamp,
    /// The leaf hash of the record before, zero for the first.
    #[serde(serialize_with = "as_hex", deserialize_with = "from_hex")]
    pub prev: Hash,
    /// This record's leaf hash.
    #[serde(serialize_with = "as_hex", deserialize_with = "from_hex")]
    pub leaf: Hash,
}

impl AuditRecord {
    /// The bytes the hash covers: `throughline audit v1\n`, then `seq` (u64), `at` in microseconds (i64), `prev`, and
    /// `kind`, `actor` and `payload` each behind its length in bytes (u64). Integers are big endian.
    pub fn canonical_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(96 + self.kind.len() + self.actor.len() + self.payload.len());
        bytes.extend_from_slice(b"throughline audit v1\n");
        bytes.extend_from_slice(&self.seq.to_be_bytes());
        bytes.extend_from_slice(&self.at.micros().to_be_bytes());
        bytes.extend_from_slice(&self.prev);
        for text in [&self.kind, &self.actor, &self.payload] {
            bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        bytes
    }

    /// `SHA-256(0x00 ‖ canonical bytes)`: the leaf hash of RFC 6962, section 2.1.
    pub fn compute_leaf(&self) -> Hash {
        let mut hash = Sha256::new();
        hash.update([0]);
        hash.update(self.canonical_bytes());
        hash.finalize().into()
    }
}

/// A departure found in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
#[non_exhaustive]
pub enum AuditFault {
    /// Records are missing before this one.
    Gap {
        /// The sequence number expected.
        expected: u64,
        /// The sequence number found.
        found: u64,
    },
    /// The record's content does not have the record's hash.
    Altered {
        /// Which record.
        seq: u64,
    },
    /// The record does not follow on the one before.
    Unchained {
        /// Which record.
        seq: u64,
    },
    /// The stored nodes of the Merkle tree are not those of the records: proofs made from them would not hold.
    Tree,
    /// A head that was signed does not fit the records: they were changed after it was given.
    Head {
        /// The size it was signed at.
        size: u64,
    },
    /// The log does not end where it was last left.
    Ending {
        /// How many records there were.
        expected: u64,
        /// The last sequence number found.
        found: u64,
    },
}

/// The outcome of checking the whole log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditCheck {
    /// How many records were read.
    pub records: u64,
    /// The last leaf hash, zero for an empty log. Compare it with one kept elsewhere: a log rewritten from some record
    /// to its end, hashes included, can only be told by that.
    #[serde(serialize_with = "as_hex")]
    pub head: Hash,
    /// The Merkle root over all records.
    #[serde(serialize_with = "as_hex")]
    pub root: Hash,
    /// How many heads were signed and compared.
    pub heads_checked: u64,
    /// How many faults there are.
    pub fault_count: u64,
    /// The first hundred of them.
    pub faults: Vec<AuditFault>,
}

impl AuditCheck {
    /// Whether the log is whole.
    pub const fn is_intact(&self) -> bool {
        self.fault_count == 0
    }
}

/// Checks records in order, a page at a time.
#[derive(Debug)]
pub(crate) struct Checker {
    check: AuditCheck,
    last_seq: u64,
    frontier: Frontier,
    /// Heads to be compared, by size, the largest first.
    heads: Vec<(u64, Hash)>,
}

impl Checker {
    /// A check that compares these heads on its way.
    pub(crate) fn new(mut heads: Vec<(u64, Hash)>) -> Self {
        heads.sort_by_key(|(size, _)| std::cmp::Reverse(*size));
        let check = AuditCheck {
            records: 0,
            head: GENESIS,
            root: empty_root(),
            heads_checked: heads.len() as u64,
            fault_count: 0,
            faults: Vec::new(),
        };
        let mut checker = Self { check, last_seq: 0, frontier: Frontier::default(), heads };
        checker.compare_heads();
        checker
    }

    pub(crate) const fn last_seq(&self) -> u64 {
        self.last_seq
    }

    pub(crate) fn read(&mut self, record: &AuditRecord) {
        if record.seq != self.last_seq + 1 {
            self.fault(AuditFault::Gap { expected: self.last_seq + 1, found: record.seq });
        } else if record.prev != self.check.head {
            self.fault(AuditFault::Unchained { seq: record.seq });
        }
        let leaf = record.compute_leaf();
        if leaf != record.leaf {
            self.fault(AuditFault::Altered { seq: record.seq });
        }
        self.frontier.push(leaf);
        self.check.records += 1;
        self.check.head = record.leaf;
        self.last_seq = record.seq;
        self.compare_heads();
    }

    fn compare_heads(&mut self) {
        while let Some((size, root)) = self.heads.pop_if(|(size, _)| *size <= self.check.records) {
            if root != self.frontier.root() {
                self.fault(AuditFault::Head { size });
            }
        }
    }

    /// Ends the check against the remembered length, last hash and root (`None` where the stored tree has holes).
    pub(crate) fn finish(mut self, size: u64, head: Hash, root: Option<Hash>) -> AuditCheck {
        if (size, head) != (self.last_seq, self.check.head) {
            self.fault(AuditFault::Ending { expected: size, found: self.last_seq });
        }
        // Heads of more records than there are: the log was cut, or restored from an older copy.
        while let Some((size, _)) = self.heads.pop() {
            self.fault(AuditFault::Head { size });
        }
        self.check.root = self.frontier.root();
        if root != Some(self.check.root) {
            self.fault(AuditFault::Tree);
        }
        self.check
    }

    fn fault(&mut self, fault: AuditFault) {
        self.check.fault_count += 1;
        if self.check.faults.len() < 100 {
            self.check.faults.push(fault);
        }
    }
}

/// Checks a log outside its ledger, as exported: the records in order, and heads (size and root) given out before.
pub fn check_records<'a>(records: impl IntoIterator<Item = &'a AuditRecord>, heads: Vec<(u64, Hash)>) -> AuditCheck {
    let mut checker = Checker::new(heads);
    for record in records {
        checker.read(record);
    }
    let (size, head, root) = (checker.last_seq, checker.check.head, checker.frontier.root());
    checker.finish(size, head, Some(root))
}

/// Hashes as hexadecimal text.
pub(crate) fn as_hex<S: serde::Serializer>(hash: &Hash, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex::encode(hash))
}

/// Hashes from hexadecimal text.
pub(crate) fn from_hex<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Hash, D::Error> {
    let text = String::deserialize(deserializer)?;
    let mut hash = GENESIS;
    hex::decode_to_slice(&text, &mut hash).map_err(serde::de::Error::custom)?;
    Ok(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> AuditRecord {
        AuditRecord {
            seq: 1,
            kind: "published".into(),
            actor: "host:1".into(),
            payload: "{}".into(),
            at: Timestamp::from_micros(7),
            prev: GENESIS,
            leaf: GENESIS,
        }
    }

    #[test]
    fn the_hash_is_the_documented_one() {
        // printf '\0throughline audit v1\n' + 0x0000000000000001 0x0000000000000007 + 32 × 0 + (9)published (6)host:1 (2){}
        let expect = "bd491ae8f865ea63e95de35285e42ba7ec3aae853bbee61636deecc614cfb12c";
        assert_eq!(hex::encode(record().compute_leaf()), expect);
    }

    #[test]
    fn every_field_is_covered_and_fields_do_not_run_together() {
        let base = record().compute_leaf();
        let changes: [fn(&mut AuditRecord); 7] = [
            |r| r.seq = 2,
            |r| r.at = Timestamp::from_micros(8),
            |r| r.prev[31] = 1,
            |r| r.kind.push('x'),
            |r| r.actor.push('x'),
            |r| r.payload.push(' '),
            |r| (r.kind, r.actor) = ("publishedhost".into(), ":1".into()),
        ];
        for change in changes {
            let mut changed = record();
            change(&mut changed);
            assert_ne!(changed.compute_leaf(), base, "{changed:?}");
        }
    }
}
