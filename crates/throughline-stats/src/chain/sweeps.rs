//! The iterative solver: sweeps over the transitions that occur, stopped by a bound on what is still missing.
//!
//! Each sweep updates every state in turn from the states that lead to it (Gauss–Seidel). From 0, everything only
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
/// Sweeps after which a chain counts as too slow to end.
pub(super) const MOST_SWEEPS: usize = 4_096;
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

/// The transitions of a chain, from both sides.
#[derive(Debug, Clone)]
pub(super) struct Graph {
    into: Rates,
    out: Rates,
    /// Walks that leave each state for another or for an end.
    totals: Vec<f64>,
}

impl Graph {
    pub(super) fn new(counts: &Counts) -> Self {
        let n = counts.start.len();
        let into = Rates::new(n, &counts.transitions, |from, to| (to, from));
        let out = Rates::new(n, &counts.transitions, |from, to| (from, to));
        let ends = counts.success.iter().zip(&counts.failure).map(|(s, f)| s + f);
        let totals = ends.enumerate().map(|(s, end)| end + out.of(s).iter().map(|(_, rate)| rate).sum::<f64>());
        Self { totals: totals.collect(), into, out }
    }

    /// The first state that walks enter (or start in) but from which no end can be reached is an error.
    pub(super) fn check_ends(&self, counts: &Counts) -> Result<(), ChainError> {
        let n = self.totals.len();
        let mut ends: Vec<bool> = (0..n).map(|s| counts.success[s] + counts.failure[s] > 0.0).collect();
        let mut queue: Vec<usize> = (0..n).filter(|&s| ends[s]).collect();
        while let Some(state) = queue.pop() {
            for &(before, _) in self.into.of(state) {
                if !std::mem::replace(&mut ends[before as usize], true) {
                    queue.push(before as usize);
                }
            }
        }
        let entered = |s: usize| counts.start[s] > 0.0 || !self.into.of(s).is_empty();
        match (0..n).find(|&s| entered(s) && !ends[s]) {
            Some(state) => Err(ChainError::NeverEnds { state }),
            None => Ok(()),
        }
    }

    /// `start` · M⁻¹; `None` when that takes more than `most` sweeps. Entries of at least 0.
    pub(super) fn solve_left(&self, start: &[f64], most: usize) -> Option<Vec<f64>> {
        let solved = self.settle(&self.into, false, |s| [start[s]], |_| 0, most)?;
        Some(solved.into_iter().map(|[x]| x).collect())
    }

    /// M⁻¹ · `reward`, positive and negative rewards apart.
    pub(super) fn solve(&self, reward: &[f64]) -> Vec<f64> {
        let of = |s: usize| reward.get(s).copied().unwrap_or(0.0);
        let parts = |s: usize| [of(s).max(0.0), (-of(s)).max(0.0)];
        let solved = self.settle(&self.out, true, parts, |_| 0, usize::MAX).unwrap_or_default();
        solved.into_iter().map(|[gain, loss]| gain - loss).collect()
    }

    /// For each of `groups`, in their order, the number of walks that first enter it at each of its states.
    pub(super) fn entries(&self, start: &[f64], groups: &[Vec<usize>]) -> Vec<Vec<f64>> {
        let blocks: Vec<&[Vec<usize>]> = groups.chunks(LANES).collect();
        let threads = threads_for(blocks.len());
        map_parts(blocks, threads, |block| self.entries_of_block(start, block)).concat()
    }

    fn entries_of_block(&self, start: &[f64], groups: &[Vec<usize>]) -> Vec<Vec<f64>> {
        let mut removed = vec![0_u8; self.totals.len()];
        for (lane, group) in groups.iter().enumerate() {
            for &s in group {
                removed[s] |= 1 << lane;
            }
        }
        // Lanes without a group are removed everywhere and cost no further sweeps.
        let idle = u8::MAX.checked_shl(u32::try_from(groups.len()).unwrap_or(u32::MAX)).unwrap_or(0);
        let passages = self
            .settle(&self.into, false, |s| [start[s]; LANES], |s| removed[s] | idle, usize::MAX)
            .unwrap_or_default();
        let entries = |lane: usize, s: usize| {
            let moved = self.into.of(s).iter().map(|&(from, rate)| rate * passages[from as usize][lane]);
            start[s] + moved.sum::<f64>()
        };
        groups.iter().enumerate().map(|(lane, group)| group.iter().map(|&s| entries(lane, s)).collect()).collect()
    }

    /// Solves x · total = add + Σ rate · x of the neighbours, with x = 0 where a bit of `removed` is set for the lane.
    fn settle<const L: usize>(
        &self,
        rates: &Rates,
        backwards: bool,
        add: impl Fn(usize) -> [f64; L],
        removed: impl Fn(usize) -> u8,
        most: usize,
    ) -> Option<Vec<[f64; L]>> {
        let n = self.totals.len();
        let mut x = vec![[0.0; L]; n];
        let mut before = x.clone();
        let mut gained = x.clone();
        let mut sweeps = 0;
        loop {
            for _ in 0..WINDOW {
                for k in 0..n {
                    let s = if backwards { n - 1 - k } else { k };
                    x[s] = update(&x, rates.of(s), add(s), self.totals[s], removed(s));
                }
            }
            sweeps += WINDOW;
            if settled(&x, &mut before, &mut gained) {
                return Some(x);
            }
            if sweeps >= most {
                return None;
            }
        }
    }
}

#[inline]
fn update<const L: usize>(x: &[[f64; L]], rates: &[(u32, f64)], add: [f64; L], total: f64, removed: u8) -> [f64; L] {
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
