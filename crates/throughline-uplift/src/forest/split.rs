//! The best split of a node, from histograms of its labels.

use super::bins::MISSING;
use super::label::{Labels, Packing, Sums};

/// Slots of a histogram: 255 bins, a gap and missing.
pub(crate) const SLOTS: usize = 257;

/// What a split must leave on both sides.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// Rows of either arm.
    pub(crate) min_arm_rows: u32,
    /// Share of the treatment information n₁ n₀ / n of the node.
    pub(crate) alpha: f64,
    /// Charge per 1 / information.
    pub(crate) imbalance_penalty: f64,
}

/// A split of a node: rows with a code above `bin` go right, missing values to their own side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Split {
    pub(crate) feature: u16,
    pub(crate) bin: u8,
    pub(crate) missing_left: bool,
    /// (Σρ left)² / rows left + (Σρ right)² / rows right − (Σρ)² / rows, less the charge for imbalance.
    pub(crate) gain: f64,
}

/// One feature of the rows of a tree.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column<'a> {
    pub(crate) feature: u16,
    /// Codes by number within the tree.
    pub(crate) codes: &'a [u8],
    /// Bins of the feature.
    pub(crate) bins: usize,
    pub(crate) has_missing: bool,
}

/// A node that looks for its split.
#[derive(Debug)]
pub(crate) struct Search<'a> {
    labels: &'a Labels,
    packing: Packing,
    rules: Rules,
    total: Sums,
    total_word: u64,
    /// Least information on either side.
    floor: f64,
    /// Bins worth looking at in a node of this size.
    resolution: usize,
    best: Option<Split>,
}

impl<'a> Search<'a> {
    pub(crate) fn new(labels: &'a Labels, packing: Packing, rules: Rules) -> Self {
        let total_word = labels.words.iter().fold(0_u64, |sum, word| sum.wrapping_add(*word));
        let total = packing.unpack(total_word);
        // A node of n rows cannot tell n thresholds apart: neighbouring bins are taken together in small nodes.
        let resolution = (labels.words.len() / 8).clamp(16, SLOTS - 1);
        let floor = rules.alpha * information(total.treated, total.control);
        Self { labels, packing, rules, total, total_word, floor, resolution, best: None }
    }

    /// Tries all splits on one feature; the first of equal gains stays.
    pub(crate) fn try_feature(&mut self, column: &Column<'_>, histogram: &mut [u64; SLOTS]) {
        let shift = (0..8).find(|s| (column.bins - 1) >> s < self.resolution).unwrap_or(7);
        let bins = ((column.bins - 1) >> shift) + 1;
        histogram[..bins].fill(0);
        let mut missing = 0;
        if column.has_missing {
            let slot = (usize::from(MISSING) >> shift) + 1;
            histogram[slot] = 0;
            self.fill(column, histogram, |code| (usize::from(code) >> shift) + usize::from(code == MISSING));
            missing = histogram[slot];
        } else if shift == 0 {
            self.fill(column, histogram, usize::from);
        } else {
            self.fill(column, histogram, |code| usize::from(code >> shift));
        }
        self.scan(column.feature, &histogram[..bins], missing, shift);
    }

    #[inline]
    fn fill(&self, column: &Column<'_>, histogram: &mut [u64; SLOTS], slot: impl Fn(u8) -> usize) {
        for (local, word) in self.labels.locals.iter().zip(&self.labels.words) {
            let at = &mut histogram[slot(column.codes[*local as usize])];
            *at = at.wrapping_add(*word);
        }
    }

    fn scan(&mut self, feature: u16, histogram: &[u64], missing: u64, shift: u32) {
        let mut left = 0_u64;
        for (slot, word) in histogram.iter().enumerate() {
            if *word == 0 {
                continue;
            }
            left = left.wrapping_add(*word);
            #[expect(clippy::cast_possible_truncation, reason = "slots number at most 255 >> shift")]
            let bin = ((((slot + 1) << shift) - 1) as u8).min(MISSING - 1);
            self.consider(feature, bin, left, (missing != 0).then_some(false));
            if missing != 0 {
                self.consider(feature, bin, left.wrapping_add(missing), Some(true));
            }
        }
    }

    /// Weighs the split with these rows on the left. `missing_left` tells where missing values stand; where the node has
    /// none, those that come later follow the larger side.
    #[inline]
    fn consider(&mut self, feature: u16, bin: u8, left: u64, missing_left: Option<bool>) {
        let (left, right) = (self.packing.unpack(left), self.packing.unpack(self.total_word.wrapping_sub(left)));
        let least = self.rules.min_arm_rows;
        if left.treated < least || left.control < least || right.treated < least || right.control < least {
            return;
        }
        let informed = [information(left.treated, left.control), information(right.treated, right.control)];
        if informed[0] < self.floor || informed[1] < self.floor {
            return;
        }
        let gain = self.gain(&left, &right, informed);
        if gain > self.best.map_or(0.0, |b| b.gain) {
            let larger = left.treated + left.control >= right.treated + right.control;
            self.best = Some(Split { feature, bin, missing_left: missing_left.unwrap_or(larger), gain });
        }
    }

    #[inline]
    fn gain(&self, left: &Sums, right: &Sums, informed: [f64; 2]) -> f64 {
        let part =
            |sums: &Sums| (sums.label as f64 * self.packing.unit).powi(2) / f64::from(sums.treated + sums.control);
        let gain = part(left) + part(right) - part(&self.total);
        if self.rules.imbalance_penalty == 0.0 {
            return gain;
        }
        gain - self.rules.imbalance_penalty * (1.0 / informed[0] + 1.0 / informed[1])
    }

    /// The best split of the features tried, if any leaves enough on both sides and gains.
    pub(crate) fn best(self) -> Option<Split> {
        self.best
    }
}

/// Treatment information n₁ n₀ / n: n times the variance of the treatment.
#[inline]
fn information(treated: u32, control: u32) -> f64 {
    let (treated, control) = (f64::from(treated), f64::from(control));
    treated * control / (treated + control).max(1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::forest::label::SplitRow;

    /// The same search by definition: every feature, threshold and side of missing values, sums row by row.
    fn slow(columns: &[Vec<u8>], rows: &[SplitRow], rho: &[f64], rules: Rules) -> f64 {
        let mut best = 0.0_f64;
        for column in columns {
            for bin in 0..MISSING {
                for missing_left in [true, false] {
                    let mut sides = [(0_u32, 0_u32, 0.0_f64); 2];
                    for ((code, row), rho) in column.iter().zip(rows).zip(rho) {
                        let right = if *code == MISSING { !missing_left } else { *code > bin };
                        let side = &mut sides[usize::from(right)];
                        if row.treated() {
                            side.0 += 1;
                        } else {
                            side.1 += 1;
                        }
                        side.2 += rho;
                    }
                    let all = information(sides[0].0 + sides[1].0, sides[0].1 + sides[1].1);
                    let enough = |s: &(u32, u32, f64)| {
                        s.0.min(s.1) >= rules.min_arm_rows && information(s.0, s.1) >= rules.alpha * all
                    };
                    if !sides.iter().all(enough) {
                        continue;
                    }
                    let part = |s: &(u32, u32, f64)| s.2 * s.2 / f64::from(s.0 + s.1);
                    let whole = (sides[0].2 + sides[1].2).powi(2) / rows.len() as f64;
                    let charge: f64 = sides.iter().map(|s| rules.imbalance_penalty / information(s.0, s.1)).sum();
                    best = best.max(sides.iter().map(part).sum::<f64>() - whole - charge);
                }
            }
        }
        best
    }

    /// ρ by definition.
    fn labels_of(rows: &[SplitRow]) -> Vec<f64> {
        let n = rows.len() as f64;
        let mean = |f: &dyn Fn(&SplitRow) -> f64| rows.iter().map(f).sum::<f64>() / n;
        let (w, y) = (mean(&|r| f64::from(r.w)), mean(&|r| f64::from(r.y)));
        let variance = mean(&|r| (f64::from(r.w) - w).powi(2));
        let effect = mean(&|r| (f64::from(r.w) - w) * (f64::from(r.y) - y)) / variance;
        let rho = |r: &SplitRow| {
            let dw = f64::from(r.w) - w;
            dw * (f64::from(r.y) - y - dw * effect) / variance
        };
        rows.iter().map(rho).collect()
    }

    /// Codes of two features (the first may be missing), treated, outcome.
    type Case = Vec<(u8, u8, bool, f32)>;

    fn case() -> impl Strategy<Value = (Case, f64, f64, u32)> {
        let row = (prop_oneof![4 => 0_u8..12, 1 => Just(MISSING)], 0_u8..3, any::<bool>(), -3.0_f32..3.0);
        (prop::collection::vec(row, 4..120), 0.0..0.25, prop_oneof![Just(0.0), 0.0..1.0], 1_u32..4)
    }

    proptest! {
        #[test]
        fn the_search_finds_the_best_split((data, alpha, imbalance_penalty, min_arm_rows) in case()) {
            let rules = Rules { min_arm_rows, alpha, imbalance_penalty };
            let rows: Vec<SplitRow> = (0_u32..).zip(&data).map(|(i, d)| SplitRow {
                id: 2 * i + u32::from(d.2), s: 1.0, w: if d.2 { 0.6 } else { -0.4 }, y: d.3,
            }).collect();
            let columns = [data.iter().map(|d| d.0).collect::<Vec<u8>>(), data.iter().map(|d| d.1).collect()];
            let mut labels = Labels::default();
            let Some(packing) = labels.of_node(&rows) else { return Ok(()) };
            let mut search = Search::new(&labels, packing, rules);
            let mut histogram = [0; SLOTS];
            for (feature, codes, bins, has_missing) in [(0, &columns[0], 12, true), (1, &columns[1], 3, false)] {
                search.try_feature(&Column { feature, codes, bins, has_missing }, &mut histogram);
            }
            let (fast, rho) = (search.best(), labels_of(&rows));
            let expect = slow(&columns, &rows, &rho, rules);
            let gain = fast.map_or(0.0, |s| s.gain);
            prop_assert!((gain - expect).abs() <= 1e-4 * (1.0 + expect), "{gain} against {expect}");
            // The gain is that of the split it names.
            if let Some(split) = fast {
                let only: Vec<u8> = columns[usize::from(split.feature)].iter().map(|code| match *code {
                    MISSING => u8::from(!split.missing_left),
                    code => u8::from(code > split.bin),
                }).collect();
                let own = slow(&[only], &rows, &rho, rules);
                prop_assert!((gain - own).abs() <= 1e-4 * (1.0 + own), "{gain} against its own {own}");
            }
        }
    }

    #[test]
    fn small_nodes_take_bins_together() {
        // 64 rows, effect from code 128 on: 16 groups of bins still find it.
        let rows: Vec<SplitRow> = (0_u32..64)
            .map(|i| SplitRow {
                id: 2 * i + i % 2,
                s: 1.0,
                w: if i % 2 == 1 { 0.5 } else { -0.5 },
                y: if i % 2 == 1 && i >= 32 { 1.0 } else { 0.0 },
            })
            .collect();
        let codes: Vec<u8> = (0_u8..64).map(|i| i * 4).collect();
        let mut labels = Labels::default();
        let packing = labels.of_node(&rows).expect("labels");
        let rules = Rules { min_arm_rows: 1, alpha: 0.05, imbalance_penalty: 0.0 };
        let mut search = Search::new(&labels, packing, rules);
        let column = Column { feature: 7, codes: &codes, bins: 255, has_missing: false };
        search.try_feature(&column, &mut [u64::MAX; SLOTS]);
        let split = search.best().expect("a split");
        assert_eq!((split.feature, split.bin), (7, 127));
    }
}
