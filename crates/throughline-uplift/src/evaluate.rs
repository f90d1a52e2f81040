//! Is a ranking better than chance? Effects by tenth of the score, the difference between its halves, and its
//! rank-weighted average effects.

use throughline_core::{Diagnostic, Estimate, Level};
use throughline_stats::moments::Moments;
use throughline_stats::two_sample::Summary;

use crate::UpliftError;
use crate::evaluation::{EffectScores, Observed, RateTarget, rate};
use crate::qini::{QiniScores, qini_scores};
use crate::ranking::{Row, Scored};

/// What the data say of a ranking, by two intervals: that of the difference between its halves, which sees effects spread
/// over many, and that of AUTOC, which sees effects concentrated in few.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RankingVerdict {
    /// Both intervals lie above 0.
    BetterThanRandom,
    /// An interval includes 0 or does not exist, or they contradict each other: nobody should be chosen by the ranking.
    InsideNoise,
    /// Both intervals lie below 0.
    WorseThanRandom,
}

/// The effect in one part of the ranking.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupEffect {
    /// Tenth of the ranking, 1 for the best. Tied rows stay in one tenth, so that some may be absent.
    pub tenth: usize,
    /// Lowest score in it.
    pub lowest_score: f64,
    /// Highest score in it.
    pub highest_score: f64,
    /// Mean score in it: the effect the model promised.
    pub mean_score: f64,
    /// Treated rows.
    pub treated: u64,
    /// Control rows.
    pub control: u64,
    /// Treated mean less control mean, with Welch's interval; `None` where an arm has fewer than 2 rows or no row
    /// differs from another.
    pub effect: Option<Estimate>,
}

/// An evaluation of scores against a randomised outcome.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Rows.
    pub n: u64,
    /// Effect over all rows.
    pub overall: Option<Estimate>,
    /// Effects by tenth, best first.
    pub tenths: Vec<GroupEffect>,
    /// Effect in the better half less that in the worse half; `None` where a half has no effect or all scores tie.
    pub top_less_bottom: Option<Estimate>,
    /// Mean of TOC(q) over all shares q, from scores by difference in means; `None` without one of the arms.
    pub autoc: Option<Estimate>,
    /// Mean of q · TOC(q), likewise.
    pub rate_qini: Option<Estimate>,
    /// Whether the ranking is more than noise, from `top_less_bottom` and `autoc`.
    pub verdict: RankingVerdict,
    /// Qini and uplift scores.
    pub scores: QiniScores,
    /// What to know about the answer.
    pub diagnostics: Vec<Diagnostic>,
}

/// Evaluates a ranking by `scored` at a confidence level. Assumes that treatment was assigned at random; a ranking fitted
/// on the same rows looks better than it is. A ranking without any value is called better (or worse) in at most half of
/// 1 − level of all cases, because both intervals must say so.
pub fn evaluate(scored: &Scored, level: Level) -> Result<Evaluation, UpliftError> {
    let mut tenths = Vec::with_capacity(10);
    for (part, range) in scored.parts(10) {
        tenths.push(group(part + 1, &scored.rows[range], level)?);
    }
    let halves = scored.parts(2);
    let top_less_bottom = match halves.as_slice() {
        [(_, top), (_, bottom)] => between(&scored.rows[top.clone()], &scored.rows[bottom.clone()], level)?,
        _ => None,
    };
    let (autoc, rate_qini) =
        (rank_weighted(scored, RateTarget::Autoc, level)?, rank_weighted(scored, RateTarget::Qini, level)?);
    let (verdict, diagnostic) = verdict(top_less_bottom.as_ref(), autoc.as_ref());
    Ok(Evaluation {
        n: scored.n() as u64,
        overall: Effect::of(&scored.rows).estimate(level)?,
        tenths,
        top_less_bottom,
        autoc,
        rate_qini,
        verdict,
        scores: qini_scores(scored),
        diagnostics: diagnostic.into_iter().collect(),
    })
}

/// −1, 0 or 1: the side of 0 on which an interval lies, 0 where it holds 0 or is absent.
fn side(estimate: Option<&Estimate>) -> i8 {
    match estimate {
        Some(e) if !e.set.contains(0.0) => {
            if e.value > 0.0 {
                1
            } else {
                -1
            }
        }
        _ => 0,
    }
}

fn verdict(halves: Option<&Estimate>, autoc: Option<&Estimate>) -> (RankingVerdict, Option<Diagnostic>) {
    let why = match (side(halves), side(autoc)) {
        (1, 1) => return (RankingVerdict::BetterThanRandom, None),
        (-1, -1) => return (RankingVerdict::WorseThanRandom, None),
        (0, 0) => "its better half does not differ from its worse, and its first people not from all",
        (0, _) => "its first people differ from all, but its better half does not differ from its worse",
        (_, 0) => "its better half differs from its worse, but its first people do not differ from all",
        _ => "its halves and its first people contradict each other",
    };
    let found = Diagnostic::warning("TL709", format!("the ranking is inside the noise: {why}"))
        .help("treat by average effect, or collect more randomised data before targeting by this score");
    (RankingVerdict::InsideNoise, Some(found))
}

/// The rank-weighted average effect of the scores; `None` without treated or without control rows.
fn rank_weighted(scored: &Scored, target: RateTarget, level: Level) -> Result<Option<Estimate>, UpliftError> {
    let treated: Vec<bool> = scored.rows.iter().map(|r| r.treated).collect();
    if treated.iter().all(|t| *t) || !treated.iter().any(|t| *t) {
        return Ok(None);
    }
    let outcome: Vec<f64> = scored.rows.iter().map(|r| r.outcome).collect();
    let priority: Vec<f64> = scored.rows.iter().map(|r| r.score).collect();
    let scores = EffectScores::randomised(Observed { treated: &treated, outcome: &outcome }, None)?;
    Ok(Some(rate(&scores, &priority, target, level)?.estimate))
}

fn group(tenth: usize, rows: &[Row], level: Level) -> Result<GroupEffect, UpliftError> {
    let effect = Effect::of(rows);
    Ok(GroupEffect {
        tenth,
        lowest_score: rows.last().map_or(0.0, |r| r.score),
        highest_score: rows.first().map_or(0.0, |r| r.score),
        mean_score: rows.iter().map(|r| r.score).sum::<f64>() / rows.len().max(1) as f64,
        treated: effect.treated.n,
        control: effect.control.n,
        effect: effect.estimate(level)?,
    })
}

/// Both arms of a group.
#[derive(Debug, Clone, Copy)]
struct Effect {
    treated: Summary,
    control: Summary,
}

impl Effect {
    fn of(rows: &[Row]) -> Self {
        let arm = |treated: bool| {
            let outcomes: Moments = rows.iter().filter(|r| r.treated == treated).map(|r| r.outcome).collect();
            outcomes.summary()
        };
        Self { treated: arm(true), control: arm(false) }
    }

    fn value(&self) -> f64 {
        self.treated.mean - self.control.mean
    }

    fn estimate(&self, level: Level) -> Result<Option<Estimate>, UpliftError> {
        welch(self.value(), &[self.treated, self.control], level)
    }
}

fn between(top: &[Row], bottom: &[Row], level: Level) -> Result<Option<Estimate>, UpliftError> {
    let (top, bottom) = (Effect::of(top), Effect::of(bottom));
    welch(top.value() - bottom.value(), &[top.treated, top.control, bottom.treated, bottom.control], level)
}

/// A contrast of independent means, two or four: squared errors add up, degrees of freedom by Welch and Satterthwaite.
fn welch(value: f64, arms: &[Summary], level: Level) -> Result<Option<Estimate>, UpliftError> {
    let squared = |a: &Summary| a.variance / a.n as f64;
    let error: f64 = arms.iter().map(squared).sum();
    if arms.iter().any(|a| a.n < 2) || error <= 0.0 {
        return Ok(None);
    }
    // Shares of the whole, so that small variances cannot vanish when squared.
    let spread: f64 = arms.iter().map(|a| (squared(a) / error).powi(2) / (a.n - 1) as f64).sum();
    let n = arms.iter().map(|a| a.n).sum();
    let estimate = Estimate::wald(value, error.sqrt(), Some(1.0 / spread), n, level, "welch")?;
    Ok(Some(estimate.assuming("treatment was assigned at random")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_needs_both_intervals() {
        #[track_caller]
        fn check(halves: Option<f64>, autoc: Option<f64>, expect: RankingVerdict, words: &str) {
            let of = |value: f64| Estimate::wald(value, 1.0, None, 9, Level::P95, "test").expect("finite");
            let (found, diagnostic) = verdict(halves.map(of).as_ref(), autoc.map(of).as_ref());
            assert_eq!(found, expect);
            let message = diagnostic.map_or_else(String::new, |d| d.message);
            assert!(message.contains(words) && message.is_empty() == words.is_empty(), "{message}");
        }
        use RankingVerdict::{BetterThanRandom, InsideNoise, WorseThanRandom};
        check(Some(3.0), Some(3.0), BetterThanRandom, "");
        check(Some(-3.0), Some(-3.0), WorseThanRandom, "");
        check(Some(0.1), Some(0.1), InsideNoise, "not from all");
        check(Some(0.1), Some(3.0), InsideNoise, "better half does not differ");
        check(Some(3.0), Some(0.1), InsideNoise, "first people do not differ");
        check(Some(3.0), Some(-3.0), InsideNoise, "contradict");
        check(None, None, InsideNoise, "not from all");
        check(Some(3.0), None, InsideNoise, "first people do not differ");
    }
}
