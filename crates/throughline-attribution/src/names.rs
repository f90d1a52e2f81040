//! Names of channels to numbers, and stable numbers of persons.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A hasher for short names that are looked up very often: eight bytes a step, multiplied and folded. Only lookups use it;
/// nothing is ever iterated in its order.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ShortHasher(u64);

/// An odd constant without pattern: the fraction of the golden ratio.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

impl ShortHasher {
    #[inline]
    fn mix(&mut self, word: u64) {
        let wide = u128::from(self.0 ^ word) * u128::from(GOLDEN);
        #[expect(clippy::cast_possible_truncation, reason = "the halves are wanted")]
        let (high, low) = ((wide >> 64) as u64, wide as u64);
        self.0 = high ^ low.rotate_left(23) ^ GOLDEN;
    }
}

impl Hasher for ShortHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.mix(u64::from_le_bytes(*word));
        }
        let last = rest.iter().fold(bytes.len() as u64, |last, byte| last << 8 | u64::from(*byte));
        self.mix(last);
    }

    #[inline]
    fn write_u32(&mut self, number: u32) {
        self.mix(u64::from(number) + 1);
    }

    #[inline]
    fn write_u8(&mut self, number: u8) {
        self.mix(u64::from(number));
    }
}

/// Names numbered in the order they were met.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    pub(crate) names: Vec<String>,
    numbers: HashMap<String, u32, BuildHasherDefault<ShortHasher>>,
}

impl Names {
    /// The number of a trimmed name; `None` for a blank one.
    #[inline]
    pub(crate) fn number(&mut self, name: &str) -> Option<u32> {
        let name = name.trim();
        if name.is_empty() {
            return None;
        }
        if let Some(&number) = self.numbers.get(name) {
            return Some(number);
        }
        let number = u32::try_from(self.names.len()).ok()?;
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        Some(number)
    }
}

/// A number for the text that names a person (or geo, or household): the same in every version and on every machine, so
/// that draws can be repeated. FNV-1a with 64 bits (G. Fowler, L. C. Noll, K.-P. Vo, draft-eastlake-fnv): among 10 million
/// persons two share a number with a probability of 3e-6, and would then only be drawn together.
///
/// ```
/// use throughline_attribution::cluster_key;
/// assert_eq!(cluster_key(""), 0xcbf2_9ce4_8422_2325);
/// assert_eq!(cluster_key("a"), 0xaf63_dc4c_8601_ec8c);
/// ```
pub fn cluster_key(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |key, byte| (key ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// A number from several: for keys of journeys that have none.
pub(crate) fn combined(numbers: impl IntoIterator<Item = u64>) -> u64 {
    let mut hasher = ShortHasher::default();
    numbers.into_iter().for_each(|n| hasher.mix(n));
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_numbers() {
        let mut names = Names::default();
        let many: Vec<String> = (0..5000).map(|i| format!("channel {}", i % 2500)).collect();
        for (i, name) in many.iter().enumerate() {
            assert_eq!(names.number(name), u32::try_from(i % 2500).ok());
        }
        assert_eq!((names.number(" channel 7 "), names.number("  ")), (Some(7), None));
    }

    #[test]
    fn keys_differ() {
        let mut keys: Vec<u64> = (0..100_000_u32).map(|i| cluster_key(&format!("person-{i}"))).collect();
        keys.extend((0..100_000).map(|i| combined([i, 1])));
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 200_000);
    }
}
