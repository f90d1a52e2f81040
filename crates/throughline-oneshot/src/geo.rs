//! `throughline geo`: which markets to test, and what a test in named markets did.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use throughline_core::{Diagnostic, Level};
use throughline_evidence::geo::{Design, DesignSpec, Designs, GeoSpec, design, read_geo};
use throughline_evidence::synth::conformal::Permutations;
use throughline_evidence::synth::ridge::Ridge;
use throughline_evidence::{Column, EvidenceError, Panel, PanelSpec, Report, Table};

use crate::answer::{number, table};
use crate::files::read_table;
use crate::{Answer, OneShotError};

/// Geo experiments on plain files.
#[derive(Debug, Subcommand)]
pub enum GeoCommand {
    /// Search test markets, length and detectable effect before anything is spent.
    Design(GeoDesignArgs),
    /// Read a test in named markets.
    Read(GeoReadArgs),
}

/// The file and its columns.
#[derive(Debug, Args)]
pub struct GeoFileArgs {
    /// CSV or Parquet file with one row per market and period.
    pub file: PathBuf,
    /// Column delimiter.
    #[arg(long, default_value = ",")]
    pub delimiter: String,
    /// Column of the market.
    #[arg(long, default_value = "location")]
    pub unit: String,
    /// Column of the period: numbers or ISO dates.
    #[arg(long, default_value = "date")]
    pub time: String,
    /// Column of the outcome.
    #[arg(long, default_value = "Y")]
    pub outcome: String,
}

/// What to design.
#[derive(Debug, Args)]
pub struct GeoDesignArgs {
    /// The file.
    #[command(flatten)]
    pub data: GeoFileArgs,
    /// Lengths of the test in periods, separated by commas.
    #[arg(long, value_delimiter = ',', required = true)]
    pub durations: Vec<usize>,
    /// Numbers of test markets, separated by commas.
    #[arg(long, value_delimiter = ',', required = true)]
    pub markets: Vec<usize>,
    /// Relative effects to try, separated by commas; negative ones for spend cuts.
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true)]
    pub effects: Vec<f64>,
    /// Past windows to try each test in.
    #[arg(long, default_value_t = 5)]
    pub lookback: usize,
    /// Markets that must be tested, separated by commas.
    #[arg(long, value_delimiter = ',')]
    pub include: Vec<String>,
    /// Markets that must not be tested, separated by commas.
    #[arg(long, value_delimiter = ',')]
    pub exclude: Vec<String>,
    /// Cost per incremental unit of outcome.
    #[arg(long)]
    pub cpic: Option<f64>,
    /// Column of past spend.
    #[arg(long)]
    pub spend: Option<String>,
    /// Planned relative change of spend in the test markets: −1 is a blackout.
    #[arg(long, allow_hyphen_values = true)]
    pub spend_change: Option<f64>,
    /// What may be spent at most.
    #[arg(long)]
    pub budget: Option<f64>,
    /// Share of the outcome that stays without the treatment, as LEAST:MOST.
    #[arg(long)]
    pub holdout: Option<String>,
    /// 1 − the significance level of the test.
    #[arg(long, default_value_t = 0.9)]
    pub level: f64,
    /// Power that must be exceeded.
    #[arg(long, default_value_t = 0.8)]
    pub power: f64,
    /// Random orders of the test.
    #[arg(long, default_value_t = 999)]
    pub draws: u32,
    /// Seed of everything that is drawn.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Designs shown at most.
    #[arg(long, default_value_t = 10)]
    pub top: usize,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// What to read.
#[derive(Debug, Args)]
pub struct GeoReadArgs {
    /// The file.
    #[command(flatten)]
    pub data: GeoFileArgs,
    /// Test markets, separated by commas.
    #[arg(long, value_delimiter = ',', required = true)]
    pub markets: Vec<String>,
    /// First period of the test.
    #[arg(long)]
    pub from: String,
    /// Last period of the test; the last of the data without.
    #[arg(long)]
    pub to: Option<String>,
    /// What the test cost in all; negative when spend was cut.
    #[arg(long, allow_hyphen_values = true)]
    pub spend: Option<f64>,
    /// Augment by a ridge regression, its penalty by cross-validation.
    #[arg(long)]
    pub ridge: bool,
    /// Cyclic shifts instead of random orders: for residuals that depend on each other over time.
    #[arg(long)]
    pub block: bool,
    /// Random orders.
    #[arg(long, default_value_t = 4_999)]
    pub draws: u32,
    /// Confidence level.
    #[arg(long, default_value_t = 0.9)]
    pub level: f64,
    /// Seed of the random orders.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

impl GeoCommand {
    /// Carries the command out.
    pub fn run(&self) -> Result<Answer, OneShotError> {
        match self {
            Self::Design(args) => args.run(),
            Self::Read(args) => args.run(),
        }
    }

    /// Whether JSON is asked for.
    pub const fn json(&self) -> bool {
        match self {
            Self::Design(args) => args.json,
            Self::Read(args) => args.json,
        }
    }
}

fn level_of(level: f64) -> Result<Level, OneShotError> {
    Level::new(level).map_err(|e| OneShotError::finding(Diagnostic::error("TL045", e.to_string())))
}

/// Unit names as in the data, whatever the case they were typed in.
fn spelled(names: &[String], known: &[String]) -> Vec<String> {
    let same = |name: &String| known.iter().find(|k| k.to_lowercase() == name.trim().to_lowercase()).cloned();
    names.iter().map(|n| same(n).unwrap_or_else(|| n.clone())).collect()
}

impl GeoFileArgs {
    /// The panel with `treated` marked from a period on, and other columns as covariates.
    fn panel(
        &self,
        treated: &[String],
        from: Option<&str>,
        others: &[&str],
    ) -> Result<(Panel, Vec<Diagnostic>), OneShotError> {
        let mut columns = vec![self.unit.as_str(), &self.time, &self.outcome];
        columns.extend(others);
        let (table, found) = read_table(&self.file, &self.delimiter, &columns)?;
        Ok((marked(table, self, treated, from, others)?, found))
    }
}

/// A column that marks the treated units, under a name no file has.
const MARK: &str = "\u{0}treated";

fn marked(
    mut table: Table,
    args: &GeoFileArgs,
    treated: &[String],
    from: Option<&str>,
    others: &[&str],
) -> Result<Panel, EvidenceError> {
    let (codes, names) = table.codes(&args.unit)?;
    let treated = spelled(treated, &names);
    if let Some(unknown) = treated.iter().find(|t| !names.contains(t)) {
        let near = throughline_core::diagnostic::closest(unknown, names.iter().map(String::as_str));
        return Err(EvidenceError::Data {
            code: "TL362",
            message: format!("`{unknown}` is not a market of the data"),
            help: near.map_or_else(|| "write markets as in the data".to_owned(), |n| format!("did you mean `{n}`?")),
        });
    }
    let is = |c: &u32| names.get(*c as usize).is_some_and(|n| treated.contains(n));
    let mark = codes.iter().map(|c| f64::from(u8::from(is(c)))).collect();
    table.push(MARK, Column::Numbers(mark))?;
    let spec = PanelSpec {
        unit: &args.unit,
        time: &args.time,
        outcome: &args.outcome,
        treatment: MARK,
        treated_from: from,
        covariates: others,
        cluster: None,
    };
    Panel::of(&table, &spec)
}

impl GeoReadArgs {
    fn run(&self) -> Result<Answer, OneShotError> {
        let (report, found) = self.report()?;
        Ok(Answer::of(&report, &found))
    }

    /// The reading, with what reading the file found.
    pub fn report(&self) -> Result<(Report, Vec<Diagnostic>), OneShotError> {
        let (panel, found) = self.data.panel(&self.markets, Some(&self.from), &[])?;
        let panel = if self.to.is_some() { panel.between(None, self.to.as_deref())? } else { panel };
        let permutations =
            if self.block { Permutations::Block } else { Permutations::Iid { draws: self.draws, seed: self.seed } };
        let spec = GeoSpec {
            ridge: self.ridge.then(Ridge::default),
            permutations,
            spend: self.spend,
            ..GeoSpec::new(level_of(self.level)?)
        };
        Ok((read_geo(&panel, &spec)?, found))
    }
}

impl GeoDesignArgs {
    fn run(&self) -> Result<Answer, OneShotError> {
        let (designs, found) = self.designs()?;
        let shown = &designs.designs[..designs.designs.len().min(self.top)];
        let diagnostics: Vec<&Diagnostic> = designs.diagnostics.iter().chain(&found).collect();
        let json = json!({
            "method": "geo_design",
            "designs": shown,
            "found": designs.designs.len(),
            "candidates": designs.candidates,
            "fits": designs.fits,
            "diagnostics": diagnostics,
        });
        let mut text = as_table(shown);
        for diagnostic in diagnostics {
            text.push_str(&format!("\n{diagnostic}"));
        }
        Ok(Answer { json, text })
    }

    /// The designs, all of them.
    pub fn designs(&self) -> Result<(Designs, Vec<Diagnostic>), OneShotError> {
        let others: Vec<&str> = self.spend.iter().map(String::as_str).collect();
        let (panel, found) = self.data.panel(&[], None, &others)?;
        let known: Vec<String> = (0..panel.units()).map(|i| panel.unit_name(i)).collect();
        let mut spec = DesignSpec::new(self.durations.clone(), self.markets.clone());
        if !self.effects.is_empty() {
            spec.effects.clone_from(&self.effects);
        }
        spec.lookback = self.lookback;
        spec.include = spelled(&self.include, &known);
        spec.exclude = spelled(&self.exclude, &known);
        (spec.cpic, spec.spend_change, spec.budget) = (self.cpic, self.spend_change, self.budget);
        spec.holdout = self.holdout.as_deref().map(range).transpose()?;
        spec.level = level_of(self.level)?;
        spec.power = self.power;
        spec.permutations = Permutations::Iid { draws: self.draws, seed: self.seed };
        let spend: Option<Vec<f64>> =
            panel.covariates().next().map(|(_, s)| s.iter().map(|x| if x.is_nan() { 0.0 } else { *x }).collect());
        Ok((design(&panel, spend.as_deref(), &spec)?, found))
    }
}

fn range(text: &str) -> Result<(f64, f64), OneShotError> {
    let parsed = text.split_once(':').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
    parsed.filter(|(a, b): &(f64, f64)| a < b && *a >= 0.0 && *b <= 1.0).ok_or_else(|| {
        let message = format!("`{text}` is not LEAST:MOST with shares from 0 to 1");
        OneShotError::finding(Diagnostic::error("TL362", message).help("for example --holdout 0.7:0.95"))
    })
}

fn as_table(designs: &[Design]) -> String {
    let rows: Vec<Vec<String>> = designs
        .iter()
        .map(|d| {
            let money = |x: Option<f64>| x.map_or_else(|| "–".to_owned(), number);
            vec![
                d.rank.to_string(),
                d.markets.join(", "),
                d.duration.to_string(),
                format!("{:.1} %", 100.0 * d.minimum_detectable_effect),
                format!("{:.0} %", 100.0 * d.at.power),
                format!("{:.3}", d.scaled_l2),
                money(d.at.investment.or(d.spend_change)),
                number(d.at.incremental),
                format!("{:.1} %", 100.0 * d.holdout),
            ]
        })
        .collect();
    let header = ["rank", "markets", "periods", "effect", "power", "imbalance", "spend", "incremental", "holdout"];
    table(&header, &[0, 2, 3, 4, 5, 6, 7, 8], &rows)
}
