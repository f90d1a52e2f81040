//! Data that meet the estimators' own assumptions.

use throughline_core::{EvidenceTier, Level};

use super::components::Structure;
use super::model::{Series, Settings, Window, priors};
use super::random::Cursor;
use super::segmented::segmented;
use super::small::{backward, factorise};
use super::structural::answer;
use crate::{EstimatorEntry, EvidenceError, Simulated};

/// The estimators of this family.
pub const ESTIMATORS: &[EstimatorEntry] = &[
    EstimatorEntry {
        name: "series/structural",
        tier: EvidenceTier::QuasiExperiment,
        conservative: false,
        simulate: structural_data,
    },
    EstimatorEntry {
        name: "series/segmented",
        tier: EvidenceTier::QuasiExperiment,
        conservative: false,
        simulate: segmented_data,
    },
];

/// A Bayesian interval holds the truth as often as it promises when parameters come from its prior: noise, level and
/// coefficients are drawn from it for every data set.
fn structural_data(seed: u64, level: Level) -> Result<Simulated, EvidenceError> {
    const BEFORE: usize = 60;
    const AFTER: usize = 12;
    // Priors of moderate weight: with those of one observation a few enormous draws would rule means over data sets.
    let priors_of = Settings { level_sd: 0.05, level_df: 8.0, noise_df: 8.0, ..Settings::default() };
    let settings = Settings { draws: 599, seed, scale: Some(1.0), ..priors_of };
    let structure = Structure::new(settings.trend, &settings.seasons)?;
    let mut cursor = Cursor::new(seed, 11);
    let n = BEFORE + AFTER;
    let controls: Vec<Vec<f64>> = (0..2).map(|_| (0..n).map(|_| cursor.normal()).collect()).collect();
    let standard: Vec<Vec<f64>> = controls.iter().map(|c| standardised(&c[..BEFORE])).collect();
    let prior = priors(&settings, &structure, &standard);
    let noise = cursor.scaled_inverse_chi_squared(prior.noise.df, prior.noise.guess).sqrt();
    let step = cursor.scaled_inverse_chi_squared(prior.states[0].df, prior.states[0].guess).sqrt();
    let mut root = prior.precision.clone();
    let mut beta = [noise * cursor.normal(), noise * cursor.normal()];
    if !factorise(&mut root, 2) {
        return Err(EvidenceError::NotFinite { what: "prior".into() });
    }
    backward(&root, 2, &mut beta);
    let truth = 0.5;
    let (mut state, mut outcome) = (3.0, Vec::with_capacity(n));
    for t in 0..n {
        // Coefficients are of the standardised controls.
        let x: f64 = (0..2).map(|j| beta[j] * (controls[j][t] / spread(&controls[j][..BEFORE]))).sum();
        let effect = if t >= BEFORE { truth } else { 0.0 };
        outcome.push(state + x + noise * cursor.normal() + effect);
        state += step * cursor.normal();
    }
    let named = controls.into_iter().enumerate().map(|(j, c)| (format!("x{j}"), c)).collect();
    let series = Series::new((0..n).map(|t| t.to_string()).collect(), outcome, named)?;
    let window = Window { intervention: BEFORE, start: BEFORE, end: n };
    Ok(Simulated { estimate: answer(&series, window, &[], &settings, level)?.effects.average, truth })
}

fn spread(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt()
}

fn standardised(values: &[f64]) -> Vec<f64> {
    let (mean, sd) = (values.iter().sum::<f64>() / values.len() as f64, spread(values));
    values.iter().map(|v| (v - mean) / sd).collect()
}

/// A line with a change of level and slope, and errors that depend a little on the one before.
fn segmented_data(seed: u64, level: Level) -> Result<Simulated, EvidenceError> {
    const BEFORE: usize = 400;
    const AFTER: usize = 200;
    let mut cursor = Cursor::new(seed, 12);
    let (mut error, mut outcome) = (cursor.normal(), Vec::with_capacity(BEFORE + AFTER));
    for t in 0..BEFORE + AFTER {
        let since = t as f64 - BEFORE as f64;
        let effect = if t >= BEFORE { 0.4 + 0.002 * since } else { 0.0 };
        outcome.push(10.0 + 0.01 * t as f64 + error + effect);
        error = 0.1 * error + cursor.normal();
    }
    let series = Series::new((0..outcome.len()).map(|t| t.to_string()).collect(), outcome, Vec::new())?;
    let window = Window { intervention: BEFORE, start: BEFORE, end: BEFORE + AFTER };
    let report = segmented(&series, window, &[], None, level)?;
    Ok(Simulated { estimate: report.estimate, truth: 0.4 + 0.002 * (AFTER as f64 - 1.0) / 2.0 })
}
