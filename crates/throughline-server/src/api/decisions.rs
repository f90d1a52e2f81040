//! Decisions and the thread behind each.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use throughline_core::Timestamp;
use throughline_lake::tables;
use throughline_run::Subject;
use utoipa::{IntoParams, ToSchema};

use super::Query;
use super::page::{Page, PageQuery};
use super::persons::masked_for;
use super::shapes::thread::DecisionThread;
use super::sql::{literal, rows};
use crate::access::Identity;
use crate::app::Shared;
use crate::problem::{ApiError, Problem};

/// Which decisions.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Only of this policy.
    policy: Option<String>,
    /// Only this action.
    action: Option<String>,
    /// Only this arm: policy, shadow, canary or holdout.
    arm: Option<String>,
    /// Only entities whose id begins so.
    entity: Option<String>,
}

/// A decision in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DecisionItem {
    entity_id: String,
    cycle_id: String,
    decided_at: String,
    action: String,
    arm: String,
    policy_id: String,
    policy_version: i64,
    score: Option<f64>,
    expected_net_value: Option<f64>,
    #[schema(value_type = Option<(f64, f64)>)]
    expected_net_value_interval: Option<[f64; 2]>,
    /// Why there is no interval.
    interval_note: Option<String>,
    evidence_tier: i64,
    expires_at: String,
    rationale: Vec<String>,
    currency: String,
}

impl DecisionItem {
    fn read(row: &Map<String, Value>) -> Self {
        let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let number = |name: &str| row.get(name).and_then(Value::as_f64);
        let whole = |name: &str| row.get(name).and_then(Value::as_i64).unwrap_or_default();
        let interval = number("expected_net_value_low").zip(number("expected_net_value_high"));
        let rationale = row.get("rationale").and_then(Value::as_array).into_iter().flatten();
        Self {
            entity_id: text("entity_id"),
            cycle_id: text("cycle_id"),
            decided_at: text("decided_at"),
            action: text("action"),
            arm: text("arm"),
            policy_id: text("policy_id"),
            policy_version: whole("policy_version"),
            score: number("score"),
            expected_net_value: number("expected_net_value"),
            expected_net_value_interval: interval.map(|(low, high)| [low, high]),
            interval_note: Some(text("interval_note")).filter(|n| !n.is_empty()),
            evidence_tier: whole("evidence_tier"),
            expires_at: text("expires_at"),
            rationale: rationale.filter_map(Value::as_str).map(str::to_owned).collect(),
            currency: text("currency"),
        }
    }
}

/// A page of decisions, and how many there are by policy, action and arm under the same filters.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Decisions {
    items: Vec<DecisionItem>,
    next_cursor: Option<String>,
    total: Option<u64>,
    facets: BTreeMap<&'static str, BTreeMap<String, u64>>,
}

const COLUMNS: &str = "entity_id, cycle_id, decided_at, action, arm, policy_id, policy_version, score, \
    expected_net_value_micros, expected_net_value_low_micros, expected_net_value_high_micros, interval_note, \
    evidence_tier, expires_at, rationale, currency";

/// The decisions, newest cycle first.
#[utoipa::path(get, path = "/decisions", operation_id = "listDecisions", tag = "decisions", params(Wanted, PageQuery),
    responses((status = 200, body = Decisions), (status = 422, body = Problem)))]
pub(crate) async fn list_decisions(
    State(app): State<Shared>,
    Query(wanted): Query<Wanted>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Decisions>, ApiError> {
    let limit = page.limit()?;
    let mut tests = vec!["true".to_owned()];
    let equal = [("policy_id", &wanted.policy), ("action", &wanted.action), ("arm", &wanted.arm)];
    tests.extend(equal.into_iter().filter_map(|(n, v)| Some(format!("{n} = {}", literal(v.as_ref()?)))));
    if let Some(entity) = &wanted.entity {
        tests.push(format!("starts_with(entity_id, {})", literal(entity)));
    }
    let facets_query = format!(
        "SELECT policy_id, action, arm, count(*) AS rows FROM decisions WHERE {} GROUP BY policy_id, action, arm",
        tests.join(" AND ")
    );
    if let Some(place) = page.after::<(String, String, String)>()? {
        tests.push(after(&place)?);
    }
    let query = format!(
        "SELECT {COLUMNS} FROM decisions WHERE {} ORDER BY decided_at DESC, entity_id, cycle_id LIMIT {}",
        tests.join(" AND "),
        limit + 1
    );
    let spec = tables::decisions();
    let items = rows(&app, &spec, &query).await?.iter().map(DecisionItem::read).collect();
    let page =
        Page::cut(items, limit, |d: &DecisionItem| (d.decided_at.clone(), d.entity_id.clone(), d.cycle_id.clone()))?;
    let (total, facets) = facets(&rows(&app, &spec, &facets_query).await?);
    Ok(Json(Decisions { items: page.items, next_cursor: page.next_cursor, total: Some(total), facets }))
}

fn after((at, entity, cycle): &(String, String, String)) -> Result<String, ApiError> {
    let at: Timestamp = at.parse().map_err(|_| ApiError::invalid("the cursor is not one of ours"))?;
    let at = format!("to_timestamp_micros({})", literal(&at.to_string()));
    let (entity, cycle) = (literal(entity), literal(cycle));
    Ok(format!(
        "(decided_at < {at} OR (decided_at = {at} AND (entity_id > {entity} OR (entity_id = {entity} AND cycle_id > {cycle}))))"
    ))
}

fn facets(groups: &[Map<String, Value>]) -> (u64, BTreeMap<&'static str, BTreeMap<String, u64>>) {
    let mut total = 0;
    let mut facets: BTreeMap<&'static str, BTreeMap<String, u64>> = BTreeMap::new();
    for group in groups {
        let rows = group.get("rows").and_then(Value::as_u64).unwrap_or(0);
        total += rows;
        for (facet, column) in [("policy", "policy_id"), ("action", "action"), ("arm", "arm")] {
            let name = group.get(column).and_then(Value::as_str).unwrap_or_default().to_owned();
            *facets.entry(facet).or_default().entry(name).or_default() += rows;
        }
    }
    (total, facets)
}

/// The thread behind the latest decision about an entity: scores, evidence, policy, model, person, deliveries.
#[utoipa::path(get, path = "/decisions/{entity_id}", operation_id = "explainDecision", tag = "decisions",
    params(("entity_id" = String, Path, description = "Id of the entity")),
    responses((status = 200, body = DecisionThread), (status = 404, body = Problem)))]
pub(crate) async fn explain_decision(
    State(app): State<Shared>,
    identity: Identity,
    Path(entity_id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let thread = throughline_run::explain(&app.project(), &app.stores, &Subject::Decision(Some(entity_id))).await?;
    Ok(Json(masked_for(&app, &identity, thread)?))
}
