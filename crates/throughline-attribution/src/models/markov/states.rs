//! From paths of channels to walks between states of a chain of order k.

use throughline_stats::chain::MAX_STATES;

use super::codes::{Codes, Intern};
use crate::{AttributionError, PathTable};

/// Bits up to which windows of `order` + 1 channels are numbered by a table instead of by hashing (8 MB).
const TABLE_BITS: u32 = 21;

/// Marks a transition from a state to itself, which is no move.
const STAYS: u32 = u32::MAX;

/// The states of a chain and every path as a walk between them. States are numbered by their channels, not by
/// appearance, so that the order of rows changes nothing.
pub(super) struct States {
    /// The last channel of each state.
    pub(super) last_channel: Vec<u32>,
    /// The states that hold each channel.
    pub(super) groups: Vec<Vec<usize>>,
    /// Transitions that occur, sorted.
    pub(super) pairs: Vec<(u32, u32)>,
    /// First and last state of each path.
    ends: Vec<(u32, u32)>,
    /// Path p moves along `pairs[m]` for m in `moves[move_ends[p - 1]..move_ends[p]]`.
    moves: Vec<u32>,
    move_ends: Vec<usize>,
}

impl States {
    /// Time: two passes over the touches. Memory: a word for each touch.
    pub(super) fn new(table: &PathTable, order: usize) -> Result<Self, AttributionError> {
        let channels = table.channels().len();
        let too_many = |states| AttributionError::TooManyStates { order, channels, states, limit: MAX_STATES };
        // Each state holds at most `order` channels, and every channel is in some state.
        let codes = Codes::new(channels, order).ok_or_else(|| too_many(channels.div_ceil(order)))?;
        let mut states = Self {
            last_channel: Vec::new(),
            groups: vec![Vec::new(); channels],
            pairs: Vec::new(),
            ends: Vec::with_capacity(table.len()),
            moves: Vec::with_capacity(table.steps.len()),
            move_ends: Vec::with_capacity(table.len()),
        };
        let listed = if codes.bits_of_pair() <= TABLE_BITS {
            states.walk_by_table(table, codes)
        } else {
            states.walk_by_hash(table, codes).map_err(too_many)?
        };
        for (state, &code) in listed.iter().enumerate() {
            for channel in codes.channels(code) {
                let group = &mut states.groups[channel as usize];
                if group.last() != Some(&state) {
                    group.push(state);
                }
            }
        }
        // Every code has a last channel.
        states.last_channel = listed.iter().filter_map(|&code| codes.channels(code).next()).collect();
        Ok(states)
    }

    pub(super) fn count(&self) -> usize {
        self.last_channel.len()
    }

    /// First state, last state and the transitions of a path.
    #[inline]
    pub(super) fn walk(&self, path: usize) -> (u32, u32, &[u32]) {
        let start = if path == 0 { 0 } else { self.move_ends[path - 1] };
        let (first, last) = self.ends[path];
        (first, last, &self.moves[start..self.move_ends[path]])
    }

    /// For few channels: what occurs is marked in tables, numbered, and looked up. Answers with the codes of the states.
    fn walk_by_table(&mut self, table: &PathTable, codes: Codes) -> Vec<u64> {
        let mut states = vec![false; 1 << codes.bits_of_state()];
        let mut pairs = vec![false; 1 << codes.bits_of_pair()];
        for path in table.paths() {
            let (first, rest) = codes.split(path.steps);
            states[index(first)] = true;
            let mut code = first;
            for &step in rest {
                let pair = codes.pair(code, step);
                pairs[index(pair)] = true;
                code = codes.to(pair);
            }
        }
        pairs.iter().zip(0_u64..).filter(|(seen, _)| **seen).for_each(|(_, p)| states[index(codes.to(p))] = true);
        let listed: Vec<u64> = states.iter().zip(0..).filter(|(seen, _)| **seen).map(|(_, code)| code).collect();
        let mut state_numbers = vec![0_u32; states.len()];
        listed.iter().zip(0..).for_each(|(&code, number)| state_numbers[index(code)] = number);
        // Codes of pairs sort like their two states.
        let mut pair_numbers = vec![STAYS; pairs.len()];
        for (_, pair) in pairs.iter().zip(0_u64..).filter(|(seen, _)| **seen) {
            let (from, to) = (state_numbers[index(codes.from(pair))], state_numbers[index(codes.to(pair))]);
            if from != to {
                pair_numbers[index(pair)] = u32::try_from(self.pairs.len()).unwrap_or(STAYS);
                self.pairs.push((from, to));
            }
        }
        for path in table.paths() {
            let (first, rest) = codes.split(path.steps);
            let mut code = first;
            for &step in rest {
                let pair = codes.pair(code, step);
                code = codes.to(pair);
                let number = pair_numbers[index(pair)];
                if number != STAYS {
                    self.moves.push(number);
                }
            }
            self.move_ends.push(self.moves.len());
            self.ends.push((state_numbers[index(first)], state_numbers[index(code)]));
        }
        listed
    }

    /// For many channels: what occurs is numbered as it appears, and renumbered in the order of the codes. An error holds
    /// the number of states when there are too many.
    fn walk_by_hash(&mut self, table: &PathTable, codes: Codes) -> Result<Vec<u64>, usize> {
        let mut states = Intern::default();
        let mut pairs = Intern::default();
        for path in table.paths() {
            let (first, rest) = codes.split(path.steps);
            let start = states.number(first);
            let (mut code, mut at) = (first, start);
            for &step in rest {
                code = codes.to_next(code, step);
                let next = states.number(code);
                if next != at {
                    self.moves.push(pairs.number(u64::from(at) << 32 | u64::from(next)));
                }
                at = next;
            }
            self.move_ends.push(self.moves.len());
            self.ends.push((start, at));
            if states.len() > MAX_STATES {
                return Err(states.len());
            }
        }
        let (listed, state_numbers) = states.sorted(|code| code);
        let renumbered = |pair: u64| {
            let half = |word: u64| state_numbers[usize::try_from(word).unwrap_or(usize::MAX)];
            u64::from(half(pair >> 32)) << 32 | u64::from(half(pair & u64::from(u32::MAX)))
        };
        let (sorted, pair_numbers) = pairs.sorted(renumbered);
        let halves = |pair: u64| [pair >> 32, pair & u64::from(u32::MAX)].map(|h| u32::try_from(h).unwrap_or(0));
        self.pairs = sorted.into_iter().map(|pair| halves(pair).into()).collect();
        self.moves.iter_mut().for_each(|m| *m = pair_numbers[*m as usize]);
        self.ends.iter_mut().for_each(|(a, b)| (*a, *b) = (state_numbers[*a as usize], state_numbers[*b as usize]));
        Ok(listed)
    }
}

/// A code as an index; codes are below the lengths of the tables.
#[inline]
fn index(code: u64) -> usize {
    usize::try_from(code).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::testing::table;

    #[track_caller]
    fn check(order: usize, path: &str, states: usize, moves: usize) {
        let got = States::new(&table(&[(path, 1.0, 0.0, 0.0)]), order).expect("small");
        assert_eq!((got.count(), got.walk(0).2.len()), (states, moves), "order {order} of {path}");
    }

    #[test]
    fn windows_are_states() {
        check(1, "a b a", 2, 2);
        check(1, "a a a", 1, 0);
        check(2, "a b a b", 2, 2);
        check(2, "a a a", 1, 0);
        check(2, "a", 1, 0);
        check(3, "a b", 1, 0);
        check(4, "a b c d e", 2, 1);
    }

    #[test]
    fn tables_and_hashing_agree() {
        let rows =
            [("a b a c", 1.0, 0.0, 0.0), ("c c", 1.0, 0.0, 0.0), ("b", 1.0, 0.0, 0.0), ("a a b b a", 1.0, 0.0, 0.0)];
        let table = table(&rows);
        for order in 1..=4 {
            let codes = Codes::new(3, order).expect("few");
            let empty = || States {
                last_channel: Vec::new(),
                groups: Vec::new(),
                pairs: Vec::new(),
                ends: Vec::new(),
                moves: Vec::new(),
                move_ends: Vec::new(),
            };
            let (mut by_table, mut by_hash) = (empty(), empty());
            assert_eq!(Ok(by_table.walk_by_table(&table, codes)), by_hash.walk_by_hash(&table, codes));
            let all = |s: &States| (s.pairs.clone(), s.ends.clone(), s.moves.clone(), s.move_ends.clone());
            assert_eq!(all(&by_table), all(&by_hash), "order {order}");
        }
    }

    #[test]
    fn groups_hold_every_state_with_the_channel() {
        let got = States::new(&table(&[("a b c", 1.0, 0.0, 0.0), ("b", 1.0, 0.0, 0.0), ("b b", 1.0, 0.0, 0.0)]), 2);
        let got = got.expect("small");
        // Codes sort the short window (b) before the pairs (a, b), (b, b), (b, c).
        assert_eq!(got.groups, [vec![1], vec![0, 1, 2, 3], vec![3]]);
        assert_eq!(got.last_channel, [1, 1, 1, 2]);
    }
}
