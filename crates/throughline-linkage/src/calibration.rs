//! Whether probabilities are what they say, where the truth is known.

use serde::Serialize;
use throughline_stats::proportion::wilson;

use crate::link::Pair;

/// Where bins of probability begin; the last ends at 1. Evidence is strong or none, so most pairs lie near the ends.
const BEGIN: [f64; 7] = [0.0, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999];
/// Level of the intervals.
pub const LEVEL: f64 = 0.95;

/// Pairs whose probability lies within bounds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CalibrationBin {
    /// The smallest probability.
    pub from: f64,
    /// The bound above; it belongs to the next bin.
    pub to: f64,
    /// Pairs.
    pub pairs: u64,
    /// Their mean probability: the share that ought to be true.
    pub expected: f64,
    /// Those that are true.
    pub right: u64,
    /// The share that is true.
    pub share: f64,
    /// Wilson's interval of that share at [`LEVEL`]. It takes pairs to be independent; those of one person are not, so it is
    /// somewhat narrow.
    pub interval: (f64, f64),
}

/// Probabilities of pairs against the truth.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Calibration {
    /// Bins that have pairs, in order.
    pub bins: Vec<CalibrationBin>,
    /// Expected calibration error: the mean distance between `expected` and `share`, weighted by pairs. `None` without pairs.
    pub error: Option<f64>,
}

/// Holds the probabilities of pairs against the truth: records with one label are of one person. Pairs that were not compared, or
/// were too unlikely to be kept, are not among them.
pub fn calibration<T: Eq>(truth: &[T], pairs: &[Pair]) -> Calibration {
    let mut sums = [(0_u64, 0.0, 0_u64); BEGIN.len()];
    for pair in pairs {
        let bin = BEGIN.iter().rposition(|begin| pair.probability >= *begin).unwrap_or(0);
        let (count, expected, right) = &mut sums[bin];
        *count += 1;
        *expected += pair.probability;
        *right += u64::from(truth[pair.a as usize] == truth[pair.b as usize]);
    }
    let ends = BEGIN.iter().skip(1).copied().chain([1.0]);
    let filled = BEGIN.iter().zip(ends).zip(sums).filter(|(_, (count, ..))| *count > 0);
    let bins: Vec<CalibrationBin> = filled
        .map(|((from, to), (pairs, expected, right))| CalibrationBin {
            from: *from,
            to,
            pairs,
            expected: expected / pairs as f64,
            right,
            share: right as f64 / pairs as f64,
            interval: wilson(right, pairs, LEVEL).unwrap_or((0.0, 1.0)),
        })
        .collect();
    let all: u64 = bins.iter().map(|bin| bin.pairs).sum();
    let apart: f64 = bins.iter().map(|bin| bin.pairs as f64 * (bin.expected - bin.share).abs()).sum();
    Calibration { error: (all > 0).then(|| apart / all as f64), bins }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(b: u32, probability: f64) -> Pair {
        Pair { a: 0, b, probability, weight_bits: 0.0, levels: 0 }
    }

    #[test]
    fn shares_stand_beside_what_was_expected() {
        let truth = [0, 0, 1, 0, 1];
        let pairs = [pair(1, 0.95), pair(2, 0.97), pair(3, 1.0), pair(4, 0.0005)];
        let found = calibration(&truth, &pairs);
        let told: Vec<_> = found.bins.iter().map(|b| (b.from, b.to, b.pairs, b.right)).collect();
        assert_eq!(told, [(0.0, 0.01, 1, 0), (0.9, 0.99, 2, 1), (0.999, 1.0, 1, 1)]);
        assert!((found.bins[1].expected - 0.96).abs() < 1e-12 && found.bins[1].share == 0.5);
        let (low, high) = found.bins[1].interval;
        assert!(low < 0.1 && high > 0.9, "two pairs say little: {low} {high}");
        let error = (0.0005 + 2.0 * 0.46) / 4.0;
        assert!(found.error.is_some_and(|e| (e - error).abs() < 1e-12), "{found:?}");
    }

    #[test]
    fn without_pairs_there_is_no_error() {
        assert_eq!(calibration(&[0, 1], &[]), Calibration { bins: Vec::new(), error: None });
    }
}
