//! Leave-one-out on exact paths, the method of Google's Fractribution.

use throughline_stats::sum::ExactSum;

use crate::model::{Accumulate, ChannelSums};
use crate::{AttributionError, Model, PathTable, PathWeights, Prepared, Split, Summation, Units};

/// Credit in proportion to what the conversion rate loses when one touch is left out of the path.
///
/// With p(path) = conversions / (conversions + nulls) of exactly this path, touch t of a path of n ≥ 2 touches receives
/// max(0, p(path) − p(path without t)), normalised over the path; the last touch receives all when every difference is
/// 0; a single touch receives all. A path never observed has p = 0. Source: google/fractribution (Apache-2.0), which
/// Snowplow's fractribution package repeats; both call it "Shapley", which it is not: no coalitions are averaged.
///
/// Failure modes: rates of rare paths are noise, and since an unobserved shorter path counts as "never converts", a
/// touch is credited most where the data is thinnest. Aggregated and single rows give the same credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LeaveOneOut;

const UNSEEN: u32 = u32::MAX;

/// The different paths of a table, sorted, with the rows that took each and the path each becomes without each touch.
struct Distinct<'t> {
    table: &'t PathTable,
    /// Rows, sorted by path.
    rows: Vec<usize>,
    /// Distinct path d was taken by `rows[starts[d]..starts[d + 1]]`.
    starts: Vec<usize>,
    /// For each step of each distinct path in turn: the distinct path without it, or [`UNSEEN`].
    without: Vec<u32>,
}

impl<'t> Distinct<'t> {
    fn new(table: &'t PathTable) -> Self {
        let mut rows: Vec<usize> = (0..table.len()).collect();
        rows.sort_by(|&a, &b| table.path(a).steps.cmp(table.path(b).steps).then(a.cmp(&b)));
        let mut starts = vec![0];
        for group in rows.chunk_by(|&a, &b| table.path(a).steps == table.path(b).steps) {
            starts.push(starts[starts.len() - 1] + group.len());
        }
        let mut distinct = Self { table, rows, starts, without: Vec::new() };
        for d in 0..distinct.len() {
            let steps = distinct.steps(d);
            for skip in 0..steps.len() {
                // Without either of two equal neighbours the path is the same.
                let found = match (skip > 0 && steps[skip] == steps[skip - 1], distinct.without.last()) {
                    (true, Some(&same)) => same,
                    _ => distinct.find_without(steps, skip),
                };
                distinct.without.push(found);
            }
        }
        distinct
    }

    fn len(&self) -> usize {
        self.starts.len() - 1
    }

    fn rows_of(&self, d: usize) -> &[usize] {
        &self.rows[self.starts[d]..self.starts[d + 1]]
    }

    fn steps(&self, d: usize) -> &'t [u32] {
        self.table.path(self.rows[self.starts[d]]).steps
    }

    fn find_without(&self, steps: &[u32], skip: usize) -> u32 {
        let wanted = || steps[..skip].iter().chain(&steps[skip + 1..]);
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            match self.steps(middle).iter().cmp(wanted()) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return u32::try_from(middle).unwrap_or(UNSEEN),
            }
        }
        UNSEEN
    }

    /// Conversions, value and conversion rate of every distinct path.
    fn rates<A: Accumulate>(&self, units: Units<'_>) -> Vec<[f64; 3]> {
        (0..self.len())
            .map(|d| {
                let total = |column: &[f64]| {
                    let mut sum = A::default();
                    self.rows_of(d).iter().for_each(|&row| sum.add(column[row]));
                    sum.total()
                };
                let (conversions, value, nulls) = (total(units.conversions), total(units.values), total(units.nulls));
                let rate = if conversions > 0.0 { conversions / (conversions + nulls) } else { 0.0 };
                [conversions, value, rate]
            })
            .collect()
    }

    /// Calls `each` with every distinct path, its conversions and value, and the weights of its touches.
    fn for_each_weighted(&self, rates: &[[f64; 3]], mut each: impl FnMut(usize, [f64; 2], &[f64])) {
        let mut weights: Vec<f64> = Vec::new();
        let mut start = 0;
        for (d, &[conversions, value, rate]) in rates.iter().enumerate() {
            let without = &self.without[start..start + self.steps(d).len()];
            start += without.len();
            weights.clear();
            weights.extend(without.iter().map(|&w| match rates.get(w as usize) {
                // What remains of a single touch is no path at all: it takes everything.
                Some(&[_, _, left]) if without.len() > 1 => (rate - left).max(0.0),
                _ => rate,
            }));
            let sum: f64 = weights.iter().sum();
            if sum > 0.0 {
                for weight in &mut weights {
                    *weight /= sum;
                }
            } else if let Some(last) = weights.last_mut() {
                *last = 1.0;
            }
            each(d, [conversions, value], &weights);
        }
    }

    fn split_with<A: Accumulate>(&self, units: Units<'_>) -> Split {
        let mut sums = ChannelSums::<A>::new(self.table.channels().len());
        self.for_each_weighted(&self.rates::<A>(units), |d, [conversions, value], weights| {
            if conversions != 0.0 || value != 0.0 {
                for (&step, &weight) in self.steps(d).iter().zip(weights) {
                    sums.add(step, weight * conversions, weight * value);
                }
            }
        });
        sums.split()
    }
}

impl Prepared for Distinct<'_> {
    fn split(&self, units: Units<'_>, summation: Summation) -> Result<Split, AttributionError> {
        Ok(match summation {
            Summation::Exact => self.split_with::<ExactSum>(units),
            Summation::InOrder => self.split_with::<f64>(units),
        })
    }
}

impl Model for LeaveOneOut {
    fn name(&self) -> &'static str {
        "leave_one_out"
    }

    fn spec(&self) -> String {
        self.name().to_owned()
    }

    fn reads_ages(&self) -> bool {
        false
    }

    fn prepare<'t>(&self, table: &'t PathTable) -> Result<Box<dyn Prepared + 't>, AttributionError> {
        Ok(Box::new(Distinct::new(table)))
    }

    fn path_weights(&self, table: &PathTable) -> Result<PathWeights, AttributionError> {
        let distinct = Distinct::new(table);
        let mut all = vec![0.0; table.steps.len()];
        distinct.for_each_weighted(&distinct.rates::<ExactSum>(table.units()), |d, _, weights| {
            for &row in distinct.rows_of(d) {
                all[table.offsets[row]..table.offsets[row + 1]].copy_from_slice(weights);
            }
        });
        Ok(PathWeights { offsets: table.offsets.clone(), weights: all })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::testing::{check_credits, table};

    fn check(rows: &[(&str, f64, f64, f64)], expect: &[(&str, f64, f64)]) {
        check_credits("leave_one_out", rows, expect);
    }

    #[test]
    fn differences_of_rates() {
        // Rates: a b 1/2, a 1/4, b never seen. Leaving b out loses 1/4, leaving a out loses 1/2.
        check(
            &[("a b", 2.0, 6.0, 2.0), ("a", 1.0, 1.0, 3.0)],
            &[("a", 2.0 * 2.0 / 3.0 + 1.0, 5.0), ("b", 2.0 / 3.0, 2.0)],
        );
    }

    #[test]
    fn the_last_touch_takes_what_nothing_explains() {
        // Shorter paths convert better, so every difference is floored at 0.
        check(
            &[("a b", 1.0, 9.0, 9.0), ("a", 1.0, 0.0, 0.0), ("b", 1.0, 0.0, 0.0)],
            &[("a", 1.0, 0.0), ("b", 2.0, 9.0)],
        );
    }

    #[test]
    fn a_touch_that_repeats_its_neighbour_is_left_out_once() {
        // a a b: without either a it is a b, rate 1/2; without b it is a a, unseen.
        check(&[("a a b", 1.0, 0.0, 0.0), ("a b", 1.0, 0.0, 1.0)], &[("a", 0.5 + 0.5, 0.0), ("b", 0.5 + 0.5, 0.0)]);
    }

    #[test]
    fn single_rows_and_aggregates_agree() {
        let single = table(&[("a b", 1.0, 3.0, 0.0), ("a", 1.0, 1.0, 3.0), ("a b", 1.0, 3.0, 2.0)]);
        let credits = LeaveOneOut.attribute(&single).expect("credits");
        assert_eq!(credits, LeaveOneOut.attribute(&single.aggregated()).expect("credits"));
        let weights = LeaveOneOut.path_weights(&single).expect("weights");
        assert_eq!((weights.of(0), weights.of(1)), (weights.of(2), [1.0].as_slice()));
    }

    #[test]
    fn only_refunds() {
        check(&[("a b", 0.0, -5.0, 0.0), ("c", 0.0, 0.0, 1.0)], &[("a", 0.0, 0.0), ("b", 0.0, -5.0), ("c", 0.0, 0.0)]);
    }
}
