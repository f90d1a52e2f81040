//! From paths of channels to walks between states of a chain of order k.

use std::collections::HashSet;

use throughline_stats::chain::MAX_STATES;

use crate::{AttributionError, PathTable};

/// Bits of one channel in a state's key; four channels fill a word.
const KEY_BITS: u32 = 16;

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
    pub(super) fn new(table: &PathTable, order: usize) -> Result<Self, AttributionError> {
        let channels = table.channels().len();
        let too_many = |states| AttributionError::TooManyStates { order, channels, states, limit: MAX_STATES };
        // Each state holds at most `order` channels, and every channel is in some state.
        if channels.div_ceil(order) > MAX_STATES || channels >= (1 << KEY_BITS) - 1 {
            return Err(too_many(channels.div_ceil(order)));
        }
        let keys = if order == 1 { (1..=channels as u64).collect() } else { distinct_keys(table, order) };
        if keys.len() > MAX_STATES {
            return Err(too_many(keys.len()));
        }
        let mut states = Self {
            last_channel: keys.iter().filter_map(|&key| channels_of(key).next()).collect(),
            groups: vec![Vec::new(); channels],
            pairs: Vec::new(),
            ends: Vec::with_capacity(table.len()),
            moves: Vec::with_capacity(table.steps.len()),
            move_ends: Vec::with_capacity(table.len()),
        };
        for (state, &key) in keys.iter().enumerate() {
            for channel in channels_of(key) {
                let group = &mut states.groups[channel as usize];
                if group.last() != Some(&state) {
                    group.push(state);
                }
            }
        }
        states.walk_all(table, order, &keys);
        Ok(states)
    }

    pub(super) fn count(&self) -> usize {
        self.last_channel.len()
    }

    /// First state, last state and the transitions of a path.
    pub(super) fn walk(&self, path: usize) -> (u32, u32, &[u32]) {
        let start = if path == 0 { 0 } else { self.move_ends[path - 1] };
        let (first, last) = self.ends[path];
        (first, last, &self.moves[start..self.move_ends[path]])
    }

    fn walk_all(&mut self, table: &PathTable, order: usize, keys: &[u64]) {
        let n = keys.len();
        let cell = |from: u32, to: u32| from as usize * n + to as usize;
        let mut seen = vec![false; n * n];
        let mut visited: Vec<u32> = Vec::with_capacity(table.steps.len());
        let mut visited_ends = Vec::with_capacity(table.len());
        for path in table.paths() {
            let start = visited.len();
            for_each_key(path.steps, order, |key| {
                // States of order 1 are the channels in their own order; others are looked up.
                let at = if order == 1 { Ok(path_state(key)) } else { keys.binary_search(&key) };
                let Some(state) = at.ok().and_then(|s| u32::try_from(s).ok()) else { return };
                let before = visited[start..].last().copied();
                if before != Some(state) {
                    before.inspect(|&from| seen[cell(from, state)] = true);
                    visited.push(state);
                }
            });
            visited_ends.push(visited.len());
        }
        let mut numbers = vec![0_u32; n * n];
        for from in 0..u32::try_from(n).unwrap_or(0) {
            for to in 0..u32::try_from(n).unwrap_or(0) {
                if seen[cell(from, to)] {
                    numbers[cell(from, to)] = u32::try_from(self.pairs.len()).unwrap_or(u32::MAX);
                    self.pairs.push((from, to));
                }
            }
        }
        let mut start = 0;
        for end in visited_ends {
            let walk = &visited[start..end];
            self.moves.extend(walk.windows(2).map(|pair| numbers[cell(pair[0], pair[1])]));
            self.move_ends.push(self.moves.len());
            // Every path has a step, hence a state.
            self.ends.push((walk.first().copied().unwrap_or(0), walk.last().copied().unwrap_or(0)));
            start = end;
        }
    }
}

/// Order 1: key − 1 is the channel.
fn path_state(key: u64) -> usize {
    usize::try_from(key - 1).unwrap_or(usize::MAX)
}

/// The windows of `order` steps as keys; the whole path when it is shorter.
#[inline]
fn for_each_key(steps: &[u32], order: usize, mut each: impl FnMut(u64)) {
    for window in steps.windows(order.min(steps.len()).max(1)) {
        each(window.iter().fold(0, |key, &step| key << KEY_BITS | u64::from(step + 1)));
    }
}

/// The channels of a key, last first.
fn channels_of(key: u64) -> impl Iterator<Item = u32> {
    let mask = (1 << KEY_BITS) - 1;
    std::iter::successors(Some(key), move |k| Some(k >> KEY_BITS))
        .take_while(|k| *k > 0)
        .filter_map(move |k| u32::try_from((k & mask) - 1).ok())
}

/// Every key of the table, sorted.
fn distinct_keys(table: &PathTable, order: usize) -> Vec<u64> {
    let mut known = HashSet::new();
    let mut keys = Vec::new();
    for path in table.paths() {
        for_each_key(path.steps, order, |key| {
            if known.insert(key) {
                keys.push(key);
            }
        });
    }
    keys.sort_unstable();
    keys
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
    fn groups_hold_every_state_with_the_channel() {
        let got = States::new(&table(&[("a b c", 1.0, 0.0, 0.0), ("b", 1.0, 0.0, 0.0), ("b b", 1.0, 0.0, 0.0)]), 2);
        let got = got.expect("small");
        // Keys sort the short window (b) before the pairs (a, b), (b, b), (b, c).
        assert_eq!(got.groups, [vec![1], vec![0, 1, 2, 3], vec![3]]);
        assert_eq!(got.last_channel, [1, 1, 1, 2]);
    }
}
