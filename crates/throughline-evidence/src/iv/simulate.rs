//! Data of the estimators' own assumptions.

use throughline_core::{EvidenceTier, Level};
use throughline_stats::stream::Stream;

use super::gmm::gmm;
use super::reduced::Reduced;
use super::{IvCovariance, IvData, IvMethod, Named, anderson_rubin, kclass};
use crate::{EstimatorEntry, EvidenceError, Simulated};

/// The estimators of this family.
pub const ESTIMATORS: &[EstimatorEntry] = &[
    entry("iv/2sls", |seed, level| simulate(seed, IvMethod::Tsls, IvCovariance::Robust, level)),
    entry("iv/2sls_clustered", |seed, level| simulate(seed, IvMethod::Tsls, IvCovariance::Cluster, level)),
    entry("iv/liml", |seed, level| simulate(seed, IvMethod::Liml, IvCovariance::Classical, level)),
    entry("iv/gmm", |seed, level| simulate(seed, IvMethod::Gmm, IvCovariance::Robust, level)),
    entry("iv/anderson_rubin", |seed, level| inverted(seed, 0.5, level)),
    entry("iv/anderson_rubin_weak", |seed, level| inverted(seed, 0.04, level)),
];

type Simulate = fn(u64, Level) -> Result<Simulated, EvidenceError>;

const fn entry(name: &'static str, simulate: Simulate) -> EstimatorEntry {
    EstimatorEntry { name, tier: EvidenceTier::QuasiExperiment, conservative: false, simulate }
}

/// Rows of a simulated data set.
const ROWS: usize = 1000;

/// Rows of a cluster.
const CLUSTER: usize = 5;

/// The true effect.
const TRUTH: f64 = 0.5;

/// y = ½ d + x + u, d = strength (z₁ + z₂) + x + v with u and v correlated by ½, standard deviation of u rising with z₁, and a
/// part of u, v and z shared within clusters of five where they are asked for.
fn draw(seed: u64, strength: f64, clustered: bool) -> IvData<'static> {
    let stream = Stream::new(seed, 0x6976);
    let normal = |what: u64, i: usize| stream.normal_at(what * 1_000_000 + i as u64);
    let shared = |what: u64, i: usize| {
        let group = (i / CLUSTER) as u64;
        if clustered {
            (normal(what, i) + stream.normal_at((what + 50) * 1_000_000 + group)) / f64::sqrt(2.0)
        } else {
            normal(what, i)
        }
    };
    let column = |of: &dyn Fn(usize) -> f64| (0..ROWS).map(of).collect::<Vec<f64>>();
    let (z1, z2, x) = (column(&|i| shared(1, i)), column(&|i| shared(2, i)), column(&|i| normal(3, i)));
    let v = column(&|i| shared(4, i));
    let d = column(&|i| strength * (z1[i] + z2[i]) + x[i] + v[i]);
    let u = |i: usize| (0.5 * v[i] + 0.75_f64.sqrt() * shared(5, i)) * (1.0 + 0.25 * z1[i].abs());
    let y = column(&|i| TRUTH * d[i] + x[i] + u(i));
    let code = |i: usize| u32::try_from(i / CLUSTER).unwrap_or(u32::MAX);
    IvData {
        outcome: Named::new("y", y),
        endogenous: vec![Named::new("d", d)],
        instruments: vec![Named::new("z1", z1), Named::new("z2", z2)],
        controls: vec![Named::new("x", x)],
        clusters: clustered.then(|| (0..ROWS).map(code).collect()),
        left_out: 0,
    }
}

fn simulate(seed: u64, method: IvMethod, covariance: IvCovariance, level: Level) -> Result<Simulated, EvidenceError> {
    let data = if covariance == IvCovariance::Classical {
        equal_variances(seed)
    } else {
        draw(seed, 0.5, covariance == IvCovariance::Cluster)
    };
    // What `analyse` answers with, without everything beside it.
    let reduced = Reduced::new(&data)?;
    let tsls = kclass::fit(&reduced, 1.0)?;
    let joint = match (method, kclass::liml_kappa(&reduced)) {
        (IvMethod::Gmm, _) => gmm(&reduced, &tsls, covariance, false, true)?.joint,
        (IvMethod::Liml, Some(kappa)) => kclass::fit(&reduced, kappa)?.joint(&reduced, covariance, true, "liml")?,
        _ => tsls.joint(&reduced, covariance, true, "2sls")?,
    };
    Ok(Simulated { estimate: joint.estimate(0, level)?, truth: TRUTH })
}

/// The same model with errors of equal variance.
fn equal_variances(seed: u64) -> IvData<'static> {
    let mut data = draw(seed, 0.5, false);
    let (z1, d, x) = (&data.instruments[0].values, &data.endogenous[0].values, &data.controls[0].values);
    let base = |i: usize| TRUTH * d[i] + x[i];
    let y: Vec<f64> =
        (0..ROWS).map(|i| base(i) + (data.outcome.values[i] - base(i)) / (1.0 + 0.25 * z1[i].abs())).collect();
    data.outcome = Named::new("y", y);
    data
}

fn inverted(seed: u64, strength: f64, level: Level) -> Result<Simulated, EvidenceError> {
    let data = draw(seed, strength, false);
    let reduced = Reduced::new(&data)?;
    let form = anderson_rubin::reduced_form(&reduced, IvCovariance::Robust)?;
    let value = kclass::fit(&reduced, kclass::liml_kappa(&reduced).unwrap_or(1.0))?.beta[0];
    let estimate = anderson_rubin::estimate(&reduced, &form, IvCovariance::Robust, value, level)?;
    let estimate = estimate.ok_or_else(|| EvidenceError::NotFinite { what: "Anderson–Rubin set".into() })?;
    Ok(Simulated { estimate, truth: TRUTH })
}
