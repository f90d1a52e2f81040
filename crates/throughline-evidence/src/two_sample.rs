//! Reading two-sample and multi-arm experiments: each treated arm against one control, metric by metric.
//!
//! Absolute differences are Welch's, relative lifts use the delta method ([`throughline_stats::two_sample`]). They hold
//! when units were assigned at random with the promised weights, when one unit's outcome does not depend on another's
//! arm, and when means are close to normal. The first is checked (TL301, TL302, TL305), the others are stated.

use throughline_core::{Diagnostic, Estimate, EvidenceTier, Level, Severity};
use throughline_stats::dist;
use throughline_stats::goodness::{self, GoodnessOfFit};
use throughline_stats::two_sample::{Difference, Summary, Uninformative, welch, welch_relative};

use crate::accumulator::{Accumulator, ArmCells, Cell};
use crate::{ArmReading, Comparison, Correction, Health, MetricKind, MetricReading, Reading, Srm};

const RANDOM: &str = "units were assigned to arms at random with the promised weights";
const NO_INTERFERENCE: &str = "a unit's outcome does not depend on the arms of other units";
const NORMAL: &str = "enough units for the mean of each arm to be close to normal";
const FAR_FROM_ZERO: &str = "the control's mean is well away from 0 against its standard error";

/// χ² is a rough approximation where fewer units than this are expected.
const FEW_EXPECTED: f64 = 5.0;

/// The reading of what an accumulator holds.
pub(crate) fn read(seen: &Accumulator) -> Reading {
    let mut diagnostics = Vec::new();
    let srm = sample_ratio(seen, &mut diagnostics);
    let mut suspect = srm.alarm;
    report_unknown(seen, &mut diagnostics);
    for index in 0..seen.spec().metrics.len() {
        suspect |= report_unusable(seen, index, &mut diagnostics);
    }
    let mut comparisons = Vec::new();
    for treated in (0..seen.arms().len()).filter(|&arm| arm != seen.control()) {
        for metric in 0..seen.spec().metrics.len() {
            comparisons.push(compare(seen, treated, metric, &mut diagnostics));
        }
    }
    adjust(&mut comparisons, seen.spec().correction, seen.spec().level);
    let (tier, health) = if suspect {
        (EvidenceTier::Associational, Health::Suspect)
    } else {
        (EvidenceTier::Randomised, Health::Healthy)
    };
    Reading { srm, arms: arms(seen), comparisons, tier, health, diagnostics }
}

fn sample_ratio(seen: &Accumulator, diagnostics: &mut Vec<Diagnostic>) -> Srm {
    let arms = &seen.spec().arms;
    let observed: Vec<u64> = seen.arms().iter().map(|arm| arm.units).collect();
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
            list(seen, |i| format!("{} units, {:.1} expected", srm.observed[i], srm.expected[i]))
        );
        diagnostics.push(Diagnostic::warning("TL301", message).help(
            "look for lost or repeated units, redirects, bots or a late change of weights before using any difference",
        ));
    }
    for (i, arm) in arms.iter().enumerate().filter(|(i, arm)| arm.weight == 0.0 && srm.observed[*i] > 0) {
        let message = format!("arm `{}` has a weight of 0 but {} units", arm.name, srm.observed[i]);
        diagnostics.push(
            Diagnostic::warning("TL302", message).help("it is left out of the sample-ratio check; state its weight"),
        );
    }
    let smallest = srm.expected.iter().copied().filter(|e| *e > 0.0).fold(f64::INFINITY, f64::min);
    if smallest < FEW_EXPECTED {
        let message =
            format!("an arm expects only {smallest:.1} units: the sample-ratio check is a rough approximation");
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
fn report_unusable(seen: &Accumulator, index: usize, diagnostics: &mut Vec<Diagnostic>) -> bool {
    let metric = &seen.spec().metrics[index];
    let cell = |i: usize| &seen.arms()[i].cells[index];
    let total = |f: &dyn Fn(&Cell) -> u64| (0..seen.arms().len()).map(|i| f(cell(i))).sum::<u64>();
    let missing = total(&|c| c.missing);
    if missing > 0 {
        let by_arm = list(seen, |i| cell(i).missing.to_string());
        let message = format!("metric `{}` has no usable number for {missing} units ({by_arm})", metric.name);
        diagnostics.push(
            Diagnostic::warning("TL303", message)
                .help("those units are left out of this metric; give 0 where nothing happened"),
        );
    }
    let invalid = total(&|c| c.invalid);
    if invalid > 0 {
        let by_arm = list(seen, |i| cell(i).invalid.to_string());
        let message = format!("proportion `{}` is neither 0 nor 1 for {invalid} units ({by_arm})", metric.name);
        diagnostics.push(
            Diagnostic::warning("TL304", message)
                .help("those units are left out of this metric; use kind `mean` for other numbers"),
        );
    }
    let unusable: Vec<u64> = seen.arms().iter().map(|arm| arm.units - arm.cells[index].moments.n()).collect();
    let Some(p) = uneven(&unusable, seen.arms()).filter(|p| *p < Srm::ALARM) else { return false };
    let shares = list(seen, |i| format!("{} of {}", unusable[i], seen.arms()[i].units));
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

fn list(seen: &Accumulator, what: impl Fn(usize) -> String) -> String {
    let entries = seen.spec().arms.iter().enumerate().map(|(i, arm)| format!("{}: {}", arm.name, what(i)));
    entries.collect::<Vec<_>>().join(", ")
}

fn compare(seen: &Accumulator, treated: usize, metric: usize, diagnostics: &mut Vec<Diagnostic>) -> Comparison {
    let spec = seen.spec();
    let kind = spec.metrics[metric].kind;
    let summary = |arm: usize| seen.arms()[arm].cells[metric].summary(kind);
    let (baseline, arm) = (summary(seen.control()), summary(treated));
    let n = baseline.n + arm.n;
    let absolute = estimate(welch(&baseline, &arm), n, spec.level, "welch");
    let relative = estimate(welch_relative(&baseline, &arm), n, spec.level, "welch_relative")
        .map(|estimate| estimate.assuming(FAR_FROM_ZERO));
    let label = format!("`{}` against `{}` on `{}`", spec.arms[treated].name, spec.control, spec.metrics[metric].name);
    match &absolute {
        Err(reason) => diagnostics.push(Diagnostic::warning("TL306", format!("{label} has no estimate: {reason}"))),
        Ok(_) if baseline.variance == 0.0 || arm.variance == 0.0 => {
            let message = format!("{label}: one arm does not vary, so the interval understates the uncertainty");
            diagnostics.push(Diagnostic::warning("TL307", message).help("wait for more units"));
        }
        Ok(_) => {}
    }
    let (estimate, estimate_absent) = split(absolute);
    let (relative, relative_absent) = split(relative);
    Comparison {
        arm: spec.arms[treated].name.clone(),
        control: spec.control.clone(),
        metric: spec.metrics[metric].name.clone(),
        estimate,
        estimate_absent,
        relative,
        relative_absent,
        adjusted_p_value: None,
        significant: false,
    }
}

fn estimate(
    difference: Result<Difference, Uninformative>,
    n: u64,
    level: Level,
    method: &str,
) -> Result<Estimate, String> {
    let difference = difference.map_err(|reason| reason.to_string())?;
    let estimate = Estimate::wald(difference.value, difference.std_error, Some(difference.df), n, level, method)
        .map_err(|reason| reason.to_string())?;
    let (low, high) = estimate.interval();
    if !(low.is_finite() && high.is_finite()) {
        return Err(Uninformative::OutOfRange.to_string());
    }
    Ok(estimate.assuming(RANDOM).assuming(NO_INTERFERENCE).assuming(NORMAL))
}

fn split(estimate: Result<Estimate, String>) -> (Option<Estimate>, Option<String>) {
    match estimate {
        Ok(estimate) => (Some(estimate), None),
        Err(reason) => (None, Some(reason)),
    }
}

/// Corrects the p-values of all comparisons that have one, together.
fn adjust(comparisons: &mut [Comparison], correction: Correction, level: Level) {
    let informative = comparisons.iter().filter_map(|c| c.estimate.as_ref());
    let p_values: Vec<f64> = informative.map(|estimate| estimate.p_value).collect();
    let adjusted = match correction {
        Correction::None => p_values,
        Correction::Holm => goodness::holm(&p_values),
        Correction::BenjaminiHochberg => goodness::benjamini_hochberg(&p_values),
    };
    for (comparison, p) in comparisons.iter_mut().filter(|c| c.estimate.is_some()).zip(adjusted) {
        comparison.adjusted_p_value = Some(p);
        comparison.significant = p < level.alpha();
    }
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
