//! The pseudo-outcomes a node is split on, in whole numbers so that sums are exact.

/// A row of the split half: the residual treatment and outcome it was drawn with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SplitRow {
    /// Number within the tree, twice; odd for treated.
    pub(crate) id: u32,
    /// Weight.
    pub(crate) s: f32,
    /// W̃.
    pub(crate) w: f32,
    /// Ỹ.
    pub(crate) y: f32,
}

impl SplitRow {
    #[inline]
    pub(crate) const fn local(&self) -> usize {
        (self.id >> 1) as usize
    }

    #[inline]
    pub(crate) const fn treated(&self) -> bool {
        self.id & 1 == 1
    }
}

/// How a count of treated rows, a count of untreated rows and a sum of pseudo-outcomes share one 64-bit word: the counts in
/// the low bits, as many as the node can need, the signed sum above them. Adding words adds all three.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Packing {
    treated_bits: u32,
    count_bits: u32,
    /// Pseudo-outcome = whole number × unit.
    pub(crate) unit: f64,
}

/// Three sums of some rows of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) treated: u32,
    pub(crate) control: u32,
    pub(crate) label: i64,
}

/// Adding this to a number below 2⁵¹ in size rounds it to a whole one, to even, in the low bits.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// Bits of a sum of pseudo-outcomes that are enough: single precision has 24.
const MOST_LABEL_BITS: u32 = 40;

impl Packing {
    /// For a node with these counts and this sum of absolute pseudo-outcomes; `None` when that is not positive.
    fn new(treated: usize, control: usize, absolute: f64) -> Option<Self> {
        let bits = |n: usize| usize::BITS - n.leading_zeros();
        let (treated_bits, count_bits) = (bits(treated), bits(treated) + bits(control));
        let limit = (1_u64 << 63_u32.saturating_sub(count_bits).min(MOST_LABEL_BITS)) as f64;
        // Each rounding adds at most ½ to the absolute sum.
        let room = limit - (treated + control) as f64;
        let unit = absolute / room;
        (room > 0.0 && unit > 0.0 && unit.is_finite() && (1.0 / unit).is_finite()).then_some(Self {
            treated_bits,
            count_bits,
            unit,
        })
    }

    #[inline]
    fn pack(&self, treated: bool, label: f64, per_unit: f64) -> u64 {
        let whole = (label * per_unit + ROUND).to_bits().wrapping_sub(ROUND.to_bits());
        (whole << self.count_bits).wrapping_add(if treated { 1 } else { 1 << self.treated_bits })
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "counts of rows numbered in 31 bits")]
    pub(crate) const fn unpack(&self, word: u64) -> Sums {
        let counts = word & ((1 << self.count_bits) - 1);
        Sums {
            treated: (counts & ((1 << self.treated_bits) - 1)) as u32,
            control: (counts >> self.treated_bits) as u32,
            label: word.cast_signed() >> self.count_bits,
        }
    }
}

/// The labels of a node, one word per row, in the order of the rows.
#[derive(Debug, Default)]
pub(crate) struct Labels {
    /// ρ of every row, before they are made whole.
    exact: Vec<f32>,
    pub(crate) words: Vec<u64>,
    /// The number within the tree of every row.
    pub(crate) locals: Vec<u32>,
}

impl Labels {
    /// Labels the rows of a node: ρᵢ = sᵢ (W̃ᵢ − W̄)(Ỹᵢ − Ȳ − (W̃ᵢ − W̄) τ) / Var W̃, the influence of a row on the effect τ of
    /// the node (Athey, Tibshirani, Wager 2019, eq. 8 and §6.1). A split where the ρ differ is one where effects differ.
    ///
    /// `None` where the node has no variation of treatment or of pseudo-outcomes: there is nothing to split on.
    pub(crate) fn of_node(&mut self, rows: &[SplitRow]) -> Option<Packing> {
        let (mut s, mut w, mut y, mut treated) = (0.0, 0.0, 0.0, 0_usize);
        for row in rows {
            let weight = f64::from(row.s);
            s += weight;
            w += weight * f64::from(row.w);
            y += weight * f64::from(row.y);
            treated += usize::from(row.treated());
        }
        let (w_mean, y_mean) = (w / s, y / s);
        let (mut ww, mut wy) = (0.0, 0.0);
        for row in rows {
            let dw = f64::from(row.w) - w_mean;
            ww += f64::from(row.s) * dw * dw;
            wy += f64::from(row.s) * dw * (f64::from(row.y) - y_mean);
        }
        let effect = wy / ww;
        if !(effect.is_finite() && ww > 1e-9 * s) {
            return None;
        }
        self.exact.clear();
        self.locals.clear();
        let (mut absolute, per_variance) = (0.0, s / ww);
        for row in rows {
            let dw = f64::from(row.w) - w_mean;
            let rho = f64::from(row.s) * dw * (f64::from(row.y) - y_mean - dw * effect) * per_variance;
            #[expect(clippy::cast_possible_truncation, reason = "made whole below in fewer bits")]
            self.exact.push(rho as f32);
            self.locals.push(row.id >> 1);
            absolute += rho.abs();
        }
        // A little room for the rounding to single precision.
        let packing = Packing::new(treated, rows.len() - treated, absolute * 1.000_001)?;
        let per_unit = 1.0 / packing.unit;
        self.words.clear();
        let pairs = rows.iter().zip(&self.exact);
        self.words.extend(pairs.map(|(row, rho)| packing.pack(row.treated(), f64::from(*rho), per_unit)));
        Some(packing)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Rows of W̃ = ±½ with their outcome.
    pub(crate) fn rows(data: &[(bool, f32, f32)]) -> Vec<SplitRow> {
        let row = |(i, (treated, y, s)): (usize, &(bool, f32, f32))| SplitRow {
            id: u32::try_from(2 * i).expect("few") + u32::from(*treated),
            s: *s,
            w: if *treated { 0.5 } else { -0.5 },
            y: *y,
        };
        data.iter().enumerate().map(row).collect()
    }

    proptest! {
        #[test]
        fn words_add_up_to_counts_and_labels(
            data in prop::collection::vec((any::<bool>(), -10.0_f32..10.0, 0.1_f32..2.0), 2..300),
        ) {
            let rows = rows(&data);
            let mut labels = Labels::default();
            let Some(packing) = labels.of_node(&rows) else { return Ok(()) };
            let mut at = 0;
            for part in [rows.len() / 3, rows.len() / 2, rows.len()] {
                let word = labels.words[at..part].iter().fold(0_u64, |a, w| a.wrapping_add(*w));
                let sums = packing.unpack(word);
                let treated = rows[at..part].iter().filter(|r| r.treated()).count();
                prop_assert_eq!((sums.treated as usize, sums.control as usize), (treated, part - at - treated));
                let exact: f64 = labels.exact[at..part].iter().map(|x| f64::from(*x)).sum();
                let bound = packing.unit * (part - at + 1) as f64;
                prop_assert!((sums.label as f64 * packing.unit - exact).abs() <= bound);
                at = part;
            }
            // The labels of a node cancel: its effect solves its moment condition.
            let all: f64 = labels.exact.iter().map(|x| f64::from(*x)).sum();
            let size: f64 = labels.exact.iter().map(|x| f64::from(x.abs())).sum();
            prop_assert!(all.abs() < 1e-5 * size + 1e-9, "{all} of {size}");
        }
    }

    #[test]
    fn nodes_without_variation_have_no_labels() {
        let mut labels = Labels::default();
        assert_eq!(labels.of_node(&rows(&[(true, 1.0, 1.0), (true, 2.0, 1.0)])), None);
        assert_eq!(labels.of_node(&rows(&[(true, 1.0, 1.0), (false, 1.0, 1.0)])), None);
        assert_eq!(labels.of_node(&[]), None);
    }
}
