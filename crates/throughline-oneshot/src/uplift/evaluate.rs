//! `throughline uplift evaluate`.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use throughline_core::{Diagnostic, Estimate, Level};
use throughline_uplift::{
    EffectCalibration, EffectGroup, EffectGroups, EffectLosses, EffectScores, Evaluation, GainBand, GainCurve,
    Observed, PercentileStrategy, PoissonBootstrap, Propensity, RankingVerdict, Scored, calibrate_effects,
    causalml_scores, effect_losses, effects_by_segment, evaluate, gain_bands, uplift_at, uplift_by_percentile,
    weighted_average_uplift,
};

use super::read::{Rows, read};
use crate::answer::{estimate_json, interval, number, table};
use crate::{Answer, OneShotError};

/// What to evaluate.
#[derive(Debug, Args)]
pub struct EvaluateArgs {
    /// CSV or Parquet file with one row a person.
    pub file: PathBuf,
    /// Column delimiter.
    #[arg(long, default_value = ",")]
    pub delimiter: String,
    /// Column of the score: people with the highest are treated first.
    #[arg(long)]
    pub score: String,
    /// Column of the arm each person was assigned to.
    #[arg(long)]
    pub treatment: String,
    /// The value of the control; `0`, `none` or `control…` without.
    #[arg(long)]
    pub control: Option<String>,
    /// The arm whose effect the score predicts; needed where there is more than one beside the control.
    #[arg(long)]
    pub arm: Option<String>,
    /// Column of the outcome.
    #[arg(long)]
    pub outcome: String,
    /// Column of the known probability of the treatment, where it was not the same for everybody.
    #[arg(long)]
    pub propensity: Option<String>,
    /// Column of segments whose effects are wanted too.
    #[arg(long)]
    pub segment: Option<String>,
    /// The score is no effect in the unit of the outcome: leave calibration and losses out.
    #[arg(long)]
    pub rank_only: bool,
    /// Draws of persons for the bands.
    #[arg(long, default_value_t = 400)]
    pub draws: usize,
    /// Seed of the draws.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Confidence level.
    #[arg(long, default_value_t = 0.95)]
    pub level: f64,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// The rows of one arm and the control.
struct Judged {
    score: Vec<f64>,
    treated: Vec<bool>,
    outcome: Vec<f64>,
    propensity: Option<Vec<f64>>,
    /// Segment of each row, and names.
    segments: Option<(Vec<u32>, Vec<String>)>,
    found: Vec<Diagnostic>,
}

/// Everything that is said of a score.
struct Said {
    evaluation: Evaluation,
    named: Value,
    qini: GainBand,
    sized: Option<(EffectCalibration, EffectLosses)>,
    segments: Option<EffectGroups>,
}

impl EvaluateArgs {
    /// Carries the command out.
    pub fn run(&self) -> Result<Answer, OneShotError> {
        let level =
            Level::new(self.level).map_err(|e| OneShotError::finding(Diagnostic::error("TL045", e.to_string())))?;
        let mut judged = self.judged()?;
        let said = self.said(&judged, level)?;
        judged.found.extend(said.evaluation.diagnostics.iter().cloned());
        if let Some((calibration, _)) = &said.sized {
            judged.found.extend(calibration.diagnostics.iter().cloned());
        }
        if let Some(segments) = &said.segments {
            judged.found.extend(segments.diagnostics.iter().cloned());
        }
        answer(&said, &judged.found, level)
    }

    fn judged(&self) -> Result<Judged, OneShotError> {
        let mut others = vec![self.score.as_str()];
        others.extend(self.propensity.as_deref());
        others.extend(self.segment.as_deref());
        let asked = (self.treatment.as_str(), self.control.as_deref());
        let rows = read((&self.file, &self.delimiter), asked, &self.outcome, &others)?;
        let arm = self.arm(&rows)?;
        let (score, propensity) =
            (rows.numbers(&self.score)?, self.propensity.as_ref().map(|name| rows.numbers(name)).transpose()?);
        let usable = |place: &usize| {
            let known = propensity.as_ref().is_none_or(|p| !p[*place].is_nan());
            matches!(rows.arm[*place], a if a == 0 || a == arm) && score[*place].is_finite() && known
        };
        let places: Vec<usize> = (0..rows.kept.len()).filter(usable).collect();
        let pick = |of: &[f64]| places.iter().map(|&p| of[p]).collect::<Vec<f64>>();
        let mut found = rows.found.clone();
        let of_arms = rows.arm.iter().filter(|a| **a == 0 || **a == arm).count();
        if of_arms > places.len() {
            let message = format!("{} rows have no score or no propensity and are left out", of_arms - places.len());
            found.push(Diagnostic::warning("TL034", message));
        }
        let segments = self.segment.as_ref().map(|name| rows.groups(name, &places)).transpose()?;
        Ok(Judged {
            score: pick(&score),
            treated: places.iter().map(|&p| rows.arm[p] == arm).collect(),
            outcome: pick(&rows.outcome),
            propensity: propensity.map(|p| pick(&p)),
            segments,
            found,
        })
    }

    fn arm(&self, rows: &Rows) -> Result<u32, OneShotError> {
        let known = rows.arms[1..].join(", ");
        let refuse =
            |message: String, help: &str| Err(OneShotError::finding(Diagnostic::error("TL065", message).help(help)));
        let place = match &self.arm {
            Some(name) => rows.arms.iter().skip(1).position(|a| a == name),
            None if rows.arms.len() == 2 => Some(0),
            None => return refuse(format!("which arm does the score predict? (known: {known})"), "say so with --arm"),
        };
        match place.and_then(|p| u32::try_from(p + 1).ok()) {
            Some(arm) => Ok(arm),
            None => refuse(
                format!("no row of `{}` is in the arm asked for (known: {known})", self.treatment),
                "name an arm",
            ),
        }
    }

    fn said(&self, judged: &Judged, level: Level) -> Result<Said, OneShotError> {
        let scored = Scored::new(&judged.score, &judged.treated, &judged.outcome)?;
        let evaluation = evaluate(&scored, level)?;
        let observed = Observed { treated: &judged.treated, outcome: &judged.outcome };
        let scores = match &judged.propensity {
            Some(known) => {
                let (control, treated) = means(judged, known);
                let n = judged.outcome.len();
                EffectScores::doubly_robust(observed, Propensity::Known(known), &vec![control; n], &vec![treated; n])?
            }
            None => EffectScores::randomised(observed, None)?,
        };
        let bootstrap = PoissonBootstrap { draws: self.draws, seed: self.seed, persons: None };
        let bands = gain_bands(GainCurve::Qini(observed), &[&judged.score], &bootstrap)?;
        let qini = bands.into_iter().next().ok_or_else(|| {
            OneShotError::finding(Diagnostic::error("TL046", "there is no row to evaluate".to_owned()))
        })?;
        let sized = if self.rank_only {
            None
        } else {
            Some((calibrate_effects(&scores, &judged.score, level)?, effect_losses(&scores, &judged.score, level)?))
        };
        let segments = match &judged.segments {
            Some((codes, names)) => Some(effects_by_segment(&scores, &judged.score, codes, names, level)?),
            None => None,
        };
        Ok(Said { named: named(&scored, &evaluation), evaluation, qini, sized, segments })
    }
}

/// Means of both arms, each row weighing as many as it stands for: constant outcome regressions.
fn means(judged: &Judged, propensity: &[f64]) -> (f64, f64) {
    let mean = |arm: bool| {
        let rows = judged.treated.iter().zip(&judged.outcome).zip(propensity).filter(|((t, _), _)| **t == arm);
        let weighed = rows.map(|((_, y), e)| (y, 1.0 / (if arm { *e } else { 1.0 - *e }).max(0.01)));
        let (sum, weight) = weighed.fold((0.0, 0.0), |(s, w), (y, weight)| (s + y * weight, w + weight));
        if weight > 0.0 { sum / weight } else { 0.0 }
    };
    (mean(false), mean(true))
}

/// The scores of other tools, each under its own name.
fn named(scored: &Scored, evaluation: &Evaluation) -> Value {
    let s = &evaluation.scores;
    let by_group = uplift_by_percentile(scored, 10, PercentileStrategy::ByGroup);
    let overall = uplift_by_percentile(scored, 10, PercentileStrategy::Overall);
    let at = |share, strategy| uplift_at(scored, share, strategy);
    let causalml = causalml_scores(scored);
    json!({
        "qini_area": s.qini_area,
        "uplift_area": s.uplift_area,
        "scikit_uplift": {
            "qini_auc": s.qini_auc,
            "qini_auc_no_negative": s.qini_auc_no_negative,
            "uplift_auc": s.uplift_auc,
            "uplift_at_30_overall": at(0.3, PercentileStrategy::Overall),
            "uplift_at_30_by_group": at(0.3, PercentileStrategy::ByGroup),
            "weighted_average_uplift_overall": weighted_average_uplift(&overall),
            "weighted_average_uplift_by_group": weighted_average_uplift(&by_group),
        },
        "causalml": causalml.map(|c| json!({
            "auuc": c.auuc,
            "auuc_normalised": c.auuc_normalised,
            "qini": c.qini,
            "qini_normalised": c.qini_normalised,
        })),
    })
}

fn words(verdict: RankingVerdict) -> (&'static str, &'static str) {
    match verdict {
        RankingVerdict::BetterThanRandom => ("better_than_random", "better than a random ranking"),
        RankingVerdict::InsideNoise => ("inside_noise", "inside the noise"),
        RankingVerdict::WorseThanRandom => ("worse_than_random", "worse than a random ranking"),
    }
}

fn optional(estimate: Option<&Estimate>) -> Value {
    estimate.map_or(Value::Null, estimate_json)
}

/// An evaluation for programs.
pub(super) fn evaluation_json(found: &Evaluation) -> Value {
    let tenths: Vec<Value> = found
        .tenths
        .iter()
        .map(|t| {
            json!({
                "tenth": t.tenth,
                "score": [t.lowest_score, t.highest_score],
                "mean_score": t.mean_score,
                "treated": t.treated,
                "control": t.control,
                "effect": optional(t.effect.as_ref()),
            })
        })
        .collect();
    json!({
        "n": found.n,
        "estimate": optional(found.overall.as_ref()),
        "verdict": words(found.verdict).0,
        "autoc": optional(found.autoc.as_ref()),
        "rate_qini": optional(found.rate_qini.as_ref()),
        "top_less_bottom": optional(found.top_less_bottom.as_ref()),
        "tenths": tenths,
    })
}

/// The same for people.
pub(super) fn evaluation_text(found: &Evaluation) -> String {
    let shown = |e: Option<&Estimate>| e.map_or_else(|| "–".to_owned(), |e| number(e.value));
    let ends = |e: Option<&Estimate>| e.map_or_else(|| "no interval".to_owned(), |e| interval(e.interval()));
    let line = |name: &str, e: Option<&Estimate>| vec![name.to_owned(), shown(e), ends(e)];
    let mut rows = vec![
        line("effect of all", found.overall.as_ref()),
        line("better half less worse half", found.top_less_bottom.as_ref()),
        line("AUTOC", found.autoc.as_ref()),
        line("Qini (RATE)", found.rate_qini.as_ref()),
    ];
    for tenth in &found.tenths {
        let name = format!("tenth {} (promised {})", tenth.tenth, number(tenth.mean_score));
        rows.push(line(&name, tenth.effect.as_ref()));
    }
    let mut text = table(&["", "value", "interval"], &[1], &rows);
    text.push_str(&format!("\nThe ranking is {}.", words(found.verdict).1));
    text
}

fn answer(said: &Said, found: &[Diagnostic], level: Level) -> Result<Answer, OneShotError> {
    let area = said.qini.area(level)?;
    let mut json = evaluation_json(&said.evaluation);
    json["scores"] = said.named.clone();
    json["qini"] = json!({
        "area": estimate_json(&area),
        "shares": said.qini.shares,
        "gain": said.qini.gain,
        "inner": said.qini.inner,
        "outer": said.qini.outer,
    });
    let mut text = evaluation_text(&said.evaluation);
    let mut rows = vec![vec!["Qini area per person²".to_owned(), number(area.value), interval(area.interval())]];
    if let Some((calibration, losses)) = &said.sized {
        json["calibration"] = json!({
            "slope": optional(calibration.slope.as_ref()),
            "slope_gap": optional(calibration.slope_gap.as_ref()),
            "intercept": optional(calibration.intercept.as_ref()),
            "average_gap": estimate_json(&calibration.average_gap),
        });
        json["losses"] = json!({
            "transformed_outcome": estimate_json(&losses.transformed_outcome),
            "doubly_robust": estimate_json(&losses.doubly_robust),
        });
        if let Some(slope) = &calibration.slope {
            rows.push(vec![
                "calibration slope (1 is right)".to_owned(),
                number(slope.value),
                interval(slope.interval()),
            ]);
        }
        let gap = &calibration.average_gap;
        rows.push(vec!["effect less promised effect".to_owned(), number(gap.value), interval(gap.interval())]);
        let loss = &losses.doubly_robust;
        rows.push(vec!["doubly robust loss".to_owned(), number(loss.value), interval(loss.interval())]);
    }
    if let Some(segments) = &said.segments {
        segments_told(segments, &mut json, &mut rows);
    }
    text.push_str(&format!("\n\n{}", table(&["", "value", "interval"], &[1], &rows)));
    let scores = [("scikit_uplift", "scikit-uplift"), ("causalml", "CausalML")].iter().flat_map(|(key, tool)| {
        let named = said.named[key].as_object().cloned().unwrap_or_default();
        named.into_iter().map(move |(name, value)| {
            vec![format!("{tool} {name}"), value.as_f64().map_or_else(|| "–".to_owned(), number)]
        })
    });
    text.push_str(&format!("\n\n{}", table(&["scores of other tools", "value"], &[1], &scores.collect::<Vec<_>>())));
    for diagnostic in found {
        text.push_str(&format!("\n{diagnostic}"));
    }
    json["diagnostics"] = json!(found);
    Ok(Answer { json, text })
}

/// Adds the effects of segments to an answer.
fn segments_told(segments: &EffectGroups, json: &mut Value, rows: &mut Vec<Vec<String>>) {
    let group = |g: &EffectGroup| {
        json!({
            "segment": g.name,
            "treated": g.treated,
            "control": g.control,
            "promised": g.predicted,
            "effect": optional(g.effect.as_ref()),
            "gap": optional(g.gap.as_ref()),
        })
    };
    json["segments"] = segments.groups.iter().map(group).collect();
    json["segments_same_effect_p"] = json!(segments.same_effect_p);
    for g in &segments.groups {
        let (value, ends) = g
            .effect
            .as_ref()
            .map_or(("–".to_owned(), "no interval".to_owned()), |e| (number(e.value), interval(e.interval())));
        rows.push(vec![format!("effect in {}", g.name), value, ends]);
    }
}
