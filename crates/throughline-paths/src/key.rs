//! Keys of people, mixed so that their high bits are spread evenly and nothing is lost.

use std::fmt::Debug;

/// A key that names a person. Mixing is one to one: people are sorted by the mixed key, and the key comes back.
pub trait EntityKey: Copy + Debug + Send + Sync {
    /// The mixed key.
    type Mixed: Copy + Debug + Default + Ord + Send + Sync;

    /// Spreads the key.
    fn mix(self) -> Self::Mixed;

    /// The key of a mixed one.
    fn unmix(mixed: Self::Mixed) -> Self;

    /// The 64 highest bits of a mixed key.
    fn top(mixed: Self::Mixed) -> u64;
}

const A: u64 = 0xbf58_476d_1ce4_e5b9;
const B: u64 = 0x94d0_49bb_1331_11eb;

/// The finaliser of `SplitMix64` (Steele, Lea and Flood, 2014, in Stafford's variant 13), a permutation of 64 bits.
#[inline]
pub const fn mix64(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(A);
    x = (x ^ (x >> 27)).wrapping_mul(B);
    x ^ (x >> 31)
}

/// The inverse of an odd number modulo 2^64 by Newton's iteration.
const fn inverse(odd: u64) -> u64 {
    let mut x = odd;
    let mut step = 0;
    while step < 6 {
        x = x.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(x)));
        step += 1;
    }
    x
}

const fn unmix64(mut x: u64) -> u64 {
    x = (x ^ (x >> 31) ^ (x >> 62)).wrapping_mul(inverse(B));
    x = (x ^ (x >> 27) ^ (x >> 54)).wrapping_mul(inverse(A));
    x ^ (x >> 30) ^ (x >> 60)
}

impl EntityKey for u64 {
    type Mixed = u64;

    #[inline]
    fn mix(self) -> u64 {
        mix64(self)
    }

    #[inline]
    fn unmix(mixed: u64) -> Self {
        unmix64(mixed)
    }

    #[inline]
    fn top(mixed: u64) -> u64 {
        mixed
    }
}

impl EntityKey for i64 {
    type Mixed = u64;

    #[inline]
    fn mix(self) -> u64 {
        mix64(self.cast_unsigned())
    }

    #[inline]
    fn unmix(mixed: u64) -> Self {
        unmix64(mixed).cast_signed()
    }

    #[inline]
    fn top(mixed: u64) -> u64 {
        mixed
    }
}

impl EntityKey for u32 {
    type Mixed = u64;

    #[inline]
    fn mix(self) -> u64 {
        mix64(u64::from(self))
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "what was mixed had 32 bits")]
    fn unmix(mixed: u64) -> Self {
        unmix64(mixed) as Self
    }

    #[inline]
    fn top(mixed: u64) -> u64 {
        mixed
    }
}

/// Two rounds of a Feistel network over [`mix64`], a permutation of 128 bits.
impl EntityKey for u128 {
    type Mixed = Self;

    fn mix(self) -> Self {
        let (mut high, mut low) = halves(self);
        low ^= mix64(high);
        high ^= mix64(low);
        Self::from(high) << 64 | Self::from(low)
    }

    fn unmix(mixed: Self) -> Self {
        let (mut high, mut low) = halves(mixed);
        high ^= mix64(low);
        low ^= mix64(high);
        Self::from(high) << 64 | Self::from(low)
    }

    fn top(mixed: Self) -> u64 {
        halves(mixed).0
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the halves are wanted")]
const fn halves(key: u128) -> (u64, u64) {
    ((key >> 64) as u64, key as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixing_is_one_to_one() {
        for key in [0, 1, 2, u64::MAX, 1 << 63, 0x0123_4567_89ab_cdef] {
            assert_eq!(u64::unmix(key.mix()), key);
            assert_eq!(i64::unmix(key.cast_signed().mix()), key.cast_signed());
            let wide = u128::from(key) << 64 | u128::from(!key);
            assert_eq!(u128::unmix(wide.mix()), wide);
        }
        assert_eq!(u32::unmix(7_u32.mix()), 7);
    }

    #[test]
    fn small_keys_are_spread() {
        let mut parts = [0_u32; 16];
        (0..16_000_u64).for_each(|key| parts[(u64::top(key.mix()) >> 60) as usize] += 1);
        assert!(parts.iter().all(|n| (900..1100).contains(n)), "{parts:?}");
    }
}
