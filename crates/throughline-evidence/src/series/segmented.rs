//! `segmented`: a regression with a change of level and slope at the intervention, with Newey–West errors.
//!
//! y_t = a + b t + c 1{t ≥ s} + d (t − s) 1{t ≥ s} + waves of seasons + controls + e_t. Sources: A. K. Wagner et al., "Segmented
//! regression analysis of interrupted time series studies", J. Clin. Pharm. Ther. 27 (2002); W. K. Newey and K. D. West, "A
//! simple, positive semi-definite, heteroskedasticity and autocorrelation consistent covariance matrix", Econometrica 55
//! (1987), with the lag of their 1994 paper's rule of thumb ⌊4 (n / 100)^(2/9)⌋.

use std::f64::consts::TAU;

use serde_json::json;
use throughline_core::{Diagnostic, EvidenceTier, Level};
use throughline_stats::hac::{newey_west, rule_of_thumb};
use throughline_stats::ols::{OlsError, OlsFit, ols};

use super::checks::ljung_box;
use super::components::Season;
use super::model::{Series, Window};
use crate::{EvidenceError, Joint, Report};

/// The method's name in reports.
pub const METHOD: &str = "segmented_regression";

/// Corrections for a finite series: residuals of k smooth columns have lost about k (lag + 1) / n of the spectrum near zero
/// that Bartlett's weights average over, and the average has the precision of 3 n / (2 (lag + 1)) independent squares. Errors:
/// TL310 when little or nothing is left.
fn small_sample(n: usize, k: usize, lag: usize) -> Result<(f64, f64), EvidenceError> {
    let (n, lost) = (n as f64, (k * (lag + 1)) as f64);
    if lost > 0.5 * n {
        return Err(EvidenceError::Data {
            code: "TL310",
            message: format!("{n} times are too few for {k} coefficients and errors that depend over {lag} steps"),
            help: "use a longer series, fewer controls or seasons, or a smaller lag".into(),
        });
    }
    Ok((n / (n - lost), (1.5 * n / (lag + 1) as f64 - k as f64).max(1.0)))
}

struct Design {
    columns: Vec<Vec<f64>>,
    names: Vec<String>,
    times: Vec<usize>,
    y: Vec<f64>,
    /// Mean of t − s over the measured times; 0 without a change of slope.
    mean_after: f64,
}

fn design(series: &Series, window: Window, seasons: &[Season]) -> Result<Design, EvidenceError> {
    let whole = |t: &usize| series.outcome[*t].is_finite() && series.controls.iter().all(|(_, c)| c[*t].is_finite());
    let before = (0..window.intervention).filter(whole);
    let after: Vec<usize> = (window.start..window.end.min(series.len())).filter(whole).collect();
    let times: Vec<usize> = before.chain(after.iter().copied()).collect();
    let n_before = times.len() - after.len();
    if n_before < 3 || after.is_empty() {
        return Err(EvidenceError::Data {
            code: "TL310",
            message: format!("{n_before} usable times before the intervention and {} after it", after.len()),
            help: "a level and a slope before need at least 3 times, and the effect at least 1 after".into(),
        });
    }
    let since = |t: usize| if t >= window.start { t as f64 - window.start as f64 } else { 0.0 };
    let of = |f: &dyn Fn(usize) -> f64| times.iter().map(|t| f(*t)).collect::<Vec<f64>>();
    let mut columns =
        vec![of(&|_| 1.0), of(&|t| t as f64 - window.start as f64), of(&|t| f64::from(u8::from(t >= window.start)))];
    let mut names: Vec<String> = ["constant", "slope", "level change"].map(str::to_owned).to_vec();
    let slopes = after.len() >= 3;
    if slopes {
        columns.push(of(&|t| since(t)));
        names.push("slope change".into());
    }
    for season in seasons {
        for j in 1..=season.waves {
            let angle = |t: usize| TAU * j as f64 * t as f64 / season.period;
            columns.push(of(&|t| angle(t).cos()));
            names.push(format!("season {} cos {j}", season.period));
            if 2.0 * j as f64 != season.period {
                columns.push(of(&|t| angle(t).sin()));
                names.push(format!("season {} sin {j}", season.period));
            }
        }
    }
    for (name, values) in &series.controls {
        columns.push(of(&|t| values[t]));
        names.push(name.clone());
    }
    let mean_after = if slopes { after.iter().map(|t| since(*t)).sum::<f64>() / after.len() as f64 } else { 0.0 };
    let y = of(&|t| series.outcome[t]);
    Ok(Design { columns, names, times, y, mean_after })
}

fn fitted(d: &Design, columns: &[&[f64]]) -> Result<OlsFit, EvidenceError> {
    ols(columns, &d.y, None).map_err(|e| match e {
        OlsError::Collinear { columns } => EvidenceError::Data {
            code: "TL319",
            message: format!(
                "{} cannot be told from the rest of the model",
                columns.iter().map(|j| format!("`{}`", d.names[*j])).collect::<Vec<_>>().join(", ")
            ),
            help: "leave these controls or seasons out".into(),
        },
        other => EvidenceError::Data {
            code: "TL310",
            message: format!("no regression is possible: {other}"),
            help: "use a longer period, fewer controls or fewer seasons".into(),
        },
    })
}

/// Estimates the effect of one window. The report's estimate is the mean over the measured times of level change + slope
/// change × time since; the changes themselves are comparisons. `lag` is that of the errors, the rule of thumb without.
///
/// Errors: TL310 too few times, TL319 controls or seasons that are combinations of the rest.
pub fn segmented(
    series: &Series,
    window: Window,
    seasons: &[Season],
    lag: Option<usize>,
    level: Level,
) -> Result<Report, EvidenceError> {
    let d = design(series, window, seasons)?;
    let columns: Vec<&[f64]> = d.columns.iter().map(Vec::as_slice).collect();
    let fit = fitted(&d, &columns)?;
    let (n, k) = (d.y.len(), d.columns.len());
    let lag = lag.unwrap_or_else(|| rule_of_thumb(n)).min(n - 1);
    let influence: Vec<Vec<f64>> = (0..k).map(|j| fit.influence(&columns, None, j)).collect();
    let covariance = newey_west(&influence, &d.times, lag);
    let (factor, df) = small_sample(n, k, lag)?;
    let joint = Joint::from_covariance(d.names.clone(), fit.coefficients.clone(), covariance, n as u64, METHOD)?
        .with_factor(factor)
        .with_df(df);
    let mut weights = vec![0.0; k];
    weights[2] = 1.0;
    let has_slope = d.names.get(3).is_some_and(|name| name == "slope change");
    if has_slope {
        weights[3] = d.mean_after;
    }
    let average = joint.combine(&[("average".into(), weights)])?.estimate(0, level)?;
    let mut report = Report::new(METHOD, EvidenceTier::QuasiExperiment, average);
    report.find("level change", joint.estimate(2, level)?);
    if has_slope {
        report.find("slope change", joint.estimate(3, level)?);
    }
    for assumption in [
        "Nothing else that moves the outcome began at the intervention.",
        "Without the intervention the straight line before it would have gone on.",
        "Errors may depend on each other over a few steps, but not for long against the length of the series.",
    ] {
        report.assume(assumption);
    }
    let test = ljung_box(&fit.residuals).filter(|t| t.p_value < 0.01);
    if let Some(test) = test {
        let message = format!("residuals depend on each other (Ljung–Box p = {:.4})", test.p_value);
        let help =
            "the errors allow for it over a few steps only; a season, a control or the structural model may fit better";
        report.diagnose(Diagnostic::warning("TL313", message).help(help));
    }
    let coefficient =
        |j: usize| json!({ "name": d.names[j], "value": fit.coefficients[j], "std_error": joint.std_error(j) });
    report.detail("coefficients", (0..k).map(coefficient).collect::<Vec<_>>());
    report.detail("lag", lag);
    let line = |r: usize| {
        let fit = d.y[r] - fit.residuals[r];
        json!({ "time": series.times[d.times[r]], "actual": d.y[r], "fitted": fit })
    };
    report.detail("line", (0..n).map(line).collect::<Vec<_>>());
    Ok(report)
}
