//! Which pairs are compared at all: those that agree on one of a few keys.
//!
//! A key is one column or two, each whole or by its first letters. Keys are chosen so that nearly every true pair agrees on
//! one of them, at the least number of pairs. How many pairs a key gives is counted on the records; how many true pairs it
//! finds follows from how often each column agrees in true pairs, as the model has it. Columns do not fail independently: who moves
//! has another street, town and postcode at once. So in every fifth imagined pair half of the columns fail beside, and a second key
//! for the same pairs is worth something.

use std::num::NonZeroUsize;

use throughline_stats::stream::Stream;

use crate::column::{Column, Kind};
use crate::groups::Groups;
use crate::parallel::map;
use crate::table::Table;

/// A blocking key: one or two slots of the table, of different columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) slots: Vec<usize>,
    /// The same as bits.
    pub(crate) mask: u64,
    /// Pairs that it gives.
    pub(crate) pairs: u64,
}

/// The chosen keys, and the share of true pairs that agree on one of them where columns fail independently.
#[derive(Debug, Clone)]
pub(crate) struct Blocking {
    pub(crate) keys: Vec<Key>,
    pub(crate) recall: f64,
}

/// True pairs that are imagined to see what keys cover.
const IMAGINED: usize = 4_096;
/// One imagined pair in so many has half of its columns fail together.
const TROUBLED: usize = 5;
/// Keys at most.
const MOST_KEYS: usize = 24;
/// What a second key is worth for a pair that has one.
const AGAIN: f64 = 0.15;
/// Keys whose further coverage is below this are not worth their pairs.
const WORTH: f64 = 5e-5;
/// Records on which pairs are counted, about.
const COUNTED: usize = 120_000;
/// Records of one group, at most: a larger one says too little.
pub(crate) const LARGEST: usize = 2_000;

impl Key {
    pub(crate) fn new(slots: Vec<usize>) -> Self {
        let mask = slots.iter().fold(0, |mask, slot| mask | 1 << slot);
        Self { slots, mask, pairs: 0 }
    }

    /// A record's value as one number; `None` where a part is missing. Different values may share a number, so agreement is
    /// looked at.
    pub(crate) fn number(&self, row: &[u32]) -> Option<u64> {
        let mut number = 0_u64;
        for slot in &self.slots {
            let value = row[*slot];
            if value == 0 {
                return None;
            }
            number = (number ^ u64::from(value)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        }
        // The upper bits decide on the group.
        Some(number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// Whether a pair agrees on the key, given the slots on which it agrees.
    pub(crate) const fn holds(&self, agreement: u64) -> bool {
        agreement & self.mask == self.mask
    }
}

/// Every key that might do within a budget of pairs, with the pairs that it gives.
pub(crate) fn candidates(table: &Table, budget: u64, threads: NonZeroUsize) -> Vec<Key> {
    let mut keys = map(&all_keys(table), threads, |key| Key { pairs: count(table, key), ..key.clone() });
    keys.retain(|key| (1..=budget).contains(&key.pairs));
    keys
}

/// Chooses among keys within a budget of pairs. `agreeing[c]` is how often column `c` has equal values in a true pair.
pub(crate) fn choose(table: &Table, candidates: &[Key], agreeing: &[f64], budget: u64) -> Blocking {
    let imagined = imagine(table, agreeing);
    let covers = |key: &Key| -> Vec<bool> { imagined.iter().map(|pair| key.holds(*pair)).collect() };
    let mut open: Vec<(&Key, Vec<bool>)> = candidates.iter().map(|key| (key, covers(key))).collect();
    let rows = table.records() as f64;
    let mut covered = vec![0_u8; IMAGINED];
    let (mut keys, mut left) = (Vec::new(), budget);
    while keys.len() < MOST_KEYS {
        let gain = |covers: &[bool]| -> f64 {
            let worth = covers.iter().zip(&covered).filter(|(c, _)| **c).map(|(_, n)| match n {
                0 => 1.0,
                1 => AGAIN,
                _ => 0.0,
            });
            worth.sum::<f64>() / IMAGINED as f64
        };
        let best = open
            .iter()
            .enumerate()
            .filter(|(_, (key, _))| key.pairs <= left)
            .map(|(place, (key, covers))| (place, gain(covers), gain(covers) / (key.pairs as f64 + 0.05 * rows)))
            .filter(|(_, gain, _)| *gain > WORTH)
            .max_by(|a, b| a.2.total_cmp(&b.2).then(b.0.cmp(&a.0)));
        let Some((place, ..)) = best else { break };
        let (key, covers) = open.remove(place);
        covered.iter_mut().zip(&covers).for_each(|(n, c)| *n = n.saturating_add(u8::from(*c)));
        left -= key.pairs;
        keys.push(key.clone());
    }
    let recall = covered.iter().filter(|n| **n > 0).count() as f64 / IMAGINED as f64;
    Blocking { keys, recall }
}

/// Single columns with many values, and pairs of columns, whole or by their beginnings.
fn all_keys(table: &Table) -> Vec<Key> {
    // A slot and its column.
    let mut slots: Vec<(usize, usize)> = Vec::new();
    for (c, column) in table.columns.iter().enumerate() {
        if column.kind != Kind::Category {
            slots.push((c, c));
        }
        slots.extend(table.beginning(c).map(|slot| (slot, c)));
    }
    let mut keys: Vec<Key> = slots.iter().map(|(slot, _)| Key::new(vec![*slot])).collect();
    for (i, (a, of_a)) in slots.iter().enumerate() {
        let others = slots[i + 1..].iter().filter(|(_, of_b)| of_b != of_a);
        keys.extend(others.map(|(b, _)| Key::new(vec![*a, *b])));
    }
    keys
}

/// How often columns agree in true pairs, drawn: for each pair the slots in which it agrees.
fn imagine(table: &Table, agreeing: &[f64]) -> Vec<u64> {
    let stream = Stream::new(0x0b10_c4e4, 1);
    let pair = |pair: usize| {
        let mut agreement = 0_u64;
        let troubled = pair.is_multiple_of(TROUBLED);
        for (c, share) in agreeing.iter().enumerate() {
            let at = |slot: usize| stream.uniform_at(((pair * agreeing.len() + c) * 4 + slot) as u64);
            let fails = troubled && at(2) < 0.5;
            let whole = !fails && at(0) < *share;
            // Half of the mistakes come after the first letters.
            let begins = !fails && at(0) < presence(&table.columns[c]) && at(1) < 0.5;
            agreement |= u64::from(whole) << c;
            if let Some(slot) = table.beginning(c) {
                agreement |= u64::from(whole || begins) << slot;
            }
        }
        agreement
    };
    (0..IMAGINED).map(pair).collect()
}

/// The chance that both records of a pair have a value.
fn presence(column: &Column) -> f64 {
    (column.present() as f64 / column.records.max(1) as f64).powi(2)
}

/// How often a column has equal values in true pairs, before anything is known: where both have one, in 85 of a hundred.
pub(crate) fn first_guess(columns: &[Column]) -> Vec<f64> {
    columns.iter().map(|c| 0.85 * presence(c)).collect()
}

/// The pairs that a key gives, groups that are too large left out. In a large table some records are counted, and the pairs are
/// theirs times the square of their part.
fn count(table: &Table, key: &Key) -> u64 {
    let step = table.records().div_ceil(COUNTED).max(1);
    let largest = (LARGEST / step).max(2);
    let groups = Groups::new(table, key, step, largest);
    // A key most of whose records lie in groups that are left out finds few of the pairs that agree on it.
    if 2 * groups.left_out().len() > groups.records() {
        return 0;
    }
    let pairs: u64 = groups.iter().map(|g| g.len() as u64 * (g.len() as u64 - 1) / 2).sum();
    pairs.saturating_mul((step * step) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apart::Apart;
    use crate::raw::RawColumn;

    fn column(name: &str, of: &dyn Fn(usize) -> String) -> Column {
        Column::of(&RawColumn::of(name, (0..2_000).map(of)))
    }

    #[test]
    fn keys_cover_nearly_all_pairs_within_the_budget() {
        let columns = vec![
            column("email", &|i| format!("p{}@x.example", i / 2)),
            column("name", &|i| format!("{}{}", "abcdefghij".repeat(1 + i / 2 % 3), i / 2 % 300)),
            column("born", &|i| format!("19{:02}-{:02}-{:02}", i / 2 % 90, 1 + i / 2 % 12, 1 + i / 2 % 28)),
        ];
        let table = Table::new(columns, Apart::default(), NonZeroUsize::MIN);
        let of = |budget| {
            let candidates = candidates(&table, budget, NonZeroUsize::MIN);
            choose(&table, &candidates, &[0.8, 0.8, 0.8], budget)
        };
        let chosen = of(40_000);
        assert!(chosen.recall > 0.9, "{chosen:?}");
        assert!(chosen.keys.iter().map(|k| k.pairs).sum::<u64>() <= 40_000);
        // The address alone gives a thousand pairs, all of them true.
        assert!(chosen.keys.iter().any(|k| k.slots == [0] && k.pairs == 1_000));
        let poor = of(1_500);
        assert!(poor.recall < chosen.recall && poor.keys.len() < chosen.keys.len());
    }

    #[test]
    fn missing_values_agree_with_nothing() {
        let table = Table::new(
            vec![column("name", &|i| if i == 3 { "smith".into() } else { String::new() })],
            Apart::default(),
            NonZeroUsize::MIN,
        );
        let key = Key::new(vec![0]);
        assert_eq!(key.number(table.row(0)), None);
        assert!(!key.holds(table.agreement(0, 1)) && key.holds(table.agreement(3, 3)));
    }
}
