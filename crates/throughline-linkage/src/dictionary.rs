//! Distinct texts, numbered from 1 in the order in which they were met; 0 is the empty text.

use std::hash::BuildHasher as _;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// Texts by number, and while they are collected numbers by text.
#[derive(Debug, Clone)]
pub(crate) struct Dictionary {
    /// Where the text of each number begins, and of the one after it.
    starts: Vec<usize>,
    bytes: Vec<u8>,
    /// The upper half of a text's hash, and its number.
    places: HashTable<(u32, u32)>,
    hasher: RandomState,
}

impl Default for Dictionary {
    fn default() -> Self {
        Self { starts: vec![0, 0], bytes: Vec::new(), places: HashTable::new(), hasher: RandomState::default() }
    }
}

impl Dictionary {
    /// The number of a text, a new one where it was not met before.
    pub(crate) fn code(&mut self, text: &[u8]) -> u32 {
        if text.is_empty() {
            return 0;
        }
        let hash = self.hasher.hash_one(text);
        // Half of a hash tells most texts apart.
        let half = (hash >> 32) as u32;
        let same = |(h, code): &(u32, u32)| *h == half && text_of(&self.starts, &self.bytes, *code) == text;
        // The table asks for the bits below and above those that are kept.
        let place = wide(half);
        if let Some((_, code)) = self.places.find(place, same) {
            return *code;
        }
        let code = self.len() + 1;
        self.bytes.extend_from_slice(text);
        self.starts.push(self.bytes.len());
        self.places.insert_unique(place, (half, code), |(h, _)| wide(*h));
        code
    }

    /// The text of a number.
    pub(crate) fn text(&self, code: u32) -> &[u8] {
        text_of(&self.starts, &self.bytes, code)
    }

    /// How many texts there are beside the empty one.
    pub(crate) fn len(&self) -> u32 {
        u32::try_from(self.starts.len() - 2).unwrap_or(u32::MAX)
    }

    /// Gives back the memory by which numbers are found; texts that come later are new ones.
    pub(crate) fn forget_places(&mut self) {
        self.places = HashTable::new();
    }
}

/// A hash of all 64 bits from half of one, so that growing the table needs no text.
fn wide(half: u32) -> u64 {
    u64::from(half).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn text_of<'a>(starts: &[usize], bytes: &'a [u8], code: u32) -> &'a [u8] {
    &bytes[starts[code as usize]..starts[code as usize + 1]]
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn equal_texts_have_equal_numbers_and_others_have_others(texts in proptest::collection::vec("[ab]{0,4}", 0..200)) {
            let mut dictionary = Dictionary::default();
            let codes: Vec<u32> = texts.iter().map(|t| dictionary.code(t.as_bytes())).collect();
            for (text, code) in texts.iter().zip(&codes) {
                proptest::prop_assert_eq!(dictionary.text(*code), text.as_bytes());
                proptest::prop_assert_eq!(dictionary.code(text.as_bytes()), *code);
            }
            let mut distinct: Vec<&String> = texts.iter().filter(|t| !t.is_empty()).collect();
            distinct.sort();
            distinct.dedup();
            proptest::prop_assert_eq!(dictionary.len() as usize, distinct.len());
        }
    }
}
