//! Each treated arm against the control from sums alone, metric by metric.
//!
//! Absolute differences are Welch's, relative lifts use the delta method ([`throughline_stats::two_sample`]). They hold
//! when units were assigned at random with the promised weights, when one unit's outcome does not depend on another's
//! arm, and when means are close to normal. The first is checked (TL301, TL302, TL305), the others are stated.

use throughline_core::{Diagnostic, Estimate, Level};
use throughline_stats::goodness;
use throughline_stats::two_sample::{Difference, Uninformative, welch, welch_relative};

use super::accumulator::Accumulator;
use super::verdict;
use crate::{Comparison, Correction, Reading};

pub(crate) const RANDOM: &str = "units were assigned to arms at random with the promised weights";
pub(crate) const NO_INTERFERENCE: &str = "a unit's outcome does not depend on the arms of other units";
pub(crate) const NORMAL: &str = "enough units for the mean of each arm to be close to normal";
pub(crate) const FAR_FROM_ZERO: &str = "the control's mean is well away from 0 against its standard error";

/// The reading of what an accumulator holds.
pub(crate) fn read(seen: &Accumulator) -> Reading {
    let mut reading = seen.frame(None);
    for treated in (0..seen.arms().len()).filter(|&arm| arm != seen.control()) {
        for metric in 0..seen.spec().metrics.len() {
            reading.comparisons.push(compare(seen, treated, metric, &mut reading.diagnostics));
        }
    }
    adjust(&mut reading.comparisons, seen.spec().correction, seen.spec().level);
    for comparison in &mut reading.comparisons {
        comparison.verdict = verdict::of(comparison, reading.health, seen.spec().level);
    }
    reading
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
        ..Comparison::default()
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

pub(crate) fn split(estimate: Result<Estimate, String>) -> (Option<Estimate>, Option<String>) {
    match estimate {
        Ok(estimate) => (Some(estimate), None),
        Err(reason) => (None, Some(reason)),
    }
}

/// Corrects the p-values of all comparisons that have one, together.
pub(crate) fn adjust(comparisons: &mut [Comparison], correction: Correction, level: Level) {
    let informative = comparisons.iter().filter_map(|c| c.estimate.as_ref());
    let p_values: Vec<f64> = informative.map(|estimate| estimate.p_value).collect();
    let adjusted = match correction {
        Correction::None => p_values,
        Correction::Holm | Correction::Bands => goodness::holm(&p_values),
        Correction::BenjaminiHochberg => goodness::benjamini_hochberg(&p_values),
    };
    for (comparison, p) in comparisons.iter_mut().filter(|c| c.estimate.is_some()).zip(adjusted) {
        comparison.adjusted_p_value = Some(p);
        comparison.significant = p < level.alpha();
    }
}
