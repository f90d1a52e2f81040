//! From a panel to the report of a synthetic difference-in-differences.

use serde_json::{Value, json};
use throughline_core::{Diagnostic, EvidenceTier, Level};

use super::control::Solver;
use super::details;
use super::sdid::{Kind, SdidSpec, fit_all, synthetic};
use super::study::{Study, data};
use super::variance::{Variance, estimate};
use crate::{EvidenceError, Panel, Report};

/// Estimates the effect on the treated by synthetic difference-in-differences; cohorts of staggered treatment each have their
/// own weights. Errors: those of [`Study::of`] and [`estimate`]; TL368 donors that do not vary.
pub fn read_sdid(panel: &Panel, spec: &SdidSpec, variance: Variance, level: Level) -> Result<Report, EvidenceError> {
    let study = Study::of(panel)?;
    let (att, fits) = fit_all(&study, spec)?;
    if fits.iter().all(|f| f.noise == 0.0) && spec.kind != Kind::Did {
        let message = "no donor varies before the treatment".to_owned();
        return Err(data("TL368", message, "is this the right outcome? Weights need series that move"));
    }
    let main = estimate(&study, att, &fits, spec, variance, level)?;
    let method = match spec.kind {
        Kind::Sdid => "synthetic_did",
        Kind::Sc => "synthetic_control",
        Kind::Did => "did_equal_weights",
    };
    let mut report = Report::new(method, EvidenceTier::QuasiExperiment, main);
    report.assume("without the treatment, treated units would have moved in parallel with the weighted donors");
    report.assume("the treatment did not reach the donors, nor begin to act before it began");
    report.assume(match variance {
        Variance::Placebo { .. } => "effects on donors vary as much as the error of the treated units does",
        Variance::Jackknife => "there are many units, treated ones among them",
        Variance::Bootstrap { .. } => "there are many treated units",
    });
    if let Variance::Placebo { .. } = variance
        && study.donors.len() < 10
    {
        let message = format!("the standard error rests on {} donors", study.donors.len());
        report
            .diagnose(Diagnostic::warning("TL360", message).help("read the interval as rough: more donors are needed"));
    }
    report.diagnostics.extend(study.found.iter().cloned());
    cohorts(&study, spec, &fits, &mut report)?;
    beside(&study, spec, att, &mut report)?;
    Ok(report)
}

fn cohorts(
    study: &Study<'_>,
    spec: &SdidSpec,
    fits: &[super::sdid::SdidFit],
    report: &mut Report,
) -> Result<(), EvidenceError> {
    let panel = study.panel;
    let rows: Vec<Value> = study
        .cohorts
        .iter()
        .zip(fits)
        .map(|(cohort, fit)| {
            let block = study.block(cohort);
            let path = synthetic(&block.donors, &block.treated, fit);
            let gaps: Vec<f64> = block.treated.iter().zip(&path).map(|(y, s)| y - s).collect();
            let times: Vec<Value> = (0..cohort.start)
                .filter(|t| fit.lambda[*t] != 0.0)
                .map(|t| json!({ "time": panel.time_name(t), "weight": fit.lambda[t] }))
                .collect();
            json!({
                "start": panel.time_name(cohort.start),
                "units": cohort.units.iter().map(|i| panel.unit_name(*i)).collect::<Vec<_>>(),
                "pre_periods": cohort.start,
                "att": fit.att,
                "treated": block.treated,
                "synthetic": path,
                "gaps": gaps,
                "weights": details::weights(study, &fit.omega),
                "time_weights": times,
                "noise": fit.noise,
                "zeta": fit.zeta,
            })
        })
        .collect();
    if rows.len() > 1 {
        // A cohort's own error, by the same means on the panel without the other cohorts.
        for (cohort, fit) in study.cohorts.iter().zip(fits) {
            let alone = Study { cohorts: vec![cohort.clone()], found: Vec::new(), ..study.clone() };
            let most = Variance::Placebo { most: super::placebo::MOST, seed: 1 };
            let e = estimate(&alone, fit.att, std::slice::from_ref(fit), spec, most, report.estimate.level)?;
            report.find(format!("start={}", panel.time_name(cohort.start)), e);
        }
    }
    report.detail("times", details::times(study));
    report.detail("cohorts", rows);
    Ok(())
}

/// The other weightings of the same cells, and the optimum where the published steps were used: a spread, not one number.
fn beside(study: &Study<'_>, spec: &SdidSpec, att: f64, report: &mut Report) -> Result<(), EvidenceError> {
    let of = |kind, solver| Ok::<f64, EvidenceError>(fit_all(study, &SdidSpec { kind, solver, ..*spec })?.0);
    let spread = json!({
        "synthetic_did": of(Kind::Sdid, spec.solver)?,
        "synthetic_control": of(Kind::Sc, spec.solver)?,
        "did_equal_weights": of(Kind::Did, spec.solver)?,
    });
    report.detail("weightings", spread);
    let solver = if spec.solver == Solver::Exact { "exact" } else { "frank_wolfe" };
    report.detail("solver", solver);
    let exact = if spec.solver == Solver::Exact { att } else { of(spec.kind, Solver::Exact)? };
    report.detail("exact", json!({ "value": exact }));
    Ok(())
}
