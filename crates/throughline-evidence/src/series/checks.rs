//! What could make the answer wrong, named.

use serde_json::{Value, json};
use throughline_core::{Diagnostic, Estimate, Level};
use throughline_stats::dist;
use throughline_stats::goodness::{Alternative, binomial_test, holm};

use super::effects::Effects;
use super::model::{Fit, Series, Settings, Window};
use super::smooth::{History, means};

/// The level at which checks speak up: there are several per analysis.
const ALARM: f64 = 0.01;
/// Times before an intervention below which a warning is given.
const FEW: usize = 20;
/// Standard deviations outside its earlier range from which a control is named.
const FAR: f64 = 0.5;

/// A p-value and what it was computed from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Test {
    /// The statistic.
    pub statistic: f64,
    /// Its p-value.
    pub p_value: f64,
}

/// Ljung and Box's test that errors do not depend on each other: Q = n (n + 2) Σ_{k ≤ h} r_k² / (n − k) against χ²_h with
/// h = min(10, n / 5). Source: G. M. Ljung and G. E. P. Box, Biometrika 65 (1978). `None` below 10 errors or without spread.
pub fn ljung_box(errors: &[f64]) -> Option<Test> {
    let n = errors.len();
    let mean = errors.iter().sum::<f64>() / n as f64;
    let square: f64 = errors.iter().map(|e| (e - mean).powi(2)).sum();
    if n < 10 || square <= 0.0 {
        return None;
    }
    let lags = (n / 5).min(10);
    let r = |k: usize| errors[k..].iter().zip(errors).map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>() / square;
    let sum: f64 = (1..=lags).map(|k| r(k).powi(2) / (n - k) as f64).sum();
    let statistic = (n * (n + 2)) as f64 * sum;
    Some(Test { statistic, p_value: dist::chi_squared_sf(statistic, lags as f64) })
}

/// Whether one-step predictions before the intervention were right as often as promised, and erred independently.
pub(super) fn before(history: &History, level: Level, found: &mut Vec<Diagnostic>) -> Value {
    let errors = &history.errors;
    let z = dist::critical_value(level.get(), None);
    let held = errors.iter().filter(|e| e.abs() <= z).count();
    let n = errors.len();
    let p = binomial_test(held as u64, n as u64, level.get(), Alternative::TwoSided).unwrap_or(1.0);
    if p < ALARM {
        let message = format!(
            "one-step predictions before the intervention held in {held} of {n} times where {:.0} % are promised (p = {p:.4})",
            100.0 * level.get()
        );
        let help = "errors are not normal or change in size: look for outliers, or model the logarithm of the outcome";
        found.push(Diagnostic::warning("TL314", message).help(help));
    }
    let independence = ljung_box(errors);
    if let Some(test) = independence.filter(|t| t.p_value < ALARM) {
        let message = format!(
            "errors of one-step predictions before the intervention depend on each other (Ljung–Box p = {:.4})",
            test.p_value
        );
        let help = "something is missing from the model, so intervals are too narrow: add the season or a control";
        found.push(Diagnostic::warning("TL313", message).help(help));
    }
    json!({
        "one_step": { "held": held, "of": n, "p_value": p },
        "ljung_box": independence.map(|t| json!({ "statistic": t.statistic, "p_value": t.p_value })),
    })
}

/// Whether there is enough to learn from.
pub(super) fn length(fit: &Fit, measured: usize, settings: &Settings, found: &mut Vec<Diagnostic>) {
    let season = settings.seasons.iter().map(|s| s.period).fold(0.0, f64::max);
    let learnt = fit.learnt;
    if learnt < FEW || learnt < measured || (learnt as f64) < 2.0 * season {
        let message = format!("the model learns from {learnt} times to predict {measured}");
        let help = "use a longer period before the intervention (at least as long as the one after it, 20 times and two \
                    seasons), or measure a shorter one";
        found.push(Diagnostic::warning("TL310", message).help(help));
    }
}

/// Whether a control is itself moved by the intervention: its own model without controls, tested like the outcome's, with a
/// weak prior on how its level moves. p-values are corrected by Holm.
pub(super) fn controls_moved(
    series: &Series,
    window: Window,
    masked: &[Window],
    fit: &Fit,
    settings: &Settings,
    found: &mut Vec<Diagnostic>,
) -> Vec<Option<f64>> {
    let trend = super::components::Trend::Level;
    let weak = Settings { draws: 400, level_df: 1.0, scale: None, trend, ..settings.clone() };
    let test = |j: usize| -> Option<f64> {
        let values = series.controls[j].1.clone();
        let alone = Series { times: series.times.clone(), outcome: values, controls: Vec::new() };
        let fit = Fit::new(&alone, window, masked, &weak).ok()?;
        let effects = Effects::of(&fit.forecast(&alone, window), &alone, fit.learnt, Level::P95).ok()?;
        // Few draws cannot give the small p-values that several controls need: the normal law of the same draws can.
        let e = effects.average;
        Estimate::wald(e.value, e.std_error?, None, e.n, Level::P95, "control").ok().map(|e| e.p_value)
    };
    let used: Vec<usize> = fit.used().collect();
    let p_values: Vec<Option<f64>> = used.iter().map(|j| test(*j)).collect();
    let known: Vec<f64> = p_values.iter().map(|p| p.unwrap_or(1.0)).collect();
    for ((j, p), tested) in used.iter().zip(holm(&known)).zip(&p_values) {
        if tested.is_some() && p < ALARM {
            let name = &series.controls[*j].0;
            let message = format!("the control `{name}` itself changes at the intervention (p = {p:.4} after Holm)");
            let help = "a control that the intervention moves hides or fakes an effect: leave it out unless you know why it \
                        changed";
            found.push(Diagnostic::warning("TL315", message).help(help));
        }
    }
    p_values
}

/// How far a control leaves the range it had while the model learnt.
pub(super) struct Reach {
    /// Share of measured times outside it.
    pub(super) share: f64,
    /// The farthest, in its earlier standard deviations.
    pub(super) farthest: f64,
}

/// Whether the prediction extrapolates from controls.
pub(super) fn extrapolation(series: &Series, fit: &Fit, measured: &[usize], found: &mut Vec<Diagnostic>) -> Vec<Reach> {
    let (_, _, beta) = means(fit);
    let mut out = Vec::new();
    for ((j, unit), beta) in fit.controls.iter().zip(&beta) {
        let (name, values) = &series.controls[*j];
        let learnt = (0..fit.rows.seen.len()).filter(|t| fit.rows.seen[*t]).map(|t| values[t]);
        let (low, high) = learnt.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        let beyond = |t: &usize| (values[*t] - high).max(low - values[*t]).max(0.0) / unit.sd;
        let outside = measured.iter().filter(|t| beyond(t) > 0.0).count();
        let reach = Reach {
            share: outside as f64 / measured.len().max(1) as f64,
            farthest: measured.iter().map(beyond).fold(0.0, f64::max),
        };
        // A control without weight does no harm out there.
        if reach.farthest > FAR && beta.abs() * reach.farthest > 0.05 {
            let message = format!(
                "the control `{name}` is outside its earlier range at {outside} of {} times after the intervention, by up to \
                 {:.1} standard deviations",
                measured.len(),
                reach.farthest
            );
            let help =
                "the prediction extrapolates: use a longer period before, a shorter one after, or another control";
            found.push(Diagnostic::warning("TL316", message).help(help));
        }
        out.push(reach);
    }
    out
}

/// Interventions that did not happen: the same analysis at earlier dates, on the times before the real one only.
pub(super) fn placebos(
    series: &Series,
    window: Window,
    masked: &[Window],
    settings: &Settings,
    count: usize,
    level: Level,
) -> Vec<(usize, Estimate)> {
    let states = super::components::Structure::new(settings.trend, &settings.seasons).map_or(1, |s| s.dim());
    let n = window.intervention;
    let first = (n / 2).max(states + 10);
    let horizon = (window.end - window.start).min(n / 4).max(1);
    let last = n.saturating_sub(horizon);
    if count == 0 || last < first {
        return Vec::new();
    }
    let mut dates: Vec<usize> = (0..count).map(|i| first + (last - first) * (i + 1) / count).collect();
    dates.dedup();
    let fewer = Settings { draws: settings.draws.clamp(100, 1000), ..settings.clone() };
    let of = |start: usize| -> Option<(usize, Estimate)> {
        let fake = Window { intervention: start, start, end: start + horizon };
        let earlier: Vec<Window> = masked.iter().copied().filter(|w| w.intervention < fake.end).collect();
        if earlier.iter().any(|w| w.end > start) {
            return None;
        }
        let fit = Fit::new(series, fake, &earlier, &fewer).ok()?;
        let effects = Effects::of(&fit.forecast(series, fake), series, fit.learnt, level).ok()?;
        Some((start, effects.average))
    };
    dates.into_iter().filter_map(of).collect()
}

/// Whether the method finds effects where there are none.
pub(super) fn judge_placebos(series: &Series, placebos: &[(usize, Estimate)], found: &mut Vec<Diagnostic>) {
    let adjusted = holm(&placebos.iter().map(|(_, e)| e.p_value).collect::<Vec<_>>());
    let caught: Vec<String> = placebos
        .iter()
        .zip(adjusted)
        .filter(|(_, p)| *p < 0.05)
        .map(|((t, _), p)| format!("{} (p = {p:.4})", series.times[*t]))
        .collect();
    if !caught.is_empty() {
        let message = format!("an effect is found where there was none, at {}", caught.join(", "));
        let help = "the model does not follow this series: a larger --level-sd, a season or a control may help; until then do \
                    not trust the p-value";
        found.push(Diagnostic::warning("TL317", message).help(help));
    }
}
