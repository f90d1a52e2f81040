//! How well people were found, where the truth is known.

use std::collections::HashMap;
use std::hash::Hash;

use serde::Serialize;

/// Pairs of records by what is true and what was found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PairQuality {
    /// Pairs of one person.
    pub true_pairs: u64,
    /// Pairs that were found to be.
    pub found_pairs: u64,
    /// Pairs found that are.
    pub right_pairs: u64,
    /// Share of found pairs that are right; 1 where none was found.
    pub precision: f64,
    /// Share of true pairs that were found; 1 where there are none.
    pub recall: f64,
    /// Harmonic mean of both.
    pub f1: f64,
}

/// Compares two groupings of the same records by their pairs, counted from group sizes. With `sources` only pairs across two
/// sources count.
pub fn pair_quality<T: Hash + Eq + Copy>(truth: &[T], found: &[u32], sources: Option<&[u32]>) -> PairQuality {
    let count = |by_truth: bool, by_found: bool| -> u64 {
        let pairs = |with_source: bool| -> u64 {
            let mut groups: HashMap<(Option<T>, u32, u32), u64> = HashMap::new();
            for (place, (t, f)) in truth.iter().zip(found).enumerate() {
                let source = if with_source { sources.map_or(0, |s| s[place]) } else { 0 };
                let key = (by_truth.then_some(*t), if by_found { *f } else { 0 }, source);
                *groups.entry(key).or_default() += 1;
            }
            groups.values().map(|n| n * (n - 1) / 2).sum()
        };
        pairs(false) - if sources.is_some() { pairs(true) } else { 0 }
    };
    let (true_pairs, found_pairs, right_pairs) = (count(true, false), count(false, true), count(true, true));
    let ratio = |a: u64, b: u64| if b == 0 { 1.0 } else { a as f64 / b as f64 };
    let (precision, recall) = (ratio(right_pairs, found_pairs), ratio(right_pairs, true_pairs));
    let sum = precision + recall;
    let f1 = if sum == 0.0 { 0.0 } else { 2.0 * precision * recall / sum };
    PairQuality { true_pairs, found_pairs, right_pairs, precision, recall, f1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_counted_from_groups() {
        let q = pair_quality(&[1, 1, 1, 2, 2], &[0, 0, 2, 2, 2], None);
        assert_eq!((q.true_pairs, q.found_pairs, q.right_pairs), (4, 4, 2));
        assert_eq!((q.precision, q.recall, q.f1), (0.5, 0.5, 0.5));
        // Across sources only: (0, 2) and (1, 2) are true, (2, 4) was found.
        let q = pair_quality(&[1, 1, 1, 2, 2], &[0, 0, 2, 2, 2], Some(&[0, 0, 1, 1, 0]));
        assert_eq!((q.true_pairs, q.found_pairs, q.right_pairs), (3, 2, 1));
    }
}
