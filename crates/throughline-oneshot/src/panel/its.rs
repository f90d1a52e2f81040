//! `--method its`: one series before and after an intervention.
//!
//! The file has one row per time (no `--unit`; controls are columns), or one per unit and time: then the treated unit is the
//! series, or the mean of the treated units, and the units that are never treated are its controls.

use clap::{Args, ValueEnum};
use throughline_core::Diagnostic;
use throughline_evidence::series::segmented::segmented;
use throughline_evidence::series::structural::analyse;
use throughline_evidence::series::{Grid, Season, Series, Settings, Trend, Window};
use throughline_evidence::{Column, EvidenceError, Panel};

use super::PanelArgs;
use crate::files::read_table;
use crate::{Answer, OneShotError};

/// How the series is modelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ItsModel {
    /// A Bayesian structural time-series model of the path without the intervention.
    Structural,
    /// A regression with a change of level and slope, with Newey–West errors.
    Segmented,
}

/// Which priors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ItsPrior {
    /// CausalImpact's guesses with little weight.
    Weak,
    /// The priors that CausalImpact documents.
    Causalimpact,
}

/// What only an interrupted time series needs.
#[derive(Debug, Args)]
pub struct ItsArgs {
    /// its: an intervention as FROM or FROM..TO, the last time its effect is measured; may be given several times. Without
    /// it, from the treatment column or --treated-from to the end.
    #[arg(long = "intervention")]
    pub interventions: Vec<String>,
    /// its: the first time that is measured, when later than the intervention.
    #[arg(long)]
    pub measure_from: Option<String>,
    /// its: how the series is modelled.
    #[arg(long, value_enum, default_value = "structural")]
    pub its_model: ItsModel,
    /// its: steps after which a season repeats, for example 7; may be given several times. PERIOD:WAVES sets its waves.
    #[arg(long = "season")]
    pub seasons: Vec<String>,
    /// its: let the level have a slope that changes.
    #[arg(long)]
    pub slope: bool,
    /// its: which priors.
    #[arg(long, value_enum, default_value = "weak")]
    pub prior: ItsPrior,
    /// its: prior guess of the standard deviation of a step of the level, over the outcome's.
    #[arg(long)]
    pub level_sd: Option<f64>,
    /// its: weight of that guess in observations.
    #[arg(long)]
    pub level_df: Option<f64>,
    /// its: prior guess of the share of variance that the controls explain.
    #[arg(long)]
    pub expected_r2: Option<f64>,
    /// its: weight of that guess in observations.
    #[arg(long)]
    pub noise_df: Option<f64>,
    /// its: posterior draws.
    #[arg(long, default_value_t = 2000)]
    pub its_draws: usize,
    /// its: earlier dates at which the same analysis must find nothing.
    #[arg(long, default_value_t = 4)]
    pub its_placebos: usize,
    /// its, segmented: steps over which errors may depend on each other; a rule of thumb without.
    #[arg(long)]
    pub lag: Option<usize>,
}

/// A series with its grid of time and where the file itself says that the intervention is.
struct Read {
    series: Series,
    grid: Grid,
    /// Times at which the treatment is on.
    treated: Option<Vec<bool>>,
    found: Vec<Diagnostic>,
}

pub(super) fn run(args: &PanelArgs) -> Result<Answer, OneShotError> {
    let level = args.level()?;
    let mut read = if args.unit.is_empty() { wide(args)? } else { long(args)? };
    let windows = windows(args, &read)?;
    let gaps = read.grid.gaps();
    if !gaps.is_empty() {
        let shown: Vec<&str> = gaps.iter().take(3).map(|t| read.grid.labels[*t].as_str()).collect();
        let message =
            format!("{} times of the grid ({}) have no row: {}", gaps.len(), read.grid.step(), shown.join(", "));
        read.found.push(Diagnostic::warning("TL311", message).help("they count as not observed, not as 0"));
    }
    let seasons = args.its.seasons.iter().map(|s| season(s)).collect::<Result<Vec<_>, _>>()?;
    let report = match args.its.its_model {
        ItsModel::Structural => {
            analyse(&read.series, &windows, &settings(args, seasons), args.its.its_placebos, level)?
        }
        ItsModel::Segmented => {
            let [window] = windows[..] else {
                return Err(fault("the segmented regression has one intervention", "use --its-model structural"));
            };
            segmented(&read.series, window, &seasons, args.its.lag, level)?
        }
    };
    let mut answer = Answer::of(&report, &read.found);
    let windows = report.details.get("windows").and_then(|w| w.as_array());
    for text in windows.into_iter().flatten().filter_map(|w| w["text"].as_str()) {
        answer.text.push_str(&format!("\n\n{text}"));
    }
    Ok(answer)
}

fn settings(args: &PanelArgs, seasons: Vec<Season>) -> Settings {
    let its = &args.its;
    let base = match its.prior {
        ItsPrior::Weak => Settings::default(),
        ItsPrior::Causalimpact => Settings::causal_impact(),
    };
    Settings {
        trend: if its.slope { Trend::LocalLinear } else { Trend::Level },
        seasons,
        level_sd: its.level_sd.unwrap_or(base.level_sd),
        level_df: its.level_df.unwrap_or(base.level_df),
        expected_r2: its.expected_r2.unwrap_or(base.expected_r2),
        noise_df: its.noise_df.unwrap_or(base.noise_df),
        draws: its.its_draws,
        seed: args.seed,
        ..base
    }
}

fn fault(message: impl Into<String>, help: &str) -> OneShotError {
    OneShotError::finding(Diagnostic::error("TL065", message).help(help))
}

/// PERIOD or PERIOD:WAVES.
fn season(text: &str) -> Result<Season, OneShotError> {
    let (period, waves) = text.split_once(':').map_or((text, None), |(p, w)| (p, Some(w)));
    let parsed = period.parse::<f64>().ok().zip(waves.map_or(Some(None), |w| w.parse::<usize>().ok().map(Some)));
    let Some((period, waves)) = parsed else {
        return Err(fault(
            format!("`{text}` is not a season"),
            "write PERIOD or PERIOD:WAVES, for example 7 or 365.25:2",
        ));
    };
    let season = Season::new(period)?;
    Ok(Season { waves: waves.unwrap_or(season.waves), ..season })
}

/// One row per time.
fn wide(args: &PanelArgs) -> Result<Read, OneShotError> {
    let mut columns = vec![args.time.as_str(), &args.outcome];
    columns.extend(args.covariates.iter().map(String::as_str));
    if !args.treatment.is_empty() {
        columns.push(&args.treatment);
    }
    let (table, found) = read_table(&args.file, &args.delimiter, &columns)?;
    let grid = Grid::of(table.column(&args.time)?)?;
    let outcome = grid.spread(table.numbers(&args.outcome)?);
    let mut controls = Vec::new();
    for name in &args.covariates {
        controls.push((name.clone(), grid.spread(table.numbers(name)?)));
    }
    let treated = if args.treatment.is_empty() {
        None
    } else {
        let marks = grid.spread(table.numbers(&args.treatment)?);
        if let Some(odd) = marks.iter().find(|m| !m.is_nan() && **m != 0.0 && **m != 1.0) {
            let help = "mark the times of the intervention with 1, or name its time with --treated-from";
            return Err(fault(format!("`{}` holds {odd}, which is neither 0 nor 1", args.treatment), help));
        }
        Some(carried(&marks))
    };
    cut(args, Read { series: Series::new(grid.labels.clone(), outcome, controls)?, grid, treated, found })
}

/// Marks on the grid: a time without a row is as the one before.
fn carried(marks: &[f64]) -> Vec<bool> {
    let mut last = false;
    let mut mark = |m: &f64| {
        last = if m.is_nan() { last } else { *m == 1.0 };
        last
    };
    marks.iter().map(&mut mark).collect()
}

/// Leaves out the times before `--pre` and after `--post`.
fn cut(args: &PanelArgs, read: Read) -> Result<Read, OneShotError> {
    let first = args.pre.as_deref().map_or(Ok(0), |t| read.grid.at_or_after(t))?;
    let end = args.post.as_deref().map_or(Ok(read.series.len()), |t| past(&read.grid, t))?;
    if first == 0 && end == read.series.len() {
        return Ok(read);
    }
    if first >= end {
        return Err(fault("no time is left between --pre and --post", "give an earlier --pre or a later --post"));
    }
    let range = first..end;
    let controls = read.series.controls.into_iter().map(|(n, c)| (n, c[range.clone()].to_vec())).collect();
    let series =
        Series::new(read.series.times[range.clone()].to_vec(), read.series.outcome[range.clone()].to_vec(), controls)?;
    let treated = read.treated.map(|t| t[range.clone()].to_vec());
    Ok(Read { series, grid: read.grid.between(first, end), treated, found: read.found })
}

/// One past the last position at or before a time.
fn past(grid: &Grid, text: &str) -> Result<usize, EvidenceError> {
    let at = grid.at_or_after(text)?;
    Ok(at + usize::from(grid.is_at(at, text)))
}

/// One row per unit and time.
fn long(args: &PanelArgs) -> Result<Read, OneShotError> {
    if args.treatment.is_empty() {
        return Err(fault("a file of units needs --treatment", "name the column that marks the treated unit"));
    }
    let (panel, mut found) = args.panel()?;
    let treated = panel.treated();
    if treated.is_empty() {
        let help = "mark the treated unit with 1 from the intervention on";
        return Err(fault(format!("no unit is treated in `{}`", args.treatment), help));
    }
    let start = treated.iter().filter_map(|i| panel.start(*i)).min().unwrap_or(0);
    if treated.iter().any(|i| panel.start(*i) != Some(start)) {
        let help = "use --method cs for staggered treatment, or keep one unit";
        return Err(fault("the treated units begin at different times", help));
    }
    if treated.len() > 1 {
        let message = format!("the series is the mean of {} treated units", treated.len());
        found.push(Diagnostic::new(throughline_core::diagnostic::Severity::Info, "TL065", message));
    }
    let times = panel_times(&panel);
    let grid = Grid::of(&times)?;
    let mean = |of: &dyn Fn(usize, usize) -> f64| -> Vec<f64> {
        let at = |t: usize| treated.iter().map(|i| of(*i, t)).sum::<f64>() / treated.len() as f64;
        (0..panel.periods()).map(at).collect()
    };
    let outcome = grid.spread(&mean(&|i, t| panel.outcomes_of(i)[t]));
    let mut controls: Vec<(String, Vec<f64>)> =
        panel.never_treated().into_iter().map(|i| (panel.unit_name(i), grid.spread(panel.outcomes_of(i)))).collect();
    for (name, values) in panel.covariates() {
        controls.push((name.to_owned(), grid.spread(&mean(&|i, t| values[i * panel.periods() + t]))));
    }
    let marks: Vec<f64> = (0..panel.periods()).map(|t| f64::from(u8::from(t >= start))).collect();
    let treated = Some(carried(&grid.spread(&marks)));
    Ok(Read { series: Series::new(grid.labels.clone(), outcome, controls)?, grid, treated, found })
}

fn panel_times(panel: &Panel) -> Column {
    let names: Vec<String> = (0..panel.periods()).map(|t| panel.time_name(t)).collect();
    if names.iter().all(|n| n.parse::<f64>().is_ok()) {
        return Column::Numbers((0..panel.periods()).map(|t| panel.time(t)).collect());
    }
    Column::Texts { codes: (0..).take(names.len()).collect(), names }
}

/// The interventions asked for, or those the file marks.
fn windows(args: &PanelArgs, read: &Read) -> Result<Vec<Window>, OneShotError> {
    let (grid, n) = (&read.grid, read.series.len());
    let mut out = Vec::new();
    for text in &args.its.interventions {
        let (from, to) = text.split_once("..").map_or((text.as_str(), None), |(f, t)| (f, Some(t)));
        let intervention = grid.at_or_after(from.trim())?;
        let end = to.filter(|t| !t.trim().is_empty()).map_or(Ok(n), |t| past(grid, t.trim()))?;
        out.push(Window { intervention, start: intervention, end });
    }
    if let Some(from) = args.treated_from.as_deref().filter(|_| out.is_empty()) {
        let intervention = grid.at_or_after(from)?;
        out.push(Window { intervention, start: intervention, end: n });
    }
    if let Some(marks) = read.treated.as_ref().filter(|_| out.is_empty()) {
        let mut t = 0;
        while let Some(from) = (t..n).find(|t| marks[*t]) {
            t = (from..n).find(|t| !marks[*t]).unwrap_or(n);
            out.push(Window { intervention: from, start: from, end: t });
        }
    }
    if out.is_empty() {
        let help =
            "name its time with --intervention FROM[..TO], or mark its times with 1 in a column given as --treatment";
        return Err(fault("no intervention is given", help));
    }
    if let Some(from) = &args.its.measure_from {
        let [window] = &mut out[..] else {
            return Err(fault("--measure-from is for one intervention", "give a single --intervention"));
        };
        window.start = grid.at_or_after(from)?.max(window.intervention);
    }
    out.sort_by_key(|w| w.intervention);
    Ok(out)
}
