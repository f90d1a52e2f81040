//! Features as one byte: quantile bins, and one code for missing.

use std::ops::Range;

use throughline_stats::parallel::map_parts;

use crate::FeatureMatrix;

/// The code of a missing value; bins have the codes below it.
pub(crate) const MISSING: u8 = u8::MAX;

/// Rows coded at a time by one thread.
const CHUNK: usize = 1 << 12;

/// Cut points of every feature, ascending. The code of x is the number of cuts below x, so bin b holds x ≤ cut b.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bins {
    pub(crate) cuts: Vec<Vec<f32>>,
}

/// One byte per row and feature, row by row: a tree is walked with one cache line.
#[derive(Debug, Clone)]
pub(crate) struct Codes {
    pub(crate) width: usize,
    pub(crate) data: Vec<u8>,
}

impl Codes {
    pub(crate) fn row(&self, row: usize) -> &[u8] {
        &self.data[row * self.width..(row + 1) * self.width]
    }
}

impl Bins {
    /// At most `max_bins` bins per feature, with about as many rows each; a feature with no more distinct values gets a bin
    /// for each of them. Missing values have no say. Work: rows × log rows per feature.
    pub(crate) fn learn(features: &FeatureMatrix, max_bins: usize, threads: usize) -> Self {
        let columns: Vec<&[f32]> = (0..features.names().len()).filter_map(|c| features.column(c)).collect();
        Self { cuts: map_parts(columns, threads, |column| cuts_of(column, max_bins)) }
    }

    /// Bins of a feature.
    pub(crate) fn len_of(&self, feature: usize) -> usize {
        self.cuts[feature].len() + 1
    }

    /// The codes of some rows of a matrix with the same columns.
    pub(crate) fn encode(&self, features: &FeatureMatrix, rows: &[usize], threads: usize) -> Codes {
        let width = self.cuts.len();
        let chunks: Vec<&[usize]> = rows.chunks(CHUNK).collect();
        let coded = map_parts(chunks, threads, |rows| self.chunk(features, &rows.iter().copied()));
        Codes { width, data: coded.concat() }
    }

    /// The codes of a range of rows.
    pub(crate) fn encode_range(&self, features: &FeatureMatrix, rows: Range<usize>) -> Codes {
        Codes { width: self.cuts.len(), data: self.chunk(features, &rows) }
    }

    fn chunk(&self, features: &FeatureMatrix, rows: &(impl ExactSizeIterator<Item = usize> + Clone)) -> Vec<u8> {
        let width = self.cuts.len();
        let mut data = vec![MISSING; rows.len() * width];
        for (c, cuts) in self.cuts.iter().enumerate() {
            let Some(column) = features.column(c) else { continue };
            for (slot, row) in data.iter_mut().skip(c).step_by(width).zip(rows.clone()) {
                *slot = code(cuts, column[row]);
            }
        }
        data
    }
}

#[expect(clippy::cast_possible_truncation, reason = "there are at most 254 cuts")]
fn code(cuts: &[f32], x: f32) -> u8 {
    if x.is_nan() { MISSING } else { cuts.partition_point(|cut| *cut < x) as u8 }
}

fn cuts_of(column: &[f32], max_bins: usize) -> Vec<f32> {
    let mut sorted: Vec<f32> = column.iter().copied().filter(|x| !x.is_nan()).collect();
    sorted.sort_unstable_by(f32::total_cmp);
    let mut distinct = sorted.clone();
    distinct.dedup();
    if distinct.len() <= max_bins {
        distinct.pop();
        return distinct;
    }
    let (n, mut cuts, mut filled) = (sorted.len(), Vec::with_capacity(max_bins), 0);
    for (i, pair) in sorted.windows(2).enumerate() {
        // A cut may only stand where the value changes, and only once a bin has its share of the rows.
        if pair[0] < pair[1] && (i + 1) * max_bins >= (filled + 1) * n {
            cuts.push(pair[0]);
            filled = (i + 1) * max_bins / n;
        }
    }
    cuts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn few_values_get_a_bin_each() {
        let cuts = cuts_of(&[2.0, f32::NAN, 1.0, 2.0, 5.0, -0.0, 0.0], 255);
        assert_eq!(cuts, [0.0, 1.0, 2.0]);
        let codes: Vec<u8> = [-9.0, 0.0, 0.5, 1.0, 2.0, 2.5, 9.0, f32::NAN].map(|x| code(&cuts, x)).to_vec();
        assert_eq!(codes, [0, 0, 1, 1, 2, 3, 3, MISSING]);
        assert!(cuts_of(&[f32::NAN; 3], 255).is_empty());
        assert!(cuts_of(&[7.0; 3], 255).is_empty());
    }

    proptest! {
        #[test]
        fn codes_keep_the_order_and_bins_are_even(
            mut values in prop::collection::vec(-1e6_f32..1e6, 1..2000),
            max_bins in 2_usize..=255,
        ) {
            let cuts = cuts_of(&values, max_bins);
            prop_assert!(cuts.len() < max_bins);
            prop_assert!(cuts.is_sorted_by(|a, b| a < b));
            values.sort_unstable_by(f32::total_cmp);
            let codes: Vec<u8> = values.iter().map(|x| code(&cuts, *x)).collect();
            prop_assert!(codes.is_sorted());
            let mut counts = vec![0; max_bins];
            for code in &codes {
                counts[usize::from(*code)] += 1;
            }
            // Distinct values: no bin holds more than two shares.
            values.dedup();
            if values.len() == codes.len() {
                let bound = 2 * values.len().div_ceil(max_bins) + 1;
                prop_assert!(counts.iter().all(|c| *c <= bound), "{counts:?}");
            }
        }
    }
}
