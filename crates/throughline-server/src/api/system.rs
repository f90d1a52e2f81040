//! Health, metrics, configuration, the document of the API itself.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::shapes::evidence::Finding;
use crate::app::Shared;
use crate::problem::{ApiError, Problem};

/// That the process answers.
#[utoipa::path(get, path = "/healthz", operation_id = "getHealth", tag = "system", security(()),
    responses((status = 200, content_type = "text/plain", body = String)))]
pub(crate) async fn get_health() -> &'static str {
    "ok"
}

/// That the stores answer.
#[utoipa::path(get, path = "/readyz", operation_id = "getReadiness", tag = "system", security(()),
    responses((status = 200, content_type = "text/plain", body = String), (status = 500, body = Problem)))]
pub(crate) async fn get_readiness(State(app): State<Shared>) -> Result<&'static str, ApiError> {
    app.ledger().manifest().await?;
    app.ledger().audit_tree().await?;
    app.stores.vault.stats().await?;
    Ok("ready")
}

/// Metrics in the text format of Prometheus.
#[utoipa::path(get, path = "/metrics", operation_id = "getMetrics", tag = "system",
    responses((status = 200, content_type = "text/plain", body = String), (status = 401, body = Problem)))]
pub(crate) async fn get_metrics(State(app): State<Shared>) -> Response {
    app.metrics.run_upkeep();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], app.metrics.render()).into_response()
}

/// The configuration in use.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Configuration {
    /// Hash of all of it.
    hash: String,
    /// SHA-256 of each file.
    files: BTreeMap<String, String>,
    /// Findings that do not stop a run.
    #[schema(value_type = Vec<Finding>)]
    warnings: Value,
}

/// The configuration in use: its files and their hashes.
#[utoipa::path(get, path = "/configuration", operation_id = "listConfiguration", tag = "system",
    responses((status = 200, body = Configuration)))]
pub(crate) async fn list_configuration(State(app): State<Shared>) -> Result<Json<Configuration>, ApiError> {
    let project = app.project();
    Ok(Json(Configuration {
        hash: project.hash(),
        files: project.files(),
        warnings: serde_json::to_value(&project.warnings)?,
    }))
}

/// The document of this API.
#[utoipa::path(get, path = "/openapi.json", operation_id = "getOpenApi", tag = "system",
    responses((status = 200, body = Value)))]
pub(crate) async fn get_open_api() -> Json<&'static Value> {
    Json(crate::openapi())
}
