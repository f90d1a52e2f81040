//! `throughline panel`: units over periods in a file, the effect of a treatment that began in some of them out.
//!
//! One file per method under `panel/`, each with a function from [`PanelArgs`] to an [`Answer`].

mod cs;
mod did;
mod geo;
mod its;
mod sc;
mod sdid;
mod synth_args;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use throughline_core::{Diagnostic, Level};
use throughline_evidence::{Panel, PanelSpec};

pub use self::its::{ItsArgs, ItsModel, ItsPrior};
pub use synth_args::{ImportanceChoice, InferenceChoice, PermutationChoice, SolverChoice, SynthArgs, VarianceChoice};

use crate::files::read_table;
use crate::{Answer, OneShotError};

/// How to estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PanelMethod {
    /// Difference-in-differences with an event study.
    Did,
    /// Synthetic control.
    Sc,
    /// Synthetic difference-in-differences.
    Sdid,
    /// Callaway and Sant'Anna: staggered adoption.
    Cs,
    /// Interrupted time series.
    Its,
    /// Geo experiment read by augmented synthetic control.
    Geo,
}

/// Units that serve as controls of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ControlChoice {
    /// Units that are never treated.
    Never,
    /// Units that are not treated yet.
    Notyet,
}

/// The period that later ones are compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BaseChoice {
    /// The period before, until the treatment begins.
    Varying,
    /// The last period before the treatment throughout.
    Universal,
}

/// How covariates are adjusted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EstimatorChoice {
    /// Outcome regression.
    Reg,
    /// Inverse probability weighting.
    Ipw,
    /// Doubly robust.
    Dr,
}

/// How effects of groups and periods become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AggregateChoice {
    /// All treated cells by the size of their group.
    Simple,
    /// By group, then by the size of the groups.
    Group,
    /// By time since the treatment began.
    Dynamic,
    /// By period.
    Calendar,
}

/// What to read and how.
#[derive(Debug, Args)]
pub struct PanelArgs {
    /// CSV or Parquet file with one row per unit and period.
    pub file: PathBuf,
    /// Column delimiter.
    #[arg(long, default_value = ",")]
    pub delimiter: String,
    /// Column of the unit; its alone can do without: a file with one row per period.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub unit: String,
    /// Column of the period: numbers or ISO dates.
    #[arg(long)]
    pub time: String,
    /// Column of the outcome.
    #[arg(long)]
    pub outcome: String,
    /// Column of the treatment: 0/1 per unit and period, or the first treated period of the unit (0 or blank: never).
    /// its can do without when the intervention is named.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub treatment: String,
    /// The method.
    #[arg(long, value_enum)]
    pub method: PanelMethod,
    /// First treated period; the treatment column then only marks the treated units.
    #[arg(long)]
    pub treated_from: Option<String>,
    /// First period that is used.
    #[arg(long)]
    pub pre: Option<String>,
    /// Last period that is used.
    #[arg(long)]
    pub post: Option<String>,
    /// Covariates, separated by commas or given several times.
    #[arg(long, value_delimiter = ',')]
    pub covariates: Vec<String>,
    /// cs: which units are controls.
    #[arg(long, value_enum, default_value = "never")]
    pub control_group: ControlChoice,
    /// cs: which period is the base.
    #[arg(long, value_enum, default_value = "varying")]
    pub base: BaseChoice,
    /// cs: how long before its beginning the treatment may already have an effect, in the units of the period column.
    #[arg(long, default_value_t = 0.0)]
    pub anticipation: f64,
    /// cs: how covariates are adjusted for.
    #[arg(long, value_enum, default_value = "dr")]
    pub estimator: EstimatorChoice,
    /// cs: which aggregation is the answer; the others stand beside it.
    #[arg(long, value_enum, default_value = "group")]
    pub aggregate: AggregateChoice,
    /// Column of clusters; units are independent without.
    #[arg(long)]
    pub cluster: Option<String>,
    /// Confidence level.
    #[arg(long, default_value_t = 0.95)]
    pub level: f64,
    /// Seed of everything that is drawn.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Settings of synthetic controls.
    #[command(flatten)]
    pub synth: SynthArgs,
    /// What only an interrupted time series needs.
    #[command(flatten)]
    pub its: ItsArgs,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

impl PanelArgs {
    /// Carries the command out.
    pub fn run(&self) -> Result<Answer, OneShotError> {
        match self.method {
            PanelMethod::Did => did::run(self),
            PanelMethod::Sc => sc::run(self),
            PanelMethod::Sdid => sdid::run(self),
            PanelMethod::Cs => cs::run(self),
            PanelMethod::Its => its::run(self),
            PanelMethod::Geo => geo::run(self),
        }
    }

    /// Whether JSON is asked for.
    pub const fn json(&self) -> bool {
        self.json
    }

    /// The confidence level. Errors: TL045.
    pub fn level(&self) -> Result<Level, OneShotError> {
        Level::new(self.level).map_err(|e| OneShotError::finding(Diagnostic::error("TL045", e.to_string())))
    }

    /// Reads the panel, between `--pre` and `--post` where they are given, with what reading the file found.
    pub fn panel(&self) -> Result<(Panel, Vec<Diagnostic>), OneShotError> {
        for (name, given) in [("--unit", &self.unit), ("--treatment", &self.treatment)] {
            if given.is_empty() {
                let finding = Diagnostic::error("TL065", format!("this method needs {name}"));
                return Err(OneShotError::finding(finding.help("name the column of the file")));
            }
        }
        let covariates: Vec<&str> = self.covariates.iter().map(String::as_str).collect();
        let mut columns = vec![self.unit.as_str(), &self.time, &self.outcome, &self.treatment];
        columns.extend(covariates.iter().copied().chain(self.cluster.as_deref()));
        let (table, found) = read_table(&self.file, &self.delimiter, &columns)?;
        let spec = PanelSpec {
            unit: &self.unit,
            time: &self.time,
            outcome: &self.outcome,
            treatment: &self.treatment,
            treated_from: self.treated_from.as_deref(),
            covariates: &covariates,
            cluster: self.cluster.as_deref(),
        };
        let panel = Panel::of(&table, &spec)?;
        if self.pre.is_none() && self.post.is_none() {
            return Ok((panel, found));
        }
        Ok((panel.between(self.pre.as_deref(), self.post.as_deref())?, found))
    }
}
