//! Inverse propensity weighting with normalised (Hájek) weights.

use throughline_core::Diagnostic;
use throughline_stats::linalg::{Cholesky, gram, times};
use throughline_stats::logistic::{Finding, LogisticRegression, Rows, sigmoid};

use super::aipw::{bounded, unadjusted, weights};
use super::balance::check_overlap;
use super::score::{Score, joint, less, ratio};
use super::settings::{Estimand, check_trim, data};
use super::study::Study;
use crate::{EvidenceError, Joint};

/// A fit. The first estimate of `joint` is the estimand.
#[derive(Debug, Clone)]
pub struct IpwFit {
    /// Estimand, both potential means, the unadjusted difference.
    pub joint: Joint,
    /// Propensities as fitted.
    pub propensity: Vec<f64>,
    /// Weight of each unit in its arm's mean.
    pub weights: Vec<f64>,
    /// What the checks found.
    pub diagnostics: Vec<Diagnostic>,
}

/// A logistic propensity on all units: its values, its influence values' ingredients and whether it is separated.
pub(crate) struct Propensity {
    pub(crate) values: Vec<f64>,
    pub(crate) separated: bool,
    /// Standardised columns with the intercept first.
    columns: Vec<Vec<f64>>,
}

impl Propensity {
    pub(crate) fn fit(study: &Study) -> Result<Self, EvidenceError> {
        let n = study.n();
        let mut columns = vec![vec![1.0; n]];
        for (_, values) in &study.covariates {
            let mean = values.iter().sum::<f64>() / n as f64;
            let scale = (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n as f64).sqrt();
            columns.push(values.iter().map(|x| (x - mean) / scale).collect());
        }
        let width = columns.len() - 1;
        let mut x = vec![0.0; n * width];
        for (j, column) in columns[1..].iter().enumerate() {
            x.iter_mut().skip(j).step_by(width).zip(column).for_each(|(slot, v)| *slot = *v);
        }
        let rows = Rows { x: &x, columns: width, y: &study.treatment, weights: None };
        let fit = LogisticRegression::default().fit(&rows).map_err(|e| {
            data("TL399", format!("the propensity cannot be fitted: {e}"), "check the covariates for extreme values")
        })?;
        let separated = fit.findings.iter().any(|f| matches!(f, Finding::Separated { .. }));
        let values = (0..n).map(|i| sigmoid(fit.log_odds(&x[i * width..(i + 1) * width]))).collect();
        Ok(Self { values, separated, columns })
    }

    /// What the estimation of the coefficients adds to the influence values of an estimate θ with dθ/dlogit of unit i in
    /// `slope`: (Σ slope x)ᵀ I⁻¹ x (D − m), I = Σ m (1 − m) x xᵀ.
    fn influence(&self, study: &Study, slope: &[f64]) -> Option<Vec<f64>> {
        let refs: Vec<&[f64]> = self.columns.iter().map(Vec::as_slice).collect();
        let k = refs.len();
        let roots: Vec<f64> = self.values.iter().map(|m| (m * (1.0 - m)).sqrt()).collect();
        let weighted: Vec<Vec<f64>> = refs.iter().map(|c| c.iter().zip(&roots).map(|(x, r)| x * r).collect()).collect();
        let information = gram(&weighted.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let direction = Cholesky::new(&information, k, 1e-13)?.solve(&times(&refs, slope));
        let mut out: Vec<f64> = study.treatment.iter().zip(&self.values).map(|(d, m)| d - m).collect();
        for (i, o) in out.iter_mut().enumerate() {
            *o *= refs.iter().zip(&direction).map(|(c, b)| c[i] * b).sum::<f64>();
        }
        Some(out)
    }
}

/// Separated treatments, said.
pub(crate) fn separation(propensity: &Propensity) -> Option<Diagnostic> {
    propensity.separated.then(|| {
        Diagnostic::warning("TL395", "a combination of covariates tells some treated and control units apart perfectly")
            .help("leave out covariates that follow from the treatment; otherwise compare fewer, more alike units")
    })
}

/// Hájek's weighting with a logistic propensity m on all units: the difference of arm means weighted by 1/m and 1/(1 − m)
/// (ATE), or 1 and m/(1 − m) (ATT); m within [trim, 1 − trim] (ATT: at most 1 − trim). The influence values hold what the estimation of m contributes
/// (stacked equations; Lunceford, Davidian 2004, Statistics in Medicine 23), which usually narrows the interval. Assumes
/// that the logistic model is right; AIPW does not.
///
/// # Errors
/// A treatment that is not 0/1 (TL385), no overlap (TL392), values beyond what a logistic fit takes (TL399).
pub fn ipw(study: &Study, estimand: Estimand, trim: f64) -> Result<IpwFit, EvidenceError> {
    check_trim(trim)?;
    study.require_binary()?;
    let propensity = Propensity::fit(study)?;
    let mut diagnostics = check_overlap(study, estimand, &propensity.values, trim)?;
    diagnostics.extend(separation(&propensity));
    let m = bounded(&propensity.values, trim, estimand);
    let w = weights(study, estimand, &m);
    let arm = |name: &str, value: f64| {
        let a: Vec<f64> = study.treatment.iter().zip(&w).map(|(d, w)| if *d == value { *w } else { 0.0 }).collect();
        let b: Vec<f64> = a.iter().zip(&study.outcome).map(|(a, y)| a * y).collect();
        ratio(name, &b, &a)
    };
    let names = match estimand {
        Estimand::Ate => ["E[Y(1)]", "E[Y(0)]"],
        Estimand::Att => ["E[Y(1)|D=1]", "E[Y(0)|D=1]"],
    };
    let (mut one, mut zero) = (arm(names[0], 1.0)?, arm(names[1], 0.0)?);
    for (score, value) in [(&mut one, 1.0), (&mut zero, 0.0)] {
        let slope = slope(study, estimand, score, &propensity.values, &m, value);
        if let Some(extra) = propensity.influence(study, &slope) {
            score.influence.iter_mut().zip(extra).for_each(|(o, e)| *o += e);
        }
    }
    let scores = vec![less(estimand.name(), &one, &zero), one, zero, unadjusted(study)?];
    let joint = joint(scores, study.clusters.as_deref(), "ipw")?;
    Ok(IpwFit { joint, propensity: propensity.values, weights: w, diagnostics })
}

/// dθ/dlogit(mᵢ) of an arm's mean: φᵢ · d ln wᵢ / dlogit, which is −(1 − m) for 1/m, m for 1/(1 − m), and 1 for m/(1 − m); 0
/// where m is at its bound.
fn slope(study: &Study, estimand: Estimand, score: &Score, raw: &[f64], m: &[f64], arm: f64) -> Vec<f64> {
    let of = |i: usize| {
        if study.treatment[i] != arm || raw[i] != m[i] {
            return 0.0;
        }
        score.influence[i]
            * match (estimand, arm == 1.0) {
                (Estimand::Ate, true) => m[i] - 1.0,
                (Estimand::Ate, false) => m[i],
                (Estimand::Att, true) => 0.0,
                (Estimand::Att, false) => 1.0,
            }
    };
    (0..study.n()).map(of).collect()
}
