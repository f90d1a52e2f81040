//! A run: stages in order, units that changed computed, committed and published, the rest left as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use throughline_core::diagnostic::closest;
use throughline_core::{Progress, RunContext, Timestamp};
use throughline_lake::{Lake, SessionOptions, Unit};
use throughline_ledger::{Lease, LeaseRequest, LedgerError, NewRun, Repository, RunRecord, RunStatus, SignedHead};
use throughline_vault::{KeySource, Vault};

use crate::configuration;
use crate::erase;
use crate::error::RunError;
use crate::project::Project;
use crate::report::{RunReport, StageReport, UnitReport, UnitStatus};
use crate::stage::{Stage, StageContext, UnitPlan};
use crate::stages;

const LEASE_TTL: Duration = Duration::from_mins(10);
/// How often the lease of a running run is prolonged.
const HEARTBEAT: Duration = Duration::from_mins(2);

/// Tells the present instant.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// A clock that asks a function.
    pub fn new(tell: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    /// The present instant.
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Clock").field(&self.now()).finish()
    }
}

/// How a run is asked for.
#[derive(Clone)]
pub struct RunOptions {
    /// The clock of the wall: what the ledger records as the time of things.
    pub clock: Clock,
    /// What could be known; the project's `as_of`, or the present instant, when absent.
    pub as_of: Option<Timestamp>,
    /// Only this stage.
    pub stage: Option<String>,
    /// This stage and everything after it, computed anew.
    pub from: Option<String>,
    /// On whose behalf: the id of a user, a schedule, the command line. Requests of the run carry it.
    pub requested_by: String,
    /// Who holds the lease: `pid:<number>@<machine>`, so that a dead holder is recognised on its own machine.
    pub holder: String,
    /// Whether a process of that number is alive on this machine.
    pub is_alive: fn(u32) -> bool,
    /// Parallelism of the query engine.
    pub threads: usize,
    /// Where progress is shown.
    pub progress: Arc<dyn Progress>,
    /// Asked to stop.
    pub cancelled: Arc<std::sync::atomic::AtomicBool>,
}

impl std::fmt::Debug for RunOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunOptions")
            .field("clock", &self.clock)
            .field("as_of", &self.as_of)
            .field("stage", &self.stage)
            .field("from", &self.from)
            .field("holder", &self.holder)
            .finish_non_exhaustive()
    }
}

/// The stores of a project.
#[derive(Debug)]
pub struct Stores {
    /// The lake.
    pub lake: Lake,
    /// The ledger.
    pub ledger: Arc<dyn Repository>,
    /// The vault.
    pub vault: Vault,
}

impl Stores {
    /// Opens (or makes) the stores of a project.
    pub async fn open(project: &Project) -> Result<Self, RunError> {
        let state = project.state_dir();
        std::fs::create_dir_all(&state).map_err(RunError::io("create", &state))?;
        let vault_dir = state.join("vault");
        std::fs::create_dir_all(&vault_dir).map_err(RunError::io("create", &vault_dir))?;
        Ok(Self {
            lake: Lake::open_local(&state.join("lake"))?,
            ledger: project.open_ledger().await?,
            vault: Vault::open(&vault_dir, KeySource::File).await?,
        })
    }
}

/// Runs the line.
pub async fn run(project: &Project, stores: &Stores, options: &RunOptions) -> Result<RunReport, RunError> {
    let line = stages::line();
    let selected = select(&line, options)?;
    let lease = acquire(stores.ledger.as_ref(), &options.holder, options.clock.now(), options.is_alive).await?;
    let heart = tokio::spawn(keep_lease(Arc::clone(&stores.ledger), options.clock.clone(), lease.fence));
    let result = run_leased(project, stores, options, &line, &selected, &lease).await;
    heart.abort();
    let released = stores.ledger.release_lease(lease.fence).await;
    let report = result?;
    released?;
    Ok(report)
}

/// Prolongs the lease until it is stopped, beside the run, which may compute for long without pause. A lease that was lost
/// is noticed by the run itself: its next write is fenced.
pub(crate) async fn keep_lease(ledger: Arc<dyn Repository>, clock: Clock, fence: u64) {
    loop {
        tokio::time::sleep(HEARTBEAT).await;
        if let Err(LedgerError::Fenced { .. } | LedgerError::LeaseReleased { .. }) =
            ledger.renew_lease(fence, clock.now(), LEASE_TTL).await
        {
            return;
        }
    }
}

/// Which stages run, and which of them anew.
struct Selection {
    names: BTreeSet<&'static str>,
    anew: BTreeSet<&'static str>,
}

fn select(line: &[Box<dyn Stage>], options: &RunOptions) -> Result<Selection, RunError> {
    let names: Vec<&'static str> = line.iter().map(|s| s.name()).collect();
    let position = |name: &String| {
        names.iter().position(|n| n == name).ok_or_else(|| RunError::UnknownStage {
            name: name.clone(),
            known: names.join(", "),
            suggestion: closest(name, names.iter().copied()).map(str::to_owned),
        })
    };
    let only = options.stage.as_ref().map(position).transpose()?;
    let from = options.from.as_ref().map(position).transpose()?;
    let chosen = |i: &usize| only.is_none_or(|o| *i == o) && from.is_none_or(|f| *i >= f);
    let indices: Vec<usize> = (0..names.len()).filter(chosen).collect();
    let anew = if from.is_some() { indices.clone() } else { only.into_iter().collect() };
    Ok(Selection { names: indices.iter().map(|i| names[*i]).collect(), anew: anew.iter().map(|i| names[*i]).collect() })
}

/// The process behind a holder, when it is of the same machine as we are.
fn neighbour(held: &str, own: &str) -> Option<u32> {
    let (process, machine) = held.split_once('@')?;
    let (_, here) = own.split_once('@')?;
    process.strip_prefix("pid:").filter(|_| machine == here)?.parse().ok()
}

/// Acquires the lease; a holder of this machine whose process is gone is replaced at once.
pub(crate) async fn acquire(
    ledger: &dyn Repository,
    holder: &str,
    now: Timestamp,
    is_alive: fn(u32) -> bool,
) -> Result<Lease, RunError> {
    let request = |dead| LeaseRequest { holder, now, ttl: LEASE_TTL, dead };
    match ledger.acquire_lease(request(None)).await {
        Err(LedgerError::LeaseHeld { .. }) => {}
        other => return Ok(other?),
    }
    let Some(held) = ledger.lease().await? else {
        return Ok(ledger.acquire_lease(request(None)).await?);
    };
    if neighbour(&held.holder, holder).is_some_and(|pid| !is_alive(pid)) {
        return Ok(ledger.acquire_lease(request(Some(held.fence))).await?);
    }
    Err(RunError::Busy { holder: held.holder })
}

async fn run_leased(
    project: &Project,
    stores: &Stores,
    options: &RunOptions,
    line: &[Box<dyn Stage>],
    selected: &Selection,
    lease: &Lease,
) -> Result<RunReport, RunError> {
    erase::finish_begun(project, stores, options.clock.now()).await?;
    let config_hash = project.hash();
    let as_of = match options.as_of.or(project.config.value.as_of) {
        Some(as_of) => as_of,
        None => interrupted(stores.ledger.as_ref(), &config_hash).await?.unwrap_or_else(|| options.clock.now()),
    };
    configuration::record(project, stores.ledger.as_ref(), options.clock.now()).await?;
    let started_at = options.clock.now();
    let new = NewRun { as_of, config_hash: &config_hash, seed: project.config.value.seed, started_at };
    let record = stores.ledger.resume_or_begin_run(lease.fence, new).await?;
    // A project that lives in the past (or in a simulation) has its clock there: nothing in it is stale by today.
    let now = project.config.value.as_of.filter(|_| options.as_of.is_none()).unwrap_or(record.started_at);
    let context = StageContext {
        project,
        lake: &stores.lake,
        vault: &stores.vault,
        ledger: stores.ledger.as_ref(),
        run: RunContext::new(record.run_seq, now, record.as_of, record.seed)
            .with_progress(Arc::clone(&options.progress))
            .with_cancel_flag(Arc::clone(&options.cancelled)),
        clock: options.clock.clone(),
        requested_by: options.requested_by.clone(),
        fence: lease.fence,
        manifest: Mutex::new(stores.ledger.manifest().await?),
        session: SessionOptions {
            memory_bytes: project.config.value.memory_mb << 20,
            spill_dir: Some(project.state_dir().join("spill")),
            threads: options.threads,
        },
    };
    for stage in &selected.anew {
        stores.ledger.forget(lease.fence, stage, options.clock.now()).await?;
    }
    let mut reports = Vec::new();
    for stage in line.iter().filter(|s| selected.names.contains(s.name())) {
        match run_stage(stage.as_ref(), line, &context).await {
            Ok(report) => reports.push(report),
            Err(error) => {
                let status =
                    if matches!(error, RunError::Cancelled) { RunStatus::Cancelled } else { RunStatus::Failed };
                let note = serde_json::json!({ "error": chain(&error) });
                stores.ledger.finish_run(lease.fence, record.run_seq, status, options.clock.now(), &note).await?;
                return Err(error);
            }
        }
    }
    finish(project, &context, line, &record, reports).await
}

/// The as-of instant of the last run, when it was interrupted with this configuration: the new run continues it.
async fn interrupted(ledger: &dyn Repository, config_hash: &str) -> Result<Option<Timestamp>, RunError> {
    let last = ledger.runs(1).await?.pop();
    Ok(last.filter(|r| r.status == RunStatus::Running && r.config_hash == config_hash).map(|r| r.as_of))
}

async fn finish(
    project: &Project,
    context: &StageContext<'_>,
    line: &[Box<dyn Stage>],
    record: &RunRecord,
    stages: Vec<StageReport>,
) -> Result<RunReport, RunError> {
    let sources = crate::sources::source_states(project, context.ledger, context.run.as_of).await?;
    let report = RunReport::new(project, record, context.run.now, line, stages, (sources, context.versions()));
    let value = serde_json::to_value(&report)?;
    let ledger = context.ledger;
    ledger.finish_run(context.fence, record.run_seq, RunStatus::Succeeded, context.wall(), &value).await?;
    report.write(&project.state_dir())?;
    sign_head(project, ledger, context.wall()).await?;
    Ok(report)
}

/// Signs the head of the audit log, so that what the run recorded cannot be rewritten unnoticed.
pub async fn sign_head(project: &Project, ledger: &dyn Repository, now: Timestamp) -> Result<SignedHead, RunError> {
    let key = crate::audit_key::open(project)?;
    let (size, root) = ledger.audit_tree().await?;
    let head = key.sign(size, root, now);
    ledger.keep_head(&head).await?;
    Ok(head)
}

/// The error and its causes in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

async fn run_stage(
    stage: &dyn Stage,
    line: &[Box<dyn Stage>],
    context: &StageContext<'_>,
) -> Result<StageReport, RunError> {
    let failed = |unit: &str| {
        let (stage, unit) = (stage.name().to_owned(), unit.to_owned());
        move |source: crate::stage::StageError| stage_failure(stage, unit, source)
    };
    context.run.progress.enter(stage.name());
    let inputs = input_fingerprints(stage, line, context).await?;
    let plans = stage.units(context).await.map_err(failed("*"))?;
    let mut units = Vec::new();
    for plan in plans {
        if context.run.is_cancelled() {
            return Err(RunError::Cancelled);
        }
        let fingerprint = fingerprint(stage, &plan, &inputs, context);
        let known = context.ledger.fingerprint(stage.name(), &plan.name).await?;
        if let Some(known) = known.filter(|k| k.fingerprint == fingerprint) {
            units.push(UnitReport::unchanged(plan.name, fingerprint, known.metrics));
            continue;
        }
        let unit = Unit {
            stage: stage.name().to_owned(),
            name: plan.name.clone(),
            fingerprint: fingerprint.clone(),
            run_seq: context.run.run_seq,
        };
        let started = Instant::now();
        let output = stage.run(context, &unit).await.map_err(failed(&plan.name))?;
        let mut rows = BTreeMap::new();
        for staged in &output.staged {
            *rows.entry(staged.spec.name.clone()).or_default() += staged.rows();
        }
        context.publish(&unit, output.staged, &output.metrics).await?;
        units.push(UnitReport {
            name: plan.name,
            fingerprint,
            status: UnitStatus::Ran,
            seconds: started.elapsed().as_secs_f64(),
            rows,
            metrics: output.metrics,
        });
    }
    let ran = units.iter().filter(|u| u.status == UnitStatus::Ran).count();
    context.run.progress.leave(stage.name(), ran);
    Ok(StageReport { name: stage.name().to_owned(), version: stage.version(), units })
}

/// Whether a stage ended because it was asked to.
fn is_cancellation(error: &(dyn std::error::Error + 'static)) -> bool {
    use throughline_activate::ActivateError;
    use throughline_features::FeatureError;
    use throughline_identity::IdentityError;
    use throughline_ingest::IngestError;
    use throughline_journeys::JourneyError;
    use throughline_watch::WatchError;
    let mut next = Some(error);
    while let Some(error) = next {
        let asked = matches!(error.downcast_ref(), Some(ActivateError::Cancelled { .. }))
            || matches!(error.downcast_ref(), Some(FeatureError::Cancelled))
            || matches!(error.downcast_ref(), Some(IdentityError::Cancelled))
            || matches!(error.downcast_ref(), Some(IngestError::Cancelled { .. }))
            || matches!(error.downcast_ref(), Some(JourneyError::Cancelled))
            || matches!(error.downcast_ref(), Some(WatchError::Cancelled))
            || matches!(error.downcast_ref(), Some(RunError::Cancelled));
        if asked {
            return true;
        }
        next = error.source();
    }
    false
}

/// A configuration error inside a stage stays one; cancellation is not a failure.
fn stage_failure(stage: String, unit: String, source: crate::stage::StageError) -> RunError {
    if is_cancellation(source.as_ref()) {
        return RunError::Cancelled;
    }
    match source.downcast::<RunError>() {
        Ok(error) => match *error {
            RunError::Project(found) => RunError::Project(found),
            other => RunError::Stage { stage, unit, source: Box::new(other) },
        },
        Err(source) => RunError::Stage { stage, unit, source },
    }
}

/// What the tables a stage reads were made from: the fingerprints of every unit of every stage that writes them.
async fn input_fingerprints(
    stage: &dyn Stage,
    line: &[Box<dyn Stage>],
    context: &StageContext<'_>,
) -> Result<Vec<String>, RunError> {
    let mut out = Vec::new();
    for writer in line.iter().filter(|w| w.name() != stage.name()) {
        if !writer.writes().iter().any(|t| stage.reads().contains(t)) {
            continue;
        }
        for (unit, record) in context.ledger.fingerprints(writer.name()).await? {
            out.push(format!("{}/{unit}={}", writer.name(), record.fingerprint));
        }
    }
    Ok(out)
}

fn fingerprint(stage: &dyn Stage, plan: &UnitPlan, inputs: &[String], context: &StageContext<'_>) -> String {
    let mut hash = Sha256::new();
    let mut add = |text: &str| {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    };
    add(stage.name());
    add(&stage.version().to_string());
    add(&plan.name);
    for input in plan.inputs.iter().chain(inputs) {
        add(input);
    }
    add(&context.run.seed.to_string());
    if stage.depends_on_as_of() {
        add(&context.run.as_of.to_string());
    }
    hex::encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::neighbour;

    #[test]
    fn only_a_process_of_the_same_machine_can_be_found_dead() {
        assert_eq!(neighbour("pid:7@web-1", "pid:9@web-1"), Some(7));
        assert_eq!(neighbour("pid:7@web-2", "pid:9@web-1"), None);
        assert_eq!(neighbour("verify", "pid:9@web-1"), None);
        assert_eq!(neighbour("pid:x@web-1", "pid:9@web-1"), None);
    }
}
