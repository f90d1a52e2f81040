//! Data of the estimators' own assumptions.

use throughline_core::{EvidenceTier, Level};
use throughline_stats::stream::Stream;

use super::estimate::jump;
use super::{RdData, RdSettings};
use crate::iv::Named;
use crate::{EstimatorEntry, EvidenceError, Simulated};

/// The estimators of this family.
pub const ESTIMATORS: &[EstimatorEntry] = &[
    EstimatorEntry {
        name: "rd/sharp",
        tier: EvidenceTier::QuasiExperiment,
        conservative: false,
        simulate: |seed, level| simulate(seed, false, level),
    },
    EstimatorEntry {
        name: "rd/fuzzy",
        tier: EvidenceTier::QuasiExperiment,
        conservative: false,
        simulate: |seed, level| simulate(seed, true, level),
    },
];

const ROWS: usize = 2000;

/// The true effect.
const TRUTH: f64 = 0.7;

/// A score on −1 to 1, an outcome that bends with it (another way on each side) and jumps with treatment; in the fuzzy design 20 %
/// are treated below the cut-off and 80 % above.
fn simulate(seed: u64, fuzzy: bool, level: Level) -> Result<Simulated, EvidenceError> {
    let stream = Stream::new(seed, 0x7264);
    let x: Vec<f64> = (0..ROWS).map(|i| 2.0 * stream.uniform_at(i as u64) - 1.0).collect();
    let treated = |i: usize| {
        let above = x[i] >= 0.0;
        let share = if above { 0.8 } else { 0.2 };
        if fuzzy { stream.uniform_at(1_000_000 + i as u64) < share } else { above }
    };
    let t: Vec<f64> = (0..ROWS).map(|i| f64::from(u8::from(treated(i)))).collect();
    let curve = |x: f64| if x >= 0.0 { 0.8 * x - 0.6 * x * x } else { 0.4 * x + 0.5 * x * x };
    let y = |i: usize| curve(x[i]) + TRUTH * t[i] + 0.5 * stream.normal_at(2_000_000 + i as u64);
    let data = RdData {
        outcome: Named::new("y", (0..ROWS).map(y).collect::<Vec<f64>>()),
        score: Named::new("x", x.clone()),
        treatment: fuzzy.then(|| Named::new("t", t.clone())),
        covariates: Vec::new(),
        clusters: None,
        cutoff: 0.0,
        left_out: 0,
    };
    let settings = RdSettings { level, ..RdSettings::new() };
    Ok(Simulated { estimate: jump(&data, &settings, 0.0)?.robust.estimate(0, level)?, truth: TRUTH })
}
