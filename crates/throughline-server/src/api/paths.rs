//! Paths that journeys took, and how often they ended in a conversion.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use throughline_lake::tables;
use utoipa::{IntoParams, ToSchema};

use super::Query;
use super::sql::{literal, rows};
use crate::app::Shared;
use crate::problem::{ApiError, Problem};

/// Most paths of an answer.
const MOST: u32 = 200;

/// Which paths.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct WantedPaths {
    /// The conversion.
    conversion: String,
    /// Only with this channel.
    channel: Option<String>,
    /// Only of conversions in this place.
    geo: Option<String>,
    /// Only of this month, as 2026-03.
    month: Option<String>,
    /// Only of journeys that ended on this day or later, as 2026-03-01, UTC.
    from: Option<String>,
    /// Only of journeys that ended on this day or earlier.
    to: Option<String>,
    /// Only of conversions on this device.
    device: Option<String>,
    /// Only of people first seen in this month.
    cohort: Option<String>,
    /// Only of people of this segment, as `name=value`.
    segment: Option<String>,
    /// How many: 50 unless given, 200 at most; those with most conversions.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// Paths of journeys.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the names of the answer's fields")]
pub(crate) struct Paths {
    conversion: String,
    /// Most conversions first, then most journeys.
    paths: Vec<PathItem>,
    /// Different paths.
    total: u64,
    /// Journeys that took them.
    journeys: u64,
    /// Of them, with a conversion.
    conversions: u64,
    currency: String,
}

/// A path.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PathItem {
    /// Channels in order; none where nothing preceded the conversion.
    path: Vec<String>,
    journeys: u64,
    conversions: u64,
    /// Their value.
    value: f64,
    /// Share of its journeys with a conversion.
    rate: f64,
    /// Wilson's 95 % interval of the rate: journeys of one person are not told apart.
    #[schema(value_type = (f64, f64))]
    rate_interval: [f64; 2],
}

/// Paths that journeys took, most conversions first.
#[utoipa::path(get, path = "/paths", operation_id = "listPaths", tag = "journeys", params(WantedPaths),
    responses((status = 200, body = Paths), (status = 422, body = Problem)))]
pub(crate) async fn list_paths(
    State(app): State<Shared>,
    Query(wanted): Query<WantedPaths>,
) -> Result<Json<Paths>, ApiError> {
    let limit = wanted.limit.unwrap_or(50);
    if !(1..=MOST).contains(&limit) {
        return Err(ApiError::invalid(format!("limit of {limit} is not within 1 to {MOST}")));
    }
    let mut tests = vec![format!("conversion = {}", literal(&wanted.conversion))];
    tests.extend(wanted.channel.map(|c| format!("array_has(path, {})", literal(&c))));
    tests.extend(wanted.geo.map(|g| format!("geo = {}", literal(&g))));
    tests.extend(wanted.device.map(|d| format!("device = {}", literal(&d))));
    tests.extend(wanted.cohort.map(|c| format!("cohort = {}", literal(&c))));
    tests.extend(wanted.segment.map(|s| format!("array_has(segments, {})", literal(&s))));
    let day = "substr(CAST(ended_at AS VARCHAR), 1, 10)";
    tests.extend(wanted.from.map(|from| format!("{day} >= {}", literal(&from))));
    tests.extend(wanted.to.map(|to| format!("{day} <= {}", literal(&to))));
    tests.extend(wanted.month.map(|m| format!("substr(CAST(ended_at AS VARCHAR), 1, 7) = {}", literal(&m))));
    let query = format!(
        "SELECT path, count(*) AS journeys, count(*) FILTER (WHERE converted) AS conversions, \
           coalesce(sum(value_micros), 0) AS value_micros FROM journeys WHERE {} GROUP BY path \
         ORDER BY conversions DESC, journeys DESC, path",
        tests.join(" AND ")
    );
    let found = rows(&app, &tables::journeys(), &query).await?;
    let all: Vec<PathItem> = found.iter().map(item).collect();
    Ok(Json(Paths {
        conversion: wanted.conversion,
        total: all.len() as u64,
        journeys: all.iter().map(|p| p.journeys).sum(),
        conversions: all.iter().map(|p| p.conversions).sum(),
        currency: app.project().config.value.currency.to_string(),
        paths: all.into_iter().take(limit as usize).collect(),
    }))
}

fn item(row: &Map<String, Value>) -> PathItem {
    let count = |name: &str| row.get(name).and_then(Value::as_u64).unwrap_or(0);
    let path = row.get("path").and_then(Value::as_array).into_iter().flatten();
    let (journeys, conversions) = (count("journeys"), count("conversions"));
    PathItem {
        path: path.filter_map(Value::as_str).map(str::to_owned).collect(),
        journeys,
        conversions,
        value: row.get("value").and_then(Value::as_f64).unwrap_or(0.0),
        rate: if journeys > 0 { conversions as f64 / journeys as f64 } else { 0.0 },
        rate_interval: wilson(conversions, journeys),
    }
}

/// Wilson's score interval at 95 %. Source: E. B. Wilson (1927), JASA 22.
fn wilson(hits: u64, of: u64) -> [f64; 2] {
    if of == 0 {
        return [0.0, 1.0];
    }
    let (n, z) = (of as f64, 1.959_963_984_540_054_f64);
    let p = hits as f64 / n;
    let centre = p + z * z / (2.0 * n);
    let half = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z * z / n;
    [((centre - half) / scale).max(0.0), ((centre + half) / scale).min(1.0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_intervals_everywhere() {
        // 8 of 10: [0.4902, 0.9433] (Newcombe 1998 uses the same formula).
        let [low, high] = wilson(8, 10);
        assert!((low - 0.490_16).abs() < 1e-4 && (high - 0.943_32).abs() < 1e-4, "{low} {high}");
        assert_eq!(wilson(0, 0), [0.0, 1.0]);
        assert_eq!((wilson(0, 5)[0], wilson(5, 5)[1]), (0.0, 1.0));
    }
}
