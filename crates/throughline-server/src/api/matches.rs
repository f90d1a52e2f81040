//! Pairs of records that may be of one person: the queue, the records side by side for those who may, and decisions.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use throughline_core::{SubjectToken, Timestamp};
use throughline_govern::MAX_TEXT;
use throughline_run::{MatchDraw, OUTCOMES, ReviewPair, ReviewQuery, draws, match_accuracy, open_match, review_queue};
use utoipa::{IntoParams, ToSchema};

use super::shapes::matches::{MatchAccuracy, MatchOutcome};
use super::{Body, Query};
use crate::access::Identity;
use crate::app::Shared;
use crate::problem::{ApiError, Problem};
use crate::work::hub::Topic;

/// Pairs of one answer at most.
const MOST: usize = 200;
/// Pairs of one draw at most.
const MOST_DRAWN: u32 = 2000;

/// A pair of records that may be of one person.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MatchPair {
    #[schema(value_type = String)]
    token: SubjectToken,
    #[schema(value_type = String)]
    other_token: SubjectToken,
    /// The sources of the two records.
    sources: Vec<String>,
    /// The probability that they are of one person.
    probability: f64,
    /// The weight of what they say, in bits.
    weight_bits: f64,
    /// By how many bits it outweighs the next best of either with somebody else.
    margin_bits: Option<f64>,
    /// Column → level: 0 missing, 1 different, 5 equal.
    levels: BTreeMap<String, u64>,
    /// Column → what it adds to the weight, in bits, without what rare values add.
    weights: BTreeMap<String, Option<f64>>,
    /// What became of it.
    #[schema(value_type = MatchOutcome)]
    outcome: String,
    /// Why.
    reason: String,
    /// Purchases that would change hands.
    purchases: u64,
    /// Their value, in units of the project's currency.
    value: f64,
    /// The probability with which the latest draw had it.
    inclusion: Option<f64>,
    /// What somebody decided: whether the two are of one person.
    decided: Option<bool>,
    /// What the two records say, column by column; only where it was opened.
    said: Option<Vec<BTreeMap<String, String>>>,
}

/// The fields of an object as texts.
fn fields(value: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    value.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), text(value))).collect()
}

impl From<ReviewPair> for MatchPair {
    fn from(pair: ReviewPair) -> Self {
        let each = |value: &Value| value.as_object().cloned().unwrap_or_default();
        Self {
            token: pair.token,
            other_token: pair.other_token,
            sources: pair.sources.into(),
            probability: pair.probability,
            weight_bits: pair.weight_bits,
            margin_bits: pair.margin_bits,
            levels: each(&pair.levels).into_iter().map(|(c, l)| (c, l.as_u64().unwrap_or_default())).collect(),
            weights: each(&pair.weights).into_iter().map(|(column, bits)| (column, bits.as_f64())).collect(),
            outcome: pair.outcome,
            reason: pair.reason,
            purchases: pair.purchases,
            value: pair.value,
            inclusion: pair.inclusion,
            decided: pair.decided,
            said: pair.said.map(|said| said.iter().map(fields).collect()),
        }
    }
}

/// The latest draw.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DrawInfo {
    /// Its number.
    draw: u32,
    /// Pairs drawn.
    pairs: u64,
    /// Pairs it was drawn from, by what had become of them.
    population: BTreeMap<String, u64>,
    #[schema(value_type = String, format = DateTime)]
    drawn_at: Timestamp,
}

impl From<MatchDraw> for DrawInfo {
    fn from(draw: MatchDraw) -> Self {
        Self { draw: draw.draw, pairs: draw.pairs.len() as u64, population: draw.population, drawn_at: draw.drawn_at }
    }
}

/// Pairs, those first that carry the most uncertain money.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Matches {
    items: Vec<MatchPair>,
    /// How many there are.
    total: u64,
    /// The latest draw.
    draw: Option<DrawInfo>,
}

/// Which pairs are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// `queue` (pairs of the latest draw that nobody decided about), `decided`, `review`, `linked` or `apart`; `queue` when absent.
    outcome: Option<String>,
    /// Pairs at most, 200; 50 when absent.
    limit: Option<usize>,
}

/// Pairs of records that may be of one person, without what the records say.
#[utoipa::path(get, path = "/matches", operation_id = "listMatches", tag = "matches", params(Wanted),
    responses((status = 200, body = Matches), (status = 422, body = Problem)))]
pub(crate) async fn list_matches(
    State(app): State<Shared>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Matches>, ApiError> {
    let outcome = wanted.outcome.as_deref().unwrap_or(OUTCOMES[0]);
    if !OUTCOMES.contains(&outcome) {
        return Err(ApiError::invalid(format!("no outcome `{outcome}` (known: {})", OUTCOMES.join(", "))));
    }
    let limit = wanted.limit.unwrap_or(50);
    if !(1..=MOST).contains(&limit) {
        return Err(ApiError::invalid(format!("a limit of {limit} is outside 1 to {MOST}")));
    }
    let query = ReviewQuery { outcome, limit: usize::MAX, open_for: None };
    let mut pairs = review_queue(&app.stores, query, app.now()).await?;
    let total = pairs.len() as u64;
    pairs.truncate(limit);
    let draw = draws(app.ledger()).await?.pop().map(Into::into);
    Ok(Json(Matches { items: pairs.into_iter().map(Into::into).collect(), total, draw }))
}

/// How many pairs to draw.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewDraw {
    /// About how many, 2,000 at most.
    #[schema(minimum = 1, maximum = 2000)]
    size: u32,
}

/// Draws pairs for people to look at, each with a known probability. The draw goes on record.
#[utoipa::path(post, path = "/matches/draws", operation_id = "drawMatches", tag = "matches", request_body = NewDraw,
    responses((status = 201, body = DrawInfo), (status = 422, body = Problem)))]
pub(crate) async fn draw_matches(
    State(app): State<Shared>,
    identity: Identity,
    Body(body): Body<NewDraw>,
) -> Result<(StatusCode, Json<DrawInfo>), ApiError> {
    if !(1..=MOST_DRAWN).contains(&body.size) {
        return Err(ApiError::invalid(format!("a draw of {} pairs is outside 1 to {MOST_DRAWN}", body.size)));
    }
    let project = app.project();
    let drawn = throughline_run::draw_matches(&project, &app.stores, body.size, &identity.user.name, app.now()).await?;
    app.hub.changed([Topic::Matches, Topic::Audit]);
    Ok((StatusCode::CREATED, Json(drawn.into())))
}

/// Two identifiers.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PairOf {
    token: String,
    other_token: String,
}

impl PairOf {
    fn read(&self) -> Result<(SubjectToken, SubjectToken), ApiError> {
        let token = |text: &str| {
            text.parse().map_err(|_| ApiError::invalid(format!("`{text}` is not a token of 32 hexadecimal digits")))
        };
        Ok((token(&self.token)?, token(&self.other_token)?))
    }
}

/// Opens what the two records of a pair say. Who opened them goes on record before anything is shown.
#[utoipa::path(post, path = "/matches/records", operation_id = "openMatch", tag = "matches", request_body = PairOf,
    responses((status = 200, body = MatchPair), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn open_records(
    State(app): State<Shared>,
    identity: Identity,
    Body(body): Body<PairOf>,
) -> Result<Json<MatchPair>, ApiError> {
    let opened = open_match(&app.stores, body.read()?, &identity.user.name, app.now()).await?;
    app.hub.changed([Topic::Audit]);
    Ok(Json(opened.into()))
}

/// A decision about two identifiers.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewMatchDecision {
    token: String,
    other_token: String,
    /// Whether they are of one person; null takes earlier decisions back.
    same: Option<bool>,
    /// Why; it is sealed with the first identifier.
    #[serde(default)]
    reason: String,
}

/// Decides about two identifiers. The next run follows it.
#[utoipa::path(post, path = "/matches/decisions", operation_id = "decideMatch", tag = "matches",
    request_body = NewMatchDecision,
    responses((status = 204), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn decide_match(
    State(app): State<Shared>,
    identity: Identity,
    Body(body): Body<NewMatchDecision>,
) -> Result<StatusCode, ApiError> {
    let length = body.reason.chars().count();
    if length > MAX_TEXT {
        return Err(ApiError::invalid(format!("the reason has {length} characters, the limit is {MAX_TEXT}")));
    }
    let pair = PairOf { token: body.token, other_token: body.other_token }.read()?;
    let (reason, by) = (body.reason.trim(), &identity.user.name);
    throughline_run::decide_identity(&app.stores, pair, body.same, reason, by, app.now()).await?;
    app.hub.changed([Topic::Matches, Topic::Audit]);
    Ok(StatusCode::NO_CONTENT)
}

/// How accurate matching is, by what people decided about drawn pairs and by later logins.
#[utoipa::path(get, path = "/matches/accuracy", operation_id = "getMatchAccuracy", tag = "matches",
    responses((status = 200, body = MatchAccuracy)))]
pub(crate) async fn get_match_accuracy(State(app): State<Shared>) -> Result<Json<Value>, ApiError> {
    let accuracy = match_accuracy(&app.project(), &app.stores).await?;
    Ok(Json(serde_json::to_value(accuracy)?))
}
