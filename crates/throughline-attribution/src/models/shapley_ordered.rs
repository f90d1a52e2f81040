//! The ordered Shapley value: what each channel receives at each position.

use throughline_stats::sum::ExactSum;

use crate::models::shapley_simplified::ShapleySimplified;
use crate::rule::{Tally, Weigher};
use crate::{AttributionError, PathTable, Rule};

/// Equal credit to every different channel of a path, kept apart by position: touch t of channel c receives
/// 1 / (different channels · touches of c).
///
/// Source: K. Zhao, S. H. Mahboobi, S. R. Bagheri, arXiv:1804.05327 (2018), section 4, where the contribution of channel c
/// at position t is Σ over journeys with c at t of 1 / |set of channels|. As published that counts a channel once for
/// every repeat and credits more than there is; here repeats divide their channel's share, so that credits add up.
///
/// Summed over positions this *is* [`ShapleySimplified`]: the order moves credit between positions, never between
/// channels. What it adds is the table of channels by positions, [`by_position`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ShapleyOrdered;

impl Rule for ShapleyOrdered {
    fn name(&self) -> &'static str {
        "shapley_ordered"
    }

    fn weigher<'t>(&self, table: &'t PathTable) -> Result<Weigher<'t>, AttributionError> {
        ShapleySimplified.weigher(table)
    }
}

/// What becomes of a channel that a path holds more than once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeats {
    /// Every touch of it receives a channel's full share: the published formula, whose sum exceeds the conversions.
    Published,
    /// Its touches divide its share: the sum is the conversions.
    Normalised,
}

/// Conversions credited by channel (as in [`PathTable::channels`]) and position, first touch first; every row is as long
/// as the longest converting path. Exact sums: the same bits for any order of the paths. Memory: channels × positions.
pub fn by_position(table: &PathTable, repeats: Repeats) -> Vec<Vec<f64>> {
    let conversions = table.units().conversions;
    let converting = || table.paths().zip(conversions).filter(|(_, c)| **c > 0.0);
    let positions = converting().map(|(path, _)| path.steps.len()).max().unwrap_or(0);
    // (channel, position, share), so that one exact sum at a time suffices.
    let mut cells: Vec<(u32, usize, f64)> = Vec::new();
    let mut tally = Tally::new(table.channels().len());
    for (path, conversions) in converting() {
        tally.each(path.steps, |position, different, count| {
            let share = conversions / f64::from(different);
            let share = if repeats == Repeats::Normalised { share / f64::from(count) } else { share };
            cells.push((path.steps[position], position, share));
        });
    }
    cells.sort_unstable_by_key(|(channel, position, _)| (*channel, *position));
    let mut out = vec![vec![0.0; positions]; table.channels().len()];
    for cell in cells.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        let (channel, position, _) = cell[0];
        out[channel as usize][position] = cell.iter().map(|c| c.2).collect::<ExactSum>().value();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::testing::{check_weights, table};

    #[test]
    fn positions_by_hand() {
        check_weights("shapley_ordered", "a b a", &[0.25, 0.5, 0.25]);
        let table = table(&[("a b a", 2.0, 0.0, 0.0), ("b", 1.0, 0.0, 5.0), ("a b a b", 0.0, 0.0, 1.0)]);
        assert_eq!(by_position(&table, Repeats::Normalised), [[0.5, 0.0, 0.5], [1.0, 1.0, 0.0]]);
        assert_eq!(by_position(&table, Repeats::Published), [[1.0, 0.0, 1.0], [1.0, 1.0, 0.0]]);
        assert!(by_position(&PathTable::default(), Repeats::Published).is_empty());
    }
}
