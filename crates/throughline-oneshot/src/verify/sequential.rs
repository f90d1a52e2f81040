//! Sequential testing: boundaries, constants and confidence sequences as published.

use std::path::Path;

use throughline_core::{Estimate, Level};
use throughline_evidence::sequential::{Boundaries, GroupSequential, Sides};
use throughline_stats::dist;
use throughline_stats::moments::Moments;
use throughline_stats::noncentral::noncentral_t_sf;
use throughline_stats::two_sample::{Difference, Uninformative, welch, welch_relative};

use super::Check;
use crate::OneShotError;

/// Spending, α, sides, boundaries at equal looks, printed digits as tolerance, source.
type Published = (&'static str, f64, Sides, &'static [f64], f64, &'static str);

const GSDESIGN: &str = "R gsDesign::gsDesign(test.type = 1, alpha = 0.025)$upper$bound";

const BOUNDARIES: [Published; 6] = [
    ("obrien-fleming", 0.025, Sides::One, &[4.332_634, 2.963_131, 2.359_044, 2.014_090], 5e-6, GSDESIGN),
    ("pocock", 0.025, Sides::One, &[2.368_328, 2.367_524, 2.358_168, 2.350_036], 5e-6, GSDESIGN),
    ("hwang-shih-decani:1", 0.025, Sides::One, &[2.283_141, 2.284_441, 2.301_255], 5e-6, GSDESIGN),
    ("power:2", 0.025, Sides::One, &[3.090_232, 2.714_112, 2.472_777, 2.279_863, 2.114_028], 5e-6, GSDESIGN),
    (
        "obrien-fleming",
        0.05,
        Sides::Two,
        &[4.877, 3.357, 2.680, 2.290, 2.031],
        5.1e-4,
        "R ldbounds::ldBounds(5), printed to 3 digits; Reboussin et al. 2000",
    ),
    (
        "obrien-fleming",
        0.05,
        Sides::One,
        &[3.749_55, 2.539_93, 2.016_04, 1.720_14],
        1e-4,
        "SeqBounds.jl, bounds([0.25, 0.5, 0.75, 1], 0.05)",
    ),
];

/// Looks, Pocock's constant C_P and O'Brien and Fleming's C_B, two-sided α = 0.05.
const CONSTANTS: [(usize, f64, f64); 6] = [
    (2, 2.178, 1.977),
    (3, 2.289, 2.004),
    (4, 2.361, 2.024),
    (5, 2.413, 2.040),
    (10, 2.555, 2.087),
    (20, 2.672, 2.126),
];

const TEXTBOOK: &str = "Jennison, Turnbull (2000), tables 2.1 and 2.3, printed to 3 digits";

const GROWTHBOOK: &str = "growthbook packages/stats tests, printed to 5 digits";

const R_POWER: &str = "R power.t.test, printed to 7 digits";

pub(super) fn checks(_: &Path) -> Result<Vec<Check>, OneShotError> {
    let mut out = Vec::new();
    for (spending, alpha, sides, expected, tolerance, source) in BOUNDARIES {
        let bounds = GroupSequential::equal(expected.len(), spending.parse()?, alpha, sides).boundaries()?;
        for (i, (expected, got)) in expected.iter().zip(&bounds.critical).enumerate() {
            let name = format!("{spending} boundary {} of {}, α {alpha} {sides:?}-sided", i + 1, bounds.looks.len());
            out.push(Check::absolute(name, *expected, *got, tolerance, source));
        }
    }
    for (k, pocock, obrien) in CONSTANTS {
        for (name, power, expected) in [("Pocock", 0.0, pocock), ("O'Brien–Fleming", 0.5, obrien)] {
            let got = constant(k, power);
            out.push(Check::absolute(format!("{name}'s constant, {k} looks"), expected, got, 5.1e-4, TEXTBOOK));
        }
    }
    sequences(&mut out)?;
    for (n, expected) in [(20.0, 0.868_952_8), (22.021_10, 0.9), (393.405_7, 0.8)] {
        let (df, delta): (f64, f64) = (2.0 * (n - 1.0), if n > 100.0 { 0.2 } else { 1.0 });
        let got = noncentral_t_sf(dist::t_quantile(0.975, df), df, delta * (n / 2.0_f64).sqrt());
        out.push(Check::absolute(format!("power of a t test with {n} an arm"), expected, got, 1e-6, R_POWER));
    }
    Ok(out)
}

/// Boundaries c · t^(−power) at equal looks.
fn shaped(k: usize, power: f64, c: f64) -> Boundaries {
    let looks: Vec<f64> = (1..=k).map(|i| i as f64 / k as f64).collect();
    let critical = looks.iter().map(|t| c * t.powf(-power)).collect();
    Boundaries { spent: vec![0.0; k], looks, critical, sides: Sides::Two }
}

/// The constant that spends 0.05.
fn constant(k: usize, power: f64) -> f64 {
    let (mut low, mut high) = (1.5, 4.0);
    for _ in 0..45 {
        let middle = f64::midpoint(low, high);
        if shaped(k, power, middle).power(0.0) > 0.05 { low = middle } else { high = middle }
    }
    low
}

/// GrowthBook's confidence sequences on its second pair of samples.
fn sequences(out: &mut Vec<Check>) -> Result<(), OneShotError> {
    let summary = |n, sum, squares| Moments::from_sums(n, sum, squares).summary();
    let (a, b) = (summary(3000, 1396.87, 52_377.976_7), summary(3461, 2422.7, 134_698.29));
    let wald = |d: Result<Difference, Uninformative>| {
        let d = d.unwrap_or(Difference { value: 0.0, std_error: 0.0, df: 1.0 });
        Estimate::wald(d.value, d.std_error, None, 6461, Level::P95, "welch")
            .map_err(throughline_evidence::EvidenceError::from)
    };
    let (absolute, relative) = (wald(welch(&a, &b))?, wald(welch_relative(&a, &b))?);
    let sequence = |e: &Estimate, n| e.sequential(n).map_err(throughline_evidence::EvidenceError::from);
    let greater = |e: &Estimate| e.sequential_greater(5000.0).map_err(throughline_evidence::EvidenceError::from);
    let two = sequence(&relative, 1000.0)?.interval();
    let (one, one_absolute) = (greater(&relative)?, greater(&absolute)?);
    for (what, expected, got, tolerance) in [
        ("two-sided lower end", -0.558_44, two.0, 1e-5),
        ("two-sided upper end", 1.565_16, two.1, 1e-5),
        ("one-sided lower end, relative", -0.423_56, one.interval().0, 1e-5),
        ("one-sided lower end, absolute", -0.126_57, one_absolute.interval().0, 1e-5),
        // Its search for p stops when the end is near 0, ours is exact.
        ("one-sided p, absolute", 0.463_16, one_absolute.p_value, 2e-4),
    ] {
        out.push(Check::absolute(format!("confidence sequence, {what}"), expected, got, tolerance, GROWTHBOOK));
    }
    Ok(())
}
