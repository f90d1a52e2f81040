//! How the sources stand.

use axum::Json;
use axum::extract::State;
use serde_json::Value;
use throughline_run::sources_report;

use super::shapes::sources::SourcesDocumented;
use crate::app::Shared;
use crate::problem::ApiError;

/// How every source stands: watermarks, volumes by day, columns that changed, files that are gone, and what is in quarantine. Where
/// refused rows stand and why is told, never what stands in them.
#[utoipa::path(get, path = "/sources", operation_id = "listSources", tag = "sources",
    responses((status = 200, body = SourcesDocumented)))]
pub(crate) async fn list_sources(State(app): State<Shared>) -> Result<Json<Value>, ApiError> {
    let report = sources_report(&app.project(), &app.stores, app.now()).await?;
    Ok(Json(serde_json::to_value(report)?))
}
