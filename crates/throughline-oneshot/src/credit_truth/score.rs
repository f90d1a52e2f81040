//! From trials to a table: bias, shares, coverage of every column.

use serde::Serialize;
use throughline_stats::goodness::{Alternative, binomial_test};
use throughline_stats::moments::Moments;

use super::trial::{HeldOut, Said, Trial};
use crate::answer::{number, table};

/// The level of the intervals.
const LEVEL: f64 = 0.9;
/// The level of the test.
const ALPHA: f64 = 0.01;

/// How one column did on channels and periods that no experiment measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Column {
    pub(super) name: String,
    /// Estimates.
    pub(super) estimates: u64,
    /// Cells for which it gave no number.
    pub(super) without: u64,
    /// Σ (estimate − truth) / Σ truth.
    pub(super) bias: f64,
    /// Its Monte-Carlo standard error, over markets.
    pub(super) bias_error: f64,
    /// The same over channels that were never tested, and over tested ones in the later period.
    pub(super) bias_untested: f64,
    pub(super) bias_later: f64,
    /// The same in markets of forms that estimators assume, and of forms that none assumes.
    pub(super) bias_assumed: f64,
    pub(super) bias_odd: f64,
    /// Σ |estimate − truth| / Σ truth.
    pub(super) absolute_error: f64,
    /// Mean over markets of ½ Σ |share of the estimates − share of the truth|, over the later period's channels.
    pub(super) share_error: f64,
    /// Mean width of the intervals over the mean truth.
    pub(super) width: f64,
    /// Share of all intervals that hold the truth; the channels of a market depend on each other.
    pub(super) coverage: f64,
    pub(super) coverage_untested: f64,
    pub(super) coverage_later: f64,
    pub(super) coverage_assumed: f64,
    pub(super) coverage_odd: f64,
    /// Pre-stated targets: how many, and how many intervals hold the truth.
    pub(super) targets: u64,
    pub(super) held: u64,
    /// Exact two-sided binomial test of the targets against 90 %.
    pub(super) p_value: Option<f64>,
}

/// Mean |estimate| / standard error of the experiments.
pub(super) fn strength(trials: &[Trial]) -> f64 {
    trials.iter().map(|t| t.strength).sum::<f64>() / trials.len().max(1) as f64
}

/// What channels that could be tested caused, each left out alone, over all purchases.
pub(super) fn incremental_share(trials: &[Trial]) -> f64 {
    trials.iter().map(|t| t.caused).sum::<f64>() / trials.iter().map(|t| t.purchases).sum::<f64>().max(1.0)
}

/// The scores of each column.
pub(super) fn columns(names: &[String], trials: &[Trial]) -> Vec<Column> {
    names.iter().enumerate().map(|(at, name)| column(name, at, trials)).collect()
}

/// The score of the effect of touchpoints, on every channel that could be tested.
pub(super) fn touchpoints(trials: &[Trial]) -> Vec<Column> {
    let of = |t: &Trial| Trial { cells: t.touchpoints.clone(), target: t.touchpoint_target, ..t.clone() };
    let trials: Vec<Trial> = trials.iter().map(of).collect();
    columns(&["touchpoint effect".to_owned()], &trials)
}

type Pair<'a> = (&'a Trial, &'a HeldOut, Said);

fn column(name: &str, at: usize, trials: &[Trial]) -> Column {
    let cells = || trials.iter().flat_map(|t| t.cells.iter().map(move |c| (t, c)));
    let all: Vec<Pair<'_>> = cells().filter_map(|(t, c)| Some((t, c, c.said.get(at).copied().flatten()?))).collect();
    let of = |keep: &dyn Fn(&Pair<'_>) -> bool| -> Vec<&Pair<'_>> { all.iter().filter(|p| keep(p)).collect() };
    let (untested, later) = (of(&|p| !p.1.tested), of(&|p| p.1.tested));
    let (assumed, odd) = (of(&|p| !p.0.odd), of(&|p| p.0.odd));
    let every = of(&|_| true);
    let truth: f64 = all.iter().map(|p| p.1.truth).sum();
    let targets: Vec<Option<Said>> =
        trials.iter().map(|t| t.cells.get(t.target).and_then(|c| c.said.get(at).copied().flatten())).collect();
    let hits = trials
        .iter()
        .zip(&targets)
        .filter(|(t, said)| said.zip(t.cells.get(t.target)).is_some_and(|(said, cell)| holds(said, cell.truth)));
    let (held, targets) = (hits.count() as u64, targets.len() as u64);
    Column {
        name: name.to_owned(),
        estimates: all.len() as u64,
        without: (cells().count() - all.len()) as u64,
        bias: bias(&every),
        bias_error: bias_error(at, trials),
        bias_untested: bias(&untested),
        bias_later: bias(&later),
        bias_assumed: bias(&assumed),
        bias_odd: bias(&odd),
        absolute_error: all.iter().map(|p| (p.2.value - p.1.truth).abs()).sum::<f64>() / truth,
        share_error: share_error(at, trials),
        width: all.iter().map(|p| p.2.high - p.2.low).sum::<f64>() / truth,
        coverage: coverage(&every),
        coverage_untested: coverage(&untested),
        coverage_later: coverage(&later),
        coverage_assumed: coverage(&assumed),
        coverage_odd: coverage(&odd),
        targets,
        held,
        p_value: binomial_test(held, targets, LEVEL, Alternative::TwoSided).ok(),
    }
}

const fn holds(said: Said, truth: f64) -> bool {
    said.low <= truth && truth <= said.high
}

fn bias(pairs: &[&Pair<'_>]) -> f64 {
    let error: f64 = pairs.iter().map(|p| p.2.value - p.1.truth).sum();
    error / pairs.iter().map(|p| p.1.truth).sum::<f64>()
}

fn coverage(pairs: &[&Pair<'_>]) -> f64 {
    pairs.iter().filter(|p| holds(p.2, p.1.truth)).count() as f64 / pairs.len() as f64
}

/// Standard error of a ratio of means over markets, by linearisation.
fn bias_error(at: usize, trials: &[Trial]) -> f64 {
    let sums = |t: &Trial| {
        let each = t.cells.iter().filter_map(|c| Some((c.said.get(at).copied().flatten()?.value - c.truth, c.truth)));
        each.fold((0.0, 0.0), |s, x| (s.0 + x.0, s.1 + x.1))
    };
    let pairs: Vec<(f64, f64)> = trials.iter().map(sums).collect();
    let truth: f64 = pairs.iter().map(|p| p.1).sum();
    let ratio = pairs.iter().map(|p| p.0).sum::<f64>() / truth;
    let n = pairs.len() as f64;
    let mut residuals = Moments::default();
    for pair in &pairs {
        residuals.push(pair.0 - ratio * pair.1);
    }
    residuals.std_error().unwrap_or(f64::NAN) * n / truth.abs()
}

fn share_error(at: usize, trials: &[Trial]) -> f64 {
    let mut distances = Moments::default();
    for trial in trials {
        let later = trial.cells.iter().filter(|c| c.later);
        let pairs: Vec<(f64, f64)> =
            later.filter_map(|c| Some((c.said.get(at).copied().flatten()?.value, c.truth))).collect();
        let (said, truth) = pairs.iter().fold((0.0, 0.0), |s, x| (s.0 + x.0, s.1 + x.1));
        if said > 0.0 && truth > 0.0 {
            distances.push(0.5 * pairs.iter().map(|p| (p.0 / said - p.1 / truth).abs()).sum::<f64>());
        }
    }
    distances.mean().unwrap_or(f64::NAN)
}

const HEADER: [&str; 8] = [
    "column",
    "bias",
    "± error",
    "absolute error",
    "share error",
    "width",
    "coverage of all",
    "coverage of targets (p)",
];

/// A share in percent; one market has no spread.
fn percent(share: f64) -> String {
    if share.is_finite() { format!("{:.1} %", 100.0 * share) } else { "–".to_owned() }
}

fn cells(c: &Column) -> Vec<String> {
    let verdict = match c.p_value {
        Some(p) if p >= ALPHA => format!("{p:.3}, not rejected"),
        Some(p) if p < 0.001 => "< 0.001, rejected".to_owned(),
        Some(p) => format!("{p:.3}, rejected"),
        None => "–".to_owned(),
    };
    vec![
        c.name.clone(),
        percent(c.bias),
        percent(c.bias_error),
        number(c.absolute_error),
        number(c.share_error),
        number(c.width),
        percent(c.coverage),
        format!("{} of {} ({verdict})", c.held, c.targets),
    ]
}

/// For people.
pub(super) fn shown(columns: &[Column]) -> String {
    let rows: Vec<Vec<String>> = columns.iter().map(cells).collect();
    let mut text = table(&HEADER, &[1, 2, 3, 4, 5, 6, 7], &rows);
    let split = |c: &Column| {
        let parts = [
            (c.bias_untested, c.coverage_untested),
            (c.bias_later, c.coverage_later),
            (c.bias_assumed, c.coverage_assumed),
            (c.bias_odd, c.coverage_odd),
        ];
        let shown = parts.iter().map(|(b, v)| format!("{} / {}", percent(*b), percent(*v)));
        [c.name.clone()].into_iter().chain(shown).collect::<Vec<String>>()
    };
    let rows: Vec<Vec<String>> = columns.iter().map(split).collect();
    let header = ["bias / coverage", "never tested", "tested, later period", "assumed forms", "forms of no estimator"];
    text.push_str(&format!("\n\n{}", table(&header, &[1, 2, 3, 4], &rows)));
    text
}

/// For documents.
pub(super) fn markdown(columns: &[Column]) -> String {
    let line = |cells: &[String]| format!("| {} |", cells.join(" | "));
    let header: Vec<String> = HEADER.iter().map(|h| (*h).to_owned()).collect();
    let mut out = vec![line(&header), "|---|---:|---:|---:|---:|---:|---:|---:|".to_owned()];
    out.extend(columns.iter().map(|c| line(&cells(c))));
    out.join("\n")
}
