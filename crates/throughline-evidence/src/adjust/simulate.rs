//! Data that meet the assumptions of each estimator, with the true effect.

use throughline_core::{EvidenceTier, Level};
use throughline_stats::logistic::sigmoid;
use throughline_stats::stream::Stream;

use super::{AdjustSettings, Estimand, MatchSettings, PlrScore, Study, aipw, entropy_balancing, ipw, matching, plr};
use crate::registry::{EstimatorEntry, Simulated};
use crate::{EvidenceError, Joint};

const fn entry(name: &'static str, simulate: fn(u64, Level) -> Result<Simulated, EvidenceError>) -> EstimatorEntry {
    EstimatorEntry { name, tier: EvidenceTier::Modelled, conservative: false, simulate }
}

pub(super) const ESTIMATORS: &[EstimatorEntry] = &[
    entry("adjust/aipw_ate", |seed, level| doubly_robust(seed, level, Estimand::Ate, 0)),
    entry("adjust/aipw_att", |seed, level| doubly_robust(seed, level, Estimand::Att, 0)),
    entry("adjust/aipw_ate_clustered", |seed, level| doubly_robust(seed, level, Estimand::Ate, CLUSTERS)),
    entry("adjust/aipw_segment", segment),
    entry("adjust/plr", |seed, level| partial(seed, level, PlrScore::PartiallingOut, 0)),
    entry("adjust/plr_iv_type", |seed, level| partial(seed, level, PlrScore::IvType, 0)),
    entry("adjust/plr_clustered", |seed, level| partial(seed, level, PlrScore::PartiallingOut, CLUSTERS)),
    entry("adjust/ipw_ate", |seed, level| weighted(seed, level, Estimand::Ate)),
    entry("adjust/ipw_att", |seed, level| weighted(seed, level, Estimand::Att)),
    entry("adjust/entropy_att", |seed, level| {
        let world = World::draw(seed, N, 0);
        world.simulated(&entropy_balancing(&world.study()?)?.joint, 0, level, World::att())
    }),
    entry("adjust/match_ate", |seed, level| matched(seed, level, Estimand::Ate)),
    entry("adjust/match_att", |seed, level| matched(seed, level, Estimand::Att)),
];

const N: usize = 800;
const CLUSTERS: usize = 200;
/// Logit of treatment: −0.2 + 0.4 x₁ − 0.3 x₂, a normal with standard deviation 0.5.
const BASE: f64 = -0.2;
/// Untreated outcome: 1 + 0.6 x₁ + 0.4 x₂ + noise; effect: 0.5 + 0.3 x₁.
const EFFECT: f64 = 0.5;
const SLOPE: f64 = 0.3;

/// Two covariates, a treatment whose odds are log-linear in them, and outcomes linear in them.
struct World {
    x: [Vec<f64>; 2],
    treatment: Vec<f64>,
    outcome: Vec<f64>,
    clusters: Option<Vec<u32>>,
}

impl World {
    fn draw(seed: u64, n: usize, clusters: usize) -> Self {
        let normal = |id: u64| {
            let stream = Stream::new(seed, 0x0061_646a + id);
            (0..n as u64).map(|i| stream.normal_at(i)).collect::<Vec<f64>>()
        };
        let (x, noise) = ([normal(0), normal(1)], normal(2));
        let codes: Vec<u32> = (0..n).map(|i| u32::try_from(i % clusters.max(1)).unwrap_or(0)).collect();
        let shared = Stream::new(seed, 0x0061_6474);
        // Clusters share a part of the outcome, and a part of the covariate that drives the treatment.
        let of_cluster = |i: usize, which: u64| {
            if clusters == 0 { 0.0 } else { 0.5 * shared.normal_at(2 * u64::from(codes[i]) + which) }
        };
        let first: Vec<f64> = (0..n)
            .map(|i| if clusters == 0 { x[0][i] } else { 0.75_f64.sqrt() * x[0][i] + of_cluster(i, 0) })
            .collect();
        let uniform = Stream::new(seed, 0x0061_6475);
        let p = |i: usize| sigmoid(BASE + 0.4 * first[i] - 0.3 * x[1][i]);
        let treatment: Vec<f64> = (0..n).map(|i| f64::from(u8::from(uniform.uniform_at(i as u64) < p(i)))).collect();
        let effect = |i: usize| EFFECT + SLOPE * first[i];
        let outcome = (0..n)
            .map(|i| 1.0 + 0.6 * first[i] + 0.4 * x[1][i] + treatment[i] * effect(i) + noise[i] + of_cluster(i, 1))
            .collect();
        let [_, second] = x;
        Self { x: [first, second], treatment, outcome, clusters: (clusters > 0).then_some(codes) }
    }

    fn study(&self) -> Result<Study, EvidenceError> {
        let covariates = vec![("x1".to_owned(), self.x[0].clone()), ("x2".to_owned(), self.x[1].clone())];
        let study = Study::new(self.outcome.clone(), self.treatment.clone(), covariates)?;
        match &self.clusters {
            Some(codes) => study.with_clusters(codes),
            None => Ok(study),
        }
    }

    /// 0.5 + 0.3 E[x₁ | D = 1]: with z the standardised logit, x₁ has correlation 0.8 with it.
    fn att() -> f64 {
        let (mut weighted, mut total) = (0.0, 0.0);
        for step in -400_i32..=400 {
            let z = f64::from(step) / 50.0;
            let mass = (-0.5 * z * z).exp() * sigmoid(BASE + 0.5 * z);
            weighted += mass * 0.8 * z;
            total += mass;
        }
        EFFECT + SLOPE * weighted / total
    }

    #[expect(clippy::unused_self, reason = "reads as what the world gives")]
    fn simulated(&self, joint: &Joint, j: usize, level: Level, truth: f64) -> Result<Simulated, EvidenceError> {
        Ok(Simulated { estimate: joint.estimate(j, level)?, truth })
    }
}

fn truth(estimand: Estimand) -> f64 {
    if estimand == Estimand::Ate { EFFECT } else { World::att() }
}

fn doubly_robust(seed: u64, level: Level, estimand: Estimand, clusters: usize) -> Result<Simulated, EvidenceError> {
    let world = World::draw(seed, N, clusters);
    let fit = aipw(&world.study()?, estimand, &AdjustSettings::default(), None)?;
    world.simulated(&fit.joint, 0, level, truth(estimand))
}

/// The effect where x₂ is above 0, which leaves the mean of x₁ at 0.
fn segment(seed: u64, level: Level) -> Result<Simulated, EvidenceError> {
    let world = World::draw(seed, N, 0);
    let codes = world.x[1].iter().map(|x| u32::from(*x > 0.0)).collect();
    let study = world.study()?.with_segments("x2", codes, vec!["low".into(), "high".into()])?;
    let fit = aipw(&study, Estimand::Ate, &AdjustSettings::default(), None)?;
    let j = fit.joint.names().iter().position(|n| n == "x2=high").unwrap_or(0);
    world.simulated(&fit.joint, j, level, EFFECT)
}

fn weighted(seed: u64, level: Level, estimand: Estimand) -> Result<Simulated, EvidenceError> {
    let world = World::draw(seed, N, 0);
    world.simulated(&ipw(&world.study()?, estimand, 0.01)?.joint, 0, level, truth(estimand))
}

fn matched(seed: u64, level: Level, estimand: Estimand) -> Result<Simulated, EvidenceError> {
    let world = World::draw(seed, N, 0);
    world.simulated(&matching(&world.study()?, estimand, &MatchSettings::default())?.joint, 0, level, truth(estimand))
}

/// An amount of treatment, linear in the covariates, with the same effect for everybody.
fn partial(seed: u64, level: Level, kind: PlrScore, clusters: usize) -> Result<Simulated, EvidenceError> {
    let mut world = World::draw(seed, N, clusters);
    let noise = Stream::new(seed, 0x0061_6476);
    let amount: Vec<f64> =
        (0..N).map(|i| 2.0 + 0.5 * world.x[0][i] - 0.5 * world.x[1][i] + noise.normal_at(i as u64)).collect();
    for (i, y) in world.outcome.iter_mut().enumerate() {
        *y += EFFECT * amount[i] - world.treatment[i] * (EFFECT + SLOPE * world.x[0][i]);
    }
    world.treatment = amount;
    let fit = plr(&world.study()?, kind, &AdjustSettings::default(), None)?;
    world.simulated(&fit.joint, 0, level, EFFECT)
}
