//! Where walks first enter each of many groups of states.
//!
//! Watching a chain only in some of its states gives a chain between those: a walk through the others counts as the
//! transition from where it left to where it came back. Elimination does that one state at a time, so what it leaves of
//! the row of starts when only a group is left says where walks first enter the group. Each step adds, multiplies and
//! divides numbers of at least 0, and nothing cancels.
//!
//! Groups share their work: before the list of groups is halved, the states in none of them are eliminated, once for
//! all of them.

use super::Counts;
use super::dense::eliminate;

/// A chain watched in some of its states.
#[derive(Debug, Clone)]
pub(super) struct Watched {
    /// Which states, ascending.
    states: Vec<usize>,
    /// Row-major, one row and one column more than states: the rates between them, in the last column out of the chain,
    /// in the last row into it. The diagonal is never read.
    cells: Vec<f64>,
}

impl Watched {
    /// All states of a chain.
    pub(super) fn whole(counts: &Counts) -> Self {
        let mut cells = counts.rates();
        cells.extend(&counts.start);
        // Walks that end before they begin do not exist.
        cells.push(0.0);
        Self { states: (0..counts.start.len()).collect(), cells }
    }

    /// For each of `groups`, in their order, the number of walks that first enter it at each of its states. Groups are
    /// ascending states of this chain without repetition.
    pub(super) fn entries(&self, groups: &[Vec<usize>]) -> Vec<Vec<f64>> {
        let mut entries = Vec::with_capacity(groups.len());
        self.divide(groups, &mut entries);
        entries
    }

    fn divide(&self, groups: &[Vec<usize>], entries: &mut Vec<Vec<f64>>) {
        if groups.iter().all(Vec::is_empty) {
            entries.extend(groups.iter().map(|_| Vec::new()));
            return;
        }
        if let [group] = groups {
            let mut starts = self.watch(group, Rows::Starts);
            starts.truncate(group.len());
            entries.push(starts);
            return;
        }
        let mut union = groups.concat();
        union.sort_unstable();
        union.dedup();
        let (left, right) = groups.split_at(groups.len() / 2);
        if union.len() == self.states.len() {
            self.divide(left, entries);
            self.divide(right, entries);
        } else {
            let near = Self { cells: self.watch(&union, Rows::All), states: union };
            near.divide(left, entries);
            near.divide(right, entries);
        }
    }

    /// The cells of this chain watched in `kept` only, or just its row of starts.
    fn watch(&self, kept: &[usize], rows: Rows) -> Vec<f64> {
        let m = self.states.len();
        let (stay, gone): (Vec<usize>, Vec<usize>) = (0..m).partition(|&i| kept.binary_search(&self.states[i]).is_ok());
        let width = m + 1;
        let mut order = gone.clone();
        if rows == Rows::All {
            order.extend(&stay);
        }
        let mut cells = Vec::with_capacity((order.len() + 1) * width);
        for i in order.into_iter().chain([m]) {
            let row = &self.cells[i * width..(i + 1) * width];
            cells.extend(gone.iter().chain(&stay).chain([&m]).map(|&j| row[j]));
        }
        eliminate(&mut cells, width, gone.len());
        cells.chunks_exact(width).skip(gone.len()).flat_map(|row| &row[gone.len()..]).copied().collect()
    }
}

/// Which rows of a watched chain are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rows {
    All,
    Starts,
}
