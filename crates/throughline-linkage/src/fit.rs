//! The model found without labels.
//!
//! - `u` comes from random pairs; that of equal values exactly, as `Σ_v (n_v / n)²`.
//! - `m` comes from the pairs of each blocking key by expectation–maximisation over the columns that are not in the key, `u` held.
//!   What keys find is averaged by their expected true pairs.
//! - Then columns that say the same twice are given parents ([`depend`](crate::depend)).

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use throughline_stats::stream::Stream;

use crate::block::Key;
use crate::compare::{EQUAL, LEVELS, level};
use crate::depend::{self, Draws, Known, TruePairs};
use crate::em::{Begin, Levels, Pattern, expect_and_maximise, level_of, plausible, probability};
use crate::model::{Given, Model, State, pattern};
use crate::pairs::{self, Comes};
use crate::parallel::{each_mut, map};
use crate::table::Table;

/// Random pairs from which `u` is counted.
const RANDOM: u64 = 200_000;
/// Pairs of a key from which `m` is found, about.
const LEARNED: u64 = 30_000;

/// True pairs are equal in a column at least so often, and different at most so often.
const PLAUSIBLE: (f64, f64) = (0.2, 0.4);
/// Rounds in which parents are sought and the true pairs found again.
const ROUNDS: usize = 4;
/// Rounds for the share of true pairs of a key.
const SHARES: usize = 20;

/// What a key says: the columns it holds and does not hold, and the patterns of its pairs with who is probable.
struct Keyed<'a> {
    key: &'a Key,
    held: Vec<usize>,
    free: Vec<usize>,
    /// Levels, pairs that have them, and the probability that those are true.
    patterns: Vec<(Pattern, f64, f64)>,
    /// Share of true pairs.
    share: f64,
}

/// Finds the model from the pairs of some keys.
pub(crate) fn fit(table: &Table, keys: &[Key], threads: NonZeroUsize) -> Model {
    let u = random_levels(table, threads);
    let count = table.columns.len();
    let patterns = patterns(table, keys, threads);
    let places: Vec<usize> = (0..keys.len()).collect();
    let learnt = map(&places, threads, |place| learn(table, &keys[*place], &patterns[*place], &u));
    let mut keyed: Vec<Keyed<'_>> = learnt.into_iter().flatten().collect();
    let draws = Draws::new(table, threads);
    let mut m = vec![first_m(); count];
    let mut givens = Vec::new();
    for round in 0..ROUNDS {
        if round > 0 {
            each_mut(&mut keyed, threads, |keyed| keyed.look_again(&givens));
        }
        let expected = share(guess(table, &m, &keyed)) * all_pairs(table);
        m = average(count, &keyed, expected);
        if round == 0 {
            givens = (0..count).map(|c| Given::alone(m[c], u[c])).collect();
        }
        let true_pairs = keyed.iter().map(|k| k.true_pairs(expected)).collect();
        let known = Known { m: &m, u: &u, true_pairs, log_odds: guess(table, &m, &keyed) };
        givens = depend::find(table, &known, &draws, givens, threads);
    }
    Model::new(&table.columns, givens)
}

/// Finds what a key says of the columns it does not hold, taken as independent.
fn learn<'a>(table: &Table, key: &'a Key, patterns: &BTreeMap<Pattern, f64>, u: &Levels) -> Option<Keyed<'a>> {
    let (held, free): (Vec<usize>, Vec<usize>) =
        (0..table.columns.len()).partition(|c| key.slots.iter().any(|slot| table.column_of(*slot).0 == *c));
    if free.len() < 2 {
        return None;
    }
    let found = expect_and_maximise(patterns, &free, &begin(u));
    let stands_for = key.pairs as f64 / patterns.values().sum::<f64>().max(1.0);
    let probable = |(levels, n): (&Pattern, &f64)| (*levels, n * stands_for, probability(&found, *levels, &free));
    let patterns = patterns.iter().map(probable).collect();
    Some(Keyed { key, held, free, patterns, share: found.share })
}

impl Keyed<'_> {
    /// Expected true pairs.
    fn mass(&self) -> f64 {
        self.patterns.iter().map(|(_, pairs, p)| pairs * p).sum()
    }

    /// What its true pairs count: as many as there can be, and the more the purer they are. Among pairs that share a name, columns
    /// made of it pass for true ones; such a key holds more of them than there are, and few that are sure.
    fn counts(&self, expected: f64) -> f64 {
        let mass = self.mass();
        if mass > 0.0 { mass.min(expected) * self.share / mass } else { 0.0 }
    }

    /// How many true pairs have which levels.
    fn true_pairs(&self, expected: f64) -> TruePairs {
        let counts = self.counts(expected);
        let pairs = self.patterns.iter().map(|(levels, pairs, p)| (*levels, counts * pairs * p)).collect();
        TruePairs { free: self.free.clone(), pairs }
    }

    /// Finds again who is probable, now that columns have parents. All pairs agree on what the key holds.
    fn look_again(&mut self, givens: &[Given]) {
        let Self { held, free, patterns, share, .. } = self;
        let odds = |levels: Pattern| -> f64 {
            let of = |c: &usize| {
                let l = level_of(levels, *c);
                let state = match givens[*c].parent {
                    None => State::Free,
                    Some(p) if held.contains(&p) => State::Equal,
                    Some(p) => State::of(level_of(levels, p)),
                } as usize;
                // A parent of what the key holds agrees with it, whoever they are.
                let said = held.iter().any(|h| givens[*h].parent == Some(*c));
                if l == 0 || said { 1.0 } else { givens[*c].m[state][l] / givens[*c].u[state][l] }
            };
            free.iter().map(of).product::<f64>().min(1e30)
        };
        let all: Vec<(f64, f64)> = patterns.iter().map(|(levels, pairs, _)| (odds(*levels), *pairs)).collect();
        let total: f64 = all.iter().map(|(_, pairs)| pairs).sum();
        let probable = |odds: f64, share: f64| share * odds / (share * odds + 1.0 - share);
        for _ in 0..SHARES {
            let matches: f64 = all.iter().map(|(odds, pairs)| pairs * probable(*odds, *share)).sum();
            *share = (matches / total.max(1.0)).clamp(1e-6, 1.0 - 1e-6);
        }
        for ((.., p), (odds, _)) in patterns.iter_mut().zip(&all) {
            *p = probable(*odds, *share);
        }
    }
}

/// `m` averaged over keys by what their true pairs count.
fn average(columns: usize, keyed: &[Keyed<'_>], expected: f64) -> Levels {
    let mut sums = vec![[0.0; LEVELS]; columns];
    for TruePairs { free, pairs } in keyed.iter().map(|k| k.true_pairs(expected)) {
        for (levels, pairs) in pairs {
            for c in &free {
                sums[*c][level_of(levels, *c)] += pairs;
            }
        }
    }
    let one = |sums: &[f64; LEVELS]| {
        let whole: f64 = sums[1..].iter().sum();
        let first = first_m();
        // Two pairs' worth of what is usual: nothing is impossible.
        let mut m = std::array::from_fn(|l| if l == 0 { 0.0 } else { (sums[l] + 2.0 * first[l]) / (whole + 2.0) });
        plausible(&mut m, PLAUSIBLE);
        m
    };
    sums.iter().map(one).collect()
}

fn all_pairs(table: &Table) -> f64 {
    let records = table.records() as f64;
    (records * (records - 1.0) / 2.0).max(1.0)
}

/// The share that log-odds tell.
fn share(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

/// A guess at the share of true pairs among all, as log-odds: from each key the true pairs that it should have found of so many, the
/// median over keys.
fn guess(table: &Table, m: &Levels, keyed: &[Keyed<'_>]) -> f64 {
    let all = all_pairs(table);
    let mut shares: Vec<f64> = keyed
        .iter()
        .map(|k| {
            let agrees = |slot: &usize| {
                let (c, beginning) = table.column_of(*slot);
                let column = &table.columns[c];
                let presence = (column.present() as f64 / column.records.max(1) as f64).powi(2);
                presence * (m[c][EQUAL as usize] + if beginning { 0.5 * m[c][4] } else { 0.0 })
            };
            let agree: f64 = k.key.slots.iter().map(agrees).product();
            (k.mass() / agree.max(1e-3) / all).clamp(1.0 / all, 0.5)
        })
        .collect();
    shares.sort_by(f64::total_cmp);
    let share = shares.get(shares.len() / 2).copied().unwrap_or(1.0 / all);
    (share / (1.0 - share)).ln()
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

const fn first_m() -> [f64; LEVELS] {
    [0.0, 0.05, 0.03, 0.03, 0.07, 0.82]
}

fn begin(u: &Levels) -> Begin {
    let m = vec![first_m(); u.len()];
    Begin {
        m,
        u: u.clone(),
        share: 0.3,
        free_u: false,
        added: 0.02,
        equal_and_different: PLAUSIBLE,
        still: 1e-4,
        rounds: 60,
    }
}
