//! How much of the uncertainty of a credit comes from not knowing who is whom.

use serde::Serialize;
use throughline_core::Estimate;
use throughline_stats::dist::{f_quantile, normal_quantile, t_quantile};

use crate::AttributionError;

/// Identity's share of a variance, with an interval of its own.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct IdentityShare {
    /// B / (W + B).
    pub share: f64,
    /// Where the share lies, at the level of the estimate: wide when few graphs were sampled.
    pub interval: (f64, f64),
}

/// An estimate whose interval counts both sources: which persons were drawn, and which records are one person.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WithIdentity {
    /// The same point estimate with the wider interval.
    pub estimate: Estimate,
    /// W, the variance of the bootstrap draws under the graph in use.
    pub sampling_variance: f64,
    /// B, the variance of the credit between sampled graphs.
    pub identity_variance: f64,
    /// The share of identity; absent where nothing varies at all.
    pub share: Option<IdentityShare>,
    /// Mean credit under the sampled graphs minus the point estimate: far from 0, the graph in use is not typical of what
    /// the links' probabilities say.
    pub shift: f64,
    /// Number of sampled graphs, K.
    pub graphs: usize,
}

/// Widens an estimate for uncertain identity.
///
/// `within` are bootstrap draws under the identity graph in use, `graphs` the point credits θ₁ … θ_K of the observed data
/// under K graphs whose uncertain links were drawn anew with their probabilities. By the law of total variance, with
/// sampling of persons and drawing of links independent,
///
/// Var θ = W + B, W = Var(θ | graph) from the draws, B = Σ (θₖ − θ̄)² / (K − 1),
///
/// both unbiased and at least 0. Identity's share is B / (W + B); under normality (B/σ²_B) / (W/σ²_W) has the F distribution
/// with K − 1 and D − 1 degrees of freedom, which gives the share's interval. Since θ̄ is a mean of K graphs only, the
/// estimate's variance is T = W + (1 + 1/K) B. Its set is that of all D × K sums of a draw and a graph's deviation, the
/// deviations scaled so that their variance is (1 + 1/K) B, everything widened about its centre by t / z of
/// ν = (K − 1) (1 + W / ((1 + 1/K) B))² degrees of freedom; it is centred on the mean of the graphs and holds the estimate.
///
/// Source: T and ν are those of multiple imputation (D. B. Rubin, "Multiple Imputation for Nonresponse in Surveys", 1987,
/// §3.3), the graphs being the imputations. It differs in three points: the point estimate stays that of the graph in use,
/// and its distance from the mean is told; W comes from that graph alone and not from a bootstrap under each (one bootstrap
/// in place of K, right as long as a graph moves the credit more than its variance); and the share is σ²_B / (σ²_W + σ²_B),
/// free of the 1/K that Rubin's λ contains.
pub fn with_identity(estimate: &Estimate, within: &[f64], graphs: &[f64]) -> Result<WithIdentity, AttributionError> {
    let (draws, k) = (within.len(), graphs.len());
    if draws < 2 {
        return Err(AttributionError::TooFewDraws { draws });
    }
    if k < 2 {
        return Err(AttributionError::TooFewReplicates { replicates: k });
    }
    let (centre, between) = mean_and_variance(graphs);
    let (_, sampling) = mean_and_variance(within);
    let shift = centre - estimate.value;
    let extra = (1.0 + 1.0 / k as f64) * between;
    let total = sampling + extra;
    // K deviations from their own mean have a variance of (K − 1)/K · B.
    let scale = ((k as f64 + 1.0) / (k as f64 - 1.0)).sqrt();
    let tail = estimate.level.alpha() / 2.0;
    let stretch = if extra > 0.0 {
        let freedom = (k as f64 - 1.0) * (1.0 + sampling / extra).powi(2);
        if freedom < 1e6 { (t_quantile(1.0 - tail, freedom) / normal_quantile(1.0 - tail)).max(1.0) } else { 1.0 }
    } else {
        1.0
    };
    let sums: Vec<f64> = within
        .iter()
        .flat_map(|draw| graphs.iter().map(move |graph| draw - estimate.value + scale * (graph - centre)))
        .map(|deviation| centre + stretch * deviation)
        .collect();
    let method = format!("{}, {k} identity graphs", estimate.method);
    let mut wider = Estimate::from_draws(estimate.value, &sums, estimate.n, estimate.level, method)?;
    wider.std_error = Some(total.sqrt());
    wider.assumptions.clone_from(&estimate.assumptions);
    let share = (sampling + between > 0.0).then(|| IdentityShare {
        share: between / (sampling + between),
        interval: share_interval(sampling, between, [draws, k], tail),
    });
    Ok(WithIdentity {
        estimate: wider,
        sampling_variance: sampling,
        identity_variance: between,
        share,
        shift,
        graphs: k,
    })
}

fn share_interval(sampling: f64, between: f64, [draws, k]: [usize; 2], tail: f64) -> (f64, f64) {
    if sampling == 0.0 || between == 0.0 {
        let sure = if between > 0.0 { 1.0 } else { 0.0 };
        return (sure, sure);
    }
    let of = |p: f64| {
        let ratio = between / sampling / f_quantile(p, k as f64 - 1.0, draws as f64 - 1.0);
        ratio / (1.0 + ratio)
    };
    (of(1.0 - tail), of(tail))
}

fn mean_and_variance(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (mean, squares / (values.len() - 1) as f64)
}

#[cfg(test)]
mod tests {
    use throughline_core::Level;
    use throughline_stats::stream::Stream;

    use super::*;

    fn normals(stream: u64, n: u64, mean: f64, sd: f64) -> Vec<f64> {
        (0..n).map(|i| mean + sd * Stream::new(11, stream).normal_at(i)).collect()
    }

    fn estimate(value: f64, draws: &[f64], level: Level) -> Estimate {
        Estimate::from_draws(value, draws, 100, level, "draws").expect("finite")
    }

    #[test]
    fn by_hand() {
        let within = [9.0, 11.0, 9.0, 11.0];
        let got = with_identity(&estimate(10.0, &within, Level::P90), &within, &[8.0, 10.0, 15.0]).expect("defined");
        // W = 4/3, mean 11, B = (9 + 1 + 16)/2 = 13.
        assert!((got.sampling_variance - 4.0 / 3.0).abs() < 1e-12 && (got.identity_variance - 13.0).abs() < 1e-12);
        assert_eq!((got.shift, got.graphs), (1.0, 3));
        let share = got.share.expect("something varies");
        assert!((share.share - 13.0 / (13.0 + 4.0 / 3.0)).abs() < 1e-12);
        assert!(share.interval.0 < share.share && share.share < share.interval.1);
        let error = got.estimate.std_error.expect("draws");
        assert!((error.powi(2) - (4.0 / 3.0 + 13.0 * 4.0 / 3.0)).abs() < 1e-12);
        assert_eq!(got.estimate.value, 10.0);
    }

    #[test]
    fn few_graphs_are_stretched() {
        // W = 0, B = 4: deviations of 2 are scaled by √(4/2) and stretched by t₂ / z at 95 %.
        let within = [10.0; 50];
        let got = with_identity(&estimate(10.0, &within, Level::P90), &within, &[8.0, 10.0, 12.0]).expect("defined");
        let expect = 2.0 * 2.0_f64.sqrt() * 2.919_985_58 / 1.644_853_63;
        let (low, high) = got.estimate.interval();
        assert!((low - 10.0 + expect).abs() < 1e-6 && (high - 10.0 - expect).abs() < 1e-6, "{low} {high}");
    }

    #[test]
    fn many_graphs_give_the_sum_of_both_variances() {
        let within = normals(1, 400, 50.0, 3.0);
        let graphs = normals(2, 400, 50.0, 4.0);
        let got = with_identity(&estimate(50.0, &within, Level::P90), &within, &graphs).expect("defined");
        let (low, high) = got.estimate.interval();
        // ±1.645 · 5; both standard deviations are known to 3.5 %.
        assert!((high - low - 2.0 * 1.645 * 5.0).abs() < 1.0, "{low} {high}");
        assert!((got.share.expect("varies").share - 16.0 / 25.0).abs() < 0.06, "{:?}", got.share);
    }

    #[test]
    fn the_share_covers_its_truth_even_with_few_graphs() {
        let (mut held, rounds) = (0, 400);
        for round in 0..rounds {
            let within = normals(1000 + round, 200, 0.0, 2.0);
            let graphs = normals(5000 + round, 5, 0.0, 1.0);
            let got = with_identity(&estimate(0.0, &within, Level::P90), &within, &graphs).expect("defined");
            let (low, high) = got.share.expect("varies").interval;
            held += u32::from(low <= 0.2 && 0.2 <= high);
        }
        // 90 % of 400, five standard errors of 6.
        assert!((f64::from(held) - 360.0).abs() < 30.0, "{held}");
    }

    #[test]
    fn degenerate_inputs_are_defined() {
        let flat = [2.0; 50];
        let of = |graphs: &[f64]| with_identity(&estimate(2.0, &flat, Level::P95), &flat, graphs).expect("defined");
        assert_eq!(of(&[2.0, 2.0]).share, None);
        let only = of(&[1.0, 3.0]);
        assert_eq!(only.share, Some(IdentityShare { share: 1.0, interval: (1.0, 1.0) }));
        let drawn = normals(3, 50, 2.0, 1.0);
        let none = with_identity(&estimate(2.0, &drawn, Level::P95), &drawn, &[2.0; 4]).expect("defined");
        assert_eq!(none.share, Some(IdentityShare { share: 0.0, interval: (0.0, 0.0) }));
        let few = with_identity(&estimate(2.0, &flat, Level::P95), &flat, &[1.0]);
        assert_eq!(few, Err(AttributionError::TooFewReplicates { replicates: 1 }));
    }
}
