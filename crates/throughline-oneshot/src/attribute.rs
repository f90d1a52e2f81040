//! `throughline attribute`: paths in a file, credits with intervals out.

mod read;

mod show;

use std::path::PathBuf;

use clap::Args;
use throughline_attribution::{
    Credits, CreditsWithIntervals, DEFAULT_DRAWS, Model, Totals, bootstrap, bootstrap_clusters, read_spec,
};
use throughline_core::{Diagnostic, Level};

pub use read::{read_journeys, read_paths};

use crate::{Answer, OneShotError};

/// What to read and how.
#[derive(Debug, Clone, Args)]
pub struct AttributeArgs {
    /// CSV or Parquet file: one row a path, with counts; with --person, one row a journey.
    pub file: PathBuf,
    /// Column delimiter.
    #[arg(long, default_value = ",")]
    pub delimiter: String,
    /// Column of the path; in Parquet, texts or lists of texts.
    #[arg(long, default_value = "path")]
    pub path: String,
    /// What stands between the steps of a path.
    #[arg(long, default_value = " > ")]
    pub separator: String,
    /// Column of the number of conversions; without it, each row is one conversion.
    #[arg(long)]
    pub conversions: Option<String>,
    /// Column of the total value of the conversions.
    #[arg(long)]
    pub value: Option<String>,
    /// Column of the number of times the path did not convert.
    #[arg(long)]
    pub nulls: Option<String>,
    /// Column of the person (or household, or geo) of each row, which then is one journey; draws take all journeys of a
    /// person together. A journey without conversion needs no --nulls.
    #[arg(long)]
    pub person: Option<String>,
    /// Model, for example linear, time_decay:7d, markov:1; may be given several times.
    #[arg(long = "model", required = true)]
    pub models: Vec<String>,
    /// Also the differences between every two models, with intervals.
    #[arg(long)]
    pub compare: bool,
    /// Bootstrap draws of the intervals; 0 for credits without intervals.
    #[arg(long, default_value_t = DEFAULT_DRAWS)]
    pub draws: usize,
    /// Confidence level.
    #[arg(long, default_value_t = 0.9)]
    pub level: f64,
    /// Seed of the draws.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Credits of every model, with intervals unless no draws were asked for.
enum Found {
    Points(Vec<Credits>),
    Intervals(Vec<CreditsWithIntervals>),
}

impl AttributeArgs {
    /// Carries the command out.
    pub fn run(&self) -> Result<Answer, OneShotError> {
        let level = Level::new(self.level).map_err(|e| {
            OneShotError::finding(Diagnostic::error("TL045", e.to_string()).help("for example --level 0.9"))
        })?;
        if self.compare && self.draws == 0 {
            let finding = Diagnostic::error("TL065", "differences come from draws, and --draws is 0");
            return Err(OneShotError::finding(finding.help("leave out --compare or --draws")));
        }
        let models = self.models.iter().map(|m| read_spec(m)).collect::<Result<Vec<_>, _>>()?;
        let (totals, found, findings) = self.credits(&models, level)?;
        show::answer(self, totals, &found, &findings)
    }

    fn credits(
        &self,
        models: &[Box<dyn Model>],
        level: Level,
    ) -> Result<(Totals, Found, Vec<Diagnostic>), OneShotError> {
        if self.person.is_some() {
            let (journeys, findings) = read_journeys(self)?;
            let found = match self.draws {
                0 => Found::Points(points(models, journeys.paths())?),
                draws => Found::Intervals(bootstrap_clusters(&journeys, models, draws, self.seed, level)?),
            };
            return Ok((journeys.totals(), found, findings));
        }
        let (paths, findings) = read_paths(self)?;
        let found = match self.draws {
            0 => Found::Points(points(models, &paths)?),
            draws => Found::Intervals(bootstrap(&paths, models, draws, self.seed, level)?),
        };
        Ok((paths.totals(), found, findings))
    }
}

fn points(models: &[Box<dyn Model>], paths: &throughline_attribution::PathTable) -> Result<Vec<Credits>, OneShotError> {
    Ok(models.iter().map(|m| m.attribute(paths)).collect::<Result<_, _>>()?)
}
