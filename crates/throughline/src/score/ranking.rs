//! Predicted effects of people against their true effects.

use throughline_stats::sum::exact_sum;

/// One person: the predicted effect and the true one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pair {
    pub(super) predicted: f64,
    pub(super) truth: f64,
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> Option<f64> {
    let n = values.len();
    (n > 0).then(|| exact_sum(values) / n as f64)
}

/// Mean of the predicted effects less mean of the true ones.
pub(super) fn mean_error(pairs: &[Pair]) -> Option<f64> {
    Some(mean(pairs.iter().map(|p| p.predicted))? - mean_effect(pairs)?)
}

/// Mean of the true effects.
pub(super) fn mean_effect(pairs: &[Pair]) -> Option<f64> {
    mean(pairs.iter().map(|p| p.truth))
}

/// Precision in estimating heterogeneous effects (Hill, 2011): the root of the mean squared error of the predicted
/// effects, √(Σ (τ̂ − τ)² / n), in the outcome's unit. 0 is perfect.
pub(super) fn pehe(pairs: &[Pair]) -> Option<f64> {
    mean(pairs.iter().map(|p| (p.predicted - p.truth).powi(2))).map(f64::sqrt)
}

/// What [`pehe`] would be if everybody were predicted the true mean effect: the standard deviation of the true effects.
pub(super) fn pehe_of_mean(pairs: &[Pair]) -> Option<f64> {
    let centre = mean_effect(pairs)?;
    mean(pairs.iter().map(|p| (centre - p.truth).powi(2))).map(f64::sqrt)
}

/// Area between the curve of the true effect gained by taking people in order of falling score and the straight line of
/// taking them at random, in effect · people. People of one score are taken at once: their part of the curve is straight.
fn gain_area(pairs: &[Pair], score: impl Fn(&Pair) -> f64) -> f64 {
    // Adding 0 turns −0 into 0, which would otherwise sort as another score.
    let mut order: Vec<(f64, f64)> = pairs.iter().map(|p| (score(p) + 0.0, p.truth)).collect();
    order.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.total_cmp(&a.1)));
    let (mut gained, mut parts) = (0.0, Vec::new());
    for tied in order.chunk_by(|a, b| a.0 == b.0) {
        let gain = exact_sum(tied.iter().map(|(_, truth)| *truth));
        parts.push(tied.len() as f64 * (gained + gain / 2.0));
        gained += gain;
    }
    exact_sum(parts) - order.len() as f64 * gained / 2.0
}

/// Qini against the true effects (Radcliffe, 2007, with true effects instead of outcomes): the area between ranking by
/// the prediction and random order, over the same area for ranking by the true effect. 1 is the perfect ranking, 0 is
/// random order, −1 the perfect one reversed. `None` when everybody has the same true effect.
pub(super) fn qini(pairs: &[Pair]) -> Option<f64> {
    let differs = pairs.iter().any(|p| p.truth != pairs[0].truth);
    let best = if differs { gain_area(pairs, |p| p.truth) } else { 0.0 };
    (best > 0.0).then(|| gain_area(pairs, |p| p.predicted) / best)
}

/// Spearman's rank correlation (1904), with the mean rank for equal values. `None` when either side is constant.
pub(super) fn rank_correlation(pairs: &[Pair]) -> Option<f64> {
    let (x, y) = (ranks(pairs, |p| p.predicted), ranks(pairs, |p| p.truth));
    let centre = f64::midpoint(pairs.len() as f64, 1.0);
    let product = |a: &[f64], b: &[f64]| exact_sum(a.iter().zip(b).map(|(a, b)| (a - centre) * (b - centre)));
    let scale = (product(&x, &x) * product(&y, &y)).sqrt();
    (scale > 0.0).then(|| (product(&x, &y) / scale).clamp(-1.0, 1.0))
}

/// Ranks from 1, in the order of the pairs.
fn ranks(pairs: &[Pair], of: impl Fn(&Pair) -> f64) -> Vec<f64> {
    let mut order: Vec<(f64, usize)> = pairs.iter().enumerate().map(|(i, p)| (of(p) + 0.0, i)).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut ranks = vec![0.0; pairs.len()];
    let mut before = 0;
    for tied in order.chunk_by(|a, b| a.0 == b.0) {
        let rank = before as f64 + f64::midpoint(tied.len() as f64, 1.0);
        for (_, i) in tied {
            ranks[*i] = rank;
        }
        before += tied.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(of: &[(f64, f64)]) -> Vec<Pair> {
        of.iter().map(|&(predicted, truth)| Pair { predicted, truth }).collect()
    }

    #[test]
    fn errors_of_a_small_case() {
        let pairs = pairs(&[(1.0, 0.0), (2.0, 4.0), (3.0, 5.0)]);
        assert_eq!(pehe(&pairs), Some(3.0_f64.sqrt()));
        assert_eq!(pehe_of_mean(&pairs), Some((14.0_f64 / 3.0).sqrt()));
        assert_eq!(mean_error(&pairs), Some(-1.0));
        assert_eq!((pehe(&[]), pehe_of_mean(&[]), mean_error(&[]), rank_correlation(&[])), (None, None, None, None));
    }

    #[test]
    fn qini_is_one_for_the_perfect_ranking_and_zero_for_none() {
        #[track_caller]
        fn check(predicted: [f64; 4], expect: f64) {
            let truth = [3.0, -1.0, 2.0, 0.0];
            let got =
                qini(&pairs(&std::array::from_fn::<_, 4, _>(|i| (predicted[i], truth[i])))).expect("effects differ");
            assert!((got - expect).abs() < 1e-15, "{got}, expected {expect}");
        }
        check([3.0, -1.0, 2.0, 0.0], 1.0);
        check([40.0, 10.0, 30.0, 20.0], 1.0);
        check([5.0; 4], 0.0);
        check([0.0, -0.0, 0.0, -0.0], 0.0);
        check([-3.0, 1.0, -2.0, 0.0], -1.0);
        // Curve 0, 2, 5, 5, 4: area 14 less 8; the best has 0, 3, 5, 5, 4: 15 less 8.
        check([3.0, 1.0, 4.0, 2.0], 6.0 / 7.0);
        // The two best tied: their straight part cuts half a unit off the best curve.
        check([9.0, 1.0, 9.0, 2.0], 6.5 / 7.0);
        assert_eq!(qini(&pairs(&[(1.0, 0.3), (2.0, 0.3), (3.0, 0.3)])), None);
        assert_eq!(qini(&[]), None);
    }

    #[test]
    fn rank_correlations() {
        assert_eq!(rank_correlation(&pairs(&[(1.0, 10.0), (2.0, 11.0), (9.0, 12.0)])), Some(1.0));
        assert_eq!(rank_correlation(&pairs(&[(1.0, 3.0), (2.0, 2.0), (9.0, 1.0)])), Some(-1.0));
        assert_eq!(rank_correlation(&pairs(&[(1.0, 3.0), (1.0, 2.0)])), None);
        // Ranks 1.5, 1.5, 3 against 1, 2, 3: 1.5 / √(1.5 · 2).
        let tied = rank_correlation(&pairs(&[(1.0, 1.0), (1.0, 2.0), (2.0, 3.0)])).expect("both vary");
        assert!((tied - 1.5 / 3.0_f64.sqrt()).abs() < 1e-15, "{tied}");
    }
}
