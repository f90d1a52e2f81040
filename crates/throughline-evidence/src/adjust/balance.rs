//! Whether the arms can be compared, and whether weights made them comparable.

use serde::{Deserialize, Serialize};
use throughline_core::Diagnostic;

use super::settings::{Estimand, data};
use super::study::{LEAST_ARM, Study};
use crate::EvidenceError;

/// Bars of the histogram of propensities.
const BARS: usize = 20;
/// Share of units beyond the bounds above which there is no overlap.
const NO_OVERLAP: f64 = 0.5;
/// Share above which it is weak.
const WEAK_OVERLAP: f64 = 0.05;
/// Standardised difference above which an imbalance is said.
const IMBALANCED: f64 = 0.1;

/// One covariate before and after weighting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BalanceRow {
    /// The covariate.
    pub covariate: String,
    /// Its mean among the treated, unweighted.
    pub mean_treated: f64,
    /// Its mean among the controls, unweighted.
    pub mean_control: f64,
    /// Standardised mean difference, unweighted.
    pub smd_before: f64,
    /// The same with the weights of the method; absent where it has none.
    pub smd_after: Option<f64>,
    /// Variance of the treated over that of the controls, unweighted; absent where the controls do not vary.
    pub variance_ratio_before: Option<f64>,
    /// The same weighted.
    pub variance_ratio_after: Option<f64>,
}

/// Balance of all covariates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Balance {
    /// One row per covariate.
    pub rows: Vec<BalanceRow>,
    /// Effective units of the treated and the controls, (Σ w)² / Σ w².
    pub effective: [f64; 2],
}

/// Means, standardised differences and variance ratios, before and after weighting. Differences are divided by
/// √((s₁² + s₀²)/2) of the unweighted arms for the ATE and by s₁ for the ATT, the same before and after (Austin 2009,
/// Statistics in Medicine 28).
pub fn balance(study: &Study, estimand: Estimand, weights: Option<&[f64]>) -> Balance {
    let ones = vec![1.0; study.n()];
    let arm = |arm: f64, w: &[f64]| -> Vec<f64> {
        study.treatment.iter().zip(w).map(|(d, w)| if *d == arm { *w } else { 0.0 }).collect()
    };
    let before = [arm(1.0, &ones), arm(0.0, &ones)];
    let after = weights.map(|w| [arm(1.0, w), arm(0.0, w)]);
    let positive = |a: f64, b: f64| (b > 0.0).then(|| a / b);
    let row = |(name, x): &(String, Vec<f64>)| {
        let [(m1, v1), (m0, v0)] = [moments(x, &before[0]), moments(x, &before[1])];
        let scale = if estimand == Estimand::Ate { f64::midpoint(v1, v0) } else { v1 }.sqrt();
        // A covariate that the treated do not vary in is measured by the controls' spread.
        let scale = if scale > 0.0 { scale } else { v0.sqrt() };
        let smd = |difference: f64| if scale > 0.0 { difference / scale } else { 0.0 };
        let weighted = after.as_ref().map(|w| [moments(x, &w[0]), moments(x, &w[1])]);
        BalanceRow {
            covariate: name.clone(),
            mean_treated: m1,
            mean_control: m0,
            smd_before: smd(m1 - m0),
            smd_after: weighted.map(|[(m1, _), (m0, _)]| smd(m1 - m0)),
            variance_ratio_before: positive(v1, v0),
            variance_ratio_after: weighted.and_then(|[(_, v1), (_, v0)]| positive(v1, v0)),
        }
    };
    let used = after.as_ref().unwrap_or(&before);
    Balance { rows: study.covariates.iter().map(row).collect(), effective: [ess(&used[0]), ess(&used[1])] }
}

fn moments(x: &[f64], w: &[f64]) -> (f64, f64) {
    let total: f64 = w.iter().sum();
    let mean = x.iter().zip(w).map(|(x, w)| w * x).sum::<f64>() / total;
    (mean, x.iter().zip(w).map(|(x, w)| w * (x - mean).powi(2)).sum::<f64>() / total)
}

fn ess(w: &[f64]) -> f64 {
    let (sum, squares) = w.iter().fold((0.0, 0.0), |(s, q), w| (s + w, q + w * w));
    if squares > 0.0 { sum * sum / squares } else { 0.0 }
}

/// The covariates that are still out of balance, said (TL394).
pub(crate) fn imbalance(balance: &Balance) -> Option<Diagnostic> {
    let out: Vec<String> = balance
        .rows
        .iter()
        .filter_map(|r| r.smd_after.filter(|d| d.abs() > IMBALANCED).map(|d| format!("{} {d:.2}", r.covariate)))
        .collect();
    (!out.is_empty()).then(|| {
        let message = format!("still out of balance by more than {IMBALANCED} standard deviations: {}", out.join(", "));
        Diagnostic::warning("TL394", message)
            .help("a doubly robust method (aipw) or bias-corrected matching removes what the weights leave")
    })
}

/// Propensities of both arms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Overlap {
    /// Edges of the bars, 0 to 1.
    pub edges: Vec<f64>,
    /// Treated units per bar.
    pub treated: Vec<u64>,
    /// Control units per bar.
    pub control: Vec<u64>,
    /// Share of the units whose propensity was moved to a bound.
    pub share_trimmed: f64,
    /// The bound.
    pub trim: f64,
}

/// The histogram of propensities by arm, in 20 bars. For the ATT only propensities above 1 − trim are moved.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "propensities lie in [0, 1]")]
pub fn overlap(study: &Study, propensity: &[f64], trim: f64, estimand: Estimand) -> Overlap {
    let (mut treated, mut control) = (vec![0; BARS], vec![0; BARS]);
    for (d, m) in study.treatment.iter().zip(propensity) {
        let bar = ((m * BARS as f64) as usize).min(BARS - 1);
        if *d == 1.0 { treated[bar] += 1 } else { control[bar] += 1 }
    }
    let beyond = propensity.iter().filter(|m| (estimand == Estimand::Ate && **m < trim) || **m > 1.0 - trim).count();
    let edges = (0..=BARS).map(|i| i as f64 / BARS as f64).collect();
    Overlap { edges, treated, control, share_trimmed: beyond as f64 / propensity.len() as f64, trim }
}

/// Refuses an estimand whose arms do not overlap (TL392) and says when they hardly do (TL393). The ATE needs propensities
/// within bounds everywhere, the ATT only that the treated could have been controls.
pub(crate) fn check_overlap(
    study: &Study,
    estimand: Estimand,
    propensity: &[f64],
    trim: f64,
) -> Result<Vec<Diagnostic>, EvidenceError> {
    let low = trim.max(1e-6);
    let units =
        |f: &dyn Fn(f64, f64) -> bool| study.treatment.iter().zip(propensity).filter(|(d, m)| f(**d, **m)).count();
    let inside = |m: f64| (low..=1.0 - low).contains(&m);
    let (of, beyond) = match estimand {
        Estimand::Ate => (study.n(), units(&|_, m| !inside(m))),
        Estimand::Att => (study.treated(), units(&|d, m| d == 1.0 && m > 1.0 - low)),
    };
    let share = beyond as f64 / of as f64;
    let comparable = [1.0, 0.0].map(|arm| units(&|d, m| d == arm && inside(m)));
    let who = if estimand == Estimand::Ate { "units" } else { "treated units" };
    if share > NO_OVERLAP || comparable[1] < LEAST_ARM || comparable[0] < LEAST_ARM {
        let message = format!(
            "no overlap: {beyond} of {of} {who} have a propensity beyond {low} to {}; {} treated and {} control units are comparable",
            1.0 - low,
            comparable[0],
            comparable[1],
        );
        let help = match estimand {
            Estimand::Ate => {
                "ask for the effect on the treated (--estimand att), or keep only units that could have gone either way"
            }
            Estimand::Att => {
                "covariates tell the arms apart: leave out those that follow from the treatment, or find more alike controls"
            }
        };
        return Err(data("TL392", message, help));
    }
    let weak = (share > WEAK_OVERLAP).then(|| {
        let message =
            format!("{beyond} of {of} {who} have a propensity beyond {low} to {}; it was moved there", 1.0 - low);
        Diagnostic::warning("TL393", message)
            .help("look at the histogram of propensities; the effect on the treated often needs less")
    });
    Ok(weak.into_iter().collect())
}

/// How well nuisances predict units they have not seen: the share of variation explained, below 0 when worse than the mean.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct ModelQuality {
    /// Outcome among the controls (all units for PLR).
    pub outcome_control: Option<f64>,
    /// Outcome among the treated.
    pub outcome_treated: Option<f64>,
    /// Treatment.
    pub treatment: Option<f64>,
}

pub(crate) fn r_squared(y: &[f64], predicted: &[f64], only: &[bool]) -> Option<f64> {
    let rows = || y.iter().zip(predicted).zip(only).filter(|(_, o)| **o).map(|(pair, _)| pair);
    let n = rows().count() as f64;
    let mean = rows().map(|(y, _)| y).sum::<f64>() / n;
    let total: f64 = rows().map(|(y, _)| (y - mean).powi(2)).sum();
    let left: f64 = rows().map(|(y, p)| (y - p).powi(2)).sum();
    (total > 0.0 && left.is_finite()).then(|| 1.0 - left / total)
}
