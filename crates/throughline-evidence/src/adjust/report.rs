//! The report of an effect: the estimate with balance, overlap and sensitivity beside it.

use serde_json::{Value, json};
use throughline_core::{Diagnostic, EvidenceTier, Level};

use super::balance::{ModelQuality, balance, imbalance, overlap};
use super::evalue::{e_value_of_difference, e_value_of_ratio};
use super::hidden::{HiddenConfounding, towards_zero};
use super::settings::{AdjustSettings, Estimand};
use super::study::Study;
use super::{MatchSettings, OlsSensitivity, PlrScore, aipw, entropy_balancing, ipw, matching, ols_sensitivity, plr};
use crate::{EvidenceError, Joint, Report};

/// How an effect is estimated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Method {
    /// Doubly robust, with learners.
    Aipw,
    /// The partially linear model, with learners.
    Plr(PlrScore),
    /// Inverse propensity weighting.
    Ipw,
    /// Entropy balancing (effect on the treated).
    Entropy,
    /// Nearest neighbours.
    Match(MatchSettings),
}

/// Partial R² for which adjusted estimates are listed.
const CONTOUR: [f64; 9] = [0.0, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4];

/// What every method hands to the report.
struct Parts {
    joint: Joint,
    weights: Option<Vec<f64>>,
    propensity: Option<Vec<f64>>,
    quality: Option<ModelQuality>,
    diagnostics: Vec<Diagnostic>,
    /// Whether the last estimate of `joint` is the scale of hidden confounding.
    scaled: bool,
    method: Value,
}

/// Estimates an effect and reports it: tier 1 (modelled). `benchmarks` are covariates in which hidden confounding is measured; the
/// strongest five where none is named.
///
/// Details: `estimand`, `units`, `method`, `nuisances` (cross-fitted R²), `balance` (rows, effective units), `overlap`
/// (histogram), `segments` (simultaneous band, test of equality), `sensitivity` (`ols`, `dml`, `e_value`, `contour`).
///
/// # Errors
/// Those of the method.
pub fn effect(
    study: &Study,
    method: Method,
    estimand: Estimand,
    settings: &AdjustSettings,
    benchmarks: &[String],
    level: Level,
) -> Result<Report, EvidenceError> {
    let parts = parts(study, method, estimand, settings)?;
    let joint = &parts.joint;
    let mut report = Report::new(name(method, estimand), EvidenceTier::Modelled, joint.estimate(0, level)?);
    let shown = joint.len() - usize::from(parts.scaled);
    for j in 1..shown {
        report.find(joint.names()[j].clone(), joint.estimate(j, level)?);
    }
    assumptions(&mut report, study, method);
    report.diagnostics.extend(study.diagnostics.iter().chain(&parts.diagnostics).cloned());
    report.detail("estimand", estimand.name());
    report.detail("units", units(study));
    report.detail("method", parts.method.clone());
    if let Some(quality) = &parts.quality {
        report.detail("nuisances", json!(quality));
    }
    if study.binary {
        let balance = balance(study, estimand, parts.weights.as_deref());
        report.diagnostics.extend(imbalance(&balance));
        report.detail("balance", json!(balance));
    }
    if let Some(propensity) = &parts.propensity {
        report.detail("overlap", json!(overlap(study, propensity, settings.trim, estimand)));
    }
    if let Some(found) = segments(study, joint, shown, level, settings.seed)? {
        report.detail("segments", found);
    }
    let sensitivity = sensitivity(study, &parts, benchmarks, level, &mut report.diagnostics)?;
    report.detail("sensitivity", sensitivity);
    Ok(report)
}

fn name(method: Method, estimand: Estimand) -> String {
    let which = estimand.name().to_lowercase();
    match method {
        Method::Aipw => format!("aipw_{which}"),
        Method::Plr(PlrScore::PartiallingOut) => "plr_partialling_out".into(),
        Method::Plr(PlrScore::IvType) => "plr_iv_type".into(),
        Method::Ipw => format!("ipw_{which}"),
        Method::Entropy => "entropy_balancing_att".into(),
        Method::Match(_) => format!("matching_{which}"),
    }
}

fn parts(study: &Study, method: Method, estimand: Estimand, settings: &AdjustSettings) -> Result<Parts, EvidenceError> {
    let learners = json!({
        "outcome_learner": settings.outcome, "treatment_learner": settings.treatment, "folds": settings.folds,
        "repetitions": settings.repetitions, "seed": settings.seed, "trim": settings.trim,
    });
    Ok(match method {
        Method::Aipw => {
            let fit = aipw(study, estimand, settings, None)?;
            Parts {
                joint: fit.joint,
                weights: Some(fit.weights),
                propensity: Some(fit.propensity),
                quality: Some(fit.quality),
                diagnostics: fit.diagnostics,
                scaled: true,
                method: learners,
            }
        }
        Method::Plr(kind) => {
            let fit = plr(study, kind, settings, None)?;
            let mut method = learners;
            method["score"] = json!(kind);
            method["treatment_left"] = json!(fit.treatment_left);
            Parts {
                joint: fit.joint,
                weights: None,
                propensity: None,
                quality: Some(fit.quality),
                diagnostics: fit.diagnostics,
                scaled: true,
                method,
            }
        }
        Method::Ipw => {
            let fit = ipw(study, estimand, settings.trim)?;
            let (weights, propensity) = (Some(fit.weights), Some(fit.propensity));
            plain(fit.joint, weights, propensity, fit.diagnostics, json!({ "trim": settings.trim }))
        }
        Method::Entropy => {
            let fit = entropy_balancing(study)?;
            plain(fit.joint, Some(fit.weights), None, fit.diagnostics, json!({}))
        }
        Method::Match(options) => {
            let fit = matching(study, estimand, &options)?;
            let method = json!({
                "neighbours": options.neighbours, "metric": options.metric, "bias_correction": options.bias_correction,
                "units_used": fit.used, "most_used": fit.most_used,
            });
            plain(fit.joint, Some(fit.weights), fit.propensity, fit.diagnostics, method)
        }
    })
}

fn plain(
    joint: Joint,
    weights: Option<Vec<f64>>,
    propensity: Option<Vec<f64>>,
    diagnostics: Vec<Diagnostic>,
    method: Value,
) -> Parts {
    Parts { joint, weights, propensity, quality: None, diagnostics, scaled: false, method }
}

fn assumptions(report: &mut Report, study: &Study, method: Method) {
    report.assume("everything that drove both who was treated and the outcome is among the covariates");
    report.assume("covariates were measured before the treatment, and the treatment does not change them");
    report.assume("one unit's outcome does not depend on another's treatment");
    report.assume(match method {
        Method::Aipw => "units with the same covariates could have gone either way, and the learners come close to the outcome or the propensity",
        Method::Plr(_) => "the effect is the same for everybody, or its average weighted towards those whose treatment varies most is wanted",
        Method::Ipw => "units with the same covariates could have gone either way, and the logistic propensity is right",
        Method::Entropy => "controls like the treated exist, and the odds of treatment or the untreated outcome follow the covariates as given",
        Method::Match(_) => "every unit has neighbours close enough that a linear correction removes what still differs",
    });
    if study.clusters.is_some() {
        report.assume("clusters are independent of each other");
    }
}

fn units(study: &Study) -> Value {
    let clusters = study.clusters.as_ref().and_then(|c| c.iter().max()).map(|m| m + 1);
    let arms = study.binary.then(|| [study.treated(), study.n() - study.treated()]);
    json!({
        "n": study.n(),
        "treated": arms.map(|a| a[0]),
        "control": arms.map(|a| a[1]),
        "clusters": clusters,
        "covariates": study.covariates.iter().map(|c| c.0.as_str()).collect::<Vec<_>>(),
    })
}

/// The simultaneous band over the segments, and the test that all their effects are equal.
fn segments(
    study: &Study,
    joint: &Joint,
    shown: usize,
    level: Level,
    seed: u64,
) -> Result<Option<Value>, EvidenceError> {
    let Some((column, ..)) = &study.segments else { return Ok(None) };
    let prefix = format!("{column}=");
    let of: Vec<usize> = (0..shown).filter(|j| joint.names()[*j].starts_with(&prefix)).collect();
    let Some(&first) = of.first() else { return Ok(None) };
    let weights = |plus: usize, minus: Option<usize>| {
        let mut w = vec![0.0; joint.len()];
        w[plus] = 1.0;
        if let Some(j) = minus {
            w[j] = -1.0;
        }
        (joint.names()[plus].clone(), w)
    };
    let band = joint.combine(&of.iter().map(|j| weights(*j, None)).collect::<Vec<_>>())?.band(level, seed)?;
    let others: Vec<_> = of[1..].iter().map(|j| weights(*j, Some(first))).collect();
    let equal = if others.is_empty() {
        None
    } else {
        let contrasts = joint.combine(&others)?;
        contrasts.wald_test(&(0..contrasts.len()).collect::<Vec<_>>()).ok()
    };
    let rows: Vec<Value> = of
        .iter()
        .zip(band.intervals.iter().zip(&band.p_values))
        .map(|(j, (interval, p))| {
            json!({ "segment": joint.names()[*j], "value": joint.values()[*j], "interval": interval, "p_value": p })
        })
        .collect();
    Ok(Some(json!({ "critical_value": band.critical_value, "band": rows, "equal": equal })))
}

fn sensitivity(
    study: &Study,
    parts: &Parts,
    benchmarks: &[String],
    level: Level,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<Value, EvidenceError> {
    let ols = match ols_sensitivity(study, benchmarks, level) {
        Ok(ols) => Some(ols),
        Err(error @ EvidenceError::UnknownColumn { .. }) => return Err(error),
        // The regression is beside the point where it has no answer.
        Err(_) => None,
    };
    diagnostics.extend(ols.as_ref().and_then(|s| fragile(s, level)));
    let dml = parts.scaled.then(|| HiddenConfounding::of(&parts.joint, level));
    let adjusted = |cf_d: f64, cf_y: f64| match (&ols, parts.scaled) {
        (_, true) => Some(towards_zero(&parts.joint, level, cf_y, cf_d).0),
        (Some(ols), false) => Some(ols.adjusted(cf_d, cf_y, level).0),
        (None, false) => None,
    };
    let contour: Vec<Vec<Option<f64>>> =
        CONTOUR.iter().map(|d| CONTOUR.iter().map(|y| adjusted(*d, *y)).collect()).collect();
    Ok(json!({
        "ols": ols,
        "dml": dml,
        "e_value": e_value(study, &parts.joint, level),
        "contour": {
            "of": if parts.scaled { "estimate" } else { "ols" },
            "treatment": CONTOUR, "outcome": CONTOUR, "adjusted": contour,
        },
    }))
}

/// A finding that a confounder no stronger than one that was seen would do.
fn fragile(s: &OlsSensitivity, level: Level) -> Option<Diagnostic> {
    let significant = s.robustness_value_alpha > 0.0;
    let crosses = |interval: (f64, f64)| interval.0 <= 0.0 && interval.1 >= 0.0 || (s.adjusted_sign(interval) < 0.0);
    let strong = s.benchmarks.iter().find(|b| b.strength == 1.0 && crosses(b.interval)).filter(|_| significant)?;
    Some(
        Diagnostic::warning(
            "TL398",
            format!(
                "a hidden confounder as strong as `{}` would move the {:.0} % interval of the regression to 0 or beyond",
                strong.covariate,
                100.0 * level.get(),
            ),
        )
        .help("look for what else drove treatment and outcome, or test the effect in an experiment"),
    )
}

/// From the potential means where the outcome is 0/1, otherwise from the effect in standard deviations.
fn e_value(study: &Study, joint: &Joint, level: Level) -> Value {
    if !study.binary {
        return Value::Null;
    }
    let at = |prefix: &str| joint.names().iter().position(|n| n.starts_with(prefix));
    if let (true, Some(one), Some(zero)) = (study.outcome_is_binary(), at("E[Y(1)"), at("E[Y(0)")) {
        let (a, b) = (joint.values()[one], joint.values()[zero]);
        if a <= 0.0 || b <= 0.0 {
            return Value::Null;
        }
        let variance = joint.covariance(one, one) / (a * a) + joint.covariance(zero, zero) / (b * b)
            - 2.0 * joint.covariance(one, zero) / (a * b);
        let half = throughline_stats::dist::critical_value(level.get(), joint.df()) * variance.max(0.0).sqrt();
        return json!(e_value_of_ratio(a / b, (a / b * (-half).exp(), a / b * half.exp())));
    }
    let n = study.n() as f64;
    let mean = study.outcome.iter().sum::<f64>() / n;
    let deviation = (study.outcome.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    json!(e_value_of_difference(joint.values()[0] / deviation, joint.std_error(0) / deviation))
}

impl OlsSensitivity {
    /// Below 0 where an interval lies on the other side of 0 than the coefficient.
    fn adjusted_sign(&self, interval: (f64, f64)) -> f64 {
        self.value.signum() * if self.value > 0.0 { interval.1 } else { interval.0 }
    }
}
