//! The different sets of channels that a table's paths hold, and the outcomes of each.

use std::collections::HashMap;

use throughline_stats::sum::ExactSum;

use crate::model::Accumulate;
use crate::rule::Tally;
use crate::{PathTable, Summation, Units};

/// Up to so many channels, sets are looked up by their bits.
pub(crate) const DENSE_CHANNELS: usize = 20;

/// Outcomes of all journeys that hold exactly one set of channels.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct SetOutcome {
    pub(crate) conversions: f64,
    pub(crate) value: f64,
    /// Conversions and nulls.
    pub(crate) journeys: f64,
}

impl SetOutcome {
    /// Conversions a journey; 0 without journeys.
    pub(crate) fn rate(&self) -> f64 {
        if self.journeys > 0.0 { self.conversions / self.journeys } else { 0.0 }
    }

    /// Value a journey; 0 without journeys.
    pub(crate) fn value_rate(&self) -> f64 {
        if self.journeys > 0.0 { self.value / self.journeys } else { 0.0 }
    }
}

/// The sets, numbered by their content, so that the order of rows changes nothing.
#[derive(Debug)]
pub(crate) struct Sets {
    channels: usize,
    /// Set s owns `members[offsets[s]..offsets[s + 1]]`, ascending.
    pub(crate) offsets: Vec<usize>,
    pub(crate) members: Vec<u32>,
    /// The set of each path.
    of_path: Vec<u32>,
}

impl Sets {
    pub(crate) fn new(table: &PathTable) -> Self {
        let channels = table.channels().len();
        if channels <= DENSE_CHANNELS { Self::by_bits(table, channels) } else { Self::by_hash(table, channels) }
    }

    fn by_bits(table: &PathTable, channels: usize) -> Self {
        let masks: Vec<u32> = table.paths().map(|p| p.steps.iter().fold(0, |mask, s| mask | 1 << s)).collect();
        let mut numbers = vec![0_u32; 1 << channels];
        for &mask in &masks {
            numbers[mask as usize] = 1;
        }
        let mut sets = Self { channels, offsets: vec![0], members: Vec::new(), of_path: Vec::new() };
        let mut next = 0;
        for (mask, number) in (0_u32..).zip(&mut numbers) {
            if *number == 1 {
                sets.members.extend((0..32).filter(|bit| mask >> bit & 1 == 1));
                sets.offsets.push(sets.members.len());
                *number = next;
                next += 1;
            }
        }
        sets.of_path = masks.iter().map(|&mask| numbers[mask as usize]).collect();
        sets
    }

    fn by_hash(table: &PathTable, channels: usize) -> Self {
        let mut numbers: HashMap<Box<[u32]>, usize> = HashMap::new();
        let mut known: Vec<Box<[u32]>> = Vec::new();
        let mut found = Vec::with_capacity(table.len());
        let mut set: Vec<u32> = Vec::new();
        for path in table.paths() {
            set.clear();
            set.extend_from_slice(path.steps);
            set.sort_unstable();
            set.dedup();
            found.push(if let Some(&number) = numbers.get(set.as_slice()) {
                number
            } else {
                let content: Box<[u32]> = set.as_slice().into();
                numbers.insert(content.clone(), known.len());
                known.push(content);
                known.len() - 1
            });
        }
        let mut order: Vec<usize> = (0..known.len()).collect();
        order.sort_unstable_by(|&a, &b| known[a].cmp(&known[b]));
        let mut renumbered = vec![0_u32; known.len()];
        let mut sets = Self { channels, offsets: vec![0], members: Vec::new(), of_path: Vec::new() };
        for (&old, new) in order.iter().zip(0..) {
            renumbered[old] = new;
            sets.members.extend_from_slice(&known[old]);
            sets.offsets.push(sets.members.len());
        }
        sets.of_path = found.iter().map(|&old| renumbered[old]).collect();
        sets
    }

    pub(crate) fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    pub(crate) fn channels(&self) -> usize {
        self.channels
    }

    /// The channels of a set, ascending.
    pub(crate) fn members(&self, set: usize) -> &[u32] {
        &self.members[self.offsets[set]..self.offsets[set + 1]]
    }

    /// Every set, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u32]> {
        self.offsets.windows(2).map(|w| &self.members[w[0]..w[1]])
    }

    /// Outcomes summed by set.
    pub(crate) fn outcomes(&self, units: Units<'_>, summation: Summation) -> Vec<SetOutcome> {
        match summation {
            Summation::InOrder => {
                let mut out = vec![SetOutcome::default(); self.len()];
                let rows = units.conversions.iter().zip(units.values).zip(units.nulls);
                for (&set, ((&conversions, &value), &nulls)) in self.of_path.iter().zip(rows) {
                    let of = &mut out[set as usize];
                    of.conversions += conversions;
                    of.value += value;
                    of.journeys += conversions + nulls;
                }
                out
            }
            Summation::Exact => self.exact(units),
        }
    }

    fn exact(&self, units: Units<'_>) -> Vec<SetOutcome> {
        // Rows by set: one exact sum at a time, whatever the number of sets.
        let mut ends = vec![0_usize; self.len() + 1];
        self.of_path.iter().for_each(|&set| ends[set as usize + 1] += 1);
        for i in 1..ends.len() {
            ends[i] += ends[i - 1];
        }
        let mut next = ends.clone();
        let mut rows = vec![0_usize; self.of_path.len()];
        for (row, &set) in self.of_path.iter().enumerate() {
            rows[next[set as usize]] = row;
            next[set as usize] += 1;
        }
        ends.windows(2)
            .map(|w| {
                let rows = &rows[w[0]..w[1]];
                let mut sums = <[ExactSum; 3]>::default();
                for &row in rows {
                    sums[0].add(units.conversions[row]);
                    sums[1].add(units.values[row]);
                    sums[2].add(units.conversions[row]);
                    sums[2].add(units.nulls[row]);
                }
                let [conversions, value, journeys] = sums.map(|s| Accumulate::total(&s));
                SetOutcome { conversions, value, journeys }
            })
            .collect()
    }

    /// Weights of touches from the share of each member of each set (in the order of `members`): touches of one channel
    /// divide its share evenly. Shares below 0 count as 0 and the others are renormalised; without any above 0, members
    /// share evenly.
    pub(crate) fn touch_weights(&self, table: &PathTable, shares: &[f64]) -> Vec<f64> {
        let mut clean = vec![0.0; shares.len()];
        for w in self.offsets.windows(2) {
            let (from, to) = (&shares[w[0]..w[1]], &mut clean[w[0]..w[1]]);
            let sum: f64 = from.iter().map(|s| s.max(0.0)).sum();
            let even = 1.0 / from.len() as f64;
            for (to, from) in to.iter_mut().zip(from) {
                *to = if sum > 0.0 && sum.is_finite() { from.max(0.0) / sum } else { even };
            }
        }
        let mut by_channel = vec![0.0; self.channels];
        let mut tally = Tally::new(self.channels);
        let mut weights = Vec::with_capacity(table.steps.len());
        for (path, &set) in table.paths().zip(&self.of_path) {
            let start = self.offsets[set as usize];
            for (&member, &share) in self.members(set as usize).iter().zip(&clean[start..]) {
                by_channel[member as usize] = share;
            }
            tally.each(path.steps, |i, _, count| {
                weights.push(by_channel[path.steps[i] as usize] / f64::from(count));
            });
        }
        weights
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::testing::table;

    #[test]
    fn sets_and_their_outcomes_ignore_order_repeats_and_rows() {
        let rows = [("b a b", 1.0, 2.0, 3.0), ("a", 4.0, 1.0, 0.0), ("a b", 2.0, -5.0, 1.0), ("c", 0.0, 0.0, 1.0)];
        let few = table(&rows);
        // The same sets beside twenty more channels are found by hashing.
        let others: Vec<String> = (0..20).map(|i| format!("x{i:02}")).collect();
        let more = rows.into_iter().chain(others.iter().map(|o| (o.as_str(), 0.0, 0.0, 1.0)));
        let many = table(&more.collect::<Vec<_>>());
        for (table, more) in [(&few, 0), (&many, 20)] {
            let sets = Sets::new(table);
            assert_eq!((sets.len(), sets.channels()), (3 + more, 3 + more));
            for summation in [Summation::Exact, Summation::InOrder] {
                let outcomes = sets.outcomes(table.units(), summation);
                let found = sets.iter().position(|s| s == [0, 1]).expect("a set");
                assert_eq!(outcomes[found], SetOutcome { conversions: 3.0, value: -3.0, journeys: 7.0 });
            }
        }
    }

    #[test]
    fn shares_become_weights_of_touches() {
        let table = table(&[("a b a", 1.0, 0.0, 0.0), ("b", 1.0, 0.0, 0.0), ("a c", 1.0, 0.0, 0.0)]);
        let sets = Sets::new(&table);
        assert_eq!(sets.members, [1, 0, 1, 0, 2]);
        let weights = sets.touch_weights(&table, &[-1.0, 3.0, 1.0, 2.0, -2.0]);
        assert_eq!(weights, [0.375, 0.25, 0.375, 1.0, 1.0, 0.0]);
    }
}
