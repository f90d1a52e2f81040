//! How strong a hidden confounder must be to overturn a linear regression, measured in covariates that were seen.

use serde::{Deserialize, Serialize};
use throughline_core::Level;
use throughline_stats::dist;
use throughline_stats::ols::{Covariance, OlsFit, ols};

use super::settings::data;
use super::study::Study;
use crate::EvidenceError;

/// Sensitivity of a coefficient by least squares. Source: Cinelli, Hazlett (2020), J. Royal Statistical Society B 82.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OlsSensitivity {
    /// The coefficient of the treatment, by least squares on treatment and covariates.
    pub value: f64,
    /// Its classical standard error.
    pub std_error: f64,
    /// Degrees of freedom of the regression.
    pub df: f64,
    /// Partial R² of the treatment with the outcome, t²/(t² + df).
    pub partial_r2: f64,
    /// RV: a confounder that explains this share of what is left of both treatment and outcome makes the coefficient 0.
    pub robustness_value: f64,
    /// RV_α: this share makes the interval at the level reach 0; 0 where it holds 0 already.
    pub robustness_value_alpha: f64,
    /// Confounders as strong as covariates, the strongest first.
    pub benchmarks: Vec<Benchmark>,
}

/// A hidden confounder `strength` times as strong as a covariate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Benchmark {
    /// The covariate.
    pub covariate: String,
    /// k: times as strong, both for treatment and outcome.
    pub strength: f64,
    /// Bound of its partial R² with the treatment.
    pub r2_treatment: f64,
    /// Bound of its partial R² with the outcome, at most 1.
    pub r2_outcome: f64,
    /// The coefficient if it acts towards 0.
    pub adjusted: f64,
    /// The interval then.
    pub interval: (f64, f64),
}

impl OlsSensitivity {
    /// From a coefficient, its classical standard error and degrees of freedom.
    ///
    /// f = |t|/√df; RV = ½ (√(f⁴ + 4 f²) − f²); RV_α the same with f − t*/√(df − 1), t* the critical value at df − 1, or
    /// (f² − f*²)/(1 + f²) where that is the binding case.
    ///
    /// # Errors
    /// A standard error that is not positive, fewer than 2 degrees of freedom.
    pub fn of(value: f64, std_error: f64, df: f64, level: Level) -> Result<Self, EvidenceError> {
        if !(value.is_finite() && std_error.is_finite() && std_error > 0.0 && df >= 2.0) {
            return Err(EvidenceError::NotFinite { what: "sensitivity to hidden confounding".into() });
        }
        let t = value / std_error;
        let f = t.abs() / df.sqrt();
        let critical = dist::critical_value(level.get(), Some(df - 1.0)) / (df - 1.0).sqrt();
        let rest = f - critical;
        let robustness_value_alpha = if rest <= 0.0 {
            0.0
        } else if f > 1.0 / critical {
            (f * f - critical * critical) / (1.0 + f * f)
        } else {
            robustness(rest)
        };
        Ok(Self {
            value,
            std_error,
            df,
            partial_r2: t * t / (t * t + df),
            robustness_value: robustness(f),
            robustness_value_alpha,
            benchmarks: Vec::new(),
        })
    }

    /// The coefficient and its interval if a confounder with the given partial R² with treatment (below 1) and outcome acts
    /// towards 0: bias = se √(df · R²_Y · R²_D/(1 − R²_D)), se' = se √((1 − R²_Y)/(1 − R²_D) · df/(df − 1)).
    pub fn adjusted(&self, r2_treatment: f64, r2_outcome: f64, level: Level) -> (f64, (f64, f64)) {
        let bias = self.std_error * (self.df * r2_outcome * r2_treatment / (1.0 - r2_treatment)).sqrt();
        let value = self.value.signum() * (self.value.abs() - bias);
        let factor = (1.0 - r2_outcome) / (1.0 - r2_treatment) * self.df / (self.df - 1.0);
        let half = dist::critical_value(level.get(), Some(self.df - 1.0)) * self.std_error * factor.sqrt();
        (value, (value - half, value + half))
    }

    /// A confounder `strength` times as strong as a covariate with these partial R² with treatment (given the other
    /// covariates) and outcome (given them and the treatment); `None` where none can be that strong.
    pub fn benchmark(&self, covariate: &str, strength: f64, partial: (f64, f64), level: Level) -> Option<Benchmark> {
        let (with_treatment, with_outcome) = partial;
        let r2_treatment = strength * with_treatment / (1.0 - with_treatment);
        let between =
            strength * with_treatment * with_treatment / ((1.0 - strength * with_treatment) * (1.0 - with_treatment));
        if !(r2_treatment < 1.0 && (0.0..1.0).contains(&between) && with_outcome < 1.0) {
            return None;
        }
        let multiple = (strength.sqrt() + between.sqrt()) / (1.0 - between).sqrt();
        let r2_outcome = (multiple * multiple * with_outcome / (1.0 - with_outcome)).min(1.0);
        let (adjusted, interval) = self.adjusted(r2_treatment, r2_outcome, level);
        Some(Benchmark { covariate: covariate.to_owned(), strength, r2_treatment, r2_outcome, adjusted, interval })
    }
}

fn robustness(f: f64) -> f64 {
    super::hidden::equal_strength(f)
}

/// Sensitivity of the coefficient of the treatment in a regression on treatment and covariates, with benchmarks of 1, 2 and 3
/// times the named covariates, or of the five that would move the coefficient most where none is named.
///
/// # Errors
/// A covariate that is not in the study, a regression without an answer (TL396).
pub fn ols_sensitivity(study: &Study, named: &[String], level: Level) -> Result<OlsSensitivity, EvidenceError> {
    let one = vec![1.0; study.n()];
    let covariates = study.columns();
    let mut left: Vec<&[f64]> = vec![&one];
    left.extend(&covariates);
    let mut all = left.clone();
    all.push(&study.treatment);
    let fit = |columns: &[&[f64]], y: &[f64]| {
        ols(columns, y, None).map_err(|_| {
            data(
                "TL396",
                "the covariates determine the treatment".into(),
                "leave out covariates that follow from the treatment",
            )
        })
    };
    let (of_treatment, of_outcome) = (fit(&left, &study.treatment)?, fit(&all, &study.outcome)?);
    let (outcome_r2, covariance) = partial_r2(&of_outcome, &all);
    let (treatment_r2, _) = partial_r2(&of_treatment, &left);
    let last = all.len() - 1;
    let std_error = covariance[last * all.len() + last].sqrt();
    let mut out = OlsSensitivity::of(of_outcome.coefficients[last], std_error, of_outcome.df as f64, level)?;
    let mut positions: Vec<usize> = Vec::new();
    for name in named {
        let matches = |c: &String| c == name || c.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('='));
        let found: Vec<usize> = (0..covariates.len()).filter(|j| matches(&study.covariates[*j].0)).collect();
        if found.is_empty() {
            return Err(EvidenceError::UnknownColumn {
                name: name.clone(),
                suggestion: None,
                known: study.covariates.iter().map(|c| c.0.as_str()).collect::<Vec<_>>().join(", "),
            });
        }
        positions.extend(found);
    }
    let make =
        |j: usize, k: f64| out.benchmark(&study.covariates[j].0, k, (treatment_r2[j + 1], outcome_r2[j + 1]), level);
    if named.is_empty() {
        let moved = |j: &usize| make(*j, 1.0).map_or(f64::INFINITY, |b| (b.adjusted - out.value).abs());
        positions = (0..covariates.len()).collect();
        positions.sort_by(|a, b| moved(b).total_cmp(&moved(a)).then(a.cmp(b)));
        positions.truncate(5);
    }
    out.benchmarks = positions.iter().flat_map(|j| [1.0, 2.0, 3.0].into_iter().filter_map(|k| make(*j, k))).collect();
    Ok(out)
}

/// t²/(t² + df) of every coefficient, and the classical covariance.
fn partial_r2(fit: &OlsFit, columns: &[&[f64]]) -> (Vec<f64>, Vec<f64>) {
    let covariance = fit.covariance(columns, None, Covariance::Classical);
    let k = columns.len();
    let of = |j: usize| {
        let t2 = fit.coefficients[j].powi(2) / covariance[j * k + j];
        if t2.is_finite() { t2 / (t2 + fit.df as f64) } else { 1.0 }
    };
    ((0..k).map(of).collect(), covariance)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Figures printed by the R package `sensemakr` for its Darfur example (Cinelli, Ferwerda, Hazlett 2020): estimate 0.097,
    /// standard error 0.023, t 4.184, 783 degrees of freedom, partial R² 0.022, RV 0.139, RV_α 0.076; a confounder as strong
    /// as `female` once, twice and three times leaves 0.075, 0.053 and 0.030.
    #[test]
    fn darfur() {
        let s = OlsSensitivity::of(0.097_315_82, 0.023_256_54, 783.0, Level::P95).expect("defined");
        let close = |got: f64, expect: f64, tolerance: f64| assert!((got - expect).abs() < tolerance, "{got} {expect}");
        close(s.partial_r2, 0.021_873, 1e-5);
        close(s.robustness_value, 0.138_776, 1e-5);
        close(s.robustness_value_alpha, 0.076_258, 1e-5);
        // Partial R² of `female` that give the printed bounds of k = 1: 0.009164 with the treatment, 0.1246 with the outcome.
        for (k, adjusted) in [(1.0, 0.075_22), (2.0, 0.052_92), (3.0, 0.030_40)] {
            let b = s.benchmark("female", k, (0.009_081, 0.109_03), Level::P95).expect("possible");
            close(b.adjusted, adjusted, 2e-4);
        }
    }

    #[test]
    fn a_confounder_of_the_robustness_value_makes_it_zero() {
        for (value, se, df) in [(0.5, 0.1, 50.0), (-3.0, 0.2, 1000.0), (1.0, 0.01, 20.0)] {
            let s = OlsSensitivity::of(value, se, df, Level::P95).expect("defined");
            let rv = s.robustness_value;
            assert!(s.adjusted(rv, rv, Level::P95).0.abs() < 1e-9 * value.abs(), "{s:?}");
            assert!(s.robustness_value_alpha < rv);
        }
        let weak = OlsSensitivity::of(0.1, 0.1, 50.0, Level::P95).expect("defined");
        assert_eq!(weak.robustness_value_alpha, 0.0);
        assert!(OlsSensitivity::of(0.1, 0.0, 50.0, Level::P95).is_err());
    }
}
