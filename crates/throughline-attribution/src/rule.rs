//! Rule models: each path's outcome is split over its touches by a rule that sees that path alone.

use std::fmt;
use std::ops::Range;

use throughline_core::Diagnostic;
use throughline_stats::parallel::{PART, map_parts, threads_for};
use throughline_stats::sum::ExactSum;

use crate::model::{Accumulate, ChannelSums, credits_of};
use crate::{
    AttributionError, Conservation, Credits, Model, PathTable, PathView, PathWeights, Prepared, Split, Summation, Units,
};

/// How often each channel occurs in the path at hand. Kept between paths, so that no path costs a hash or a sort.
#[derive(Debug, Clone)]
pub struct Tally {
    counts: Vec<u32>,
}

impl Tally {
    pub(crate) fn new(channels: usize) -> Self {
        Self { counts: vec![0; channels] }
    }

    /// Counts `steps`, hands the number of different channels and the count of each step's channel to `each` (index of the
    /// step, different channels, count), and forgets them.
    pub fn each(&mut self, steps: &[u32], mut each: impl FnMut(usize, u32, u32)) {
        let mut different = 0;
        for &step in steps {
            let count = &mut self.counts[step as usize];
            different += u32::from(*count == 0);
            *count += 1;
        }
        for (i, &step) in steps.iter().enumerate() {
            each(i, different, self.counts[step as usize]);
        }
        for &step in steps {
            self.counts[step as usize] = 0;
        }
    }
}

/// Writes the weights of one path's touches; they arrive as zeros.
pub type Weigher<'t> = Box<dyn Fn(PathView<'_>, &mut Tally, &mut [f64]) + Send + Sync + 't>;

/// A rule. Implementing this makes a [`Model`].
pub trait Rule: fmt::Debug + Send + Sync {
    /// The name in specifications.
    fn name(&self) -> &'static str;

    /// The specification that reads back to this rule.
    fn spec(&self) -> String {
        self.name().to_owned()
    }

    /// Whether the weights of a path sum to 1.
    fn conservation(&self) -> Conservation {
        Conservation::Enforced
    }

    /// Whether the rule reads ages of touches.
    fn reads_ages(&self) -> bool {
        false
    }

    /// What to know about this rule's credits on a table.
    fn notes(&self, _table: &PathTable) -> Vec<Diagnostic> {
        Vec::new()
    }

    /// Binds the rule to a table.
    fn weigher<'t>(&self, table: &'t PathTable) -> Result<Weigher<'t>, AttributionError>;
}

impl<R: Rule> Model for R {
    fn name(&self) -> &'static str {
        Rule::name(self)
    }

    fn spec(&self) -> String {
        Rule::spec(self)
    }

    fn conservation(&self) -> Conservation {
        Rule::conservation(self)
    }

    fn splits_paths(&self) -> bool {
        true
    }

    fn reads_ages(&self) -> bool {
        Rule::reads_ages(self)
    }

    fn prepare<'t>(&self, table: &'t PathTable) -> Result<Box<dyn Prepared + 't>, AttributionError> {
        let weigher = self.weigher(table)?;
        let mut tally = Tally::new(table.channels().len());
        let mut weights = Vec::new();
        let mut prepared = Weighted {
            channels: table.channels().len(),
            ends: Vec::with_capacity(table.len()),
            channels_of: Vec::new(),
            weights: Vec::new(),
            notes: self.notes(table),
        };
        let outcomes = table.conversions.iter().zip(&table.values);
        for (path, (&conversions, &value)) in table.paths().zip(outcomes) {
            // Most paths of a large table never led to anything: their weights would fill the memory for nothing.
            if conversions != 0.0 || value != 0.0 {
                weights.clear();
                weights.resize(path.steps.len(), 0.0);
                weigher(path, &mut tally, &mut weights);
                for (&channel, &weight) in path.steps.iter().zip(&weights).filter(|(_, w)| **w != 0.0) {
                    prepared.channels_of.push(channel);
                    prepared.weights.push(weight);
                }
            }
            prepared.ends.push(prepared.weights.len());
        }
        Ok(Box::new(prepared))
    }

    /// As by [`prepare`](Model::prepare), without keeping weights that are used once. Exact sums do not depend on how paths
    /// are put into parts.
    fn attribute(&self, table: &PathTable) -> Result<Credits, AttributionError> {
        let weigher = self.weigher(table)?;
        let channels = table.channels().len();
        // A part must be worth its sums.
        let size = PART.max(64 * channels);
        let parts: Vec<Range<usize>> =
            (0..table.len()).step_by(size).map(|from| from..(from + size).min(table.len())).collect();
        let threads = threads_for(parts.len());
        let sums = map_parts(parts, threads, |part| part_sums(table, &weigher, part));
        let mut all = ChannelSums::new(channels);
        for part in &sums {
            all.merge(part);
        }
        let split = Split { diagnostics: self.notes(table), ..all.split() };
        credits_of(self, table.channels(), table.totals(), split)
    }

    fn path_weights(&self, table: &PathTable) -> Result<PathWeights, AttributionError> {
        let weigher = self.weigher(table)?;
        let mut tally = Tally::new(table.channels().len());
        let mut weights = vec![0.0; table.steps.len()];
        let mut rest = weights.as_mut_slice();
        for path in table.paths() {
            let (head, tail) = rest.split_at_mut(path.steps.len());
            weigher(path, &mut tally, head);
            rest = tail;
        }
        Ok(PathWeights { offsets: table.offsets.clone(), weights })
    }
}

/// Credits of some paths of a table.
fn part_sums(table: &PathTable, weigher: &Weigher<'_>, part: Range<usize>) -> ChannelSums<ExactSum> {
    let units = table.units();
    let mut sums = ChannelSums::new(table.channels().len());
    let mut tally = Tally::new(table.channels().len());
    let mut weights = Vec::new();
    for path in part {
        let (conversions, value) = (units.conversions[path], units.values[path]);
        if conversions == 0.0 && value == 0.0 {
            continue;
        }
        let view = table.path(path);
        weights.clear();
        weights.resize(view.steps.len(), 0.0);
        weigher(view, &mut tally, &mut weights);
        for (&channel, &weight) in view.steps.iter().zip(&weights).filter(|(_, w)| **w != 0.0) {
            sums.add(channel, weight * conversions, weight * value);
        }
    }
    sums
}

/// The touches of each path that receive anything, with their weights.
struct Weighted {
    channels: usize,
    ends: Vec<usize>,
    channels_of: Vec<u32>,
    weights: Vec<f64>,
    /// Of the observed outcomes; resampled ones need none.
    notes: Vec<Diagnostic>,
}

impl Weighted {
    fn split_with<A: Accumulate>(&self, units: Units<'_>) -> Split {
        let mut sums = ChannelSums::<A>::new(self.channels);
        let mut start = 0;
        for ((&end, &conversions), &value) in self.ends.iter().zip(units.conversions).zip(units.values) {
            if conversions != 0.0 || value != 0.0 {
                for (&channel, weight) in self.channels_of[start..end].iter().zip(&self.weights[start..end]) {
                    sums.add(channel, weight * conversions, weight * value);
                }
            }
            start = end;
        }
        sums.split()
    }
}

impl Prepared for Weighted {
    fn split(&self, units: Units<'_>, summation: Summation) -> Result<Split, AttributionError> {
        Ok(match summation {
            Summation::Exact => Split { diagnostics: self.notes.clone(), ..self.split_with::<ExactSum>(units) },
            Summation::InOrder => self.split_with::<f64>(units),
        })
    }
}
