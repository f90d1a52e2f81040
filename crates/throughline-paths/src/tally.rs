//! Counts of what was built.

use crate::{Fate, NONE, Output, Rule};

/// Counts over any number of outputs; adding is the same in any order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// Journeys.
    pub journeys: u64,
    /// Journeys that ended in a conversion.
    pub converting: u64,
    /// Touches considered, by rule in the order of [`Rule::ALL`].
    pub touches: [u64; Rule::ALL.len()],
    /// Conversions and refunds, by fate in the order of [`Fate::ALL`].
    pub outcomes: [u64; Fate::ALL.len()],
    /// Value of all conversions counted, after refunds, in millionths.
    pub value_micros: i128,
    /// Amount of refunds that reduced nothing because their order is unknown or missing, in millionths.
    pub lost_refunds_micros: i128,
    /// Conversions for which earlier touches had served as often as they may.
    pub reuse_limited: u64,
}

impl Tally {
    /// Adds what an output holds.
    pub fn add(&mut self, output: &Output) {
        self.journeys += output.len() as u64;
        self.converting += output.conversion.iter().filter(|c| **c != NONE).count() as u64;
        output.touch_rule.iter().for_each(|rule| self.touches[*rule as usize] += 1);
        for (fate, micros) in output.outcome_fate.iter().zip(&output.outcome_micros) {
            self.outcomes[*fate as usize] += 1;
            if matches!(fate, Fate::UnknownOrder | Fate::WithoutOrder) {
                self.lost_refunds_micros += i128::from(*micros);
            }
        }
        self.value_micros += output.value_micros.iter().map(|v| i128::from(*v)).sum::<i128>();
        self.reuse_limited += output.reuse_limited;
    }

    /// Adds another tally.
    pub fn merge(&mut self, other: &Self) {
        self.journeys += other.journeys;
        self.converting += other.converting;
        self.touches.iter_mut().zip(other.touches).for_each(|(mine, theirs)| *mine += theirs);
        self.outcomes.iter_mut().zip(other.outcomes).for_each(|(mine, theirs)| *mine += theirs);
        self.value_micros += other.value_micros;
        self.lost_refunds_micros += other.lost_refunds_micros;
        self.reuse_limited += other.reuse_limited;
    }

    /// Touches that became steps.
    pub const fn kept(&self) -> u64 {
        self.touches[Rule::Kept as usize]
    }

    /// Touches considered.
    pub fn considered(&self) -> u64 {
        self.touches.iter().sum()
    }

    /// Outcomes of one fate.
    pub const fn fate(&self, fate: Fate) -> u64 {
        self.outcomes[fate as usize]
    }
}
