//! Any model, path by path: each path's outcome is split over its own touches.

use throughline_stats::sum::ExactSum;

use crate::model::{Accumulate, ChannelSums};
use crate::models::markov::Markov;
use crate::{
    AttributionError, Conservation, Model, PathTable, PathWeights, Prepared, Split, Summation, Units, read_spec,
};

/// Another model's weights within each path, summed over paths: credit = Σ over paths of weight × the path's outcome.
///
/// A model that shares out a *total* among channels (Markov chains, Shapley, Shao–Li) adds up over all paths together
/// and not path by path. Written `path:markov:2`, each path's conversions and value stay with its own channels, in
/// proportion to the model's [`path_weights`](Model::path_weights), so that credits add up per path, per day, per
/// segment: over any grouping of paths. The weights are fitted anew to resampled outcomes. Models that work path by path
/// anyway are left as they are.
///
/// Source: the channel tables of DP6's `marketing_attribution_models`, which spread every journey by removal effects.
/// The result is another definition than the inner model's, and neither is more right: over 12 channels shares have been
/// seen to differ by a third.
#[derive(Debug)]
pub struct Path {
    inner: Box<dyn Model>,
}

impl Default for Path {
    fn default() -> Self {
        Self { inner: Box::new(Markov::default()) }
    }
}

impl Path {
    /// Around a model.
    pub fn new(inner: Box<dyn Model>) -> Self {
        Self { inner }
    }

    /// Reads the part of a specification after the colon.
    pub(crate) fn read(parameter: Option<&str>) -> Result<Self, AttributionError> {
        let Some(given) = parameter else { return Ok(Self::default()) };
        let name = given.split(':').next().unwrap_or_default().trim();
        if name.is_empty() || name == "path" {
            return Err(AttributionError::BadParameter {
                model: "path",
                given: given.chars().take(80).collect(),
                expected: "another model, as in path:markov:2",
            });
        }
        read_spec(given).map(Self::new)
    }
}

struct ByPath<'t> {
    table: &'t PathTable,
    inner: Box<dyn Prepared + 't>,
}

impl ByPath<'_> {
    fn sum<A: Accumulate>(&self, units: Units<'_>, weights: &[f64]) -> Split {
        let mut sums = ChannelSums::<A>::new(self.table.channels().len());
        let mut rest = weights;
        for (path, (&conversions, &value)) in self.table.paths().zip(units.conversions.iter().zip(units.values)) {
            let (own, after) = rest.split_at(path.steps.len());
            rest = after;
            if conversions != 0.0 || value != 0.0 {
                for (&step, &weight) in path.steps.iter().zip(own).filter(|(_, w)| **w != 0.0) {
                    sums.add(step, weight * conversions, weight * value);
                }
            }
        }
        sums.split()
    }
}

impl Prepared for ByPath<'_> {
    fn split(&self, units: Units<'_>, summation: Summation) -> Result<Split, AttributionError> {
        let Some(weights) = self.inner.path_weights(units, summation)? else {
            return self.inner.split(units, summation);
        };
        Ok(match summation {
            Summation::Exact => self.sum::<ExactSum>(units, &weights),
            Summation::InOrder => self.sum::<f64>(units, &weights),
        })
    }

    fn path_weights(&self, units: Units<'_>, summation: Summation) -> Result<Option<Vec<f64>>, AttributionError> {
        self.inner.path_weights(units, summation)
    }
}

impl Model for Path {
    fn name(&self) -> &'static str {
        "path"
    }

    fn spec(&self) -> String {
        format!("path:{}", self.inner.spec())
    }

    fn conservation(&self) -> Conservation {
        self.inner.conservation()
    }

    fn breaks_down(&self) -> bool {
        true
    }

    fn reads_ages(&self) -> bool {
        self.inner.reads_ages()
    }

    fn prepare<'t>(&self, table: &'t PathTable) -> Result<Box<dyn Prepared + 't>, AttributionError> {
        Ok(Box::new(ByPath { table, inner: self.inner.prepare(table)? }))
    }

    fn path_weights(&self, table: &PathTable) -> Result<PathWeights, AttributionError> {
        self.inner.path_weights(table)
    }
}

#[cfg(test)]
mod tests {
    use throughline_core::Level;

    use super::*;
    use crate::bootstrap;
    use crate::models::testing::{check_credits, table};

    #[test]
    fn each_path_keeps_its_outcome() {
        // Removal effects: a 1/2, b 1. The first path gives a third to a, two thirds to b; the second all to b.
        let rows = [("a b", 1.0, 8.0, 1.0), ("b", 1.0, 4.0, 1.0)];
        check_credits("path:markov", &rows, &[("a", 1.0 / 3.0, 8.0 / 3.0), ("b", 5.0 / 3.0, 4.0 + 16.0 / 3.0)]);
        check_credits("path:linear", &rows, &[("a", 0.5, 4.0), ("b", 1.5, 8.0)]);
        check_credits("path:participation", &rows, &[("a", 1.0, 8.0), ("b", 2.0, 12.0)]);
    }

    #[test]
    fn draws_refit_the_weights() {
        // Over draws, a's effect moves with the nulls of its path: a fixed third would give b's credit no such spread.
        let table = table(&[("a b", 1000.0, 0.0, 40.0), ("b", 10.0, 0.0, 30.0), ("a", 20.0, 0.0, 10.0)]);
        let models: Vec<_> = ["path:markov:1", "path:linear"].iter().map(|s| read_spec(s).expect("a model")).collect();
        let results = bootstrap(&table, &models, 200, 1, Level::P90).expect("runs");
        let canonical = table.canonical();
        let inner = Markov::default().prepare(&canonical).expect("prepared");
        let units = Units { conversions: &[7.0, 900.0, 12.0], values: &[0.0; 3], nulls: &[5.0, 9.0, 31.0] };
        let moved = inner.path_weights(units, Summation::InOrder).expect("solves").expect("weights");
        let fixed = inner.path_weights(canonical.units(), Summation::InOrder).expect("solves").expect("weights");
        assert!((moved[1] - fixed[1]).abs() > 1e-3, "{moved:?} against {fixed:?}");
        let outer =
            Path::default().prepare(&canonical).expect("prepared").split(units, Summation::InOrder).expect("splits");
        assert!((outer.conversions[0] - (7.0 + 900.0 * moved[1])).abs() < 1e-9, "{outer:?} by {moved:?}");
        assert_eq!(results[0].credits.model(), "path:markov:1");
    }

    #[test]
    fn parameters() {
        for (text, spec) in [("path", "path:markov:1"), ("path:markov:2", "path:markov:2"), ("path: u", "path:u")] {
            assert_eq!(read_spec(text).map(|m| m.spec()), Ok(spec.to_owned()));
        }
        let error = read_spec("path:path:linear").expect_err("nested").to_string();
        assert!(error.contains("expected another model, as in path:markov:2"), "{error}");
        let error = read_spec("path:linaer").expect_err("unknown").to_string();
        assert!(error.contains("did you mean `linear`?"), "{error}");
        assert!(read_spec("path:").is_err());
    }
}
