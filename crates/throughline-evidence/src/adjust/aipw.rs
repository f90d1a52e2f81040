//! Augmented inverse propensity weighting with cross-fitted nuisances: the interactive regression model of double machine
//! learning.

use throughline_core::Diagnostic;
use throughline_learn::Task;

use super::balance::{ModelQuality, check_overlap, r_squared};
use super::crossfit::{Folds, Nuisance, cross_fit};
use super::hidden::SensitivityElements;
use super::score::{Score, joint, less, medians, ratio};
use super::settings::{AdjustSettings, Estimand, LearnerSpec, refused};
use super::study::Study;
use crate::{EvidenceError, Joint};

/// A fit. The first estimate of `joint` is the estimand.
#[derive(Debug, Clone)]
pub struct AipwFit {
    /// Estimand, both potential means, the unadjusted difference, segments, and last the scale of hidden confounding.
    pub joint: Joint,
    /// Propensities as learnt, the mean over repetitions.
    pub propensity: Vec<f64>,
    /// Weight of each unit in its arm's mean, from the propensities within bounds.
    pub weights: Vec<f64>,
    /// How well the nuisances predict units they have not seen (first repetition).
    pub quality: ModelQuality,
    /// What the checks found.
    pub diagnostics: Vec<Diagnostic>,
}

/// Cross-fitted AIPW. With outcome models g₀, g₁ and propensity m, all predicted by models that did not see the unit, and m kept
/// within [trim, 1 − trim] (ATT: at most 1 − trim):
///
/// - ATE = mean of ψ = g₁ − g₀ + D (Y − g₁)/m − (1 − D)(Y − g₀)/(1 − m), φ = (ψ − θ)/n;
/// - ATT = Σ [D (Y − g₀) − (1 − D)(Y − g₀) m/(1 − m)] / Σ D.
///
/// The ATT needs g₁ for the sensitivity to hidden confounding only. Effects of segments are the same ratios over the units of the segment. Source: Robins, Rotnitzky, Zhao (1994), JASA 89;
/// Chernozhukov et al. (2018), Econometrics Journal 21, §5. Assumes that treatment is as good as random given the covariates,
/// that every unit could have gone either way, and nuisances that converge faster than n^(−1/4) together.
///
/// `given` replaces the folds of the settings (one repetition).
///
/// # Errors
/// A treatment that is not 0/1 (TL385), no overlap (TL392), learners that refuse (TL399), too few units for the folds (TL397).
pub fn aipw(
    study: &Study,
    estimand: Estimand,
    settings: &AdjustSettings,
    given: Option<&Folds>,
) -> Result<AipwFit, EvidenceError> {
    settings.check()?;
    study.require_binary()?;
    let (features, _) = throughline_learn::FeatureMatrix::exact(study.covariates.clone()).map_err(refused)?;
    let treated: Vec<bool> = study.treatment.iter().map(|d| *d == 1.0).collect();
    let control: Vec<bool> = treated.iter().map(|t| !t).collect();
    let task = if study.outcome_is_binary() { Task::Probability } else { Task::Mean };
    let (outcome, propensity) = (fitting(&settings.outcome, task), fitting(&settings.treatment, Task::Probability));
    let (outcome, propensity) = (outcome.build()?, propensity.build()?);
    let of = |only| Nuisance { learner: &*outcome, target: &study.outcome, task, only };
    let treatment = Nuisance { learner: &*propensity, target: &study.treatment, task: Task::Probability, only: None };
    let nuisances = [treatment, of(Some(&control)), of(Some(&treated))];
    let mut repetitions = Vec::new();
    let mut mean_propensity = vec![0.0; study.n()];
    let (mut quality, mut found) = (None, Vec::new());
    let count = if given.is_some() { 1 } else { settings.repetitions };
    for repetition in 0..count {
        let folds = match given {
            Some(folds) => folds.clone(),
            None => Folds::deal(study, settings.folds, settings.seed, repetition as u64)?,
        };
        let mut predicted = cross_fit(&features, &nuisances, &folds, settings.threads)?.into_iter();
        let mut next = || predicted.next().unwrap_or_default();
        let (raw, g0, g1) = (next(), next(), next());
        mean_propensity.iter_mut().zip(&raw).for_each(|(m, r)| *m += r / count as f64);
        if repetition == 0 {
            found = check_overlap(study, estimand, &raw, settings.trim)?;
            quality = Some(ModelQuality {
                outcome_control: r_squared(&study.outcome, &g0, &control),
                outcome_treated: r_squared(&study.outcome, &g1, &treated),
                treatment: r_squared(&study.treatment, &raw, &vec![true; study.n()]),
            });
        }
        let m = bounded(&raw, settings.trim, estimand);
        repetitions.push(match estimand {
            Estimand::Ate => ate(study, &m, &g0, &g1)?,
            Estimand::Att => att(study, &m, &g0, &g1)?,
        });
    }
    let clusters = study.clusters.as_deref();
    let joint = joint(medians(repetitions, clusters), clusters, "aipw")?;
    let weights = weights(study, estimand, &bounded(&mean_propensity, settings.trim, estimand));
    let quality = quality.unwrap_or_default();
    Ok(AipwFit { joint, propensity: mean_propensity, weights, quality, diagnostics: found })
}

/// A learner for a task: `linear` means the linear model of its kind, which for a probability is the logistic one.
pub(crate) fn fitting(spec: &LearnerSpec, task: Task) -> LearnerSpec {
    if task == Task::Probability && spec.name == "linear" {
        return LearnerSpec { name: "logistic".into(), params: spec.params.clone() };
    }
    spec.clone()
}

/// Propensities within [trim, 1 − trim], never 0 or 1; for the ATT at most 1 − trim only: a low propensity makes a control
/// count little, and to raise it would count those who are least like the treated.
pub(crate) fn bounded(propensity: &[f64], trim: f64, estimand: Estimand) -> Vec<f64> {
    let trim = trim.max(1e-6);
    let low = if estimand == Estimand::Ate { trim } else { 0.0 };
    propensity.iter().map(|m| m.clamp(low, 1.0 - trim)).collect()
}

/// Inverse propensity weights of the estimand.
pub(crate) fn weights(study: &Study, estimand: Estimand, m: &[f64]) -> Vec<f64> {
    let weight = |(d, m): (&f64, &f64)| match (estimand, *d == 1.0) {
        (Estimand::Ate, true) => 1.0 / m,
        (Estimand::Ate, false) => 1.0 / (1.0 - m),
        (Estimand::Att, true) => 1.0,
        (Estimand::Att, false) => m / (1.0 - m),
    };
    study.treatment.iter().zip(m).map(weight).collect()
}

fn ate(study: &Study, m: &[f64], g0: &[f64], g1: &[f64]) -> Result<Vec<Score>, EvidenceError> {
    let (y, d, n) = (&study.outcome, &study.treatment, study.n());
    let one: Vec<f64> = (0..n).map(|i| g1[i] + d[i] * (y[i] - g1[i]) / m[i]).collect();
    let zero: Vec<f64> = (0..n).map(|i| g0[i] + (1.0 - d[i]) * (y[i] - g0[i]) / (1.0 - m[i])).collect();
    let psi: Vec<f64> = one.iter().zip(&zero).map(|(a, b)| a - b).collect();
    let ones = vec![1.0; n];
    let mut out = vec![ratio("ATE", &psi, &ones)?, ratio("E[Y(1)]", &one, &ones)?, ratio("E[Y(0)]", &zero, &ones)?];
    out.push(unadjusted(study)?);
    out.extend(segments(study, &psi, &ones)?);
    let error = (0..n).map(|i| (y[i] - if d[i] == 1.0 { g1[i] } else { g0[i] }).powi(2)).collect();
    let nu2 = (0..n).map(|i| {
        let alpha = d[i] / m[i] - (1.0 - d[i]) / (1.0 - m[i]);
        2.0 * (1.0 / m[i] + 1.0 / (1.0 - m[i])) - alpha * alpha
    });
    out.push(SensitivityElements { sigma2: error, nu2: nu2.collect() }.scale()?);
    Ok(out)
}

fn att(study: &Study, m: &[f64], g0: &[f64], g1: &[f64]) -> Result<Vec<Score>, EvidenceError> {
    let (y, d, n) = (&study.outcome, &study.treatment, study.n());
    let odds = |i: usize| m[i] / (1.0 - m[i]);
    let zero: Vec<f64> = (0..n).map(|i| d[i] * g0[i] + (1.0 - d[i]) * odds(i) * (y[i] - g0[i])).collect();
    let one: Vec<f64> = (0..n).map(|i| d[i] * y[i]).collect();
    let psi: Vec<f64> = one.iter().zip(&zero).map(|(a, b)| a - b).collect();
    let mut out = vec![ratio("ATT", &psi, d)?, ratio("E[Y(1)|D=1]", &one, d)?, ratio("E[Y(0)|D=1]", &zero, d)?];
    out.push(unadjusted(study)?);
    out.extend(segments(study, &psi, d)?);
    let error = (0..n).map(|i| (y[i] - if d[i] == 1.0 { g1[i] } else { g0[i] }).powi(2)).collect();
    let p = d.iter().sum::<f64>() / n as f64;
    let nu2 = (0..n).map(|i| {
        let alpha = (d[i] - (1.0 - d[i]) * odds(i)) / p;
        2.0 * d[i] / (p * p * (1.0 - m[i])) - alpha * alpha
    });
    out.push(SensitivityElements { sigma2: error, nu2: nu2.collect() }.scale()?);
    Ok(out)
}

/// The difference of the arms' means.
pub(crate) fn unadjusted(study: &Study) -> Result<Score, EvidenceError> {
    let d = &study.treatment;
    let other: Vec<f64> = d.iter().map(|d| 1.0 - d).collect();
    let times = |w: &[f64]| study.outcome.iter().zip(w).map(|(y, w)| y * w).collect::<Vec<f64>>();
    Ok(less("unadjusted difference", &ratio("treated", &times(d), d)?, &ratio("control", &times(&other), &other)?))
}

/// The ratio within each segment that has weight.
fn segments(study: &Study, b: &[f64], a: &[f64]) -> Result<Vec<Score>, EvidenceError> {
    let Some((column, codes, names)) = &study.segments else { return Ok(Vec::new()) };
    let mut out = Vec::new();
    for (segment, name) in names.iter().enumerate() {
        let within = |v: &[f64]| -> Vec<f64> {
            v.iter().zip(codes).map(|(v, c)| if *c as usize == segment { *v } else { 0.0 }).collect()
        };
        let weight = within(a);
        if weight.iter().sum::<f64>() > 0.0 {
            out.push(ratio(format!("{column}={name}"), &within(b), &weight)?);
        }
    }
    Ok(out)
}
