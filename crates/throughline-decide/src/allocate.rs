//! One budget over many units: the multiple-choice knapsack, with a certificate of how close the answer is to the best.
//!
//! Maximise Σ value subject to Σ cost ≤ budget, each unit taking one of its offers or nothing. The linear relaxation is
//! solved exactly: steps along the upper hull of every unit, in order of falling slope, until the budget is used (Sinha
//! and Zoltners 1979). The whole-number answer takes the steps that fit, and is repaired around the one that does not.
//! All sums are whole micros and all comparisons exact, so that the answer depends neither on the order of units nor on
//! rounding.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::DecideError;
use crate::hull::{Point, Slope, upper_hull};

/// Largest value or cost of one offer: 100 million units of money in micros. It keeps every sum within 128 bits.
pub const MAX_MICROS: i64 = 100_000_000_000_000;

/// One thing a unit may get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Number of the action; the lower one wins at equal value and cost.
    pub action: u32,
    /// Expected net value in micros, within ±[`MAX_MICROS`].
    pub value_micros: i64,
    /// Cost in micros, 0 to [`MAX_MICROS`].
    pub cost_micros: i64,
}

/// How good an allocation is. No allocation whatever is worth more than `dual`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    /// Value of the allocation, in units of money.
    pub primal: f64,
    /// Upper bound on every allocation, whole or fractional: λ·budget + Σ max(value − λ·cost) at the shadow price λ; equal
    /// to the optimum of the linear relaxation.
    pub dual: f64,
    /// Dual less primal, at least 0.
    pub gap: f64,
    /// What one more unit of money of each constraint would earn; `budget` is 0 when the budget does not bind.
    pub shadow_prices: BTreeMap<String, f64>,
    /// Value of the allocation in micros, exact.
    pub primal_micros: i64,
    /// Cost of the allocation in micros, exact.
    pub spend_micros: i64,
    /// The budget in micros; `None` without one.
    pub budget_micros: Option<i64>,
}

/// A solved allocation.
#[derive(Debug, Clone, PartialEq)]
pub struct Allocation<K> {
    /// The action of each unit, `None` for nothing, in order of the units' keys.
    pub choices: Vec<(K, Option<u32>)>,
    /// Proof of quality.
    pub certificate: Certificate,
}

impl<K: Ord> Allocation<K> {
    /// What a unit gets: `None` when it was not part of the problem.
    pub fn choice(&self, unit: &K) -> Option<Option<u32>> {
        let found = self.choices.binary_search_by(|(key, _)| key.cmp(unit)).ok()?;
        self.choices.get(found).map(|(_, action)| *action)
    }
}

/// A step along the hull of one unit.
#[derive(Debug, Clone, Copy)]
struct Step {
    unit: usize,
    slope: Slope,
    to: Point,
}

/// Collects units one after the other, in any order.
#[derive(Debug, Clone)]
pub struct Allocator<K> {
    units: Vec<K>,
    offers: Vec<Offer>,
    /// Where the offers of each unit end.
    ends: Vec<usize>,
}

impl<K> Default for Allocator<K> {
    fn default() -> Self {
        Self { units: Vec::new(), offers: Vec::new(), ends: Vec::new() }
    }
}

impl<K: Ord + Copy> Allocator<K> {
    /// An empty problem.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a unit with its offers; doing nothing is always one more.
    pub fn add(&mut self, unit: K, offers: &[Offer]) -> Result<(), DecideError> {
        for offer in offers {
            within("value", offer.value_micros, -MAX_MICROS)?;
            within("cost", offer.cost_micros, 0)?;
        }
        self.units.push(unit);
        self.offers.extend_from_slice(offers);
        self.ends.push(self.offers.len());
        Ok(())
    }

    /// Solves for a budget in micros, or without one. Offers that cost more than the whole budget are left out.
    pub fn solve(self, budget_micros: Option<i64>) -> Result<Allocation<K>, DecideError> {
        if let Some(budget) = budget_micros.filter(|b| *b < 0) {
            return Err(DecideError::MoneyOutOfRange { what: "budget", micros: budget, low: 0, high: i64::MAX });
        }
        let limit = budget_micros.unwrap_or(i64::MAX);
        let problem = self.problem(limit)?;
        let limit = budget_micros.map_or(i128::MAX, i128::from);
        let mut best = problem.greedy(limit, None);
        if let Some(critical) = best.critical {
            // The step that did not fit may be worth more than the small ones before it: try it first.
            let other = problem.greedy(limit, Some(critical));
            if other.value() > best.value() {
                best.taken = other.taken;
            }
        }
        let certificate = problem.certificate(&best, budget_micros)?;
        let mut choices: Vec<(K, Option<u32>)> =
            self.units.into_iter().zip(best.taken.iter().map(|p| p.action)).collect();
        choices.sort_unstable_by_key(|(unit, _)| *unit);
        Ok(Allocation { choices, certificate })
    }

    /// The hulls of all units, and their steps in order of falling slope, then of the units' keys.
    fn problem(&self, limit: i64) -> Result<Problem, DecideError> {
        let mut keys = self.units.clone();
        keys.sort_unstable();
        if keys.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(DecideError::DuplicateUnit);
        }
        let (mut start, mut steps) = (Vec::with_capacity(self.units.len()), Vec::with_capacity(self.offers.len()));
        let mut from = 0;
        for (unit, &end) in self.ends.iter().enumerate() {
            let hull = upper_hull(self.offers[from..end].iter().filter(|o| o.cost_micros <= limit));
            start.push(hull[0]);
            steps.extend(hull.windows(2).map(|p| Step { unit, slope: Slope::between(p[0], p[1]), to: p[1] }));
            from = end;
        }
        let units = &self.units;
        steps.sort_unstable_by(|a: &Step, b: &Step| {
            let by_key = || units[a.unit].cmp(&units[b.unit]).then(a.to.cost.cmp(&b.to.cost));
            b.slope.compare(a.slope).then_with(by_key)
        });
        Ok(Problem { start, steps })
    }
}

/// The relaxed problem: where each unit starts, and all steps in the order in which they are taken.
#[derive(Debug)]
struct Problem {
    start: Vec<Point>,
    steps: Vec<Step>,
}

impl Problem {
    /// Takes steps in order as long as they fit. A step after one left out jumps over it when the whole way fits.
    fn greedy(&self, limit: i128, forced: Option<Step>) -> Greedy {
        let mut taken = self.start.clone();
        let mut left = limit;
        if let Some(step) = forced {
            left -= i128::from(step.to.cost);
            taken[step.unit] = step.to;
        }
        let mut critical = None;
        for step in &self.steps {
            let now = taken[step.unit];
            if step.to.cost <= now.cost {
                continue;
            }
            let more = i128::from(step.to.cost - now.cost);
            if more <= left {
                left -= more;
                taken[step.unit] = step.to;
            } else if critical.is_none() {
                critical = Some(*step);
            }
        }
        Greedy { taken, critical }
    }

    fn certificate(&self, best: &Greedy, budget_micros: Option<i64>) -> Result<Certificate, DecideError> {
        let sum = |part: fn(&Point) -> i64| best.taken.iter().map(|p| i128::from(part(p))).sum::<i128>();
        let (value, spend) = (sum(|p| p.value), sum(|p| p.cost));
        let price = best.critical.map_or(Slope { value: 0, cost: 1 }, |step| step.slope);
        let (p, q) = (i128::from(price.value), i128::from(price.cost));
        // Everything times q, so that the price p / q stays whole: q·dual = p·budget + Σ max(q·value − p·cost).
        let worth = |point: Point| q * i128::from(point.value) - p * i128::from(point.cost);
        let mut most: Vec<i128> = self.start.iter().map(|point| worth(*point)).collect();
        for step in &self.steps {
            most[step.unit] = most[step.unit].max(worth(step.to));
        }
        let mut dual = p.checked_mul(i128::from(budget_micros.unwrap_or(0))).ok_or(DecideError::Overflow)?;
        for unit in most {
            dual = dual.checked_add(unit).ok_or(DecideError::Overflow)?;
        }
        let primal = q.checked_mul(value).ok_or(DecideError::Overflow)?;
        let money = |scaled: i128| ((scaled / q) as f64 + (scaled % q) as f64 / q as f64) / 1e6;
        Ok(Certificate {
            primal: value as f64 / 1e6,
            dual: money(dual),
            gap: money(dual - primal),
            shadow_prices: BTreeMap::from([("budget".to_owned(), p as f64 / q as f64)]),
            primal_micros: i64::try_from(value).map_err(|_| DecideError::Overflow)?,
            spend_micros: i64::try_from(spend).map_err(|_| DecideError::Overflow)?,
            budget_micros,
        })
    }
}

/// What every unit takes, and the first step that did not fit.
#[derive(Debug)]
struct Greedy {
    taken: Vec<Point>,
    critical: Option<Step>,
}

impl Greedy {
    fn value(&self) -> i128 {
        self.taken.iter().map(|p| i128::from(p.value)).sum()
    }
}

fn within(what: &'static str, micros: i64, low: i64) -> Result<(), DecideError> {
    if (low..=MAX_MICROS).contains(&micros) {
        return Ok(());
    }
    Err(DecideError::MoneyOutOfRange { what, micros, low, high: MAX_MICROS })
}
