//! How often the sets of synthetic controls hold the truth: over the registry's generators, and over the low-rank design of the
//! published benchmark of synthetic difference-in-differences.
//!
//! `cargo run --release -p throughline-evidence --example synthetic_control_coverage -- [SEEDS] [DATA_SETS]`
#![expect(clippy::print_stdout, reason = "a program for people")]

use throughline_core::{Estimate, Level};
use throughline_evidence::synth::sdid::{Kind, SdidSpec, fit_all};
use throughline_evidence::synth::study::Study;
use throughline_evidence::synth::variance::{Variance, estimate};
use throughline_evidence::{EvidenceError, Panel, estimators};
use throughline_stats::stream::{Poisson, Stream};

/// 100 donors and 10 treated units over 120 and 20 periods; rank 2, errors of 0.5 with autocorrelation 0.7, an effect of 1.
const DONORS: usize = 100;
const TREATED: usize = 10;
const BEFORE: usize = 120;
const AFTER: usize = 20;

fn low_rank(seed: u64) -> Result<Panel, EvidenceError> {
    let stream = Stream::new(seed, 1);
    let (units, periods) = (DONORS + TREATED, BEFORE + AFTER);
    let mut counter = 0;
    let mut next = || {
        counter += 1;
        counter
    };
    let mut loads = |n: usize| -> Vec<[f64; 2]> {
        let draw = |i: usize, at: u64| {
            let mean = ((i + 1) as f64 / n as f64).sqrt();
            Poisson::new(mean).map_or(0.0, |p| p.draw(stream.u64_at(at)))
        };
        (0..n).map(|i| [draw(i, next()), draw(i, next())]).collect()
    };
    let (u, v) = (loads(units), loads(periods));
    let mut values = Vec::with_capacity(units * periods);
    for (i, u) in u.iter().enumerate() {
        let mut error = stream.normal_at(next());
        for (t, v) in v.iter().enumerate() {
            if t > 0 {
                error = 0.7 * error + (1.0 - 0.49_f64).sqrt() * stream.normal_at(next());
            }
            let level = 10.0 * (i + 1) as f64 / units as f64 + 10.0 * (t + 1) as f64 / periods as f64;
            let effect = f64::from(u8::from(i >= DONORS && t >= BEFORE));
            values.push(u[0] * v[0] + u[1] * v[1] + level + effect + 0.5 * error);
        }
    }
    let starts: Vec<Option<usize>> = (0..units).map(|i| (i >= DONORS).then_some(BEFORE)).collect();
    Panel::from_matrix(values, (0..periods).map(|t| t as f64).collect(), &starts, None)
}

fn covered(panel: &Panel, kind: Kind, variance: Variance) -> Result<bool, EvidenceError> {
    let study = Study::of(panel)?;
    let spec = SdidSpec { kind, ..SdidSpec::default() };
    let (att, fits) = fit_all(&study, &spec)?;
    let e = estimate(&study, att, &fits, &spec, variance, Level::P95)?;
    // As published: the normal distribution for all three.
    let e = Estimate::wald(e.value, e.std_error.unwrap_or(0.0), None, e.n, e.level, e.method)?;
    Ok(e.set.contains(1.0))
}

fn main() -> Result<(), EvidenceError> {
    let args: Vec<u64> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let (seeds, sets) = (args.first().copied().unwrap_or(2_000), args.get(1).copied().unwrap_or(200));
    for entry in estimators().filter(|e| e.name.starts_with("synth/") || e.name.starts_with("geo/")) {
        for level in [Level::P90, Level::P95] {
            let start = std::time::Instant::now();
            let mut held = 0;
            for seed in 0..seeds {
                let s = (entry.simulate)(seed, level)?;
                held += u64::from(s.estimate.set.contains(s.truth));
            }
            let ms = start.elapsed().as_secs_f64() * 1e3 / seeds as f64;
            let share = held as f64 / seeds as f64;
            let z = (share - level.get()) / (level.get() * level.alpha() / seeds as f64).sqrt();
            println!("{:24} {:.2} {share:.4} (z {z:+.2}, {ms:.2} ms a data set)", entry.name, level.get());
        }
    }
    for kind in [Kind::Sc, Kind::Did, Kind::Sdid] {
        for (name, variance, share) in [
            ("jackknife", Variance::Jackknife, 1),
            ("bootstrap", Variance::Bootstrap { draws: 50, seed: 1 }, 4),
            ("placebo", Variance::Placebo { most: 50, seed: 1 }, 4),
        ] {
            let n = (sets / share).max(1);
            let mut held = 0;
            for seed in 0..n {
                held += u64::from(covered(&low_rank(seed)?, kind, variance)?);
            }
            println!("low rank {kind:?} {name:10} {:.3} of {n}", held as f64 / n as f64);
        }
    }
    Ok(())
}
