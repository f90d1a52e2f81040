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
//! Solvers: up to [`FEW_STATES`] states factors are dense, and groups are removed by low-rank updates of them where that
//! keeps the digits, else by elimination. Beyond, sweeps over the transitions that occur are stopped by a bound on what
//! they miss (below 2⁻⁵³ of every component); up to [`MAX_DENSE_STATES`] a chain too slow for them is factorised instead.

mod dense;
mod removal;
mod sweeps;
mod update;

use self::dense::Dense;
use self::sweeps::{Graph, MOST_SWEEPS};

/// The most states of a chain (about 200 MB a thread while groups are removed).
pub const MAX_STATES: usize = 1 << 20;

/// The most states of a chain that sweeps do not settle (72 MB for its factors).
pub const MAX_DENSE_STATES: usize = 3_000;

/// Up to so many states a factorisation costs less than sweeps.
pub const FEW_STATES: usize = 192;

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
    /// Walks take too long to end for sweeps, and there are too many states for factors.
    #[error(
        "chain of {states} states does not settle within {sweeps} sweeps and exceeds the {MAX_DENSE_STATES} states that \
         are solved directly"
    )]
    SlowToEnd {
        /// States given.
        states: usize,
        /// Sweeps made.
        sweeps: usize,
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

/// How a chain is solved.
#[derive(Debug, Clone)]
enum Solver {
    Dense(Dense),
    /// With the transitions read by one solution.
    Sweeps(f64),
}

/// A chain ready to be solved.
#[derive(Debug, Clone)]
pub struct Chain {
    counts: Counts,
    graph: Graph,
    solver: Solver,
    /// start · M⁻¹.
    passages: Vec<f64>,
    walks: f64,
}

impl Chain {
    /// Checks, and chooses a solver: a factorisation, ⅓ states³ multiplications, or sweeps, transitions for each.
    pub fn new(counts: Counts) -> Result<Self, ChainError> {
        Self::with_limits(counts, FEW_STATES, MOST_SWEEPS)
    }

    /// Factorises up to `few` states and beyond that chains which `most` sweeps do not settle.
    fn with_limits(counts: Counts, few: usize, most: usize) -> Result<Self, ChainError> {
        counts.check()?;
        let states = counts.start.len();
        let graph = Graph::new(&counts);
        graph.check_ends(&counts)?;
        let settled = if states > few { graph.solve_left(&counts.start, most) } else { None };
        let (solver, passages) = match settled {
            Some((passages, reads)) => (Solver::Sweeps(reads), passages),
            None if states > few.max(MAX_DENSE_STATES) => return Err(ChainError::SlowToEnd { states, sweeps: most }),
            None => {
                let dense = Dense::new(&counts);
                let passages = dense.solve_left(&counts.start);
                (Solver::Dense(dense), passages)
            }
        };
        let walks = counts.start.iter().sum();
        Ok(Self { counts, graph, solver, passages, walks })
    }

    /// Number of states.
    pub fn states(&self) -> usize {
        self.counts.start.len()
    }

    /// The probability that a walk succeeds; 0 without walks.
    pub fn success_probability(&self) -> f64 {
        if self.walks > 0.0 { dot(&self.passages, &self.counts.success) / self.walks } else { 0.0 }
    }

    /// The probability of success from each state; 0 for states that no walk visits.
    pub fn success_from(&self) -> Vec<f64> {
        self.solve(&self.counts.success)
    }

    /// M⁻¹ · `reward`: with `reward` the total reward paid on leaving each state for an end (its mean per such walk times
    /// their number), the expected reward of a walk from each state. `reward` is read up to the number of states.
    pub fn solve(&self, reward: &[f64]) -> Vec<f64> {
        match &self.solver {
            Solver::Dense(dense) => dense.solve(reward),
            Solver::Sweeps(_) => self.graph.solve(reward),
        }
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
        let per_walk = |passages: f64| if self.walks > 0.0 { passages / self.walks } else { 0.0 };
        self.passages.iter().zip(totals).map(|(v, total)| per_walk(*v) * total).collect()
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
    /// Cost in multiplications. By sweeps: transitions × groups × sweeps (about 36 / ln(1 / ρ) of them, ρ the share of
    /// walks in progress that a sweep leaves), on several threads; memory for 8 groups at once. By factors, n states: ⅓ n³
    /// for the inverse factors, (n + size) · size² for each group; groups that are large together (Σ size² > n²), and those
    /// whose update would lose digits, by elimination: ⁷⁄₉ n³ when each is a state of its own, at most n³ · (1 + log₂
    /// groups) while they do not overlap, and in no case more than ⅓ n³ for each.
    pub fn removal_losses(&self, rewards: &[&[f64]], groups: &[Vec<usize>]) -> Vec<Vec<f64>> {
        let groups: Vec<Vec<usize>> = groups.iter().map(|group| self.valid(group)).collect();
        let from: Vec<Vec<f64>> = rewards.iter().map(|reward| self.solve(reward)).collect();
        let entries = match &self.solver {
            Solver::Dense(dense) => update::entries(dense, &self.counts, &self.passages, &from, &groups),
            Solver::Sweeps(_) => self.graph.entries(&self.counts.start, &groups),
        };
        self.losses(&from, &groups, &entries)
    }

    /// About how many multiplications the removal of `groups` groups takes, each of them like a solution of the whole chain.
    pub fn removal_cost(&self, groups: usize) -> f64 {
        let n = self.states() as f64;
        match &self.solver {
            Solver::Dense(_) => n.powi(3) * (1.0 + (groups.max(1) as f64).log2()),
            Solver::Sweeps(reads) => reads * groups as f64,
        }
    }

    /// Σ entries · what the entered states lead to, per walk.
    fn losses(&self, from: &[Vec<f64>], groups: &[Vec<usize>], entries: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let loss = |from: &[f64], group: &[usize], entries: &[f64]| {
            // Not a sum, which is −0 for an empty group.
            let lost = group.iter().zip(entries).fold(0.0, |lost, (&s, e)| lost + e * from[s]);
            if self.walks > 0.0 { lost / self.walks } else { 0.0 }
        };
        from.iter().map(|from| groups.iter().zip(entries).map(|(g, e)| loss(from, g, e)).collect()).collect()
    }

    /// The states of the chain among `group`, ascending and once each.
    fn valid(&self, group: &[usize]) -> Vec<usize> {
        let mut group: Vec<usize> = group.iter().copied().filter(|&s| s < self.states()).collect();
        group.sort_unstable();
        group.dedup();
        group
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
mod solvers;

#[cfg(test)]
mod tests;
