//! How good are predicted probabilities of an event? Discrimination, proper scores, calibration and lift.
//!
//! Invariant: every metric is a function of the counts per distinct score, so that the order of rows cannot change a bit.

mod auc;

mod lift;

mod loss;

mod reliability;

pub use auc::{Auc, auc, auc_between};
pub use lift::{LiftRow, lift_table};
pub use loss::{BrierParts, LogLoss, brier, log_loss};
pub(crate) use loss::{brier_of, log_loss_of};
pub use reliability::{CalibrationError, ReliabilityBin, calibration_error};

use std::ops::Range;

use crate::LearnError;
use crate::checks::{finite, same_length};

/// Scores with what happened, counted per distinct score, highest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Predicted {
    pub(crate) blocks: Vec<ScoreBlock>,
    rows: u64,
    events: u64,
    /// How many scores are no probabilities, and the first row of them.
    outside: Option<(usize, usize)>,
}

/// Rows of one score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ScoreBlock {
    pub(crate) score: f64,
    pub(crate) rows: u64,
    pub(crate) events: u64,
}

impl Predicted {
    /// Counts rows by score. Scores are finite; where a metric needs probabilities it refuses others itself.
    ///
    /// # Errors
    /// Lengths that differ, no rows, a score that is not finite.
    pub fn new(score: &[f64], event: &[bool]) -> Result<Self, LearnError> {
        same_length("event", event.len(), score.len())?;
        finite("score", score)?;
        if score.is_empty() {
            return Err(LearnError::Empty { what: "rows" });
        }
        // Adding 0 turns −0 into 0, which would otherwise sort as another score.
        let mut pairs: Vec<(f64, bool)> = score.iter().zip(event).map(|(s, e)| (s + 0.0, *e)).collect();
        pairs.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        let block = |tied: &[(f64, bool)]| ScoreBlock {
            score: tied[0].0,
            rows: tied.len() as u64,
            events: tied.iter().filter(|(_, e)| *e).count() as u64,
        };
        let blocks: Vec<ScoreBlock> = pairs.chunk_by(|a, b| a.0 == b.0).map(block).collect();
        let events = blocks.iter().map(|b| b.events).sum();
        let mut outside = score.iter().enumerate().filter(|(_, s)| !(0.0..=1.0).contains(*s));
        let outside = outside.next().map(|(row, _)| (1 + outside.count(), row));
        Ok(Self { blocks, rows: score.len() as u64, events, outside })
    }

    /// Rows.
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Rows with the event.
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// Share of rows with the event.
    pub fn base_rate(&self) -> f64 {
        self.events as f64 / self.rows as f64
    }

    /// Refuses scores that are no probabilities.
    fn probabilities(&self) -> Result<(), LearnError> {
        let refused =
            |(count, row)| LearnError::BadValues { what: "probability", count, row, bound: "between 0 and 1" };
        self.outside.map(refused).map_or(Ok(()), Err)
    }

    /// At most `bins` ranges of blocks of nearly equal numbers of rows, highest scores first. Tied rows stay together, in
    /// the bin in which their middle lies; bins without rows are dropped.
    fn equal_mass(&self, bins: usize) -> Vec<Range<usize>> {
        let (mut out, mut last) = (Vec::<Range<usize>>::new(), None);
        let mut start = 0_u64;
        for (index, block) in self.blocks.iter().enumerate() {
            let middle = u128::from(2 * start + block.rows);
            let bin = middle * bins as u128 / (2 * u128::from(self.rows));
            match out.last_mut() {
                Some(range) if last == Some(bin) => range.end = index + 1,
                _ => out.push(index..index + 1),
            }
            last = Some(bin);
            start += block.rows;
        }
        out
    }
}
