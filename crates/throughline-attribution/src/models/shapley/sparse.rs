//! The game over any number of channels, from the coalitions that were observed.
//!
//! A coalition nobody was seen with has worth 0, so the Shapley value within a set of k channels is a sum over its
//! *observed* subsets S: r(S) · (s − 1)! (k − s)! / k! for members of S, −r(S) · s! (k − s − 1)! / k! for the others.
//! That is exact for any number of channels. Where the observed subsets of a set are too many to find, orders of its
//! channels are drawn instead.

use std::collections::HashMap;

use throughline_stats::stream::Stream;

use super::Effort;
use crate::sets::{SetOutcome, Sets};

/// Seed of the drawn orders: fixed, so that the same data have the same credits.
const SEED: u64 = 0x005a_91e7;
/// Stream of the channels' keys; those of sampled sets begin after it.
const KEYS: u64 = 0;

/// Where the games of all sets read their worths.
#[derive(Debug)]
pub(super) struct Sparse {
    /// Sets solved exactly, each with its observed subsets `found[ends[i − 1]..ends[i]]`, itself among them.
    exact: Vec<u32>,
    ends: Vec<usize>,
    found: Vec<u32>,
    sampled: Vec<Sampled>,
}

/// A set whose orders were drawn.
#[derive(Debug)]
struct Sampled {
    set: u32,
    /// Pairs of orders, each an order and its reverse.
    pairs: u32,
    /// Observed one-channel coalitions: they are counted exactly.
    singles: Vec<u32>,
    hits: Vec<Hit>,
}

/// An observed coalition met on the way through a drawn order.
#[derive(Debug, Clone, Copy)]
struct Hit {
    pair: u32,
    coalition: u32,
    /// The channel that completed it, and the one that came next.
    arrived: u32,
    next: u32,
}

/// What sampling leaves open about a channel's credits.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Open {
    /// Variance of the credit.
    pub(super) variance: f64,
    /// Σ (journeys)² / pairs over the sampled sets with the channel.
    pub(super) scale: f64,
}

impl Sparse {
    pub(super) fn new(sets: &Sets, effort: Effort) -> Self {
        let index = Index::new(sets);
        let mut order: Vec<usize> = (0..sets.len()).collect();
        order.sort_by_key(|&s| (sets.members(s).len(), s));
        let mut found = vec![Vec::new(); sets.len()];
        let mut steps = effort.exact;
        let mut beyond = Vec::new();
        for set in order {
            let cost = index.cost(sets.members(set));
            match steps.checked_sub(cost) {
                Some(left) => {
                    steps = left;
                    found[set] = index.subsets(sets.members(set));
                }
                None => beyond.push(set),
            }
        }
        beyond.sort_unstable();
        let mut sparse = Self { exact: Vec::new(), ends: Vec::new(), found: Vec::new(), sampled: Vec::new() };
        for (set, subsets) in (0..).zip(&found).filter(|(_, subsets)| !subsets.is_empty()) {
            sparse.exact.push(set);
            sparse.found.extend_from_slice(subsets);
            sparse.ends.push(sparse.found.len());
        }
        let width: usize = beyond.iter().map(|&s| sets.members(s).len()).sum();
        let pairs = (effort.drawn / width.max(1)).clamp(4, 64);
        sparse.sampled = beyond.into_iter().map(|set| index.sample(set, pairs)).collect();
        sparse
    }

    /// Number of sets whose orders were drawn.
    pub(super) fn sampled_sets(&self) -> usize {
        self.sampled.len()
    }

    /// Shapley values of the games of conversions and of value.
    pub(super) fn values(&self, sets: &Sets, outcomes: &[SetOutcome]) -> [Vec<f64>; 2] {
        [SetOutcome::rate, SetOutcome::value_rate].map(|rate| {
            let rates: Vec<f64> = outcomes.iter().map(rate).collect();
            let mut sums = vec![0.0; sets.channels()];
            self.each(sets, &rates, |set, shares| {
                for (&member, share) in sets.members(set).iter().zip(shares) {
                    sums[member as usize] += share * outcomes[set].journeys;
                }
            });
            sums
        })
    }

    /// The Shapley values of the rate game within each observed set, in the order of the sets' members.
    pub(super) fn within(&self, sets: &Sets, outcomes: &[SetOutcome]) -> Vec<f64> {
        let rates: Vec<f64> = outcomes.iter().map(SetOutcome::rate).collect();
        let mut all = vec![0.0; sets.members.len()];
        self.each(sets, &rates, |set, shares| {
            all[sets.offsets[set]..sets.offsets[set + 1]].copy_from_slice(shares);
        });
        all
    }

    /// Calls `each` with every set and the Shapley values of the rate game within it.
    fn each(&self, sets: &Sets, rates: &[f64], mut each: impl FnMut(usize, &[f64])) {
        let mut by_channel = vec![0.0; sets.channels()];
        let mut shares = Vec::new();
        let mut hand_over = |set: usize, base: f64, by_channel: &mut [f64]| {
            shares.clear();
            for &member in sets.members(set) {
                shares.push(base + by_channel[member as usize]);
                by_channel[member as usize] = 0.0;
            }
            each(set, &shares);
        };
        let mut start = 0;
        for (&set, &end) in self.exact.iter().zip(&self.ends) {
            let size = sets.members(set as usize).len();
            let mut base = 0.0;
            for &subset in &self.found[start..end] {
                let (rate, members) = (rates[subset as usize], sets.members(subset as usize));
                if rate != 0.0 {
                    let [inside, outside] = coefficients(members.len(), size);
                    base -= rate * outside;
                    for &member in members {
                        by_channel[member as usize] += rate * (inside + outside);
                    }
                }
            }
            start = end;
            hand_over(set as usize, base, &mut by_channel);
        }
        for sampled in &self.sampled {
            let base = sampled.fill(sets, rates, &mut by_channel);
            hand_over(sampled.set as usize, base, &mut by_channel);
        }
    }

    /// What the drawn orders leave open, by channel, for the game with these worths.
    pub(super) fn open(&self, sets: &Sets, rates: &[f64], outcomes: &[SetOutcome]) -> Vec<Open> {
        let mut open = vec![Open::default(); sets.channels()];
        let mut sums = vec![[0.0; 2]; sets.channels()];
        for sampled in &self.sampled {
            let pairs = f64::from(sampled.pairs);
            let mut start = 0;
            while let Some(first) = sampled.hits.get(start) {
                let length = sampled.hits[start..].iter().take_while(|h| h.pair == first.pair).count();
                let mut moved: Vec<(u32, f64)> = Vec::with_capacity(2 * length);
                for hit in &sampled.hits[start..start + length] {
                    let half = rates[hit.coalition as usize] / 2.0;
                    moved.extend([(hit.arrived, half), (hit.next, -half)]);
                }
                moved.sort_by_key(|m| m.0);
                for of_one in moved.chunk_by(|a, b| a.0 == b.0) {
                    let total: f64 = of_one.iter().map(|m| m.1).sum();
                    sums[of_one[0].0 as usize][0] += total;
                    sums[of_one[0].0 as usize][1] += total * total;
                }
                start += length;
            }
            let journeys = outcomes[sampled.set as usize].journeys;
            for &member in sets.members(sampled.set as usize) {
                let [sum, squares] = std::mem::take(&mut sums[member as usize]);
                let spread = ((squares - sum * sum / pairs) / (pairs - 1.0)).max(0.0);
                open[member as usize].variance += journeys * journeys * spread / pairs;
                open[member as usize].scale += journeys * journeys / pairs;
            }
        }
        open
    }
}

impl Sampled {
    /// Adds each channel's Shapley value to `by_channel`, less what is returned, which belongs to every member.
    fn fill(&self, sets: &Sets, rates: &[f64], by_channel: &mut [f64]) -> f64 {
        let size = sets.members(self.set as usize).len();
        // The whole set goes to whoever comes last, one channel alone to whoever comes first: known without drawing.
        let mut base = rates[self.set as usize] / size as f64;
        let [inside, outside] = coefficients(1, size);
        for &single in &self.singles {
            let rate = rates[single as usize];
            base -= rate * outside;
            by_channel[sets.members(single as usize)[0] as usize] += rate * (inside + outside);
        }
        let orders = 2.0 * f64::from(self.pairs);
        for hit in &self.hits {
            let part = rates[hit.coalition as usize] / orders;
            by_channel[hit.arrived as usize] += part;
            by_channel[hit.next as usize] -= part;
        }
        base
    }
}

/// Weights of a coalition of `s` of `k` channels: (s − 1)! (k − s)! / k! for its members, s! (k − s − 1)! / k! for the
/// others (0 when there are none).
fn coefficients(s: usize, k: usize) -> [f64; 2] {
    // 1 / (k · C(k − 1, s − 1)), term by term: never above 1.
    let chosen = s.min(k - s + 1) - 1;
    let mut inside = 1.0 / k as f64;
    for i in 0..chosen {
        inside *= (i + 1) as f64 / (k - 1 - i) as f64;
    }
    let outside = if s < k { inside * s as f64 / (k - s) as f64 } else { 0.0 };
    [inside, outside]
}

/// Finds observed sets.
struct Index<'s> {
    sets: &'s Sets,
    /// A random word for each channel; a set's key is their exclusive or.
    keys: Vec<u64>,
    /// The sets of each key: one, but for collisions.
    by_key: HashMap<u64, Vec<u32>>,
    /// The sets whose least channel is this one.
    by_least: Vec<Vec<u32>>,
    largest: usize,
}

impl<'s> Index<'s> {
    fn new(sets: &'s Sets) -> Self {
        let stream = Stream::new(SEED, KEYS);
        let keys: Vec<u64> = (0..sets.channels() as u64).map(|c| stream.u64_at(c)).collect();
        let mut by_key: HashMap<u64, Vec<u32>> = HashMap::new();
        let mut by_least = vec![Vec::new(); sets.channels()];
        for (members, set) in sets.iter().zip(0..) {
            by_key.entry(members.iter().fold(0, |key, m| key ^ keys[*m as usize])).or_default().push(set);
            if let Some(&least) = members.first() {
                by_least[least as usize].push(set);
            }
        }
        let largest = sets.iter().map(<[u32]>::len).max().unwrap_or(0);
        Self { sets, keys, by_key, by_least, largest }
    }

    /// Steps to find the observed subsets, at least.
    fn cost(&self, members: &[u32]) -> usize {
        self.by_scan(members).min(Self::by_listing(members))
    }

    fn by_scan(&self, members: &[u32]) -> usize {
        members.iter().map(|&m| 1 + self.by_least[m as usize].len()).sum()
    }

    fn by_listing(members: &[u32]) -> usize {
        1_usize.checked_shl(u32::try_from(members.len()).unwrap_or(u32::MAX)).unwrap_or(usize::MAX)
    }

    /// The observed subsets, ascending.
    fn subsets(&self, members: &[u32]) -> Vec<u32> {
        let mut found = Vec::new();
        if Self::by_listing(members) < self.by_scan(members) {
            // Gray code: each coalition differs from the one before in one channel.
            let (mut key, mut held) = (0_u64, 0_usize);
            for step in 1..1_usize << members.len() {
                let bit = step.trailing_zeros() as usize;
                key ^= self.keys[members[bit] as usize];
                held ^= 1 << bit;
                let inside = |m: u32| members.binary_search(&m).is_ok_and(|at| held >> at & 1 == 1);
                found.extend(self.find(key, held.count_ones() as usize, inside));
            }
            found.sort_unstable();
        } else {
            for &least in members {
                let within = |set: &&u32| {
                    let subset = self.sets.members(**set as usize);
                    subset.len() <= members.len() && subset.iter().all(|m| members.binary_search(m).is_ok())
                };
                found.extend(self.by_least[least as usize].iter().filter(within));
            }
        }
        found
    }

    /// The observed set with this key and size whose members all pass.
    fn find(&self, key: u64, size: usize, inside: impl Fn(u32) -> bool) -> Option<u32> {
        let same = |set: &&u32| {
            let members = self.sets.members(**set as usize);
            members.len() == size && members.iter().all(|m| inside(*m))
        };
        self.by_key.get(&key)?.iter().find(same).copied()
    }

    /// Draws orders of a set's channels, each with its reverse, and notes the observed coalitions they pass through.
    fn sample(&self, set: usize, pairs: usize) -> Sampled {
        let members = self.sets.members(set);
        let number = u32::try_from(set).unwrap_or(u32::MAX);
        let stream = Stream::new(SEED, KEYS + 1 + set as u64);
        let mut order = members.to_vec();
        let mut position = vec![0_usize; self.keys.len()];
        let mut hits = Vec::new();
        let mut counter = 0;
        for pair in (0_u32..).take(pairs) {
            for last in (1..order.len()).rev() {
                let swap = usize::try_from(stream.index_at(counter, last as u64 + 1)).unwrap_or(0);
                order.swap(last, swap);
                counter += 1;
            }
            for _ in 0..2 {
                order.reverse();
                order.iter().enumerate().for_each(|(at, &m)| position[m as usize] = at);
                self.walk(&order, &position, pair, &mut hits);
            }
        }
        let single = |&m: &u32| self.find(self.keys[m as usize], 1, |other| other == m);
        // A channel alone in its set is the whole set, which is counted as such.
        let singles = members.iter().filter(|_| members.len() > 1).filter_map(single).collect();
        Sampled { set: number, pairs: u32::try_from(pairs).unwrap_or(u32::MAX), singles, hits }
    }

    fn walk(&self, order: &[u32], position: &[usize], pair: u32, hits: &mut Vec<Hit>) {
        let mut key = order.first().map_or(0, |&m| self.keys[m as usize]);
        let longest = self.largest.min(order.len().saturating_sub(1));
        for size in 2..=longest {
            let arrived = order[size - 1];
            key ^= self.keys[arrived as usize];
            // Marks of other sets are stale, but a set of this size and key with all its members early is this one.
            let inside = |m: u32| order.get(position[m as usize]) == Some(&m) && position[m as usize] < size;
            if let Some(coalition) = self.find(key, size, inside) {
                hits.push(Hit { pair, coalition, arrived, next: order[size] });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coefficients_are_shapleys() {
        let factorial = |k: usize| (1..=k).map(|i| i as f64).product::<f64>();
        for k in 1..12 {
            for s in 1..=k {
                let inside = factorial(s - 1) * factorial(k - s) / factorial(k);
                let outside = if s < k { factorial(s) * factorial(k - s - 1) / factorial(k) } else { 0.0 };
                let got = coefficients(s, k);
                assert!((got[0] / inside - 1.0).abs() < 1e-12, "{s} of {k}: {got:?}");
                assert!((got[1] - outside).abs() < 1e-12 * outside.max(1e-300), "{s} of {k}: {got:?}");
            }
        }
        assert_eq!(coefficients(1500, 3000)[0], 0.0, "far below the smallest number, and no division by zero");
    }
}
