//! The different paths of a table, each with the rows that took it: models that fit parameters see the same numbers in the
//! same order for any order of rows, merged or not.

use std::cmp::Ordering;

use throughline_stats::sum::exact_sum;

use crate::{PathTable, PathView, Summation, Units};

/// Rows by path.
#[derive(Debug, Clone)]
pub(crate) struct Distinct {
    /// Rows, those of one path together.
    rows: Vec<usize>,
    /// Distinct path d was taken by `rows[ends[d - 1]..ends[d]]`.
    ends: Vec<usize>,
}

/// The outcomes of one distinct path together.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Total {
    pub(crate) conversions: f64,
    pub(crate) value: f64,
    pub(crate) nulls: f64,
}

impl Total {
    /// Journeys.
    pub(crate) fn walks(self) -> f64 {
        self.conversions + self.nulls
    }
}

impl Distinct {
    /// Rows whose paths compare as equal are one.
    pub(crate) fn new(table: &PathTable, compare: impl Fn(PathView<'_>, PathView<'_>) -> Ordering) -> Self {
        let by_path = |a: &usize, b: &usize| compare(table.path(*a), table.path(*b));
        let mut rows: Vec<usize> = (0..table.len()).collect();
        if !rows.is_sorted_by(|a, b| by_path(a, b).is_le()) {
            rows.sort_by(by_path);
        }
        let mut end = 0;
        let groups = rows.chunk_by(|a, b| by_path(a, b).is_eq());
        let ends = groups.map(|group| {
            end += group.len();
            end
        });
        Self { ends: ends.collect(), rows }
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The rows of a distinct path.
    pub(crate) fn rows(&self, path: usize) -> &[usize] {
        &self.rows[if path == 0 { 0 } else { self.ends[path - 1] }..self.ends[path]]
    }

    /// The outcomes of each.
    pub(crate) fn totals(&self, units: Units<'_>, summation: Summation) -> Vec<Total> {
        let sum = |rows: &[usize], column: &[f64]| match (rows, summation) {
            ([row], _) => column[*row],
            (_, Summation::Exact) => exact_sum(rows.iter().map(|&row| column[row])),
            (_, Summation::InOrder) => rows.iter().map(|&row| column[row]).sum(),
        };
        (0..self.len())
            .map(|path| self.rows(path))
            .map(|rows| Total {
                conversions: sum(rows, units.conversions),
                value: sum(rows, units.values),
                nulls: sum(rows, units.nulls),
            })
            .collect()
    }
}
