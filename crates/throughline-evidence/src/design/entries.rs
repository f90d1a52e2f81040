//! The estimators of designs by name.

use throughline_core::{EvidenceTier, Level};
use throughline_stats::stream::Stream;

use super::factorial;
use super::switchback::{self, Errors, Observation};
use crate::{Column, EstimatorEntry, EvidenceError, Simulated, Table};

/// What this family offers.
pub const ESTIMATORS: &[EstimatorEntry] = &[
    EstimatorEntry {
        name: "design/switchback_blocks",
        tier: EvidenceTier::Randomised,
        conservative: false,
        simulate: blocks,
    },
    EstimatorEntry {
        name: "design/switchback_newey_west",
        tier: EvidenceTier::Randomised,
        conservative: false,
        simulate: newey_west,
    },
    EstimatorEntry { name: "design/factorial", tier: EvidenceTier::Randomised, conservative: false, simulate: factors },
];

const EFFECT: f64 = 0.3;

/// A market whose level drifts between blocks, with a carry-over of one period.
fn market(seed: u64, blocks: usize) -> Result<Vec<Observation>, EvidenceError> {
    let stream = Stream::new(seed, 0x7377_6974);
    let schedule = switchback::schedule(&format!("s{seed}"), "m", blocks * 6, 3, 1)?;
    let mut level = 0.0;
    let mut out: Vec<Observation> = Vec::with_capacity(schedule.len());
    for p in &schedule {
        let i = p.period as u64;
        if p.period % 6 == 0 {
            level = 0.5 * level + 0.5 * stream.normal_at(2 * i);
        }
        let carried = out.last().is_some_and(|b| b.treated);
        let on = if p.counted {
            f64::from(u8::from(p.treated))
        } else {
            f64::midpoint(f64::from(u8::from(p.treated)), f64::from(u8::from(carried)))
        };
        out.push(Observation {
            market: 0,
            time: p.period as f64,
            treated: p.treated,
            outcome: level + EFFECT * on + 0.4 * stream.normal_at(2 * i + 1),
            block: u32::try_from(p.block).ok(),
        });
    }
    Ok(out)
}

fn blocks(seed: u64, level: Level) -> Result<Simulated, EvidenceError> {
    let report = switchback::read(&market(seed, 40)?, 1, Errors::Blocks, level)?;
    Ok(Simulated { estimate: report.estimate, truth: EFFECT })
}

/// Errors that follow each other, the arm drawn anew for every period.
fn newey_west(seed: u64, level: Level) -> Result<Simulated, EvidenceError> {
    let stream = Stream::new(seed, 0x6e77);
    let mut error = 0.0;
    let seen: Vec<Observation> = (0..400)
        .map(|i| {
            error = 0.3 * error + stream.normal_at(i);
            let treated = stream.uniform_at(1000 + i) < 0.5;
            let outcome = error + EFFECT * f64::from(u8::from(treated));
            Observation { market: 0, time: i as f64, treated, outcome, block: None }
        })
        .collect();
    let report = switchback::read(&seen, 0, Errors::NeweyWest { lags: None }, level)?;
    Ok(Simulated { estimate: report.estimate, truth: EFFECT })
}

/// Units of a simulated factorial.
const UNITS: u64 = 500;

/// Two by two with an interaction; the estimate is the first main effect.
fn factors(seed: u64, level: Level) -> Result<Simulated, EvidenceError> {
    let stream = Stream::new(seed, 0x6661_6374);
    let of = |i: u64, bit: u64| f64::from(u8::from(stream.u64_at(i) >> (63 - bit) & 1 == 1));
    let (a, b): (Vec<f64>, Vec<f64>) = (0..UNITS).map(|i| (of(i, 0), of(i, 1))).unzip();
    let y = a
        .iter()
        .zip(&b)
        .enumerate()
        .map(|(i, (a, b))| 0.2 * a + 0.5 * b + 0.2 * a * b + (1.0 + a) * stream.normal_at(UNITS + i as u64));
    let mut table = Table::new();
    let (y, names) = (y.collect(), || vec!["0".to_owned(), "1".to_owned()]);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 or 1")]
    let codes = |of: &[f64]| Column::Texts { codes: of.iter().map(|v| *v as u32).collect(), names: names() };
    table.push("a", codes(&a))?;
    table.push("b", codes(&b))?;
    table.push("y", Column::Numbers(y))?;
    let (joint, _, _) = factorial::effects(&table, &[("a", Some("0")), ("b", Some("0"))], "y")?;
    Ok(Simulated { estimate: joint.estimate(0, level)?, truth: 0.3 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::coverage_is_held;

    #[test]
    fn sets_hold_the_truth_as_often_as_they_promise() {
        for entry in ESTIMATORS {
            coverage_is_held(entry, 300);
        }
    }
}
