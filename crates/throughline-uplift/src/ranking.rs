//! Rows in order of their score, with tied rows kept together so that row order cannot matter.

use std::ops::Range;

use crate::UpliftError;
use crate::training::{finite, same_length};

/// Checked scores with the treatment and outcome of each row, sorted by falling score.
///
/// Tied rows form one block. Inside a block rows are sorted by arm and outcome, so that every sum is taken in the same
/// order whatever the order of the input: results do not depend on it, bit for bit.
#[derive(Debug, Clone)]
pub struct Scored {
    pub(crate) rows: Vec<Row>,
    pub(crate) blocks: Vec<Block>,
    pub(crate) binary: bool,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) score: f64,
    pub(crate) treated: bool,
    pub(crate) outcome: f64,
}

/// Rows of one score.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Block {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) treated: Tally,
    pub(crate) control: Tally,
}

/// Rows of one arm and the sum of their outcomes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) rows: usize,
    pub(crate) total: f64,
}

impl Tally {
    pub(crate) fn plus(self, other: Self) -> Self {
        Self { rows: self.rows + other.rows, total: self.total + other.total }
    }

    /// Mean outcome, 0 for no rows (the convention of the published curves).
    pub(crate) fn mean(self) -> f64 {
        if self.rows == 0 { 0.0 } else { self.total / self.rows as f64 }
    }
}

impl Scored {
    /// Sorts and checks: equal lengths, at least one row, finite scores and outcomes.
    pub fn new(score: &[f64], treated: &[bool], outcome: &[f64]) -> Result<Self, UpliftError> {
        same_length("treatment", treated.len(), score.len())?;
        same_length("outcome", outcome.len(), score.len())?;
        finite("score", score, "finite", f64::is_finite)?;
        finite("outcome", outcome, "finite", f64::is_finite)?;
        if score.is_empty() {
            return Err(UpliftError::Empty { what: "rows" });
        }
        let mut rows: Vec<Row> = (0..score.len())
            // Adding 0 turns −0 into 0, which would otherwise sort as another score.
            .map(|i| Row { score: score[i] + 0.0, treated: treated[i], outcome: outcome[i] + 0.0 })
            .collect();
        rows.sort_unstable_by(|a, b| {
            b.score.total_cmp(&a.score).then(a.treated.cmp(&b.treated)).then(a.outcome.total_cmp(&b.outcome))
        });
        let binary = rows.iter().all(|r| r.outcome == 0.0 || r.outcome == 1.0);
        let mut blocks = Vec::new();
        let mut start = 0;
        for tied in rows.chunk_by(|a, b| a.score == b.score) {
            let (mut treated, mut control) = (Tally::default(), Tally::default());
            for row in tied {
                let arm = if row.treated { &mut treated } else { &mut control };
                *arm = arm.plus(Tally { rows: 1, total: row.outcome });
            }
            blocks.push(Block { start, end: start + tied.len(), treated, control });
            start += tied.len();
        }
        Ok(Self { rows, blocks, binary })
    }

    /// Rows.
    pub fn n(&self) -> usize {
        self.rows.len()
    }

    /// [`cut`] of this ranking.
    pub(crate) fn parts(&self, parts: usize) -> Vec<(usize, Range<usize>)> {
        let blocks: Vec<Range<usize>> = self.blocks.iter().map(|b| b.start..b.end).collect();
        cut(self.n(), parts, &blocks)
    }
}

/// Cuts a ranking of `n` rows into at most `parts` parts of nearly equal size. A block of tied rows goes whole to the part
/// in which its middle lies; parts left without rows are dropped. Ranges of rows, best first, with the part's number
/// from 0.
pub(crate) fn cut(n: usize, parts: usize, blocks: &[Range<usize>]) -> Vec<(usize, Range<usize>)> {
    let mut out: Vec<(usize, Range<usize>)> = Vec::with_capacity(parts.min(blocks.len()));
    for block in blocks {
        // The middle of the block is (start + end) / 2; doubled to stay in whole numbers.
        let part = ((block.start + block.end) * parts / (2 * n)).min(parts - 1);
        match out.last_mut() {
            Some((last, range)) if *last == part => range.end = block.end,
            _ => out.push((part, block.clone())),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tied_rows_stay_together() {
        #[track_caller]
        fn check(score: &[f64], parts: usize, expect: &[(usize, Range<usize>)]) {
            let n = score.len();
            let scored = Scored::new(score, &vec![true; n], &vec![0.0; n]).expect("sorted");
            assert_eq!(scored.parts(parts), expect);
        }
        check(&[4.0, 3.0, 2.0, 1.0], 2, &[(0, 0..2), (1, 2..4)]);
        check(&[1.0, 1.0, 1.0, 1.0], 2, &[(1, 0..4)]);
        check(&[9.0, 1.0, 1.0, 1.0], 2, &[(0, 0..1), (1, 1..4)]);
        check(&[0.0, -0.0], 2, &[(1, 0..2)]);
    }

    #[test]
    fn bad_rows_are_refused() {
        let error = Scored::new(&[f64::NAN], &[true], &[0.0]).expect_err("not a number").to_string();
        assert_eq!(error, "score holds 1 values that are not finite; the first is in row 0");
        assert!(Scored::new(&[], &[], &[]).is_err());
        assert!(Scored::new(&[1.0], &[], &[1.0]).is_err());
    }
}
