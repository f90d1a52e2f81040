//! What is checked before any difference is looked at: the sample ratio, arms and values that are not usable.

use throughline_core::{Diagnostic, EvidenceTier, Severity};
use throughline_stats::dist;
use throughline_stats::goodness::{self, GoodnessOfFit};
use throughline_stats::two_sample::Summary;

use super::accumulator::{Accumulator, ArmCells, Cell};
use crate::{ArmReading, ArmSpec, Health, MetricKind, MetricReading, Reading, Srm};

/// χ² is a rough approximation where fewer units than this are expected.
const FEW_EXPECTED: f64 = 5.0;

/// A reading without comparisons: arms and checks. Where clusters were assigned, their counts stand for the units' in the
/// sample ratio, and missing values are not tested as if units were independent.
pub(crate) fn frame(seen: &Accumulator, clusters: Option<Vec<u64>>) -> Reading {
    let mut diagnostics = Vec::new();
    let independent = clusters.is_none();
    let what = if independent { "units" } else { "clusters" };
    let observed = clusters.unwrap_or_else(|| seen.arms().iter().map(|arm| arm.units).collect());
    let srm = sample_ratio(&seen.spec().arms, observed, what, &mut diagnostics);
    let mut suspect = srm.alarm;
    report_unknown(seen, &mut diagnostics);
    for index in 0..seen.spec().metrics.len() {
        suspect |= report_unusable(seen, index, independent, &mut diagnostics);
    }
    let (tier, health) = trust(suspect);
    let (comparisons, segments) = (Vec::new(), Vec::new());
    Reading { srm, arms: arms(seen), comparisons, checks: None, segments, tier, health, diagnostics }
}

/// What a reading may be used as.
pub(crate) const fn trust(suspect: bool) -> (EvidenceTier, Health) {
    if suspect { (EvidenceTier::Associational, Health::Suspect) } else { (EvidenceTier::Randomised, Health::Healthy) }
}

/// The check of `observed` units (or clusters) per arm against the promised weights.
pub(crate) fn sample_ratio(arms: &[ArmSpec], observed: Vec<u64>, what: &str, diagnostics: &mut Vec<Diagnostic>) -> Srm {
    let weights: Vec<f64> = arms.iter().map(|arm| arm.weight).collect();
    // The specification was validated, so the fit exists; without one nothing may pass as checked.
    let fit = goodness::chi_squared_fit(&observed, &weights).unwrap_or(GoodnessOfFit {
        statistic: f64::MAX,
        df: 0,
        p_value: 0.0,
        expected: vec![0.0; arms.len()],
    });
    let srm = Srm {
        p_value: fit.p_value,
        statistic: fit.statistic,
        df: fit.df,
        observed,
        expected: fit.expected,
        alarm: fit.p_value < Srm::ALARM,
    };
    if srm.alarm {
        let message = format!(
            "sample ratio mismatch: p {:.2e} is below {}; {}",
            srm.p_value,
            Srm::ALARM,
            list(arms, |i| format!("{} {what}, {:.1} expected", srm.observed[i], srm.expected[i]))
        );
        diagnostics.push(Diagnostic::warning("TL301", message).help(
            "look for lost or repeated units, redirects, bots or a late change of weights before using any difference",
        ));
    }
    for (i, arm) in arms.iter().enumerate().filter(|(i, arm)| arm.weight == 0.0 && srm.observed[*i] > 0) {
        let message = format!("arm `{}` has a weight of 0 but {} {what}", arm.name, srm.observed[i]);
        diagnostics.push(
            Diagnostic::warning("TL302", message).help("it is left out of the sample-ratio check; state its weight"),
        );
    }
    let smallest = srm.expected.iter().copied().filter(|e| *e > 0.0).fold(f64::INFINITY, f64::min);
    if smallest < FEW_EXPECTED {
        let message =
            format!("an arm expects only {smallest:.1} {what}: the sample-ratio check is a rough approximation");
        diagnostics.push(Diagnostic::new(Severity::Info, "TL309", message));
    }
    srm
}

fn report_unknown(seen: &Accumulator, diagnostics: &mut Vec<Diagnostic>) {
    if seen.unknown_arm() > 0 {
        let message = format!("{} units name no arm of the experiment and take no part", seen.unknown_arm());
        diagnostics.push(Diagnostic::warning("TL308", message).help("list every arm, or filter units beforehand"));
    }
}

/// Reports missing and invalid values of one metric, and whether their share differs between arms beyond chance.
fn report_unusable(seen: &Accumulator, index: usize, independent: bool, diagnostics: &mut Vec<Diagnostic>) -> bool {
    let metric = &seen.spec().metrics[index];
    let cell = |i: usize| &seen.arms()[i].cells[index];
    let total = |f: &dyn Fn(&Cell) -> u64| (0..seen.arms().len()).map(|i| f(cell(i))).sum::<u64>();
    let missing = total(&|c| c.missing);
    if missing > 0 {
        let by_arm = list(&seen.spec().arms, |i| cell(i).missing.to_string());
        let message = format!("metric `{}` has no usable number for {missing} units ({by_arm})", metric.name);
        diagnostics.push(
            Diagnostic::warning("TL303", message)
                .help("those units are left out of this metric; give 0 where nothing happened"),
        );
    }
    let invalid = total(&|c| c.invalid);
    if invalid > 0 {
        let by_arm = list(&seen.spec().arms, |i| cell(i).invalid.to_string());
        let message = format!("proportion `{}` is neither 0 nor 1 for {invalid} units ({by_arm})", metric.name);
        diagnostics.push(
            Diagnostic::warning("TL304", message)
                .help("those units are left out of this metric; use kind `mean` for other numbers"),
        );
    }
    let unusable: Vec<u64> = seen.arms().iter().map(|arm| arm.units - arm.cells[index].moments.n()).collect();
    let Some(p) = uneven(&unusable, seen.arms()).filter(|p| independent && *p < Srm::ALARM) else { return false };
    let shares = list(&seen.spec().arms, |i| format!("{} of {}", unusable[i], seen.arms()[i].units));
    let message = format!("unusable values of `{}` differ between arms: p {p:.2e} ({shares})", metric.name);
    diagnostics.push(
        Diagnostic::warning("TL305", message)
            .help("a treatment that changes who is measured biases the difference; find out why values are missing"),
    );
    true
}

/// Pearson's χ² of homogeneity for a 2 × arms table; `None` where counts are too few for it.
fn uneven(unusable: &[u64], arms: &[ArmCells]) -> Option<f64> {
    let units: Vec<f64> = arms.iter().map(|arm| arm.units as f64).collect();
    let rate = unusable.iter().sum::<u64>() as f64 / units.iter().sum::<f64>();
    let fit = goodness::chi_squared_fit(unusable, &units).ok()?;
    let expected = || fit.expected.iter().zip(&units).filter(|(_, n)| **n > 0.0);
    let enough = expected().all(|(e, n)| *e >= FEW_EXPECTED && n - e >= FEW_EXPECTED);
    (enough && fit.df > 0 && rate < 1.0).then(|| dist::chi_squared_sf(fit.statistic / (1.0 - rate), fit.df as f64))
}

pub(crate) fn list(arms: &[ArmSpec], what: impl Fn(usize) -> String) -> String {
    let entries = arms.iter().enumerate().map(|(i, arm)| format!("{}: {}", arm.name, what(i)));
    entries.collect::<Vec<_>>().join(", ")
}

fn arms(seen: &Accumulator) -> Vec<ArmReading> {
    let spec = seen.spec();
    let metrics = |arm: &ArmCells| {
        let pairs = spec.metrics.iter().zip(&arm.cells);
        pairs.map(|(metric, cell)| metric_reading(&metric.name, metric.kind, cell)).collect()
    };
    spec.arms
        .iter()
        .zip(seen.arms())
        .map(|(arm, cells)| ArmReading {
            arm: arm.name.clone(),
            weight: arm.weight,
            units: cells.units,
            metrics: metrics(cells),
        })
        .collect()
}

fn metric_reading(name: &str, kind: MetricKind, cell: &Cell) -> MetricReading {
    let Summary { n, mean, variance } = cell.summary(kind);
    let std_error = (variance / n as f64).sqrt();
    MetricReading {
        metric: name.to_owned(),
        n,
        missing: cell.missing,
        invalid: cell.invalid,
        mean: (n > 0 && mean.is_finite()).then_some(mean),
        std_error: (n > 1 && std_error.is_finite()).then_some(std_error),
    }
}
