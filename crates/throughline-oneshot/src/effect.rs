//! `throughline effect`: the effect of a treatment that was not assigned at random, adjusted for covariates.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use throughline_core::{Diagnostic, Level};
use throughline_evidence::Report;
use throughline_evidence::adjust::{
    AdjustSettings, Estimand, LearnerSpec, MatchMetric, MatchSettings, Method, Missing, PlrScore, StudyColumns, effect,
    study_of,
};

use crate::files::{column_names, read_table};
use crate::{Answer, OneShotError};

/// How the effect is estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EffectMethod {
    /// Doubly robust with learners (augmented inverse propensity weighting).
    Aipw,
    /// Partially linear model with learners; the treatment may be an amount.
    Plr,
    /// Inverse propensity weighting with a logistic propensity.
    Ipw,
    /// Entropy balancing; effect on the treated.
    Entropy,
    /// Nearest neighbours with replacement, bias-corrected.
    Match,
}

/// Whose effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EffectEstimand {
    /// Everybody's.
    Ate,
    /// That of the treated.
    Att,
}

/// Distance of matching.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EffectMetric {
    /// Mahalanobis distance of the covariates.
    Mahalanobis,
    /// Covariates divided by their standard deviations.
    Scaled,
    /// Log-odds of a logistic propensity.
    Propensity,
}

/// Moment of the partially linear model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EffectScore {
    /// Residuals on residuals.
    PartiallingOut,
    /// The treatment's residual as instrument.
    IvType,
}

/// Rows whose covariates are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EffectMissing {
    /// Left out and counted.
    Drop,
    /// Kept and marked by an indicator.
    Indicator,
}

/// What to estimate and how.
#[derive(Debug, Args)]
pub struct EffectArgs {
    /// CSV or Parquet file with one row a unit.
    pub file: PathBuf,
    /// Column delimiter.
    #[arg(long, default_value = ",")]
    pub delimiter: String,
    /// Column of the treatment: 0 and 1, or any value with --treated; amounts with --method plr.
    #[arg(long)]
    pub treatment: String,
    /// The value that is treated; all others are the control.
    #[arg(long)]
    pub treated: Option<String>,
    /// Column of the outcome.
    #[arg(long)]
    pub outcome: String,
    /// Columns to adjust for, separated by commas; all others without. Texts become indicators.
    #[arg(long, value_delimiter = ',')]
    pub covariates: Vec<String>,
    /// Method.
    #[arg(long, value_enum)]
    pub method: EffectMethod,
    /// Whose effect; everybody's where the method allows it.
    #[arg(long, value_enum)]
    pub estimand: Option<EffectEstimand>,
    /// Learner of outcome and treatment (aipw, plr): linear or boosted_trees.
    #[arg(long, default_value = "linear")]
    pub learner: String,
    /// Learner of the outcome, if another.
    #[arg(long)]
    pub outcome_learner: Option<String>,
    /// Learner of the treatment, if another.
    #[arg(long)]
    pub treatment_learner: Option<String>,
    /// Folds of cross-fitting.
    #[arg(long, default_value_t = 5)]
    pub folds: usize,
    /// Repetitions of cross-fitting with other folds; estimates are medians.
    #[arg(long, default_value_t = 1)]
    pub repetitions: usize,
    /// Seed of the folds.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Propensities are kept within [TRIM, 1 − TRIM].
    #[arg(long, default_value_t = 0.01)]
    pub trim: f64,
    /// Neighbours per unit (match).
    #[arg(long, default_value_t = 1)]
    pub neighbours: usize,
    /// Distance (match).
    #[arg(long, value_enum, default_value = "mahalanobis")]
    pub metric: EffectMetric,
    /// Do not correct for what still differs between matched units (match).
    #[arg(long)]
    pub no_bias_correction: bool,
    /// Moment (plr).
    #[arg(long, value_enum, default_value = "partialling-out")]
    pub score: EffectScore,
    /// Column of units that belong together.
    #[arg(long)]
    pub cluster: Option<String>,
    /// Column of segments whose effects are wanted too (aipw).
    #[arg(long)]
    pub segment: Option<String>,
    /// Rows whose covariates are missing.
    #[arg(long, value_enum, default_value = "drop")]
    pub missing: EffectMissing,
    /// Covariate in which hidden confounding is measured; may be given several times.
    #[arg(long = "benchmark")]
    pub benchmarks: Vec<String>,
    /// Threads; the result does not depend on it.
    #[arg(long)]
    pub threads: Option<NonZeroUsize>,
    /// Confidence level.
    #[arg(long, default_value_t = 0.95)]
    pub level: f64,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

impl EffectArgs {
    /// Carries the command out.
    pub fn run(&self) -> Result<Answer, OneShotError> {
        let (report, found) = self.report()?;
        Ok(Answer::of(&report, &found))
    }

    /// Whether JSON is asked for.
    pub const fn json(&self) -> bool {
        self.json
    }

    fn report(&self) -> Result<(Report, Vec<Diagnostic>), OneShotError> {
        let level =
            Level::new(self.level).map_err(|e| OneShotError::finding(Diagnostic::error("TL045", e.to_string())))?;
        self.check()?;
        let columns = self.columns()?;
        let mut names: Vec<&str> = vec![&self.treatment, &self.outcome];
        names.extend(columns.covariates.iter().map(String::as_str));
        names.extend(self.cluster.as_deref());
        names.extend(self.segment.as_deref());
        let (table, found) = read_table(&self.file, &self.delimiter, &names)?;
        let study = study_of(&table, &columns)?;
        drop(table);
        let report = effect(&study, self.how(), self.estimand(), &self.settings(), &self.benchmarks, level)?;
        Ok((report, found))
    }

    /// Options that do not go together.
    fn check(&self) -> Result<(), OneShotError> {
        let refuse =
            |message: &str, help: &str| Err(OneShotError::finding(Diagnostic::error("TL065", message).help(help)));
        if self.method == EffectMethod::Entropy && self.estimand == Some(EffectEstimand::Ate) {
            return refuse("entropy balancing weights the controls to be like the treated", "use --estimand att");
        }
        if self.method == EffectMethod::Plr && self.estimand.is_some() {
            return refuse("the partially linear model has one effect for everybody", "leave --estimand out");
        }
        if self.method != EffectMethod::Aipw && self.segment.is_some() {
            return refuse("effects of segments need influence values of each unit's effect", "use --method aipw");
        }
        Ok(())
    }

    /// All columns that have no other role are covariates where none is named; the column of segments is one too.
    fn columns(&self) -> Result<StudyColumns, OneShotError> {
        let named = !self.covariates.is_empty();
        let covariates = if named {
            self.covariates.clone()
        } else {
            let other = |n: &String| *n != self.treatment && *n != self.outcome && Some(n) != self.cluster.as_ref();
            column_names(&self.file, &self.delimiter)?.into_iter().filter(|n| !n.is_empty() && other(n)).collect()
        };
        Ok(StudyColumns {
            treatment: self.treatment.clone(),
            treated: self.treated.clone(),
            outcome: self.outcome.clone(),
            covariates,
            covariates_named: named,
            cluster: self.cluster.clone(),
            segment: self.segment.clone(),
            missing: match self.missing {
                EffectMissing::Drop => Missing::Drop,
                EffectMissing::Indicator => Missing::Indicator,
            },
        })
    }

    fn estimand(&self) -> Estimand {
        match (self.method, self.estimand) {
            (EffectMethod::Entropy, _) | (_, Some(EffectEstimand::Att)) => Estimand::Att,
            _ => Estimand::Ate,
        }
    }

    fn how(&self) -> Method {
        match self.method {
            EffectMethod::Aipw => Method::Aipw,
            EffectMethod::Plr => Method::Plr(match self.score {
                EffectScore::PartiallingOut => PlrScore::PartiallingOut,
                EffectScore::IvType => PlrScore::IvType,
            }),
            EffectMethod::Ipw => Method::Ipw,
            EffectMethod::Entropy => Method::Entropy,
            EffectMethod::Match => Method::Match(MatchSettings {
                neighbours: self.neighbours,
                metric: match self.metric {
                    EffectMetric::Mahalanobis => MatchMetric::Mahalanobis,
                    EffectMetric::Scaled => MatchMetric::Scaled,
                    EffectMetric::Propensity => MatchMetric::Propensity,
                },
                bias_correction: !self.no_bias_correction,
                threads: self.threads,
            }),
        }
    }

    fn settings(&self) -> AdjustSettings {
        let learner = |other: &Option<String>| LearnerSpec::named(other.as_ref().unwrap_or(&self.learner));
        AdjustSettings {
            outcome: learner(&self.outcome_learner),
            treatment: learner(&self.treatment_learner),
            folds: self.folds,
            repetitions: self.repetitions,
            trim: self.trim,
            seed: self.seed,
            threads: self.threads,
        }
    }
}
