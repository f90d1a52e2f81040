//! Shares of a population from a sample that was drawn with known, unequal probabilities.
//!
//! Poisson sampling: unit i is drawn by itself with probability πᵢ (C.-E. Särndal, B. Swensson and J. Wretman, "Model
//! Assisted Survey Sampling", 1992, §3.5). A share R = Σ aᵢ / Σ bᵢ over the population, with aᵢ, bᵢ of 0 or 1 and aᵢ ≤ bᵢ, is
//! estimated by the ratio of Horvitz–Thompson totals (the estimator of J. Hájek, 1971), with the linearised variance
//! Σ (1 − πᵢ) / πᵢ² · (aᵢ − R bᵢ)² / (Σ bᵢ / πᵢ)², sums over the sample (§5.6 there).

use crate::dist::normal_quantile;

/// A share of a population, estimated from a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampledShare {
    /// The estimate.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// How many equally probable draws would tell as much.
    pub effective: f64,
    /// Units of the sample that the share is about.
    pub units: u64,
}

/// One unit of the sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drawn {
    /// The probability with which it was drawn.
    pub inclusion: f64,
    /// Whether it counts above.
    pub part: bool,
    /// Whether it counts below.
    pub whole: bool,
}

/// Inclusion probabilities proportional to `sizes`, each at least `floor`, whose sum is `expected` where that is possible.
///
/// They are min(1, max(floor, c · size)) with the c that gives the sum, found by halving. Sizes that are not positive
/// numbers get the floor. Fewer units than expected are all drawn.
pub fn inclusion_probabilities(sizes: &[f64], floor: f64, expected: f64) -> Vec<f64> {
    if expected >= sizes.len() as f64 {
        return vec![1.0; sizes.len()];
    }
    let of = |c: f64| move |size: &f64| if *size > 0.0 { (c * size).clamp(floor, 1.0) } else { floor };
    let total = |c: f64| sizes.iter().map(of(c)).sum::<f64>();
    let smallest = sizes.iter().copied().filter(|s| s.is_finite() && *s > 0.0).fold(f64::INFINITY, f64::min);
    if !smallest.is_finite() || total(0.0) >= expected {
        return sizes.iter().map(of(0.0)).collect();
    }
    // At 1 / smallest size every unit with a size is drawn for certain.
    let (mut low, mut high) = (0.0, 1.0 / smallest);
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if total(middle) < expected { low = middle } else { high = middle }
    }
    sizes.iter().map(of(high)).collect()
}

/// The share Σ part / Σ whole of the population, with an interval.
///
/// The interval is Wilson's with the number of equally probable draws that would have this variance, at most the units
/// drawn; where all or none are part, that number is Kish's (Σ w)² / Σ w². Where every unit was drawn for certain nothing
/// is uncertain. `None` without a unit that the share is about. Assumes independent draws, and that what is not
/// answered is missing by chance.
pub fn sampled_share(sample: &[Drawn], level: f64) -> Option<SampledShare> {
    let about: Vec<&Drawn> = sample.iter().filter(|d| d.whole && d.inclusion > 0.0).collect();
    let weights = || about.iter().map(|d| 1.0 / d.inclusion);
    let whole: f64 = weights().sum();
    if about.is_empty() || !whole.is_finite() {
        return None;
    }
    let part: f64 = about.iter().filter(|d| d.part).map(|d| 1.0 / d.inclusion).sum();
    let (value, units) = ((part / whole).clamp(0.0, 1.0), about.len() as f64);
    if about.iter().all(|d| d.inclusion >= 1.0) {
        return Some(SampledShare { value, low: value, high: value, effective: units, units: about.len() as u64 });
    }
    let squares: f64 = about
        .iter()
        .map(|d| (1.0 - d.inclusion) / (d.inclusion * d.inclusion) * (f64::from(d.part) - value).powi(2))
        .sum();
    let variance = squares / (whole * whole);
    let kish = whole * whole / weights().map(|w| w * w).sum::<f64>();
    let mixed = value > 0.0 && value < 1.0 && variance > 0.0;
    let effective = if mixed { (value * (1.0 - value) / variance).min(units) } else { kish.min(units) };
    let z = normal_quantile(f64::midpoint(1.0, level));
    let centre = value + z * z / (2.0 * effective);
    let half = z * (value * (1.0 - value) / effective + z * z / (4.0 * effective * effective)).sqrt();
    let scale = 1.0 + z * z / effective;
    // At 0 and 1 the interval ends there; rounding must not put the share outside.
    let (low, high) = (((centre - half) / scale).clamp(0.0, value), ((centre + half) / scale).clamp(value, 1.0));
    Some(SampledShare { value, low, high, effective, units: about.len() as u64 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::Stream;

    #[test]
    fn probabilities_add_up_and_keep_their_floor() {
        let sizes = [0.0, 1.0, 2.0, 4.0, 1000.0, f64::NAN];
        let got = inclusion_probabilities(&sizes, 0.05, 2.0);
        assert!((got.iter().sum::<f64>() - 2.0).abs() < 1e-9, "{got:?}");
        assert_eq!((got[0], got[4], got[5]), (0.05, 1.0, 0.05));
        assert!((got[3] / got[1] - 4.0).abs() < 1e-9, "{got:?}");
        assert_eq!(inclusion_probabilities(&sizes, 0.05, 9.0), [1.0; 6]);
        assert_eq!(inclusion_probabilities(&[1.0; 100], 0.5, 10.0), [0.5; 100], "the floor outranks the sum");
        assert!(inclusion_probabilities(&[], 0.5, 0.0).is_empty());
    }

    #[test]
    fn equal_probabilities_give_the_share_and_certainty_gives_a_point() {
        let drawn = |inclusion, part, whole| Drawn { inclusion, part, whole };
        let sample = [drawn(0.5, true, true), drawn(0.5, false, true), drawn(0.1, true, false), drawn(0.5, true, true)];
        let share = sampled_share(&sample, 0.95).expect("a share");
        assert!((share.value - 2.0 / 3.0).abs() < 1e-12 && share.low < share.value && share.value < share.high);
        let all = sampled_share(&[drawn(1.0, true, true), drawn(1.0, false, true)], 0.95).expect("a share");
        assert_eq!((all.low, all.value, all.high), (0.5, 0.5, 0.5));
        assert_eq!(sampled_share(&[drawn(0.5, true, false)], 0.95), None);
        // Weights count: one that stands for ten outweighs two that stand for one.
        let heavy = sampled_share(&[drawn(0.1, true, true), drawn(1.0, false, true), drawn(1.0, false, true)], 0.95);
        assert!((heavy.expect("a share").value - 10.0 / 12.0).abs() < 1e-12);
    }

    /// A population of which the sizes say something, 2,000 samples: the estimate is right on average, and the interval holds
    /// the truth at least as often as it says (a binomial test at 1 % on one side, as Wilson's interval is on the safe side).
    #[test]
    fn intervals_cover_and_the_estimate_is_unbiased() {
        let stream = Stream::new(7, 1);
        let n = 1500_u64;
        let truth: Vec<(f64, bool)> = (0..n)
            .map(|i| {
                let p = 0.3 + 0.69 * stream.uniform_at(3 * i);
                let size = (p * (1.0 - p)).sqrt() * (0.2 + 3.0 * stream.uniform_at(3 * i + 1).powi(4));
                (size, stream.uniform_at(3 * i + 2) < p)
            })
            .collect();
        let share = truth.iter().filter(|t| t.1).count() as f64 / n as f64;
        let sizes: Vec<f64> = truth.iter().map(|t| t.0).collect();
        let inclusion = inclusion_probabilities(&sizes, 0.02, 150.0);
        let (mut covered, mut sum, replications) = (0_u32, 0.0, 2000_u64);
        for replication in 0..replications {
            let draws = Stream::new(100 + replication, 2);
            let is_drawn = |i: &u64| draws.uniform_at(*i) < inclusion[usize::try_from(*i).expect("small")];
            let sample: Vec<Drawn> = (0..n)
                .filter(is_drawn)
                .map(|i| usize::try_from(i).expect("small"))
                .map(|i| Drawn { inclusion: inclusion[i], part: truth[i].1, whole: true })
                .collect();
            let got = sampled_share(&sample, 0.95).expect("a share");
            covered += u32::from(got.low <= share && share <= got.high);
            sum += got.value;
        }
        // 1,877 of 2,000 is the 1 % quantile of Bin(2,000, 0.95).
        assert!(covered >= 1877, "{covered} of {replications}");
        let mean = sum / replications as f64;
        assert!((mean - share).abs() < 0.006, "{mean} for {share}");
    }
}
