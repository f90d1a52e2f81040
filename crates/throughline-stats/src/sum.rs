//! Exact, order-independent summation: the same numbers give the same bits in any order and on any number of threads.
//!
//! A superaccumulator: one fixed-point integer wide enough for every finite `f64`, held as 32-bit digits in 64-bit
//! chunks so that carries are rare. The result is the true sum rounded once, to nearest with ties to even. Source:
//! R. M. Neal, "Fast exact summation using small and large superaccumulators", arXiv:1505.05571 (2015), the small one.

/// Bits from one chunk to the next.
const DIGIT_BITS: u32 = 32;
/// Enough for bit positions up to 2^-1074 · 2^2162: the largest `f64` added 2^64 times.
const CHUNKS: usize = 70;
/// Additions before carries must move on. Each adds less than 2^53 to a chunk, and a settled chunk is below 2^32.
const CARRY_EVERY: u32 = 1000;

/// A running exact sum of `f64` values.
///
/// Infinite and NaN inputs are kept apart and decide the value as in IEEE arithmetic: one infinity wins, opposite
/// infinities or a NaN give NaN. A finite sum beyond the largest `f64` reads as an infinity but is still held exactly.
///
/// ```
/// use throughline_stats::sum::ExactSum;
/// let sum: ExactSum = [1e100, 1.0, -1e100].into_iter().collect();
/// assert_eq!(sum.value(), 1.0);
/// ```
#[derive(Debug, Clone)]
pub struct ExactSum {
    chunks: [i64; CHUNKS],
    pending: u32,
    /// Sum of the inputs that are not finite; 0 when there are none.
    special: f64,
}

impl Default for ExactSum {
    fn default() -> Self {
        Self::new()
    }
}

impl ExactSum {
    /// The empty sum, 0.
    pub const fn new() -> Self {
        Self { chunks: [0; CHUNKS], pending: 0, special: 0.0 }
    }

    /// Adds one value.
    #[inline]
    pub fn add(&mut self, value: f64) {
        let bits = value.to_bits();
        let exponent = (bits >> 52) & 0x7ff;
        if exponent == 0x7ff {
            self.special += value;
            return;
        }
        if self.pending == CARRY_EVERY {
            self.carry();
        }
        self.pending += 1;
        let fraction = bits & ((1 << 52) - 1);
        // Subnormals share the exponent of the smallest normal number, without its hidden bit.
        let (mantissa, position) = if exponent == 0 { (fraction, 0) } else { (fraction | 1 << 52, exponent - 1) };
        let index = (position >> 5) as usize;
        let shift = position & 31;
        let low = ((mantissa << shift) & 0xffff_ffff).cast_signed();
        let high = (mantissa >> (u64::from(DIGIT_BITS) - shift)).cast_signed();
        if value.is_sign_negative() {
            self.chunks[index] -= low;
            self.chunks[index + 1] -= high;
        } else {
            self.chunks[index] += low;
            self.chunks[index + 1] += high;
        }
    }

    /// Adds another sum, exactly.
    pub fn merge(&mut self, other: &Self) {
        self.carry();
        let mut settled = other.clone();
        settled.carry();
        for (mine, theirs) in self.chunks.iter_mut().zip(settled.chunks) {
            *mine += theirs;
        }
        self.special += other.special;
        self.carry();
    }

    /// The sum rounded to the nearest `f64`, ties to even. The empty sum is +0.
    pub fn value(&self) -> f64 {
        if self.special != 0.0 || self.special.is_nan() {
            return self.special;
        }
        let mut settled = self.clone();
        settled.carry();
        // After the carry every digit but the topmost lies in [0, 2^32), so the topmost holds the sign.
        let negative = settled.chunks[CHUNKS - 1] < 0;
        if negative {
            for chunk in &mut settled.chunks {
                *chunk = -*chunk;
            }
            settled.carry();
        }
        let magnitude = round_digits(&settled.chunks);
        if negative { -magnitude } else { magnitude }
    }

    /// Moves everything above 32 bits of a chunk to the next one; digits end in [0, 2^32), the topmost signed.
    fn carry(&mut self) {
        let mut carry = 0_i64;
        let (last, rest) = self.chunks.split_at_mut(CHUNKS - 1);
        for chunk in last {
            let total = *chunk + carry;
            carry = total >> DIGIT_BITS;
            *chunk = total & 0xffff_ffff;
        }
        rest[0] += carry;
        self.pending = 0;
    }
}

/// Rounds Σ digits[i] · 2^(32 i − 1074), digits in [0, 2^32), to the nearest `f64`.
fn round_digits(digits: &[i64; CHUNKS]) -> f64 {
    let Some(top) = digits.iter().rposition(|&d| d != 0) else {
        return 0.0;
    };
    let digit = |i: usize| u128::from(digits[i].cast_unsigned());
    // The top three digits hold the 53 leading bits and the rounding bit; all below only matters as "not zero".
    let base = top.saturating_sub(2);
    let window = (base..=top).fold(0_u128, |acc, i| acc | digit(i) << (32 * (i - base)));
    let sticky = digits[..base].iter().any(|&d| d != 0);
    let top_bit = 127 - window.leading_zeros() as usize + 32 * base;
    if top_bit <= 52 {
        // Subnormal, or of the smallest normal exponent: the integer is the bit pattern.
        return f64::from_bits(low_word(window << (32 * base)));
    }
    let drop = top_bit - 52;
    let drop_in_window = drop - 32 * base;
    let mut mantissa = low_word(window >> drop_in_window);
    let remainder = window & ((1 << drop_in_window) - 1);
    let half = 1_u128 << drop_in_window >> 1;
    if remainder > half || (remainder == half && half > 0 && (sticky || mantissa & 1 == 1)) {
        mantissa += 1;
    }
    // A mantissa that rounded up to 2^53 carries into the exponent by itself.
    let bits = ((drop as u64 + 1) << 52) + (mantissa - (1 << 52));
    if bits >= f64::INFINITY.to_bits() { f64::INFINITY } else { f64::from_bits(bits) }
}

#[expect(clippy::cast_possible_truncation, reason = "callers pass at most 53 bits")]
const fn low_word(wide: u128) -> u64 {
    wide as u64
}

impl Extend<f64> for ExactSum {
    fn extend<I: IntoIterator<Item = f64>>(&mut self, values: I) {
        for value in values {
            self.add(value);
        }
    }
}

impl FromIterator<f64> for ExactSum {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut sum = Self::new();
        sum.extend(values);
        sum
    }
}

/// The correctly rounded sum of `values`; 0 for none.
pub fn exact_sum(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().collect::<ExactSum>().value()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(values: &[f64], expect: f64) {
        let got = exact_sum(values.iter().copied());
        assert_eq!(got.to_bits(), expect.to_bits(), "{values:?}: {got:e} against {expect:e}");
    }

    #[test]
    fn known_sums() {
        check(&[], 0.0);
        check(&[-0.0], 0.0);
        check(&[0.1; 10], 1.0);
        check(&[1e308, 1e308, -1e308], 1e308);
        check(&[f64::MAX, f64::MAX], f64::INFINITY);
        check(&[f64::MAX, f64::MAX, -f64::MAX], f64::MAX);
        check(&[1.0, f64::EPSILON / 2.0], 1.0);
        check(&[1.0, f64::EPSILON / 2.0, f64::from_bits(1)], 1.0 + f64::EPSILON);
        check(&[1.0 + f64::EPSILON, f64::EPSILON / 2.0], 1.0 + 2.0 * f64::EPSILON);
        check(&[f64::from_bits(1), f64::from_bits(2)], f64::from_bits(3));
        check(&[f64::MIN_POSITIVE, -f64::from_bits(1)], f64::from_bits((1 << 52) - 1));
        check(&[2.0_f64.powi(53), 1.0, 1.0, 1.0], 2.0_f64.powi(53) + 4.0);
        check(&[-1e-300, 1e300, -1e300], -1e-300);
    }

    #[test]
    fn values_that_are_not_finite_decide() {
        check(&[1.0, f64::INFINITY], f64::INFINITY);
        check(&[f64::NEG_INFINITY, 1.0], f64::NEG_INFINITY);
        assert!(exact_sum([f64::INFINITY, f64::NEG_INFINITY]).is_nan());
        assert!(exact_sum([f64::NAN]).is_nan());
    }

    #[test]
    fn many_additions_carry() {
        let mut sum = ExactSum::new();
        for _ in 0..1_000_003 {
            sum.add(-4_503_599_627_370_495.0);
        }
        let expect = -4_503_599_627_370_495_i128 * 1_000_003;
        assert_eq!(sum.value(), expect as f64);
    }

    /// Values m · 2^s that an `i128` holds exactly, so that integer arithmetic is the reference.
    fn terms() -> impl Strategy<Value = Vec<(i64, u32)>> {
        prop::collection::vec((-(1_i64 << 53)..=(1_i64 << 53), 0_u32..60), 0..200)
    }

    proptest! {
        #[test]
        fn equals_integer_arithmetic(terms in terms()) {
            let expect: i128 = terms.iter().map(|&(m, s)| i128::from(m) << s).sum();
            let values: Vec<f64> = terms.iter().map(|&(m, s)| m as f64 * 2.0_f64.powi(s.cast_signed())).collect();
            prop_assert_eq!(exact_sum(values.iter().copied()), expect as f64);
            // The same far below 1, where the result is still normal.
            let small = values.iter().map(|v| v * 2.0_f64.powi(-900));
            prop_assert_eq!(exact_sum(small), expect as f64 * 2.0_f64.powi(-900));
        }

        #[test]
        fn order_and_merging_do_not_matter(
            (values, shuffled) in prop::collection::vec(any::<f64>().prop_filter("finite", |v| v.is_finite()), 0..100)
                .prop_flat_map(|v| (Just(v.clone()), Just(v).prop_shuffle())),
            cut in 0.0_f64..=1.0,
        ) {
            let whole = exact_sum(values.iter().copied());
            prop_assert_eq!(whole.to_bits(), exact_sum(shuffled.iter().copied()).to_bits());
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of the length")]
            let (head, tail) = shuffled.split_at((cut * shuffled.len() as f64) as usize);
            let mut merged: ExactSum = head.iter().copied().collect();
            merged.merge(&tail.iter().copied().collect());
            prop_assert_eq!(whole.to_bits(), merged.value().to_bits());
        }
    }
}
