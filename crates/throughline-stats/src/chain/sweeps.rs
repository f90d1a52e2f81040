//! The iterative solver: sweeps over the transitions that occur, stopped by a bound on what is still missing.
//!
//! States that lead back to each other form components, which are solved one after the other in the order in which walks
//! pass them (S. R. Kosaraju's two searches, in M. Sharir, "A strong-connectivity algorithm", 1981). A state that no walk
//! comes back to needs one update. In other components, each sweep updates every state in turn from the states that
//! lead to it (Gauss–Seidel). From 0, everything only
//! grows: the iterates are lower bounds, in exact and in rounded arithmetic. What a number of sweeps adds, D, is mapped to
//! what the next as many add by an operator without negative entries; so when no component grew by more than θ < 1 times
//! what it grew before, all later sweeps together add at most D θ / (1 − θ) to it (a Collatz–Wielandt bound; R. S. Varga,
//! "Matrix Iterative Analysis", 1962). Sweeps stop when that is below 2⁻⁵³ of every component, or when they add nothing.
//!
//! Error: sums and products of numbers of at least 0 only, so a result is that of a chain whose rates differ by less than
//! (r + 3) 2⁻⁵³ of themselves, r rates into a state; it is off by at most that share times the mean number of moves of
//! the walks it counts. Small components keep their digits like large ones.

use super::{ChainError, Counts};
use crate::parallel::{map_parts, threads_for};

/// Sweeps between two looks at the bound; more than the period of most cycles.
const WINDOW: usize = 8;
/// Groups solved together: one cache line a state.
const LANES: usize = 8;
/// Sweeps over all states whose cost makes a chain count as too slow to end.
pub(super) const MOST_SWEEPS: usize = 4_096;
/// Updates of states with the same meaning, for chains of many states.
const MOST_UPDATES: usize = 1 << 28;
/// Below this a component has lost digits to underflow, and the bound leaves it alone.
const TINY: f64 = 1e-290;

/// Rates grouped by state.
#[derive(Debug, Clone)]
struct Rates {
    ends: Vec<usize>,
    rates: Vec<(u32, f64)>,
}

impl Rates {
    /// `key` gives the state a transition is listed under and the other one; self-transitions are left out.
    fn new(states: usize, transitions: &[(u32, u32, f64)], key: impl Fn(u32, u32) -> (u32, u32)) -> Self {
        let kept = || transitions.iter().filter(|(from, to, rate)| from != to && *rate > 0.0);
        let mut ends = vec![0_usize; states + 1];
        kept().for_each(|&(from, to, _)| ends[key(from, to).0 as usize + 1] += 1);
        for state in 0..states {
            ends[state + 1] += ends[state];
        }
        let mut rates = vec![(0, 0.0); ends[states]];
        let mut next = ends.clone();
        for &(from, to, rate) in kept() {
            let (here, there) = key(from, to);
            rates[next[here as usize]] = (there, rate);
            next[here as usize] += 1;
        }
        Self { ends, rates }
    }

    #[inline]
    fn of(&self, state: usize) -> &[(u32, f64)] {
        &self.rates[self.ends[state]..self.ends[state + 1]]
    }
}

/// The transitions of a chain, from both sides. States are numbered in the order in which walks pass them: those of one
/// component stand together, after all that lead to them.
#[derive(Debug, Clone)]
pub(super) struct Graph {
    into: Rates,
    out: Rates,
    /// Walks that leave each state for another or for an end.
    totals: Vec<f64>,
    /// The place of each state in this numbering.
    places: Vec<u32>,
    /// Component c holds the places from `ends[c - 1]` to `ends[c]`.
    ends: Vec<usize>,
}

impl Graph {
    pub(super) fn new(counts: &Counts) -> Self {
        let n = counts.start.len();
        let into = Rates::new(n, &counts.transitions, |from, to| (to, from));
        let out = Rates::new(n, &counts.transitions, |from, to| (from, to));
        let (places, ends) = order(&into, &out);
        let place = |state: u32| places[state as usize];
        let moved: Vec<(u32, u32, f64)> =
            counts.transitions.iter().map(|&(from, to, rate)| (place(from), place(to), rate)).collect();
        let into = Rates::new(n, &moved, |from, to| (to, from));
        let out = Rates::new(n, &moved, |from, to| (from, to));
        let mut totals: Vec<f64> = (0..n).map(|s| out.of(s).iter().map(|(_, rate)| rate).sum()).collect();
        for ((&place, success), failure) in places.iter().zip(&counts.success).zip(&counts.failure) {
            totals[place as usize] += success + failure;
        }
        Self { into, out, totals, places, ends }
    }

    /// The first state that walks enter (or start in) but from which no end can be reached is an error.
    pub(super) fn check_ends(&self, counts: &Counts) -> Result<(), ChainError> {
        let n = self.totals.len();
        let mut ends = vec![false; n];
        for (&place, end) in self.places.iter().zip(counts.success.iter().zip(&counts.failure).map(|(s, f)| s + f)) {
            ends[place as usize] = end > 0.0;
        }
        let mut queue: Vec<usize> = (0..n).filter(|&s| ends[s]).collect();
        while let Some(state) = queue.pop() {
            for &(before, _) in self.into.of(state) {
                if !std::mem::replace(&mut ends[before as usize], true) {
                    queue.push(before as usize);
                }
            }
        }
        let lost = |(state, &place): (usize, &u32)| {
            let place = place as usize;
            (!ends[place] && (counts.start[state] > 0.0 || !self.into.of(place).is_empty())).then_some(state)
        };
        match self.places.iter().enumerate().find_map(lost) {
            Some(state) => Err(ChainError::NeverEnds { state }),
            None => Ok(()),
        }
    }

    /// Numbers by place as numbers by state.
    fn by_state<T: Copy>(&self, placed: &[T]) -> Vec<T> {
        self.places.iter().map(|&place| placed[place as usize]).collect()
    }

    /// Numbers by state as numbers by place; absent ones are 0.
    fn by_place(&self, numbers: &[f64]) -> Vec<f64> {
        let mut placed = vec![0.0; self.totals.len()];
        self.places.iter().zip(numbers).for_each(|(&place, x)| placed[place as usize] = *x);
        placed
    }

    /// `start` · M⁻¹ and the transitions read for it; `None` when that takes more than `most` sweeps. Entries of at least 0.
    pub(super) fn solve_left(&self, start: &[f64], most: usize) -> Option<(Vec<f64>, f64)> {
        let start = self.by_place(start);
        let most = most.saturating_mul(start.len()).min(MOST_UPDATES);
        let (solved, updates) = self.settle(Side::Into, |s| [start[s]], |_| 0, most)?;
        let reads = self.into.rates.len() as f64 * updates as f64 / start.len().max(1) as f64;
        Some((self.by_state(&solved).into_iter().map(|[x]| x).collect(), reads))
    }

    /// M⁻¹ · `reward`, positive and negative rewards apart.
    pub(super) fn solve(&self, reward: &[f64]) -> Vec<f64> {
        let reward = self.by_place(reward);
        let parts = |s: usize| [reward[s].max(0.0), (-reward[s]).max(0.0)];
        let (solved, _) = self.settle(Side::Out, parts, |_| 0, usize::MAX).unwrap_or_default();
        self.by_state(&solved).into_iter().map(|[gain, loss]| gain - loss).collect()
    }

    /// For each of `groups`, in their order, the number of walks that first enter it at each of its states.
    pub(super) fn entries(&self, start: &[f64], groups: &[Vec<usize>]) -> Vec<Vec<f64>> {
        let start = self.by_place(start);
        let blocks: Vec<&[Vec<usize>]> = groups.chunks(LANES).collect();
        let threads = threads_for(blocks.len());
        map_parts(blocks, threads, |block| self.entries_of_block(&start, block)).concat()
    }

    fn entries_of_block(&self, start: &[f64], groups: &[Vec<usize>]) -> Vec<Vec<f64>> {
        let mut removed = vec![0_u8; self.totals.len()];
        for (lane, group) in groups.iter().enumerate() {
            for &s in group {
                removed[self.places[s] as usize] |= 1 << lane;
            }
        }
        // Lanes without a group are removed everywhere and cost no further sweeps.
        let idle = u8::MAX.checked_shl(u32::try_from(groups.len()).unwrap_or(u32::MAX)).unwrap_or(0);
        let passages = self.settle(Side::Into, |s| [start[s]; LANES], |s| removed[s] | idle, usize::MAX);
        let (passages, _) = passages.unwrap_or_default();
        let entries = |lane: usize, s: usize| {
            let place = self.places[s] as usize;
            let moved = self.into.of(place).iter().map(|&(from, rate)| rate * passages[from as usize][lane]);
            start[place] + moved.sum::<f64>()
        };
        groups.iter().enumerate().map(|(lane, group)| group.iter().map(|&s| entries(lane, s)).collect()).collect()
    }

    /// Solves x · total = add + Σ rate · x of the neighbours on one side, with x = 0 where a bit of `removed` is set for
    /// the lane. Answers with the updates of states too; `None` after `most` of them.
    fn settle<const L: usize>(
        &self,
        side: Side,
        add: impl Fn(usize) -> [f64; L],
        removed: impl Fn(usize) -> u8,
        most: usize,
    ) -> Option<(Vec<[f64; L]>, usize)> {
        let mut x = vec![[0.0; L]; self.totals.len()];
        let (mut before, mut gained) = (Vec::new(), Vec::new());
        let rates = if side == Side::Into { &self.into } else { &self.out };
        let update = |x: &mut [[f64; L]], s: usize| x[s] = updated(x, rates.of(s), add(s), self.totals[s], removed(s));
        let mut updates = 0;
        for c in 0..self.ends.len() {
            // Rewards flow against the walks.
            let c = if side == Side::Into { c } else { self.ends.len() - 1 - c };
            let range = if c == 0 { 0 } else { self.ends[c - 1] }..self.ends[c];
            if range.len() == 1 {
                update(&mut x, range.start);
                updates += 1;
                continue;
            }
            for kept in [&mut before, &mut gained] {
                kept.clear();
                kept.resize(range.len(), [0.0; L]);
            }
            loop {
                for _ in 0..WINDOW {
                    match side {
                        Side::Into => range.clone().for_each(|s| update(&mut x, s)),
                        Side::Out => range.clone().rev().for_each(|s| update(&mut x, s)),
                    }
                }
                updates += WINDOW * range.len();
                if settled(&x[range.clone()], &mut before, &mut gained) {
                    break;
                }
                if updates >= most {
                    return None;
                }
            }
        }
        Some((x, updates))
    }
}

/// The side from which a state is updated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// From the states that lead to it.
    Into,
    /// From the states it leads to.
    Out,
}

/// The place of each state in the order in which walks pass components, and where each component ends. Within a component,
/// states stand in the order in which a search finds them last.
fn order(into: &Rates, out: &Rates) -> (Vec<u32>, Vec<usize>) {
    let n = out.ends.len() - 1;
    let mut finished: Vec<u32> = Vec::with_capacity(n);
    let mut seen = vec![false; n];
    let mut stack: Vec<(u32, usize)> = Vec::new();
    for (root, number) in (0..n).zip(0_u32..) {
        if std::mem::replace(&mut seen[root], true) {
            continue;
        }
        stack.push((number, 0));
        while let Some((state, next)) = stack.last_mut() {
            let Some(&(to, _)) = out.of(*state as usize).get(*next) else {
                finished.push(*state);
                stack.pop();
                continue;
            };
            *next += 1;
            if !std::mem::replace(&mut seen[to as usize], true) {
                stack.push((to, 0));
            }
        }
    }
    finished.reverse();
    let mut component = vec![u32::MAX; n];
    let mut sizes: Vec<usize> = Vec::new();
    let mut queue = Vec::new();
    for &root in &finished {
        if component[root as usize] != u32::MAX {
            continue;
        }
        let number = u32::try_from(sizes.len()).unwrap_or(u32::MAX);
        component[root as usize] = number;
        queue.push(root);
        let mut size = 0;
        while let Some(state) = queue.pop() {
            size += 1;
            for &(before, _) in into.of(state as usize) {
                if component[before as usize] == u32::MAX {
                    component[before as usize] = number;
                    queue.push(before);
                }
            }
        }
        sizes.push(size);
    }
    let ends: Vec<usize> = sizes
        .iter()
        .scan(0, |end, size| {
            *end += size;
            Some(*end)
        })
        .collect();
    let mut next: Vec<usize> = ends.iter().zip(&sizes).map(|(end, size)| end - size).collect();
    let mut places = vec![0; n];
    for state in finished {
        let place = &mut next[component[state as usize] as usize];
        places[state as usize] = u32::try_from(*place).unwrap_or(u32::MAX);
        *place += 1;
    }
    (places, ends)
}

#[inline]
fn updated<const L: usize>(x: &[[f64; L]], rates: &[(u32, f64)], add: [f64; L], total: f64, removed: u8) -> [f64; L] {
    let mut sum = add;
    for &(other, rate) in rates {
        let there = &x[other as usize];
        for lane in 0..L {
            sum[lane] += rate * there[lane];
        }
    }
    // A state that no walk leaves is one that no walk visits.
    let total = if total > 0.0 { total } else { 1.0 };
    for (lane, sum) in sum.iter_mut().enumerate() {
        *sum = if removed >> lane & 1 == 0 { *sum / total } else { 0.0 };
    }
    sum
}

/// Whether what later sweeps can add is below the spacing of every component; keeps `x` and its growth for the next look.
fn settled<const L: usize>(x: &[[f64; L]], before: &mut [[f64; L]], gained: &mut [[f64; L]]) -> bool {
    let (mut ratio, mut share) = (0.0_f64, 0.0_f64);
    for ((x, before), gained) in x.iter().zip(before).zip(gained) {
        for lane in 0..L {
            let gain = x[lane] - before[lane];
            if gain > 0.0 && x[lane] > TINY {
                ratio = ratio.max(gain / gained[lane]);
                share = share.max(gain / x[lane]);
            }
            gained[lane] = gain;
        }
        *before = *x;
    }
    share == 0.0 || (ratio < 1.0 && share * ratio <= 0.5 * f64::EPSILON * (1.0 - ratio))
}
