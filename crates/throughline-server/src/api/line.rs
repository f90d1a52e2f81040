//! The line at a glance: stages, counts, freshness, what is at work and what waits.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use throughline_core::Timestamp;
use throughline_lake::tables;
use throughline_ledger::{FingerprintRecord, RunRecord, RunStatus};
use throughline_run::approvals::{self, FROZEN};
use utoipa::ToSchema;

use super::runs::RunItem;
use super::shapes::{GateItem, StageName, StageStand};
use crate::app::Shared;
use crate::problem::ApiError;
use crate::work::runner::RunState;
use crate::work::schedule;

/// The line.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Line {
    /// The project.
    project: ProjectInfo,
    /// The stages in order.
    stages: Vec<Stage>,
    /// The run at work, or the last one since the server began.
    run: Option<RunState>,
    /// The last run.
    last_run: Option<RunItem>,
    /// When the next scheduled run is due.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_run_at: Option<Timestamp>,
    /// Why nothing is delivered, when deliveries are frozen.
    frozen: Option<Freeze>,
    /// Requests that wait for people.
    approvals_pending: u64,
    /// Rows that could not be used.
    quarantined: u64,
    /// Alarms of the last run.
    alarms: u64,
}

/// The project.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProjectInfo {
    /// Name.
    name: String,
    /// Currency of values and budgets.
    currency: String,
    /// What the team wants to know.
    questions: Vec<String>,
    /// What counts as success.
    success_metrics: Vec<String>,
    /// The instant the project lives at, when it does not live now.
    #[schema(value_type = Option<String>, format = DateTime)]
    as_of: Option<Timestamp>,
}

/// A stage.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Stage {
    /// Name.
    #[schema(value_type = StageName)]
    name: String,
    /// Name for people.
    title: &'static str,
    /// What came of its last run on this server.
    summary: Option<String>,
    /// Units of work.
    units: u64,
    /// Tables it writes.
    tables: Vec<TableInfo>,
    /// When it last published something.
    #[schema(value_type = Option<String>, format = DateTime)]
    published_at: Option<Timestamp>,
    /// The run in which that was.
    run_seq: Option<u64>,
    /// How it stands.
    #[schema(value_type = StageStand)]
    state: &'static str,
    /// What the stage waits for, such as an approval.
    #[schema(value_type = Option<GateItem>)]
    gate: Option<Value>,
}

/// A table.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TableInfo {
    /// Name.
    name: String,
    /// Rows of the published version.
    rows: u64,
    /// The published version.
    version: u64,
}

/// Why nothing is delivered.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Freeze {
    /// The reason given.
    reason: String,
    /// By whom.
    by: String,
    /// Since when.
    at: String,
}

impl Freeze {
    pub(super) fn read(value: &Value) -> Self {
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        Self { reason: text("reason"), by: text("by"), at: text("at") }
    }
}

const STAGES: [(&str, &str, &[&str]); 10] = [
    ("ingest", "Ingest", &["events", "profiles", "spend", "quarantine"]),
    ("link", "Link", &["links", "persons", "timeline"]),
    ("journeys", "Journeys", &["journeys", "touches"]),
    ("attribute", "Attribute", &["credits"]),
    ("prove", "Prove", &[]),
    ("features", "Features", &[]),
    ("model", "Model", &["scores"]),
    ("decide", "Decide", &["decisions"]),
    ("activate", "Activate", &["deliveries", "receipts"]),
    ("observe", "Observe", &["health"]),
];

/// The line at a glance.
#[utoipa::path(get, path = "/line", operation_id = "getLine", tag = "line", responses((status = 200, body = Line)))]
pub(crate) async fn get_line(State(app): State<Shared>) -> Result<Json<Line>, ApiError> {
    let project = app.project();
    let config = &project.config.value;
    let ledger = app.ledger();
    let manifest = ledger.manifest().await?;
    let run = app.runner.state();
    let last = ledger.runs(1).await?.pop();
    let mut stages = Vec::new();
    let mut alarms = 0;
    for (name, title, tables) in STAGES {
        let units: Vec<FingerprintRecord> = ledger.fingerprints(name).await?.into_values().collect();
        let latest = units.iter().max_by_key(|u| u.published_at);
        if name == "observe" {
            alarms = latest.and_then(|u| u.metrics["alarms"].as_u64()).unwrap_or(0);
        }
        let mut counted = Vec::new();
        for spec in tables::all().iter().filter(|t| tables.contains(&t.name.as_str())) {
            if let Some(version) = manifest.get(&spec.name).copied() {
                let rows = app.row_count(spec, version).await?;
                counted.push(TableInfo { name: spec.name.clone(), rows, version });
            }
        }
        let live = run.as_ref().and_then(|r| r.stages.iter().find(|s| s.name == name));
        stages.push(Stage {
            name: name.to_owned(),
            title,
            summary: live.and_then(|l| l.summary.clone()),
            units: units.len() as u64,
            tables: counted,
            published_at: latest.map(|u| u.published_at),
            run_seq: latest.map(|u| u.run_seq),
            state: state(&app, live.map(|l| l.state), latest, last.as_ref()),
            gate: latest.map(|u| u.metrics["gate"].clone()).filter(|g| !g.is_null()),
        });
    }
    let quarantine = tables::quarantine();
    let quarantined = match manifest.get(&quarantine.name) {
        Some(version) => app.row_count(&quarantine, *version).await?,
        None => 0,
    };
    let frozen = ledger.switch(FROZEN).await?;
    Ok(Json(Line {
        project: ProjectInfo {
            name: config.name.clone(),
            currency: config.currency.to_string(),
            questions: config.questions.clone(),
            success_metrics: config.success_metrics.clone(),
            as_of: config.as_of,
        },
        stages,
        run,
        last_run: last.map(RunItem::from),
        next_run_at: schedule::next(&app, app.now()).await?,
        frozen: frozen.as_ref().map(Freeze::read),
        approvals_pending: ledger.approvals(&approvals::OPEN[..1], None, 1000).await?.len() as u64,
        quarantined,
        alarms,
    }))
}

fn state(
    app: &Shared,
    live: Option<&'static str>,
    latest: Option<&FingerprintRecord>,
    last: Option<&RunRecord>,
) -> &'static str {
    if app.runner.is_running() || live == Some("failed") {
        return live.unwrap_or("waiting");
    }
    match latest {
        None if last.is_some_and(|r| r.status == RunStatus::Failed) => "waiting",
        None => "never",
        Some(_) => "done",
    }
}
