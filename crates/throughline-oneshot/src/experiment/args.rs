//! The flags of `throughline experiment read` and the plan they say.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use throughline_core::{Diagnostic, Level};
use throughline_evidence::Correction;
use throughline_evidence::experiment::{Alternative, Cap, Kind, Looks, Margin, Metric, Plan, Prior};

use super::columns::duration;
use crate::OneShotError;
use crate::power::fractions;

/// What to read and how.
#[derive(Debug, Args)]
pub struct ExperimentReadArgs {
    /// CSV or Parquet file with one row a unit.
    pub file: PathBuf,
    /// Column delimiter.
    #[arg(long, default_value = ",")]
    pub delimiter: String,
    /// Column of the arm.
    #[arg(long)]
    pub assignment: String,
    /// The arm the others are compared with; that of the plan without.
    #[arg(long, required_unless_present = "plan")]
    pub control: Option<String>,
    /// Plan that `experiment design` wrote: its control, weights, level and looks hold, and departures from it are said.
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// Column of a metric; may be given several times. All 0 or 1 is read as a proportion.
    #[arg(long = "metric", value_name = "COL", required_unless_present_any = ["ratios", "quantiles", "conversion"])]
    pub metrics: Vec<String>,
    /// Ratio of two sums, as NUMERATOR/DENOMINATOR or NAME=NUMERATOR/DENOMINATOR.
    #[arg(long = "ratio", value_name = "NUM/DEN")]
    pub ratios: Vec<String>,
    /// Quantile of a column, as COL@0.9.
    #[arg(long = "quantile", value_name = "COL@Q")]
    pub quantiles: Vec<String>,
    /// Column with the time of conversion (blank where there was none); needs --exposed and --within.
    #[arg(long, value_name = "COL", requires_all = ["exposed", "within"])]
    pub conversion: Option<String>,
    /// Column with the time of exposure.
    #[arg(long, value_name = "COL")]
    pub exposed: Option<String>,
    /// Window after the exposure, as 7d, 12h, 30m or 90s; a plain number is in the columns' own unit.
    #[arg(long, value_name = "LENGTH")]
    pub within: Option<String>,
    /// When the data end; units whose window is not over by then are left out of the conversion.
    #[arg(long, value_name = "TIME", requires = "conversion")]
    pub until: Option<String>,
    /// Cap a metric, as METRIC@0.99 (quantile of all arms together) or METRIC=VALUE.
    #[arg(long = "winsorise", value_name = "METRIC@Q")]
    pub winsorise: Vec<String>,
    /// Metric from before the experiment for CUPED, as COL for all metrics or METRIC=COL; a ratio takes NUM/DEN.
    #[arg(long, value_name = "COL")]
    pub cuped: Vec<String>,
    /// Column from before the assignment for regression adjustment; may be given several times.
    #[arg(long = "covariate", value_name = "COL")]
    pub covariates: Vec<String>,
    /// Column from before the assignment for post-stratification.
    #[arg(long, value_name = "COL")]
    pub strata: Option<String>,
    /// Column of clusters, where units are not independent.
    #[arg(long, value_name = "COL")]
    pub cluster: Option<String>,
    /// Column that identifies the unit: units in two arms are found and left out.
    #[arg(long, value_name = "COL")]
    pub unit: Option<String>,
    /// Column of segments declared beforehand; may be given several times.
    #[arg(long = "segment", value_name = "COL")]
    pub segments: Vec<String>,
    /// Column of a time (day of exposure, or days since) to see whether the effect changes.
    #[arg(long, value_name = "COL")]
    pub time: Option<String>,
    /// How much worse an arm may be, as METRIC=0.01 or METRIC=5%.
    #[arg(long = "margin", value_name = "METRIC=M")]
    pub margins: Vec<String>,
    /// Metric of which less is better.
    #[arg(long = "lower-is-better", value_name = "METRIC")]
    pub lower_is_better: Vec<String>,
    /// What is held against no effect.
    #[arg(long, value_enum, default_value_t = Sides::TwoSided)]
    pub alternative: Sides,
    /// Correction for several comparisons.
    #[arg(long, value_enum, default_value_t = Corrections::None)]
    pub correction: Corrections,
    /// Read before the end: a confidence sequence tightest at N units (`N`), `msprt:EFFECT`, or a group sequential test by its
    /// spending (`obrien-fleming`, `pocock`, `power:RHO`, `hwang-shih-decani:GAMMA`) with --look.
    #[arg(long, value_name = "HOW")]
    pub sequential: Option<String>,
    /// Looks of a group sequential test: their number, or fractions of the planned units such as 0.25,0.5,1.
    #[arg(long, value_name = "LOOKS", default_value = "5")]
    pub looks: String,
    /// Which of the planned looks this is, from 1.
    #[arg(long, value_name = "K")]
    pub look: Option<usize>,
    /// Normal prior of the relative lift for chance to win and risk, as MEAN,SD; flat without.
    #[arg(long, value_name = "MEAN,SD", allow_hyphen_values = true)]
    pub prior: Option<String>,
    /// Planned share of an arm, as NAME=WEIGHT; equal shares without.
    #[arg(long = "weight", value_name = "ARM=W")]
    pub weights: Vec<String>,
    /// Confidence level; that of the plan, or 0.95, without.
    #[arg(long)]
    pub level: Option<f64>,
    /// Seed of the draws behind simultaneous bands.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Sides of an alternative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Sides {
    /// Either way.
    TwoSided,
    /// The arm is above the control.
    Greater,
    /// The arm is below the control.
    Less,
}

/// Corrections for several comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Corrections {
    /// None.
    None,
    /// Holm.
    Holm,
    /// Benjamini–Hochberg.
    Bh,
    /// Simultaneous bands.
    Bands,
}

impl ExperimentReadArgs {
    /// The plan the flags say. Errors: flags that cannot be understood, or name a metric that is not read.
    pub fn plan(&self) -> Result<Plan, OneShotError> {
        let level = self.level.map_or(Ok(Level::P95), Level::new);
        let level = level.map_err(|e| OneShotError::finding(Diagnostic::error("TL045", e.to_string())))?;
        let control = self.control.as_deref().unwrap_or_default();
        let mut plan = Plan { level, seed: self.seed, ..Plan::new(&self.assignment, control) };
        plan.metrics = self.read_metrics()?;
        for text in &self.winsorise {
            let form = "METRIC@0.99 or METRIC=VALUE";
            let (name, cap) = if let Ok((name, value)) = split(text, '=', form) {
                (name, Cap::Value(number(value, text)?))
            } else {
                let (name, q) = split(text, '@', form)?;
                (name, Cap::Quantile(number(q, text)?))
            };
            find(&mut plan, name)?.cap = Some(cap);
        }
        for text in &self.cuped {
            match text.split_once('=') {
                Some((name, column)) => find(&mut plan, name)?.cuped = Some(column.to_owned()),
                None => plan.metrics.iter_mut().for_each(|m| m.cuped = Some(text.clone())),
            }
        }
        for text in &self.margins {
            let (name, size) = split(text, '=', "METRIC=0.01 or METRIC=5%")?;
            find(&mut plan, name)?.margin = Some(match size.strip_suffix('%') {
                Some(share) => Margin::Relative(number(share.trim(), text)? / 100.0),
                None => Margin::Absolute(number(size, text)?),
            });
        }
        for name in &self.lower_is_better {
            find(&mut plan, name)?.lower_is_better = true;
        }
        for text in &self.weights {
            let parsed = text.rsplit_once('=').and_then(|(arm, w)| Some((arm.to_owned(), w.parse::<f64>().ok()?)));
            plan.weights.push(parsed.ok_or_else(|| {
                OneShotError::finding(Diagnostic::error("TL049", format!("`{text}` is not ARM=WEIGHT")))
            })?);
        }
        if let Some(text) = &self.prior {
            let (mean, deviation) = split(text, ',', "MEAN,SD")?;
            plan.prior = Some(Prior { mean: number(mean, text)?, std_dev: number(deviation, text)? });
        }
        plan.covariates.clone_from(&self.covariates);
        plan.strata.clone_from(&self.strata);
        plan.cluster.clone_from(&self.cluster);
        plan.unit.clone_from(&self.unit);
        plan.segments.clone_from(&self.segments);
        plan.time.clone_from(&self.time);
        plan.sequential = self.sequential.as_deref().map(|how| self.read_looks(how)).transpose()?;
        plan.alternative = match self.alternative {
            Sides::TwoSided => Alternative::TwoSided,
            Sides::Greater => Alternative::Greater,
            Sides::Less => Alternative::Less,
        };
        plan.correction = match self.correction {
            Corrections::None => Correction::None,
            Corrections::Holm => Correction::Holm,
            Corrections::Bh => Correction::BenjaminiHochberg,
            Corrections::Bands => Correction::Bands,
        };
        Ok(plan)
    }

    fn read_looks(&self, how: &str) -> Result<Looks, OneShotError> {
        if let Ok(tuned_at) = how.parse::<f64>() {
            return Ok(Looks::ConfidenceSequence { tuned_at });
        }
        if let Some(effect) = how.strip_prefix("msprt:") {
            return Ok(Looks::Msprt { expected_effect: number(effect, how)? });
        }
        let spending = how.parse()?;
        let Some(look) = self.look else {
            let message = format!("`--sequential {how}` does not say which of the planned looks this is");
            return Err(OneShotError::finding(
                Diagnostic::error("TL065", message).help("add --look, for example --look 2"),
            ));
        };
        Ok(Looks::GroupSequential { fractions: fractions(&self.looks)?, look, spending })
    }

    fn read_metrics(&self) -> Result<Vec<Metric>, OneShotError> {
        let mut out: Vec<Metric> = self.metrics.iter().map(Metric::column).collect();
        for text in &self.ratios {
            let (name, ratio) = text.split_once('=').unwrap_or((text, text));
            let (numerator, denominator) = split(ratio, '/', "NUMERATOR/DENOMINATOR")?;
            let kind = Kind::Ratio { numerator: numerator.to_owned(), denominator: denominator.to_owned() };
            out.push(Metric::new(name, kind));
        }
        for text in &self.quantiles {
            let (column, at) = split(text, '@', "COL@0.9")?;
            out.push(Metric::new(text, Kind::Quantile { column: column.to_owned(), at: number(at, text)? }));
        }
        if let (Some(time), Some(exposed), Some(within)) = (&self.conversion, &self.exposed, &self.within) {
            let (length, _) = duration(within)?;
            // The end of the data is read with the columns, whose unit it shares.
            let kind = Kind::Conversion { time: time.clone(), exposed: exposed.clone(), within: length, until: None };
            out.push(Metric::new(format!("{time} within {within}"), kind));
        }
        Ok(out)
    }
}

fn find<'a>(plan: &'a mut Plan, name: &str) -> Result<&'a mut Metric, OneShotError> {
    let names: Vec<String> = plan.metrics.iter().map(|m| m.name.clone()).collect();
    plan.metrics.iter_mut().find(|m| m.name == name).ok_or_else(|| {
        let message = format!("`{name}` is not a metric that is read (metrics: {})", names.join(", "));
        OneShotError::finding(Diagnostic::error("TL065", message).help("name it with --metric, --ratio or --quantile"))
    })
}

fn split<'a>(text: &'a str, at: char, form: &str) -> Result<(&'a str, &'a str), OneShotError> {
    text.rsplit_once(at).filter(|(a, b)| !a.is_empty() && !b.is_empty()).ok_or_else(|| flag(text, form))
}

fn number(text: &str, whole: &str) -> Result<f64, OneShotError> {
    text.parse().ok().filter(|v: &f64| v.is_finite()).ok_or_else(|| flag(whole, "a number where one is expected"))
}

/// A flag that cannot be understood.
pub(super) fn flag(text: &str, form: &str) -> OneShotError {
    let message = format!("`{text}` cannot be understood, expected {form}");
    OneShotError::finding(Diagnostic::error("TL065", message))
}
