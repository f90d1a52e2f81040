//! What screens show of a synthetic control, and what its fit gives reason to say.

use serde_json::{Value, json};
use throughline_core::{Diagnostic, Level};

use super::control::ControlFit;
use super::placebo::Placebo;
use super::study::{Block, Cohort, Study, mean};

/// A scaled imbalance above which the fit is called poor: less than three quarters of the distance of equal weights is closed.
const POOR: f64 = 0.25;

/// Names of the donors at positions.
fn names(study: &Study<'_>, donors: &[usize]) -> Vec<String> {
    donors.iter().map(|j| study.panel.unit_name(study.donors[*j])).collect()
}

/// Names of the periods.
pub fn times(study: &Study<'_>) -> Vec<String> {
    (0..study.panel.periods()).map(|t| study.panel.time_name(t)).collect()
}

/// Weights that are not 0, the largest first: `[{"unit","weight"}]`.
pub fn weights(study: &Study<'_>, weights: &[f64]) -> Value {
    let mut order: Vec<usize> = (0..weights.len()).filter(|j| weights[*j] != 0.0).collect();
    order.sort_by(|a, b| weights[*b].total_cmp(&weights[*a]).then(a.cmp(b)));
    order.iter().map(|j| json!({ "unit": study.panel.unit_name(study.donors[*j]), "weight": weights[*j] })).collect()
}

/// One cohort: `{"start","units","treated","synthetic","gaps","pre_periods","weights","fit":{"rmspe_pre","rmspe_post",
/// "ratio","l2","scaled_l2"},"placebo_gaps":[{"units","gaps","rmspe_pre"}]}`; the periods stand once, under `times`.
pub fn cohort(study: &Study<'_>, cohort: &Cohort, block: &Block<'_>, fit: &ControlFit, placebos: &[Placebo]) -> Value {
    let (pre, post) = (fit.rmspe_pre(), fit.rmspe_post());
    json!({
        "start": study.panel.time_name(cohort.start),
        "units": cohort.units.iter().map(|i| study.panel.unit_name(*i)).collect::<Vec<_>>(),
        "pre_periods": cohort.start,
        "treated": block.treated,
        "synthetic": fit.synthetic,
        "gaps": fit.gaps,
        "weights": weights(study, &fit.weights),
        "fit": {
            "rmspe_pre": pre,
            "rmspe_post": post,
            "ratio": (pre > 0.0).then(|| post / pre),
            "l2": fit.l2,
            "scaled_l2": fit.scaled_l2,
        },
        "placebo_gaps": placebos
            .iter()
            .map(|p| json!({ "units": names(study, &p.donors), "gaps": p.fit.gaps, "rmspe_pre": p.fit.rmspe_pre() }))
            .collect::<Vec<_>>(),
    })
}

/// Reasons to doubt a fit: TL365 poor before the treatment or outside the donors, TL367 weights that are not unique, TL368
/// series that do not vary.
pub fn doubts(block: &Block<'_>, fit: &ControlFit, intercept: bool) -> Vec<Diagnostic> {
    let pre = block.pre;
    let mut found = Vec::new();
    let varies = |s: &[f64]| s[..pre].iter().any(|y| *y != s[0]);
    if !varies(&block.treated) {
        let message = format!("the treated series is the same in all {pre} periods before the treatment");
        found.push(
            Diagnostic::warning("TL368", message).help("is this the right outcome? A constant teaches no weights"),
        );
    }
    if !block.donors.iter().any(|d| varies(d)) {
        let message = "no donor varies before the treatment";
        found.push(Diagnostic::warning("TL368", message).help("is this the right outcome?"));
    }
    let scale = block.treated[..pre].iter().map(|y| y.abs()).fold(0.0, f64::max);
    if fit.l2 <= 1e-9 * scale * (pre as f64).sqrt() {
        let message =
            format!("the {} donors reproduce all {pre} periods before the treatment exactly", block.donors.len());
        let help = "the weights are then not unique and the fit says nothing about the periods after: use fewer donors, more \
                    periods, or --method sdid";
        found.push(Diagnostic::warning("TL367", message).help(help));
    } else if fit.scaled_l2.is_some_and(|s| s > POOR) {
        found.push(poor(block, fit, intercept));
    }
    found
}

fn poor(block: &Block<'_>, fit: &ControlFit, intercept: bool) -> Diagnostic {
    let pre = block.pre;
    let shift = |s: &[f64]| if intercept { mean(&s[..pre]) } else { 0.0 };
    let outside = (0..pre).filter(|t| {
        let values = block.donors.iter().map(|d| d[*t] - shift(d));
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        !(low..=high).contains(&(block.treated[*t] - shift(&block.treated)))
    });
    let outside = outside.count();
    let hull = if outside > 0 {
        format!(": it lies outside the range of all donors in {outside} of {pre} periods, so no weights can reach it")
    } else {
        String::new()
    };
    let share = 100.0 * fit.scaled_l2.unwrap_or(1.0);
    let message = format!(
        "the synthetic control misses the treated unit by {:.3} before the treatment, {share:.0} % of what equal weights \
         do{hull}",
        fit.rmspe_pre()
    );
    let help = if intercept {
        "compare changes (--method sdid), augment (--ridge), or choose donors nearer to the treated unit"
    } else {
        "allow for a level (--intercept), compare changes (--method sdid), or augment (--ridge)"
    };
    Diagnostic::warning("TL365", message).help(help)
}

/// TL369 when a level is out of reach with so many equally likely orders or placebos (the observed among them).
pub fn reach(count: usize, level: Level, what: &str) -> Option<Diagnostic> {
    let least = 1.0 / count as f64;
    (least >= level.alpha()).then(|| {
        let message = format!(
            "with {count} {what} no p-value is below {least:.3}: at level {} nothing can be excluded",
            level.get()
        );
        Diagnostic::warning("TL369", message).help("use a lower level, more donors or more periods")
    })
}
