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
use crate::pairs;

/// A part of a key: a column, whole or by its first letters (or, for dates, the year and month).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Part {
    pub(crate) column: usize,
    pub(crate) prefix: bool,
}

/// A blocking key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) parts: Vec<Part>,
    /// Pairs that it gives.
    pub(crate) pairs: u64,
}

/// The chosen keys, and the share of true pairs that agree on one of them where columns fail independently.
#[derive(Debug, Clone)]
pub(crate) struct Blocking {
    pub(crate) keys: Vec<Key>,
    pub(crate) recall: f64,
}

/// First letters of a prefix.
const LETTERS: usize = 4;
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

/// For each column the codes of prefixes, by code; empty where a column has none.
pub(crate) fn prefixes(columns: &[Column]) -> Vec<Vec<u32>> {
    columns.iter().map(prefix_codes).collect()
}

fn prefix_codes(column: &Column) -> Vec<u32> {
    let letters = match column.kind {
        Kind::Text | Kind::Email => LETTERS,
        // Year and month.
        Kind::Date => 6,
        Kind::Address => 7,
        Kind::Digits | Kind::Category => return Vec::new(),
    };
    let mut places = std::collections::HashMap::new();
    (0..column.counts.len())
        .map(|code| {
            if code == 0 {
                return 0;
            }
            let text = column.text(u32::try_from(code).unwrap_or(0));
            let next = u32::try_from(places.len() + 1).unwrap_or(u32::MAX);
            *places.entry(&text[..text.len().min(letters)]).or_insert(next)
        })
        .collect()
}

/// The value of a key's part for a record; 0 where it is missing.
pub(crate) fn value(columns: &[Column], prefixes: &[Vec<u32>], part: Part, record: usize) -> u32 {
    let code = columns[part.column].codes[record];
    if part.prefix { prefixes[part.column].get(code as usize).copied().unwrap_or(0) } else { code }
}

/// A record's key as one number; `None` where a part is missing. Different keys may share a number, so equality is looked at.
pub(crate) fn number(columns: &[Column], prefixes: &[Vec<u32>], key: &Key, record: usize) -> Option<u64> {
    let mut number = 0_u64;
    for part in &key.parts {
        let value = value(columns, prefixes, *part, record);
        if value == 0 {
            return None;
        }
        number = (number ^ u64::from(value)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    }
    Some(number)
}

/// Whether two records agree on a key.
pub(crate) fn agree(columns: &[Column], prefixes: &[Vec<u32>], key: &Key, a: usize, b: usize) -> bool {
    key.parts.iter().all(|part| {
        let of = |record| value(columns, prefixes, *part, record);
        of(a) != 0 && of(a) == of(b)
    })
}

/// Chooses keys within a budget of pairs. `agreeing[c]` is how often column `c` has equal values in a true pair.
pub(crate) fn choose(
    columns: &[Column],
    prefixes: &[Vec<u32>],
    agreeing: &[f64],
    budget: u64,
    threads: NonZeroUsize,
) -> Blocking {
    let mut candidates: Vec<(Key, Vec<bool>)> = Vec::new();
    let imagined = imagine(columns, agreeing);
    let all = all_parts(columns, prefixes);
    for key in pairs::map(&all, threads, |parts| count(columns, prefixes, parts)) {
        if key.pairs > 0 && key.pairs <= budget {
            let covers =
                imagined.iter().map(|pair| key.parts.iter().all(|p| pair[2 * p.column + usize::from(p.prefix)]));
            let covers: Vec<bool> = covers.collect();
            candidates.push((key, covers));
        }
    }
    let rows = columns.first().map_or(0, |c| c.codes.len()) as f64;
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
        let best = candidates
            .iter()
            .enumerate()
            .filter(|(_, (key, _))| key.pairs <= left)
            .map(|(place, (key, covers))| (place, gain(covers), gain(covers) / (key.pairs as f64 + 0.05 * rows)))
            .filter(|(_, gain, _)| *gain > WORTH)
            .max_by(|a, b| a.2.total_cmp(&b.2).then(b.0.cmp(&a.0)));
        let Some((place, ..)) = best else { break };
        let (key, covers) = candidates.remove(place);
        covered.iter_mut().zip(&covers).for_each(|(n, c)| *n = n.saturating_add(u8::from(*c)));
        left -= key.pairs;
        keys.push(key);
    }
    let recall = covered.iter().filter(|n| **n > 0).count() as f64 / IMAGINED as f64;
    Blocking { keys, recall }
}

/// Every key that might do: single columns with many values, and pairs of columns.
fn all_parts(columns: &[Column], prefixes: &[Vec<u32>]) -> Vec<Vec<Part>> {
    let part = |column, prefix| Part { column, prefix };
    let mut parts: Vec<Part> = Vec::new();
    for (c, column) in columns.iter().enumerate() {
        if column.kind != Kind::Category {
            parts.push(part(c, false));
        }
        if !prefixes[c].is_empty() {
            parts.push(part(c, true));
        }
    }
    let mut keys: Vec<Vec<Part>> = parts.iter().map(|p| vec![*p]).collect();
    for (i, a) in parts.iter().enumerate() {
        let others = parts[i + 1..].iter().filter(|b| b.column != a.column);
        keys.extend(others.map(|b| vec![*a, *b]));
    }
    keys
}

/// How often columns agree in true pairs, drawn: for each pair and column whether it agrees whole, and by prefix.
fn imagine(columns: &[Column], agreeing: &[f64]) -> Vec<Vec<bool>> {
    let stream = Stream::new(0x0b10_c4e4, 1);
    (0..IMAGINED)
        .map(|pair| {
            let mut agrees = Vec::with_capacity(2 * columns.len());
            let troubled = pair.is_multiple_of(TROUBLED);
            for (c, share) in agreeing.iter().enumerate() {
                let at = |slot: usize| stream.uniform_at(((pair * columns.len() + c) * 4 + slot) as u64);
                let fails = troubled && at(2) < 0.5;
                let whole = !fails && at(0) < *share;
                // Half of the mistakes come after the first letters.
                let begins = !fails && at(0) < presence(&columns[c]) && at(1) < 0.5;
                agrees.extend([whole, whole || begins]);
            }
            agrees
        })
        .collect()
}

/// The chance that both records of a pair have a value.
fn presence(column: &Column) -> f64 {
    (column.present() as f64 / column.codes.len().max(1) as f64).powi(2)
}

/// How often a column has equal values in true pairs, before anything is known: where both have one, in 85 of a hundred.
pub(crate) fn first_guess(columns: &[Column]) -> Vec<f64> {
    columns.iter().map(|c| 0.85 * presence(c)).collect()
}

/// A key with the pairs that it gives, groups that are too large left out. In a large table some records are counted, and the
/// pairs are theirs times the square of their part.
fn count(columns: &[Column], prefixes: &[Vec<u32>], parts: &[Part]) -> Key {
    let key = Key { parts: parts.to_vec(), pairs: 0 };
    let rows = columns.first().map_or(0, |c| c.codes.len());
    let step = rows.div_ceil(COUNTED).max(1);
    let mut numbers: Vec<u64> = (0..rows).step_by(step).filter_map(|r| number(columns, prefixes, &key, r)).collect();
    numbers.sort_unstable();
    let groups = numbers.chunk_by(|a, b| a == b).map(|g| g.len() as u64);
    let pairs: u64 = groups.filter(|n| *n <= (LARGEST / step).max(2) as u64).map(|n| n * (n - 1) / 2).sum();
    Key { pairs: pairs.saturating_mul((step * step) as u64), ..key }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::column::RawColumn;

    fn column(name: &str, of: &dyn Fn(usize) -> String) -> Column {
        Column::new(&RawColumn::of(name, (0..2_000).map(of)))
    }

    #[test]
    fn keys_cover_nearly_all_pairs_within_the_budget() {
        let columns = vec![
            column("email", &|i| format!("p{}@x.example", i / 2)),
            column("name", &|i| format!("{}{}", "abcdefghij".repeat(1 + i / 2 % 3), i / 2 % 300)),
            column("born", &|i| format!("19{:02}-{:02}-{:02}", i / 2 % 90, 1 + i / 2 % 12, 1 + i / 2 % 28)),
        ];
        let prefixes = prefixes(&columns);
        let agreeing = [0.8, 0.8, 0.8];
        let chosen = choose(&columns, &prefixes, &agreeing, 40_000, NonZeroUsize::MIN);
        assert!(chosen.recall > 0.9, "{chosen:?}");
        assert!(chosen.keys.iter().map(|k| k.pairs).sum::<u64>() <= 40_000);
        // The address alone gives a thousand pairs, all of them true.
        assert!(chosen.keys.iter().any(|k| k.parts == [Part { column: 0, prefix: false }] && k.pairs == 1_000));
        let poor = choose(&columns, &prefixes, &agreeing, 1_500, NonZeroUsize::MIN);
        assert!(poor.recall < chosen.recall && poor.keys.len() < chosen.keys.len());
    }

    #[test]
    fn missing_values_agree_with_nothing() {
        let columns = vec![column("name", &|i| if i == 3 { "smith".into() } else { String::new() })];
        let key = Key { parts: vec![Part { column: 0, prefix: false }], pairs: 0 };
        assert_eq!(number(&columns, &[vec![]], &key, 0), None);
        assert!(!agree(&columns, &[vec![]], &key, 0, 1) && agree(&columns, &[vec![]], &key, 3, 3));
    }
}
