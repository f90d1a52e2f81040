//! Which rows a tree sees, as a pure function of seed, tree and row: nothing is drawn in order and nothing is kept.

use throughline_stats::stream::Stream;

use super::tree::number;

/// What the streams of one arm are for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    /// Half-samples of groups.
    Group = 1,
    /// Rows a tree keeps of the half-sample of its group.
    Thin = 2,
    /// Split half or estimation half.
    Honesty = 3,
    /// Features tried at nodes.
    Features = 4,
    /// Folds of the cross-fits.
    Folds = 5,
}

/// The stream of a purpose, an arm and a tree (or group, or 0).
pub(crate) fn stream(seed: u64, arm: usize, purpose: Purpose, index: usize) -> Stream {
    Stream::new(seed, (purpose as u64) << 56 | (arm as u64) << 32 | index as u64)
}

/// Bit r: whether row r of 64 is drawn with probability ½.
const LANES: usize = 64;

/// The half-sample of a group: each row with probability ½, on its own. A weighted mean over such a sample has, to first
/// order, the sampling variance of the mean over all rows, which is what the bootstrap of little bags needs (the same as
/// for half-samples of fixed size); no list of rows has to be drawn or stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HalfSample(Stream);

impl HalfSample {
    pub(crate) fn new(seed: u64, arm: usize, group: usize) -> Self {
        Self(stream(seed, arm, Purpose::Group, group))
    }

    /// Rows `64 word` to `64 word + 63` as bits, the lowest first.
    pub(crate) fn word(&self, word: usize) -> u64 {
        self.0.u64_at(word as u64)
    }
}

/// The rows of one tree: the split half and the estimation half, both ascending.
#[derive(Debug, Default)]
pub(crate) struct Bag {
    pub(crate) split: Vec<u32>,
    pub(crate) estimate: Vec<u32>,
}

impl Bag {
    /// Draws the bag of a tree of a group among `rows` rows; `fraction` is at most ½.
    pub(crate) fn draw(&mut self, rows: usize, fraction: f64, seed: u64, arm: usize, group: usize, tree: usize) {
        self.split.clear();
        self.estimate.clear();
        let half = HalfSample::new(seed, arm, group);
        let honesty = stream(seed, arm, Purpose::Honesty, tree);
        let thin = stream(seed, arm, Purpose::Thin, tree);
        let keep = fraction * 2.0;
        for word in 0..rows.div_ceil(LANES) {
            let mut drawn = half.word(word);
            let side = honesty.u64_at(word as u64);
            while drawn != 0 {
                let bit = drawn.trailing_zeros() as usize;
                drawn &= drawn - 1;
                let row = word * LANES + bit;
                if row >= rows || (keep < 1.0 && thin.uniform_at(row as u64) >= keep) {
                    continue;
                }
                let half = if side >> bit & 1 == 1 { &mut self.split } else { &mut self.estimate };
                half.push(number(row));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_disjoint_within_the_half_sample_and_of_the_right_size() {
        let (rows, mut bag) = (20_011, Bag::default());
        for (fraction, expect) in [(0.5, 10_005.0), (0.1, 2_001.0)] {
            bag.draw(rows, fraction, 3, 1, 0, 1);
            let half = HalfSample::new(3, 1, 0);
            let inside = |row: &u32| half.word(*row as usize / 64) >> (row % 64) & 1 == 1;
            assert!(bag.split.iter().chain(&bag.estimate).all(|r| inside(r) && (*r as usize) < rows));
            assert!(bag.split.is_sorted() && bag.estimate.is_sorted());
            assert!(bag.split.iter().all(|r| bag.estimate.binary_search(r).is_err()));
            let drawn = (bag.split.len() + bag.estimate.len()) as f64;
            assert!((drawn - expect).abs() < 5.0 * expect.sqrt(), "{drawn}");
            assert!((bag.split.len() as f64 - drawn / 2.0).abs() < 5.0 * drawn.sqrt() / 2.0);
        }
    }

    #[test]
    fn trees_of_a_group_share_the_half_sample_only() {
        let draw = |group, tree| {
            let mut bag = Bag::default();
            bag.draw(1000, 0.5, 0, 1, group, tree);
            let mut all = [bag.split.clone(), bag.estimate.clone()].concat();
            all.sort_unstable();
            (all, bag.split)
        };
        let (first, second, other) = (draw(0, 0), draw(0, 1), draw(1, 2));
        assert_eq!(first.0, second.0);
        assert_ne!(first.1, second.1);
        assert_ne!(first.0, other.0);
    }
}
