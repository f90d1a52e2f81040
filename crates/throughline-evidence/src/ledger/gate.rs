//! What evidence may decide: tier × health × scope, never one of them alone.

use serde::{Deserialize, Serialize};
use throughline_core::{EvidenceTier, Timestamp};

use super::{Kept, Standing};

/// What a decision asks of evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The action.
    pub action: String,
    /// The metric, or any.
    pub metric: Option<String>,
    /// The segment the decision is about; everybody without.
    pub segment: Option<String>,
    /// The region the decision is about; everywhere without.
    pub geo: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// Which effect evidence must show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WantedEffect {
    /// Any, also none.
    #[default]
    Any,
    /// The whole confidence set lies above 0.
    Positive,
    /// The confidence set does not lie wholly below 0: no harm is shown.
    NotNegative,
}

/// The bar evidence must pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Requirement {
    /// The least tier, 0 to 3.
    pub tier: u8,
    /// The effect it must show.
    pub effect: WantedEffect,
}

/// Why a record does not decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It is about another action, metric, segment or region.
    WrongScope,
    /// It does not stand.
    NotStanding(Standing),
    /// Its tier is below what is required.
    TierTooLow,
    /// Its set does not show the effect that is required.
    EffectNotShown,
    /// Another record that passes is of a higher tier, closer to the question, or later.
    Outranked,
}

/// What the ledger says to a question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether evidence passes the bar. When it does not, the decision holds: inconclusive means hold.
    pub passes: bool,
    /// The record that answers: the best one in scope that stands, whether it passes or not.
    pub best: Option<String>,
    /// The tier of that record; 0 without one.
    pub tier: EvidenceTier,
    /// Every other record about the action, with the reason why it does not decide.
    pub others: Vec<(String, Reason)>,
    /// The reason in words.
    pub words: String,
}

/// How well a scope fits: both parts equal, or evidence about everybody for a part of them. Evidence about a part says
/// nothing about everybody or about another part.
fn fit(of: Option<&String>, asked: Option<&String>) -> Option<u8> {
    match (of, asked) {
        (None, None) => Some(2),
        (Some(a), Some(b)) if a == b => Some(2),
        (None, Some(_)) => Some(1),
        _ => None,
    }
}

/// Weighs the ledger's records for a question. Among those in scope that stand, the order is: tier, closeness of scope
/// (the same segment and region before everybody and everywhere), end of the period, id. A record that is suspect, retired,
/// expired, superseded or unapproved never outranks one that stands, whatever its tier.
pub fn weigh(all: &[Kept], question: &Question, requirement: Requirement) -> Verdict {
    let mut others: Vec<(String, Reason)> = Vec::new();
    let mut standing = Vec::new();
    for kept in all.iter().filter(|k| k.record.scope.action == question.action) {
        let record = &kept.record;
        let metric = question.metric.as_ref().is_none_or(|m| *m == record.estimand.metric);
        let segment = fit(record.scope.segment.as_ref(), question.segment.as_ref());
        let geo = fit(record.scope.geo.as_ref(), question.geo.as_ref());
        let (true, Some(segment), Some(geo)) = (metric, segment, geo) else {
            others.push((record.id.clone(), Reason::WrongScope));
            continue;
        };
        match kept.standing(all, question.at) {
            Standing::Standing => standing.push((record.tier, segment + geo, record.scope.period_end, kept)),
            other => others.push((record.id.clone(), Reason::NotStanding(other))),
        }
    }
    standing.sort_by(|a, b| (b.0, b.1, b.2, &b.3.record.id).cmp(&(a.0, a.1, a.2, &a.3.record.id)));
    let mut verdict = Verdict {
        passes: false,
        best: None,
        tier: EvidenceTier::Associational,
        others,
        words: format!("no evidence about `{}` stands", question.action),
    };
    for (tier, _, _, kept) in standing {
        let short = short_of(kept, requirement);
        if verdict.best.is_some() {
            verdict.others.push((kept.record.id.clone(), short.unwrap_or(Reason::Outranked)));
            continue;
        }
        verdict.best = Some(kept.record.id.clone());
        verdict.tier = tier;
        verdict.passes = short.is_none();
        verdict.words = words(kept, tier, short, requirement);
    }
    if requirement == Requirement::default() && !verdict.passes {
        verdict.passes = true;
        verdict.words = format!("nothing is required; {}", verdict.words);
    }
    verdict
}

fn short_of(kept: &Kept, requirement: Requirement) -> Option<Reason> {
    if kept.record.tier.number() < requirement.tier {
        return Some(Reason::TierTooLow);
    }
    let set = &kept.record.estimate.set;
    let (lo, hi) = set.hull();
    let shown = match requirement.effect {
        WantedEffect::Any => true,
        WantedEffect::Positive => !set.0.is_empty() && lo > 0.0,
        WantedEffect::NotNegative => set.0.is_empty() || hi >= 0.0,
    };
    (!shown).then_some(Reason::EffectNotShown)
}

fn words(kept: &Kept, tier: EvidenceTier, short: Option<Reason>, requirement: Requirement) -> String {
    let (id, tier) = (&kept.record.id, tier.number());
    let (lo, hi) = kept.record.estimate.interval();
    match short {
        None => format!("`{id}` of tier {tier} shows {lo:.4} to {hi:.4}"),
        Some(Reason::TierTooLow) => format!("`{id}` is of tier {tier}, tier {} is required", requirement.tier),
        Some(_) => format!("`{id}` shows {lo:.4} to {hi:.4}, which does not show the required effect: hold"),
    }
}
