//! The sequential estimators by name.

use throughline_core::{Estimate, EvidenceTier, Level};
use throughline_stats::moments::Moments;
use throughline_stats::stream::Stream;
use throughline_stats::two_sample::welch;

use super::{GroupSequential, Msprt, Sides, Spending};
use crate::{EstimatorEntry, EvidenceError, Simulated};

/// What this family offers.
pub const ESTIMATORS: &[EstimatorEntry] = &[
    // A confidence sequence holds at all looks at once and for ever; one look at a time it holds more often.
    EstimatorEntry {
        name: "sequential/asymptotic",
        tier: EvidenceTier::Randomised,
        conservative: true,
        simulate: asymptotic,
    },
    // As above, one-sided.
    EstimatorEntry {
        name: "sequential/asymptotic_greater",
        tier: EvidenceTier::Randomised,
        conservative: true,
        simulate: greater,
    },
    // Its interval holds at every look that could ever be taken; a finite number of looks uses up less than α.
    EstimatorEntry { name: "sequential/msprt", tier: EvidenceTier::Randomised, conservative: true, simulate: msprt },
    // The repeated interval holds at all planned looks at once; at the look where one stops it holds more often.
    EstimatorEntry {
        name: "sequential/group_repeated",
        tier: EvidenceTier::Randomised,
        conservative: true,
        simulate: repeated,
    },
    EstimatorEntry {
        name: "sequential/group_stage_wise",
        tier: EvidenceTier::Randomised,
        conservative: false,
        simulate: stage_wise,
    },
];

/// Units an arm between two looks.
const BATCH: u64 = 80;

/// Looks of a simulated experiment.
const LOOKS: usize = 4;

/// Welch estimates of one growing experiment, look by look, with its true effect.
fn looks(seed: u64, level: Level) -> Result<(Vec<Estimate>, f64), EvidenceError> {
    let stream = Stream::new(seed, 0x7365_7175);
    let truth = 0.12 * stream.normal_at(u64::MAX);
    let mut arms = [Moments::default(), Moments::default()];
    let mut out = Vec::new();
    for look in 0..LOOKS as u64 {
        for unit in 0..BATCH {
            for (arm, moments) in arms.iter_mut().enumerate() {
                let shift = if arm == 1 { truth } else { 0.0 };
                moments.push(1.0 + shift + stream.normal_at((look * BATCH + unit) * 2 + arm as u64));
            }
        }
        let d = welch(&arms[0].summary(), &arms[1].summary())
            .map_err(|_| EvidenceError::NotFinite { what: "welch".into() })?;
        let n = arms[0].n() + arms[1].n();
        out.push(Estimate::wald(d.value, d.std_error, None, n, level, "welch")?);
    }
    Ok((out, truth))
}

/// The last look, or the first that excludes 0: what an analyst who peeks would report.
fn peeked(reads: Vec<Estimate>) -> Option<Estimate> {
    let stop = reads.iter().position(|e| !e.set.contains(0.0)).unwrap_or(reads.len().saturating_sub(1));
    reads.into_iter().nth(stop)
}

fn simulated(reads: Vec<Estimate>, truth: f64) -> Result<Simulated, EvidenceError> {
    let estimate = peeked(reads).ok_or(EvidenceError::TooFew { what: "looks", got: 0, needed: 1 })?;
    Ok(Simulated { estimate, truth })
}

fn asymptotic(seed: u64, level: Level) -> Result<Simulated, EvidenceError> {
    let (estimates, truth) = looks(seed, level)?;
    let reads = estimates.iter().map(|e| e.sequential(500.0)).collect::<Result<_, _>>()?;
    simulated(reads, truth)
}

fn greater(seed: u64, level: Level) -> Result<Simulated, EvidenceError> {
    let (estimates, truth) = looks(seed, level)?;
    let reads = estimates.iter().map(|e| e.sequential_greater(500.0)).collect::<Result<_, _>>()?;
    simulated(reads, truth)
}

fn msprt(seed: u64, level: Level) -> Result<Simulated, EvidenceError> {
    let (estimates, truth) = looks(seed, level)?;
    let mut test = Msprt::new(0.015)?;
    let reads = estimates.iter().map(|e| test.look(e)).collect::<Result<_, _>>()?;
    simulated(reads, truth)
}

fn plan(level: Level) -> GroupSequential {
    GroupSequential::equal(LOOKS, Spending::Pocock, level.alpha(), Sides::Two)
}

fn repeated(seed: u64, level: Level) -> Result<Simulated, EvidenceError> {
    let (estimates, truth) = looks(seed, level)?;
    let plan = plan(level);
    let mut reads = Vec::new();
    for (look, e) in estimates.iter().enumerate() {
        reads.push(plan.repeated(e, look)?);
        if reads.last().is_some_and(|e| !e.set.contains(0.0)) {
            break;
        }
    }
    simulated(reads, truth)
}

fn stage_wise(seed: u64, level: Level) -> Result<Simulated, EvidenceError> {
    let (estimates, truth) = looks(seed, level)?;
    let plan = plan(level);
    let critical = plan.boundaries()?.critical;
    let crossed = |(e, c): (&Estimate, &f64)| e.std_error.is_some_and(|se| e.value.abs() >= c * se);
    let stop = estimates.iter().zip(&critical).position(crossed).unwrap_or(LOOKS - 1);
    Ok(Simulated { estimate: plan.stopped(&estimates[stop], stop)?, truth })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::coverage_is_held;

    #[test]
    fn sets_hold_the_truth_as_often_as_they_promise() {
        for entry in ESTIMATORS {
            coverage_is_held(entry, 80);
        }
    }
}
