//! From a panel of markets to the report of a geo experiment.

use serde_json::json;
use throughline_core::{ConfidenceSet, Diagnostic, Estimate, EvidenceTier, Level};

use crate::synth::conformal::{ConformalSpec, Permutations, constant_effect, per_period};
use crate::synth::control::{ControlSpec, Solver, fit};
use crate::synth::details;
use crate::synth::ridge::Ridge;
use crate::synth::study::{Study, data, mean};
use crate::{EvidenceError, Panel, Report};

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GeoSpec {
    /// Ridge augmentation, if any.
    pub ridge: Option<Ridge>,
    /// Whether markets have an intercept: their own mean before the test.
    pub intercept: bool,
    /// Orders of the conformal test.
    pub permutations: Permutations,
    /// What the test cost in all (negative: what was saved), for the incremental outcome per unit spent.
    pub spend: Option<f64>,
    /// Confidence level.
    pub level: Level,
}

impl GeoSpec {
    /// Intercepts, no ridge, 4,999 random orders.
    pub const fn new(level: Level) -> Self {
        let permutations = Permutations::Iid { draws: 4_999, seed: 1 };
        Self { ridge: None, intercept: true, permutations, spend: None, level }
    }
}

/// Reads a geo experiment: the test markets' mean against a synthetic control of the others.
///
/// The main estimate is the effect per market and period, with set and p-value of the conformal test of a constant effect.
/// Lift, incremental outcome and incremental outcome per spend are the same test in other units: their sets are images of
/// its set, so all say the same about no effect. Errors: those of [`Study::of`]; TL360 test markets that start at different
/// times; a spend of 0.
pub fn read_geo(panel: &Panel, spec: &GeoSpec) -> Result<Report, EvidenceError> {
    let study = Study::of(panel)?;
    let [cohort] = study.cohorts.as_slice() else {
        let message = format!("test markets start in {} different periods", study.cohorts.len());
        return Err(data("TL360", message, "read staggered treatments with --method sdid or sc"));
    };
    let block = study.block(cohort);
    let control = ControlSpec { solver: Solver::Exact, intercept: spec.intercept, ridge: spec.ridge };
    let found = fit(&block.donors, &block.treated, block.pre, &control)?;
    let conformal = ConformalSpec { intercept: spec.intercept, lambda: found.lambda, permutations: spec.permutations };
    let att = found.att();
    let main = constant_effect(&block.donors, &block.treated, block.pre, att, &conformal, spec.level)?;
    let mut report = Report::new("geo_augmented_synthetic_control", EvidenceTier::QuasiExperiment, main.clone());
    report.assume("without the test, the test markets would have gone on as the same mix of control markets does");
    report.assume("the test did not spill over into control markets");
    report.assume(
        "without the test, the gaps during it would be as likely in any order with those before; the effect is the same in \
         all its periods",
    );
    let during = mean(&block.treated[block.pre..]);
    if during - att > 0.0 {
        report.find("lift", mapped(&main, |b| if b < during { b / (during - b) } else { f64::INFINITY })?);
    } else {
        let message = "the counterfactual is not above 0, so there is no relative lift";
        report.diagnose(Diagnostic::warning("TL365", message));
    }
    let cells = (block.units * (block.treated.len() - block.pre)) as f64;
    report.find("incremental", mapped(&main, |b| b * cells)?);
    if let Some(spend) = spec.spend {
        if spend == 0.0 || !spend.is_finite() {
            return Err(EvidenceError::Setting { what: "spend", value: spend, bounds: "numbers other than 0" });
        }
        report.find("incremental per spend", mapped(&main, |b| b * cells / spend)?);
    }
    for (t, e) in
        (block.pre..).zip(per_period(&block.donors, &block.treated, block.pre, &found.gaps, &conformal, spec.level)?)
    {
        report.find(format!("t={}", panel.time_name(t)), e);
    }
    report.diagnostics.extend(study.found.iter().cloned());
    report.diagnostics.extend(details::doubts(&block, &found, spec.intercept));
    let orders = match spec.permutations {
        Permutations::Block => block.treated.len(),
        Permutations::Iid { draws, .. } => draws as usize + 1,
    };
    report.diagnostics.extend(details::reach(orders, spec.level, "orders of the periods"));
    outside(&main, &mut report);
    report.detail("times", details::times(&study));
    report.detail("cohorts", vec![details::cohort(&study, cohort, &block, &found, &[])]);
    report.detail("model", if spec.ridge.is_some() { "ridge" } else { "none" });
    report.detail("intercept", spec.intercept);
    report.detail("lambda", json!(found.lambda));
    report.detail("improvement", json!(found.scaled_l2.map(|s| 1.0 - s)));
    Ok(report)
}

/// A value that its own set does not hold is said, not hidden: the test is of an effect that is the same in all periods.
fn outside(main: &Estimate, report: &mut Report) {
    if !main.set.0.is_empty() && !main.set.contains(main.value) {
        let message = "the mean effect lies outside the set of constant effects that fit";
        let help = "the effect was not the same in all periods: look at the effects by period";
        report.diagnose(Diagnostic::warning("TL365", message).help(help));
    }
}

/// The same test in other units: `map` must be monotone.
fn mapped(e: &Estimate, map: impl Fn(f64) -> f64) -> Result<Estimate, EvidenceError> {
    let mut parts: Vec<(f64, f64)> = e
        .set
        .0
        .iter()
        .map(|(lo, hi)| {
            let (a, b) = (image(&map, *lo), image(&map, *hi));
            (a.min(b), a.max(b))
        })
        .filter(|(a, b)| !(a.is_infinite() && a == b))
        .collect();
    parts.sort_by(|a, b| a.0.total_cmp(&b.0));
    let set = ConfidenceSet(parts);
    Ok(Estimate::inverted(map(e.value), None, set, e.p_value, e.n, e.level, e.method.as_str())?)
}

/// The image of an end; that of an infinite end is the limit.
fn image(map: &impl Fn(f64) -> f64, x: f64) -> f64 {
    if x.is_finite() {
        return map(x);
    }
    let far = map(x.signum() * 1e12);
    // A bounded limit (a lift of −100 %) stays, an unbounded one is infinite.
    if far.is_infinite() || (map(x.signum() * 1e13) - far).abs() > 1e6 { far.signum() * f64::INFINITY } else { far }
}
