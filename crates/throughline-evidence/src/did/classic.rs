//! Difference-in-differences as a report: one beginning of the treatment, or the spread of answers where there are several.

use serde_json::{Value, json};
use throughline_core::{Diagnostic, EvidenceTier, Level};

use super::aggregate::Aggregation;
use super::design::Design;
use super::group_time::GroupTime;
use super::options::{Aggregate, Base, Controls, CsOptions};
use super::shown::{event_study, select, sensitivity, wald};
use super::staggered::{ALARM, callaway_santanna, study_of, trends_differ, untested};
use super::twfe::twfe;
use super::two_by_two::two_by_two;
use crate::{EvidenceError, Joint, Panel, Report};

/// Difference-in-differences. Where the treatment begins in one period: the 2×2 effect, the two-way fixed effects coefficient, an
/// event study against the last period before with a simultaneous band, the pre-test and the honest sensitivity. Where it begins
/// in several: Callaway and Sant'Anna's effects beside the two-way fixed effects coefficient, with TL359, because that
/// coefficient then mixes effects and may weight some of them negatively (Goodman-Bacon 2021).
///
/// Errors: those of [`two_by_two`], [`twfe`] and [`callaway_santanna`]; TL357 for covariates, which this method does not take.
pub fn difference_in_differences(panel: &Panel, level: Level, seed: u64) -> Result<Report, EvidenceError> {
    if let Some((name, _)) = panel.covariates().next() {
        return Err(EvidenceError::Data {
            code: "TL357",
            message: format!("the 2×2 difference takes no covariates, and `{name}` is given"),
            help: "use --method cs, which adjusts by regression, weighting or both".into(),
        });
    }
    // Several beginnings may have several reasons to be left out: the controls decide last.
    let never = !panel.never_treated().is_empty();
    let controls = if never || panel.groups().len() < 2 { Controls::Never } else { Controls::NotYet };
    let options = CsOptions { controls, base: Base::Universal, level, seed, ..CsOptions::default() };
    let design = Design::of(panel, &options)?;
    if design.groups.len() == 1 && never {
        return one_beginning(panel, &options);
    }
    several_beginnings(panel, &CsOptions { base: Base::Varying, ..options })
}

fn one_beginning(panel: &Panel, options: &CsOptions) -> Result<Report, EvidenceError> {
    let (level, seed) = (options.level, options.seed);
    let effect = two_by_two(panel)?;
    let mut report = Report::new("did_2x2", EvidenceTier::QuasiExperiment, effect.estimate(0, level)?);
    let regression = twfe(panel)?;
    report.find("twfe", regression.joint.estimate(0, level)?);
    let (found, dynamic) = event_study_of(panel, options)?;
    for j in 0..dynamic.events.len() {
        report.find(dynamic.joint.names()[j].clone(), dynamic.joint.estimate(j, level)?);
    }
    found.diagnostics.iter().for_each(|d| report.diagnose(d.clone()));
    if !panel.is_balanced() {
        let (left, all) = (panel.units() as u64 - effect.n(), panel.units());
        let message = format!("the 2×2 effect leaves {left} of {all} units out, which lack a period");
        report.diagnose(
            Diagnostic::warning("TL351", message).help("compare it with `twfe` and the event study, which use them"),
        );
    }
    report.assume(
        "without the treatment, treated units would have changed on average as untreated ones did (parallel trends)",
    );
    report.assume("the treatment has no effect before it begins");
    report.assume("the treatment of one unit does not change the outcome of another");
    report.assume("units (clusters, where they are named) are independent of each other");
    let events: Vec<usize> = (0..dynamic.events.len()).collect();
    let before: Vec<usize> = events.iter().copied().filter(|j| dynamic.events[*j] < 0.0).collect();
    let study = select(&dynamic.joint, &events)?;
    report.detail("event_study", event_study(&study, &dynamic.events, base_of(panel, &found), level, seed)?);
    let test = study.wald_test(&before).ok();
    report.detail("pre_test", test.map_or(Value::Null, |t| wald(&t)));
    match test {
        Some(t) if t.p_value < ALARM => report.diagnose(trends_differ(t.p_value)),
        Some(_) => {}
        None => report.diagnose(untested()),
    }
    let honest = study_of(&dynamic)?;
    report.detail("honest", honest.map_or(Ok(Value::Null), |s| sensitivity(&s, level))?);
    report.detail("groups", json!([{ "group": found.groups[0], "units": found.sizes[0] }]));
    Ok(report)
}

/// The coefficients of an event study against the last period before the treatment: with one beginning and a balanced panel they
/// are those of the regression on unit, period and event-time indicators.
pub(super) fn event_study_of(panel: &Panel, options: &CsOptions) -> Result<(GroupTime, Aggregation), EvidenceError> {
    let found = GroupTime::of(panel, options)?;
    let dynamic = found.aggregate(Aggregate::Dynamic)?;
    let dynamic = Aggregation { joint: small_sample(dynamic.joint.clone(), panel), ..dynamic };
    Ok((found, dynamic))
}

/// Event time of the base period of the one group.
fn base_of(panel: &Panel, found: &GroupTime) -> Option<f64> {
    let cell = found.cells.first()?;
    Some(panel.time(cell.base) - (panel.time(cell.time) - cell.event))
}

/// The correction n / (n − 2) and t with n − 2 degrees of freedom, where clusters bring none of their own.
fn small_sample(joint: Joint, panel: &Panel) -> Joint {
    if panel.clusters().is_some() {
        return joint;
    }
    let n = joint.n() as f64;
    joint.with_factor(n / (n - 2.0)).with_df(n - 2.0)
}

fn several_beginnings(panel: &Panel, options: &CsOptions) -> Result<Report, EvidenceError> {
    let mut report = callaway_santanna(panel, options)?;
    let regression = twfe(panel)?;
    let coefficient = regression.joint.estimate(0, options.level)?;
    let overall = report.comparisons.clone();
    let of = |name: &str| overall.iter().find(|f| f.name == name).map_or(f64::NAN, |f| f.estimate.value);
    let values: Vec<f64> = Aggregate::ALL.iter().map(|a| of(a.words())).chain([coefficient.value]).collect();
    let (lo, hi) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(*v), h.max(*v)));
    let message = format!(
        "the treatment begins in {} periods: answers range from {lo:.4} to {hi:.4}, and the two-way fixed effects coefficient \
         ({:.4}) mixes effects of different groups, with {:.1} % of its treated cells weighted negatively",
        panel.groups().len(),
        coefficient.value,
        100.0 * regression.negative_cells
    );
    let help =
        "read the effects by group or by time since the treatment; `twfe` stands beside them for comparison only";
    report.diagnose(Diagnostic::warning("TL359", message).help(help));
    report.detail(
        "spread",
        json!({
            "twfe": coefficient.value, "simple": of("simple"), "group": of("group"), "dynamic": of("dynamic"),
            "calendar": of("calendar"), "least": lo, "greatest": hi,
        }),
    );
    report.detail(
        "twfe",
        json!({
            "value": coefficient.value, "std_error": coefficient.std_error, "interval": coefficient.interval(),
            "negative_weight": regression.negative_weight, "negative_cells": regression.negative_cells,
        }),
    );
    report.comparisons.insert(0, crate::Finding { name: "twfe".into(), estimate: coefficient });
    Ok(report)
}
