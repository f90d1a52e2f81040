//! Runs: those that were, the one at work, a new one.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use throughline_core::Timestamp;
use throughline_ledger::{AuditEntry, RunRecord};
use utoipa::ToSchema;

use super::page::{Page, PageQuery};
use super::shapes::{RunStand, StageName};
use super::{Body, Query};
use crate::access::Identity;
use crate::app::Shared;
use crate::problem::{ApiError, Problem};
use crate::work::runner::{self, Order, RunState};

/// A run in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RunItem {
    /// Its number.
    run_seq: u64,
    /// How it stands.
    #[schema(value_type = RunStand)]
    status: String,
    /// What could be known.
    #[schema(value_type = String, format = DateTime)]
    as_of: Timestamp,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Timestamp>,
    /// How often it was resumed.
    resumed: u32,
    /// Why it failed.
    error: Option<String>,
}

impl From<RunRecord> for RunItem {
    fn from(run: RunRecord) -> Self {
        let error = run.report.as_ref().and_then(|r| r["error"].as_str()).map(str::to_owned);
        Self {
            run_seq: run.run_seq,
            status: run.status.to_string(),
            as_of: run.as_of,
            started_at: run.started_at,
            finished_at: run.finished_at,
            resumed: run.resumed,
            error,
        }
    }
}

/// What to run; everything that changed without any.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct NewRunBody {
    /// Only this stage, computed anew.
    #[schema(value_type = Option<StageName>)]
    stage: Option<String>,
    /// This stage and everything after it, computed anew.
    #[schema(value_type = Option<StageName>)]
    from: Option<String>,
}

/// The runs, newest first.
#[utoipa::path(get, path = "/runs", operation_id = "listRuns", tag = "runs", params(PageQuery),
    responses((status = 200, body = Page<RunItem>)))]
pub(crate) async fn list_runs(
    State(app): State<Shared>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<RunItem>>, ApiError> {
    let limit = page.limit()?;
    let before: Option<u64> = page.after()?;
    let all = app.ledger().runs(10_000).await?;
    let total = all.len() as u64;
    let rest = all.into_iter().filter(|r| before.is_none_or(|b| r.run_seq < b));
    let items = rest.take(limit as usize + 1).map(RunItem::from).collect();
    let mut page = Page::cut(items, limit, |r: &RunItem| r.run_seq)?;
    page.total = Some(total);
    Ok(Json(page))
}

/// Starts a run.
#[utoipa::path(post, path = "/runs", operation_id = "startRun", tag = "runs", request_body = NewRunBody,
    responses((status = 202, body = RunState), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn start_run(
    State(app): State<Shared>,
    identity: Identity,
    Body(body): Body<NewRunBody>,
) -> Result<(StatusCode, Json<RunState>), ApiError> {
    if body.stage.is_some() && body.from.is_some() {
        return Err(ApiError::invalid("`stage` and `from` exclude each other"));
    }
    let order = Order {
        by: identity.user.name.clone(),
        by_id: identity.user.id.clone(),
        stage: body.stage,
        from: body.from,
        waits: false,
    };
    Ok((StatusCode::ACCEPTED, Json(runner::start(&app, order).await?)))
}

/// The run at work, or the last one since the server began.
#[utoipa::path(get, path = "/runs/current", operation_id = "getCurrentRun", tag = "runs",
    responses((status = 200, body = RunState), (status = 404, body = Problem)))]
pub(crate) async fn get_current_run(State(app): State<Shared>) -> Result<Json<RunState>, ApiError> {
    app.runner.state().map(Json).ok_or_else(|| ApiError::not_found("run since the server began"))
}

/// Asks the run at work to stop. What is finished stays; the next run resumes.
#[utoipa::path(delete, path = "/runs/current", operation_id = "cancelRun", tag = "runs",
    responses((status = 202), (status = 404, body = Problem)))]
pub(crate) async fn cancel_run(State(app): State<Shared>, identity: Identity) -> Result<StatusCode, ApiError> {
    if !app.runner.cancel() {
        return Err(ApiError::not_found("run at work"));
    }
    let payload = json!({});
    let actor = &identity.user.name;
    let entry = AuditEntry { kind: "run_cancel_requested", actor, payload: &payload, at: app.now() };
    app.ledger().append_audit(entry).await?;
    Ok(StatusCode::ACCEPTED)
}

/// The report of a run.
#[utoipa::path(get, path = "/runs/{run_seq}", operation_id = "getRun", tag = "runs",
    params(("run_seq" = u64, Path, description = "Number of the run")),
    responses((status = 200, body = Value), (status = 404, body = Problem)))]
pub(crate) async fn get_run(State(app): State<Shared>, Path(run_seq): Path<u64>) -> Result<Json<Value>, ApiError> {
    let runs = app.ledger().runs(10_000).await?;
    let run = runs.into_iter().find(|r| r.run_seq == run_seq);
    let run = run.ok_or_else(|| ApiError::not_found(format!("run {run_seq}")))?;
    let mut report = run.report.ok_or_else(|| ApiError::not_found(format!("report of run {run_seq} yet")))?;
    // The truth is no result of the run: whoever knows it writes it into the run's folder, not into the ledger.
    let path = app.project().state_dir().join("runs").join(run_seq.to_string()).join("report.json");
    let written = tokio::fs::read(&path).await.ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    if let Some(truth) = written.and_then(|mut w| w.get_mut("truth").map(Value::take)).filter(|t| !t.is_null()) {
        report["truth"] = truth;
    }
    Ok(Json(report))
}

/// The page of a run.
#[utoipa::path(get, path = "/runs/{run_seq}/report.html", operation_id = "getRunPage", tag = "runs",
    params(("run_seq" = u64, Path, description = "Number of the run")),
    responses((status = 200, content_type = "text/html", body = String), (status = 404, body = Problem)))]
pub(crate) async fn get_run_page(State(app): State<Shared>, Path(run_seq): Path<u64>) -> Result<Response, ApiError> {
    let state = app.project().state_dir();
    let path = state.join("runs").join(run_seq.to_string()).join("report.html");
    let page = tokio::fs::read(&path).await.map_err(|_| ApiError::not_found(format!("page of run {run_seq}")))?;
    // The page carries its own styles and no scripts.
    let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'";
    Ok(([(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CONTENT_SECURITY_POLICY, policy)], page)
        .into_response())
}
