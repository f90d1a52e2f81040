//! The answer: the jump, other readings of it, and what should not jump.

use serde_json::{Value, json};
use throughline_core::{Diagnostic, Estimate, EvidenceTier};
use throughline_stats::quantile::sorted;

use super::estimate::{Jump, jump, method};
use super::{RdData, RdSettings, density};
use crate::{EvidenceError, Report};

/// p-value below which something jumps that should not, shared among the checks of a kind.
const JUMPS: f64 = 0.05;

/// Below so many distinct scores within the bandwidth on a side the design is one of a few points.
const FEW_SCORES: usize = 20;

/// |t| of the treatment's jump from which on the ratio is near normal (F of 10).
const CLEAR: f64 = 3.162_277_66;

/// The share of the bandwidth left out by the donut among the comparisons.
const DONUT: f64 = 0.1;

/// Estimates the effect at the cut-off.
///
/// Comparisons: the conventional estimate, half and double the bandwidth, the estimate without the nearest units, the jump of the
/// treatment (fuzzy), of each covariate, and of the outcome at placebo cut-offs on each side. Errors: TL371, TL380, TL381, TL384.
pub fn analyse(data: &RdData<'_>, settings: &RdSettings) -> Result<Report, EvidenceError> {
    let jumped = jump(data, settings, settings.donut)?;
    let level = settings.level;
    let fuzzy = data.treatment.is_some();
    let main = jumped.robust.estimate(0, level)?;
    let mut report = Report::new(method(fuzzy), EvidenceTier::QuasiExperiment, main);
    report.find("conventional (no bias correction)", jumped.conventional.estimate(0, level)?);
    if let Some(first) = &jumped.first {
        let estimate = first.estimate(0, level)?;
        clear(&mut report, &estimate);
        report.find("jump of the treatment", estimate);
    }
    sensitivity(&mut report, data, settings, &jumped)?;
    placebos(&mut report, data, settings);
    scores(&mut report, data, &jumped);
    manipulation(&mut report, data, settings)?;
    describe(&mut report, data, settings, &jumped);
    report.assume("Whatever else moves the outcome changes smoothly with the score at the cut-off.");
    report.assume("Nobody can place the score exactly above or below the cut-off.");
    report.assume("Nothing else starts at the same cut-off.");
    if fuzzy {
        report.assume("Nobody is treated because of being below the cut-off who would not be above it.");
    }
    report.assume("The effect is that for units at the cut-off, not for those far from it.");
    Ok(report)
}

fn clear(report: &mut Report, first: &Estimate) {
    let t = first.std_error.filter(|se| *se > 0.0).map_or(f64::INFINITY, |se| (first.value / se).abs());
    if t < CLEAR {
        report.tier = EvidenceTier::Modelled;
        let message = format!("treatment jumps by {:.4} at the cut-off, {t:.1} standard errors", first.value);
        report.diagnose(
            Diagnostic::warning("TL384", message)
                .help("the interval of the ratio is not right with so small a jump; read the effect of the cut-off itself, without --treatment"),
        );
    }
}

/// Other bandwidths, and without the units nearest to the cut-off. What cannot be estimated is left out.
fn sensitivity(
    report: &mut Report,
    data: &RdData<'_>,
    settings: &RdSettings,
    main: &Jump,
) -> Result<(), EvidenceError> {
    let bandwidths = main.bandwidths;
    for (name, factor) in [("half the bandwidth", 0.5), ("double the bandwidth", 2.0)] {
        let wide = RdSettings { h: Some(bandwidths.h * factor), b: Some(bandwidths.b * factor), ..*settings };
        if let Ok(other) = jump(data, &wide, settings.donut) {
            report.find(name, other.robust.estimate(0, settings.level)?);
        }
    }
    let same = RdSettings { h: Some(bandwidths.h), b: Some(bandwidths.b), ..*settings };
    if let Ok(other) = jump(data, &same, settings.donut.max(DONUT * bandwidths.h)) {
        report.find("without the nearest tenth of the bandwidth", other.robust.estimate(0, settings.level)?);
    }
    Ok(())
}

/// Jumps that should be 0: of covariates at the cut-off, of the outcome at the median score of each side.
fn placebos(report: &mut Report, data: &RdData<'_>, settings: &RdSettings) {
    let plain = RdSettings { h: None, b: None, donut: 0.0, ..*settings };
    let bare = |outcome: &crate::iv::Named<'_>, cutoff: f64, keep: &dyn Fn(f64) -> bool| -> Option<Estimate> {
        let places: Vec<usize> = (0..data.score.values.len()).filter(|i| keep(data.score.values[*i])).collect();
        let pick = |values: &[f64]| places.iter().map(|i| values[*i]).collect::<Vec<f64>>();
        let data = RdData {
            outcome: crate::iv::Named::new(outcome.name.clone(), pick(&outcome.values)),
            score: crate::iv::Named::new(data.score.name.clone(), pick(&data.score.values)),
            treatment: None,
            covariates: Vec::new(),
            clusters: data.clusters.as_ref().map(|codes| places.iter().map(|i| codes[*i]).collect()),
            cutoff,
            left_out: 0,
        };
        jump(&data, &plain, 0.0).ok()?.robust.estimate(0, settings.level).ok()
    };
    let mut found: Vec<(String, Estimate)> = Vec::new();
    for covariate in &data.covariates {
        found.extend(bare(covariate, data.cutoff, &|_| true).map(|e| (format!("balance: {}", covariate.name), e)));
    }
    failed(report, &found, "people just below and above the cut-off differ before the treatment");
    let balance = found.len();
    for (above, name) in [(false, "placebo cut-off below"), (true, "placebo cut-off above")] {
        let side = sorted(data.score.values.iter().copied().filter(|s| (*s >= data.cutoff) == above));
        let Some(middle) = side.get(side.len() / 2).copied() else { continue };
        let keep = |s: f64| (s >= data.cutoff) == above;
        found.extend(bare(&data.outcome, middle, &keep).map(|e| (format!("{name}, at {middle}"), e)));
    }
    failed(report, &found[balance..], "the outcome jumps where nothing happens");
    for (name, estimate) in found {
        report.find(name, estimate);
    }
}

fn failed(report: &mut Report, found: &[(String, Estimate)], what: &str) {
    let bound = JUMPS / found.len().max(1) as f64;
    let names: Vec<String> =
        found.iter().filter(|(_, e)| e.p_value < bound).map(|(n, e)| format!("{n} (p = {:.4})", e.p_value)).collect();
    if !names.is_empty() {
        let message = format!("{what}: {}", names.join(", "));
        let help = "look for what else starts at the cut-off, and whether scores were placed; do not read the jump as the effect alone";
        report.diagnose(Diagnostic::warning("TL383", message).help(help));
    }
}

fn scores(report: &mut Report, data: &RdData<'_>, main: &Jump) {
    let distinct = |above: bool| {
        let near = |s: &&f64| (**s >= data.cutoff) == above && (**s - data.cutoff).abs() <= main.bandwidths.h;
        let mut values = sorted(data.score.values.iter().filter(near).copied());
        values.dedup();
        values.len()
    };
    let counts = [distinct(false), distinct(true)];
    report.detail("distinct_scores", json!(counts));
    if counts[0].min(counts[1]) < FEW_SCORES {
        report.tier = EvidenceTier::Modelled;
        let message =
            format!("{} and {} distinct scores within the bandwidth below and above the cut-off", counts[0], counts[1]);
        let help = "with so few points the curve up to the cut-off is an assumption; use the score before rounding if there is one, or cluster by score";
        report.diagnose(Diagnostic::warning("TL381", message).help(help));
    }
}

fn manipulation(report: &mut Report, data: &RdData<'_>, settings: &RdSettings) -> Result<(), EvidenceError> {
    let x = sorted(data.score.values.iter().map(|s| s - data.cutoff));
    let Some(test) = density::test(&x, None)? else {
        report.detail("density", Value::Null);
        return Ok(());
    };
    let estimate = test.difference.estimate(0, settings.level)?;
    report.detail(
        "density",
        json!({ "left": test.left, "right": test.right, "difference": estimate.value, "std_error": estimate.std_error,
            "p_value": estimate.p_value, "bandwidths": test.bandwidths }),
    );
    if estimate.p_value < JUMPS {
        report.tier = EvidenceTier::Modelled;
        let message = format!(
            "the density of the score jumps at the cut-off from {:.4} to {:.4}, p = {:.4}",
            test.left, test.right, estimate.p_value
        );
        let help = "ask whether people or systems can move a score across the cut-off; a donut leaves out the nearest";
        report.diagnose(Diagnostic::warning("TL382", message).help(help));
    }
    Ok(())
}

fn describe(report: &mut Report, data: &RdData<'_>, settings: &RdSettings, main: &Jump) {
    report.detail("outcome", data.outcome.name.as_str());
    report.detail("score", data.score.name.as_str());
    report.detail("treatment", json!(data.treatment.as_ref().map(|t| t.name.clone())));
    report.detail("covariates", data.covariates.iter().map(|c| c.name.clone()).collect::<Vec<_>>());
    report.detail("cutoff", data.cutoff);
    report.detail("kernel", json!(settings.kernel));
    report.detail("order", settings.order);
    report.detail("variance", json!(settings.variance));
    report.detail("donut", settings.donut);
    report.detail(
        "bandwidth",
        json!({ "h": main.bandwidths.h, "b": main.bandwidths.b, "selected": settings.h.is_none() }),
    );
    report.detail(
        "units",
        json!({ "below": main.n[0], "above": main.n[1], "below_used": main.inside[0], "above_used": main.inside[1] }),
    );
    report.detail("left_out", data.left_out);
    report.detail("bins", bins(data, main.bandwidths.h));
}

/// Means of the outcome in ten bins on each side within twice the bandwidth, for a picture.
fn bins(data: &RdData<'_>, h: f64) -> Vec<Value> {
    const BINS: usize = 10;
    let width = 2.0 * h / BINS as f64;
    let mut sums = vec![(0.0, 0.0, 0_u64); 2 * BINS];
    for (score, y) in data.score.values.iter().zip(data.outcome.values.iter()) {
        let place = ((score - data.cutoff) / width).floor() + BINS as f64;
        if place >= 0.0 && place < (2 * BINS) as f64 {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded above")]
            let bin = &mut sums[place as usize];
            *bin = (bin.0 + score, bin.1 + y, bin.2 + 1);
        }
    }
    let shown = |(index, (score, y, n)): (usize, (f64, f64, u64))| json!({ "above": index >= BINS, "score": score / n as f64, "mean": y / n as f64, "n": n });
    sums.into_iter().enumerate().filter(|(_, bin)| bin.2 > 0).map(shown).collect()
}
