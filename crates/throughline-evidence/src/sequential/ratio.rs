//! The sizes of the arms, watched at every look.

use serde::{Deserialize, Serialize};
use throughline_core::Diagnostic;
use throughline_stats::dist::ln_gamma;

use super::unusable;
use crate::{EvidenceError, Srm};

/// How sure the alternative is that shares are near the promised ones: pseudo-counts of its Dirichlet distribution.
const CONCENTRATION: f64 = 10_000.0;

/// The sample-ratio check over looks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SequentialRatio {
    /// Always-valid p-value after each look: it never rises.
    pub p_values: Vec<f64>,
    /// Natural logarithm of the Bayes factor against the promised shares at each look.
    pub log_bayes_factors: Vec<f64>,
    /// Arms of positive weight, minus 1.
    pub df: usize,
    /// Whether the last p-value is below [`Srm::ALARM`].
    pub alarm: bool,
}

/// Checks the units of each arm at every look against the promised weights; `looks` holds, look by look, the units of each
/// arm so far.
///
/// The Bayes factor compares a Dirichlet-multinomial with pseudo-counts αᵢ = 10,000 θᵢ to the multinomial with shares θ:
/// BF = Γ(Σα) / Γ(Σα + n) · Π Γ(αᵢ + nᵢ) / Γ(αᵢ) / Π θᵢ^nᵢ, and p is the least 1 / BF so far: valid at all looks at once. Arms of
/// weight 0 take no part. Source: Lindon, Malek (2022), "Anytime-valid inference for multinomial count data", NeurIPS.
/// Errors: counts that are not one per arm or fall from look to look, weights that are none (TL338).
pub fn sample_ratio(looks: &[Vec<u64>], weights: &[f64]) -> Result<(SequentialRatio, Vec<Diagnostic>), EvidenceError> {
    let total: f64 = weights.iter().sum();
    if !(total > 0.0 && total.is_finite()) || weights.iter().any(|w| w.is_nan() || *w < 0.0) {
        let message = format!("weights {weights:?} are no shares");
        return Err(unusable("TL338", message, "give a number of at least 0 for every arm, one above 0"));
    }
    let shares: Vec<(usize, f64)> =
        weights.iter().map(|w| w / total).enumerate().filter(|(_, share)| *share > 0.0).collect();
    let mut out =
        SequentialRatio { p_values: Vec::new(), log_bayes_factors: Vec::new(), df: shares.len() - 1, alarm: false };
    let mut p: f64 = 1.0;
    let mut before: Option<&Vec<u64>> = None;
    for (i, counts) in looks.iter().enumerate() {
        let falls = before.is_some_and(|b| b.iter().zip(counts).any(|(b, c)| c < b));
        if counts.len() != weights.len() || falls {
            let message = format!("look {} holds {counts:?} units, which cannot follow the look before", i + 1);
            return Err(unusable("TL338", message, "give the units of every arm so far, look by look"));
        }
        before = Some(counts);
        let log = log_bayes_factor(counts, &shares);
        p = p.min((-log).exp());
        out.log_bayes_factors.push(log);
        out.p_values.push(p);
    }
    out.alarm = p < Srm::ALARM;
    let mut found = Vec::new();
    if out.alarm {
        let first = out.p_values.iter().position(|p| *p < Srm::ALARM).map_or(0, |i| i + 1);
        let message =
            format!("sample ratio mismatch since look {first}: always-valid p {p:.2e} is below {}", Srm::ALARM);
        let help = "look for lost or repeated units, redirects, bots or a late change of weights; stop reading effects until found";
        found.push(Diagnostic::warning("TL338", message).help(help));
    }
    Ok((out, found))
}

fn log_bayes_factor(counts: &[u64], shares: &[(usize, f64)]) -> f64 {
    let n: f64 = shares.iter().map(|(i, _)| counts[*i] as f64).sum();
    let whole = ln_gamma(CONCENTRATION) - ln_gamma(CONCENTRATION + n);
    let part = |(i, share): &(usize, f64)| {
        let (alpha, count) = (CONCENTRATION * share, counts[*i] as f64);
        ln_gamma(alpha + count) - ln_gamma(alpha) - count * share.ln()
    };
    whole + shares.iter().map(part).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use throughline_stats::stream::Stream;

    #[test]
    fn the_bayes_factor_is_the_product_of_one_step_predictions() {
        // The slow, obvious way: unit by unit, predicted share over promised share.
        let (weights, mut counts, mut log) = ([2.0, 1.0, 0.0, 1.0], vec![0_u64; 4], 0.0);
        for i in 0..900_u64 {
            let arm = [0, 3, 1, 0, 0][(i % 5) as usize];
            let share = weights[arm] / 4.0;
            let predicted = (CONCENTRATION * share + counts[arm] as f64) / (CONCENTRATION + i as f64);
            log += (predicted / share).ln();
            counts[arm] += 1;
        }
        let (got, _) = sample_ratio(&[counts], &weights).expect("counts");
        assert!((got.log_bayes_factors[0] - log).abs() < 1e-8, "{got:?} {log}");
        assert_eq!(got.df, 2);
    }

    #[test]
    fn honest_arms_rarely_alarm_and_broken_ones_do() {
        let mut alarms = [0, 0];
        for (broken, alarm) in alarms.iter_mut().enumerate() {
            for seed in 0..200 {
                let stream = Stream::new(seed, 5);
                let mut counts = vec![0_u64, 0];
                let mut looks = Vec::new();
                for i in 0..20_000 {
                    let bar = if broken == 1 { 0.47 } else { 0.5 };
                    counts[usize::from(stream.uniform_at(i) < bar)] += 1;
                    if i % 500 == 499 {
                        looks.push(counts.clone());
                    }
                }
                let (got, found) = sample_ratio(&looks, &[1.0, 1.0]).expect("counts");
                assert_eq!(got.alarm, !found.is_empty());
                *alarm += usize::from(got.alarm);
            }
        }
        assert!(alarms[0] <= 2 && alarms[1] >= 195, "{alarms:?}");
    }

    #[test]
    fn impossible_counts_are_refused() {
        for (looks, weights) in [
            (vec![vec![1, 2, 3]], vec![1.0, 1.0]),
            (vec![vec![5, 5], vec![4, 9]], vec![1.0, 1.0]),
            (vec![], vec![0.0, 0.0]),
            (vec![], vec![f64::NAN, 1.0]),
        ] {
            assert!(matches!(sample_ratio(&looks, &weights), Err(EvidenceError::Data { code: "TL338", .. })));
        }
        assert_eq!(sample_ratio(&[vec![0, 0]], &[1.0, 1.0]).expect("no units yet").0.p_values, vec![1.0]);
    }
}
