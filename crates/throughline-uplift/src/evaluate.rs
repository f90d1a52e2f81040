//! Is a ranking better than chance? Effects by tenth of the score, and the difference between its halves.

use throughline_core::{Diagnostic, Estimate, Level};
use throughline_stats::moments::Moments;
use throughline_stats::two_sample::Summary;

use crate::UpliftError;
use crate::qini::{QiniScores, qini_scores};
use crate::ranking::{Row, Scored};

/// What the data say of a ranking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RankingVerdict {
    /// The better half has a larger effect; the interval of the difference excludes 0.
    BetterThanRandom,
    /// The interval of the difference includes 0, or there is no difference to compute: nobody should be chosen by it.
    InsideNoise,
    /// The better half has a smaller effect; the interval excludes 0.
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
    /// Whether the ranking is more than noise, from `top_less_bottom`.
    pub verdict: RankingVerdict,
    /// Qini and uplift scores.
    pub scores: QiniScores,
    /// What to know about the answer.
    pub diagnostics: Vec<Diagnostic>,
}

/// Evaluates a ranking by `scored` at a confidence level. Assumes that treatment was assigned at random; a ranking fitted
/// on the same rows looks better than it is.
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
    let verdict = verdict(top_less_bottom.as_ref());
    let mut diagnostics = Vec::new();
    if verdict == RankingVerdict::InsideNoise {
        diagnostics.push(
            Diagnostic::warning(
                "TL709",
                "the ranking is inside the noise: its better half does not differ from its worse",
            )
            .help("treat by average effect, or collect more randomised data before targeting by this score"),
        );
    }
    Ok(Evaluation {
        n: scored.n() as u64,
        overall: Effect::of(&scored.rows).estimate(level)?,
        tenths,
        top_less_bottom,
        verdict,
        scores: qini_scores(scored),
        diagnostics,
    })
}

fn verdict(difference: Option<&Estimate>) -> RankingVerdict {
    match difference {
        Some(d) if d.set.contains(0.0) => RankingVerdict::InsideNoise,
        Some(d) if d.value > 0.0 => RankingVerdict::BetterThanRandom,
        Some(_) => RankingVerdict::WorseThanRandom,
        None => RankingVerdict::InsideNoise,
    }
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
