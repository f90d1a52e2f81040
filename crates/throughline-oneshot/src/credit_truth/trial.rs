//! One market: attributed, tested, calibrated, held against its truth.

use std::num::NonZeroUsize;
use std::ops::Range;

use throughline_attribution::causal::{Calibration, Credit, Effect, Evidence, Period, Settings, Span, calibrate};
use throughline_attribution::{AttributionError, Model, Summation, Units};
use throughline_core::EvidenceTier;
use throughline_evidence::adjust::{AdjustSettings, TouchpointSettings, Touchpoints, touchpoint};
use throughline_market::{Channel, Life, PeriodTruth, Purchase, Segment, World};
use throughline_stats::moments::Moments;
use throughline_stats::quantile::{quantile, sorted};
use throughline_stats::stream::{Poisson, Stream};

use super::draw::{DAYS, Drawn, PERIOD, WARM_UP, draw};
use super::journeys::{Journeys, journeys, seen};

/// What a study asks of every market.
#[derive(Debug)]
pub(super) struct Study<'a> {
    pub(super) people: u32,
    pub(super) experiments: usize,
    pub(super) draws: usize,
    pub(super) models: &'a [Box<dyn Model>],
    /// Positions of the models that are calibrated.
    pub(super) bases: &'a [usize],
    pub(super) settings: Settings,
    /// Whether the effect of touchpoints is estimated too.
    pub(super) touchpoints: bool,
}

/// An estimate with its 90 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Said {
    pub(super) value: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

/// A channel and period whose experiment, if there was one, nothing consumed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct HeldOut {
    pub(super) later: bool,
    /// Whether the channel was tested, in the other period.
    pub(super) tested: bool,
    pub(super) truth: f64,
    /// By column: models, then calibrated ones.
    pub(super) said: Vec<Option<Said>>,
}

/// What came of one market.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Trial {
    pub(super) odd: bool,
    pub(super) cells: Vec<HeldOut>,
    /// The position of the pre-stated target.
    pub(super) target: usize,
    /// Every channel that could be tested, by the effect of its touchpoints; and the position of their target.
    pub(super) touchpoints: Vec<HeldOut>,
    pub(super) touchpoint_target: usize,
    /// Purchases of both periods.
    pub(super) purchases: f64,
    /// What all channels that could be tested caused in them, each left out alone.
    pub(super) caused: f64,
    /// Mean |z| of the experiments: estimate over standard error.
    pub(super) strength: f64,
}

/// Credits of one model and period by channel, with their draws.
struct Credited {
    conversions: Vec<f64>,
    value: Vec<f64>,
    draws: Vec<Vec<f64>>,
    value_draws: Vec<Vec<f64>>,
}

/// Days after a touch in which conversions count, for the effect of touchpoints.
const WINDOW: u32 = 14;
/// Ends of the spans whose truth is asked for: warm-up, first period, second one up to the last window, all.
const ENDS: [u32; 4] = [WARM_UP, WARM_UP + PERIOD, DAYS - WINDOW, DAYS];
const PERIODS: [Range<u32>; 2] = [WARM_UP..WARM_UP + PERIOD, WARM_UP + PERIOD..DAYS];

/// Runs one market.
pub(super) fn trial(seed: u64, study: &Study<'_>) -> Result<Trial, String> {
    let drawn = draw(seed, study.people);
    let world = World::simulate(&drawn.scenario, seed).map_err(|e| e.to_string())?;
    let truth = world.truth_by_period(&ENDS);
    let used: Vec<Channel> = truth.iter().map(|t| t.channel).collect();
    let paths = PERIODS.map(|days| journeys(&world, &used, &days));
    let both = |model: &dyn Model| -> Result<[Credited; 2], AttributionError> {
        Ok([credit(model, &paths[0], seed, study)?, credit(model, &paths[1], seed, study)?])
    };
    let credited: Vec<[Credited; 2]> =
        study.models.iter().map(|m| both(&**m)).collect::<Result<_, _>>().map_err(|e| e.to_string())?;
    let effects: Vec<(Channel, f64, f64)> = drawn.testable[..study.experiments]
        .iter()
        .map(|c| {
            let (estimate, variance) = experiment(&world, *c, seed);
            (*c, estimate, variance)
        })
        .collect();
    let calibrations = calibrations(&world, &paths, &credited, &effects, &drawn, study)?;
    let names = paths[0].table.channels();
    let cells = held_out(&drawn, study, &truth, names, &credited, &calibrations);
    let touchpoints = if study.touchpoints { touchpoints(&world, &used, &drawn, &truth, seed) } else { Vec::new() };
    let each = drawn.testable.iter().flat_map(|c| [caused(&truth, *c, 0), caused(&truth, *c, 1)]);
    let strength = effects.iter().map(|e| e.1.abs() / e.2.sqrt()).sum::<f64>() / effects.len().max(1) as f64;
    Ok(Trial {
        odd: drawn.odd,
        target: place(drawn.pick, cells.len()),
        touchpoint_target: place(drawn.pick, touchpoints.len()),
        cells,
        touchpoints,
        purchases: paths.iter().map(|p| p.purchases).sum(),
        caused: each.sum(),
        strength,
    })
}

/// The credits of each base, calibrated with the experiments.
fn calibrations(
    world: &World,
    paths: &[Journeys; 2],
    credited: &[[Credited; 2]],
    effects: &[(Channel, f64, f64)],
    drawn: &Drawn,
    study: &Study<'_>,
) -> Result<Vec<Calibration>, String> {
    let spans = spans(world)?;
    let periods = [0, 1].map(|p| Period { span: spans[p], conversions: paths[p].purchases, value: paths[p].value });
    let evidence: Vec<Evidence> = effects.iter().map(|e| piece(e, spans[0])).collect();
    let of = |base: &usize| {
        let credits = credits(&credited[*base], paths[0].table.channels(), drawn);
        calibrate(&periods, &credits, &evidence, &study.settings).map_err(|e| e.to_string())
    };
    study.bases.iter().map(of).collect()
}

/// Every channel and period that no experiment measured, with what each column says.
fn held_out(
    drawn: &Drawn,
    study: &Study<'_>,
    truth: &[PeriodTruth],
    names: &[String],
    credited: &[[Credited; 2]],
    calibrations: &[Calibration],
) -> Vec<HeldOut> {
    let tested = &drawn.testable[..study.experiments];
    let mut cells = Vec::new();
    for (p, channel) in [0, 1].into_iter().flat_map(|p| drawn.testable.iter().map(move |c| (p, *c))) {
        if p == 0 && tested.contains(&channel) {
            continue;
        }
        let at = names.iter().position(|n| n == channel.name());
        let mut said: Vec<Option<Said>> = credited.iter().map(|c| c[p].said(at?)).collect();
        said.extend(calibrations.iter().map(|c| {
            let found = c.cell(channel.name(), p)?.conversions.as_ref()?;
            let (low, high) = found.interval(0.9)?;
            Some(Said { value: found.mean, low, high })
        }));
        let truth = caused(truth, channel, p);
        cells.push(HeldOut { later: p == 1, tested: tested.contains(&channel), truth, said });
    }
    cells
}

/// The doubly robust effect of every channel that could be tested, over the days that have a lookback and a window.
fn touchpoints(world: &World, used: &[Channel], drawn: &Drawn, truth: &[PeriodTruth], seed: u64) -> Vec<HeldOut> {
    let names: Vec<String> = used.iter().map(|c| c.name().to_owned()).collect();
    let (mut touches, mut conversions) = (Vec::new(), Vec::new());
    for life in world.lives() {
        let person = life.person.number;
        let seen = seen(life).into_iter();
        touches.extend(seen.filter_map(|(at, channel)| {
            let number = used.iter().position(|c| *c == channel)?;
            Some((person, at * 1_000_000, u32::try_from(number).ok()?))
        }));
        let days = life.purchases.iter().map(|p| i64::from(p.day) * 86_400 + i64::from(p.second));
        conversions.extend(days.map(|at| (person, at * 1_000_000)));
    }
    let segment = |s: Segment| {
        let is = |l: &Life| f64::from(u8::from(l.person.segment == s));
        (format!("segment={s:?}"), world.lives().iter().map(is).collect::<Vec<f64>>())
    };
    let covariates = [segment(Segment::New), segment(Segment::Vip)];
    let persons = u32::try_from(world.lives().len()).unwrap_or(u32::MAX);
    let given = Touchpoints {
        persons,
        channels: &names,
        touches: &touches,
        conversions: &conversions,
        covariates: &covariates,
    };
    let settings = TouchpointSettings {
        window_days: WINDOW,
        lookback_days: WARM_UP,
        adjust: AdjustSettings { seed, threads: Some(NonZeroUsize::MIN), ..AdjustSettings::default() },
        ..TouchpointSettings::default()
    };
    let said = |channel: Channel| {
        let number = used.iter().position(|c| *c == channel)?;
        let effect = touchpoint(&given, u32::try_from(number).ok()?, &settings).ok()?.incremental;
        let (low, high) = effect.interval();
        Some(Said { value: effect.value, low, high })
    };
    // Conversions before the last window's length: what touches before the first day still do stands for what the last ones do
    // after the last day.
    let cell = |c: &Channel| {
        let truth = caused(truth, *c, 0) + truth.iter().find(|t| t.channel == *c).map_or(0.0, |t| t.conversions[2]);
        HeldOut { later: true, tested: false, truth, said: vec![said(*c)] }
    };
    drawn.testable.iter().map(cell).collect()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a small number")]
fn place(share: f64, n: usize) -> usize {
    ((share * n as f64) as usize).min(n.saturating_sub(1))
}

/// What a channel caused in a period.
fn caused(truth: &[PeriodTruth], channel: Channel, period: usize) -> f64 {
    let spans = if period == 0 { 1..2 } else { 2..4 };
    truth.iter().find(|t| t.channel == channel).map_or(0.0, |t| t.conversions[spans].iter().sum())
}

fn spans(world: &World) -> Result<[Span; 2], String> {
    let of = |days: &Range<u32>| {
        Span::new(world.instant(days.start, 0), world.instant(days.end, 0)).map_err(|e| e.to_string())
    };
    Ok([of(&PERIODS[0])?, of(&PERIODS[1])?])
}

fn piece((channel, estimate, variance): &(Channel, f64, f64), span: Span) -> Evidence {
    Evidence {
        id: format!("holdout-{channel}"),
        source: format!("holdout-{channel}"),
        channel: channel.name().to_owned(),
        span,
        scope: None,
        credit: None,
        credit_variance: 0.0,
        effect: Effect::Conversions { estimate: *estimate, variance: *variance },
        tier: EvidenceTier::Randomised,
        healthy: true,
        current: true,
    }
}

/// The credits of both periods as they are handed to the calibration.
fn credits(credited: &[Credited; 2], names: &[String], drawn: &Drawn) -> Vec<Credit> {
    let of = |(p, at): (usize, usize)| Credit {
        conversions_draws: credited[p].draws.iter().map(|d| d[at]).collect(),
        value_draws: credited[p].value_draws.iter().map(|d| d[at]).collect(),
        exchangeable: drawn.testable.iter().any(|c| c.name() == names[at]),
        ..Credit::new(names[at].clone(), p, credited[p].conversions[at], credited[p].value[at])
    };
    [0, 1].into_iter().flat_map(|p| (0..names.len()).map(move |at| (p, at))).map(of).collect()
}

/// A model's credits of a period and their draws: a Poisson bootstrap over persons.
fn credit(model: &dyn Model, paths: &Journeys, seed: u64, study: &Study<'_>) -> Result<Credited, AttributionError> {
    let prepared = model.prepare(&paths.table)?;
    let units = paths.table.units();
    let whole = prepared.split(units, Summation::Exact)?;
    let poisson = Poisson::new(1.0);
    let (mut draws, mut value_draws) = (Vec::new(), Vec::new());
    for draw in 0..study.draws as u64 {
        let stream = Stream::new(seed, 0x6472_6177_0000_0000 | draw);
        let count: Vec<f64> = (0..study.people)
            .map(|p| poisson.as_ref().map_or(1.0, |poisson| poisson.draw(stream.u64_at(u64::from(p)))))
            .collect();
        let times = |column: &[f64]| -> Vec<f64> {
            column.iter().zip(&paths.person).map(|(x, p)| x * count[*p as usize]).collect()
        };
        let (conversions, values, nulls) = (times(units.conversions), times(units.values), times(units.nulls));
        let units = Units { conversions: &conversions, values: &values, nulls: &nulls };
        let split = prepared.split(units, Summation::InOrder)?;
        draws.push(split.conversions);
        value_draws.push(split.value);
    }
    Ok(Credited { conversions: whole.conversions, value: whole.value, draws, value_draws })
}

impl Credited {
    /// The credit of a channel with the quantiles of its draws.
    fn said(&self, at: usize) -> Option<Said> {
        let value = self.conversions[at];
        let draws = sorted(self.draws.iter().map(|d| d[at]));
        let (low, high) = (quantile(&draws, 0.05)?, quantile(&draws, 0.95)?);
        Some(Said { value, low: low.min(value), high: high.max(value) })
    }
}

/// An experiment in the first period: a fair coin holds each person out of the channel. Incremental purchases of everybody:
/// N (ȳ₁ − ȳ₀), with variance N² (s₁²/n₁ + s₀²/n₀).
fn experiment(world: &World, channel: Channel, seed: u64) -> (f64, f64) {
    let coin = Stream::new(seed, 0x636f_696e_0000_0000 | channel.index() as u64);
    let days = &PERIODS[0];
    let mut arms = [Moments::default(), Moments::default()];
    for life in world.lives() {
        let treated = coin.uniform_at(u64::from(life.person.number)) < 0.5;
        let count = |purchases: &[Purchase]| purchases.iter().filter(|p| days.contains(&p.day)).count() as f64;
        if treated {
            arms[1].push(count(&life.purchases));
        } else {
            arms[0].push(count(&world.held_out_purchases(life, channel)));
        }
    }
    let n = world.lives().len() as f64;
    let mean = |arm: usize| arms[arm].mean().unwrap_or(0.0);
    let error = |arm: usize| arms[arm].std_error().unwrap_or(f64::INFINITY);
    (n * (mean(1) - mean(0)), n * n * (error(0).powi(2) + error(1).powi(2)))
}
