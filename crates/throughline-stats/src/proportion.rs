//! Intervals of a proportion.

use crate::dist::normal_quantile;

/// The score interval of a proportion (E. B. Wilson, 1927): with z the normal quantile and p = k / n,
/// (p + z² / 2n ± z √(p (1 − p) / n + z² / 4n²)) / (1 + z² / n).
///
/// It stays within 0 and 1 and has an extent also where k is 0 or n. `None` without trials, or when k exceeds n. Assumes
/// independent trials with one probability.
pub fn wilson(successes: u64, trials: u64, level: f64) -> Option<(f64, f64)> {
    if trials == 0 || successes > trials {
        return None;
    }
    let (n, z) = (trials as f64, normal_quantile(f64::midpoint(1.0, level)));
    let (share, square) = (successes as f64 / n, z * z);
    let centre = share + square / (2.0 * n);
    let half = z * (share * (1.0 - share) / n + square / (4.0 * n * n)).sqrt();
    let scale = 1.0 + square / n;
    Some((((centre - half) / scale).max(0.0), ((centre + half) / scale).min(1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
    #[test]
    fn published_intervals() {
        for (k, n, low, high) in
            [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
        {
            let (got_low, got_high) = wilson(k, n, 0.95).expect("an interval");
            assert!((got_low - low).abs() < 5e-5 && (got_high - high).abs() < 5e-5, "{k}/{n}: {got_low} to {got_high}");
        }
        assert_eq!((wilson(0, 0, 0.95), wilson(3, 2, 0.95)), (None, None));
        assert_eq!(wilson(20, 20, 0.95).map(|i| i.1), Some(1.0));
    }
}
