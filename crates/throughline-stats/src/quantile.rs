//! Sample quantiles by linear interpolation between order statistics.
//!
//! Type 7 of R. J. Hyndman and Y. Fan, "Sample quantiles in statistical packages", The American Statistician 50 (1996):
//! the default of R, NumPy and most spreadsheets. With h = (n − 1) p the quantile is
//! x₍⌊h⌋₎ + (h − ⌊h⌋)(x₍⌊h⌋₊₁₎ − x₍⌊h⌋₎), counting from 0.

/// The `p`-quantile of an ascending slice; `p` is clamped to [0, 1]. `None` for an empty slice or a NaN `p`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the position lies within the slice")]
pub fn quantile(sorted: &[f64], p: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    if p.is_nan() {
        return None;
    }
    let position = p.clamp(0.0, 1.0) * last as f64;
    let low = (position.floor() as usize).min(last);
    let (below, above) = (sorted[low], sorted[(low + 1).min(last)]);
    let fraction = position - low as f64;
    // Exact at the order statistics, and finite where their difference would overflow.
    Some(if below == above || fraction == 0.0 { below } else { below * (1.0 - fraction) + above * fraction })
}

/// Several quantiles of the same ascending slice, in the order asked for. `None` as for [`quantile`].
pub fn quantiles(sorted: &[f64], ps: &[f64]) -> Option<Vec<f64>> {
    ps.iter().map(|&p| quantile(sorted, p)).collect()
}

/// Sorts values ascending for the functions above, dropping NaN.
pub fn sorted(values: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut sorted: Vec<f64> = values.into_iter().filter(|v| !v.is_nan()).collect();
    sorted.sort_by(f64::total_cmp);
    sorted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(values: &[f64], p: f64, expect: Option<f64>) {
        let got = quantile(&sorted(values.iter().copied()), p);
        match (got, expect) {
            (Some(got), Some(expect)) => assert!((got - expect).abs() < 1e-12, "{got} for {expect}"),
            _ => assert_eq!(got, expect),
        }
    }

    #[test]
    fn interpolates_as_r_does() {
        // R: quantile(c(15, 20, 35, 40, 50), c(.05, .3, .4, .5, 1)) gives 16, 23, 29, 35, 50.
        let ages = [40.0, 15.0, 50.0, 20.0, 35.0];
        check(&ages, 0.05, Some(16.0));
        check(&ages, 0.3, Some(23.0));
        check(&ages, 0.4, Some(29.0));
        check(&ages, 0.5, Some(35.0));
        check(&ages, 1.0, Some(50.0));
        check(&ages, 7.0, Some(50.0));
        check(&ages, -1.0, Some(15.0));
        check(&[3.0], 0.7, Some(3.0));
    }

    #[test]
    fn undefined_inputs_have_no_quantile() {
        check(&[], 0.5, None);
        check(&[f64::NAN], 0.5, None);
        check(&[1.0], f64::NAN, None);
        assert_eq!(quantiles(&[], &[]), Some(vec![]));
        assert_eq!(quantiles(&[1.0, 2.0], &[0.5, f64::NAN]), None);
        assert_eq!(quantile(&[-f64::MAX, f64::MAX], 0.5), Some(0.0));
    }

    proptest! {
        #[test]
        fn lies_between_the_extremes_and_rises_with_p(
            values in prop::collection::vec(-1e9..1e9_f64, 1..40), p in 0.0..1.0_f64, q in 0.0..1.0_f64,
        ) {
            let sorted = sorted(values);
            let at = quantiles(&sorted, &[p.min(q), p.max(q)]).unwrap();
            let slack = 1e-6;
            prop_assert!(at[0] <= at[1] + slack);
            prop_assert!(sorted[0] <= at[0] + slack && at[1] <= sorted[sorted.len() - 1] + slack);
        }
    }
}
