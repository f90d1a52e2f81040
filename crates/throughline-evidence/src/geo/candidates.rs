//! Sets of markets that could be tested together.

use crate::Panel;

/// Markets by their correlation with each market, itself first.
pub(super) fn similarity(panel: &Panel) -> Vec<Vec<usize>> {
    let n = panel.units();
    let units: Vec<Vec<f64>> = (0..n).map(|i| standardised(panel.outcomes_of(i))).collect();
    let correlation = |i: usize, j: usize| units[i].iter().zip(&units[j]).map(|(a, b)| a * b).sum::<f64>();
    (0..n)
        .map(|i| {
            let mut others: Vec<(f64, usize)> = (0..n).filter(|j| *j != i).map(|j| (correlation(i, j), j)).collect();
            others.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            std::iter::once(i).chain(others.into_iter().map(|o| o.1)).collect()
        })
        .collect()
}

/// Less the mean and of length 1; zeros where nothing varies.
fn standardised(series: &[f64]) -> Vec<f64> {
    let centre = series.iter().sum::<f64>() / series.len() as f64;
    let norm = series.iter().map(|y| (y - centre).powi(2)).sum::<f64>().sqrt();
    series.iter().map(|y| if norm > 0.0 { (y - centre) / norm } else { 0.0 }).collect()
}

/// For every size and market: the market with those most like it, if it holds all of `include` and none of `exclude`; each
/// set once, sorted.
pub(super) fn candidates(
    ranking: &[Vec<usize>],
    sizes: &[usize],
    include: &[usize],
    exclude: &[usize],
) -> Vec<Vec<usize>> {
    let mut out: Vec<Vec<usize>> = Vec::new();
    for size in sizes {
        let mut add = |mut set: Vec<usize>| {
            set.sort_unstable();
            set.dedup();
            if set.len() == *size
                && include.iter().all(|i| set.contains(i))
                && !exclude.iter().any(|i| set.contains(i))
                && !out.contains(&set)
            {
                out.push(set);
            }
        };
        for row in ranking {
            add(row[..*size].to_vec());
        }
        // Several forced markets rarely stand in one neighbourhood: they are completed by those most like each of them.
        if include.len() > 1 && include.len() <= *size {
            for i in include {
                let rest = ranking[*i].iter().filter(|j| !include.contains(j) && !exclude.contains(j));
                add(include.iter().copied().chain(rest.copied().take(*size - include.len())).collect());
            }
        }
    }
    out
}

/// Correlation of the sum of some markets with the sum of the others.
pub(super) fn correlation_with_rest(panel: &Panel, set: &[usize]) -> f64 {
    let mut sums = [vec![0.0; panel.periods()], vec![0.0; panel.periods()]];
    for i in 0..panel.units() {
        let sum = &mut sums[usize::from(set.contains(&i))];
        sum.iter_mut().zip(panel.outcomes_of(i)).for_each(|(s, y)| *s += y);
    }
    let [a, b] = sums.map(|s| standardised(&s));
    a.iter().zip(&b).map(|(a, b)| a * b).sum()
}
