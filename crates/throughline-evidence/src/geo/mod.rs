//! Geo experiments: which markets to test, and what a test did. See `docs/methods/geo-experiments.md`.

mod candidates;
mod design;
mod power;
mod read;

pub use design::{Design, DesignSpec, Designs, PowerPoint, design};
pub use read::{GeoSpec, read_geo};

use throughline_core::{EvidenceTier, Level};

use crate::synth::conformal::{ConformalSpec, Permutations, constant_effect};
use crate::synth::control::{ControlSpec, Solver, fit};
use crate::synth::factor_model;
use crate::{EstimatorEntry, EvidenceError, Simulated};

/// The estimators of this family.
pub const ESTIMATORS: &[EstimatorEntry] = &[EstimatorEntry {
    name: "geo/conformal",
    tier: EvidenceTier::QuasiExperiment,
    conservative: false,
    simulate: conformal,
}];

/// 15 markets over 40 exchangeable periods, the last 6 of them with an effect; 199 random orders.
fn conformal(seed: u64, level: Level) -> Result<Simulated, EvidenceError> {
    let (periods, pre) = (40, 34);
    let truth = 2.0 * throughline_stats::stream::Stream::new(seed, 0x0067_656f).normal_at(0);
    let values = factor_model(seed, 15, periods, 1, pre, truth);
    let donors: Vec<&[f64]> = values[periods..].chunks(periods).collect();
    let treated = &values[..periods];
    let spec = ControlSpec { solver: Solver::Exact, intercept: true, ridge: None };
    let own = fit(&donors, treated, pre, &spec)?;
    let permutations = Permutations::Iid { draws: 199, seed };
    let spec = ConformalSpec { intercept: true, lambda: None, permutations };
    Ok(Simulated { estimate: constant_effect(&donors, treated, pre, own.att(), &spec, level)?, truth })
}
