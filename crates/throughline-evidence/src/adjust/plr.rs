//! The partially linear model of double machine learning: one coefficient, everything else by learners.

use serde::{Deserialize, Serialize};
use throughline_core::Diagnostic;
use throughline_learn::{FeatureMatrix, Learner, Task};

use super::aipw::{fitting, unadjusted};
use super::balance::{ModelQuality, r_squared};
use super::crossfit::{Folds, Nuisance, cross_fit};
use super::hidden::SensitivityElements;
use super::score::{Score, joint, medians, ratio};
use super::settings::{AdjustSettings, data, refused};
use super::study::Study;
use crate::{EvidenceError, Joint};

/// Share of the treatment's variation that covariates must leave.
const LEAST_LEFT: f64 = 1e-3;

/// Which moment is solved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlrScore {
    /// Residuals on residuals: θ = Σ V (Y − ℓ) / Σ V².
    #[default]
    PartiallingOut,
    /// θ = Σ V (Y − g) / Σ V D, with g learnt from Y − θ₀ D and θ₀ that of partialling out.
    IvType,
}

/// A fit. The first estimate of `joint` is the coefficient.
#[derive(Debug, Clone)]
pub struct PlrFit {
    /// The coefficient, for a treatment of 0 and 1 the unadjusted difference, and last the scale of hidden confounding.
    pub joint: Joint,
    /// How well the nuisances predict units they have not seen (first repetition).
    pub quality: ModelQuality,
    /// Share of the treatment's variation that covariates leave (first repetition).
    pub treatment_left: f64,
    /// What the checks found.
    pub diagnostics: Vec<Diagnostic>,
}

/// Cross-fitted partially linear regression Y = θ D + g(X) + ε, D = m(X) + V, with ℓ(X) = E[Y | X]. D may be 0/1 or an amount:
/// θ is the effect of one unit more, the same for everybody; where effects differ it is their mean weighted by Var(D | X).
/// φ = ψ / Σ V² (or Σ V D). Source: Robinson (1988), Econometrica 56; Chernozhukov et al. (2018), Econometrics Journal 21, §4.
///
/// `given` replaces the folds of the settings (one repetition).
///
/// # Errors
/// Covariates that determine the treatment (TL396), learners that refuse (TL399), too few units for the folds (TL397).
pub fn plr(
    study: &Study,
    kind: PlrScore,
    settings: &AdjustSettings,
    given: Option<&Folds>,
) -> Result<PlrFit, EvidenceError> {
    settings.check()?;
    let (features, _) = FeatureMatrix::exact(study.covariates.clone()).map_err(refused)?;
    let task = if study.binary { Task::Probability } else { Task::Mean };
    let (outcome, treatment) = (settings.outcome.build()?, fitting(&settings.treatment, task).build()?);
    let nuisances = [
        Nuisance { learner: &*treatment, target: &study.treatment, task, only: None },
        Nuisance { learner: &*outcome, target: &study.outcome, task: Task::Mean, only: None },
    ];
    let (mut repetitions, mut first) = (Vec::new(), None);
    for repetition in 0..if given.is_some() { 1 } else { settings.repetitions } {
        let folds = match given {
            Some(folds) => folds.clone(),
            None => Folds::deal(study, settings.folds, settings.seed, repetition as u64)?,
        };
        let mut predicted = cross_fit(&features, &nuisances, &folds, settings.threads)?.into_iter();
        let (m, l) = (predicted.next().unwrap_or_default(), predicted.next().unwrap_or_default());
        let everybody = vec![true; study.n()];
        let explained = r_squared(&study.treatment, &m, &everybody).unwrap_or(0.0);
        if 1.0 - explained < LEAST_LEFT {
            return Err(data(
                "TL396",
                format!("covariates explain {:.2} % of the treatment: nothing is left to compare", 100.0 * explained),
                "leave out covariates that are the treatment under another name, or that follow from it",
            ));
        }
        let quality = ModelQuality {
            outcome_control: r_squared(&study.outcome, &l, &everybody),
            outcome_treated: None,
            treatment: Some(explained),
        };
        first.get_or_insert((quality, (1.0 - explained).min(1.0)));
        let v: Vec<f64> = study.treatment.iter().zip(&m).map(|(d, m)| d - m).collect();
        let rest = |theta: f64| -> Vec<f64> {
            study.outcome.iter().zip(&study.treatment).map(|(y, d)| y - theta * d).collect()
        };
        let (score, error) = partialled(study, &v, &l)?;
        repetitions.push(match kind {
            PlrScore::PartiallingOut => finish(study, score, &v, error)?,
            PlrScore::IvType => {
                let target = rest(score.value);
                let g = predict(&features, &*outcome, &target, &folds, settings)?;
                let b: Vec<f64> = (0..study.n()).map(|i| v[i] * (study.outcome[i] - g[i])).collect();
                let a: Vec<f64> = v.iter().zip(&study.treatment).map(|(v, d)| v * d).collect();
                let score = ratio("effect", &b, &a)?;
                let error = rest(score.value).iter().zip(&g).map(|(r, g)| (r - g).powi(2)).collect();
                finish(study, score, &v, error)?
            }
        });
    }
    let clusters = study.clusters.as_deref();
    let joint = joint(medians(repetitions, clusters), clusters, "plr")?;
    let (quality, treatment_left) = first.unwrap_or_default();
    Ok(PlrFit { joint, quality, treatment_left, diagnostics: Vec::new() })
}

fn partialled(study: &Study, v: &[f64], l: &[f64]) -> Result<(Score, Vec<f64>), EvidenceError> {
    let u: Vec<f64> = study.outcome.iter().zip(l).map(|(y, l)| y - l).collect();
    let b: Vec<f64> = v.iter().zip(&u).map(|(v, u)| v * u).collect();
    let a: Vec<f64> = v.iter().map(|v| v * v).collect();
    let score = ratio("effect", &b, &a)?;
    let error = u.iter().zip(v).map(|(u, v)| (u - score.value * v).powi(2)).collect();
    Ok((score, error))
}

fn predict(
    features: &FeatureMatrix,
    learner: &dyn Learner,
    target: &[f64],
    folds: &Folds,
    settings: &AdjustSettings,
) -> Result<Vec<f64>, EvidenceError> {
    let nuisance = [Nuisance { learner, target, task: Task::Mean, only: None }];
    Ok(cross_fit(features, &nuisance, folds, settings.threads)?.pop().unwrap_or_default())
}

/// The estimates of one repetition. α = V / E V², so that ν² = 1 / E V², whose influence is that of −(V² − E V²) / (E V²)².
fn finish(study: &Study, score: Score, v: &[f64], sigma2: Vec<f64>) -> Result<Vec<Score>, EvidenceError> {
    let mean = v.iter().map(|v| v * v).sum::<f64>() / v.len() as f64;
    let nu2 = v.iter().map(|v| 2.0 / mean - v * v / (mean * mean)).collect();
    let mut out = vec![score];
    if study.binary {
        out.push(unadjusted(study)?);
    }
    out.push(SensitivityElements { sigma2, nu2 }.scale()?);
    Ok(out)
}
