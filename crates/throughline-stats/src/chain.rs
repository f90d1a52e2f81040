//! Absorbing Markov chains with two ends, success and failure: exact success probabilities, expected visits and the
//! effect of removing states.
//!
//! The chain is given by counts, not probabilities: how often one state followed another and how often each state was
//! the last before success or failure. With T the counts between states and D the diagonal of row totals, everything
//! follows from M = D − T: success probabilities are M⁻¹ · (success counts), and the loss of success when a set G of
//! states is removed (walks that enter it fail) is v_G · (M⁻¹_GG)⁻¹ · h_G, with v = start · M⁻¹ and h = M⁻¹ · success:
//! the Sherman–Morrison–Woodbury formula for deleting rows and columns of M.
//!
//! M is factorised without subtractions (W. K. Grassmann, M. I. Taksar, D. P. Heyman, "Regenerative analysis and steady
//! state distributions for Markov chains", Operations Research 33, 1985), so every entry of the factors, of h, v and
//! of the loss of a single state is accurate to a few units in the last place times the number of states, however
//! rarely the chain ends. The solver is dense; [`Chain`] hides that, so that a sparse one can take its place.

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

    /// The same walks when every entry into `group` fails at once: the reference for [`Chain::removal_losses`].
    fn without(&self, group: &[usize]) -> Self {
        let mut gone = vec![false; self.start.len()];
        for &s in group {
            gone[s] = true;
        }
        let mut rest = Self { transitions: Vec::with_capacity(self.transitions.len()), ..self.clone() };
        for &(from, to, count) in &self.transitions {
            match (gone[from as usize], gone[to as usize]) {
                (true, _) => {}
                (false, true) => rest.failure[from as usize] += count,
                (false, false) => rest.transitions.push((from, to, count)),
            }
        }
        for &s in group {
            (rest.start[s], rest.success[s], rest.failure[s]) = (0.0, 0.0, 0.0);
        }
        rest
    }
}

/// A factorised chain.
#[derive(Debug, Clone)]
pub struct Chain {
    counts: Counts,
    /// Row-major: the negated strict triangles of the factors of M = L · U, all entries at least 0.
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
        let mut factors = vec![0.0; n * n];
        for &(from, to, count) in &counts.transitions {
            // Staying in a state changes how long it lasts, not where it leads: M's diagonal leaves it out.
            if from != to {
                factors[from as usize * n + to as usize] += count;
            }
        }
        check_ends(&factors, &counts)?;
        let exits = counts.success.iter().zip(&counts.failure).map(|(s, f)| s + f).collect();
        let pivots = factorise(&mut factors, exits);
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
            let row = &self.factors[i * n..i * n + i];
            x[i] = reward.get(i).copied().unwrap_or(0.0) + dot(row, &x[..i]);
        }
        for i in (0..n).rev() {
            let row = &self.factors[i * n + i + 1..(i + 1) * n];
            x[i] = (x[i] + dot(row, &x[i + 1..])) / self.pivots[i];
        }
        x
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
            axpy(rest, done[k], &self.factors[k * n + k + 1..(k + 1) * n]);
        }
        for i in (0..n).rev() {
            let (rest, done) = v.split_at_mut(i);
            axpy(rest, done[0], &self.factors[i * n..i * n + i]);
        }
        v
    }

    /// M⁻¹, row-major: all right-hand sides at once, so that the inner loops run along rows.
    fn inverse(&self) -> Vec<f64> {
        let n = self.states();
        let mut x = vec![0.0; n * n];
        for i in 0..n {
            x[i * n + i] = 1.0;
            let (done, rest) = x.split_at_mut(i * n);
            for k in 0..i {
                // Row k of L⁻¹ is zero beyond column k.
                axpy(&mut rest[..=k], self.factors[i * n + k], &done[k * n..=k * n + k]);
            }
        }
        for i in (0..n).rev() {
            let (rest, done) = x.split_at_mut((i + 1) * n);
            let row = &mut rest[i * n..];
            for j in i + 1..n {
                axpy(row, self.factors[i * n + j], &done[(j - i - 1) * n..(j - i) * n]);
            }
            for value in row {
                *value /= self.pivots[i];
            }
        }
        x
    }

    /// How much of a mean reward is lost when each of `groups` is removed: one row per reward, one entry per group.
    ///
    /// `rewards` are as in [`solve`](Self::solve); with the success counts the answer is the loss of success
    /// probability, and divided by [`success_probability`](Self::success_probability) the removal effect. Groups may
    /// overlap; an empty group loses 0, one that covers every walk loses the whole mean reward. State numbers beyond
    /// the last are ignored. Cost: O(states³) once, and once more for each
    /// group of several states: updating the inverse instead, in O(|group|³), was seen to lose up to 1e-10 of the whole where
    /// the states of a group lead into each other.
    pub fn removal_losses(&self, rewards: &[&[f64]], groups: &[Vec<usize>]) -> Vec<Vec<f64>> {
        let inverse = self.inverse();
        let passages = self.passages();
        let from: Vec<Vec<f64>> = rewards.iter().map(|r| self.solve(r)).collect();
        let mut losses = vec![Vec::with_capacity(groups.len()); rewards.len()];
        for group in groups {
            let mut group: Vec<usize> = group.iter().copied().filter(|&s| s < self.states()).collect();
            group.sort_unstable();
            group.dedup();
            for ((row, reward), from) in losses.iter_mut().zip(rewards).zip(&from) {
                row.push(match group[..] {
                    // v_s / M⁻¹_ss is the rate at which walks first enter the state.
                    [state] => passages[state] / inverse[state * self.states() + state] * from[state],
                    _ => self.from_start(from) - self.mean_without(reward, &group),
                });
            }
        }
        losses
    }

    /// The mean reward after a direct solve of the chain without `group`.
    fn mean_without(&self, reward: &[f64], group: &[usize]) -> f64 {
        let mut kept = reward.to_vec();
        kept.resize(self.states(), 0.0);
        for &s in group {
            kept[s] = 0.0;
        }
        // Removal keeps the counts valid and only shortens walks, so the chain exists.
        Self::new(self.counts.without(group)).map_or(0.0, |rest| {
            let from = rest.solve(&kept);
            if self.walks > 0.0 { dot(&rest.counts.start, &from) / self.walks } else { 0.0 }
        })
    }
}

/// Eliminates in place, subtraction-free: the pivot of a state is the sum of its remaining ways out. What elimination
/// puts on the diagonal is a return to the same state, which is never read.
fn factorise(factors: &mut [f64], mut exits: Vec<f64>) -> Vec<f64> {
    let n = exits.len();
    let mut pivots = Vec::with_capacity(n);
    for k in 0..n {
        let (upper, lower) = factors.split_at_mut((k + 1) * n);
        let row = &upper[k * n + k + 1..];
        let out = row.iter().sum::<f64>() + exits[k];
        let pivot = if out > 0.0 { out } else { 1.0 };
        pivots.push(pivot);
        let exit = exits[k];
        for (below, exit_below) in lower.chunks_exact_mut(n).zip(&mut exits[k + 1..]) {
            if below[k] > 0.0 {
                let share = below[k] / pivot;
                below[k] = share;
                axpy(&mut below[k + 1..], share, row);
                *exit_below += share * exit;
            }
        }
    }
    pivots
}

/// The first state that walks enter (or start in) but from which no end can be reached.
fn check_ends(between: &[f64], counts: &Counts) -> Result<(), ChainError> {
    let n = counts.start.len();
    let mut ends: Vec<bool> = counts.success.iter().zip(&counts.failure).map(|(s, f)| s + f > 0.0).collect();
    let mut entered: Vec<bool> = counts.start.iter().map(|s| *s > 0.0).collect();
    let mut before: Vec<Vec<usize>> = vec![Vec::new(); n];
    for i in 0..n {
        for j in (0..n).filter(|j| between[i * n + j] > 0.0) {
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
