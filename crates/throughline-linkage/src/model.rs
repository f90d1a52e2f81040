//! The model of Fellegi and Sunter (1969), found without labels.
//!
//! In true pairs column `c` agrees to level `l` with probability `m_c(l)`, in others with `u_c(l)`, columns independent of each
//! other within either kind. A pair's weight is `Σ_c ln m_c(l) / u_c(l)`, missing values left out, and its probability that of
//! the odds `λ / (1 − λ) · e^weight`.
//!
//! - `u` comes from random pairs; that of equal values exactly, as `Σ_v (n_v / n)²`.
//! - `m` comes from the pairs of each blocking key by expectation–maximisation over the columns that are not in the key, `u` held.
//!   What keys find is averaged by their expected true pairs.
//! - Equal values count by how rare they are: `u` is the value's own frequency.
//! - `λ` is what makes the expected number of true pairs agree with itself.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use serde::Serialize;
use throughline_stats::stream::Stream;

use crate::block::Key;
use crate::column::{Column, Kind};
use crate::compare::{EQUAL, LEVELS, level};
use crate::em::{Begin, Found, Levels, Pattern, expect_and_maximise};
use crate::pairs::{self, Comes};
use crate::parallel::map;
use crate::table::Table;

/// Random pairs from which `u` is counted.
const RANDOM: u64 = 200_000;
/// Pairs of a key from which `m` is found, about.
const LEARNED: u64 = 30_000;
/// Weights stay within this, in nats: nothing is certain.
const BOUND: f64 = 14.0;

/// Probabilities of levels in true pairs and in others.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Probabilities {
    /// The column.
    pub column: String,
    /// In true pairs, by level; level 0 (missing) is left out of the sum.
    pub m: [f64; LEVELS],
    /// In other pairs.
    pub u: [f64; LEVELS],
}

/// The fitted model.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    pub(crate) columns: Vec<Probabilities>,
    /// Weights by column and level, in nats; that of equal values is by code.
    weights: Vec<[f64; LEVELS]>,
    equal: Vec<Vec<f32>>,
    /// The largest weight of a level below equal.
    near: Vec<f64>,
    /// The order in which columns that are not equal are compared: the cheapest first.
    order: Vec<usize>,
}

impl Model {
    pub(crate) fn fit(table: &Table, keys: &[Key], threads: NonZeroUsize) -> Self {
        let u = random_levels(table, threads);
        let count = table.columns.len();
        let mut sums = vec![[0.0; LEVELS]; count];
        let mut masses = vec![0.0; count];
        let by_key = patterns(table, keys, threads);
        let learn = |(key, patterns): &(&Key, BTreeMap<Pattern, f64>)| {
            let used = |c: &usize| key.slots.iter().any(|slot| table.column_of(*slot).0 == *c);
            let free: Vec<usize> = (0..count).filter(|c| !used(c)).collect();
            (free.len() > 1).then(|| (expect_and_maximise(patterns, &free, &begin(&u)), free))
        };
        let keyed: Vec<(&Key, BTreeMap<Pattern, f64>)> = keys.iter().zip(by_key).collect();
        let learnt = map(&keyed, threads, learn);
        for ((key, patterns), (Found { m, matches, .. }, free)) in
            keyed.iter().zip(learnt).filter_map(|(k, l)| Some((k, l?)))
        {
            let total: f64 = patterns.values().sum();
            let mass = matches * key.pairs as f64 / total.max(1.0);
            for c in free {
                masses[c] += mass;
                sums[c].iter_mut().zip(m[c]).for_each(|(s, m)| *s += mass * m);
            }
        }
        let m: Levels =
            (0..count).map(|c| if masses[c] > 0.0 { sums[c].map(|s| s / masses[c]) } else { first_m() }).collect();
        Self::new(&table.columns, &m, &u)
    }

    fn new(columns: &[Column], m: &[[f64; LEVELS]], u: &[[f64; LEVELS]]) -> Self {
        let weight = |m: f64, u: f64| (m / u).ln().clamp(-BOUND, BOUND);
        let weights: Vec<[f64; LEVELS]> = m
            .iter()
            .zip(u)
            .map(|(m, u)| std::array::from_fn(|l| if l == 0 { 0.0 } else { weight(m[l], u[l]) }))
            .collect();
        let equal = columns
            .iter()
            .enumerate()
            .map(|(c, column)| {
                let n = column.present().max(1) as f64;
                let rare = |count: u32| weight(m[c][EQUAL as usize], f64::from(count.max(2)) / n);
                #[expect(clippy::cast_possible_truncation, reason = "seven digits of a weight are enough")]
                column.counts.iter().map(|count| rare(*count) as f32).collect()
            })
            .collect();
        let near = weights.iter().map(|w| w[1..EQUAL as usize].iter().fold(f64::MIN, |a, b| a.max(*b))).collect();
        let mut order: Vec<usize> = (0..columns.len()).collect();
        order.sort_by_key(|c| (cost(columns[*c].kind), *c));
        let columns = columns.iter().zip(m.iter().zip(u));
        let columns = columns.map(|(c, (m, u))| Probabilities { column: c.name.clone(), m: *m, u: *u }).collect();
        Self { columns, weights, equal, near, order }
    }

    /// How often columns have equal values in true pairs, missing ones counted as not equal.
    pub(crate) fn agreeing(&self, columns: &[Column]) -> Vec<f64> {
        let presence = |c: &Column| (c.present() as f64 / c.records.max(1) as f64).powi(2);
        columns.iter().zip(&self.columns).map(|(c, p)| presence(c) * p.m[EQUAL as usize]).collect()
    }

    /// The weight of a pair in nats, or `None` as soon as it is certain to be below `least`.
    pub(crate) fn weigh(&self, table: &Table, a: u32, b: u32, least: f64) -> Option<f64> {
        let (a, b) = (table.row(a), table.row(b));
        let (mut sum, mut may) = (0.0, 0.0);
        let mut open = 0_u64;
        for (c, column) in table.columns.iter().enumerate() {
            let (x, y) = (a[c], b[c]);
            if x == 0 || y == 0 {
                continue;
            }
            if x == y {
                sum += f64::from(self.equal[c][x as usize]);
            } else if column.kind == Kind::Category {
                sum += self.weights[c][1];
            } else {
                open |= 1 << c;
                may += self.near[c];
            }
        }
        for c in self.order.iter().filter(|c| open >> **c & 1 == 1) {
            if sum + may < least {
                return None;
            }
            let l = level(&table.columns[*c], a[*c], b[*c]);
            sum += self.weights[*c][usize::from(l)];
            may -= self.near[*c];
        }
        (sum >= least).then_some(sum)
    }
}

/// How dear a comparison is.
const fn cost(kind: Kind) -> u8 {
    match kind {
        Kind::Category => 0,
        Kind::Date | Kind::Digits => 1,
        Kind::Text => 2,
        Kind::Email => 3,
        Kind::Address => 4,
    }
}

/// Levels of random pairs of records, by column, as probabilities.
fn random_levels(table: &Table, threads: NonZeroUsize) -> Levels {
    let rows = table.records() as u64;
    let places: Vec<usize> = (0..table.columns.len()).collect();
    map(&places, threads, |place| {
        let column = &table.columns[*place];
        let stream = Stream::new(0x5eed_0002, 2);
        let mut counts = [0.0; LEVELS];
        for pair in 0..RANDOM.min(rows * rows) {
            let at = |slot| u32::try_from(stream.index_at(2 * pair + slot, rows)).unwrap_or(0);
            let (a, b) = (at(0), at(1));
            if a != b && !table.apart.holds(a, b) {
                counts[usize::from(level(column, table.row(a)[*place], table.row(b)[*place]))] += 1.0;
            }
        }
        let n = column.present().max(1) as f64;
        let equal: f64 = column.counts[1..].iter().map(|count| (f64::from(*count) / n).powi(2)).sum();
        let other: f64 = counts[1..EQUAL as usize].iter().sum();
        let mut u = [0.0; LEVELS];
        for l in 1..EQUAL as usize {
            // Half a pair for what was not seen: nothing is impossible.
            u[l] = (counts[l] + 0.5) / (other + 2.0) * (1.0 - equal);
        }
        u[EQUAL as usize] = equal.max(1e-9);
        u
    })
}

/// How often each pattern stands among the pairs of each key; of a large key among some of them.
fn patterns(table: &Table, keys: &[Key], threads: NonZeroUsize) -> Vec<BTreeMap<Pattern, f64>> {
    let parts = pairs::each(
        table,
        keys,
        Comes::WithEachKey,
        threads,
        |place| (place, BTreeMap::new()),
        |(place, counts): &mut (usize, BTreeMap<Pattern, f64>), a, b| {
            let step = (keys[*place].pairs / LEARNED).max(1);
            let mixed = (u64::from(a) << 32 | u64::from(b)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
            if mixed.is_multiple_of(step) {
                *counts.entry(pattern(table, a, b)).or_default() += 1.0;
            }
        },
    );
    let mut all = vec![BTreeMap::new(); keys.len()];
    for (place, counts) in parts {
        for (pattern, count) in counts {
            *all[place].entry(pattern).or_default() += count;
        }
    }
    all
}

pub(crate) fn pattern(table: &Table, a: u32, b: u32) -> Pattern {
    let (a, b) = (table.row(a), table.row(b));
    let levels = table.columns.iter().enumerate();
    levels.fold(0, |sum, (c, column)| sum | u64::from(level(column, a[c], b[c])) << (3 * c))
}

const fn first_m() -> [f64; LEVELS] {
    [0.0, 0.05, 0.03, 0.03, 0.07, 0.82]
}

fn begin(u: &Levels) -> Begin {
    let m = vec![first_m(); u.len()];
    Begin { m, u: u.clone(), share: 0.3, free_u: false, added: 0.02, still: 1e-4, rounds: 60 }
}

/// The share of true pairs among all pairs, as log-odds: at it the expected number of true pairs is that of the pairs weighed.
/// `weights` are of all pairs that might be true; `all` is how many pairs there are.
pub(crate) fn prior(weights: &[f64], all: f64) -> f64 {
    let mut log_odds = (1.0 / all.sqrt().max(2.0)).ln();
    for _ in 0..100 {
        let expected: f64 = weights.iter().map(|w| 1.0 / (1.0 + (-(w + log_odds)).exp())).sum();
        let share = (expected.max(0.5) / all).min(0.5);
        let next = (share / (1.0 - share)).ln();
        if (next - log_odds).abs() < 1e-6 {
            return next;
        }
        log_odds = next;
    }
    log_odds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prior_agrees_with_itself() {
        let weights: Vec<f64> = (0..100).map(|_| 30.0).chain((0..1_000).map(|_| -5.0)).collect();
        let log_odds = prior(&weights, 1e6);
        assert!((log_odds - (1e-4_f64 / (1.0 - 1e-4)).ln()).abs() < 1e-3, "{log_odds}");
    }
}
