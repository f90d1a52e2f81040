//! `throughline rd`: the effect of a treatment at the cut-off of the score that decides who gets it.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use throughline_core::{Diagnostic, Level};
use throughline_evidence::Report;
use throughline_evidence::rd::{Kernel, RdColumns, RdData, RdSettings, RdVariance, analyse};

use crate::answer::number;
use crate::files::read_table;
use crate::{Answer, OneShotError};

/// What to read and how.
#[derive(Debug, Clone, Args)]
pub struct RdArgs {
    /// CSV or Parquet file with one row a unit.
    pub file: PathBuf,
    /// Column delimiter.
    #[arg(long, default_value = ",")]
    pub delimiter: String,
    /// Column of the outcome.
    #[arg(long)]
    pub outcome: String,
    /// Column of the score.
    #[arg(long)]
    pub score: String,
    /// Units at or above it are treated.
    #[arg(long, allow_negative_numbers = true)]
    pub cutoff: f64,
    /// Column of the treatment received, where the cut-off does not decide alone (fuzzy design).
    #[arg(long)]
    pub treatment: Option<String>,
    /// Columns fixed before the treatment, comma-separated: they sharpen the estimate and are checked for balance.
    #[arg(long, value_delimiter = ',')]
    pub covariates: Vec<String>,
    /// How weight falls with distance from the cut-off.
    #[arg(long, value_enum, default_value_t = KernelKind::Triangular)]
    pub kernel: KernelKind,
    /// Order of the local polynomial.
    #[arg(long, default_value_t = 1)]
    pub order: u8,
    /// Bandwidth; the one of least mean squared error without.
    #[arg(long)]
    pub bandwidth: Option<f64>,
    /// Bandwidth of the bias estimate; as --bandwidth without.
    #[arg(long, requires = "bandwidth")]
    pub bias_bandwidth: Option<f64>,
    /// What errors are made of: differences from nearest neighbours, or residuals.
    #[arg(long, value_enum, default_value_t = VarianceKind::Nn)]
    pub variance: VarianceKind,
    /// Units nearer to the cut-off than this are left out.
    #[arg(long, default_value_t = 0.0)]
    pub donut: f64,
    /// Column whose equal values belong together.
    #[arg(long)]
    pub cluster: Option<String>,
    /// Confidence level.
    #[arg(long, default_value_t = 0.95)]
    pub level: f64,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// How weight falls with distance from the cut-off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KernelKind {
    /// In a straight line.
    Triangular,
    /// In a parabola.
    Epanechnikov,
    /// Not at all within the bandwidth.
    Uniform,
}

/// What errors are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum VarianceKind {
    /// Three nearest neighbours.
    Nn,
    /// Residuals.
    Hc0,
    /// Residuals times √(n / (n − k)).
    Hc1,
    /// Residuals over √(1 − leverage).
    Hc2,
    /// Residuals over 1 − leverage.
    Hc3,
}

impl RdArgs {
    /// Carries the command out.
    pub fn run(&self) -> Result<Answer, OneShotError> {
        let (report, found) = self.report()?;
        let mut answer = Answer::of(&report, &found);
        let at = |path: &str| {
            report.details.get("bandwidth").and_then(|b| b[path].as_f64()).map_or_else(String::new, number)
        };
        answer.text.push_str(&format!("\n\nbandwidth {} (of the bias {})", at("h"), at("b")));
        if let Some(p) = report.details.get("density").and_then(|d| d["p_value"].as_f64()) {
            answer.text.push_str(&format!("\ndensity of the score at the cut-off: p = {p:.4} that it does not jump"));
        }
        Ok(answer)
    }

    /// Whether JSON is asked for.
    pub const fn json(&self) -> bool {
        self.json
    }

    /// The report, and what reading the file found.
    pub fn report(&self) -> Result<(Report, Vec<Diagnostic>), OneShotError> {
        let level =
            Level::new(self.level).map_err(|e| OneShotError::finding(Diagnostic::error("TL045", e.to_string())))?;
        let mut columns = vec![self.outcome.as_str(), self.score.as_str()];
        columns.extend(self.treatment.as_deref());
        columns.extend(self.covariates.iter().map(String::as_str));
        columns.extend(self.cluster.as_deref());
        let (table, mut found) = read_table(&self.file, &self.delimiter, &columns)?;
        let names = RdColumns {
            outcome: &self.outcome,
            score: &self.score,
            treatment: self.treatment.as_deref(),
            covariates: &self.covariates,
            cluster: self.cluster.as_deref(),
            cutoff: self.cutoff,
        };
        let (data, more) = RdData::from_table(&table, &names)?;
        found.extend(more);
        let settings = RdSettings {
            order: usize::from(self.order),
            kernel: match self.kernel {
                KernelKind::Triangular => Kernel::Triangular,
                KernelKind::Epanechnikov => Kernel::Epanechnikov,
                KernelKind::Uniform => Kernel::Uniform,
            },
            h: self.bandwidth,
            b: self.bias_bandwidth,
            variance: match self.variance {
                VarianceKind::Nn => RdVariance::NearestNeighbour(3),
                VarianceKind::Hc0 => RdVariance::Hc0,
                VarianceKind::Hc1 => RdVariance::Hc1,
                VarianceKind::Hc2 => RdVariance::Hc2,
                VarianceKind::Hc3 => RdVariance::Hc3,
            },
            donut: self.donut,
            level,
        };
        Ok((analyse(&data, &settings)?, found))
    }
}
