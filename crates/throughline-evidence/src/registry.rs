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
const FAMILIES: &[&[EstimatorEntry]] = &[crate::adjust::ESTIMATORS];

/// Every estimator, family by family.
pub fn estimators() -> impl Iterator<Item = &'static EstimatorEntry> {
    FAMILIES.iter().copied().flatten()
}
