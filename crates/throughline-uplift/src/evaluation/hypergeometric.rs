//! How many of the marked rows are among the first ones of a tied block, over all orders of the block.

/// Probabilities below this share of the largest are left out; all of them together are far below rounding.
const NEGLIGIBLE: f64 = 1e-22;

/// The hypergeometric distribution: `drawn` rows out of `rows`, of which `marked` are marked.
///
/// Returns the least count kept and the probabilities of it and the following ones, which sum to 1. P(x + 1) / P(x) =
/// (M − x)(D − x) / ((x + 1)(N − M − D + x + 1)), taken outwards from the mode, so that nothing overflows. Work and
/// memory: about 20 standard deviations, at most 10 √`rows`. Counts above `rows` are read as `rows`.
pub(super) fn hypergeometric(rows: usize, marked: usize, drawn: usize) -> (usize, Vec<f64>) {
    let (marked, drawn) = (marked.min(rows), drawn.min(rows));
    let (least, most) = ((marked + drawn).saturating_sub(rows), marked.min(drawn));
    let wide = (drawn as u128 + 1) * (marked as u128 + 1) / (rows as u128 + 2);
    let mode = usize::try_from(wide).unwrap_or(most).clamp(least, most);
    // P(x + 1) / P(x); x lies in least..most, where no factor is 0.
    let ratio = |x: usize| {
        let unmarked_left = (rows + x + 1 - marked - drawn) as f64;
        (marked - x) as f64 * (drawn - x) as f64 / ((x + 1) as f64 * unmarked_left)
    };
    let (mut below, mut p) = (Vec::new(), 1.0);
    for x in (least..mode).rev() {
        p /= ratio(x);
        if p < NEGLIGIBLE {
            break;
        }
        below.push(p);
    }
    let first = mode - below.len();
    let mut all: Vec<f64> = below.into_iter().rev().collect();
    all.push(1.0);
    p = 1.0;
    for x in mode..most {
        p *= ratio(x);
        if p < NEGLIGIBLE {
            break;
        }
        all.push(p);
    }
    let total: f64 = all.iter().sum();
    (first, all.into_iter().map(|p| p / total).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C(n, k) by Pascal's triangle.
    fn choose(n: usize, k: usize) -> f64 {
        (0..k).fold(1.0, |c, i| c * (n - i) as f64 / (i + 1) as f64)
    }

    #[test]
    fn equals_binomial_coefficients() {
        for rows in 1..=12_usize {
            for marked in 0..=rows {
                for drawn in 0..=rows {
                    let (first, p) = hypergeometric(rows, marked, drawn);
                    for (x, p) in (first..).zip(&p) {
                        let rest = if drawn - x <= rows - marked { choose(rows - marked, drawn - x) } else { 0.0 };
                        let expect = choose(marked, x) * rest / choose(rows, drawn);
                        assert!((p - expect).abs() < 1e-14, "{rows} {marked} {drawn} {x}: {p} against {expect}");
                    }
                    let least = (marked + drawn).saturating_sub(rows);
                    assert_eq!((first, first + p.len() - 1), (least, marked.min(drawn)));
                }
            }
        }
    }

    #[test]
    fn large_blocks_have_the_known_mean_and_variance() {
        let (first, p) = hypergeometric(3_000_000, 1_000_000, 500_000);
        let mean: f64 = (first..).zip(&p).map(|(x, p)| x as f64 * p).sum();
        let expect = 500_000.0 / 3.0;
        assert!((mean - expect).abs() < 1e-4, "{mean}");
        let variance: f64 = (first..).zip(&p).map(|(x, p)| (x as f64 - expect).powi(2) * p).sum();
        let known = 500_000.0 / 3.0 * (2.0 / 3.0) * (2_500_000.0 / 2_999_999.0);
        assert!((variance / known - 1.0).abs() < 1e-9 && p.len() < 12_000, "{variance} {known} {}", p.len());
    }
}
