//! `throughline experiment`: units in a file, effects with intervals out.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use throughline_core::diagnostic::closest;
use throughline_core::{Diagnostic, Level};
use throughline_evidence::{Accumulator, ExperimentSpec, MetricKind, Reading};

use crate::answer::{interval, number as number_shown, table};
use crate::assign::AssignArgs;
use crate::design::DesignArgs;
use crate::files::{Csv, number, text};
use crate::switchback::{FactorialArgs, SwitchbackArgs};
use crate::{Answer, OneShotError};

/// Experiments on plain files.
#[derive(Debug, Subcommand)]
pub enum ExperimentCommand {
    /// Read an experiment from a file with one row a unit.
    Read(ExperimentReadArgs),
    /// Plan an experiment: arms, units, stop rule and what is compared.
    Design(Box<DesignArgs>),
    /// Assign units to arms by salted hashes.
    Assign(AssignArgs),
    /// Read a switchback experiment from a file with one row per market and period.
    Switchback(SwitchbackArgs),
    /// Read a factorial experiment: main effects and interactions.
    Factorial(FactorialArgs),
}

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
    /// The arm the others are compared with.
    #[arg(long)]
    pub control: String,
    /// Column of a metric; may be given several times.
    #[arg(long = "metric", required = true)]
    pub metrics: Vec<String>,
    /// Planned share of an arm, as NAME=WEIGHT; equal shares without.
    #[arg(long = "weight")]
    pub weights: Vec<String>,
    /// Confidence level.
    #[arg(long, default_value_t = 0.95)]
    pub level: f64,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

impl ExperimentCommand {
    /// Carries the command out.
    pub fn run(&self) -> Result<Answer, OneShotError> {
        match self {
            Self::Read(args) => {
                let (reading, findings) = reading(args)?;
                let mut text = as_table(&reading);
                for finding in reading.diagnostics.iter().chain(findings.iter().take(10)) {
                    text.push_str(&format!("\n{finding}"));
                }
                Ok(Answer { json: as_json(&reading, &findings), text })
            }
            Self::Design(args) => args.run(),
            Self::Assign(args) => args.run(),
            Self::Switchback(args) => args.run(),
            Self::Factorial(args) => args.run(),
        }
    }

    /// Whether JSON is asked for.
    pub const fn json(&self) -> bool {
        match self {
            Self::Read(args) => args.json,
            Self::Design(args) => args.json(),
            Self::Assign(args) => args.json(),
            Self::Switchback(args) => args.json(),
            Self::Factorial(args) => args.json(),
        }
    }
}

/// One pass over the file: arms and metrics are found as they come, so units are kept until the arms are known.
pub fn reading(args: &ExperimentReadArgs) -> Result<(Reading, Vec<Diagnostic>), OneShotError> {
    let level = Level::new(args.level).map_err(|e| OneShotError::finding(Diagnostic::error("TL045", e.to_string())))?;
    let mut csv = Csv::open(&args.file, &args.delimiter)?;
    let assignment = csv.column(&args.assignment)?;
    let metrics = args.metrics.iter().map(|m| csv.column(m)).collect::<Result<Vec<_>, _>>()?;
    let mut arms: BTreeMap<String, u32> = BTreeMap::new();
    let mut units: Vec<(u32, Vec<Option<f64>>)> = Vec::new();
    let mut binary = vec![true; metrics.len()];
    let findings = csv.rows(|_, record| {
        let arm = text(record, assignment)?;
        if arm.is_empty() {
            return Err(Diagnostic::warning("TL047", "no arm in this row; it is left out"));
        }
        let values = metrics.iter().map(|m| number(record, *m)).collect::<Result<Vec<_>, _>>()?;
        for (binary, value) in binary.iter_mut().zip(&values) {
            *binary &= value.is_none_or(|v| v == 0.0 || v == 1.0);
        }
        let next = u32::try_from(arms.len()).unwrap_or(u32::MAX);
        let index = *arms.entry(arm.to_owned()).or_insert(next);
        units.push((index, values));
        Ok(())
    })?;
    let mut names = vec![String::new(); arms.len()];
    for (name, index) in &arms {
        names[*index as usize].clone_from(name);
    }
    if !names.contains(&args.control) {
        let mut finding = Diagnostic::error(
            "TL048",
            format!("no unit has the control `{}` (arms found: {})", args.control, names.join(", ")),
        );
        if let Some(close) = closest(&args.control, names.iter().map(String::as_str)) {
            finding = finding.help(format!("did you mean `{close}`?"));
        }
        return Err(OneShotError::finding(finding.at(args.file.display().to_string(), None, None)));
    }
    let mut spec = ExperimentSpec::new(names, &args.control);
    spec.level = level;
    for (name, binary) in args.metrics.iter().zip(&binary) {
        spec = spec.metric(name, if *binary { MetricKind::Proportion } else { MetricKind::Mean });
    }
    weights(args, &mut spec)?;
    let mut accumulator = Accumulator::new(&spec)?;
    for (arm, values) in &units {
        accumulator.observe(*arm as usize, values)?;
    }
    Ok((accumulator.finish(), findings))
}

fn weights(args: &ExperimentReadArgs, spec: &mut ExperimentSpec) -> Result<(), OneShotError> {
    for text in &args.weights {
        let parsed = text.split_once('=').and_then(|(name, w)| Some((name, w.parse::<f64>().ok()?)));
        let found = parsed.and_then(|(name, w)| spec.arm_index(name).map(|i| (i, w)));
        let Some((index, weight)) = found else {
            let message = format!("`{text}` is not ARM=WEIGHT with an arm of the file");
            return Err(OneShotError::finding(Diagnostic::error("TL049", message)));
        };
        spec.arms[index].weight = weight;
    }
    Ok(())
}

fn as_json(reading: &Reading, findings: &[Diagnostic]) -> Value {
    let comparisons: Vec<Value> = reading
        .comparisons
        .iter()
        .map(|c| {
            let estimate = c.estimate.as_ref().map(|e| {
                json!({
                    "value": e.value,
                    "std_error": e.std_error,
                    "interval": e.interval(),
                    "p_value": e.p_value,
                    "n": e.n,
                    "level": e.level,
                    "method": e.method,
                })
            });
            json!({
                "arm": c.arm,
                "control": c.control,
                "metric": c.metric,
                "estimate": estimate,
                "estimate_absent": c.estimate_absent,
                "relative": c.relative,
                "relative_absent": c.relative_absent,
            })
        })
        .collect();
    json!({
        "srm": reading.srm,
        "health": reading.health,
        "arms": reading.arms,
        "comparisons": comparisons,
        "diagnostics": reading.diagnostics.iter().chain(findings).collect::<Vec<_>>(),
    })
}

fn as_table(reading: &Reading) -> String {
    let rows: Vec<Vec<String>> = reading
        .comparisons
        .iter()
        .map(|c| {
            let Some(e) = &c.estimate else {
                let why = c.estimate_absent.clone().unwrap_or_default();
                return vec![c.metric.clone(), c.arm.clone(), "–".into(), why, String::new(), String::new()];
            };
            vec![
                c.metric.clone(),
                c.arm.clone(),
                number_shown(e.value),
                interval(e.interval()),
                format!("{:.4}", e.p_value),
                e.n.to_string(),
            ]
        })
        .collect();
    let head = format!("sample ratio: p = {:.4}", reading.srm.p_value);
    format!("{head}\n{}", table(&["metric", "arm", "effect", "interval", "p", "n"], &[2, 4, 5], &rows))
}
