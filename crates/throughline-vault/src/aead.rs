//! XChaCha20-Poly1305: the subkey by `HChaCha20` (draft-irtf-cfrg-xchacha-03, section 2.2), the rest by the assembly of `ring`,
//! which takes a fifth of the time for texts as short as ours.

use chacha20::{R20, hchacha};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

pub(crate) const KEY: usize = 32;
pub(crate) const NONCE: usize = 24;
const TAG: usize = 16;
/// Bytes of the nonce that make the subkey; the others follow four zeros in the inner nonce.
const OUTER: usize = 16;

/// A key; wiped when dropped.
pub(crate) struct Cipher(Zeroizing<[u8; KEY]>);

impl Cipher {
    pub(crate) fn new(key: &[u8; KEY]) -> Self {
        Self(Zeroizing::new(*key))
    }

    /// The inner cipher of a nonce; `None` never, since all lengths are fixed.
    fn inner(&self, nonce: &[u8; NONCE]) -> Option<(LessSafeKey, Nonce)> {
        let (outer, rest) = nonce.split_first_chunk::<OUTER>()?;
        let subkey = Zeroizing::new(<[u8; KEY]>::from(hchacha::<R20>((&*self.0).into(), outer.into())));
        let mut inner = [0; NONCE_LEN];
        inner[NONCE_LEN - rest.len()..].copy_from_slice(rest);
        let key = UnboundKey::new(&CHACHA20_POLY1305, &*subkey).ok()?;
        Some((LessSafeKey::new(key), Nonce::assume_unique_for_key(inner)))
    }

    /// `nonce ‖ ciphertext ‖ tag`; `None` for messages beyond the cipher's limit of 256 GiB. The nonce must not be used again.
    pub(crate) fn close(&self, nonce: &[u8; NONCE], message: &[u8], aad: &[u8]) -> Option<Vec<u8>> {
        let (key, inner) = self.inner(nonce)?;
        let mut sealed = Vec::with_capacity(NONCE + message.len() + TAG);
        sealed.extend_from_slice(nonce);
        sealed.extend_from_slice(message);
        let tag = key.seal_in_place_separate_tag(inner, Aad::from(aad), &mut sealed[NONCE..]).ok()?;
        sealed.extend_from_slice(tag.as_ref());
        Some(sealed)
    }

    /// The message of what [`close`](Self::close) gave; `None` for anything else.
    pub(crate) fn open(&self, sealed: &[u8], aad: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, message) = sealed.split_first_chunk()?;
        let (key, inner) = self.inner(nonce)?;
        let mut text = Zeroizing::new(message.to_vec());
        let length = key.open_in_place(inner, Aad::from(aad), &mut text).ok()?.len();
        text.truncate(length);
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use chacha20poly1305::XChaCha20Poly1305;
    use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};

    use super::*;

    #[test]
    fn it_is_what_another_implementation_says() {
        let message = b"customer-17@mail.example.com".repeat(40);
        for (place, length) in (1..).zip([0, 1, 15, 16, 17, 63, 64, 65, 1000]) {
            let (key, mut nonce) = ([place; KEY], [7; NONCE]);
            nonce[3] = place;
            let (msg, aad) = (&message[..length], &b"token and kind"[..]);
            let other = XChaCha20Poly1305::new((&key).into());
            let expect = other.encrypt((&nonce).into(), Payload { msg, aad }).expect("short");
            let sealed = Cipher::new(&key).close(&nonce, msg, aad).expect("short");
            assert_eq!(sealed, [&nonce[..], &expect].concat());
            assert_eq!(Cipher::new(&key).open(&sealed, aad).as_deref().map(Vec::as_slice), Some(msg));
        }
    }

    #[test]
    fn what_was_changed_does_not_open() {
        let cipher = Cipher::new(&[1; KEY]);
        let sealed = cipher.close(&[2; NONCE], b"ada", b"kind").expect("short");
        for i in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[i] ^= 1;
            assert!(cipher.open(&changed, b"kind").is_none(), "byte {i}");
            assert!(cipher.open(&sealed[..i], b"kind").is_none(), "cut at {i}");
        }
        assert!(cipher.open(&sealed, b"king").is_none());
        assert!(Cipher::new(&[3; KEY]).open(&sealed, b"kind").is_none());
    }
}
