//! Data that meet the assumptions of the estimators, with known effects.

use throughline_core::{EvidenceTier, Level};
use throughline_stats::stream::Stream;

use super::conformal::{ConformalSpec, Permutations, constant_effect};
use super::control::{ControlSpec, Solver, fit};
use super::placebo::{in_space, ranked, ratio_ranked};
use super::ridge::Ridge;
use super::sdid::{SdidSpec, fit_all};
use super::study::Study;
use super::variance::{Variance, estimate};
use crate::{EstimatorEntry, EvidenceError, Panel, Simulated};

/// The estimators of this family.
pub const ESTIMATORS: &[EstimatorEntry] = &[
    entry("synth/sc_placebo", false, sc_placebo),
    entry("synth/sc_ratio", false, sc_ratio),
    entry("synth/sc_conformal", false, sc_conformal),
    entry("synth/ascm", false, ascm),
    entry("synth/sdid_placebo", false, sdid_placebo),
    // Conservative by theorem 2 of Arkhangelsky et al. (2021).
    entry("synth/sdid_jackknife", false, sdid_jackknife),
];

const fn entry(
    name: &'static str,
    conservative: bool,
    simulate: fn(u64, Level) -> Result<Simulated, EvidenceError>,
) -> EstimatorEntry {
    EstimatorEntry { name, tier: EvidenceTier::QuasiExperiment, conservative, simulate }
}

/// yᵢₜ = 10 + Lᵢ·Fₜ + εᵢₜ with two factors, all normal and independent: units are exchangeable and so are periods. Unit-major;
/// the first `treated` units have `effect` added from `pre` on.
pub(crate) fn factor_model(
    seed: u64,
    units: usize,
    periods: usize,
    treated: usize,
    pre: usize,
    effect: f64,
) -> Vec<f64> {
    let stream = Stream::new(seed, 0x7379_6e74);
    let mut counter = 0;
    let mut normal = || {
        counter += 1;
        stream.normal_at(counter)
    };
    let loads: Vec<[f64; 2]> = (0..units).map(|_| [normal(), normal()]).collect();
    let factors: Vec<[f64; 2]> = (0..periods).map(|_| [normal(), normal()]).collect();
    let mut out = Vec::with_capacity(units * periods);
    for (i, l) in loads.iter().enumerate() {
        for (t, f) in factors.iter().enumerate() {
            let added = if i < treated && t >= pre { effect } else { 0.0 };
            out.push(10.0 + l[0] * f[0] + l[1] * f[1] + normal() + added);
        }
    }
    out
}

/// An effect that differs from data set to data set.
fn effect(seed: u64) -> f64 {
    2.0 * Stream::new(seed, 0x6566_6665).normal_at(0)
}

struct Drawn {
    values: Vec<f64>,
    periods: usize,
    pre: usize,
    truth: f64,
}

impl Drawn {
    fn new(seed: u64, units: usize, periods: usize, pre: usize) -> Self {
        let truth = effect(seed);
        Self { values: factor_model(seed, units, periods, 1, pre, truth), periods, pre, truth }
    }

    fn treated(&self) -> &[f64] {
        &self.values[..self.periods]
    }

    fn donors(&self) -> Vec<&[f64]> {
        self.values[self.periods..].chunks(self.periods).collect()
    }

    fn panel(&self, treated: usize) -> Result<Panel, EvidenceError> {
        let starts: Vec<Option<usize>> =
            (0..self.values.len() / self.periods).map(|i| (i < treated).then_some(self.pre)).collect();
        Panel::from_matrix(self.values.clone(), (0..self.periods).map(|t| t as f64).collect(), &starts, None)
    }
}

/// 41 exchangeable units: the rank is uniform on 41 places, of which 2 lie below 5 %.
fn placebo_test(seed: u64, level: Level, ratio: bool) -> Result<Simulated, EvidenceError> {
    let drawn = Drawn::new(seed, 41, 16, 12);
    let panel = drawn.panel(1)?;
    let study = Study::of(&panel)?;
    let block = study.block(&study.cohorts[0]);
    let spec = ControlSpec::default();
    let own = fit(&block.donors, &block.treated, block.pre, &spec)?;
    let placebos = in_space(&block, 500, seed, &|_, donors, treated| fit(donors, treated, block.pre, &spec))?;
    let judge = if ratio { ratio_ranked } else { ranked };
    Ok(Simulated { estimate: judge(&own, &placebos, 41, level)?, truth: drawn.truth })
}

fn sc_placebo(seed: u64, level: Level) -> Result<Simulated, EvidenceError> {
    placebo_test(seed, level, false)
}

fn sc_ratio(seed: u64, level: Level) -> Result<Simulated, EvidenceError> {
    placebo_test(seed, level, true)
}

/// 41 exchangeable periods, so that levels of 90 and 95 % are nearly met by whole numbers of shifts.
fn conformal(seed: u64, level: Level, ridge: Option<Ridge>) -> Result<Simulated, EvidenceError> {
    let drawn = Drawn::new(seed, 13, 41, 36);
    let (donors, treated) = (drawn.donors(), drawn.treated());
    let spec = ControlSpec { solver: Solver::Exact, intercept: false, ridge };
    let own = fit(&donors, treated, drawn.pre, &spec)?;
    let spec = ConformalSpec { intercept: false, lambda: own.lambda, permutations: Permutations::Block };
    let estimate = constant_effect(&donors, treated, drawn.pre, own.att(), &spec, level)?;
    Ok(Simulated { estimate, truth: drawn.truth })
}

fn sc_conformal(seed: u64, level: Level) -> Result<Simulated, EvidenceError> {
    conformal(seed, level, None)
}

fn ascm(seed: u64, level: Level) -> Result<Simulated, EvidenceError> {
    conformal(seed, level, Some(Ridge::default()))
}

fn sdid(seed: u64, level: Level, treated: usize, units: usize, variance: Variance) -> Result<Simulated, EvidenceError> {
    let truth = effect(seed);
    let drawn = Drawn { values: factor_model(seed, units, 20, treated, 15, truth), periods: 20, pre: 15, truth };
    let panel = drawn.panel(treated)?;
    let study = Study::of(&panel)?;
    let spec = SdidSpec::default();
    let (att, fits) = fit_all(&study, &spec)?;
    Ok(Simulated { estimate: estimate(&study, att, &fits, &spec, variance, level)?, truth })
}

/// One treated unit among 31 exchangeable ones.
fn sdid_placebo(seed: u64, level: Level) -> Result<Simulated, EvidenceError> {
    sdid(seed, level, 1, 31, Variance::Placebo { most: 100, seed })
}

/// 30 treated units among 90.
fn sdid_jackknife(seed: u64, level: Level) -> Result<Simulated, EvidenceError> {
    sdid(seed, level, 30, 90, Variance::Jackknife)
}
