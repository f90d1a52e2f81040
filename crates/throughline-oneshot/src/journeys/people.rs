//! People named by texts: a 64-bit key each, and the text behind it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use throughline_paths::key::mix64;

const STRIPES: usize = 64;

/// Keys of texts. A key is a hash of its text, so it does not depend on who asks first; where two texts have one hash, the
/// later takes the next free key, so that two people never become one.
#[derive(Debug)]
pub(super) struct People {
    stripes: Vec<Mutex<HashMap<u64, Box<str>>>>,
}

impl People {
    pub(super) fn new() -> Self {
        Self { stripes: (0..STRIPES).map(|_| Mutex::new(HashMap::new())).collect() }
    }

    fn stripe(&self, key: u64) -> std::sync::MutexGuard<'_, HashMap<u64, Box<str>>> {
        // The high bits: the next key is in the same stripe but for the last one of it.
        let place = usize::try_from(key >> 58).unwrap_or(0);
        self.stripes[place].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key of a text; blank texts have none.
    pub(super) fn key(&self, text: &str) -> Option<u64> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        let mut key = hash(text.as_bytes());
        loop {
            let mut known = self.stripe(key);
            match known.get(&key) {
                Some(other) if **other == *text => return Some(key),
                Some(_) => key = key.wrapping_add(1),
                None => {
                    known.insert(key, text.into());
                    return Some(key);
                }
            }
        }
    }

    /// Appends the text of a key.
    pub(super) fn write(&self, key: u64, to: &mut String) {
        if let Some(text) = self.stripe(key).get(&key) {
            to.push_str(text);
        }
    }
}

/// A hash of bytes that is the same everywhere: words of eight bytes, each mixed in.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    let mut state = mix64(bytes.len() as u64 ^ 0x9e37_79b9_7f4a_7c15);
    for word in bytes.chunks(8) {
        let mut filled = [0; 8];
        filled[..word.len()].copy_from_slice(word);
        state = mix64(state.rotate_left(23) ^ u64::from_le_bytes(filled)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    }
    mix64(state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_one_key_and_comes_back() {
        let people = People::new();
        let keys = ["ann", "bob", " ann ", "a much longer name than eight bytes", "\0"].map(|t| people.key(t));
        assert_eq!(keys[0], keys[2]);
        let mut distinct: Vec<_> = keys.into_iter().flatten().collect();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!((distinct.len(), people.key(" ")), (4, None));
        let mut text = String::new();
        people.write(keys[3].expect("a key"), &mut text);
        assert_eq!(text, "a much longer name than eight bytes");
    }

    #[test]
    fn equal_hashes_are_two_people() {
        let people = People::new();
        let key = hash(b"ann");
        people.stripe(key).insert(key, "somebody else".into());
        assert_eq!(people.key("ann"), Some(key + 1));
        assert_eq!(people.key("ann"), Some(key + 1));
    }
}
