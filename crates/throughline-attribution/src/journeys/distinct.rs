//! Different paths, each kept once and numbered.

use std::hash::Hasher as _;

use crate::names::ShortHasher;

const FREE: u32 = u32::MAX;

/// Paths in the order they were met, found again through an open table of their numbers.
#[derive(Debug, Clone)]
pub(super) struct Distinct {
    pub(super) offsets: Vec<usize>,
    pub(super) steps: Vec<u32>,
    slots: Vec<u32>,
}

impl Default for Distinct {
    fn default() -> Self {
        Self { offsets: vec![0], steps: Vec::new(), slots: vec![FREE; 1024] }
    }
}

impl Distinct {
    pub(super) fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    pub(super) fn path(&self, number: u32) -> &[u32] {
        let at = number as usize;
        &self.steps[self.offsets[at]..self.offsets[at + 1]]
    }

    /// The number of a path, a new one if it was not met before; `None` beyond 2^32 − 1 paths.
    pub(super) fn number(&mut self, path: &[u32]) -> Option<u32> {
        if 2 * self.len() >= self.slots.len() {
            self.grow();
        }
        let slot = self.slot(path);
        if self.slots[slot] == FREE {
            let number = u32::try_from(self.len()).ok().filter(|n| *n != FREE)?;
            self.slots[slot] = number;
            self.steps.extend_from_slice(path);
            self.offsets.push(self.steps.len());
        }
        Some(self.slots[slot])
    }

    /// Where the path is, or where it would be.
    fn slot(&self, path: &[u32]) -> usize {
        let mut hasher = ShortHasher::default();
        for step in path {
            hasher.write_u32(*step);
        }
        // The table's size is a power of two.
        let mask = self.slots.len() - 1;
        #[expect(clippy::cast_possible_truncation, reason = "any bits will do")]
        let mut slot = hasher.finish() as usize & mask;
        while self.slots[slot] != FREE && self.path(self.slots[slot]) != path {
            slot = (slot + 1) & mask;
        }
        slot
    }

    fn grow(&mut self) {
        self.slots = vec![FREE; 2 * self.slots.len()];
        for number in 0..u32::try_from(self.len()).unwrap_or(FREE) {
            let slot = self.slot(self.path(number));
            self.slots[slot] = number;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_paths_have_one_number() {
        let mut paths = Distinct::default();
        let made: Vec<Vec<u32>> =
            (0..20_000_u32).map(|i| (0..=i % 7).map(|k| (i / 3 + k * i) % 90).collect()).collect();
        let numbers: Vec<u32> = made.iter().map(|p| paths.number(p).expect("few")).collect();
        for (path, number) in made.iter().zip(&numbers) {
            assert_eq!(paths.path(*number), path);
            assert_eq!(paths.number(path), Some(*number));
        }
        let mut sorted = made.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(paths.len(), sorted.len());
    }
}
