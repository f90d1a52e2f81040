//! The model of Fellegi and Sunter (1969): what the columns of a pair weigh.
//!
//! In true pairs column `c` agrees to level `l` with probability `m_c(l)`, in others with `u_c(l)`, given whether the column's parent
//! agrees ([`depend`](crate::depend)); without one, independent of all others. A pair's weight is `Σ_c ln m_c(l) / u_c(l)`, missing
//! values left out, and its probability that of the odds `λ / (1 − λ) · e^weight`.
//!
//! - Equal values count by how rare they are: `u` is the value's own frequency, or `u` given an equal parent where that is larger.
//! - `λ` is what makes the expected number of true pairs agree with itself.

use serde::Serialize;

use crate::column::{Column, Kind};
use crate::compare::{EQUAL, LEVELS, level};
use crate::em::{Pattern, level_of};
use crate::table::Table;

/// Weights stay within this, in nats: nothing is certain.
const BOUND: f64 = 14.0;
/// The level of equal values as a place.
const SAME: usize = EQUAL as usize;

/// Probabilities of levels in true pairs and in others.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Probabilities {
    /// The column.
    pub column: String,
    /// In true pairs, by level; level 0 (missing) is left out of the sum.
    pub m: [f64; LEVELS],
    /// In other pairs.
    pub u: [f64; LEVELS],
    /// The column that says the same in part, if there is one.
    pub parent: Option<String>,
    /// `u` where the parent is equal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub u_given_parent: Option<[f64; LEVELS]>,
}

/// Whether a column's parent agrees; a place in arrays of three.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// There is no parent, or it is missing.
    Free = 0,
    /// It is equal.
    Equal = 1,
    /// It differs.
    Differs = 2,
}

impl State {
    /// From the level of the parent.
    pub(crate) const fn of(level: usize) -> Self {
        match level {
            0 => Self::Free,
            SAME => Self::Equal,
            _ => Self::Differs,
        }
    }
}

/// Probabilities of a column's levels by the state of its parent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Given {
    pub(crate) parent: Option<usize>,
    pub(crate) m: [[f64; LEVELS]; 3],
    pub(crate) u: [[f64; LEVELS]; 3],
}

impl Given {
    /// A column without a parent.
    pub(crate) const fn alone(m: [f64; LEVELS], u: [f64; LEVELS]) -> Self {
        Self { parent: None, m: [m; 3], u: [u; 3] }
    }
}

/// The fitted model.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    givens: Vec<Given>,
    /// Weights by column, state and level, in nats; that of equal values is by code.
    weights: Vec<[[f64; LEVELS]; 3]>,
    /// The logarithm of each value's frequency.
    frequency: Vec<Vec<f32>>,
    /// The largest weight of a level below equal, by state.
    near: Vec<[f64; 3]>,
    /// The order in which columns that are not equal are compared: the cheapest first.
    order: Vec<usize>,
}

impl Model {
    pub(crate) fn new(columns: &[Column], givens: Vec<Given>) -> Self {
        let weight = |m: f64, u: f64| (m / u).ln().clamp(-BOUND, BOUND);
        let of = |given: &Given, s: usize, l: usize| if l == 0 { 0.0 } else { weight(given.m[s][l], given.u[s][l]) };
        let weights: Vec<[[f64; LEVELS]; 3]> =
            givens.iter().map(|given| std::array::from_fn(|s| std::array::from_fn(|l| of(given, s, l)))).collect();
        let frequency = columns
            .iter()
            .map(|column| {
                let n = column.present().max(1) as f64;
                #[expect(clippy::cast_possible_truncation, reason = "seven digits of a weight are enough")]
                column.counts.iter().map(|count| (f64::from((*count).max(2)) / n).ln() as f32).collect()
            })
            .collect();
        let largest = |levels: &[f64; LEVELS]| levels[1..SAME].iter().fold(f64::MIN, |a, b| a.max(*b));
        let near = weights.iter().map(|states| std::array::from_fn(|s| largest(&states[s]))).collect();
        let mut order: Vec<usize> = (0..columns.len()).collect();
        order.sort_by_key(|c| (cost(columns[*c].kind), *c));
        Self { givens, weights, frequency, near, order }
    }

    /// The probabilities, in words.
    pub(crate) fn told(&self, columns: &[Column]) -> Vec<Probabilities> {
        let told = |(column, given): (&Column, &Given)| Probabilities {
            column: column.name.clone(),
            m: given.m[State::Free as usize],
            u: given.u[State::Free as usize],
            parent: given.parent.map(|p| columns[p].name.clone()),
            u_given_parent: given.parent.map(|_| given.u[State::Equal as usize]),
        };
        columns.iter().zip(&self.givens).map(told).collect()
    }

    /// How often columns have equal values in true pairs, missing ones counted as not equal.
    pub(crate) fn agreeing(&self, columns: &[Column]) -> Vec<f64> {
        let presence = |c: &Column| (c.present() as f64 / c.records.max(1) as f64).powi(2);
        columns.iter().zip(&self.givens).map(|(c, given)| presence(c) * given.m[0][SAME]).collect()
    }

    /// The state of a column's parent in a pair.
    fn state(&self, column: usize, a: &[u32], b: &[u32]) -> usize {
        let state = match self.givens[column].parent {
            None => State::Free,
            Some(p) if a[p] == 0 || b[p] == 0 => State::Free,
            Some(p) if a[p] == b[p] => State::Equal,
            Some(_) => State::Differs,
        };
        state as usize
    }

    /// The weight of an equal value: by its frequency, or by how often the column is equal where the parent is.
    fn equal(&self, column: usize, state: usize, code: u32) -> f64 {
        let given = &self.givens[column];
        let rare = f64::from(self.frequency[column][code as usize]);
        let u = if state == State::Equal as usize { rare.max(given.u[state][SAME].ln()) } else { rare };
        (given.m[state][SAME].ln() - u).clamp(-BOUND, BOUND)
    }

    /// The weight of a pair in nats, or `None` as soon as it is certain to be below `least`.
    pub(crate) fn weigh(&self, table: &Table, a: u32, b: u32, least: f64) -> Option<f64> {
        let (a, b) = (table.row(a), table.row(b));
        let (mut sum, mut may) = (0.0, 0.0);
        let mut open = 0_u64;
        for (c, column) in table.columns.iter().enumerate() {
            let (x, y) = (a[c], b[c]);
            if x == 0 || y == 0 {
                continue;
            }
            let state = self.state(c, a, b);
            if x == y {
                sum += self.equal(c, state, x);
            } else if column.kind == Kind::Category {
                sum += self.weights[c][state][1];
            } else {
                open |= 1 << c;
                may += self.near[c][state];
            }
        }
        for c in self.order.iter().filter(|c| open >> **c & 1 == 1) {
            if sum + may < least {
                return None;
            }
            let state = self.state(*c, a, b);
            let l = level(&table.columns[*c], a[*c], b[*c]);
            sum += self.weights[*c][state][usize::from(l)];
            may -= self.near[*c][state];
        }
        (sum >= least).then_some(sum)
    }

    /// The same for a pair whose levels are known.
    pub(crate) fn weigh_levels(&self, table: &Table, a: u32, b: u32, levels: Pattern) -> f64 {
        let (a, b) = (table.row(a), table.row(b));
        let weight = |c: usize| {
            let state = self.state(c, a, b);
            match level_of(levels, c) {
                SAME => self.equal(c, state, a[c]),
                l => self.weights[c][state][l],
            }
        };
        (0..self.givens.len()).map(weight).sum()
    }
}

/// The levels of a pair.
pub(crate) fn pattern(table: &Table, a: u32, b: u32) -> Pattern {
    let (a, b) = (table.row(a), table.row(b));
    let levels = table.columns.iter().enumerate();
    levels.fold(0, |sum, (c, column)| sum | u64::from(level(column, a[c], b[c])) << (3 * c))
}

/// How dear a comparison is.
const fn cost(kind: Kind) -> u8 {
    match kind {
        Kind::Category => 0,
        Kind::Date | Kind::Digits => 1,
        Kind::Text => 2,
        Kind::Email => 3,
        Kind::Address => 4,
    }
}

/// The share of true pairs among all pairs, as log-odds: at it the expected number of true pairs is that of the pairs weighed.
/// `weights` are of all pairs that might be true; `all` is how many pairs there are.
pub(crate) fn prior(weights: &[f64], all: f64) -> f64 {
    let mut log_odds = (1.0 / all.sqrt().max(2.0)).ln();
    for _ in 0..100 {
        let expected: f64 = weights.iter().map(|w| 1.0 / (1.0 + (-(w + log_odds)).exp())).sum();
        let share = (expected.max(0.5) / all).min(0.5);
        let next = (share / (1.0 - share)).ln();
        if (next - log_odds).abs() < 1e-6 {
            return next;
        }
        log_odds = next;
    }
    log_odds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prior_agrees_with_itself() {
        let weights: Vec<f64> = (0..100).map(|_| 30.0).chain((0..1_000).map(|_| -5.0)).collect();
        let log_odds = prior(&weights, 1e6);
        assert!((log_odds - (1e-4_f64 / (1.0 - 1e-4)).ln()).abs() < 1e-3, "{log_odds}");
    }
}
