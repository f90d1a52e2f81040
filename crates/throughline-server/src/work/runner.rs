//! Runs of the line inside the server: one at a time, on threads of their own, so that a busy run leaves the API answering.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde_json::json;
use throughline_core::{Progress, Timestamp};
use throughline_ledger::AuditEntry;
use throughline_run::{Project, RunError, RunOptions, Stores};
use utoipa::ToSchema;

use super::hub::{Hub, News, Topic};
use super::schedule;
use crate::api::shapes::{RunAtWork, StageAtWork, StageName};
use crate::app::Shared;
use crate::problem::{ApiError, chain};

/// How long an order waits while another process holds the project.
const BUSY_MICROS: i64 = 60_000_000;

/// How a stage of the run at work stands.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct StageProgress {
    /// Its name.
    #[schema(value_type = StageName)]
    pub(crate) name: String,
    /// How it stands; `failed` where the run ended badly.
    #[schema(value_type = StageAtWork)]
    pub(crate) state: &'static str,
    /// Units of work finished (rows, people, buckets).
    pub(crate) done: u64,
    /// How many there are, when that is known.
    pub(crate) total: Option<u64>,
    /// What came of it, in words.
    pub(crate) summary: Option<String>,
}

/// A run at work, or the last one of this server.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct RunState {
    /// Who asked for it.
    pub(crate) requested_by: String,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) started_at: Timestamp,
    /// How it stands.
    #[schema(value_type = RunAtWork)]
    pub(crate) status: &'static str,
    /// Why it failed.
    pub(crate) error: Option<String>,
    /// Its stages in order.
    pub(crate) stages: Vec<StageProgress>,
}

/// What is asked of a run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Order {
    /// Name of who asks, for people and for the audit log.
    pub(crate) by: String,
    /// Id of who asks.
    pub(crate) by_id: String,
    pub(crate) stage: Option<String>,
    pub(crate) from: Option<String>,
    /// Whether it is tried again when another process holds the project; a person is told instead.
    pub(crate) waits: bool,
}

impl Order {
    /// The run that carries out an approved request.
    pub(crate) fn of_approval(id: &str) -> Self {
        Self { by: format!("approval {id}"), by_id: "approval".into(), waits: true, ..Self::default() }
    }
}

/// Starts runs and knows how they stand.
#[derive(Debug, Default)]
pub(crate) struct Runner {
    state: Mutex<Option<RunState>>,
    wanted: Mutex<Option<(Order, Timestamp)>>,
    cancel: Mutex<Option<Arc<AtomicBool>>>,
}

impl Runner {
    /// The run at work or the last one.
    pub(crate) fn state(&self) -> Option<RunState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether a run is at work.
    pub(crate) fn is_running(&self) -> bool {
        self.state().is_some_and(|s| s.status == "running")
    }

    /// Asks the run at work to stop. `false` when there is none.
    pub(crate) fn cancel(&self) -> bool {
        let cancel = self.cancel.lock().unwrap_or_else(PoisonError::into_inner);
        cancel.as_ref().is_some_and(|flag| {
            flag.store(true, Ordering::Relaxed);
            true
        })
    }

    /// Asks for a run, from `at` on, as soon as the one at work is over.
    pub(crate) fn want(&self, order: Order, at: Timestamp) {
        *self.wanted.lock().unwrap_or_else(PoisonError::into_inner) = Some((order, at));
    }

    /// What is asked for by now; asking again finds nothing.
    pub(crate) fn wanted(&self, now: Timestamp) -> Option<Order> {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        wanted.take_if(|(_, at)| *at <= now).map(|(order, _)| order)
    }

    /// Takes the place of the run at work. `None` when it is taken.
    fn take(&self, order: &Order, now: Timestamp) -> Option<(RunState, Arc<AtomicBool>)> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.as_ref().is_some_and(|s| s.status == "running") {
            return None;
        }
        let waiting =
            |name: &str| StageProgress { name: name.to_owned(), state: "waiting", done: 0, total: None, summary: None };
        let begun = RunState {
            requested_by: order.by.clone(),
            started_at: now,
            status: "running",
            error: None,
            stages: throughline_run::stage_names().into_iter().map(waiting).collect(),
        };
        *state = Some(begun.clone());
        let flag = Arc::new(AtomicBool::new(false));
        *self.cancel.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&flag));
        Some((begun, flag))
    }

    fn change(&self, change: impl FnOnce(&mut RunState)) -> Option<RunState> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = state.as_mut()?;
        change(state);
        Some(state.clone())
    }

    fn end(&self, result: &Result<(), RunError>) -> Option<RunState> {
        *self.cancel.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.change(|state| {
            let (status, unfinished) = match result {
                Ok(()) => ("succeeded", "done"),
                Err(RunError::Cancelled) => ("cancelled", "waiting"),
                Err(_) => ("failed", "failed"),
            };
            state.status = status;
            state.error = result.as_ref().err().map(|e| chain(e));
            for stage in state.stages.iter_mut().filter(|s| s.state == "running" || status == "succeeded") {
                stage.state = unfinished;
            }
        })
    }
}

/// Starts a run. Refused when one is at work.
pub(crate) async fn start(app: &Shared, order: Order) -> Result<RunState, ApiError> {
    let project = app.project();
    let names = throughline_run::stage_names();
    if let Some(unknown) = order.stage.iter().chain(&order.from).find(|s| !names.contains(&s.as_str())) {
        return Err(ApiError::invalid(format!("unknown stage `{unknown}` (known: {})", names.join(", "))));
    }
    let (state, cancelled) = app
        .runner
        .take(&order, app.now())
        .ok_or_else(|| ApiError::Conflict { why: "a run is at work; wait for it, or stop it".to_owned() })?;
    if let Err(error) = record(app, &order).await {
        app.runner.end(&Err(RunError::Cancelled));
        return Err(error);
    }
    app.hub.tell(News::Run(state.clone()));
    let app = Arc::clone(app);
    std::thread::Builder::new()
        .name("run".to_owned())
        .spawn(move || {
            let again = order.clone();
            let work = std::panic::AssertUnwindSafe(|| work(&app, &project, order, cancelled));
            let result = std::panic::catch_unwind(work).unwrap_or_else(|_| {
                Err(RunError::NotFound {
                    what: "end of",
                    name: "the run".into(),
                    help: "it panicked; see the log".into(),
                })
            });
            if let Err(error) = &result {
                tracing::error!(error = %chain(error), "run failed");
                if matches!(error, RunError::Busy { .. }) && again.waits {
                    app.runner.want(again, app.now().plus_micros(BUSY_MICROS));
                }
            }
            if let Some(state) = app.runner.end(&result) {
                metrics::counter!("throughline_runs_total", "status" => state.status).increment(1);
                app.hub.tell(News::Run(state));
            }
            app.hub.changed([Topic::Line, Topic::Approvals, Topic::Audit, Topic::Decisions]);
        })
        .map_err(ApiError::inside)?;
    Ok(state)
}

/// Records that the run was asked for, together with the schedules that it serves.
async fn record(app: &Shared, order: &Order) -> Result<(), ApiError> {
    let served = schedule::served_by(app, order).await?;
    let payload = json!({ "stage": order.stage, "from": order.from });
    let entry = AuditEntry { kind: "run_requested", actor: &order.by, payload: &payload, at: app.now() };
    Ok(app.ledger().set_switch(schedule::SERVED, Some(&served), entry).await?)
}

/// Runs the line on a runtime of its own, from the project's files as they are now.
fn work(app: &Shared, project: &Project, order: Order, cancelled: Arc<AtomicBool>) -> Result<(), RunError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .thread_name("run")
        .enable_all()
        .build()
        .map_err(|source| RunError::Io { doing: "start threads for", path: "the run".into(), source })?;
    let project = Arc::new(Project::load(&project.root, project.variables.clone())?);
    app.set_project(Arc::clone(&project));
    let options = RunOptions {
        clock: app.clock(),
        as_of: None,
        stage: order.stage,
        from: order.from,
        requested_by: order.by_id,
        holder: crate::clock::holder(),
        is_alive,
        threads: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        progress: Arc::new(Shown { app: Arc::clone(app) }),
        cancelled,
    };
    runtime.block_on(async {
        let stores = Stores::open(&project).await?;
        throughline_run::run(&project, &stores, &options).await.map(drop)
    })
}

/// Whether another process of that number lives. This one holds no lease when it starts a run: what it left is over.
fn is_alive(pid: u32) -> bool {
    pid != std::process::id() && std::path::Path::new("/proc").join(pid.to_string()).exists()
}

/// Progress as open pages see it.
struct Shown {
    app: Shared,
}

impl Shown {
    fn change(&self, stage: &str, change: impl FnOnce(&mut StageProgress)) {
        // The stage that watches speaks of itself under another name.
        let name = if stage == "watch" { "observe" } else { stage };
        let state = self.app.runner.change(|state| {
            if let Some(stage) = state.stages.iter_mut().find(|s| s.name == name) {
                change(stage);
            }
        });
        let hub: &Hub = &self.app.hub;
        if let Some(state) = state {
            hub.tell(News::Run(state));
        }
    }
}

impl Progress for Shown {
    fn start(&self, stage: &str, total: Option<u64>) {
        self.change(stage, |s| s.total = total.or(s.total));
    }

    fn advance(&self, stage: &str, done: u64) {
        self.change(stage, |s| s.done += done);
    }

    fn finish(&self, stage: &str, summary: &str) {
        self.change(stage, |s| s.summary = Some(summary.to_owned()));
    }

    fn enter(&self, stage: &str) {
        self.change(stage, |s| s.state = "running");
    }

    fn leave(&self, stage: &str, ran: usize) {
        self.change(stage, |s| {
            s.state = "done";
            if ran == 0 {
                s.summary = Some("nothing changed".to_owned());
            }
        });
    }
}
