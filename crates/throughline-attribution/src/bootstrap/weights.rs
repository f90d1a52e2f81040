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
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 2^32 − 1, saturating")]
        {
            out[k] = (total + 0.5) as u32;
        }
        k += 1;
        mass /= k as f64;
    }
    out
}

/// How often the draws 4 · `block` to 4 · `block` + 3 count the cluster.
///
/// Draws of different clusters, seeds and blocks are independent; whatever else is in the data changes none of them.
#[inline]
pub(crate) fn counts(seed: u64, key: u64, block: u64) -> [u8; BLOCK] {
    let [a, b] = Stream::new(seed, key).pair_at(block);
    #[expect(clippy::cast_possible_truncation, reason = "the halves are wanted")]
    let words = [a as u32, (a >> 32) as u32, b as u32, (b >> 32) as u32];
    let mut counts = [0_u32; BLOCK];
    for threshold in THRESHOLDS {
        for (count, word) in counts.iter_mut().zip(words) {
            *count += u32::from(word >= threshold);
        }
    }
    #[expect(clippy::cast_possible_truncation, reason = "at most 12")]
    counts.map(|c| c as u8)
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
    fn moments() {
        let counts: Vec<f64> =
            (0..50_000).flat_map(|key| counts(3, key * 77, 5).map(f64::from)).collect();
        let n = counts.len() as f64;
        let mean = counts.iter().sum::<f64>() / n;
        let variance = counts.iter().map(|c| (c - mean).powi(2)).sum::<f64>() / n;
        // Standard errors: 1/√n, and √((4 − 1)/n) of the variance; five of them.
        assert!((mean - 1.0).abs() < 5.0 / n.sqrt(), "{mean}");
        assert!((variance - 1.0).abs() < 5.0 * (3.0 / n).sqrt(), "{variance}");
    }

    #[test]
    fn seed_key_and_block_all_count() {
        let row = |seed, key, block| (0..8_u64).flat_map(|b| counts(seed, key, block + b)).collect::<Vec<_>>();
        let base = row(1, 9, 0);
        assert_eq!(row(1, 9, 1)[..4], base[4..8]);
        for other in [row(2, 9, 0), row(1, 10, 0), row(1, 9 << 32, 0)] {
            assert_ne!(other, base);
        }
    }
}
