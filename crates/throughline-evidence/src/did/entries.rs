//! The registry's entries: data of each estimator's own assumptions.

use throughline_core::{EvidenceTier, Level};
use throughline_stats::stream::Stream;

use super::{Adjustment, Aggregate, Base, Controls, CsOptions, EventStudy, GroupTime, two_by_two};
use crate::{EstimatorEntry, EvidenceError, Panel, Simulated};

const fn entry(name: &'static str, simulate: fn(u64, Level) -> Result<Simulated, EvidenceError>) -> EstimatorEntry {
    EstimatorEntry { name, tier: EvidenceTier::QuasiExperiment, conservative: false, simulate }
}

/// The estimators of this family.
pub const ESTIMATORS: &[EstimatorEntry] = &[
    entry("did/two_by_two", |seed, level| {
        let panel = Drawn { units: 40, shares: &[0.4], clusters: 0 }.panel(seed)?;
        Ok(Simulated { estimate: two_by_two(&panel)?.estimate(0, level)?, truth: mean_effect(0) })
    }),
    entry("did/clustered", |seed, level| {
        let panel = Drawn { units: 240, shares: &[0.5], clusters: 60 }.panel(seed)?;
        Ok(Simulated { estimate: two_by_two(&panel)?.estimate(0, level)?, truth: mean_effect(0) })
    }),
    entry("did/event_study", |seed, level| {
        let panel = Drawn { units: 200, shares: &[0.5], clusters: 0 }.panel(seed)?;
        let options = CsOptions { base: Base::Universal, level, seed, ..CsOptions::default() };
        let (_, dynamic) = super::classic::event_study_of(&panel, &options)?;
        let position = dynamic.events.iter().position(|e| *e == 1.0).ok_or(EvidenceError::Shape { what: "events" })?;
        Ok(Simulated { estimate: dynamic.joint.estimate(position, level)?, truth: effect(0, 3) })
    }),
    entry("did/cs_reg", |seed, level| cell(seed, level, Adjustment::Regression)),
    entry("did/cs_ipw", |seed, level| cell(seed, level, Adjustment::Weighting)),
    entry("did/cs_dr", |seed, level| cell(seed, level, Adjustment::DoublyRobust)),
    entry("did/cs_simple", |seed, level| aggregated(seed, level, Aggregate::Simple)),
    entry("did/cs_group", |seed, level| aggregated(seed, level, Aggregate::Group)),
    entry("did/cs_dynamic", |seed, level| aggregated(seed, level, Aggregate::Dynamic)),
    entry("did/cs_calendar", |seed, level| aggregated(seed, level, Aggregate::Calendar)),
    // The set is a union over which difference before the treatment is the largest.
    EstimatorEntry {
        conservative: true,
        ..entry("did/honest_relative", |seed, level| {
            let (study, truth) = bent(seed, [0.3, -0.3], 0.6)?;
            Ok(Simulated { estimate: study.relative_magnitudes(1.0, level)?, truth })
        })
    },
    // The set is as long as the worst bend within the bound demands; these data have the worst.
    EstimatorEntry {
        conservative: true,
        ..entry("did/honest_smooth", |seed, level| {
            let (study, truth) = bent(seed, [-0.1, -0.1], 0.2)?;
            Ok(Simulated { estimate: study.smoothness(0.1, level)?, truth })
        })
    },
];

/// Periods of the simulated panels.
const PERIODS: usize = 5;

/// Groups begin in period 2, 3, …: the effect of group g in period t.
fn effect(group: usize, t: usize) -> f64 {
    if t < group + 2 { 0.0 } else { 0.5 + 0.2 * (t - group - 2) as f64 + 0.3 * group as f64 }
}

fn mean_effect(group: usize) -> f64 {
    (group + 2..PERIODS).map(|t| effect(group, t)).sum::<f64>() / (PERIODS - group - 2) as f64
}

/// A panel without covariates: unit levels, common shocks, serially correlated noise of different sizes, effects that vary
/// between units around those above.
struct Drawn<'a> {
    units: usize,
    /// Chance of each treated group.
    shares: &'a [f64],
    /// Equal clusters with a common shock and a common group; 0 for none.
    clusters: usize,
}

impl Drawn<'_> {
    fn panel(&self, seed: u64) -> Result<Panel, EvidenceError> {
        let stream = Stream::new(seed, 0x6469_6401);
        let mut at = 0;
        let mut normal = || {
            at += 1;
            stream.normal_at(at)
        };
        let shocks: Vec<f64> = (0..PERIODS).map(|_| 2.0 * normal()).collect();
        let common: Vec<f64> = (0..self.clusters * PERIODS).map(|_| 0.7 * normal()).collect();
        let (mut y, mut starts, mut codes) = (Vec::new(), Vec::new(), Vec::new());
        for i in 0..self.units {
            let cluster = if self.clusters > 0 { i % self.clusters } else { i };
            let group = self.group(seed, cluster);
            let (level, own) = (3.0 * normal(), 0.4 * normal());
            let size = if group.is_some() { 1.3 } else { 0.8 };
            let mut noise = normal();
            for (t, shock) in shocks.iter().enumerate() {
                noise = 0.6 * noise + 0.8 * normal();
                let together = common.get(cluster * PERIODS + t).filter(|_| self.clusters > 0).copied().unwrap_or(0.0);
                let gain = group.map_or(0.0, |g| effect(g, t) + if t >= g + 2 { own } else { 0.0 });
                y.push(level + shock + together + size * noise + gain);
            }
            starts.push(group.map(|g| g + 2));
            codes.push(u32::try_from(cluster).unwrap_or(u32::MAX));
        }
        let times = (0..PERIODS).map(|t| t as f64).collect();
        Panel::from_matrix(y, times, &starts, (self.clusters > 0).then_some(codes))
    }

    /// With one group its size is fixed, otherwise groups are drawn.
    fn group(&self, seed: u64, who: usize) -> Option<usize> {
        let all = if self.clusters > 0 { self.clusters } else { self.units };
        if let [share] = self.shares {
            return ((who as f64) < share * all as f64).then_some(0);
        }
        let mut u = Stream::new(seed, 0x6469_6402).uniform_at(who as u64);
        for (group, share) in self.shares.iter().enumerate() {
            if u < *share {
                return Some(group);
            }
            u -= share;
        }
        None
    }
}

fn aggregated(seed: u64, level: Level, kind: Aggregate) -> Result<Simulated, EvidenceError> {
    let shares = [0.25, 0.35];
    let panel = Drawn { units: 500, shares: &shares, clusters: 0 }.panel(seed)?;
    let options = CsOptions { controls: Controls::NotYet, base: Base::Varying, level, seed, ..CsOptions::default() };
    let found = GroupTime::of(&panel, &options)?.aggregate(kind)?;
    let estimate = found.joint.estimate(found.overall(), level)?;
    let weighted = |cells: &[(usize, usize)]| {
        let total: f64 = cells.iter().map(|(g, _)| shares[*g]).sum();
        cells.iter().map(|(g, t)| shares[*g] * effect(*g, *t)).sum::<f64>() / total
    };
    let mean = |of: Vec<f64>| of.iter().sum::<f64>() / of.len() as f64;
    let truth = match kind {
        Aggregate::Simple => weighted(&[(0, 2), (0, 3), (0, 4), (1, 3), (1, 4)]),
        Aggregate::Group => (shares[0] * mean_effect(0) + shares[1] * mean_effect(1)) / (shares[0] + shares[1]),
        Aggregate::Dynamic => mean(vec![weighted(&[(0, 2), (1, 3)]), weighted(&[(0, 3), (1, 4)]), weighted(&[(0, 4)])]),
        Aggregate::Calendar => {
            mean(vec![weighted(&[(0, 2)]), weighted(&[(0, 3), (1, 3)]), weighted(&[(0, 4), (1, 4)])])
        }
    };
    Ok(Simulated { estimate, truth })
}

/// ATT of the first group one period after its beginning, with a trend that depends on a covariate which also drives who is
/// treated.
fn cell(seed: u64, level: Level, adjustment: Adjustment) -> Result<Simulated, EvidenceError> {
    let stream = Stream::new(seed, 0x6469_6403);
    let (units, mut at) = (500, 0);
    let mut normal = || {
        at += 1;
        stream.normal_at(at)
    };
    let (mut y, mut starts, mut x) = (Vec::new(), Vec::new(), Vec::new());
    for i in 0..units {
        let covariate = normal();
        let chance = 1.0 / (1.0 + (-0.5 * covariate + 0.4_f64).exp());
        let treated = Stream::new(seed, 0x6469_6404).uniform_at(i) < chance;
        let level = normal();
        for t in 0..4_usize {
            let gain = if treated { effect(0, t) } else { 0.0 };
            y.push(level + covariate * (1.0 + 0.5 * t as f64) + gain + 0.7 * normal());
            x.push(covariate);
        }
        starts.push(treated.then_some(2));
    }
    let panel = Panel::from_matrix(y, vec![0.0, 1.0, 2.0, 3.0], &starts, None)?.with_covariate("x", x)?;
    let found = GroupTime::of(&panel, &CsOptions { adjustment, level, seed, ..CsOptions::default() })?;
    let position = found.position("2", "3").ok_or(EvidenceError::Shape { what: "cells" })?;
    Ok(Simulated { estimate: found.joint.estimate(position, level)?, truth: effect(0, 3) })
}

/// An event study with two coefficients before the base and one after it: trends differ by δ before (given oldest first) and by
/// `after` after, and the effect is 1.
fn bent(seed: u64, before: [f64; 2], after: f64) -> Result<(EventStudy, f64), EvidenceError> {
    let stream = Stream::new(seed, 0x6469_6405);
    let mut at = 0;
    let mut normal = || {
        at += 1;
        stream.normal_at(at)
    };
    let (mut y, mut starts) = (Vec::new(), Vec::new());
    for i in 0..200 {
        let (treated, level) = (i < 100, normal());
        for delta in [before[0], before[1], 0.0, after + 1.0] {
            y.push(level + if treated { delta } else { 0.0 } + 0.6 * normal());
        }
        starts.push(treated.then_some(3));
    }
    let panel = Panel::from_matrix(y, vec![0.0, 1.0, 2.0, 3.0], &starts, None)?;
    let found = GroupTime::of(&panel, &CsOptions { base: Base::Universal, seed, ..CsOptions::default() })?;
    let dynamic = found.aggregate(Aggregate::Dynamic)?;
    let study = super::staggered::study_of(&dynamic)?.ok_or(EvidenceError::Shape { what: "events" })?;
    Ok((study, 1.0))
}
