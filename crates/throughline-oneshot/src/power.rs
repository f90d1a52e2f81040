//! `throughline power`: how many units an experiment needs, and what it would find.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use throughline_core::{Diagnostic, Level};
use throughline_evidence::Correction;
use throughline_evidence::design::simulate::{History, SimulatedPower, simulate_power};
use throughline_evidence::design::{Allocation, Clusters, Effect, Looks, MetricPlan, PowerAnswer, PowerPlan};

use crate::answer::{estimate_json, number, table};
use crate::files::read_table;
use crate::{Answer, OneShotError};

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MetricName {
    /// A mean over units.
    Mean,
    /// A share of units.
    Proportion,
    /// A ratio of two sums.
    Ratio,
}

/// The question of power, as `power` and `experiment design` take it.
#[derive(Debug, Clone, Args)]
pub struct PowerQuestion {
    /// Kind of the metric.
    #[arg(long, value_enum, default_value = "mean")]
    pub metric: MetricName,
    /// Mean, share or ratio of the control; from the history when one is given.
    #[arg(long)]
    pub baseline: Option<f64>,
    /// Standard deviation of one unit; for a ratio that of (numerator − ratio · denominator) / mean denominator.
    #[arg(long)]
    pub sd: Option<f64>,
    /// Effect to find, in units of the metric.
    #[arg(long, allow_negative_numbers = true, conflicts_with = "relative")]
    pub effect: Option<f64>,
    /// Effect to find, relative to the control: 0.05 is 5 %. The reading is then the relative lift.
    #[arg(long, allow_negative_numbers = true)]
    pub relative: Option<f64>,
    /// Chance to find it.
    #[arg(long, default_value_t = 0.8)]
    pub power: f64,
    /// Confidence level of the reading; two-sided, one-sided with a margin.
    #[arg(long, default_value_t = 0.95)]
    pub level: f64,
    /// Arms, the control included.
    #[arg(long, default_value_t = 2)]
    pub arms: usize,
    /// `equal`, `sqrt` (√k units of control for k treatments) or weights such as 2,1,1, the control first.
    #[arg(long, default_value = "equal")]
    pub allocation: String,
    /// Whether several comparisons are corrected: `holm` (planned at its first step, α / k) or `none`.
    #[arg(long, default_value = "holm")]
    pub correction: String,
    /// Intra-cluster correlation, where units are assigned in clusters.
    #[arg(long, requires = "cluster_size")]
    pub icc: Option<f64>,
    /// Mean units of a cluster.
    #[arg(long, requires = "icc")]
    pub cluster_size: Option<f64>,
    /// Coefficient of variation of the cluster sizes.
    #[arg(long, default_value_t = 0.0)]
    pub cluster_cv: f64,
    /// Correlation of the outcome with the covariate of CUPED; from the history when it has one.
    #[arg(long, allow_negative_numbers = true)]
    pub cuped_correlation: Option<f64>,
    /// Non-inferiority: the loss that would still do, in the unit of the effect. Higher is better.
    #[arg(long)]
    pub margin: Option<f64>,
    /// Read more than once: `confidence-sequence`, `obrien-fleming`, `pocock`, `power:RHO` or `hwang-shih-decani:GAMMA`.
    #[arg(long)]
    pub sequential: Option<String>,
    /// Looks of a group sequential test: their number, or fractions such as 0.25,0.5,1.
    #[arg(long, default_value = "5")]
    pub looks: String,
    /// Units (of both arms) near which a confidence sequence is tightest; the planned ones without.
    #[arg(long)]
    pub tuned_for: Option<f64>,
}

/// What to answer.
#[derive(Debug, Args)]
pub struct PowerArgs {
    /// The question.
    #[command(flatten)]
    pub question: PowerQuestion,
    /// Units of each arm, one number or one per arm, the control first: then power and the minimum detectable effect are answered.
    #[arg(long, value_delimiter = ',')]
    pub n: Vec<u64>,
    /// CSV or Parquet file of historic units to simulate from.
    #[arg(long, requires = "value")]
    pub history: Option<PathBuf>,
    /// Column delimiter of the history.
    #[arg(long, default_value = ",")]
    pub delimiter: String,
    /// Column of the metric in the history; the numerator of a ratio.
    #[arg(long)]
    pub value: Option<String>,
    /// Column of the denominator of a ratio.
    #[arg(long)]
    pub denominator: Option<String>,
    /// Column of the covariate of CUPED.
    #[arg(long)]
    pub covariate: Option<String>,
    /// Column of the cluster; clusters are then what is drawn and counted.
    #[arg(long)]
    pub cluster: Option<String>,
    /// Experiments to simulate.
    #[arg(long, default_value_t = 1000)]
    pub simulations: u64,
    /// Seed of the simulation.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

pub(crate) fn refuse(code: &'static str, message: String, help: &str) -> OneShotError {
    OneShotError::finding(Diagnostic::error(code, message).help(help.to_owned()))
}

impl PowerQuestion {
    /// The plan; `history` fills in what was not given. Errors: settings that are missing (TL339) or unreadable.
    pub fn plan(&self, history: Option<&History>) -> Result<PowerPlan, OneShotError> {
        let level = Level::new(self.level).map_err(|e| refuse("TL045", e.to_string(), "give for example 0.95"))?;
        let seen = history.map(History::metric).transpose()?;
        let effect = match (self.effect, self.relative, self.margin) {
            (Some(e), _, _) => Effect::Absolute(e),
            (None, Some(e), _) => Effect::Relative(e),
            (None, None, Some(_)) => Effect::Absolute(0.0),
            (None, None, None) => {
                return Err(refuse("TL339", "no effect is given".into(), "give --effect, --relative or --margin"));
            }
        };
        Ok(PowerPlan {
            level,
            power: self.power,
            treatments: self.arms.saturating_sub(1),
            allocation: self.allocation()?,
            correction: self.correction()?,
            cuped_correlation: self.cuped_correlation.or(history.map(History::correlation)).unwrap_or(0.0),
            clusters: self.icc.zip(self.cluster_size).map(|(icc, size)| Clusters {
                size,
                icc,
                size_cv: self.cluster_cv,
            }),
            margin: self.margin,
            looks: self.read_looks()?,
            ..PowerPlan::new(self.metric_plan(seen)?, effect)
        })
    }

    fn metric_plan(&self, seen: Option<MetricPlan>) -> Result<MetricPlan, OneShotError> {
        let missing = |what: &str| {
            refuse("TL339", format!("--{what} is missing"), &format!("give --{what}, or a --history with --value"))
        };
        if let Some(seen) = seen.filter(|_| self.baseline.is_none() && self.sd.is_none()) {
            return Ok(seen);
        }
        let baseline = self.baseline.or(seen.map(|s| s.baseline())).ok_or_else(|| missing("baseline"));
        let sd = self.sd.ok_or_else(|| missing("sd"));
        // The baseline of a mean matters only for relative effects.
        Ok(match self.metric {
            MetricName::Proportion => MetricPlan::Proportion { baseline: baseline? },
            MetricName::Ratio => MetricPlan::Ratio { baseline: baseline?, sd: sd? },
            MetricName::Mean if self.relative.is_none() => {
                MetricPlan::Mean { baseline: baseline.unwrap_or(0.0), sd: sd? }
            }
            MetricName::Mean => MetricPlan::Mean { baseline: baseline?, sd: sd? },
        })
    }

    fn correction(&self) -> Result<Correction, OneShotError> {
        match self.correction.as_str() {
            "holm" | "bonferroni" => Ok(Correction::Holm),
            "none" => Ok(Correction::None),
            other => Err(refuse("TL339", format!("no correction `{other}`"), "give holm or none")),
        }
    }

    fn allocation(&self) -> Result<Allocation, OneShotError> {
        match self.allocation.as_str() {
            "equal" => Ok(Allocation::Equal),
            "sqrt" => Ok(Allocation::SquareRoot),
            text => Ok(Allocation::Weights(numbers("--allocation", text, "equal, sqrt or weights such as 2,1,1")?)),
        }
    }

    fn read_looks(&self) -> Result<Looks, OneShotError> {
        let spending = match self.sequential.as_deref() {
            None => return Ok(Looks::Fixed),
            Some("confidence-sequence") => return Ok(Looks::ConfidenceSequence { tuned_for: self.tuned_for }),
            Some(name) => name.parse()?,
        };
        Ok(Looks::Group { looks: fractions(&self.looks)?, spending })
    }
}

/// Fractions of the information from `--looks`: a number of equal steps, or the fractions themselves.
pub(crate) fn fractions(text: &str) -> Result<Vec<f64>, OneShotError> {
    match text.parse::<u32>() {
        Ok(k) => Ok((1..=k.min(10_000)).map(|i| f64::from(i) / f64::from(k)).collect()),
        Err(_) => numbers("--looks", text, "their number, or fractions such as 0.25,0.5,1"),
    }
}

fn numbers(what: &str, text: &str, help: &str) -> Result<Vec<f64>, OneShotError> {
    let parsed: Result<Vec<f64>, _> = text.split(',').map(|t| t.trim().parse::<f64>()).collect();
    parsed.map_err(|_| refuse("TL339", format!("{what} `{text}` is not a list of numbers"), &format!("give {help}")))
}

impl PowerArgs {
    /// Carries the command out.
    ///
    /// JSON: `{"power":{"value","asked","effect","effect_relative","alpha","simulated"?},"n_per_arm","n_total","arms":[…],`
    /// `"minimum_detectable","minimum_detectable_relative","estimate":{…},"details":{…},"diagnostics"}`; `estimate` is the reading if
    /// the estimate came out as the effect.
    pub fn run(&self) -> Result<Answer, OneShotError> {
        let (history, found) = self.read_history()?.map_or((None, Vec::new()), |(h, f)| (Some(h), f));
        let plan = self.question.plan(history.as_ref())?;
        let answer = if self.n.is_empty() { plan.sample_size()? } else { plan.with_units(&self.units()?)? };
        let simulated = match &history {
            None => None,
            Some(history) => {
                let n = |i: usize| answer.arms[i].clusters.unwrap_or(answer.arms[i].n);
                let least = (1..answer.arms.len()).map(n).min().unwrap_or(2);
                Some(simulate_power(history, &plan, (n(0), least), self.simulations, self.seed)?)
            }
        };
        let unit = if self.cluster.is_some() { "cluster" } else { "unit" };
        Ok(Answer {
            json: as_json(&plan, &answer, simulated.as_ref(), unit, &found),
            text: as_text(&plan, &answer, simulated.as_ref(), unit, &found),
        })
    }

    /// Whether JSON is asked for.
    pub const fn json(&self) -> bool {
        self.json
    }

    fn units(&self) -> Result<Vec<u64>, OneShotError> {
        match self.n.as_slice() {
            [n] => Ok(vec![*n; self.question.arms]),
            many if many.len() == self.question.arms => Ok(many.to_vec()),
            many => {
                let message = format!("{} sizes for {} arms", many.len(), self.question.arms);
                Err(refuse("TL339", message, "give one number for all arms, or one per arm, the control first"))
            }
        }
    }

    fn read_history(&self) -> Result<Option<(History, Vec<Diagnostic>)>, OneShotError> {
        let (Some(path), Some(value)) = (&self.history, &self.value) else { return Ok(None) };
        let optional = [&self.denominator, &self.covariate, &self.cluster];
        let columns: Vec<&str> =
            std::iter::once(value).chain(optional.into_iter().flatten()).map(String::as_str).collect();
        let (table, mut found) = read_table(path, &self.delimiter, &columns)?;
        let read = |name: &Option<String>| name.as_ref().map(|n| table.numbers(n)).transpose();
        let (values, below, covariate) = (table.numbers(value)?, read(&self.denominator)?, read(&self.covariate)?);
        let clusters = self.cluster.as_ref().map(|n| table.codes(n)).transpose()?;
        let usable = |i: usize| {
            values[i].is_finite()
                && below.is_none_or(|c| c[i].is_finite())
                && covariate.is_none_or(|c| c[i].is_finite())
                && clusters.as_ref().is_none_or(|(codes, _)| codes[i] != u32::MAX)
        };
        let rows: Vec<usize> = (0..table.rows()).filter(|i| usable(*i)).collect();
        if rows.len() < table.rows() {
            let message = format!("{} historic units have no number and are left out", table.rows() - rows.len());
            found.push(Diagnostic::warning("TL344", message).help("give 0 where nothing happened"));
        }
        let pick = |c: &[f64]| rows.iter().map(|i| c[*i]).collect::<Vec<f64>>();
        let history = History {
            values: pick(values),
            denominators: below.map(pick).unwrap_or_default(),
            covariates: covariate.map(pick).unwrap_or_default(),
        };
        Ok(Some((
            match clusters {
                Some((codes, _)) => history.by_cluster(&rows.iter().map(|i| codes[*i]).collect::<Vec<u32>>()),
                None => history,
            },
            found,
        )))
    }
}

pub(crate) fn as_json(
    plan: &PowerPlan,
    answer: &PowerAnswer,
    simulated: Option<&SimulatedPower>,
    unit: &str,
    found: &[Diagnostic],
) -> Value {
    let baseline = plan.metric.baseline().abs();
    let relative = match plan.effect {
        Effect::Relative(_) => Some(answer.minimum_detectable),
        Effect::Absolute(_) => (baseline > 0.0).then(|| answer.minimum_detectable / baseline),
    };
    let absolute = match plan.effect {
        Effect::Absolute(_) => answer.minimum_detectable,
        Effect::Relative(_) => answer.minimum_detectable * baseline,
    };
    json!({
        "power": {
            "value": answer.power,
            "asked": plan.power,
            "effect": answer.effect,
            "effect_relative": answer.effect_relative,
            "alpha": answer.alpha,
            "simulated": simulated,
        },
        "unit": unit,
        "n_per_arm": answer.arms.last().map(|a| a.n),
        "n_total": answer.n_total,
        "arms": answer.arms,
        "minimum_detectable": absolute,
        "minimum_detectable_relative": relative,
        "estimate": estimate_json(&answer.expected_reading),
        "details": {
            "metric": plan.metric,
            "critical_value": answer.critical_value,
            "design_effect": answer.design_effect,
            "covariate_factor": answer.covariate_factor,
            "inflation": answer.inflation,
            "expected_n": answer.expected_n,
            "boundaries": answer.boundaries,
        },
        "diagnostics": found,
    })
}

pub(crate) fn as_text(
    plan: &PowerPlan,
    answer: &PowerAnswer,
    simulated: Option<&SimulatedPower>,
    unit: &str,
    found: &[Diagnostic],
) -> String {
    let mut rows = Vec::new();
    for (i, arm) in answer.arms.iter().enumerate() {
        let name = if i == 0 { "control".to_owned() } else { format!("treatment {i}") };
        let clusters = arm.clusters.map_or_else(|| "–".into(), |c| c.to_string());
        rows.push(vec![name, format!("{:.1} %", 100.0 * arm.share), arm.n.to_string(), clusters]);
    }
    let head = if unit == "cluster" { "clusters" } else { "units" };
    let mut text = table(&["arm", "share", head, "of clusters"], &[1, 2, 3], &rows);
    let scale = if matches!(plan.effect, Effect::Relative(_)) { " (relative)" } else { "" };
    text.push_str(&format!(
        "\n\npower {:.1} % for an effect of {}; minimum detectable at {:.0} %: {}{scale}",
        100.0 * answer.power,
        number(answer.effect),
        100.0 * plan.power,
        number(answer.minimum_detectable)
    ));
    if let Some(s) = simulated {
        let percent = |(lo, hi): (f64, f64)| format!("{:.1} to {:.1} %", 100.0 * lo, 100.0 * hi);
        text.push_str(&format!(
            "\nsimulated from {} historic {unit}s, {} experiments: power {:.1} % ({}), without an effect {:.1} % ({})",
            s.units,
            s.experiments,
            100.0 * s.power,
            percent(s.power_interval),
            100.0 * s.false_positives,
            percent(s.false_positives_interval),
        ));
    }
    if answer.inflation != 1.0 {
        text.push_str(&format!(
            "\nreading more than once takes {:.3} times the units of one reading",
            answer.inflation
        ));
    }
    if let (Some(bounds), Some(expected)) = (&answer.boundaries, answer.expected_n) {
        text.push_str(&format!(", and on average {expected:.0} if the effect is true"));
        let shown = bounds.looks.iter().zip(&bounds.critical).map(|(t, c)| format!("{t:.3}: {c:.4}"));
        text.push_str(&format!("\nboundaries of z by information: {}", shown.collect::<Vec<_>>().join(", ")));
    }
    for finding in found {
        text.push_str(&format!("\n{finding}"));
    }
    text
}
