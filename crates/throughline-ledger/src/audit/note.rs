//! Signed tree heads: what is handed to others so that the log cannot be rewritten behind their backs.
//!
//! A head is a *checkpoint* in a *signed note*, the text format of public transparency logs (C2SP `tlog-checkpoint` and
//! `signed-note`), so that witnesses and tools made for them can read and countersign it:
//!
//! ```text
//! <origin>
//! <number of records>
//! <root, base64>
//! time <microseconds since the epoch>
//!
//! — <origin> <base64 of key id (4 bytes) ‖ Ed25519 signature (64 bytes)>
//! ```
//!
//! The signature covers everything before the empty line. The key id is the first 4 bytes of
//! `SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key)`, and a public key is written `name+key id+base64(0x01 ‖ public key)`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};
use throughline_core::Timestamp;

use super::Hash;
use crate::LedgerError;

/// The algorithm byte of Ed25519 in key ids and public keys.
const ED25519: u8 = 1;

/// A head of the log: its length and root at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeHead {
    /// The log's name.
    pub origin: String,
    /// How many records it covers.
    pub size: u64,
    /// The Merkle root over their leaf hashes.
    pub root: Hash,
    /// When it was signed.
    pub at: Timestamp,
}

impl TreeHead {
    /// The text that is signed.
    fn text(&self) -> String {
        format!("{}\n{}\n{}\ntime {}\n", self.origin, self.size, BASE64.encode(self.root), self.at.micros())
    }
}

/// The key that signs heads. `Debug` does not show it.
pub struct AuditKey {
    name: String,
    key: SigningKey,
}

impl std::fmt::Debug for AuditKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuditKey").field("name", &self.name).finish_non_exhaustive()
    }
}

impl AuditKey {
    /// From 32 secret bytes. The name must not be empty nor hold blanks or `+`: blanks become `-`.
    pub fn new(name: &str, secret: &[u8; 32]) -> Self {
        Self { name: plain(name), key: SigningKey::from_bytes(secret) }
    }

    /// The log's name in heads.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The public key as text: `name+key id+key`.
    pub fn public(&self) -> PublicKey {
        PublicKey { name: self.name.clone(), key: self.key.verifying_key() }
    }

    /// Signs a head.
    pub fn sign(&self, size: u64, root: Hash, at: Timestamp) -> SignedHead {
        let head = TreeHead { origin: self.name.clone(), size, root, at };
        let text = head.text();
        let signature = self.key.sign(text.as_bytes());
        let blob = [&self.public().id()[..], &signature.to_bytes()].concat();
        let note = format!("{text}\n\u{2014} {} {}\n", self.name, BASE64.encode(blob));
        SignedHead { head, note }
    }
}

fn plain(name: &str) -> String {
    let name: String =
        name.chars().map(|c| if c.is_whitespace() || c == '+' || c.is_control() { '-' } else { c }).collect();
    if name.is_empty() { "throughline".to_owned() } else { name }
}

/// A key that verifies heads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    name: String,
    key: VerifyingKey,
}

impl PublicKey {
    fn id(&self) -> [u8; 4] {
        let hash = Sha256::new()
            .chain_update(self.name.as_bytes())
            .chain_update([b'\n', ED25519])
            .chain_update(self.key.as_bytes())
            .finalize();
        [hash[0], hash[1], hash[2], hash[3]]
    }
}

impl std::fmt::Display for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let key = [&[ED25519][..], self.key.as_bytes()].concat();
        write!(f, "{}+{}+{}", self.name, hex::encode(self.id()), BASE64.encode(key))
    }
}

impl std::str::FromStr for PublicKey {
    type Err = LedgerError;

    fn from_str(text: &str) -> Result<Self, LedgerError> {
        let bad =
            |detail: &str| LedgerError::Unreadable { what: "public key of an audit log", detail: detail.to_owned() };
        let mut parts = text.trim().splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(bad("expected name+key id+key"));
        };
        let bytes = BASE64.decode(key).map_err(|_| bad("the key is not base64"))?;
        let Some((&ED25519, bytes)) = bytes.split_first() else { return Err(bad("the key is not of Ed25519")) };
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| bad("the key does not have 32 bytes"))?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| bad("the key is not a point of the curve"))?;
        let key = Self { name: name.to_owned(), key };
        if hex::encode(key.id()) == id { Ok(key) } else { Err(bad("the key id does not fit the key")) }
    }
}

/// A head and the note that carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedHead {
    /// What it says.
    pub head: TreeHead,
    /// The note, exactly as signed.
    pub note: String,
}

impl SignedHead {
    /// Reads a note without checking its signature.
    pub fn parse(note: &str) -> Result<Self, LedgerError> {
        let bad = |detail: &str| LedgerError::Unreadable { what: "signed tree head", detail: detail.to_owned() };
        let (text, _) = note.split_once("\n\n").ok_or_else(|| bad("no empty line before the signature"))?;
        let mut lines = text.lines();
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(bad("fewer than three lines"));
        };
        let size = size.parse().map_err(|_| bad("the size is not a number"))?;
        let root =
            BASE64.decode(root).ok().and_then(|r| r.try_into().ok()).ok_or_else(|| bad("the root is not a hash"))?;
        let time = lines.find_map(|l| l.strip_prefix("time ")).and_then(|t| t.parse().ok());
        let at = Timestamp::from_micros(time.ok_or_else(|| bad("no time"))?);
        Ok(Self { head: TreeHead { origin: origin.to_owned(), size, root, at }, note: note.to_owned() })
    }

    /// Whether the note says what [`head`](Self::head) says and one of its signatures is of this key.
    pub fn verify(&self, key: &PublicKey) -> bool {
        let Some((text, signatures)) = self.note.split_once("\n\n") else { return false };
        let signed = format!("{text}\n");
        let says = Self::parse(&self.note).is_ok_and(|read| read.head == self.head);
        says && signatures.lines().any(|line| {
            let Some((name, blob)) = line.strip_prefix("\u{2014} ").and_then(|l| l.rsplit_once(' ')) else {
                return false;
            };
            let Ok(blob) = BASE64.decode(blob) else { return false };
            let Some((id, signature)) = blob.split_at_checked(4) else { return false };
            name == key.name
                && id == key.id()
                && Signature::from_slice(signature).is_ok_and(|s| key.key.verify_strict(signed.as_bytes(), &s).is_ok())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> AuditKey {
        AuditKey::new("demo project", &[7; 32])
    }

    #[test]
    fn a_head_reads_back_and_verifies() -> Result<(), LedgerError> {
        let signed = key().sign(12, [3; 32], Timestamp::from_micros(99));
        let read = SignedHead::parse(&signed.note)?;
        assert_eq!(read, signed);
        let public: PublicKey = key().public().to_string().parse()?;
        assert!(read.verify(&public));
        assert!(signed.note.starts_with("demo-project\n12\nAwMD"), "{}", signed.note);
        Ok(())
    }

    #[test]
    fn a_changed_head_or_another_key_does_not_verify() -> Result<(), LedgerError> {
        let signed = key().sign(12, [3; 32], Timestamp::from_micros(99));
        let public = key().public();
        for (from, to) in
            [("\n12\n", "\n13\n"), ("time 99", "time 98"), ("AwMD", "AwME"), ("demo-project\n12", "demo\n12")]
        {
            let forged = SignedHead::parse(&signed.note.replacen(from, to, 1))?;
            assert!(!forged.verify(&public), "{to}");
        }
        let mut lying = signed.clone();
        lying.head.size = 13;
        assert!(!lying.verify(&public));
        assert!(!signed.verify(&AuditKey::new("demo project", &[8; 32]).public()));
        Ok(())
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "a\nb\nc\n\n", "a\n1\nAAAA\ntime 1\n\n— a b\n", "a\n1\n"] {
            assert!(SignedHead::parse(text).is_err(), "{text:?}");
        }
        let good = key().public().to_string();
        for text in ["", "a+b", "a+b+c", &good.replacen("demo", "emo", 1), &good[..good.len() - 4]] {
            assert!(text.parse::<PublicKey>().is_err(), "{text:?}");
        }
    }
}
