//! A series, the model of it before an intervention, and what it predicts after.

use throughline_core::Diagnostic;

use super::components::{Season, Structure, Trend};
use super::filter::Rows;
use super::posterior::{Draw, Posterior, Priors, VariancePrior, g_prior};
use super::random::Cursor;
use crate::EvidenceError;

/// Work grows with the square of the controls.
const MOST_CONTROLS: usize = 300;

/// A series on a regular grid of time with its control series. NaN where a value is absent.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// One label per position.
    pub times: Vec<String>,
    /// The outcome.
    pub outcome: Vec<f64>,
    /// Series that the intervention does not touch.
    pub controls: Vec<(String, Vec<f64>)>,
}

impl Series {
    /// Checks lengths and values. Errors: unequal lengths, infinite values, a control named twice.
    pub fn new(
        times: Vec<String>,
        outcome: Vec<f64>,
        controls: Vec<(String, Vec<f64>)>,
    ) -> Result<Self, EvidenceError> {
        if outcome.len() != times.len() || controls.iter().any(|(_, c)| c.len() != times.len()) {
            return Err(EvidenceError::Shape { what: "times, outcome and controls" });
        }
        for (j, (name, values)) in controls.iter().enumerate() {
            if controls[..j].iter().any(|(n, _)| n == name) {
                return Err(EvidenceError::Duplicate { what: "control", name: name.clone() });
            }
            if values.iter().any(|x| x.is_infinite()) {
                return Err(EvidenceError::NotFinite { what: format!("a value of the control `{name}`") });
            }
        }
        if outcome.iter().any(|x| x.is_infinite()) {
            return Err(EvidenceError::NotFinite { what: "a value of the outcome".into() });
        }
        Ok(Self { times, outcome, controls })
    }

    /// Number of positions.
    pub const fn len(&self) -> usize {
        self.outcome.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.outcome.is_empty()
    }
}

/// An intervention and the period its effect is measured over, as positions of the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first position that may be affected; the model learns from those before.
    pub intervention: usize,
    /// The first position that is measured; later than the intervention where its beginning is left out.
    pub start: usize,
    /// One past the last position that is measured.
    pub end: usize,
}

/// What is modelled and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// How the level moves.
    pub trend: Trend,
    /// Seasons.
    pub seasons: Vec<Season>,
    /// Prior guess of the standard deviation of a step of the level (slope, season), over the outcome's.
    pub level_sd: f64,
    /// Its weight in observations.
    pub level_df: f64,
    /// Prior guess of the share of the outcome's variance that the controls explain.
    pub expected_r2: f64,
    /// Its weight in observations; without controls the prior of the noise has no weight.
    pub noise_df: f64,
    /// Prior expectation of how many coefficients (a constant among them) are not 0.
    pub expected_size: f64,
    /// Prior information on coefficients in observations.
    pub information: f64,
    /// Draws.
    pub draws: usize,
    /// Seed of the draws.
    pub seed: u64,
    /// The outcome's standard deviation that priors refer to, where it is known; measured before the intervention otherwise.
    pub scale: Option<f64>,
}

impl Settings {
    /// The priors that CausalImpact documents: a level whose steps are about 0.01 of the outcome's standard deviation with
    /// the weight of 32 observations, and controls that explain about 80 % with the weight of 50. They are strong: where a
    /// series does not obey them, intervals are too narrow (see the method's page).
    pub const fn causal_impact() -> Self {
        Self {
            trend: Trend::Level,
            seasons: Vec::new(),
            level_sd: 0.01,
            level_df: 32.0,
            expected_r2: 0.8,
            noise_df: 50.0,
            expected_size: 3.0,
            information: 0.01,
            draws: 2000,
            seed: 1,
            scale: None,
        }
    }
}

impl Default for Settings {
    /// CausalImpact's guesses with the weight of two observations (level) and one (noise), so that the series can speak
    /// against them.
    fn default() -> Self {
        Self { level_df: 2.0, noise_df: 1.0, ..Self::causal_impact() }
    }
}

impl Settings {
    fn check(&self) -> Result<(), EvidenceError> {
        let within = |what, value: f64, fine: bool, bounds| {
            if fine { Ok(()) } else { Err(EvidenceError::Setting { what, value, bounds }) }
        };
        let above = |x: f64| x > 0.0 && x.is_finite();
        within("level_sd", self.level_sd, above(self.level_sd) && self.level_sd <= 1.0, "0 to 1, 0 excluded")?;
        within("level_df", self.level_df, above(self.level_df), "finite numbers above 0")?;
        within("noise_df", self.noise_df, above(self.noise_df), "finite numbers above 0")?;
        within("expected_r2", self.expected_r2, (0.0..1.0).contains(&self.expected_r2), "0 to 1, 1 excluded")?;
        within("expected_size", self.expected_size, above(self.expected_size), "finite numbers above 0")?;
        within("information", self.information, above(self.information), "finite numbers above 0")?;
        within("scale", self.scale.unwrap_or(1.0), self.scale.is_none_or(above), "finite numbers above 0")?;
        within("draws", self.draws as f64, (100..=1_000_000).contains(&self.draws), "100 to 1,000,000")
    }
}

/// Mean and standard deviation of a column where it is learnt from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Unit {
    pub(super) mean: f64,
    pub(super) sd: f64,
}

impl Unit {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut m = throughline_stats::moments::Moments::default();
        values.for_each(|v| m.push(v));
        Self { mean: m.mean().unwrap_or(0.0), sd: m.variance().unwrap_or(0.0).max(0.0).sqrt() }
    }

    fn constant(self) -> bool {
        self.sd <= 1e-10 * self.mean.abs() || self.sd == 0.0
    }

    fn apply(self, value: f64) -> f64 {
        (value - self.mean) / self.sd
    }
}

/// The model of a series before an intervention.
#[derive(Debug, Clone)]
pub struct Fit {
    pub(super) structure: Structure,
    pub(super) rows: Rows,
    pub(super) outcome: Unit,
    /// Position among the series' controls and unit of each control that is used.
    pub(super) controls: Vec<(usize, Unit)>,
    /// Draws of the posterior.
    pub draws: Vec<Draw>,
    /// Rows learnt from.
    pub learnt: usize,
    /// What was found on the way.
    pub found: Vec<Diagnostic>,
    seed: u64,
}

/// The series and a window's learning rows.
fn learning(series: &Series, window: Window, masked: &[Window]) -> Vec<bool> {
    let free = |t: usize| !masked.iter().any(|w| (w.intervention..w.end).contains(&t));
    let whole = |t: usize| series.outcome[t].is_finite() && series.controls.iter().all(|(_, c)| c[t].is_finite());
    (0..window.intervention).map(|t| free(t) && whole(t)).collect()
}

/// Too few rows to learn from.
fn too_short(learnt: usize, states: usize) -> EvidenceError {
    EvidenceError::Data {
        code: "TL310",
        message: format!("{learnt} usable times before the intervention do not determine a model of {states} states"),
        help: "use a longer period before the intervention, fewer seasons, or no slope".into(),
    }
}

impl Fit {
    /// Learns from the times before a window's intervention, without those of earlier windows (`masked`).
    ///
    /// Errors: TL310 too few usable times, TL319 an outcome that does not vary, settings out of range.
    pub fn new(series: &Series, window: Window, masked: &[Window], settings: &Settings) -> Result<Self, EvidenceError> {
        settings.check()?;
        if series.controls.len() > MOST_CONTROLS {
            let (value, bounds) = (series.controls.len() as f64, "0 to 300: choose those most like the outcome");
            return Err(EvidenceError::Setting { what: "number of controls", value, bounds });
        }
        let structure = Structure::new(settings.trend, &settings.seasons)?;
        let seen = learning(series, window, masked);
        let learnt = seen.iter().filter(|s| **s).count();
        let at: Vec<usize> = (0..seen.len()).filter(|t| seen[*t]).collect();
        if learnt <= structure.dim() + 1 {
            return Err(too_short(learnt, structure.dim()));
        }
        let mut outcome = Unit::of(at.iter().map(|t| series.outcome[*t]));
        if !outcome.sd.is_finite() {
            return Err(EvidenceError::NotFinite { what: "the variance of the outcome".into() });
        }
        if outcome.constant() {
            return Err(EvidenceError::Data {
                code: "TL319",
                message: format!("the outcome is {} at all {learnt} times before the intervention", outcome.mean),
                help: "a series that never varies has no model: check the column and the unit".into(),
            });
        }
        outcome.sd = settings.scale.unwrap_or(outcome.sd);
        let mut found = Vec::new();
        let mut controls = Vec::new();
        for (j, (name, values)) in series.controls.iter().enumerate() {
            let unit = Unit::of(at.iter().map(|t| values[*t]));
            if !unit.sd.is_finite() {
                return Err(EvidenceError::NotFinite { what: format!("the variance of the control `{name}`") });
            }
            if unit.constant() {
                let message = format!("the control `{name}` does not vary before the intervention and is left out");
                found.push(Diagnostic::warning("TL319", message).help("use a control that moves with the outcome"));
            } else {
                controls.push((j, unit));
            }
        }
        let columns: Vec<Vec<f64>> =
            controls.iter().map(|(j, u)| at.iter().map(|t| u.apply(series.controls[*j].1[*t])).collect()).collect();
        let rows = rows(series, &seen, outcome, &controls);
        let priors = priors(settings, &structure, &columns);
        let mut posterior =
            Posterior::new(&structure, &rows, &priors).ok_or_else(|| too_short(learnt, structure.dim()))?;
        let mut cursor = Cursor::new(settings.seed, 1);
        let draws = posterior.draws(settings.draws, 200, &mut cursor);
        if draws.len() < settings.draws {
            return Err(EvidenceError::NotFinite { what: "the posterior of the structural model".into() });
        }
        let seed = settings.seed;
        Ok(Self { structure, rows, outcome, controls, draws, learnt, found, seed })
    }

    /// The columns of controls that are used, by position among the series'.
    pub fn used(&self) -> impl Iterator<Item = usize> + '_ {
        self.controls.iter().map(|(j, _)| *j)
    }

    /// Standardised controls at a time; `None` where one is absent.
    pub(super) fn row(&self, series: &Series, t: usize) -> Option<Vec<f64>> {
        let row: Vec<f64> = self.controls.iter().map(|(j, u)| u.apply(series.controls[*j].1[t])).collect();
        row.iter().all(|x| x.is_finite()).then_some(row)
    }

    /// Draws paths of the outcome without the intervention from the intervention on, at the measured times whose controls
    /// are there.
    pub fn forecast(&self, series: &Series, window: Window) -> Forecast {
        let x: Vec<Option<Vec<f64>>> = (window.intervention..window.end).map(|t| self.row(series, t)).collect();
        let counts = |i: usize| window.intervention + i >= window.start && x[i].is_some();
        let times: Vec<usize> = (0..x.len()).filter(|i| counts(*i)).map(|i| window.intervention + i).collect();
        let mut mean = vec![0.0; times.len()];
        let mut cursor = Cursor::new(self.seed, 2);
        let mut paths = Vec::with_capacity(self.draws.len());
        for draw in &self.draws {
            let drive: Vec<f64> = self.structure.driver().iter().map(|k| draw.sigma * draw.ratios[*k].sqrt()).collect();
            let (mut state, mut state_mean) = (draw.state.clone(), draw.state_mean.clone());
            let mut path = Vec::with_capacity(times.len());
            for (i, x) in x.iter().enumerate() {
                let noise = draw.sigma * cursor.normal();
                if let Some(x) = x.as_ref().filter(|_| counts(i)) {
                    let seen = |s: &[f64]| self.structure.seen().iter().map(|i| s[*i]).sum::<f64>();
                    let by = |beta: &[f64]| x.iter().zip(beta).map(|(x, b)| x * b).sum::<f64>();
                    mean[path.len()] += seen(&state_mean) + by(&draw.beta_mean);
                    path.push(self.outcome.mean + self.outcome.sd * (seen(&state) + by(&draw.beta) + noise));
                }
                self.structure.advance(&mut state, 1);
                self.structure.advance(&mut state_mean, 1);
                state.iter_mut().zip(&drive).for_each(|(s, d)| *s += d * cursor.normal());
            }
            paths.push(path);
        }
        let count = self.draws.len() as f64;
        for m in &mut mean {
            *m = self.outcome.mean + self.outcome.sd * *m / count;
        }
        Forecast { times, mean, paths }
    }
}

fn rows(series: &Series, seen: &[bool], outcome: Unit, controls: &[(usize, Unit)]) -> Rows {
    let width = 1 + controls.len();
    let mut values = Vec::with_capacity(seen.len() * width);
    for (t, seen) in seen.iter().enumerate() {
        if *seen {
            values.push(outcome.apply(series.outcome[t]));
            values.extend(controls.iter().map(|(j, u)| u.apply(series.controls[*j].1[t])));
        } else {
            values.resize(values.len() + width, 0.0);
        }
    }
    Rows { values, width, seen: seen.to_vec() }
}

pub(super) fn priors(settings: &Settings, structure: &Structure, columns: &[Vec<f64>]) -> Priors {
    let p = columns.len();
    let noise = if p == 0 {
        VariancePrior { guess: 1.0, df: 0.01 }
    } else {
        VariancePrior { guess: (1.0 - settings.expected_r2).sqrt(), df: settings.noise_df }
    };
    let size = (p + 1) as f64;
    Priors {
        noise,
        states: vec![VariancePrior { guess: settings.level_sd, df: settings.level_df }; structure.variances()],
        precision: g_prior(columns, settings.information),
        inclusion: if settings.expected_size < size { settings.expected_size / size } else { 1.0 },
    }
}

/// Paths of the outcome without the intervention.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// Positions of the grid.
    pub times: Vec<usize>,
    /// Mean of the paths, without the simulated noise.
    pub mean: Vec<f64>,
    /// One path per draw.
    pub paths: Vec<Vec<f64>>,
}
