//! `throughline coverage`: how often the set of every estimator holds the truth, on data of its own assumptions.

use std::num::NonZeroUsize;
use std::thread::{available_parallelism, scope};

use clap::Args;
use serde::Serialize;
use serde_json::json;
use throughline_core::diagnostic::closest;
use throughline_core::{Diagnostic, Level};
use throughline_evidence::{EstimatorEntry, EvidenceError, Simulated, estimators};
use throughline_stats::goodness::{Alternative, binomial_test};
use throughline_stats::moments::Moments;

use crate::answer::{number, table};
use crate::{Answer, OneShotError};

/// The level of the test of an estimator's coverage.
const TEST_ALPHA: f64 = 0.01;

/// Data sets beyond which the exact test and memory are no longer sensible.
const MOST_REPLICATIONS: u64 = 10_000_000;

/// What to measure and how.
#[derive(Debug, Args)]
pub struct CoverageArgs {
    /// Estimators, or families of them (`panel` for all `panel/…`); all without.
    pub names: Vec<String>,
    /// Simulated data sets per estimator.
    #[arg(long, default_value_t = 2000)]
    pub replications: u64,
    /// Confidence level of the sets.
    #[arg(long, default_value_t = 0.95)]
    pub level: f64,
    /// Threads; all cores without. Results do not depend on them.
    #[arg(long)]
    pub threads: Option<NonZeroUsize>,
    /// Print a Markdown table.
    #[arg(long)]
    pub markdown: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// What was measured of one estimator.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Coverage {
    /// Its name.
    pub name: String,
    /// What it may be used as at best.
    pub tier: u8,
    /// Whether its sets are conservative by design.
    pub conservative: bool,
    /// Data sets simulated.
    pub replications: u64,
    /// Data sets without an estimate.
    pub failures: u64,
    /// The first reason for one.
    pub first_failure: Option<String>,
    /// Sets that hold the truth.
    pub held: u64,
    /// Their share among the estimates.
    pub coverage: Option<f64>,
    /// Exact binomial test against the level: two-sided, or of too few when conservative.
    pub p_value: Option<f64>,
    /// Mean of estimate − truth.
    pub bias: Option<f64>,
    /// Its Monte-Carlo error: sd / √estimates.
    pub bias_error: Option<f64>,
    /// Mean width of the bounded sets' hulls.
    pub mean_width: Option<f64>,
    /// Share of sets without a bound on one side or both.
    pub unbounded: Option<f64>,
    /// Whether the test does not reject at 1 % and no data set failed.
    pub passed: bool,
}

/// What is kept of one data set.
#[derive(Debug, Clone)]
struct Outcome {
    held: bool,
    error: f64,
    width: f64,
}

impl CoverageArgs {
    /// Carries the command out.
    pub fn run(&self) -> Result<Answer, OneShotError> {
        let level = Level::new(self.level).map_err(|e| Diagnostic::error("TL045", e.to_string()));
        let level = level.map_err(OneShotError::finding)?;
        if !(1..=MOST_REPLICATIONS).contains(&self.replications) {
            return Err(OneShotError::from(EvidenceError::Setting {
                what: "--replications",
                value: self.replications as f64,
                bounds: "1 to 10,000,000",
            }));
        }
        let entries = self.chosen()?;
        let threads = self.threads.or_else(|| available_parallelism().ok()).map_or(1, NonZeroUsize::get);
        let measured: Vec<Coverage> = entries.iter().map(|e| measure(e, self.replications, level, threads)).collect();
        let passed = measured.iter().all(|m| m.passed);
        let text = if self.markdown { as_markdown(&measured, level) } else { as_table(&measured, level) };
        Ok(Answer { json: json!({ "level": level, "estimators": measured, "passed": passed }), text })
    }

    /// Whether JSON is asked for.
    pub const fn json(&self) -> bool {
        self.json
    }

    fn chosen(&self) -> Result<Vec<&'static EstimatorEntry>, OneShotError> {
        let all: Vec<&'static EstimatorEntry> = estimators().collect();
        let fits = |e: &EstimatorEntry, name: &str| {
            e.name == name || e.name.split_once('/').is_some_and(|(family, _)| family == name)
        };
        for name in &self.names {
            if !all.iter().any(|e| fits(e, name)) {
                let known: Vec<&str> = all.iter().map(|e| e.name).collect();
                let message = format!("no estimator `{name}` (there are: {})", known.join(", "));
                let mut finding = Diagnostic::error("TL065", message);
                if let Some(close) = closest(name, known) {
                    finding = finding.help(format!("did you mean `{close}`?"));
                }
                return Err(OneShotError::finding(finding));
            }
        }
        Ok(all.into_iter().filter(|e| self.names.is_empty() || self.names.iter().any(|n| fits(e, n))).collect())
    }
}

/// Runs an estimator on data sets 0, …, `replications` − 1. The sums run over the data sets in order, so that the result has
/// the same bits for any number of threads.
pub fn measure(entry: &EstimatorEntry, replications: u64, level: Level, threads: usize) -> Coverage {
    let threads = (threads.max(1) as u64).min(replications.max(1));
    // Thread t takes the seeds t, t + threads, …: neighbours in cost are shared out evenly.
    let run = |first: u64| -> Vec<Result<Outcome, String>> {
        let seeds = (first..replications).step_by(usize::try_from(threads).unwrap_or(1));
        seeds.map(|seed| (entry.simulate)(seed, level).map(|s| outcome(&s)).map_err(|e| e.to_string())).collect()
    };
    let run = &run;
    let mut parts: Vec<_> = scope(|s| {
        let handles: Vec<_> = (0..threads).map(|t| s.spawn(move || run(t))).collect();
        handles.into_iter().map(|h| h.join().unwrap_or_default().into_iter()).collect()
    });
    let each = (0..replications).map(|seed| {
        let part = usize::try_from(seed % threads).unwrap_or(0);
        parts[part].next().unwrap_or_else(|| Err("the estimator stopped unexpectedly".to_owned()))
    });
    let (mut held, mut failures, mut unbounded, mut first_failure) = (0, 0, 0, None);
    let (mut errors, mut widths) = (Moments::default(), Moments::default());
    for outcome in each {
        match outcome {
            Ok(o) => {
                held += u64::from(o.held);
                errors.push(o.error);
                if o.width.is_finite() { widths.push(o.width) } else { unbounded += 1 }
            }
            Err(reason) => {
                failures += 1;
                first_failure.get_or_insert(reason);
            }
        }
    }
    let n = replications - failures;
    let share = |count: u64| (n > 0).then(|| count as f64 / n as f64);
    let side = if entry.conservative { Alternative::Less } else { Alternative::TwoSided };
    let p_value = (n > 0).then(|| binomial_test(held, n, level.get(), side).ok()).flatten();
    Coverage {
        name: entry.name.to_owned(),
        tier: entry.tier.number(),
        conservative: entry.conservative,
        replications,
        failures,
        first_failure,
        held,
        coverage: share(held),
        p_value,
        bias: errors.mean(),
        bias_error: errors.std_error(),
        mean_width: widths.mean(),
        unbounded: share(unbounded),
        passed: failures == 0 && p_value.is_some_and(|p| p >= TEST_ALPHA),
    }
}

fn outcome(simulated: &Simulated) -> Outcome {
    let (low, high) = simulated.estimate.interval();
    Outcome {
        held: simulated.estimate.set.contains(simulated.truth),
        error: simulated.estimate.value - simulated.truth,
        width: high - low,
    }
}

const HEADER: [&str; 8] = ["estimator", "data sets", "coverage", "p", "bias ± error", "mean width", "unbounded", ""];

fn cells(m: &Coverage) -> Vec<String> {
    let shown = |x: Option<f64>| x.map_or_else(|| "–".to_owned(), number);
    let percent = |x: Option<f64>| x.map_or_else(|| "–".to_owned(), |x| format!("{:.2} %", 100.0 * x));
    let verdict = match (m.passed, m.failures, m.conservative) {
        (true, _, true) => "holds (conservative by design)".to_owned(),
        (true, _, false) => "holds".to_owned(),
        (false, 0, _) => "does not hold".to_owned(),
        (false, n, _) => format!("{n} without an estimate: {}", m.first_failure.clone().unwrap_or_default()),
    };
    vec![
        m.name.clone(),
        m.replications.to_string(),
        percent(m.coverage),
        m.p_value.map_or_else(|| "–".to_owned(), |p| format!("{p:.3}")),
        format!("{} ± {}", shown(m.bias), shown(m.bias_error)),
        shown(m.mean_width),
        percent(m.unbounded),
        verdict,
    ]
}

fn as_table(measured: &[Coverage], level: Level) -> String {
    let rows: Vec<Vec<String>> = measured.iter().map(cells).collect();
    format!("coverage of sets at {} %\n{}", 100.0 * level.get(), table(&HEADER, &[1, 2, 3, 5, 6], &rows))
}

fn as_markdown(measured: &[Coverage], level: Level) -> String {
    let line = |cells: &[String]| format!("| {} |", cells.join(" | ").replace('\n', " "));
    let header: Vec<String> = HEADER.iter().map(|h| (*h).to_owned()).collect();
    let mut out = vec![
        "\n## Estimators of effects\n".to_owned(),
        format!(
            "Every estimator of the registry on simulated data sets that meet its own assumptions, as `throughline coverage \
             --markdown` makes them. Nominal level {} %; exact binomial test at 1 %, two-sided, or of too few where sets are \
             conservative by design.\n",
            100.0 * level.get()
        ),
        line(&header),
        "|---|---:|---:|---:|---:|---:|---:|---|".to_owned(),
    ];
    out.extend(measured.iter().map(|m| line(&cells(m))));
    out.join("\n")
}

#[cfg(test)]
mod tests {
    use throughline_core::{Estimate, EvidenceTier};
    use throughline_stats::stream::Stream;

    use super::*;

    fn normal(seed: u64, level: Level, scale: f64) -> Result<Simulated, EvidenceError> {
        let value = 2.0 + Stream::new(seed, 77).normal_at(0);
        let estimate = Estimate::wald(value, scale, None, 1, level, "normal")?;
        Ok(Simulated { estimate, truth: 2.0 })
    }

    const fn entry(simulate: fn(u64, Level) -> Result<Simulated, EvidenceError>) -> EstimatorEntry {
        EstimatorEntry { name: "test/normal", tier: EvidenceTier::Randomised, conservative: false, simulate }
    }

    #[test]
    fn right_errors_hold_and_wrong_ones_do_not() {
        let right = measure(&entry(|s, l| normal(s, l, 1.0)), 2000, Level::P95, 2);
        assert!(right.passed && right.bias.expect("a bias").abs() < 0.1, "{right:?}");
        let narrow = measure(&entry(|s, l| normal(s, l, 0.9)), 2000, Level::P95, 2);
        assert!(!narrow.passed && narrow.coverage.expect("a share") < 0.94, "{narrow:?}");
        let wide = entry(|s, l| normal(s, l, 1.2));
        assert!(!measure(&wide, 2000, Level::P95, 2).passed);
        assert!(measure(&EstimatorEntry { conservative: true, ..wide }, 2000, Level::P95, 2).passed);
    }

    #[test]
    fn threads_do_not_change_the_result() {
        let entry = entry(|s, l| normal(s, l, 1.0));
        let one = measure(&entry, 101, Level::P90, 1);
        for threads in [2, 3, 200] {
            assert_eq!(measure(&entry, 101, Level::P90, threads), one);
        }
    }

    #[test]
    fn failures_are_counted_and_said() {
        let odd = entry(|seed, level| match seed % 2 {
            0 => normal(seed, level, 1.0),
            _ => Err(EvidenceError::TooFew { what: "rows", got: 0, needed: 1 }),
        });
        let measured = measure(&odd, 10, Level::P95, 3);
        assert_eq!((measured.failures, measured.passed), (5, false));
        assert!(cells(&measured).concat().contains("0 rows, at least 1 are needed"));
        let none = measure(&entry(|_, _| Err(EvidenceError::SpecMismatch)), 3, Level::P95, 1);
        assert_eq!((none.coverage, none.p_value, none.bias), (None, None, None));
    }
}
