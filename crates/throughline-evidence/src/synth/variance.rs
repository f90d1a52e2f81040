//! How uncertain a synthetic difference-in-differences is.

use throughline_core::{Estimate, Level};
use throughline_stats::stream::Stream;

use super::placebo::{assignments, pick};
use super::sdid::{SdidFit, SdidSpec, contrast, effect_of, pooled};
use super::study::{Study, data};
use crate::EvidenceError;

/// Where the standard error comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variance {
    /// The spread of placebo effects on donors: every assignment where there are few, so many at random otherwise. Units must
    /// vary alike.
    Placebo {
        /// Assignments at most.
        most: usize,
        /// Seed of the random ones.
        seed: u64,
    },
    /// Leaving out one unit at a time with the weights held. Needs two treated units in every cohort.
    Jackknife,
    /// Drawing units anew and estimating again. Needs two treated units.
    Bootstrap {
        /// Draws.
        draws: u32,
        /// Seed of their stream.
        seed: u64,
    },
}

/// The estimate with its standard error. Source: Arkhangelsky et al. (2021), algorithms 2 (bootstrap), 3 (jackknife) and 4
/// (placebo). The placebo variance of enumerated assignments is their sample variance and t has one degree of freedom fewer
/// than assignments. The jackknife's t has Satterthwaite's degrees of freedom, (Σ vᵢ)² / Σ vᵢ² of the units' parts vᵢ = dᵢ² of the
/// variance, estimated as 3 (Σ d²)² / Σ d⁴ − 2 for normal dᵢ, since few donors carry most of the weight. Errors: TL360 too few donors for placebos, TL360 too few treated units.
pub fn estimate(
    study: &Study<'_>,
    att: f64,
    fits: &[SdidFit],
    spec: &SdidSpec,
    variance: Variance,
    level: Level,
) -> Result<Estimate, EvidenceError> {
    let n = study.panel.units() as u64;
    match variance {
        Variance::Placebo { most, seed } => {
            let effects = placebo_effects(study, fits, spec, most, seed)?;
            let df = effects.len() as f64 - 1.0;
            Ok(Estimate::wald(att, spread(&effects).sqrt(), Some(df.max(1.0)), n, level, "placebo_variance")?)
        }
        Variance::Jackknife => {
            let effects = jackknife_effects(study, fits)?;
            let k = effects.len() as f64;
            let (squares, fourths) =
                effects.iter().map(|e| (e - att).powi(2)).fold((0.0, 0.0), |(s, f), d| (s + d, f + d * d));
            let variance = (k - 1.0) / k * squares;
            // Few donors carry most of the weight: as many degrees of freedom as equal parts of the variance would have.
            let df = if fourths > 0.0 { (3.0 * squares * squares / fourths - 2.0).max(1.0) } else { k - 1.0 };
            Ok(Estimate::wald(att, variance.sqrt(), Some(df), n, level, "jackknife")?)
        }
        Variance::Bootstrap { draws, seed } => {
            let effects = bootstrap_effects(study, spec, draws, seed)?;
            Ok(Estimate::wald(att, spread(&effects).sqrt(), None, n, level, "bootstrap_of_units")?)
        }
    }
}

/// Sample variance.
fn spread(values: &[f64]) -> f64 {
    let k = values.len() as f64;
    let centre = values.iter().sum::<f64>() / k;
    values.iter().map(|v| (v - centre).powi(2)).sum::<f64>() / (k - 1.0).max(1.0)
}

/// Effects on donors that stand in for the treated units.
pub fn placebo_effects(
    study: &Study<'_>,
    fits: &[SdidFit],
    spec: &SdidSpec,
    most: usize,
    seed: u64,
) -> Result<Vec<f64>, EvidenceError> {
    let sizes: Vec<usize> = study.cohorts.iter().map(|c| c.units.len()).collect();
    let series: Vec<&[f64]> = study.donors.iter().map(|i| study.panel.outcomes_of(*i)).collect();
    // The noise level stays that of all donors, as the penalties of the estimate do.
    let spec = SdidSpec { noise: fits.first().map(|f| f.noise).filter(|_| fits.len() == 1), ..*spec };
    let picks = assignments(series.len(), &sizes, most, seed)?;
    if picks.len() < 2 {
        return Err(data("TL360", "only one placebo is possible".to_owned(), "use more donors"));
    }
    picks
        .iter()
        .map(|picked| {
            let donors: Vec<&[f64]> = (0..series.len()).filter(|j| !picked.contains(j)).map(|j| series[j]).collect();
            let mut from = 0;
            let cohorts: Vec<(Vec<&[f64]>, usize)> = study
                .cohorts
                .iter()
                .map(|c| {
                    let units = picked[from..from + c.units.len()].iter().map(|j| series[*j]).collect();
                    from += c.units.len();
                    (units, c.start)
                })
                .collect();
            effect_of(&donors, &cohorts, &spec)
        })
        .collect()
}

/// The effect without each unit, weights held and made to sum to 1 again.
fn jackknife_effects(study: &Study<'_>, fits: &[SdidFit]) -> Result<Vec<f64>, EvidenceError> {
    needs_two(study, study.cohorts.iter().all(|c| c.units.len() > 1), "the jackknife")?;
    let series: Vec<&[f64]> = study.donors.iter().map(|i| study.panel.outcomes_of(*i)).collect();
    let periods = study.panel.periods();
    let mut effects = Vec::new();
    for out in 0..series.len() {
        let kept: Vec<usize> = (0..series.len()).filter(|j| *j != out).collect();
        let donors: Vec<&[f64]> = kept.iter().map(|j| series[*j]).collect();
        let parts = study.cohorts.iter().zip(fits).map(|(c, f)| {
            let total: f64 = kept.iter().map(|j| f.omega[*j]).sum();
            // All weight on the unit left out: equal weights are what remains.
            let weight = |j: &usize| if total > 0.0 { f.omega[*j] / total } else { 1.0 / kept.len() as f64 };
            let omega: Vec<f64> = kept.iter().map(weight).collect();
            contrast(&donors, &study.mean_of(&c.units), c.start, &omega, &f.lambda)
        });
        let sizes: Vec<(usize, usize)> = study.cohorts.iter().map(|c| (c.units.len(), c.start)).collect();
        effects.push(pooled(&sizes, periods, parts));
    }
    for (k, cohort) in study.cohorts.iter().enumerate() {
        for out in &cohort.units {
            let kept: Vec<usize> = cohort.units.iter().copied().filter(|i| i != out).collect();
            let sizes: Vec<(usize, usize)> =
                study.cohorts.iter().enumerate().map(|(j, c)| (c.units.len() - usize::from(j == k), c.start)).collect();
            let parts = study.cohorts.iter().zip(fits).enumerate().map(|(j, (c, f))| {
                let treated = study.mean_of(if j == k { &kept } else { &c.units });
                contrast(&series, &treated, c.start, &f.omega, &f.lambda)
            });
            effects.push(pooled(&sizes, periods, parts));
        }
    }
    Ok(effects)
}

/// Effects of units drawn with replacement; draws without a donor or a treated unit are drawn again.
fn bootstrap_effects(study: &Study<'_>, spec: &SdidSpec, draws: u32, seed: u64) -> Result<Vec<f64>, EvidenceError> {
    needs_two(study, study.treated_units() > 1, "the bootstrap")?;
    let stream = Stream::new(seed, 0x626f_6f74);
    let units: Vec<(usize, Option<usize>)> = study
        .donors
        .iter()
        .map(|i| (*i, None))
        .chain(study.cohorts.iter().enumerate().flat_map(|(k, c)| c.units.iter().map(move |i| (*i, Some(k)))))
        .collect();
    let (mut effects, mut counter) = (Vec::new(), 0);
    for _ in 0..draws.max(2) {
        loop {
            let mut donors: Vec<&[f64]> = Vec::new();
            let mut treated: Vec<Vec<&[f64]>> = vec![Vec::new(); study.cohorts.len()];
            for _ in 0..units.len() {
                let (unit, cohort) = units[pick(&stream, counter, units.len())];
                counter += 1;
                match cohort {
                    None => donors.push(study.panel.outcomes_of(unit)),
                    Some(k) => treated[k].push(study.panel.outcomes_of(unit)),
                }
            }
            let cohorts: Vec<(Vec<&[f64]>, usize)> = treated
                .into_iter()
                .zip(&study.cohorts)
                .filter(|(t, _)| !t.is_empty())
                .map(|(t, c)| (t, c.start))
                .collect();
            if !donors.is_empty() && !cohorts.is_empty() {
                effects.push(effect_of(&donors, &cohorts, spec)?);
                break;
            }
        }
    }
    Ok(effects)
}

fn needs_two(study: &Study<'_>, enough: bool, what: &str) -> Result<(), EvidenceError> {
    if enough {
        return Ok(());
    }
    let message = format!(
        "{what} needs two treated units, in every cohort for the jackknife; there are {}",
        study.treated_units()
    );
    Err(data("TL360", message, "use the placebo variance, which a single treated unit allows"))
}
