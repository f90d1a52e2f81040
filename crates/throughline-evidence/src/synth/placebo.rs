//! Placebos in space: donors in the place of the treated units.

use throughline_core::{ConfidenceSet, Estimate, Level};
use throughline_stats::stream::Stream;

use super::control::ControlFit;
use super::study::{Block, data, mean, mean_series};
use crate::EvidenceError;

/// Placebo assignments at most: all of them where there are no more, otherwise so many at random.
pub const MOST: usize = 500;

/// Sets of donors in the place of `sizes` treated units (one number per cohort), flattened in the order of the cohorts.
///
/// All of them when one cohort allows at most `most`; otherwise `most` at random, none twice. At least one donor is left to
/// compare with. Errors: TL360 too few donors.
pub fn assignments(donors: usize, sizes: &[usize], most: usize, seed: u64) -> Result<Vec<Vec<usize>>, EvidenceError> {
    let total: usize = sizes.iter().sum();
    if total == 0 || total >= donors {
        let message = format!("{donors} donors cannot take the place of {total} treated units");
        let help = "a placebo test needs more donors than treated units: use another inference, or more donors";
        return Err(data("TL360", message, help));
    }
    if sizes.len() == 1
        && let Some(all) = combinations(donors, total, most)
    {
        return Ok(all);
    }
    let stream = Stream::new(seed, 0x706c_6163);
    let mut out: Vec<Vec<usize>> = Vec::new();
    // With so many possible assignments repeats are rare; the bound keeps small staggered designs finite.
    for draw in 0..20 * most as u64 {
        let mut order: Vec<usize> = (0..donors).collect();
        let mut from = 0;
        for place in 0..total {
            let pick = pick(&stream, draw * total as u64 + place as u64, donors - place);
            order.swap(place, place + pick);
        }
        order.truncate(total);
        for size in sizes {
            order[from..from + size].sort_unstable();
            from += size;
        }
        if !out.contains(&order) {
            out.push(order);
        }
        if out.len() == most {
            break;
        }
    }
    Ok(out)
}

/// One of `n` by the number at a position of a stream.
pub(super) fn pick(stream: &Stream, counter: u64, n: usize) -> usize {
    usize::try_from(stream.index_at(counter, n as u64)).unwrap_or(0)
}

/// All sets of `k` out of `n`, in order; `None` when there are more than `most`.
fn combinations(n: usize, k: usize, most: usize) -> Option<Vec<Vec<usize>>> {
    let mut current: Vec<usize> = (0..k).collect();
    let mut out = Vec::new();
    loop {
        if out.len() == most {
            return None;
        }
        out.push(current.clone());
        let Some(i) = (0..k).rev().find(|i| current[*i] < n - k + i) else { return Some(out) };
        current[i] += 1;
        for j in i + 1..k {
            current[j] = current[j - 1] + 1;
        }
    }
}

/// One placebo: which donors stood in, and their fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Placebo {
    /// Positions among the donors.
    pub donors: Vec<usize>,
    /// The fit.
    pub fit: ControlFit,
}

/// A fit from the positions of the stand-ins, the series of the remaining donors and the stand-ins' mean.
pub type FitOf<'a> = dyn Fn(&[usize], &[&[f64]], &[f64]) -> Result<ControlFit, EvidenceError> + 'a;

/// Fits every assignment of donors in the place of the treated units of one block.
pub fn in_space(block: &Block<'_>, most: usize, seed: u64, fit: &FitOf<'_>) -> Result<Vec<Placebo>, EvidenceError> {
    let one = |picked: Vec<usize>| {
        let kept: Vec<usize> = (0..block.donors.len()).filter(|j| !picked.contains(j)).collect();
        let donors: Vec<&[f64]> = kept.iter().map(|j| block.donors[*j]).collect();
        let stand_in: Vec<&[f64]> = picked.iter().map(|j| block.donors[*j]).collect();
        let fit = fit(&picked, &donors, &mean_series(&stand_in))?;
        Ok(Placebo { donors: picked, fit })
    };
    assignments(block.donors.len(), &[block.units], most, seed)?.into_iter().map(one).collect()
}

/// The effect ranked among placebo effects.
pub fn ranked(fit: &ControlFit, placebos: &[Placebo], n: u64, level: Level) -> Result<Estimate, EvidenceError> {
    let effects: Vec<f64> = placebos.iter().map(|p| p.fit.att()).collect();
    Ok(Estimate::ranked(fit.att(), &effects, n, level, "placebo_rank")?)
}

/// The effect ranked by the ratio of the root mean square gap after the treatment to that before, which does not punish units
/// that fit badly all along.
///
/// p(b) = (1 + #{placebos with a ratio of at least the treated unit's}) / (J + 1) with b taken off its gaps after the
/// treatment; the set {b : p(b) ≥ 1 − level} is m ± √(r² s² − v), m and v the mean and variance of the gaps after, s the root
/// mean square before and r the k-th largest ratio: exact, and empty when no constant effect explains the gaps.
/// Source: Abadie, Diamond, Hainmueller (2010), §3.4; inversion: Firpo, Possebom (2018), J. Causal Inference 6(2).
pub fn ratio_ranked(fit: &ControlFit, placebos: &[Placebo], n: u64, level: Level) -> Result<Estimate, EvidenceError> {
    let ratio = |f: &ControlFit| {
        let (post, pre) = (f.rmspe_post(), f.rmspe_pre());
        if post == 0.0 { 0.0 } else { post / pre }
    };
    let mut ratios: Vec<f64> = placebos.iter().map(|p| ratio(&p.fit)).collect();
    if ratios.is_empty() {
        return Err(EvidenceError::TooFew { what: "placebos", got: 0, needed: 1 });
    }
    ratios.sort_by(|a, b| b.total_cmp(a));
    let p_of = |larger: usize| (larger as f64 + 1.0) / (ratios.len() as f64 + 1.0);
    let least = (0..=ratios.len()).find(|k| p_of(*k) >= level.alpha()).unwrap_or(ratios.len());
    let post = &fit.gaps[fit.pre..];
    let centre = mean(post);
    let variance = post.iter().map(|g| (g - centre).powi(2)).sum::<f64>() / post.len() as f64;
    let set = match least.checked_sub(1).map(|k| ratios[k]).filter(|r| r.is_finite()) {
        None => vec![(f64::NEG_INFINITY, f64::INFINITY)],
        Some(r) => {
            let room = (r * fit.rmspe_pre()).powi(2) - variance;
            if room < 0.0 { Vec::new() } else { vec![(centre - room.sqrt(), centre + room.sqrt())] }
        }
    };
    let set = ConfidenceSet(set);
    let own = ratio(fit);
    let larger = p_of(ratios.partition_point(|r| *r >= own));
    // The set decides about 0 where rounding would let the two disagree.
    let p_value = if set.contains(0.0) { larger.max(p_of(least)) } else { larger.min(p_of(least.saturating_sub(1))) };
    let p_value = if !set.contains(0.0) && p_value >= level.alpha() { level.alpha().next_down() } else { p_value };
    Ok(Estimate::inverted(fit.att(), None, set, p_value, n, level, "placebo_ratio")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_are_all_or_distinct() {
        assert_eq!(assignments(3, &[1], 500, 1).expect("fits"), [[0], [1], [2]]);
        assert_eq!(assignments(4, &[2], 500, 1).expect("fits").len(), 6);
        let many = assignments(30, &[4], 100, 1).expect("fits");
        assert_eq!(many.len(), 100);
        assert!(many.iter().all(|a| a.windows(2).all(|w| w[0] < w[1])));
        assert_eq!(assignments(4, &[1, 1], 500, 1).expect("fits").len(), 12);
        assert!(assignments(2, &[2], 500, 1).is_err());
    }
}
