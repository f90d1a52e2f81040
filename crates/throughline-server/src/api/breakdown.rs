//! Credit by campaign, place, device, cohort, day and month, and why platforms report other numbers.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use throughline_lake::tables;
use throughline_run::reconcile_platforms;
use utoipa::{IntoParams, ToSchema};

use super::Query;
use super::attribution::{Credit, credit};
use super::sql::{literal, rows};
use crate::app::Shared;
use crate::problem::{ApiError, Problem};

/// Most cells of an answer; those with most credit.
const MOST: usize = 2_000;

/// Which cells.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct WantedCells {
    /// `campaign`, `geo`, `device`, `cohort`, `day`, `month`, or `segment:NAME` for a segment of the project.
    dimension: String,
    /// The conversion.
    conversion: String,
    /// The model; the first that splits paths without.
    model: Option<String>,
    /// Only this channel.
    channel: Option<String>,
    /// Only this item: one campaign, one place.
    item: Option<String>,
}

/// Credit of a dimension.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CreditCells {
    dimension: String,
    /// All dimensions that credit is broken down by.
    dimensions: Vec<String>,
    conversion: String,
    model: String,
    /// Models whose credit is broken down.
    models: Vec<String>,
    /// Items of the dimension.
    items: Vec<String>,
    /// Cells, most conversions first; 2,000 at most.
    cells: Vec<CreditCell>,
    /// How many there are.
    total: u64,
    /// Conversions of all cells that were asked for.
    conversions: f64,
    /// Their value.
    value: f64,
    level: f64,
    currency: String,
}

/// Credit of one channel and item.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CreditCell {
    item: String,
    channel: String,
    /// What was spent on it; absent where spend does not say.
    spend: Option<f64>,
    credit: Credit,
}

/// Credit by channel and what touches and journeys are. Models that do not split paths have none.
#[utoipa::path(get, path = "/attribution/cells", operation_id = "listCreditCells", tag = "attribution", params(WantedCells),
    responses((status = 200, body = CreditCells), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn list_cells(
    State(app): State<Shared>,
    Query(wanted): Query<WantedCells>,
) -> Result<Json<CreditCells>, ApiError> {
    let spec = tables::credit_cells();
    let of = format!("dimension = {} AND conversion = {}", literal(&wanted.dimension), literal(&wanted.conversion));
    let named =
        rows(&app, &spec, &format!("SELECT DISTINCT model FROM credit_cells WHERE {of} ORDER BY model")).await?;
    let found: Vec<String> = named.iter().filter_map(|r| r["model"].as_str()).map(str::to_owned).collect();
    let project = app.project();
    let order = project.attribution.iter().flat_map(|a| a.value.models.iter().map(|m| m.value.clone()));
    let mut models: Vec<String> = order.filter(|m| found.contains(m)).collect();
    models.extend(found.into_iter().filter(|m| !models.contains(m)).collect::<Vec<_>>());
    let model = match wanted.model {
        Some(model) if models.contains(&model) => model,
        Some(model) => {
            return Err(ApiError::not_found(format!("credit of model `{model}` by {}", wanted.dimension)));
        }
        None => models.first().cloned().ok_or_else(|| ApiError::not_found("credit that is broken down yet"))?,
    };
    let of = format!("{of} AND model = {}", literal(&model));
    let items = rows(&app, &spec, &format!("SELECT DISTINCT item FROM credit_cells WHERE {of} ORDER BY item")).await?;
    let only = |column: &str, value: &Option<String>| {
        value.as_ref().map_or_else(String::new, |v| format!(" AND {column} = {}", literal(v)))
    };
    let tests = format!("{of}{}{}", only("channel", &wanted.channel), only("item", &wanted.item));
    let all = rows(
        &app,
        &spec,
        &format!("SELECT * FROM credit_cells WHERE {tests} ORDER BY conversions DESC, item, channel"),
    )
    .await?;
    let sum = |name: &str| all.iter().filter_map(|r| r[name].as_f64()).sum();
    let query = "SELECT DISTINCT dimension FROM credit_cells ORDER BY dimension";
    let dimensions = rows(&app, &spec, query).await?;
    Ok(Json(CreditCells {
        dimension: wanted.dimension,
        dimensions: dimensions.iter().filter_map(|r| r["dimension"].as_str()).map(str::to_owned).collect(),
        conversion: wanted.conversion,
        model,
        models,
        items: items.iter().filter_map(|r| r["item"].as_str()).map(str::to_owned).collect(),
        total: all.len() as u64,
        conversions: sum("conversions"),
        value: sum("value"),
        level: all.first().and_then(|r| r["level"].as_f64()).unwrap_or(0.9),
        currency: project.config.value.currency.to_string(),
        cells: all.into_iter().take(MOST).filter_map(cell).collect(),
    }))
}

fn cell(row: Map<String, Value>) -> Option<CreditCell> {
    let text = |name: &str| row.get(name).and_then(Value::as_str).map(str::to_owned);
    let (item, channel) = (text("item")?, text("channel")?);
    let spend = row.get("spend").and_then(Value::as_f64);
    Some(CreditCell { item, channel, spend, credit: credit(&Value::Object(row), spend)? })
}

/// Which bridges.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct WantedBridges {
    /// The model whose credit is compared; the first of the project without.
    model: Option<String>,
}

/// Why platforms report other numbers than we credit.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Bridges {
    platforms: Vec<Bridge>,
    currency: String,
}

/// From our credit to what a platform reports.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Bridge {
    platform: String,
    conversion: String,
    /// The model whose credit it starts from.
    model: String,
    /// First and last day that it reports; absent where it reports nothing.
    #[schema(value_type = Option<(String, String)>)]
    days: Option<(String, String)>,
    /// What we credit to its channels on these days.
    ours: BridgeAmount,
    /// One cause after another; they add up.
    lines: Vec<BridgeLine>,
    /// What it reports.
    reported: BridgeAmount,
}

/// Conversions and value.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BridgeAmount {
    conversions: f64,
    value: f64,
}

/// One cause of a difference.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BridgeLine {
    /// `credit`, `window`, `view_through`, `consent`, `duplicate`, `time_zone` or `identity`.
    cause: String,
    difference: BridgeAmount,
    /// What the platform would report so far.
    so_far: BridgeAmount,
}

impl From<throughline_run::Amount> for BridgeAmount {
    fn from(amount: throughline_run::Amount) -> Self {
        Self { conversions: amount.conversions_micros as f64 / 1e6, value: amount.value_micros as f64 / 1e6 }
    }
}

/// Why platforms report other numbers than we credit, line by line.
#[utoipa::path(get, path = "/attribution/bridges", operation_id = "listBridges", tag = "attribution", params(WantedBridges),
    responses((status = 200, body = Bridges), (status = 422, body = Problem)))]
pub(crate) async fn list_bridges(
    State(app): State<Shared>,
    Query(wanted): Query<WantedBridges>,
) -> Result<Json<Bridges>, ApiError> {
    let project = app.project();
    let found = reconcile_platforms(&project, &app.stores, wanted.model.as_deref()).await?;
    let platforms = found
        .into_iter()
        .map(|b| Bridge {
            platform: b.bridge.platform,
            conversion: b.conversion,
            model: b.model,
            days: b.days,
            ours: b.bridge.ours.into(),
            lines: b
                .bridge
                .lines
                .into_iter()
                .map(|l| BridgeLine {
                    cause: l.cause.name().to_owned(),
                    difference: l.difference.into(),
                    so_far: l.so_far.into(),
                })
                .collect(),
            reported: b.bridge.reported.into(),
        })
        .collect();
    Ok(Json(Bridges { platforms, currency: project.config.value.currency.to_string() }))
}
