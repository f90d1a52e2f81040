//! Synthetic difference-in-differences.

use super::control::{Solver, noise_level};
use super::frank_wolfe::frank_wolfe;
use super::simplex::{gram_of, nearest};
use super::study::{Study, mean, mean_series};
use crate::EvidenceError;

/// Which weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// Of units and of periods: synthetic difference-in-differences.
    #[default]
    Sdid,
    /// Of units only, without intercept: synthetic control.
    Sc,
    /// Equal ones: difference-in-differences.
    Did,
}

/// Which estimator.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SdidSpec {
    /// Which weights.
    pub kind: Kind,
    /// How they are found.
    pub solver: Solver,
    /// The noise level that scales penalties and stopping rule; that of the donors without.
    pub noise: Option<f64>,
}

/// A fit of one cohort.
#[derive(Debug, Clone, PartialEq)]
pub struct SdidFit {
    /// The effect on the treated.
    pub att: f64,
    /// Weights of the donors.
    pub omega: Vec<f64>,
    /// Weights of the periods before the treatment; all 0 for a synthetic control.
    pub lambda: Vec<f64>,
    /// Standard deviation of the donors' first differences before the treatment.
    pub noise: f64,
    /// The penalty on the weights of donors.
    pub zeta: f64,
}

/// Estimates one cohort: `treated` is the mean of `units` treated series.
///
/// τ = (ȳ₁,post − Σ λₜ y₁ₜ) − Σ ωᵢ (ȳᵢ,post − Σ λₜ yᵢₜ), with ω = argmin ‖ω₀ + Y₀ω − y₁‖² / T₀ + ζ²‖ω‖²,
/// ζ = (N₁ T₁)^¼ σ̂, and λ = argmin ‖λ₀ + Yλ − ȳ_post‖² over donors with the penalty 10⁻⁶ σ̂, both over the simplex.
/// Source: Arkhangelsky, Athey, Hirshberg, Imbens, Wager (2021), AER 111(12), algorithm 1. Errors: fewer than 2 periods
/// before, none after, no donor.
pub fn fit(
    donors: &[&[f64]],
    treated: &[f64],
    units: usize,
    pre: usize,
    spec: &SdidSpec,
) -> Result<SdidFit, EvidenceError> {
    if donors.is_empty() || donors.iter().any(|d| d.len() != treated.len()) || pre < 2 || pre >= treated.len() {
        return Err(EvidenceError::Shape { what: "donors, treated unit and periods" });
    }
    let noise = spec.noise.unwrap_or_else(|| noise_level(donors, pre));
    let cells = (units * (treated.len() - pre)) as f64;
    let zeta = if spec.kind == Kind::Sdid { cells.powf(0.25) * noise } else { 1e-6 * noise };
    let equal = |n: usize| vec![1.0 / n as f64; n];
    let (omega, lambda) = match spec.kind {
        Kind::Did => (equal(donors.len()), equal(pre)),
        Kind::Sc => {
            let columns: Vec<&[f64]> = donors.iter().map(|d| &d[..pre]).collect();
            (weights(&columns, &treated[..pre], zeta, noise, spec.solver), vec![0.0; pre])
        }
        Kind::Sdid => {
            let columns: Vec<Vec<f64>> = donors.iter().map(|d| centred(d[..pre].iter().copied())).collect();
            let target = centred(treated[..pre].iter().copied());
            let omega = weights(&views(&columns), &target, zeta, noise, spec.solver);
            let periods: Vec<Vec<f64>> = (0..pre).map(|t| centred(donors.iter().map(|d| d[t]))).collect();
            let after = centred(donors.iter().map(|d| mean(&d[pre..])));
            (omega, weights(&views(&periods), &after, 1e-6 * noise, noise, spec.solver))
        }
    };
    let att = contrast(donors, treated, pre, &omega, &lambda);
    Ok(SdidFit { att, omega, lambda, noise, zeta })
}

fn views(rows: &[Vec<f64>]) -> Vec<&[f64]> {
    rows.iter().map(Vec::as_slice).collect()
}

fn centred(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let values: Vec<f64> = values.collect();
    let centre = mean(&values);
    values.iter().map(|v| v - centre).collect()
}

fn weights(columns: &[&[f64]], target: &[f64], zeta: f64, noise: f64, solver: Solver) -> Vec<f64> {
    let rows = target.len();
    match solver {
        Solver::Exact => nearest(&gram_of(columns, target, rows as f64 * zeta * zeta), columns.len(), None).weights,
        Solver::FrankWolfe => {
            frank_wolfe(&gram_of(columns, target, 0.0), columns.len(), rows, zeta * zeta, 1e-5 * noise)
        }
    }
}

/// The doubly weighted difference-in-differences.
pub fn contrast(donors: &[&[f64]], treated: &[f64], pre: usize, omega: &[f64], lambda: &[f64]) -> f64 {
    let change = |s: &[f64]| mean(&s[pre..]) - s.iter().zip(lambda).map(|(y, l)| l * y).sum::<f64>();
    change(treated) - donors.iter().zip(omega).map(|(d, w)| if *w == 0.0 { 0.0 } else { w * change(d) }).sum::<f64>()
}

/// The counterfactual over all periods, moved to the level of the treated unit before the treatment.
pub fn synthetic(donors: &[&[f64]], treated: &[f64], fit: &SdidFit) -> Vec<f64> {
    let mut out = vec![0.0; treated.len()];
    for (d, w) in donors.iter().zip(&fit.omega).filter(|(_, w)| **w != 0.0) {
        out.iter_mut().zip(*d).for_each(|(o, y)| *o += w * y);
    }
    let before = |s: &[f64]| s.iter().zip(&fit.lambda).map(|(y, l)| l * y).sum::<f64>();
    let shift = before(treated) - before(&out);
    for o in &mut out {
        *o += shift;
    }
    out
}

/// Every cohort with its own weights, and their mean weighted by treated cells.
///
/// Source: Clarke, Pailañir, Athey, Imbens (2023), "Synthetic difference-in-differences estimation", for staggered adoption.
pub fn fit_all(study: &Study<'_>, spec: &SdidSpec) -> Result<(f64, Vec<SdidFit>), EvidenceError> {
    let fits = study
        .cohorts
        .iter()
        .map(|cohort| {
            let block = study.block(cohort);
            fit(&block.donors, &block.treated, block.units, block.pre, spec)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let periods = study.panel.periods();
    let sizes: Vec<(usize, usize)> = study.cohorts.iter().map(|c| (c.units.len(), c.start)).collect();
    Ok((pooled(&sizes, periods, fits.iter().map(|f| f.att)), fits))
}

/// Effects of cohorts (units, first treated period) weighted by treated cells.
pub(super) fn pooled(sizes: &[(usize, usize)], periods: usize, effects: impl Iterator<Item = f64>) -> f64 {
    let cells = |(units, start): &(usize, usize)| (units * (periods - start)) as f64;
    let total: f64 = sizes.iter().map(cells).sum();
    sizes.iter().zip(effects).map(|(s, e)| cells(s) * e).sum::<f64>() / total
}

/// The effect of a set of units: donors, and treated units cohort by cohort with their first treated period.
pub(super) fn effect_of(
    donors: &[&[f64]],
    cohorts: &[(Vec<&[f64]>, usize)],
    spec: &SdidSpec,
) -> Result<f64, EvidenceError> {
    let mut effects = Vec::with_capacity(cohorts.len());
    for (treated, start) in cohorts {
        effects.push(fit(donors, &mean_series(treated), treated.len(), *start, spec)?.att);
    }
    let sizes: Vec<(usize, usize)> = cohorts.iter().map(|(t, start)| (t.len(), *start)).collect();
    Ok(pooled(&sizes, donors[0].len(), effects.into_iter()))
}
