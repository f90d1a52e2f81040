//! What was given to each of several things against what is truly theirs.

use throughline_stats::sum::exact_sum;

/// What one channel was credited with, and what it truly caused.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Given {
    pub(super) credited: f64,
    pub(super) truth: f64,
}

fn totals(all: &[Given]) -> (f64, f64) {
    (exact_sum(all.iter().map(|g| g.credited)), exact_sum(all.iter().map(|g| g.truth)))
}

/// Credited less true, over all of them, as a share of the true total: (Σ c − Σ t) / Σ t. 0 is right, 1 is twice too
/// much. `None` without a positive true total.
pub(super) fn bias(all: &[Given]) -> Option<f64> {
    let (credited, truth) = totals(all);
    (truth > 0.0).then(|| (credited - truth) / truth)
}

/// Total variation distance of the shares: ½ Σ |c / Σ c − t / Σ t|, the part of the whole that lies at the wrong place.
/// 0 is right; 1 is as wrong as shares can be, where no true effect is negative. `None` without positive totals.
pub(super) fn share_error(all: &[Given]) -> Option<f64> {
    let (credited, truth) = totals(all);
    let gap = |g: &Given| (g.credited / credited - g.truth / truth).abs();
    (credited > 0.0 && truth > 0.0).then(|| exact_sum(all.iter().map(gap)) / 2.0)
}

/// Mean of the absolute differences; `None` of nothing.
pub(super) fn mean_absolute_error(all: &[Given]) -> Option<f64> {
    let miss = |g: &Given| (g.credited - g.truth).abs();
    (!all.is_empty()).then(|| exact_sum(all.iter().map(miss)) / all.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(of: &[(f64, f64)]) -> Vec<Given> {
        of.iter().map(|&(credited, truth)| Given { credited, truth }).collect()
    }

    #[test]
    fn errors_of_a_small_case() {
        let all = given(&[(60.0, 10.0), (20.0, 10.0), (0.0, 20.0)]);
        assert_eq!(bias(&all), Some(1.0));
        // Shares ¾, ¼, 0 against ¼, ¼, ½.
        assert_eq!(share_error(&all), Some(0.5));
        assert_eq!(mean_absolute_error(&all), Some(80.0 / 3.0));
    }

    #[test]
    fn right_shares_of_a_wrong_total() {
        let all = given(&[(30.0, 10.0), (60.0, 20.0)]);
        assert_eq!((bias(&all), share_error(&all)), (Some(2.0), Some(0.0)));
    }

    #[test]
    fn nothing_caused_or_credited_has_no_shares() {
        for all in [given(&[]), given(&[(3.0, 0.0)]), given(&[(3.0, -1.0)])] {
            assert_eq!((bias(&all), share_error(&all)), (None, None), "{all:?}");
        }
        assert_eq!(share_error(&given(&[(0.0, 2.0)])), None);
        assert_eq!(mean_absolute_error(&[]), None);
    }
}
