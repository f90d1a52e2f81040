//! Summing weights × outcomes by cell, observed and drawn.

use std::ops::Range;

use throughline_stats::sum::ExactSum;

use super::{Days, Dimension, Draws, TOLERANCE, Weighed, conserved};
use crate::bootstrap::weights::{BLOCK, ClusterStream};
use crate::journeys::Ending;
use crate::{AttributionError, Model, Quantity};

/// One journey with an outcome, ready to be added: shares of cells stand in [`Lines::shares`].
struct Line {
    key: u64,
    conversions: f64,
    value: f64,
    shares: Range<usize>,
}

/// All journeys with an outcome, in an order that does not depend on rows.
pub(super) struct Lines {
    each: Vec<Line>,
    shares: Vec<(u32, f64)>,
    /// Of every day: credited conversions and value, conversions and value, absolute value.
    days: Vec<[ExactSum; 5]>,
}

impl Weighed<'_> {
    /// Reads the cell of every touch of every journey with an outcome.
    pub(super) fn lines(&self, dimension: &Dimension<'_>, days: Option<&Days<'_>>) -> Result<Lines, AttributionError> {
        let journeys = self.journeys;
        let mut lines =
            Lines { each: Vec::new(), shares: Vec::new(), days: vec![Default::default(); days.map_or(0, |d| d.days)] };
        let mut credited = 0;
        for path in 0..journeys.paths().len() {
            let first = lines.each.len();
            for journey in journeys.taken(path) {
                let conversion = journeys.endings()[journey] == Ending::Conversion;
                let value = journeys.values()[journey];
                if !conversion && value == 0.0 {
                    continue;
                }
                let weights = self.weights.of(if self.timed { credited } else { path });
                credited += 1;
                let row = journeys.rows()[journey] as usize;
                let shares = lines.push_shares(dimension, row, weights)?;
                let line =
                    Line { key: journeys.keys()[journey], conversions: f64::from(u8::from(conversion)), value, shares };
                if let Some(days) = days {
                    lines.count_day(days, row, &line)?;
                }
                lines.each.push(line);
            }
            lines.settle(first);
        }
        Ok(lines)
    }
}

impl Lines {
    /// Adds the shares of a journey's cells; neighbouring touches of one cell are one share.
    fn push_shares(
        &mut self,
        dimension: &Dimension<'_>,
        row: usize,
        weights: &[f64],
    ) -> Result<Range<usize>, AttributionError> {
        let start = self.shares.len();
        for (touch, &weight) in weights.iter().enumerate() {
            let cell = (dimension.cell)(row, touch);
            let number = u32::try_from(cell).ok().filter(|_| cell < dimension.cells).ok_or_else(|| {
                let Dimension { name, cells, .. } = *dimension;
                AttributionError::NoCell { dimension: name.to_owned(), row: Some(row), cell, cells }
            })?;
            match self.shares[start..].last_mut() {
                Some((same, share)) if *same == number => *share += weight,
                _ if weight > 0.0 => self.shares.push((number, weight)),
                _ => {}
            }
        }
        Ok(start..self.shares.len())
    }

    fn count_day(&mut self, days: &Days<'_>, row: usize, line: &Line) -> Result<(), AttributionError> {
        let day = (days.day)(row);
        let cells = self.days.len();
        let no_day = || AttributionError::NoCell { dimension: "day".to_owned(), row: Some(row), cell: day, cells };
        let sums = self.days.get_mut(day).ok_or_else(no_day)?;
        for (_, share) in &self.shares[line.shares.clone()] {
            sums[0].add(share * line.conversions);
            sums[1].add(share * line.value);
        }
        sums[2].add(line.conversions);
        sums[3].add(line.value);
        sums[4].add(line.value.abs());
        Ok(())
    }

    /// Puts equal journeys of one cluster in an order that depends on their cells only.
    fn settle(&mut self, first: usize) {
        let shares = &self.shares;
        let same = |a: &Line, b: &Line| (a.key, a.conversions, a.value) == (b.key, b.conversions, b.value);
        for group in self.each[first..].chunk_by_mut(same).filter(|g| g.len() > 1) {
            let of = |line: &Line| shares[line.shares.clone()].iter().map(|(cell, share)| (*cell, share.to_bits()));
            group.sort_by(|a, b| of(a).cmp(of(b)));
        }
    }

    pub(super) fn check_days(&self, model: &dyn Model) -> Result<(), AttributionError> {
        for sums in &self.days {
            let [conversions, value, all, worth, scale] = sums.each_ref().map(ExactSum::value);
            let (spec, conservation) = (model.spec(), model.conservation());
            conserved(&spec, conservation, "conversions of a day", conversions, all, TOLERANCE * all)?;
            conserved(&spec, conservation, "value of a day", value, worth, TOLERANCE * scale)?;
        }
        Ok(())
    }

    /// Sums by cell: threads take draws, so that every sum is taken in the order of the lines.
    pub(super) fn sums(&self, threads: usize, cells: usize, draws: Draws) -> Sums {
        let blocks = draws.draws.div_ceil(BLOCK);
        let per_thread = blocks.div_ceil(threads.clamp(1, blocks));
        let parts: Vec<Range<usize>> =
            (0..blocks).step_by(per_thread).map(|from| from..(from + per_thread).min(blocks)).collect();
        let drawn = throughline_stats::parallel::map_parts(parts, threads, |part| {
            (part.start * BLOCK, self.part(part, cells, draws.seed))
        });
        let mut sums = Sums { observed: self.observed(cells), drawn: [vec![], vec![]], draws: draws.draws };
        for (to, which) in sums.drawn.iter_mut().zip(0..) {
            to.resize(cells * draws.draws, 0.0);
            for (start, part) in &drawn {
                let width = part[which].len() / cells.max(1);
                let kept = width.min(draws.draws - start);
                for (row, from) in to.chunks_mut(draws.draws).zip(part[which].chunks(width.max(1))) {
                    row[*start..start + kept].copy_from_slice(&from[..kept]);
                }
            }
        }
        sums
    }

    /// Conversions and value by cell and draw, for some blocks of draws.
    fn part(&self, blocks: Range<usize>, cells: usize, seed: u64) -> [Vec<f64>; 2] {
        let width = blocks.len() * BLOCK;
        let mut sums = [vec![0.0; cells * width], vec![0.0; cells * width]];
        let mut drawn = vec![0.0; width];
        for line in &self.each {
            let stream = ClusterStream::new(seed, line.key);
            for (block, out) in blocks.clone().zip(drawn.as_chunks_mut::<BLOCK>().0) {
                *out = stream.counts(block as u64).map(f64::from);
            }
            for &(cell, share) in &self.shares[line.shares.clone()] {
                let range = cell as usize * width..(cell as usize + 1) * width;
                for (sums, outcome) in sums.iter_mut().zip([line.conversions, line.value]) {
                    let credit = share * outcome;
                    if credit != 0.0 {
                        for (sum, count) in sums[range.clone()].iter_mut().zip(&drawn) {
                            *sum += credit * count;
                        }
                    }
                }
            }
        }
        sums
    }

    fn observed(&self, cells: usize) -> [Vec<f64>; 2] {
        [|line: &Line| line.conversions, |line: &Line| line.value].map(|outcome: fn(&Line) -> f64| {
            let mut sums = vec![ExactSum::new(); cells];
            for line in self.each.iter().filter(|l| outcome(l) != 0.0) {
                for &(cell, share) in &self.shares[line.shares.clone()] {
                    sums[cell as usize].add(share * outcome(line));
                }
            }
            sums.iter().map(ExactSum::value).collect()
        })
    }
}

/// Conversions and value by cell.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sums {
    observed: [Vec<f64>; 2],
    /// Cell by cell, draw by draw.
    drawn: [Vec<f64>; 2],
    draws: usize,
}

impl Sums {
    pub(super) fn cells(&self) -> usize {
        self.observed[0].len()
    }

    pub(super) fn observed(&self, what: Quantity) -> &[f64] {
        &self.observed[usize::from(what == Quantity::Value)]
    }

    /// The observed credit of a cell, and that of every draw.
    pub(super) fn of(&self, cell: usize, what: Quantity) -> Option<(f64, &[f64])> {
        let value = *self.observed(what).get(cell)?;
        let drawn = &self.drawn[usize::from(what == Quantity::Value)];
        Some((value, &drawn[cell * self.draws..(cell + 1) * self.draws]))
    }

    /// The sum over all cells, observed and in every draw.
    pub(super) fn all(&self, what: Quantity) -> (f64, Vec<f64>) {
        let mut drawn = vec![ExactSum::new(); self.draws];
        for row in self.drawn[usize::from(what == Quantity::Value)].chunks(self.draws) {
            drawn.iter_mut().zip(row).for_each(|(sum, v)| sum.add(*v));
        }
        let observed = throughline_stats::sum::exact_sum(self.observed(what).iter().copied());
        (observed, drawn.iter().map(ExactSum::value).collect())
    }
}
