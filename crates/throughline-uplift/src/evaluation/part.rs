//! The rows of a range of a ranking whose ends may fall into tied rows, and expectations over the orders of those rows.

use std::ops::Range;

use super::hypergeometric::hypergeometric;
use crate::ranking::{Scored, Tally};

/// A tied block of which `drawn` rows are in the part: which ones is a matter of chance.
#[derive(Debug, Clone, Copy)]
struct Partial {
    treated: Tally,
    control: Tally,
    drawn: usize,
}

/// The rows of a range of the ranking: those surely in it, and at most two tied blocks that are partly in it.
#[derive(Debug, Default)]
pub(super) struct Part {
    treated: Tally,
    control: Tally,
    partial: Vec<Partial>,
}

/// Expectations over the orders in which both arms have rows.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rates {
    pub(super) chance: f64,
    pub(super) treated_rows: f64,
    pub(super) control_rows: f64,
    pub(super) treated_rate: f64,
    pub(super) control_rate: f64,
    /// Treated rows times the difference of the rates.
    pub(super) weighted: f64,
}

impl Rates {
    pub(super) fn uplift(&self) -> Option<f64> {
        (self.chance > 0.0).then(|| (self.treated_rate - self.control_rate) / self.chance)
    }
}

impl Part {
    pub(super) fn of(scored: &Scored, cut: Range<usize>) -> Self {
        let mut part = Self::default();
        let first = scored.blocks.partition_point(|b| b.end <= cut.start);
        for block in scored.blocks[first..].iter().take_while(|b| b.start < cut.end) {
            let drawn = block.end.min(cut.end).saturating_sub(block.start.max(cut.start));
            if drawn == block.end - block.start {
                part.treated = part.treated.plus(block.treated);
                part.control = part.control.plus(block.control);
            } else if drawn > 0 {
                part.partial.push(Partial { treated: block.treated, control: block.control, drawn });
            }
        }
        part
    }

    /// `None` for a part without rows.
    pub(super) fn rates(&self) -> Option<Rates> {
        let drawn: usize = self.partial.iter().map(|p| p.drawn).sum();
        if self.treated.rows + self.control.rows + drawn == 0 {
            return None;
        }
        let mut rates = Rates::default();
        cases(&self.partial, 1.0, (self.treated, self.control), &mut rates);
        Some(rates)
    }
}

/// Adds one case for every number of treated rows that the remaining partial blocks may bring.
fn cases(left: &[Partial], chance: f64, (treated, control): (Tally, Tally), rates: &mut Rates) {
    let Some((partial, rest)) = left.split_first() else {
        rates.treated_rows += chance * treated.rows as f64;
        rates.control_rows += chance * control.rows as f64;
        if treated.rows > 0 && control.rows > 0 {
            rates.chance += chance;
            rates.treated_rate += chance * treated.mean();
            rates.control_rate += chance * control.mean();
            rates.weighted += chance * (treated.total - treated.rows as f64 * control.mean());
        }
        return;
    };
    let rows = partial.treated.rows + partial.control.rows;
    let (first, chances) = hypergeometric(rows, partial.treated.rows, partial.drawn);
    // Given how many rows of an arm are drawn, each row of it is as likely as another.
    let some = |arm: Tally, rows: usize| Tally { rows, total: arm.mean() * rows as f64 };
    for (taken, p) in (first..).zip(chances) {
        let arms =
            (treated.plus(some(partial.treated, taken)), control.plus(some(partial.control, partial.drawn - taken)));
        cases(rest, chance * p, arms, rates);
    }
}
