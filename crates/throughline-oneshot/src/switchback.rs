//! `throughline experiment switchback` and `experiment factorial`: designs with readings of their own.

use std::path::PathBuf;

use clap::Args;
use throughline_core::{Diagnostic, Level};
use throughline_evidence::design::factorial;
use throughline_evidence::design::switchback::{Errors, Observation, read};

use crate::files::read_table;
use crate::power::refuse;
use crate::{Answer, OneShotError};

/// A switchback to read.
#[derive(Debug, Args)]
pub struct SwitchbackArgs {
    /// CSV or Parquet file with one row per market and period.
    pub file: PathBuf,
    /// Column delimiter.
    #[arg(long, default_value = ",")]
    pub delimiter: String,
    /// Column of the period: a number that orders them.
    #[arg(long)]
    pub time: String,
    /// Column of the arm.
    #[arg(long)]
    pub assignment: String,
    /// The arm the other is compared with.
    #[arg(long)]
    pub control: String,
    /// Column of the outcome of a period.
    #[arg(long)]
    pub metric: String,
    /// Column of the market; one market without.
    #[arg(long)]
    pub market: Option<String>,
    /// Column of the randomised block; stretches of one arm without.
    #[arg(long)]
    pub block: Option<String>,
    /// Periods after a change of arm that do not count.
    #[arg(long, default_value_t = 0)]
    pub washout: usize,
    /// Newey and West's errors instead of clustered ones.
    #[arg(long)]
    pub newey_west: bool,
    /// Their lags.
    #[arg(long, requires = "newey_west")]
    pub lags: Option<usize>,
    /// Confidence level.
    #[arg(long, default_value_t = 0.95)]
    pub level: f64,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// A factorial experiment to read.
#[derive(Debug, Args)]
pub struct FactorialArgs {
    /// CSV or Parquet file with one row a unit.
    pub file: PathBuf,
    /// Column delimiter.
    #[arg(long, default_value = ",")]
    pub delimiter: String,
    /// Column of a factor, as COLUMN or COLUMN=BASE; several times.
    #[arg(long = "factor", required = true)]
    pub factors: Vec<String>,
    /// Column of the metric.
    #[arg(long)]
    pub metric: String,
    /// Confidence level.
    #[arg(long, default_value_t = 0.95)]
    pub level: f64,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

fn level(level: f64) -> Result<Level, OneShotError> {
    Level::new(level).map_err(|e| refuse("TL045", e.to_string(), "give for example 0.95"))
}

impl SwitchbackArgs {
    /// Carries the command out.
    pub fn run(&self) -> Result<Answer, OneShotError> {
        let optional = [self.market.as_ref(), self.block.as_ref()].into_iter().flatten();
        let columns: Vec<&str> =
            [&self.time, &self.assignment, &self.metric].into_iter().chain(optional).map(String::as_str).collect();
        let (table, mut found) = read_table(&self.file, &self.delimiter, &columns)?;
        let (time, outcome) = (table.numbers(&self.time)?, table.numbers(&self.metric)?);
        let (arms, names) = table.codes(&self.assignment)?;
        let control = names.iter().position(|n| *n == self.control);
        let (Some(control), 2) = (control, names.len()) else {
            let message = format!("arms {} with the control `{}`", names.join(", "), self.control);
            return Err(refuse("TL347", message, "a switchback has two arms, one of them the control"));
        };
        let codes = |name: Option<&String>| name.map(|n| table.codes(n)).transpose();
        let (markets, blocks) = (codes(self.market.as_ref())?, codes(self.block.as_ref())?);
        let of = |codes: &Option<(Vec<u32>, Vec<String>)>, i: usize| codes.as_ref().map(|(c, _)| c[i]);
        let usable = |i: &usize| {
            time[*i].is_finite()
                && outcome[*i].is_finite()
                && arms[*i] != u32::MAX
                && of(&markets, *i) != Some(u32::MAX)
        };
        let rows: Vec<usize> = (0..table.rows()).filter(usable).collect();
        if rows.len() < table.rows() {
            let message = format!("{} periods without a number, arm or market are left out", table.rows() - rows.len());
            found.push(
                Diagnostic::warning("TL344", message).help("a period that is left out also hides a change of arm"),
            );
        }
        let seen: Vec<Observation> = rows
            .iter()
            .map(|i| Observation {
                market: of(&markets, *i).unwrap_or(0),
                time: time[*i],
                treated: arms[*i] as usize != control,
                outcome: outcome[*i],
                block: of(&blocks, *i).filter(|b| *b != u32::MAX),
            })
            .collect();
        let errors = if self.newey_west { Errors::NeweyWest { lags: self.lags } } else { Errors::Blocks };
        let report = read(&seen, self.washout, errors, level(self.level)?)?;
        Ok(Answer::of(&report, &found))
    }

    /// Whether JSON is asked for.
    pub const fn json(&self) -> bool {
        self.json
    }
}

impl FactorialArgs {
    /// Carries the command out.
    pub fn run(&self) -> Result<Answer, OneShotError> {
        let factors: Vec<(&str, Option<&str>)> =
            self.factors.iter().map(|f| f.split_once('=').map_or((f.as_str(), None), |(n, b)| (n, Some(b)))).collect();
        let columns: Vec<&str> = factors.iter().map(|(n, _)| *n).chain([self.metric.as_str()]).collect();
        let (table, found) = read_table(&self.file, &self.delimiter, &columns)?;
        let report = factorial::read(&table, &factors, &self.metric, level(self.level)?)?;
        Ok(Answer::of(&report, &found))
    }

    /// Whether JSON is asked for.
    pub const fn json(&self) -> bool {
        self.json
    }
}
