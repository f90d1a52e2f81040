//! Counter-based random streams: the number at a position is a pure function of seed, stream and position, so results
//! do not depend on threads, chunks or the order of calls.
//!
//! The generator is Philox4x32-10. Source: J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random
//! numbers: as easy as 1, 2, 3", SC'11; it passes `BigCrush`. Checked against the published known-answer vectors.

use crate::dist;

const MULTIPLIERS: [u32; 2] = [0xd251_1f53, 0xcd9e_8d57];
const WEYL: [u32; 2] = [0x9e37_79b9, 0xbb67_ae85];
const ROUNDS: usize = 10;

/// Ten rounds of Philox over a 128-bit counter with a 64-bit key.
#[inline]
fn philox4x32(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for round in 0..ROUNDS {
        if round > 0 {
            key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
        }
        let [high0, low0] = wide_product(MULTIPLIERS[0], counter[0]);
        let [high1, low1] = wide_product(MULTIPLIERS[1], counter[2]);
        counter = [high1 ^ counter[1] ^ key[0], low1, high0 ^ counter[3] ^ key[1], low0];
    }
    counter
}

#[inline]
fn wide_product(a: u32, b: u32) -> [u32; 2] {
    split(u64::from(a) * u64::from(b))
}

/// High and low half.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the halves are wanted")]
const fn split(word: u64) -> [u32; 2] {
    [(word >> 32) as u32, word as u32]
}

#[inline]
fn join(high: u32, low: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

/// A stream of random numbers addressed by position. Streams with different seeds or ids are independent for every
/// practical purpose; each holds 2^64 numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    key: [u32; 2],
    id: [u32; 2],
}

impl Stream {
    /// The stream `stream_id` of a seed.
    pub const fn new(seed: u64, stream_id: u64) -> Self {
        let (seed, id) = (split(seed), split(stream_id));
        Self { key: [seed[1], seed[0]], id: [id[1], id[0]] }
    }

    /// The two words at positions `2 · block` and `2 · block + 1`, for the price of one.
    #[inline]
    pub fn pair_at(&self, block: u64) -> [u64; 2] {
        let [high, low] = split(block);
        let words = philox4x32([low, high, self.id[0], self.id[1]], self.key);
        [join(words[1], words[0]), join(words[3], words[2])]
    }

    /// 64 uniform bits.
    #[inline]
    pub fn u64_at(&self, counter: u64) -> u64 {
        self.pair_at(counter / 2)[usize::from(counter % 2 == 1)]
    }

    /// Uniform on [0, 1): a multiple of 2^-53.
    #[inline]
    pub fn uniform_at(&self, counter: u64) -> f64 {
        unit(self.u64_at(counter))
    }

    /// Standard normal, by inversion of the uniform moved to the middle of its cell: never infinite.
    pub fn normal_at(&self, counter: u64) -> f64 {
        dist::normal_quantile(unit(self.u64_at(counter)) + 0.5 * UNIT)
    }

    /// Uniform on 0, …, `n` − 1 (0 for `n` = 0), with a bias below `n` · 2^-64.
    #[inline]
    pub fn index_at(&self, counter: u64, n: u64) -> u64 {
        let product = u128::from(self.u64_at(counter)) * u128::from(n);
        (product >> 64) as u64
    }
}

/// 2^-53, the spacing of [`unit`].
const UNIT: f64 = 1.0 / (1_u64 << 53) as f64;

/// The top 53 bits of a word as a number in [0, 1).
#[inline]
pub fn unit(word: u64) -> f64 {
    (word >> 11) as f64 * UNIT
}

/// The mean above which [`Poisson`] no longer tabulates its distribution.
const TABLE_LIMIT: f64 = 256.0;

/// Draws from the Poisson distribution of one mean, by inversion: monotone in the uniform, one uniform a draw.
///
/// Up to a mean of 256 the inverse is exact (a table of the distribution function with a guide index). Above, it is the
/// Cornish–Fisher expansion ⌊λ + √λ (z + (z² − 1) / (6 √λ)) + ½⌋ with z = Φ⁻¹(u), within 1 of the exact quantile.
#[derive(Debug, Clone, PartialEq)]
pub struct Poisson {
    mean: f64,
    /// P(X ≤ k) for k = 0, 1, …; the last entry is 1. Empty above the limit.
    cumulative: Vec<f64>,
    /// Entry j: the smallest k whose cumulative probability exceeds j / len.
    guide: Vec<u32>,
}

impl Poisson {
    /// The distribution with mean `mean`; `None` when it is negative, NaN or above 2^53.
    pub fn new(mean: f64) -> Option<Self> {
        if !(0.0..=9_007_199_254_740_992.0).contains(&mean) {
            return None;
        }
        if mean > TABLE_LIMIT {
            return Some(Self { mean, cumulative: Vec::new(), guide: Vec::new() });
        }
        let mut cumulative = Vec::new();
        let mut mass = (-mean).exp();
        let mut total = 0.0;
        for k in 0_u32.. {
            total += mass;
            // Beyond the mean, stop where the remaining tail is below the spacing of the uniforms.
            if total >= 1.0 || (f64::from(k) > mean && mass < UNIT / 16.0) {
                break;
            }
            cumulative.push(total);
            mass *= mean / f64::from(k + 1);
        }
        cumulative.push(1.0);
        let cells = cumulative.len();
        let mut k = 0_u32;
        let guide = (0..cells)
            .map(|cell| {
                while cumulative[k as usize] <= cell as f64 / cells as f64 {
                    k += 1;
                }
                k
            })
            .collect();
        Some(Self { mean, cumulative, guide })
    }

    /// The mean.
    pub const fn mean(&self) -> f64 {
        self.mean
    }

    /// The draw belonging to a uniform `u` in [0, 1): the smallest k with P(X ≤ k) > u.
    #[inline]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "u lies in [0, 1)")]
    pub fn quantile(&self, u: f64) -> f64 {
        if self.guide.is_empty() {
            return self.expanded(u);
        }
        let cell = (u * self.guide.len() as f64) as usize;
        let mut k = self.guide.get(cell).map_or(0, |k| *k as usize);
        while k + 1 < self.cumulative.len() && self.cumulative[k] <= u {
            k += 1;
        }
        k as f64
    }

    /// The draw belonging to 64 uniform bits.
    #[inline]
    pub fn draw(&self, word: u64) -> f64 {
        self.quantile(unit(word))
    }

    fn expanded(&self, u: f64) -> f64 {
        let z = dist::normal_quantile(u.max(0.5 * UNIT));
        (self.mean + self.mean.sqrt() * z + (z * z - 1.0) / 6.0 + 0.5).floor().max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors published with Random123 (`kat_vectors`, philox4x32 10).
    #[test]
    fn known_answers() {
        let check = |counter, key, expect: [u32; 4]| assert_eq!(philox4x32(counter, key), expect);
        check([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        check([u32::MAX; 4], [u32::MAX; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        check(
            [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
            [0xa409_3822, 0x299f_31d0],
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
        );
    }

    #[test]
    fn positions_are_stable_and_streams_differ() {
        let stream = Stream::new(0, 0);
        assert_eq!(stream.u64_at(0), 0xe169_c58d_6627_e8d5);
        assert_eq!([stream.u64_at(6), stream.u64_at(7)], stream.pair_at(3));
        for other in [Stream::new(1, 0), Stream::new(1 << 32, 0), Stream::new(0, 1), Stream::new(0, 1 << 32)] {
            assert_ne!(other.u64_at(0), stream.u64_at(0));
        }
    }

    /// Mean and variance over 100,000 numbers, within five standard errors of the moments given.
    #[track_caller]
    fn check_moments(draw: impl Fn(u64) -> f64, mean: f64, variance: f64, kurtosis: f64) {
        let n = 100_000_u64;
        let values: Vec<f64> = (0..n).map(draw).collect();
        let got = values.iter().sum::<f64>() / n as f64;
        let spread = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n as f64;
        assert!((got - mean).abs() < 5.0 * (variance / n as f64).sqrt(), "mean {got} against {mean}");
        let error = variance * ((kurtosis - 1.0) / n as f64).sqrt();
        assert!((spread - variance).abs() < 5.0 * error, "variance {spread} against {variance}");
    }

    #[test]
    fn moments() {
        let stream = Stream::new(7, 1);
        check_moments(|i| stream.uniform_at(i), 0.5, 1.0 / 12.0, 1.8);
        check_moments(|i| stream.normal_at(i), 0.0, 1.0, 3.0);
        check_moments(|i| stream.index_at(i, 7) as f64, 3.0, 4.0, 1.75);
        for mean in [0.3, 1.0, 17.0, 256.0, 300.0, 1e6] {
            let poisson = Poisson::new(mean).expect("a mean");
            check_moments(|i| poisson.draw(stream.u64_at(i)), mean, mean, 3.0 + 1.0 / mean);
        }
    }

    #[test]
    fn poisson_inverts_its_distribution() {
        // P(X ≤ k) of mean 1: 0.3679, 0.7358, 0.9197.
        let one = Poisson::new(1.0).expect("a mean");
        for (u, k) in
            [(0.0, 0.0), (0.3678, 0.0), (0.3679, 1.0), (0.7357, 1.0), (0.7358, 2.0), (0.9196, 2.0), (0.92, 3.0)]
        {
            assert_eq!(one.quantile(u), k, "u {u}");
        }
        assert_eq!(Poisson::new(0.0).expect("a mean").quantile(0.999), 0.0);
        assert!((15.0..25.0).contains(&one.quantile(1.0 - UNIT)), "{}", one.quantile(1.0 - UNIT));
        for bad in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(Poisson::new(bad).is_none());
        }
    }

    #[test]
    fn the_expansion_is_within_one_of_the_table() {
        let table = Poisson::new(256.0).expect("a mean");
        for i in 0..10_000 {
            let u = f64::from(i) / 10_000.0;
            let difference = (table.expanded(u.max(1e-6)) - table.quantile(u.max(1e-6))).abs();
            assert!(difference <= 1.0, "u {u}: off by {difference}");
        }
    }
}
