//! Paths of channels with their outcomes, flattened: what every model reads.

use throughline_stats::sum::exact_sum;

use crate::model::Units;
use crate::{PathTableBuilder, Totals};

/// One path: channel numbers in order of time, and the age of each touch where the table has ages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PathView<'a> {
    /// Channel numbers, indices into [`PathTable::channels`]; never empty.
    pub steps: &'a [u32],
    /// Microseconds from each touch to the conversion (to the end of the window for paths without one), at least 0.
    pub ages: Option<&'a [i64]>,
}

/// Paths and their outcomes. Channels are sorted by name, so that channel numbers do not depend on the order of rows.
///
/// Built by [`PathTableBuilder`], which refuses what no model can read; every path here has a step, every count is finite
/// and at least 0, every value finite.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PathTable {
    pub(crate) channels: Vec<String>,
    /// Path p owns `steps[offsets[p]..offsets[p + 1]]`; empty for an empty table.
    pub(crate) offsets: Vec<usize>,
    pub(crate) steps: Vec<u32>,
    pub(crate) ages: Option<Vec<i64>>,
    pub(crate) conversions: Vec<f64>,
    pub(crate) values: Vec<f64>,
    pub(crate) nulls: Vec<f64>,
    pub(crate) rows: Vec<usize>,
}

impl PathTable {
    /// Starts a table.
    pub fn builder() -> PathTableBuilder {
        PathTableBuilder::new()
    }

    /// Channel names, sorted.
    pub fn channels(&self) -> &[String] {
        &self.channels
    }

    /// Number of paths.
    pub fn len(&self) -> usize {
        self.conversions.len()
    }

    /// Whether there is no path.
    pub fn is_empty(&self) -> bool {
        self.conversions.is_empty()
    }

    /// Path `path`; without steps beyond the last path.
    pub fn path(&self, path: usize) -> PathView<'_> {
        let range = self.range(path);
        PathView { steps: &self.steps[range.clone()], ages: self.ages.as_ref().map(|a| &a[range]) }
    }

    /// Every path, in order.
    pub fn paths(&self) -> impl ExactSizeIterator<Item = PathView<'_>> {
        (0..self.len()).map(|p| self.path(p))
    }

    /// Whether every touch has an age.
    pub fn has_ages(&self) -> bool {
        self.ages.is_some()
    }

    /// The outcomes of the paths as they were observed.
    pub fn units(&self) -> Units<'_> {
        Units { conversions: &self.conversions, values: &self.values, nulls: &self.nulls }
    }

    /// The row, counted from 0 in the order of the builder, that each path came from.
    pub fn rows(&self) -> &[usize] {
        &self.rows
    }

    /// What there is to credit: exact sums.
    pub fn totals(&self) -> Totals {
        Totals {
            conversions: exact_sum(self.conversions.iter().copied()),
            value: exact_sum(self.values.iter().copied()),
            nulls: exact_sum(self.nulls.iter().copied()),
            absolute_value: exact_sum(self.values.iter().map(|v| v.abs())),
        }
    }

    /// The same paths in an order that depends on their content only, so that random draws by position do not depend on
    /// the order of rows.
    #[must_use]
    pub fn canonical(&self) -> Self {
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.sort_by(|&a, &b| {
            let outcome = |p: usize| [self.conversions[p], self.values[p], self.nulls[p]];
            self.path(a).cmp(&self.path(b)).then_with(|| {
                let (left, right) = (outcome(a), outcome(b));
                left.iter().zip(&right).map(|(l, r)| l.total_cmp(r)).find(|o| o.is_ne()).unwrap_or(a.cmp(&b))
            })
        });
        self.gather(order.iter().map(|&p| (p, self.conversions[p], self.values[p], self.nulls[p])))
    }

    /// Equal paths (same channels, same ages) merged into one row each with summed outcomes, in canonical order; the row
    /// of a merged path is that of its first.
    ///
    /// Credits do not change. Bootstrap intervals of *value* do: within a merged row every conversion counts at the
    /// mean value, so the variance of values between conversions of one path is lost.
    #[must_use]
    pub fn aggregated(&self) -> Self {
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.sort_by(|&a, &b| self.path(a).cmp(&self.path(b)).then(a.cmp(&b)));
        let groups = order.chunk_by(|&a, &b| self.path(a) == self.path(b));
        self.gather(groups.map(|group| {
            let total = |column: &[f64]| exact_sum(group.iter().map(|&p| column[p]));
            (group[0], total(&self.conversions), total(&self.values), total(&self.nulls))
        }))
    }

    fn gather(&self, paths: impl Iterator<Item = (usize, f64, f64, f64)>) -> Self {
        let mut table = Self {
            channels: self.channels.clone(),
            offsets: vec![0],
            ages: self.ages.as_ref().map(|_| Vec::new()),
            ..Self::default()
        };
        for (path, conversions, value, nulls) in paths {
            let view = self.path(path);
            table.steps.extend_from_slice(view.steps);
            if let (Some(to), Some(from)) = (&mut table.ages, view.ages) {
                to.extend_from_slice(from);
            }
            table.offsets.push(table.steps.len());
            table.conversions.push(conversions);
            table.values.push(value);
            table.nulls.push(nulls);
            table.rows.push(self.rows[path]);
        }
        table
    }

    fn range(&self, path: usize) -> std::ops::Range<usize> {
        match (self.offsets.get(path), self.offsets.get(path + 1)) {
            (Some(&start), Some(&end)) => start..end,
            _ => 0..0,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Outcome;

    use super::*;

    fn table(rows: &[(&str, f64, f64, f64)]) -> PathTable {
        let mut builder = PathTable::builder();
        for &(path, conversions, value, nulls) in rows {
            builder.push(&crate::parse_path(path, " "), None, Outcome { conversions, value, nulls });
        }
        builder.build().0
    }

    #[test]
    fn canonical_order_ignores_the_order_of_rows() {
        let rows = [("b a", 1.0, 2.0, 0.0), ("a", 1.0, 5.0, 1.0), ("a", 1.0, -5.0, 1.0), ("a b", 0.0, 0.0, 1.0)];
        let mut reversed = rows;
        reversed.reverse();
        let (one, two) = (table(&rows).canonical(), table(&reversed).canonical());
        assert_eq!((&one.steps, &one.values, &one.nulls), (&two.steps, &two.values, &two.nulls));
        assert_eq!(one.rows, [2, 1, 3, 0]);
    }

    #[test]
    fn aggregation_merges_equal_paths() {
        let merged = table(&[("b a", 1.0, 2.0, 0.0), ("a", 1.0, 5.0, 1.0), ("b a", 3.0, 4.0, 7.0)]).aggregated();
        assert_eq!(merged.len(), 2);
        assert_eq!((merged.conversions, merged.values, merged.nulls), (vec![1.0, 4.0], vec![5.0, 6.0], vec![1.0, 7.0]));
    }

    #[test]
    fn beyond_the_last_path_there_are_no_steps() {
        assert!(PathTable::default().path(3).steps.is_empty());
        assert_eq!(PathTable::default().totals().conversions, 0.0);
        assert!(PathTable::default().aggregated().is_empty());
    }
}
