//! The review queue as a sample: pairs drawn with known probabilities, so that what people decide about them tells the
//! accuracy of all of them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use throughline_core::{SubjectToken, Timestamp};
use throughline_identity::{Decision, DrawnFrom};
use throughline_ledger::{AuditEntry, NewArtefact, Repository};
use throughline_stats::stream::Stream;
use throughline_stats::survey::inclusion_probabilities;

use super::{ReviewPair, all_pairs, weigh_stakes};
use crate::engine::Stores;
use crate::error::RunError;
use crate::project::Project;
use crate::stages::DECISION;

const KIND: &str = "match_draw";
const NAME: &str = "matches";
/// The floor of every probability, as a share of what equal probabilities would be.
const FLOOR: f64 = 0.1;
/// What a pair without money counts beside one with the average amount.
const WITHOUT_MONEY: f64 = 0.2;
/// The least uncertainty √(p (1 − p)) that a pair counts with.
const LEAST_UNCERTAIN: f64 = 0.05;

/// A drawn pair.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DrawnPair {
    /// One identifier's token.
    pub token: SubjectToken,
    /// The other's.
    pub other_token: SubjectToken,
    /// What had become of it.
    pub outcome: String,
    /// The probability that they are of one person.
    pub probability: f64,
    /// The weight of what the sources say, in bits.
    pub weight_bits: f64,
    /// The probability with which it was drawn.
    pub inclusion: f64,
}

/// A sample of the pairs that nobody had decided about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MatchDraw {
    /// Its number, from 1.
    pub draw: u32,
    /// The version of the table `matches`.
    pub matches_version: Option<u64>,
    /// The seed.
    pub seed: u64,
    /// The number of pairs that was wanted: the sum of the probabilities.
    pub expected: f64,
    /// The least probability.
    pub floor: f64,
    /// Pairs it was drawn from, by what had become of them.
    pub population: BTreeMap<String, u64>,
    /// The pairs.
    pub pairs: Vec<DrawnPair>,
    /// When.
    pub drawn_at: Timestamp,
}

/// Draws about `size` of the pairs that nobody decided about, each with probability in proportion to √(p (1 − p)) times the money
/// that would change hands, none below a tenth of what equal probabilities would be. The draw goes on record.
pub async fn draw_matches(
    project: &Project,
    stores: &Stores,
    size: u32,
    actor: &str,
    now: Timestamp,
) -> Result<MatchDraw, RunError> {
    let ledger = stores.ledger.as_ref();
    let decided: BTreeSet<(SubjectToken, SubjectToken)> =
        standing_decisions(ledger).await?.iter().map(|d| ordered(d.token, d.other_token)).collect();
    let mut pairs = all_pairs(stores, |pair| !decided.contains(&ordered(pair.token, pair.other_token))).await?;
    pairs.sort_by_key(|p| (p.token, p.other_token));
    weigh_stakes(stores, &mut pairs).await?;
    let draw = u32::try_from(draws(ledger).await?.len() + 1).unwrap_or(u32::MAX);
    let (seed, expected) = (project.config.value.seed, f64::from(size));
    let floor = (FLOOR * expected / pairs.len().max(1) as f64).min(1.0);
    let inclusion = inclusion_probabilities(&sizes(&pairs), floor, expected);
    let mut population: BTreeMap<String, u64> = BTreeMap::new();
    for pair in &pairs {
        *population.entry(pair.outcome.clone()).or_default() += 1;
    }
    let stream = Stream::new(seed, u64::from(draw));
    let drawn = pairs.iter().zip(&inclusion).filter(|(pair, inclusion)| stream.uniform_at(place(pair)) < **inclusion);
    let drawn = drawn.map(|(pair, inclusion)| DrawnPair {
        token: pair.token,
        other_token: pair.other_token,
        outcome: pair.outcome.clone(),
        probability: pair.probability,
        weight_bits: pair.weight_bits,
        inclusion: *inclusion,
    });
    let drawn = MatchDraw {
        draw,
        matches_version: ledger.manifest().await?.get("matches").copied(),
        seed,
        expected,
        floor,
        population,
        pairs: drawn.collect(),
        drawn_at: now,
    };
    let metadata = serde_json::to_value(&drawn)?;
    let content_hash = hex::encode(Sha256::digest(metadata.to_string()));
    let payload = serde_json::json!({ "draw": draw, "pairs": drawn.pairs.len(), "content_hash": content_hash });
    ledger.append_audit(AuditEntry { kind: KIND, actor, payload: &payload, at: now }).await?;
    ledger
        .register(NewArtefact { kind: KIND, name: NAME, content_hash: &content_hash, metadata: &metadata, now })
        .await?;
    Ok(drawn)
}

/// How much each pair asks to be looked at.
fn sizes(pairs: &[ReviewPair]) -> Vec<f64> {
    let average = pairs.iter().map(|p| p.value).sum::<f64>() / pairs.len().max(1) as f64;
    let money = |p: &ReviewPair| if average > 0.0 { WITHOUT_MONEY + p.value.max(0.0) / average } else { 1.0 };
    let uncertain = |p: &ReviewPair| (p.probability * (1.0 - p.probability)).max(0.0).sqrt().max(LEAST_UNCERTAIN);
    pairs.iter().map(|p| uncertain(p) * money(p)).collect()
}

/// Where a pair stands in the stream: the same whatever other pairs there are.
fn place(pair: &ReviewPair) -> u64 {
    let digest = Sha256::digest([pair.token.0, pair.other_token.0].concat());
    digest[..8].iter().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

fn ordered(a: SubjectToken, b: SubjectToken) -> (SubjectToken, SubjectToken) {
    (a.min(b), a.max(b))
}

/// Every draw, the oldest first.
pub async fn draws(ledger: &dyn Repository) -> Result<Vec<MatchDraw>, RunError> {
    let kept = ledger.artefacts(KIND).await?;
    kept.into_iter().map(|a| Ok(serde_json::from_value(a.metadata)?)).collect()
}

/// What people decided about pairs, the oldest first.
pub(crate) async fn decisions(ledger: &dyn Repository) -> Result<Vec<Decision>, RunError> {
    let mut kept = ledger.artefacts(DECISION).await?;
    kept.sort_by_key(|a| (a.created_at, a.version));
    kept.into_iter().map(|a| Ok(serde_json::from_value(a.metadata)?)).collect()
}

/// The decisions that stand: the last about each pair, where it was not taken back.
pub(crate) async fn standing_decisions(ledger: &dyn Repository) -> Result<Vec<Decision>, RunError> {
    Ok(standing(decisions(ledger).await?))
}

pub(crate) fn standing(decisions: Vec<Decision>) -> Vec<Decision> {
    let mut last: BTreeMap<(SubjectToken, SubjectToken), Decision> = BTreeMap::new();
    for decision in decisions {
        last.insert(ordered(decision.token, decision.other_token), decision);
    }
    last.into_values().filter(|d| d.same.is_some()).collect()
}

/// How the latest draw had a pair.
pub(super) async fn drawn_from(
    ledger: &dyn Repository,
    pair: (SubjectToken, SubjectToken),
) -> Result<Option<DrawnFrom>, RunError> {
    let Some(latest) = draws(ledger).await?.pop() else { return Ok(None) };
    let wanted = ordered(pair.0, pair.1);
    let found = latest.pairs.iter().find(|p| ordered(p.token, p.other_token) == wanted);
    Ok(found.map(|p| DrawnFrom {
        draw: latest.draw,
        inclusion: p.inclusion,
        probability: p.probability,
        weight_bits: p.weight_bits,
        linked: p.outcome == "linked",
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(i: u8, probability: f64, value: f64) -> ReviewPair {
        ReviewPair {
            token: SubjectToken([i; 16]),
            other_token: SubjectToken([200; 16]),
            sources: [String::new(), String::new()],
            probability,
            weight_bits: 0.0,
            margin_bits: None,
            levels: serde_json::Value::Null,
            weights: serde_json::Value::Null,
            outcome: "review".into(),
            reason: String::new(),
            purchases: 0,
            value,
            inclusion: None,
            decided: None,
            said: None,
        }
    }

    #[test]
    fn money_and_doubt_ask_to_be_looked_at() {
        let of = sizes(&[pair(1, 0.5, 100.0), pair(2, 0.5, 0.0), pair(3, 0.999_999, 100.0), pair(4, 0.0, 0.0)]);
        assert!(of[0] > of[1] && of[0] > of[2] && of[3] > 0.0, "{of:?}");
        let without = sizes(&[pair(1, 0.5, 0.0), pair(2, 0.9, 0.0)]);
        assert!((without[0] - 0.5).abs() < 1e-12 && (without[1] - 0.3).abs() < 1e-12, "{without:?}");
        // Who stands where in the stream hangs on the pair alone.
        assert_ne!(place(&pair(1, 0.5, 0.0)), place(&pair(2, 0.5, 0.0)));
    }
}
