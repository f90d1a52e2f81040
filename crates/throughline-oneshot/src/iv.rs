//! `throughline iv`: the effect of something chosen together with the outcome, from instruments that moved it.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::Value;
use throughline_core::{Diagnostic, Level};
use throughline_evidence::Report;
use throughline_evidence::iv::{IvColumns, IvCovariance, IvData, IvMethod, IvSettings, analyse};

use crate::answer::number;
use crate::files::read_table;
use crate::{Answer, OneShotError};

/// What to read and how.
#[derive(Debug, Clone, Args)]
pub struct IvArgs {
    /// CSV or Parquet file with one row a unit.
    pub file: PathBuf,
    /// Column delimiter.
    #[arg(long, default_value = ",")]
    pub delimiter: String,
    /// Column of the outcome.
    #[arg(long)]
    pub outcome: String,
    /// Columns chosen together with the outcome, comma-separated; the first is the one asked about.
    #[arg(long, value_delimiter = ',', required = true)]
    pub endogenous: Vec<String>,
    /// Columns that move them and touch the outcome through them only, comma-separated.
    #[arg(long, value_delimiter = ',', required = true)]
    pub instruments: Vec<String>,
    /// Columns held fixed, comma-separated; texts become one 0/1 column each but the first. A constant is always there.
    #[arg(long, value_delimiter = ',')]
    pub controls: Vec<String>,
    /// Estimator.
    #[arg(long, value_enum, default_value_t = Method::Tsls)]
    pub method: Method,
    /// Errors; robust without, clustered where --cluster is given.
    #[arg(long, value_enum)]
    pub covariance: Option<CovarianceKind>,
    /// Column whose equal values belong together.
    #[arg(long)]
    pub cluster: Option<String>,
    /// Divide by n − k and use Student's t.
    #[arg(long)]
    pub small_sample: bool,
    /// Confidence level.
    #[arg(long, default_value_t = 0.95)]
    pub level: f64,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// The estimator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Method {
    /// Two-stage least squares.
    #[value(name = "2sls")]
    Tsls,
    /// Limited-information maximum likelihood.
    Liml,
    /// Fuller's LIML with constant 1.
    Fuller,
    /// Two-step efficient GMM.
    Gmm,
    /// GMM repeated until its weights stand.
    GmmIterated,
}

/// Which errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CovarianceKind {
    /// Equal variances.
    Classical,
    /// Unequal variances.
    Robust,
    /// Dependence within clusters.
    Cluster,
}

impl IvArgs {
    /// Carries the command out.
    pub fn run(&self) -> Result<Answer, OneShotError> {
        let (report, found) = self.report()?;
        let mut answer = Answer::of(&report, &found);
        answer.text.push_str(&strength_in_words(&report));
        Ok(answer)
    }

    /// Whether JSON is asked for.
    pub const fn json(&self) -> bool {
        self.json
    }

    /// The report, and what reading the file found.
    pub fn report(&self) -> Result<(Report, Vec<Diagnostic>), OneShotError> {
        let settings = self.settings()?;
        let mut columns = vec![self.outcome.as_str()];
        for list in [&self.endogenous, &self.instruments, &self.controls] {
            columns.extend(list.iter().map(String::as_str));
        }
        columns.extend(self.cluster.as_deref());
        let (table, mut found) = read_table(&self.file, &self.delimiter, &columns)?;
        let names = IvColumns {
            outcome: &self.outcome,
            endogenous: &self.endogenous,
            instruments: &self.instruments,
            controls: &self.controls,
            cluster: self.cluster.as_deref(),
        };
        let (data, more) = IvData::from_table(&table, &names)?;
        found.extend(more);
        Ok((analyse(&data, &settings)?, found))
    }

    fn settings(&self) -> Result<IvSettings, OneShotError> {
        let level =
            Level::new(self.level).map_err(|e| OneShotError::finding(Diagnostic::error("TL045", e.to_string())))?;
        let covariance = match (self.covariance, &self.cluster) {
            (None, None) | (Some(CovarianceKind::Robust), _) => IvCovariance::Robust,
            (None | Some(CovarianceKind::Cluster), Some(_)) => IvCovariance::Cluster,
            (Some(CovarianceKind::Classical), _) => IvCovariance::Classical,
            (Some(CovarianceKind::Cluster), None) => {
                let message = "clustered errors need to know what belongs together";
                return Err(OneShotError::finding(
                    Diagnostic::error("TL065", message).help("name the column with --cluster"),
                ));
            }
        };
        let method = match self.method {
            Method::Tsls => IvMethod::Tsls,
            Method::Liml => IvMethod::Liml,
            Method::Fuller => IvMethod::Fuller,
            Method::Gmm => IvMethod::Gmm,
            Method::GmmIterated => IvMethod::GmmIterated,
        };
        Ok(IvSettings { method, covariance, small_sample: self.small_sample, level })
    }
}

/// First stages and tests, a line each.
fn strength_in_words(report: &Report) -> String {
    let at = |v: &Value| v.as_f64().map_or_else(|| "–".to_owned(), number);
    let mut out = String::from("\n");
    for stage in report.details.get("first_stage").and_then(Value::as_array).into_iter().flatten() {
        out.push_str(&format!(
            "\nfirst stage of {}: F {}, robust F {}, partial R² {}",
            stage["endogenous"].as_str().unwrap_or_default(),
            at(&stage["f"]),
            at(&stage["robust_f_hc1"]),
            at(&stage["partial_r_squared"])
        ));
    }
    if let Some(weak) = report.details.get("weak_instruments").filter(|w| w.get("effective_f").is_some()) {
        let critical = at(&weak["critical"]["bias_10"]);
        out.push_str(&format!("\neffective F {} (strong above {critical})", at(&weak["effective_f"])));
    }
    for (name, words) in [
        ("sargan", "Sargan: do the instruments agree"),
        ("hansen_j", "Hansen J: do the instruments agree"),
        ("wooldridge", "Wooldridge: is the variable endogenous at all"),
    ] {
        if let Some(test) = report.details.get("tests").and_then(|t| t.get(name)) {
            out.push_str(&format!("\n{words}: p = {}", at(&test["p_value"])));
        }
    }
    out
}
