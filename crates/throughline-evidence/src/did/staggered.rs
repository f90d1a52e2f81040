//! Callaway and Sant'Anna's answer as a report.

use serde_json::{Value, json};
use throughline_core::{Diagnostic, EvidenceTier};

use super::aggregate::Aggregation;
use super::design::{Cell, Phase};
use super::group_time::GroupTime;
use super::honest::EventStudy;
use super::options::{Adjustment, Aggregate, Base, Controls, CsOptions};
use super::shown::{event_study, points, select, sensitivity, wald};
use crate::{EvidenceError, Panel, Report};

/// Pre-tests below this are reported.
pub(super) const ALARM: f64 = 0.05;

/// Staggered adoption after Callaway, Sant'Anna (2021): effects by group and period, all aggregations, a pre-test of parallel
/// trends, simultaneous bands, and what is left of the effect when trends were not parallel. See [`GroupTime::of`] for cost and
/// errors.
pub fn callaway_santanna(panel: &Panel, options: &CsOptions) -> Result<Report, EvidenceError> {
    let found = GroupTime::of(panel, options)?;
    let level = options.level;
    let all: Vec<Aggregation> = Aggregate::ALL.iter().map(|k| found.aggregate(*k)).collect::<Result<_, _>>()?;
    let main = all.iter().find(|a| a.kind == options.aggregate).unwrap_or(&all[0]);
    let method = method(panel, options);
    let mut estimate = main.joint.estimate(main.overall(), level)?;
    estimate.method.clone_from(&method);
    let mut report = Report::new(method, EvidenceTier::QuasiExperiment, estimate);
    for a in &all {
        report.find(a.kind.words(), a.joint.estimate(a.overall(), level)?);
    }
    for a in &all {
        for j in 0..a.labels.len() {
            report.find(a.joint.names()[j].clone(), a.joint.estimate(j, level)?);
        }
    }
    for c in 0..found.cells.len() {
        report.find(found.joint.names()[c].clone(), found.joint.estimate(c, level)?);
    }
    assume(&mut report, panel, options);
    found.diagnostics.iter().for_each(|d| report.diagnose(d.clone()));
    details(&mut report, &found, &all)?;
    let honest = honest_study(panel, options, &found)?;
    report.detail("honest", honest.map_or(Ok(Value::Null), |s| sensitivity(&s, level))?);
    Ok(report)
}

fn method(panel: &Panel, options: &CsOptions) -> String {
    let adjusted = panel.covariates().next().is_some();
    let words = if adjusted { options.adjustment.words() } else { "unadjusted" };
    format!("callaway_santanna_{words}")
}

fn assume(report: &mut Report, panel: &Panel, options: &CsOptions) {
    let given = if panel.covariates().next().is_some() { ", given the covariates" } else { "" };
    let who = match options.controls {
        Controls::Never => "units that are never treated",
        Controls::NotYet => "units that are not treated yet",
    };
    report.assume(&format!(
        "without the treatment, treated units would have changed on average as {who} did{given} (parallel trends)"
    ));
    report.assume(&if options.anticipation > 0.0 {
        format!("the treatment has no effect earlier than {} before it begins", options.anticipation)
    } else {
        "the treatment has no effect before it begins".to_owned()
    });
    report.assume("the treatment of one unit does not change the outcome of another");
    if !given.is_empty() && options.adjustment != Adjustment::Regression {
        report.assume("units with the covariates of treated ones also occur untreated (overlap)");
    }
    report.assume(if panel.clusters().is_some() {
        "clusters are independent of each other, and there are many"
    } else {
        "units are independent of each other, and each group has many"
    });
}

fn details(report: &mut Report, found: &GroupTime, all: &[Aggregation]) -> Result<(), EvidenceError> {
    let (level, seed) = (found.options.level, found.options.seed);
    let cells: Vec<usize> = (0..found.cells.len()).collect();
    let mut rows = points(&select(&found.joint, &cells)?, level, seed)?;
    for ((row, cell), (treated, controls)) in rows.rows.iter_mut().zip(&found.cells).zip(&found.counts) {
        row.insert("group".into(), json!(found.groups[cell.group]));
        row.insert("time".into(), json!(found.periods[cell.time]));
        row.insert("base".into(), json!(found.periods[cell.base]));
        row.insert("event".into(), json!(cell.event));
        row.insert("phase".into(), json!(cell.phase.words()));
        row.insert("treated".into(), json!(treated));
        row.insert("controls".into(), json!(controls));
    }
    report.detail("group_time", rows.json());
    for a in all {
        let parts: Vec<usize> = (0..a.labels.len()).collect();
        let overall = a.joint.estimate(a.overall(), level)?;
        if a.kind == Aggregate::Dynamic {
            let base = (found.options.base == Base::Universal).then(|| base_event(found)).flatten();
            report.detail("event_study", event_study(&select(&a.joint, &parts)?, &a.events, base, level, seed)?);
        } else if !parts.is_empty() {
            let mut rows = points(&select(&a.joint, &parts)?, level, seed)?;
            let what = if a.kind == Aggregate::Group { "group" } else { "time" };
            rows.rows.iter_mut().zip(&a.labels).for_each(|(row, l)| drop(row.insert(what.into(), json!(l))));
            report.detail(&format!("by_{what}"), rows.json());
        }
        report.detail(
            &format!("overall_{}", a.kind.words()),
            json!({ "value": overall.value, "std_error": overall.std_error }),
        );
    }
    let groups: Vec<Value> =
        found.groups.iter().zip(&found.sizes).map(|(g, n)| json!({ "group": g, "units": n })).collect();
    report.detail("groups", groups);
    let test = found.pre_test();
    report.detail("pre_test", test.map_or(Value::Null, |t| wald(&t)));
    if let Some(t) = test.filter(|t| t.p_value < ALARM) {
        report.diagnose(trends_differ(t.p_value));
    }
    if found.in_phase(Phase::Before).is_empty() {
        report.diagnose(untested());
    }
    Ok(())
}

pub(super) fn trends_differ(p: f64) -> Diagnostic {
    let message = format!("before the treatment the trends of treated and untreated units differ (p = {p:.4})");
    Diagnostic::warning("TL355", message).help(
        "see in `honest` how large a difference of trends the effect survives; covariates or other controls may help",
    )
}

pub(super) fn untested() -> Diagnostic {
    let message = "parallel trends cannot be tested: no group has two periods before its treatment";
    Diagnostic::warning("TL355", message).help("add earlier periods")
}

/// The event time of the base period, where it is the same for all groups.
fn base_event(found: &GroupTime) -> Option<f64> {
    let after = || found.cells.iter().filter(|c| c.phase == Phase::After);
    let event = |c: &Cell| found.times[c.base] - (found.times[c.time] - c.event);
    let first = event(after().next()?);
    after().all(|c| event(c) == first).then_some(first)
}

/// The event study with a universal base, where there are two periods before the treatment and nothing is anticipated.
fn honest_study(panel: &Panel, options: &CsOptions, found: &GroupTime) -> Result<Option<EventStudy>, EvidenceError> {
    if options.anticipation > 0.0 {
        return Ok(None);
    }
    let universal = match options.base {
        Base::Universal => found.clone(),
        Base::Varying => match GroupTime::of(panel, &CsOptions { base: Base::Universal, ..*options }) {
            Ok(found) => found,
            Err(_) => return Ok(None),
        },
    };
    study_of(&universal.aggregate(Aggregate::Dynamic)?)
}

/// The event study of a dynamic aggregation with a universal base.
pub(super) fn study_of(dynamic: &Aggregation) -> Result<Option<EventStudy>, EvidenceError> {
    let before = dynamic.events.iter().filter(|e| **e < 0.0).count();
    let after = dynamic.events.len() - before;
    if before == 0 || after == 0 {
        return Ok(None);
    }
    let parts: Vec<usize> = (0..dynamic.events.len()).collect();
    EventStudy::new(select(&dynamic.joint, &parts)?, before, vec![1.0 / after as f64; after]).map(Some)
}
