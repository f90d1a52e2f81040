//! Bagged logistic regression: what the predicted probability of conversion loses without each channel.

use throughline_core::{Diagnostic, Severity};
use throughline_stats::parallel::{map_parts, threads_for};
use throughline_stats::sparse_logistic::{SparseRows, ridge_logistic};
use throughline_stats::stream::{Poisson, Stream};

use crate::distinct::{Distinct, Total};
use crate::model::ChannelSums;
use crate::{AttributionError, Model, PathTable, PathWeights, Prepared, Split, Summation, Units};

/// Credit in proportion to what a path's predicted probability of conversion loses without each of its channels.
///
/// P(conversion) is a logistic regression on the channels of a path: 1 for each that is there, or the number of its touches
/// (`logistic:counts`). It is bagged: 24 times, each journey counts Poisson(1) times and half of the channels enter, the
/// other half in the next bag, so that each channel is in 12. A channel's contribution to a path is the mean over bags of
///
/// σ(η) − σ(η − β_c x_c),
///
/// floored at 0; the path's outcome is split in proportion to the contributions of its channels, equally over a
/// channel's touches, and evenly over its different channels where no contribution is positive (TL433).
///
/// Source: X. Shao, L. Li, "Data-driven multi-touch attribution models", KDD 2011, who bag over journeys and channels and
/// read coefficients; the split by counterfactual drops is ours, since coefficients do not add up to conversions. A ridge
/// penalty of ½ Σ β² (a normal prior of standard deviation 1 on log-odds) keeps every answer finite; with thousands of
/// journeys it changes nothing that shows.
///
/// Assumptions: effects add on the scale of log-odds, order and time do not matter, and nothing that decides both which
/// channels a person meets and whether the person buys is left out. Leaving out half of the channels spreads credit over
/// channels that come together, which steadies it and biases it towards equality.
///
/// Defined answers: with no conversion, or no journey without, nothing can be learnt and every path is split evenly
/// (TL432). Journeys are merged by their channels first, so that cost grows with different sets and not with journeys. In
/// a bootstrap the bags of the observed journeys are kept, each count multiplied by what the draw makes of it, and each
/// fit starts at that of the observed journeys. The seed of the bags is fixed: the same table gives the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Logistic {
    /// Whether features count touches, and not only presence.
    counts: bool,
}

/// Bags, in pairs whose channels complement each other.
const BAGS: u64 = 24;
const SEED: u64 = 0x0005_a011;
const RIDGE: f64 = 1.0;

impl Logistic {
    /// With counts of touches as features, or presence.
    pub const fn new(counts: bool) -> Self {
        Self { counts }
    }

    /// Reads the part of a specification after the colon.
    pub(crate) fn read(parameter: Option<&str>) -> Result<Self, AttributionError> {
        match parameter {
            None | Some("presence") => Ok(Self::new(false)),
            Some("counts") => Ok(Self::new(true)),
            Some(given) => Err(AttributionError::BadParameter {
                model: "logistic",
                given: given.chars().take(80).collect(),
                expected: "presence or counts",
            }),
        }
    }

    fn bind(self, table: &PathTable) -> Bound {
        let sorted = self.sorted(table);
        let cells = Distinct::new(&sorted, |a, b| a.steps.cmp(b.steps));
        let mut bound = Bound {
            features: Features::default(),
            channels: table.channels().len(),
            bags: Vec::new(),
            observed: Vec::new(),
            cells,
        };
        for cell in 0..bound.cells.len() {
            bound.features.push(sorted.path(bound.cells.rows(cell)[0]).steps);
        }
        let totals = bound.cells.totals(table.units(), Summation::Exact);
        bound.bags = Bag::all(bound.channels, &totals);
        bound.observed = bound.fit(&totals, threads_for(bound.bags.len()));
        bound
    }

    /// Every path as its features: channels in ascending order, once each unless touches are counted.
    fn sorted(self, table: &PathTable) -> PathTable {
        let mut sorted = PathTable { ages: None, offsets: vec![0], steps: Vec::new(), ..table.clone() };
        let mut steps = Vec::new();
        for path in table.paths() {
            steps.clear();
            steps.extend_from_slice(path.steps);
            steps.sort_unstable();
            if !self.counts {
                steps.dedup();
            }
            sorted.steps.extend_from_slice(&steps);
            sorted.offsets.push(sorted.steps.len());
        }
        sorted
    }
}

/// Channels of each cell, ascending, with their values.
#[derive(Debug, Default)]
struct Features {
    ends: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f64>,
}

impl Features {
    fn push(&mut self, sorted: &[u32]) {
        for same in sorted.chunk_by(|a, b| a == b) {
            self.columns.push(same[0]);
            self.values.push(same.len() as f64);
        }
        self.ends.push(self.columns.len());
    }

    fn range(&self, cell: usize) -> std::ops::Range<usize> {
        if cell == 0 { 0..self.ends[0] } else { self.ends[cell - 1]..self.ends[cell] }
    }

    fn rows(&self) -> SparseRows<'_> {
        SparseRows { ends: &self.ends, columns: &self.columns, values: &self.values }
    }
}

/// What one bag makes of journeys and channels.
#[derive(Debug)]
struct Bag {
    active: Vec<bool>,
    /// By which conversions and nulls of each cell count.
    weights: Vec<[f32; 2]>,
}

impl Bag {
    fn all(channels: usize, totals: &[Total]) -> Vec<Self> {
        let mut means: Vec<f64> = totals.iter().flat_map(|t| [t.conversions, t.nulls]).collect();
        means.sort_by(f64::total_cmp);
        means.dedup();
        // Counts of a table are finite and at least 0; sums beyond 2^53 count as they are.
        let distributions: Vec<Option<Poisson>> = means.iter().map(|&mean| Poisson::new(mean)).collect();
        let weight = |count: f64, word: u64| {
            let at = means.binary_search_by(|m| m.total_cmp(&count)).ok().and_then(|i| distributions[i].as_ref());
            let weight = at.filter(|_| count > 0.0).map_or(1.0, |poisson| poisson.draw(word) / count);
            #[expect(clippy::cast_possible_truncation, reason = "a weight near 1; seven digits are enough for a bag")]
            {
                weight as f32
            }
        };
        let bag = |number: u64| {
            let stream = Stream::new(SEED, number);
            let journeys = totals.iter().zip(0_u64..).map(|(total, cell)| {
                let words = stream.pair_at(cell);
                [weight(total.conversions, words[0]), weight(total.nulls, words[1])]
            });
            Self { active: half(channels, number), weights: journeys.collect() }
        };
        (0..BAGS).map(bag).collect()
    }
}

/// Half of the channels, at random; the bag after an even one takes the other half.
fn half(channels: usize, bag: u64) -> Vec<bool> {
    let stream = Stream::new(SEED, u64::MAX - bag / 2);
    let mut order: Vec<(u64, usize)> = (0..channels).map(|c| (stream.u64_at(c as u64), c)).collect();
    order.sort_unstable();
    let mut active = vec![!bag.is_multiple_of(2); channels];
    order.iter().take(channels.div_ceil(2)).for_each(|&(_, c)| active[c] = bag.is_multiple_of(2));
    active
}

/// The model bound to a table, with the fits of what was observed; `None` for bags without both outcomes.
struct Bound {
    cells: Distinct,
    features: Features,
    channels: usize,
    bags: Vec<Bag>,
    observed: Vec<Option<Vec<f64>>>,
}

impl Bound {
    fn fit(&self, totals: &[Total], threads: usize) -> Vec<Option<Vec<f64>>> {
        map_parts((0..self.bags.len()).collect(), threads, |b| {
            let bag = &self.bags[b];
            let counts = |k: usize, count: fn(&Total) -> f64| -> Vec<f64> {
                totals.iter().zip(&bag.weights).map(|(total, weight)| count(total) * f64::from(weight[k])).collect()
            };
            let (won, lost) = (counts(0, |t| t.conversions), counts(1, |t| t.nulls));
            let start = self.observed.get(b).and_then(|fit| fit.as_deref());
            let fit = ridge_logistic(&self.features.rows(), &won, &lost, &bag.active, RIDGE, start);
            fit.map(|fit| fit.coefficients)
        })
    }

    /// The shares of a cell's channels, in the order of its features, and whether any contributes.
    fn shares(&self, fits: &[Option<Vec<f64>>], cell: usize, shares: &mut Vec<f64>) -> bool {
        let range = self.features.range(cell);
        let entries = || self.features.columns[range.clone()].iter().zip(&self.features.values[range.clone()]);
        shares.clear();
        shares.resize(range.len(), 0.0);
        for coefficients in fits.iter().flatten() {
            let odds = entries().fold(coefficients[0], |odds, (&c, x)| odds + coefficients[c as usize + 1] * x);
            let whole = throughline_stats::logistic::sigmoid(odds);
            for (share, (&c, x)) in shares.iter_mut().zip(entries()) {
                let part = coefficients[c as usize + 1] * x;
                if part != 0.0 {
                    *share += whole - throughline_stats::logistic::sigmoid(odds - part);
                }
            }
        }
        let sum: f64 = shares.iter().map(|s| s.max(0.0)).sum();
        let even = 1.0 / range.len() as f64;
        let contributes = sum > 0.0;
        for s in &mut *shares {
            *s = if contributes { s.max(0.0) / sum } else { even };
        }
        contributes
    }
}

impl Prepared for Bound {
    fn split(&self, units: Units<'_>, summation: Summation) -> Result<Split, AttributionError> {
        let totals = self.cells.totals(units, summation);
        // The exact sums of a table are those that were fitted.
        let redone;
        let fits = match summation {
            Summation::Exact => &self.observed,
            Summation::InOrder => {
                redone = self.fit(&totals, 1);
                &redone
            }
        };
        let mut sums = ChannelSums::<f64>::new(self.channels);
        let (mut shares, mut evenly) = (Vec::new(), 0.0);
        for (cell, total) in totals.iter().enumerate().filter(|(_, t)| t.conversions != 0.0 || t.value != 0.0) {
            if !self.shares(fits, cell, &mut shares) {
                evenly += total.conversions;
            }
            for (&channel, share) in self.features.columns[self.features.range(cell)].iter().zip(&shares) {
                sums.add(channel, share * total.conversions, share * total.value);
            }
        }
        let mut split = sums.split();
        if fits.iter().all(Option::is_none) && !totals.is_empty() {
            let message =
                "all journeys have the same outcome, so nothing tells channels apart and paths are split evenly";
            split.diagnostics.push(Diagnostic::warning("TL432", message));
        } else if evenly > 0.0 {
            let message = format!("{evenly} conversions have no channel that adds to their probability: split evenly");
            split.diagnostics.push(Diagnostic::new(Severity::Info, "TL433", message));
        }
        Ok(split)
    }
}

impl Model for Logistic {
    fn name(&self) -> &'static str {
        "logistic"
    }

    fn spec(&self) -> String {
        format!("logistic:{}", if self.counts { "counts" } else { "presence" })
    }

    fn breaks_down(&self) -> bool {
        true
    }

    fn reads_ages(&self) -> bool {
        false
    }

    fn prepare<'t>(&self, table: &'t PathTable) -> Result<Box<dyn Prepared + 't>, AttributionError> {
        Ok(Box::new(self.bind(table)))
    }

    fn path_weights(&self, table: &PathTable) -> Result<PathWeights, AttributionError> {
        let bound = self.bind(table);
        let mut all = vec![0.0; table.steps.len()];
        let mut shares = Vec::new();
        let mut touches = vec![0_u32; bound.channels];
        for cell in 0..bound.cells.len() {
            bound.shares(&bound.observed, cell, &mut shares);
            let columns = &bound.features.columns[bound.features.range(cell)];
            for &row in bound.cells.rows(cell) {
                let steps = table.path(row).steps;
                for &s in steps {
                    touches[s as usize] += 1;
                }
                for (weight, step) in all[table.offsets[row]..].iter_mut().zip(steps) {
                    let share = columns.binary_search(step).map_or(0.0, |at| shares[at]);
                    *weight = share / f64::from(touches[*step as usize]);
                }
                for &s in steps {
                    touches[s as usize] = 0;
                }
            }
        }
        Ok(PathWeights { offsets: table.offsets.clone(), weights: all })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::testing::{check_credits, check_weights, table};

    #[test]
    fn a_channel_that_adds_nothing_gets_nothing() {
        // `a` triples the rate of whoever meets it, `b` halves it.
        let rows = [("a", 30.0, 0.0, 70.0), ("b", 5.0, 0.0, 95.0), ("c", 10.0, 0.0, 90.0), ("a b", 17.0, 0.0, 83.0)];
        let table = table(&rows);
        let weights = Logistic::default().path_weights(&table).expect("weights");
        assert_eq!(weights.by_channel(&table, 3), [(0, 1.0), (1, 0.0)]);
        let credits = Logistic::default().attribute(&table).expect("credits");
        assert!((credits.channels()[0].conversions - 47.0).abs() < 1e-12);
        assert_eq!(credits.diagnostics()[0].code, "TL433", "b alone lowers what its paths convert");
    }

    #[test]
    fn equal_channels_share_equally_and_counts_matter_when_counted() {
        let rows = [
            ("a", 20.0, 0.0, 80.0),
            ("b", 20.0, 0.0, 80.0),
            ("a b", 40.0, 0.0, 60.0),
            ("c", 5.0, 0.0, 95.0),
            ("a a b", 1.0, 0.0, 1.0),
        ];
        let table = table(&rows);
        let by = |counts| Logistic::new(counts).path_weights(&table).expect("weights");
        let presence = by(false).by_channel(&table, 2);
        // Bags draw journeys, which tells equal channels apart by chance.
        assert!((presence[0].1 - 0.5).abs() < 0.05, "{presence:?}");
        assert!(
            presence.iter().zip(by(false).by_channel(&table, 4)).all(|(a, b)| (a.1 - b.1).abs() < 1e-12),
            "one set, one split"
        );
        let counted = by(true).by_channel(&table, 4);
        assert!(counted[0].1 > 0.55, "{counted:?}");
    }

    #[test]
    fn halves_complement_each_other() {
        for channels in [0, 1, 2, 7, 12] {
            for bag in [0, 4, 10] {
                let (one, other) = (half(channels, bag), half(channels, bag + 1));
                assert!(one.iter().zip(&other).all(|(a, b)| a != b));
                assert_eq!(one.iter().filter(|a| **a).count(), channels.div_ceil(2));
            }
        }
        assert_ne!(half(12, 0), half(12, 2));
    }

    #[test]
    fn defined_answers() {
        check_credits("logistic", &[("a b", 0.0, 0.0, 9.0)], &[("a", 0.0, 0.0), ("b", 0.0, 0.0)]);
        check_credits("logistic", &[("a b b", 4.0, -8.0, 0.0)], &[("a", 2.0, -4.0), ("b", 2.0, -4.0)]);
        check_credits("logistic:counts", &[("a", 3.0, 1.0, 9.0)], &[("a", 3.0, 1.0)]);
        check_credits("logistic", &[], &[]);
        check_weights("logistic", "a b a", &[0.25, 0.5, 0.25]);
        let one_sided = Logistic::default().attribute(&table(&[("a", 3.0, 0.0, 0.0)])).expect("credits");
        assert_eq!(one_sided.diagnostics()[0].code, "TL432");
        assert!(Logistic::read(Some("weights")).is_err());
    }
}
