//! Conversions and the journeys before them.

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use throughline_core::{PersonId, Timestamp};
use throughline_lake::tables;
use throughline_run::Subject;
use utoipa::{IntoParams, ToSchema};

use super::Query;
use super::page::{Page, PageQuery};
use super::persons::masked_for;
use super::shapes::thread::ConversionThread;
use super::sql::{literal, rows};
use crate::access::Identity;
use crate::app::Shared;
use crate::problem::{ApiError, Problem};

/// Which conversions.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Only of this kind.
    conversion: Option<String>,
    /// Only with this channel on the path.
    channel: Option<String>,
    /// Only of this person.
    person: Option<String>,
}

/// A conversion in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConversionItem {
    /// Id of its journey, under which it is explained.
    id: String,
    /// What kind.
    conversion: String,
    /// When.
    ended_at: String,
    /// Its value.
    value: Option<f64>,
    /// The value's currency.
    currency: Option<String>,
    /// Touches before it.
    touches: i64,
    /// Whose.
    person_id: String,
    /// Channels in order.
    path: Vec<String>,
}

impl ConversionItem {
    fn read(mut row: Map<String, Value>) -> Option<Self> {
        let mut text = |name: &str| row.remove(name).and_then(|v| v.as_str().map(str::to_owned));
        let (id, conversion, ended_at) = (text("journey_id")?, text("conversion")?, text("ended_at")?);
        let (person_id, currency) = (text("person_id")?, text("currency"));
        let path = row.get("path").and_then(Value::as_array).into_iter().flatten();
        Some(Self {
            id,
            conversion,
            ended_at,
            value: row.get("value").and_then(Value::as_f64),
            currency,
            touches: row.get("touches").and_then(Value::as_i64).unwrap_or(0),
            person_id,
            path: path.filter_map(Value::as_str).map(str::to_owned).collect(),
        })
    }
}

/// The conversions, newest first.
#[utoipa::path(get, path = "/conversions", operation_id = "listConversions", tag = "journeys", params(Wanted, PageQuery),
    responses((status = 200, body = Page<ConversionItem>), (status = 422, body = Problem)))]
pub(crate) async fn list_conversions(
    State(app): State<Shared>,
    Query(wanted): Query<Wanted>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<ConversionItem>>, ApiError> {
    let limit = page.limit()?;
    let after: Option<(String, String)> = page.after()?;
    let mut tests = vec!["converted".to_owned()];
    if let Some(name) = &wanted.conversion {
        tests.push(format!("conversion = {}", literal(name)));
    }
    if let Some(channel) = &wanted.channel {
        tests.push(format!("array_has(path, {})", literal(channel)));
    }
    if let Some(person) = &wanted.person {
        let person: PersonId =
            person.parse().map_err(|_| ApiError::invalid("a person id has 32 hexadecimal digits"))?;
        tests.push(format!("person_id = X'{person}'"));
    }
    if let Some((at, id)) = &after {
        let at: Timestamp = at.parse().map_err(|_| ApiError::invalid("the cursor is not one of ours"))?;
        let (at, id) = (literal(&at.to_string()), literal(id));
        tests.push(format!(
            "(ended_at < to_timestamp_micros({at}) OR (ended_at = to_timestamp_micros({at}) AND journey_id > {id}))"
        ));
    }
    let query = format!(
        "SELECT journey_id, conversion, ended_at, value_micros, currency, touches, person_id, path FROM journeys \
         WHERE {} ORDER BY ended_at DESC, journey_id LIMIT {}",
        tests.join(" AND "),
        limit + 1
    );
    let found = rows(&app, &tables::journeys(), &query).await?;
    let items: Vec<ConversionItem> = found.into_iter().filter_map(ConversionItem::read).collect();
    Ok(Json(Page::cut(items, limit, |c| (c.ended_at.clone(), c.id.clone()))?))
}

/// The thread behind a conversion: its touches, kept or dropped by which rule, and how each model splits its credit.
#[utoipa::path(get, path = "/conversions/{id}", operation_id = "explainConversion", tag = "journeys",
    params(("id" = String, Path, description = "Id of the journey")),
    responses((status = 200, body = ConversionThread), (status = 404, body = Problem)))]
pub(crate) async fn explain_conversion(
    State(app): State<Shared>,
    identity: Identity,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let thread = throughline_run::explain(&app.project(), &app.stores, &Subject::Journey(id)).await?;
    Ok(Json(masked_for(&app, &identity, thread)?))
}
