//! How often a draw counts a cluster: Poisson with mean 1, a function of seed, key and draw alone.

use throughline_stats::stream::Stream;

/// Draws that come from one block of random bits.
pub(crate) const BLOCK: usize = 4;

/// The Poisson distribution with mean 1 by inversion of 32 random bits: entry k is P(X ≤ k) · 2^32, rounded, until it
/// reaches 2^32. Every probability is exact to 2^-33.
const THRESHOLDS: [u32; 12] = thresholds();

const fn thresholds() -> [u32; 12] {
    let mut out = [0_u32; 12];
    // e^-1 · 2^32.
    let mut mass = 4_294_967_296.0 / std::f64::consts::E;
    let (mut total, mut k) = (0.0, 0);
    while k < out.len() {
        total += mass;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and 2^32 − 1, saturating"
        )]
        {
            out[k] = (total + 0.5) as u32;
        }
        k += 1;
        mass /= k as f64;
    }
    out
}

/// For each of the 256 values of a word's top bits: the smallest count of its words, and the word from which on it is one
/// more. The last entry holds several thresholds and is looked up in [`THRESHOLDS`].
const CELLS: [(u32, u32); 256] = cells();

const fn cells() -> [(u32, u32); 256] {
    let mut out = [(0, u32::MAX); 256];
    let (mut cell, mut k) = (0, 0);
    while cell < out.len() {
        let low = (cell as u64) << 24;
        while k < THRESHOLDS.len() && THRESHOLDS[k] as u64 <= low {
            k += 1;
        }
        #[expect(clippy::cast_possible_truncation, reason = "at most 12")]
        let count = k as u32;
        out[cell] = (count, if k < THRESHOLDS.len() { THRESHOLDS[k] } else { u32::MAX });
        cell += 1;
    }
    out
}

/// The quantile of the Poisson distribution with mean 1 at word / 2^32.
#[inline]
fn quantile(word: u32) -> u8 {
    let (count, next) = CELLS[(word >> 24) as usize];
    let count = if word >> 24 == 255 {
        THRESHOLDS.iter().filter(|t| word >= **t).count()
    } else {
        count as usize + usize::from(word >= next)
    };
    #[expect(clippy::cast_possible_truncation, reason = "at most 12")]
    let count = count as u8;
    count
}

/// The random numbers of one cluster.
///
/// Where they begin comes from the seed and the key through [`Stream`]; from there on they are those of SplitMix64 (G. L. Steele, D. Lea,
/// C. H. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014), each computed from its position. Of 10
/// million clusters with 200 draws, the probability that any two share numbers is 1e-3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClusterStream(u64);

const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

impl ClusterStream {
    #[inline]
    pub(crate) fn new(seed: u64, key: u64) -> Self {
        Self(Stream::new(seed, key).pair_at(0)[0])
    }

    #[inline]
    const fn word(self, position: u64) -> u64 {
        let z = self.0.wrapping_add(position.wrapping_add(1).wrapping_mul(GAMMA));
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// How often the draws 4 · `block` to 4 · `block` + 3 count the cluster.
    ///
    /// Draws of different clusters, seeds and blocks are independent; whatever else is in the data changes none of them.
    #[inline]
    pub(crate) fn counts(self, block: u64) -> [u8; BLOCK] {
        let (a, b) = (self.word(2 * block), self.word(2 * block + 1));
        #[expect(clippy::cast_possible_truncation, reason = "the halves are wanted")]
        let words = [a as u32, (a >> 32) as u32, b as u32, (b >> 32) as u32];
        words.map(quantile)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_the_distribution() {
        // P(X ≤ k): 0.36787944117, 0.73575888234, 0.91969860293, 0.98101184312.
        let expect = [1_580_030_169_u32, 3_160_060_337, 3_950_075_422, 4_213_413_783];
        assert_eq!(THRESHOLDS[..4], expect);
        assert!(THRESHOLDS.windows(2).all(|pair| pair[0] < pair[1]), "{THRESHOLDS:?}");
        // P(X > 11) = 8.3e-10 is left to 12.
        assert_eq!(u32::MAX - THRESHOLDS[11], 3);
    }

    #[test]
    fn cells_are_thresholds() {
        let edges = THRESHOLDS.iter().flat_map(|t| [t - 1, *t, t + 1]);
        let even = (0..=u32::MAX >> 12).map(|i| i << 12);
        for word in edges.chain(even).chain([u32::MAX]) {
            let expect = THRESHOLDS.iter().filter(|t| word >= **t).count();
            assert_eq!(usize::from(quantile(word)), expect, "{word}");
        }
    }

    #[test]
    fn the_generator_is_splitmix() {
        // The first outputs for the seed 1234567, as published with the reference implementation's ports.
        let stream = ClusterStream(1_234_567);
        assert_eq!([stream.word(0), stream.word(1)], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
    }

    #[test]
    fn clusters_and_draws_do_not_move_together() {
        let n = 20_000_u64;
        let row = |key: u64, block| ClusterStream::new(1, key).counts(block).map(f64::from);
        let covariance = |a: &dyn Fn(u64) -> f64, b: &dyn Fn(u64) -> f64| {
            (0..n).map(|i| (a(i) - 1.0) * (b(i) - 1.0)).sum::<f64>() / n as f64
        };
        // Each has a standard error of 1/√n: five of them.
        for (i, j) in [(0, 1), (0, 2), (0, 3), (1, 2), (2, 3)] {
            let found = covariance(&|k| row(k, 0)[i], &|k| row(k, 0)[j]);
            assert!(found.abs() < 5.0 / (n as f64).sqrt(), "draws {i} and {j}: {found}");
        }
        let neighbours = covariance(&|k| row(k, 0)[0], &|k| row(k + 1, 0)[0]);
        let blocks = covariance(&|k| row(k, 0)[0], &|k| row(k, 1)[0]);
        assert!(neighbours.abs().max(blocks.abs()) < 5.0 / (n as f64).sqrt(), "{neighbours} {blocks}");
    }

    #[test]
    fn moments() {
        let counts: Vec<f64> =
            (0..50_000).flat_map(|key| ClusterStream::new(3, key * 77).counts(5).map(f64::from)).collect();
        let n = counts.len() as f64;
        let mean = counts.iter().sum::<f64>() / n;
        let variance = counts.iter().map(|c| (c - mean).powi(2)).sum::<f64>() / n;
        // Standard errors: 1/√n, and √((4 − 1)/n) of the variance; five of them.
        assert!((mean - 1.0).abs() < 5.0 / n.sqrt(), "{mean}");
        assert!((variance - 1.0).abs() < 5.0 * (3.0 / n).sqrt(), "{variance}");
    }

    #[test]
    fn seed_key_and_block_all_count() {
        let row = |seed, key, block| {
            (0..8_u64).flat_map(|b| ClusterStream::new(seed, key).counts(block + b)).collect::<Vec<_>>()
        };
        let base = row(1, 9, 0);
        assert_eq!(row(1, 9, 1)[..4], base[4..8]);
        for other in [row(2, 9, 0), row(1, 10, 0), row(1, 9 << 32, 0)] {
            assert_ne!(other, base);
        }
    }
}
