//! Ids and revisions that a file has had.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, BuildHasherDefault, Hash, Hasher};

use foldhash::quality::FixedState;

/// Two independent 64-bit hashes of table, id and revision. They are compared within one file of one process only.
pub(crate) type Key = [u64; 2];

const SEEDS: [FixedState; 2] =
    [FixedState::with_seed(0x7468_726f_7567_686c), FixedState::with_seed(0x696e_6520_6b65_7973)];

/// The key of a row of a table.
pub(crate) fn key(table: u8, id: &str, revision: i64) -> Key {
    SEEDS.map(|seed| seed.hash_one((table, revision, id)))
}

/// How many parts a set has. Each grows on its own, so that growing never needs twice the memory of all.
const PARTS: usize = 64;

/// Keys, of each 102 bits: two of a hundred million different ones are equal with probability 10⁻¹⁵. 13 bytes a key in tables that
/// are 44 to 88 % full.
#[derive(Debug)]
pub(crate) struct Seen(Vec<HashSet<Words, BuildHasherDefault<Uniform>>>);

#[derive(Debug, PartialEq, Eq)]
struct Words([u32; 3]);

impl Hash for Words {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let [low, high, _] = self.0;
        state.write_u64(u64::from(high) << 32 | u64::from(low));
    }
}

/// The parts of a key are uniform already.
#[derive(Debug, Default)]
struct Uniform(u64);

impl Hasher for Uniform {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

impl Seen {
    pub(crate) fn new() -> Self {
        Self((0..PARTS).map(|_| HashSet::default()).collect())
    }

    /// Remembers a key; whether it is new.
    pub(crate) fn insert(&mut self, [one, two]: Key) -> bool {
        let words = [half(one), half(one >> 32), half(two)].map(u32::from_le_bytes);
        let part = usize::from(two.to_le_bytes()[7]) % PARTS;
        self.0[part].insert(Words(words))
    }
}

/// The lower half of a number, as bytes.
fn half(number: u64) -> [u8; 4] {
    let [a, b, c, d, ..] = number.to_le_bytes();
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_tell_table_id_and_revision_apart() {
        let keys = [key(b'e', "a", 1), key(b's', "a", 1), key(b'e', "b", 1), key(b'e', "a", 2), key(b'e', "", 1)];
        let mut seen = Seen::new();
        assert!(keys.iter().all(|key| seen.insert(*key)));
        assert!(keys.iter().all(|key| !seen.insert(*key)));
        assert_eq!(key(b'e', "a", 1), keys[0]);
    }

    #[test]
    fn many_keys_are_spread_over_the_parts() {
        let mut seen = Seen::new();
        for i in 0..64_000 {
            assert!(seen.insert(key(b'e', &format!("e{i}"), 1)));
        }
        assert!(seen.0.iter().all(|part| (800..1200).contains(&part.len())));
    }
}
