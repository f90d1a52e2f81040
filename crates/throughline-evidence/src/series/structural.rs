//! `structural`: the counterfactual of one series by a Bayesian structural time-series model.

use serde_json::{Map, Value, json};
use throughline_core::diagnostic::Severity;
use throughline_core::{Diagnostic, Estimate, EvidenceTier, Level};

use super::checks;
use super::effects::{Effects, columns};
use super::model::{Fit, Forecast, Series, Settings, Window};
use super::smooth::{History, history};
use super::words::in_words;
use crate::{EvidenceError, Report};

/// The method's name in reports.
pub const METHOD: &str = "structural_time_series";

/// What must hold.
const ASSUMPTIONS: [&str; 4] = [
    "Nothing else that moves the outcome began at the intervention.",
    "The intervention does not move the control series, directly or through others.",
    "The relation of the outcome to its controls, its level and its seasons go on as before the intervention.",
    "Errors around the model are normal, with one variance, and independent.",
];

/// One window's answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The model before the intervention.
    pub fit: Fit,
    /// Paths without the intervention.
    pub forecast: Forecast,
    /// Effects.
    pub effects: Effects,
}

/// Learns before a window's intervention (without the times of `masked` windows) and measures the effect in it.
///
/// Work: about n (m² + m w + w²) per filter pass for n times, m states and w = m + controls + 1 columns; some ten passes per
/// variance with one variance, some hundreds with two or three. Errors: see [`Fit::new`] and [`Effects::of`].
pub fn answer(
    series: &Series,
    window: Window,
    masked: &[Window],
    settings: &Settings,
    level: Level,
) -> Result<Answer, EvidenceError> {
    check(series, window)?;
    let fit = Fit::new(series, window, masked, settings)?;
    let forecast = fit.forecast(series, window);
    let effects = Effects::of(&forecast, series, fit.learnt, level)?;
    Ok(Answer { fit, forecast, effects })
}

fn check(series: &Series, w: Window) -> Result<(), EvidenceError> {
    if w.intervention <= w.start && w.start < w.end && w.end <= series.len() {
        return Ok(());
    }
    let first = series.times.first().cloned().unwrap_or_default();
    let last = series.times.last().cloned().unwrap_or_default();
    Err(EvidenceError::Data {
        code: "TL310",
        message: format!("the data, from `{first}` to `{last}`, hold no time at or after the intervention to measure"),
        help: "the intervention must lie within the data, and the period after it must begin before it ends".into(),
    })
}

/// Analyses one or several interventions with their checks. Each window's model learns from the times before it, without
/// those between an earlier intervention and the end of its window: an effect that lasts longer than its window would
/// blur later ones. The report's estimate is the first window's average effect per time.
///
/// Errors: no window, overlapping windows, and those of [`answer`].
pub fn analyse(
    series: &Series,
    windows: &[Window],
    settings: &Settings,
    placebos: usize,
    level: Level,
) -> Result<Report, EvidenceError> {
    if windows.is_empty() {
        return Err(EvidenceError::TooFew { what: "interventions", got: 0, needed: 1 });
    }
    if windows.windows(2).any(|w| w[1].intervention < w[0].end) {
        return Err(EvidenceError::Data {
            code: "TL310",
            message: "the periods of two interventions overlap, or are not in order".into(),
            help: "give each intervention an end before the next one begins".into(),
        });
    }
    let mut report: Option<Report> = None;
    let mut parts = Vec::new();
    for (k, window) in windows.iter().enumerate() {
        let masked = &windows[..k];
        let answer = answer(series, *window, masked, settings, level)?;
        let name = |what: &str| if windows.len() == 1 { what.to_owned() } else { format!("{what} {}", k + 1) };
        let mut found = answer.fit.found.clone();
        let fakes = checks::placebos(series, *window, masked, settings, placebos, level);
        let detail = detail(series, *window, masked, settings, &answer, &fakes, level, &mut found)?;
        let Effects { average, cumulative, relative, .. } = &answer.effects;
        let report = report.get_or_insert_with(|| Report::new(METHOD, EvidenceTier::QuasiExperiment, average.clone()));
        if windows.len() > 1 {
            report.find(name("average"), average.clone());
        }
        report.find(name("cumulative"), cumulative.clone());
        if let Some(relative) = relative {
            report.find(name("relative"), relative.clone());
        }
        for (t, estimate) in fakes {
            report.find(format!("placebo at {}", series.times[t]), estimate);
        }
        for diagnostic in found.into_iter().filter(|d| !report.diagnostics.contains(d)).collect::<Vec<_>>() {
            report.diagnose(diagnostic);
        }
        parts.push(Value::Object(detail));
    }
    let mut report = report.ok_or(EvidenceError::TooFew { what: "interventions", got: 0, needed: 1 })?;
    for assumption in ASSUMPTIONS {
        report.assume(assumption);
    }
    if windows.len() > 1 {
        report.assume("The effect of an intervention is over when its period ends.");
    }
    report.detail("windows", parts);
    Ok(report)
}

#[expect(clippy::too_many_arguments, reason = "one place that gathers what a screen shows of a window")]
fn detail(
    series: &Series,
    window: Window,
    masked: &[Window],
    settings: &Settings,
    answer: &Answer,
    fakes: &[(usize, Estimate)],
    level: Level,
    found: &mut Vec<Diagnostic>,
) -> Result<Map<String, Value>, EvidenceError> {
    let Answer { fit, forecast, effects } = answer;
    absences(series, window, masked, effects, found);
    checks::length(fit, effects.measured.len(), settings, found);
    let past = history(fit, series);
    let fitted = past.as_ref().map(|h| checks::before(h, level, found));
    let moved = checks::controls_moved(series, window, masked, fit, settings, found);
    let reach = checks::extrapolation(series, fit, &effects.measured, found);
    checks::judge_placebos(series, fakes, found);
    let warned = |d: &&Diagnostic| d.severity != Severity::Info;
    let mut codes: Vec<String> = found.iter().filter(warned).map(|d| d.code.clone()).collect();
    codes.sort();
    codes.dedup();
    let time = |t: usize| series.times[t].as_str();
    let (from, to) = (time(effects.measured[0]), time(effects.measured[effects.measured.len() - 1]));
    let mut out = Map::new();
    out.insert("text".into(), json!(in_words(effects, from, to, &codes)));
    out.insert(
        "design".into(),
        json!({
            "learns_from": time(0), "intervention": time(window.intervention), "measured_from": from, "measured_to": to,
            "learnt": fit.learnt, "measured": effects.measured.len(),
            "trend": settings.trend, "seasons": settings.seasons,
        }),
    );
    let (low, high) = effects.predicted.interval();
    let (sum_low, sum_high) = effects.predicted_sum.interval();
    out.insert(
        "summary".into(),
        json!({
            "actual": effects.actual, "actual_sum": effects.actual_sum,
            "predicted": effects.predicted.value, "predicted_sd": effects.predicted.std_error,
            "predicted_interval": [finite(low), finite(high)],
            "predicted_sum": effects.predicted_sum.value, "predicted_sum_sd": effects.predicted_sum.std_error,
            "predicted_sum_interval": [finite(sum_low), finite(sum_high)],
            "probability_of_effect": effects.probability(),
        }),
    );
    let mut after = columns(forecast, series, level)?;
    after.insert("time".into(), forecast.times.iter().map(|t| json!(time(*t))).collect());
    after.insert("actual".into(), forecast.times.iter().map(|t| finite(series.outcome[*t])).collect());
    out.insert("after".into(), Value::Object(after));
    if let Some(h) = &past {
        out.insert("before".into(), before(series, h, level));
    }
    out.insert("controls".into(), controls(series, fit, &moved, &reach, level)?);
    out.insert("spread".into(), spread(fit, level)?);
    out.insert("checks".into(), fitted.unwrap_or(Value::Null));
    let fake = |(t, e): &(usize, Estimate)| {
        let (low, high) = e.interval();
        json!({ "time": time(*t), "value": e.value, "interval": [finite(low), finite(high)], "p_value": e.p_value })
    };
    out.insert("placebos".into(), fakes.iter().map(fake).collect());
    Ok(out)
}

/// A number, or null where there is none.
fn finite(x: f64) -> Value {
    if x.is_finite() { json!(x) } else { Value::Null }
}

/// Names the times that the model and the effect do without.
fn absences(series: &Series, window: Window, masked: &[Window], effects: &Effects, found: &mut Vec<Diagnostic>) {
    let named = |times: &[usize]| {
        let shown: Vec<&str> = times.iter().take(3).map(|t| series.times[*t].as_str()).collect();
        let more = times.len().saturating_sub(shown.len());
        shown.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() }
    };
    let free = |t: &usize| !masked.iter().any(|w| (w.intervention..w.end).contains(t));
    let absent = |t: &usize| series.outcome[*t].is_nan() || series.controls.iter().any(|(_, c)| c[*t].is_nan());
    let before: Vec<usize> = (0..window.intervention).filter(free).filter(absent).collect();
    if !before.is_empty() {
        let message = format!(
            "{} of {} times before the intervention lack the outcome or a control: {}",
            before.len(),
            window.intervention,
            named(&before)
        );
        let help = "they are treated as not observed, not as 0: if they were 0, write 0";
        found.push(Diagnostic::warning("TL311", message).help(help));
    }
    let left: Vec<usize> = (window.start..window.end).filter(|t| !effects.measured.contains(t)).collect();
    if !left.is_empty() {
        let message = format!(
            "{} of {} times after the intervention lack the outcome or a control and do not count: {}",
            left.len(),
            window.end - window.start,
            named(&left)
        );
        let help = "average and sum are over the other times only";
        found.push(Diagnostic::warning("TL312", message).help(help));
    }
}

fn before(series: &Series, h: &History, level: Level) -> Value {
    let z = throughline_stats::dist::critical_value(level.get(), None);
    let column = |v: &[f64]| v.iter().map(|x| finite(*x)).collect::<Value>();
    let band = |sign: f64| h.predicted.iter().zip(&h.sd).map(|(p, s)| finite(p + sign * z * s)).collect::<Value>();
    let n = h.predicted.len();
    json!({
        "time": series.times[..n], "actual": column(&series.outcome[..n]), "counterfactual": column(&h.predicted),
        "low": band(-1.0), "high": band(1.0), "level": column(&h.level), "season": column(&h.season),
        "regression": column(&h.regression),
    })
}

fn controls(
    series: &Series,
    fit: &Fit,
    moved: &[Option<f64>],
    reach: &[checks::Reach],
    level: Level,
) -> Result<Value, EvidenceError> {
    let mut out = Vec::new();
    for (k, (j, unit)) in fit.controls.iter().enumerate() {
        let draws: Vec<f64> = fit.draws.iter().map(|d| d.beta[k] * fit.outcome.sd / unit.sd).collect();
        let count = draws.len() as f64;
        let e = Estimate::from_draws(draws.iter().sum::<f64>() / count, &draws, fit.learnt as u64, level, METHOD)?;
        let (low, high) = e.interval();
        out.push(json!({
            "name": series.controls[*j].0, "coefficient": e.value, "interval": [finite(low), finite(high)],
            "inclusion": draws.iter().filter(|b| **b != 0.0).count() as f64 / count,
            "changed_at_intervention_p": moved[k],
            "outside_range_share": reach[k].share, "outside_range_sds": reach[k].farthest,
        }));
    }
    Ok(out.into())
}

/// Standard deviations of noise and states, in the outcome's units.
fn spread(fit: &Fit, level: Level) -> Result<Value, EvidenceError> {
    let mut out = Vec::new();
    let names = std::iter::once("noise").chain(fit.structure.names().iter().map(String::as_str));
    for (k, name) in names.enumerate() {
        let of = |d: &super::posterior::Draw| d.sigma * if k == 0 { 1.0 } else { d.ratios[k - 1].sqrt() };
        let draws: Vec<f64> = fit.draws.iter().map(|d| fit.outcome.sd * of(d)).collect();
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        let e = Estimate::from_draws(mean, &draws, fit.learnt as u64, level, METHOD)?;
        let (low, high) = e.interval();
        out.push(json!({ "name": name, "sd": e.value, "interval": [finite(low), finite(high)] }));
    }
    Ok(out.into())
}
