//! Every estimator by name, each with a generator of data that meet its own assumptions.
//!
//! One file of a family and one line of its `ESTIMATORS`. The generators are what coverage is measured on (`docs/truth.md`)
//! and what the contract is tested on, over all entries.

use throughline_core::{Estimate, EvidenceTier, Level};

use crate::EvidenceError;

/// One estimator.
#[derive(Debug, Clone, Copy)]
pub struct EstimatorEntry {
    /// Its name, family first: `panel/sdid`.
    pub name: &'static str,
    /// What it may be used as at best.
    pub tier: EvidenceTier,
    /// Whether its sets hold the truth more often than they promise, by design.
    pub conservative: bool,
    /// Draws data set number `seed` of the estimator's own assumptions and estimates.
    pub simulate: fn(seed: u64, level: Level) -> Result<Simulated, EvidenceError>,
}

/// An estimate beside what it is of.
#[derive(Debug, Clone, PartialEq)]
pub struct Simulated {
    /// The estimate.
    pub estimate: Estimate,
    /// The true effect in this data set.
    pub truth: f64,
}

/// The families.
const FAMILIES: &[&[EstimatorEntry]] = &[
    crate::experiment::ESTIMATORS,
    crate::sequential::ESTIMATORS,
    crate::design::ESTIMATORS,
    crate::did::ESTIMATORS,
    crate::synth::ESTIMATORS,
    crate::geo::ESTIMATORS,
    crate::series::ESTIMATORS,
    crate::iv::ESTIMATORS,
    crate::rd::ESTIMATORS,
    crate::adjust::ESTIMATORS,
];

/// Every estimator, family by family.
pub fn estimators() -> impl Iterator<Item = &'static EstimatorEntry> {
    FAMILIES.iter().copied().flatten()
}

/// Panics when the sets of an estimator hold the truth so rarely (or, unless conservative, so often) that an honest
/// one would do it once in 10,000 times: |coverage − level| beyond 4 binomial standard errors.
#[cfg(test)]
pub(crate) fn coverage_is_held(entry: &EstimatorEntry, seeds: u64) {
    for level in [Level::HALF, Level::P95] {
        let holds = |seed| {
            let s = (entry.simulate)(seed, level).unwrap_or_else(|e| panic!("{} {seed}: {e}", entry.name));
            s.estimate.set.contains(s.truth)
        };
        let coverage = (0..seeds).filter(|seed| holds(*seed)).count() as f64 / seeds as f64;
        let error = 4.0 * (level.get() * level.alpha() / seeds as f64).sqrt();
        let (low, high) = (level.get() - error, if entry.conservative { 1.0 } else { level.get() + error });
        assert!((low..=high).contains(&coverage), "{} holds {coverage} at {}", entry.name, level.get());
    }
}
