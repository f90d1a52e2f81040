//! Absorbing Markov chains with two ends, success and failure: exact success probabilities, expected visits and the
//! effect of removing states.
//!
//! The chain is given by counts, not probabilities: how often one state followed another and how often each state was
//! the last before success or failure. With T the counts between states and D the diagonal of row totals, everything
//! follows from M = D − T: success probabilities are h = M⁻¹ · success, and the loss of success when a set G of states is
//! removed (walks that enter it fail) is Σ e_s · h_s over s in G, where e_s is the share of walks that first enter G at s.
//!
//! Elimination goes without subtractions (W. K. Grassmann, M. I. Taksar, D. P. Heyman, "Regenerative analysis and steady
//! state distributions for Markov chains", Operations Research 33, 1985): the pivot of a state is the sum of its
//! remaining ways out. So every h and e, and with rewards of at least 0 every loss, keeps its digits however rarely the
//! chain ends and however small it is.
//!
//! Error: with u = 2⁻⁵³, a step that leaves r states rounds each remaining rate by at most (r + 3) u of itself (r
//! additions in the pivot, a division, a product and a sum). By the matrix-tree theorem h and e are ratios of sums of
//! products of at most r such rates and one start or reward, nothing negative, so that the step moves them by at most
//! (2 r + 1) (r + 3) u of themselves. All steps and the substitutions move a loss by less than 2 n (n + 1) (n + 3) u of
//! itself to first order, n states: 1.8e-13 for 8 states. Rounding errors do not conspire, so a few u are usual.
//!
//! The solver is dense; [`Chain`] hides that, so that a sparse one can take its place.

mod removal;

use self::removal::Watched;

/// The most states the dense solver accepts (72 MB for the factors).
pub const MAX_STATES: usize = 3_000;

/// Why counts do not make a chain.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// More states than the solver accepts.
    #[error("chain of {states} states exceeds the limit of {MAX_STATES}")]
    TooManyStates {
        /// States given.
        states: usize,
    },
    /// A vector has another length than the number of states.
    #[error("`{what}` has {got} entries for {states} states")]
    Length {
        /// Which vector.
        what: &'static str,
        /// Its length.
        got: usize,
        /// The number of states.
        states: usize,
    },
    /// A state number beyond the last.
    #[error("transition to or from state {state} of a chain of {states} states")]
    NoSuchState {
        /// The number given.
        state: u32,
        /// The number of states.
        states: usize,
    },
    /// A count is negative, NaN or infinite.
    #[error("count of {count} is not a finite number of at least 0")]
    BadCount {
        /// The count given.
        count: f64,
    },
    /// From this state neither end can be reached, so no probability is defined.
    #[error("state {state} is entered but never leads to an end")]
    NeverEnds {
        /// The state.
        state: usize,
    },
}

/// Counts of observed walks. The number of states is the length of `start`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Counts {
    /// Walks that began in each state.
    pub start: Vec<f64>,
    /// (from, to, count); repeated pairs add up, a state may follow itself.
    pub transitions: Vec<(u32, u32, f64)>,
    /// Walks whose last state was this and that succeeded.
    pub success: Vec<f64>,
    /// Walks whose last state was this and that failed.
    pub failure: Vec<f64>,
}

impl Counts {
    fn check(&self) -> Result<(), ChainError> {
        let states = self.start.len();
        if states > MAX_STATES {
            return Err(ChainError::TooManyStates { states });
        }
        for (what, got) in [("success", self.success.len()), ("failure", self.failure.len())] {
            if got != states {
                return Err(ChainError::Length { what, got, states });
            }
        }
        if let Some(&state) = self.transitions.iter().flat_map(|(a, b, _)| [a, b]).find(|s| **s as usize >= states) {
            return Err(ChainError::NoSuchState { state, states });
        }
        let counts = self.start.iter().chain(&self.success).chain(&self.failure);
        match counts.chain(self.transitions.iter().map(|(_, _, c)| c)).find(|c| !(c.is_finite() && **c >= 0.0)) {
            Some(&count) => Err(ChainError::BadCount { count }),
            None => Ok(()),
        }
    }

    /// Row-major with one column more than states: the counts between states, and in the last column those of the ends.
    fn rates(&self) -> Vec<f64> {
        let n = self.start.len();
        let mut rates = vec![0.0; n * (n + 1)];
        for &(from, to, count) in &self.transitions {
            // Staying in a state changes how long it lasts, not where it leads: M's diagonal leaves it out.
            if from != to {
                rates[from as usize * (n + 1) + to as usize] += count;
            }
        }
        for (state, (success, failure)) in self.success.iter().zip(&self.failure).enumerate() {
            rates[state * (n + 1) + n] = success + failure;
        }
        rates
    }
}

/// A factorised chain.
#[derive(Debug, Clone)]
pub struct Chain {
    counts: Counts,
    /// Row-major: the negated strict triangles of the factors of M = L · U, all entries at least 0, and a last column
    /// of ways out of the chain, which only the factorisation reads.
    factors: Vec<f64>,
    /// Diagonal of U; 1 for states that no walk visits.
    pivots: Vec<f64>,
    walks: f64,
}

impl Chain {
    /// Checks and factorises, O(states³).
    pub fn new(counts: Counts) -> Result<Self, ChainError> {
        counts.check()?;
        let n = counts.start.len();
        let mut factors = counts.rates();
        check_ends(&factors, &counts)?;
        let pivots = eliminate(&mut factors, n + 1, n);
        let walks = counts.start.iter().sum();
        Ok(Self { counts, factors, pivots, walks })
    }

    /// Number of states.
    pub fn states(&self) -> usize {
        self.pivots.len()
    }

    /// The probability that a walk succeeds; 0 without walks.
    pub fn success_probability(&self) -> f64 {
        self.from_start(&self.success_from())
    }

    /// The probability of success from each state; 0 for states that no walk visits.
    pub fn success_from(&self) -> Vec<f64> {
        self.solve(&self.counts.success)
    }

    /// M⁻¹ · `reward`: with `reward` the total reward paid on leaving each state for an end (its mean per such walk times
    /// their number), the expected reward of a walk from each state. `reward` is read up to the number of states.
    pub fn solve(&self, reward: &[f64]) -> Vec<f64> {
        let n = self.states();
        let mut x = vec![0.0; n];
        for i in 0..n {
            x[i] = reward.get(i).copied().unwrap_or(0.0) + dot(self.lower(i), &x[..i]);
        }
        for i in (0..n).rev() {
            x[i] = (x[i] + dot(self.upper(i), &x[i + 1..])) / self.pivots[i];
        }
        x
    }

    /// Row i of the negated L, left of the diagonal.
    fn lower(&self, i: usize) -> &[f64] {
        let row = i * (self.states() + 1);
        &self.factors[row..row + i]
    }

    /// Row i of the negated U, right of the diagonal.
    fn upper(&self, i: usize) -> &[f64] {
        let n = self.states();
        let row = i * (n + 1);
        &self.factors[row + i + 1..row + n]
    }

    /// The mean of a per-state quantity over where walks start; 0 without walks.
    pub fn from_start(&self, from: &[f64]) -> f64 {
        if self.walks > 0.0 { dot(&self.counts.start, from) / self.walks } else { 0.0 }
    }

    /// Expected visits of a walk to each state, returns to itself included.
    pub fn visits(&self) -> Vec<f64> {
        let mut totals: Vec<f64> = self.counts.success.iter().zip(&self.counts.failure).map(|(s, f)| s + f).collect();
        for &(from, _, count) in &self.counts.transitions {
            totals[from as usize] += count;
        }
        self.passages().iter().zip(totals).map(|(v, total)| v * total).collect()
    }

    /// start · M⁻¹, per walk.
    fn passages(&self) -> Vec<f64> {
        let n = self.states();
        let mut v: Vec<f64> =
            self.counts.start.iter().map(|s| if self.walks > 0.0 { s / self.walks } else { 0.0 }).collect();
        for k in 0..n {
            v[k] /= self.pivots[k];
            let (done, rest) = v.split_at_mut(k + 1);
            axpy(rest, done[k], self.upper(k));
        }
        for i in (0..n).rev() {
            let (rest, done) = v.split_at_mut(i);
            axpy(rest, done[0], self.lower(i));
        }
        v
    }

    /// How much of a mean reward is lost when each of `groups` is removed: one row per reward, one entry per group.
    ///
    /// `rewards` are as in [`solve`](Self::solve); with the success counts the answer is the loss of success
    /// probability, and divided by [`success_probability`](Self::success_probability) the removal effect. Groups may
    /// overlap; an empty group loses 0, one that covers every walk loses the whole mean reward. State numbers beyond
    /// the last are ignored.
    ///
    /// Rewards of at least 0 lose nothing to cancellation, and the error bound of the module holds for each loss; a loss
    /// of mixed rewards is as accurate relative to what their absolute values would lose.
    ///
    /// Cost in multiplications, for n states: ⁷⁄₉ n³ when each group is a state of its own, at most n³ · (1 + log₂ groups)
    /// while groups do not overlap, and in no case more than ⅓ n³ for each group. Memory in numbers: 2¼ n² for groups of
    /// one state, at most n² · (3 + log₂ groups) when groups are large and overlap.
    pub fn removal_losses(&self, rewards: &[&[f64]], groups: &[Vec<usize>]) -> Vec<Vec<f64>> {
        let groups: Vec<Vec<usize>> = groups.iter().map(|group| self.valid(group)).collect();
        let entries = Watched::whole(&self.counts).entries(&groups);
        let loss = |from: &[f64], group: &[usize], entries: &[f64]| {
            // Not a sum, which is −0 for an empty group.
            let lost = group.iter().zip(entries).fold(0.0, |lost, (&s, e)| lost + e * from[s]);
            if self.walks > 0.0 { lost / self.walks } else { 0.0 }
        };
        let losses = rewards.iter().map(|reward| {
            let from = self.solve(reward);
            groups.iter().zip(&entries).map(|(group, entries)| loss(&from, group, entries)).collect()
        });
        losses.collect()
    }

    /// The states of the chain among `group`, ascending and once each.
    fn valid(&self, group: &[usize]) -> Vec<usize> {
        let mut group: Vec<usize> = group.iter().copied().filter(|&s| s < self.states()).collect();
        group.sort_unstable();
        group.dedup();
        group
    }
}

/// Rows that elimination updates together, so that the rows above them are read from memory once for all: 200 kB at
/// [`MAX_STATES`].
const BLOCK: usize = 8;

/// Eliminates the first `count` states of a table of rates in place, subtraction-free, and answers with their pivots: the
/// sum of a state's remaining ways out, its row right of the diagonal; 1 for states without, which no walk visits. What
/// elimination puts on the diagonal is a return to the same state, which is never read; left of it remain the shares
/// with which rows above were added.
fn eliminate(cells: &mut [f64], width: usize, count: usize) -> Vec<f64> {
    let mut pivots: Vec<f64> = Vec::with_capacity(count);
    for first in (0..cells.len() / width).step_by(BLOCK) {
        let (done, rest) = cells.split_at_mut(first * width);
        let block = rest.len().min(BLOCK * width);
        let block = &mut rest[..block];
        for (k, above) in done.chunks_exact(width).take(count).enumerate() {
            add_shares(block, width, k, above, pivots[k]);
        }
        for k in first..count.min(first + block.len() / width) {
            let (above, below) = block.split_at_mut((k - first + 1) * width);
            let above = &above[(k - first) * width..];
            let out: f64 = above[k + 1..].iter().sum();
            let pivot = if out > 0.0 { out } else { 1.0 };
            pivots.push(pivot);
            add_shares(below, width, k, above, pivot);
        }
    }
    pivots
}

/// Sends what the rows of `below` send to state k on to where k, whose row is `above`, leads.
fn add_shares(below: &mut [f64], width: usize, k: usize, above: &[f64], pivot: f64) {
    for row in below.chunks_exact_mut(width) {
        if row[k] > 0.0 {
            let share = row[k] / pivot;
            row[k] = share;
            axpy(&mut row[k + 1..], share, &above[k + 1..]);
        }
    }
}

/// The first state that walks enter (or start in) but from which no end can be reached.
fn check_ends(rates: &[f64], counts: &Counts) -> Result<(), ChainError> {
    let n = counts.start.len();
    let mut ends: Vec<bool> = (0..n).map(|i| rates[i * (n + 1) + n] > 0.0).collect();
    let mut entered: Vec<bool> = counts.start.iter().map(|s| *s > 0.0).collect();
    let mut before: Vec<Vec<usize>> = vec![Vec::new(); n];
    for i in 0..n {
        for j in (0..n).filter(|j| rates[i * (n + 1) + j] > 0.0) {
            before[j].push(i);
            entered[j] = true;
        }
    }
    let mut queue: Vec<usize> = (0..n).filter(|&i| ends[i]).collect();
    while let Some(state) = queue.pop() {
        for &i in &before[state] {
            if !std::mem::replace(&mut ends[i], true) {
                queue.push(i);
            }
        }
    }
    match (0..n).find(|&i| entered[i] && !ends[i]) {
        Some(state) => Err(ChainError::NeverEnds { state }),
        None => Ok(()),
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// y += a · x.
#[inline]
fn axpy(y: &mut [f64], a: f64, x: &[f64]) {
    if a != 0.0 {
        y.iter_mut().zip(x).for_each(|(y, x)| *y += a * x);
    }
}

#[cfg(test)]
mod tests;
