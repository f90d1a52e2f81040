//! Pairs of profiles that a person should look at, and what people decide about them.

mod accuracy;
mod calibration;
mod draw;
mod logins;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use throughline_core::{PersonId, Purpose, SubjectToken, Timestamp};
use throughline_identity::Decision;
use throughline_lake::tables;
use throughline_ledger::{AuditEntry, NewArtefact};

use crate::engine::Stores;
use crate::error::RunError;
use crate::explain::{each_row, person_tokens};
use crate::stages::DECISION;

pub use accuracy::{Accuracy, Sampled, match_accuracy};
pub(crate) use calibration::calibration;
pub use calibration::{Bin, Fitted, Reliability};
pub use draw::{DrawnPair, MatchDraw, draw_matches, draws};
pub(crate) use draw::{decisions, standing, standing_decisions};
pub use logins::Logins;

/// A pair of profiles, with what hangs on it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReviewPair {
    /// One identifier's token.
    pub token: SubjectToken,
    /// The other's.
    pub other_token: SubjectToken,
    /// The sources that say so.
    pub sources: [String; 2],
    /// The probability that they are of one person.
    pub probability: f64,
    /// The weight of what they say, in bits.
    pub weight_bits: f64,
    /// By how many bits it outweighs the next best of either with somebody else.
    pub margin_bits: Option<f64>,
    /// Column → level: 0 missing, 1 different, 5 equal.
    pub levels: Value,
    /// Column → what it adds to the weight, in bits, without what rare values add.
    pub weights: Value,
    /// `linked`, `review` or `apart`.
    pub outcome: String,
    /// Why.
    pub reason: String,
    /// Purchases that would change hands: those of the person who has fewer.
    pub purchases: u64,
    /// Their value, in units of the project's currency.
    pub value: f64,
    /// The probability with which the latest draw had it.
    pub inclusion: Option<f64>,
    /// What somebody decided about it: whether the two are of one person.
    pub decided: Option<bool>,
    /// What the sources say, column by column; only where it was asked for.
    pub said: Option<[Value; 2]>,
}

/// Which pairs are wanted.
#[derive(Debug, Clone, Copy)]
pub struct ReviewQuery<'a> {
    /// One of [`OUTCOMES`]: `queue` are the pairs of the latest draw that nobody decided about yet.
    pub outcome: &'a str,
    /// Pairs at most.
    pub limit: usize,
    /// Who opens what the sources say; it stays sealed for nobody.
    pub open_for: Option<&'a str>,
}

/// Every outcome that can be asked for.
pub const OUTCOMES: [&str; 5] = ["queue", "decided", "review", "linked", "apart"];

/// The pairs asked for, those first that carry the most uncertain money: `p (1 − p)` times the value that would change hands,
/// then by how uncertain they are.
pub async fn review_queue(
    stores: &Stores,
    query: ReviewQuery<'_>,
    now: Timestamp,
) -> Result<Vec<ReviewPair>, RunError> {
    let ledger = stores.ledger.as_ref();
    let latest = draws(ledger).await?.pop();
    let drawn: BTreeMap<(SubjectToken, SubjectToken), f64> =
        latest.into_iter().flat_map(|d| d.pairs).map(|p| ((p.token, p.other_token), p.inclusion)).collect();
    let decided: BTreeMap<(SubjectToken, SubjectToken), bool> = standing_decisions(ledger)
        .await?
        .into_iter()
        .filter_map(|d| Some(((d.token.min(d.other_token), d.token.max(d.other_token)), d.same?)))
        .collect();
    let of = |pair: &ReviewPair| {
        let ends = (pair.token.min(pair.other_token), pair.token.max(pair.other_token));
        (drawn.get(&(pair.token, pair.other_token)).copied(), decided.get(&ends).copied())
    };
    let wanted = |pair: &ReviewPair| match query.outcome {
        "queue" => matches!(of(pair), (Some(_), None)),
        "decided" => of(pair).1.is_some(),
        outcome => pair.outcome == outcome,
    };
    let mut pairs = all_pairs(stores, wanted).await?;
    for pair in &mut pairs {
        (pair.inclusion, pair.decided) = of(pair);
    }
    weigh_stakes(stores, &mut pairs).await?;
    let uncertain = |p: &ReviewPair| p.probability * (1.0 - p.probability);
    pairs.sort_by(|x, y| {
        let money = |p: &ReviewPair| uncertain(p) * p.value;
        let by_token = (x.token, x.other_token).cmp(&(y.token, y.other_token));
        money(y).total_cmp(&money(x)).then(uncertain(y).total_cmp(&uncertain(x))).then(by_token)
    });
    pairs.truncate(query.limit);
    if let Some(actor) = query.open_for {
        open(stores, &mut pairs, actor, now).await?;
    }
    Ok(pairs)
}

/// One pair with what its records say; the opening is on record.
pub async fn open_match(
    stores: &Stores,
    wanted: (SubjectToken, SubjectToken),
    actor: &str,
    now: Timestamp,
) -> Result<ReviewPair, RunError> {
    let mut pairs = all_pairs(stores, |pair| (pair.token, pair.other_token) == wanted).await?;
    pairs.truncate(1);
    weigh_stakes(stores, &mut pairs).await?;
    if !pairs.is_empty() {
        open(stores, &mut pairs, actor, now).await?;
    }
    pairs.pop().ok_or_else(|| RunError::NotFound {
        what: "pair",
        name: format!("{}~{}", wanted.0, wanted.1),
        help: "take token and other_token of a pair of the table matches".into(),
    })
}

/// The pairs of the table that a test keeps, in its order.
async fn all_pairs(stores: &Stores, keep: impl Fn(&ReviewPair) -> bool) -> Result<Vec<ReviewPair>, RunError> {
    let columns = [
        "token",
        "other_token",
        "source",
        "other_source",
        "probability",
        "weight_bits",
        "margin_bits",
        "levels",
        "outcome",
        "reason",
        "weights",
    ];
    let mut pairs = Vec::new();
    each_row(stores, &tables::matches(), &columns, |row| pairs.extend(pair_of(row).filter(&keep))).await?;
    Ok(pairs)
}

fn pair_of(row: &Map<String, Value>) -> Option<ReviewPair> {
    let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let number = |name: &str| row.get(name).and_then(Value::as_f64);
    Some(ReviewPair {
        token: text("token").parse().ok()?,
        other_token: text("other_token").parse().ok()?,
        sources: [text("source"), text("other_source")],
        probability: number("probability")?,
        weight_bits: number("weight_bits")?,
        margin_bits: number("margin_bits"),
        levels: serde_json::from_str(&text("levels")).unwrap_or_default(),
        weights: serde_json::from_str(&text("weights")).unwrap_or_default(),
        outcome: text("outcome"),
        reason: text("reason"),
        purchases: 0,
        value: 0.0,
        inclusion: None,
        decided: None,
        said: None,
    })
}

/// Finds what would change hands with each pair.
async fn weigh_stakes(stores: &Stores, pairs: &mut [ReviewPair]) -> Result<(), RunError> {
    let mut persons: HashMap<String, String> = HashMap::new();
    let wanted: BTreeSet<String> =
        pairs.iter().flat_map(|p| [p.token.to_string(), p.other_token.to_string()]).collect();
    each_row(stores, &tables::persons(), &["token", "person_id"], |row| {
        if let (Some(token), Some(person)) = (row["token"].as_str(), row["person_id"].as_str())
            && wanted.contains(token)
        {
            persons.insert(token.to_owned(), person.to_owned());
        }
    })
    .await?;
    let mut stakes: HashMap<String, (u64, f64)> = persons.values().map(|p| (p.clone(), (0, 0.0))).collect();
    each_row(stores, &tables::timeline(), &["person_id", "kind", "value_micros"], |row| {
        if row["kind"] == "purchase"
            && let Some(stake) = row["person_id"].as_str().and_then(|p| stakes.get_mut(p))
        {
            stake.0 += 1;
            stake.1 += row.get("value").and_then(Value::as_f64).unwrap_or_default();
        }
    })
    .await?;
    for pair in pairs {
        let of = |token: SubjectToken| persons.get(&token.to_string()).and_then(|p| stakes.get(p)).copied();
        let (a, b) = (of(pair.token).unwrap_or_default(), of(pair.other_token).unwrap_or_default());
        (pair.purchases, pair.value) = (a.0.min(b.0), a.1.min(b.1));
    }
    Ok(())
}

/// Opens what the sources say about the pairs; the opening is on record.
async fn open(stores: &Stores, pairs: &mut [ReviewPair], actor: &str, now: Timestamp) -> Result<(), RunError> {
    let wanted: BTreeSet<(String, String)> = pairs
        .iter()
        .flat_map(|p| [(p.sources[0].clone(), p.token.to_string()), (p.sources[1].clone(), p.other_token.to_string())])
        .collect();
    // Source and holder → time and seal of what was said last.
    let mut said: BTreeMap<(String, String), (String, String)> = BTreeMap::new();
    each_row(stores, &tables::profiles(), &["source", "token", "profile_token", "occurred_at"], |row| {
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let holder = (text("source"), text("token"));
        if wanted.contains(&holder) {
            let next = (text("occurred_at"), text("profile_token"));
            let entry = said.entry(holder).or_insert_with(|| next.clone());
            *entry = next.max(entry.clone());
        }
    })
    .await?;
    let tokens: Vec<SubjectToken> = said.values().filter_map(|(_, token)| token.parse().ok()).collect();
    let revealed = stores.vault.reveal(&tokens, Purpose::Linking, actor, now).await?;
    let payload = serde_json::to_value(&revealed.opening)?;
    stores.ledger.append_audit(AuditEntry { kind: "vault_opened", actor, payload: &payload, at: now }).await?;
    let texts: BTreeMap<&(String, String), Value> = said
        .keys()
        .zip(&revealed.values)
        .map(|(holder, value)| {
            let text = value.as_ref().map_or("", |v| v.expose());
            (holder, serde_json::from_str(text).unwrap_or_default())
        })
        .collect();
    for pair in pairs {
        let of = |place: usize, token: SubjectToken| {
            texts.get(&(pair.sources[place].clone(), token.to_string())).cloned().unwrap_or_default()
        };
        pair.said = Some([of(0, pair.token), of(1, pair.other_token)]);
    }
    Ok(())
}

/// Why identifiers are of one person: the observed links and the matched profiles that a person rests on.
pub async fn person_links(stores: &Stores, person: PersonId) -> Result<Value, RunError> {
    let tokens: BTreeSet<String> = person_tokens(stores, person).await?.iter().map(ToString::to_string).collect();
    let ours = |row: &Map<String, Value>| {
        ["token", "other_token"].iter().any(|name| row[*name].as_str().is_some_and(|token| tokens.contains(token)))
    };
    let mut found = [Vec::new(), Vec::new()];
    let link = ["token", "other_token", "method", "source", "observations", "first_seen_at"];
    let matched = ["token", "other_token", "source", "other_source", "probability", "weight_bits", "outcome", "reason"];
    for (rows, (spec, columns)) in
        found.iter_mut().zip([(tables::links(), link.as_slice()), (tables::matches(), matched.as_slice())])
    {
        each_row(stores, &spec, columns, |row| {
            if ours(row) {
                rows.push(Value::Object(row.clone()));
            }
        })
        .await?;
    }
    let [links, matches] = found;
    Ok(json!({ "links": links, "matches": matches }))
}

/// Keeps a decision about two identifiers: the next run follows it. `same` of nothing takes earlier ones back. The reason is sealed
/// under the first identifier, so that it ends with it.
pub async fn decide_identity(
    stores: &Stores,
    pair: (SubjectToken, SubjectToken),
    same: Option<bool>,
    reason: &str,
    actor: &str,
    now: Timestamp,
) -> Result<(), RunError> {
    let known = stores.vault.kinds(&[pair.0, pair.1]).await?;
    for (token, kind) in [pair.0, pair.1].iter().zip(known) {
        if kind.is_none() {
            let help = "take token and other_token of `throughline identity review --json`".to_owned();
            return Err(RunError::NotFound { what: "identifier", name: token.to_string(), help });
        }
    }
    if pair.0 == pair.1 {
        let help = "a decision is about two different identifiers".to_owned();
        return Err(RunError::NotFound { what: "pair", name: pair.0.to_string(), help });
    }
    let sealed = stores.vault.seal_note(pair.0, reason).await?.map(hex::encode).unwrap_or_default();
    let drawn = draw::drawn_from(stores.ledger.as_ref(), pair).await?;
    let decision = Decision { token: pair.0, other_token: pair.1, same, reason: sealed, drawn };
    let metadata = serde_json::to_value(&decision)?;
    // The same decision may come again after another one: each is a version of its own.
    let content_hash = hex::encode(Sha256::digest(format!("{metadata}{}", now.micros())));
    let name = format!("{}~{}", pair.0.min(pair.1), pair.0.max(pair.1));
    let payload = json!({ "token": pair.0, "other_token": pair.1, "same": same, "drawn": drawn });
    stores.ledger.append_audit(AuditEntry { kind: DECISION, actor, payload: &payload, at: now }).await?;
    let artefact = NewArtefact { kind: DECISION, name: &name, content_hash: &content_hash, metadata: &metadata, now };
    stores.ledger.register(artefact).await?;
    Ok(())
}
