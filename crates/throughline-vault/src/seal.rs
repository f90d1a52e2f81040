//! Keys and seals. Nothing here touches a file.
//!
//! From the master key, by HKDF-Expand with SHA-256 (RFC 5869, section 2.3, one block: `HMAC(master, info ‖ 0x01)`; the
//! master key is uniform, so no extraction is needed), with info `throughline vault v1 ` and a label:
//!
//! | Label | Key for |
//! |---|---|
//! | `lookup` | hash of an identifier: `HMAC(kind ‖ 0 ‖ value)`; for records of one source `HMAC(kind ‖ 0 ‖ length of source ‖ source ‖ value)` |
//! | `token` | token of the n-th identifier: the first 16 bytes of `HMAC("token" ‖ n)` |
//! | `wrap` | sealing data keys |
//! | `check` | none: its first 16 bytes are stored to recognise the master key |
//!
//! Integers are unsigned, 64 bits, big endian. A seal is `nonce (24) ‖ ciphertext ‖ tag (16)` of XChaCha20-Poly1305, with
//! `token ‖ kind` as associated data, so that a seal moved to another row does not open.

use hmac::{Hmac, KeyInit as _, Mac};
use sha2::Sha256;
use throughline_core::{IdentifierKind, SubjectToken};
use zeroize::Zeroizing;

use crate::aead::{Cipher, KEY as DATA_KEY, NONCE};
use crate::{MasterKey, VaultError};

type HmacSha256 = Hmac<Sha256>;

/// Keyed hash of an identifier.
pub(crate) type LookupHash = [u8; 32];

/// Random bytes needed to seal a note.
pub(crate) const NOTE_NONCE: usize = NONCE;

/// Random bytes needed to seal one value: its data key and two nonces.
pub(crate) const RANDOM_PER_SUBJECT: usize = DATA_KEY + 2 * NONCE;

/// The keys derived from the master key; wiped when dropped.
pub(crate) struct Keys {
    lookup: HmacSha256,
    token: HmacSha256,
    wrap: Cipher,
    check: [u8; 16],
}

/// A value under its data key, and the data key under the master key.
pub(crate) struct Sealed {
    pub(crate) wrapped: Vec<u8>,
    pub(crate) sealed: Vec<u8>,
}

impl Keys {
    pub(crate) fn derive(master: &MasterKey) -> Self {
        let mut check = [0_u8; 16];
        check.copy_from_slice(&expand(master, "check")[..16]);
        Self {
            lookup: keyed(&expand(master, "lookup")),
            token: keyed(&expand(master, "token")),
            wrap: Cipher::new(&expand(master, "wrap")),
            check,
        }
    }

    /// What is stored to recognise the master key.
    pub(crate) const fn check(&self) -> &[u8; 16] {
        &self.check
    }

    /// The hash under which an identifier, already normalised, is found again.
    pub(crate) fn lookup_hash(&self, source: &str, kind: IdentifierKind, value: &str) -> LookupHash {
        let mut mac = self.lookup.clone();
        mac.update(kind.name().as_bytes());
        mac.update(&[0]);
        if kind == IdentifierKind::Record {
            mac.update(&(source.len() as u64).to_be_bytes());
            mac.update(source.as_bytes());
        }
        mac.update(value.as_bytes());
        mac.finalize().into_bytes().into()
    }

    /// The token of the identifier that was inserted as number `seq`.
    pub(crate) fn token(&self, seq: u64) -> SubjectToken {
        let mut mac = self.token.clone();
        mac.update(b"token");
        mac.update(&seq.to_be_bytes());
        let code = mac.finalize().into_bytes();
        let mut token = [0_u8; 16];
        token.copy_from_slice(&code[..16]);
        SubjectToken(token)
    }

    /// Seals a value with fresh random bytes, which must not be used again.
    pub(crate) fn seal(
        &self,
        token: SubjectToken,
        kind: IdentifierKind,
        value: &str,
        random: &[u8; RANDOM_PER_SUBJECT],
    ) -> Result<Sealed, VaultError> {
        let data_key = Zeroizing::new(part::<DATA_KEY>(random, 0));
        let aad = associated(token, kind);
        let wrapped = close(&self.wrap, part(random, DATA_KEY), &data_key[..], &aad)?;
        let sealed = close(&Cipher::new(&data_key), part(random, DATA_KEY + NONCE), value.as_bytes(), &aad)?;
        Ok(Sealed { wrapped, sealed })
    }

    /// Seals a note under the data key of a subject. The nonce must not be used again.
    pub(crate) fn seal_note(
        &self,
        token: SubjectToken,
        kind: IdentifierKind,
        subject: &Sealed,
        text: &str,
        nonce: [u8; NOTE_NONCE],
    ) -> Result<Vec<u8>, VaultError> {
        let key = self.data_key(token, kind, subject)?;
        close(&Cipher::new(&key), nonce, text.as_bytes(), &about(token))
    }

    /// Opens a note.
    pub(crate) fn open_note(
        &self,
        token: SubjectToken,
        kind: IdentifierKind,
        subject: &Sealed,
        note: &[u8],
    ) -> Result<Zeroizing<String>, VaultError> {
        let key = self.data_key(token, kind, subject)?;
        text(&Cipher::new(&key), note, &about(token)).ok_or(VaultError::Tampered { token })
    }

    /// The data key of a subject.
    fn data_key(
        &self,
        token: SubjectToken,
        kind: IdentifierKind,
        subject: &Sealed,
    ) -> Result<Zeroizing<[u8; DATA_KEY]>, VaultError> {
        let key = self.wrap.open(&subject.wrapped, &associated(token, kind));
        let mut data_key = Zeroizing::new([0_u8; DATA_KEY]);
        match key.filter(|k| k.len() == DATA_KEY) {
            Some(key) => data_key.copy_from_slice(&key),
            None => return Err(VaultError::Tampered { token }),
        }
        Ok(data_key)
    }

    /// Opens a seal.
    pub(crate) fn open(
        &self,
        token: SubjectToken,
        kind: IdentifierKind,
        seal: &Sealed,
    ) -> Result<Zeroizing<String>, VaultError> {
        let data_key = self.data_key(token, kind, seal)?;
        text(&Cipher::new(&data_key), &seal.sealed, &associated(token, kind)).ok_or(VaultError::Tampered { token })
    }
}

/// The text behind a seal. The decrypted copy is wiped, and the text by its own wrapper.
fn text(cipher: &Cipher, sealed: &[u8], aad: &[u8]) -> Option<Zeroizing<String>> {
    let value = cipher.open(sealed, aad)?;
    std::str::from_utf8(&value).ok().map(|text| Zeroizing::new(text.to_owned()))
}

/// HKDF-Expand to one block.
fn expand(master: &MasterKey, label: &str) -> Zeroizing<[u8; 32]> {
    let mut mac = keyed(master.bytes());
    mac.update(b"throughline vault v1 ");
    mac.update(label.as_bytes());
    mac.update(&[1]);
    Zeroizing::new(mac.finalize().into_bytes().into())
}

/// HMAC with a 32-byte key. HMAC itself pads keys to a block with zeros (RFC 2104); padding here leaves no length to check.
fn keyed(key: &[u8; 32]) -> HmacSha256 {
    let mut block = Zeroizing::new([0_u8; 64]);
    block[..32].copy_from_slice(key);
    HmacSha256::new((&*block).into())
}

fn associated(token: SubjectToken, kind: IdentifierKind) -> Vec<u8> {
    [&token.0[..], kind.name().as_bytes()].concat()
}

/// Associated data of notes, so that a note is never taken for the identifier itself.
fn about(token: SubjectToken) -> Vec<u8> {
    [b"note about ", &token.0[..]].concat()
}

/// `N` bytes from `start`.
fn part<const N: usize>(random: &[u8; RANDOM_PER_SUBJECT], start: usize) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&random[start..start + N]);
    bytes
}

fn close(cipher: &Cipher, nonce: [u8; NONCE], message: &[u8], aad: &[u8]) -> Result<Vec<u8>, VaultError> {
    let too_long = || VaultError::TooLong { bytes: message.len(), limit: crate::tokenise::MAX_VALUE_BYTES };
    cipher.close(&nonce, message, aad).ok_or_else(too_long)
}
