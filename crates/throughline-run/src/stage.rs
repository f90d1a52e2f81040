//! What a stage is: declared inputs, units of work, staged output.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use serde_json::Value;
use throughline_core::{RunContext, Timestamp};
use throughline_lake::{Lake, LakeError, Session, SessionOptions, Snapshot, Staged, TableSpec, Unit};
use throughline_ledger::{AuditEntry, Publication, Repository};
use throughline_vault::{Opening, Vault};

use crate::engine::Stores;
use crate::error::RunError;
use crate::project::Project;

/// The failure of a stage.
pub(crate) type StageError = Box<dyn std::error::Error + Send + Sync>;

/// What a stage may use while it runs.
#[derive(Debug)]
pub(crate) struct StageContext<'a> {
    /// The project.
    pub(crate) project: &'a Project,
    /// The lake.
    pub(crate) lake: &'a Lake,
    /// The vault; `ingest` writes to it, `link` and `activate` open it.
    pub(crate) vault: &'a Vault,
    /// The ledger.
    pub(crate) ledger: &'a dyn Repository,
    /// Time, seed, progress.
    pub(crate) run: RunContext,
    /// The clock of the wall, for what the ledger records.
    pub(crate) clock: crate::engine::Clock,
    /// On whose behalf the run works: the id of a user, a schedule, the command line.
    pub(crate) requested_by: String,
    /// The fence of the lease.
    pub(crate) fence: u64,
    /// The published version of every table, as of this moment of the run.
    pub(crate) manifest: Mutex<BTreeMap<String, u64>>,
    /// Limits of query sessions.
    pub(crate) session: SessionOptions,
}

impl<'a> StageContext<'a> {
    /// For looking at what is published, outside a run.
    pub(crate) async fn looking(project: &'a Project, stores: &'a Stores) -> Result<Self, RunError> {
        Ok(Self {
            project,
            lake: &stores.lake,
            vault: &stores.vault,
            ledger: stores.ledger.as_ref(),
            run: RunContext::new(0, Timestamp::MIN, Timestamp::MAX, project.config.value.seed),
            clock: crate::engine::Clock::new(|| Timestamp::MIN),
            requested_by: String::new(),
            fence: 0,
            manifest: Mutex::new(stores.ledger.manifest().await?),
            session: SessionOptions::default(),
        })
    }
}

impl StageContext<'_> {
    /// The present instant, whatever clock the project lives by.
    pub(crate) fn wall(&self) -> Timestamp {
        self.clock.now()
    }

    /// Puts openings of the vault on record.
    pub(crate) async fn audit_openings(&self, openings: &[Opening]) -> Result<(), StageError> {
        for opening in openings {
            let payload = serde_json::to_value(opening)?;
            let entry = AuditEntry { kind: "vault_opened", actor: &opening.actor, payload: &payload, at: self.wall() };
            self.ledger.append_audit(entry).await?;
        }
        Ok(())
    }

    /// A table as published.
    pub(crate) async fn read(&self, spec: &TableSpec) -> Result<Snapshot, LakeError> {
        self.lake.snapshot(spec, self.version(&spec.name)).await
    }

    /// The published version of a table.
    pub(crate) fn version(&self, table: &str) -> Option<u64> {
        self.versions().get(table).copied()
    }

    /// The published version of every table.
    pub(crate) fn versions(&self) -> BTreeMap<String, u64> {
        self.manifest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Commits what a unit staged, table by table, then publishes it in one transaction of the ledger.
    pub(crate) async fn publish(&self, unit: &Unit, staged: Vec<Staged>, metrics: &Value) -> Result<(), RunError> {
        let mut versions: BTreeMap<String, u64> = BTreeMap::new();
        for staged in staged {
            let name = staged.spec.name.clone();
            // Two commits to one table build on each other: the later one sees the earlier one as its base.
            let base = versions.get(&name).copied().or_else(|| self.version(&name));
            versions.insert(name, self.lake.commit(base, staged).await?);
        }
        let tables: Vec<(String, u64)> = versions.into_iter().collect();
        let publication = Publication {
            run_seq: unit.run_seq,
            stage: &unit.stage,
            unit: &unit.name,
            fingerprint: &unit.fingerprint,
            tables: &tables,
            metrics,
            now: self.wall(),
        };
        self.ledger.publish(self.fence, publication).await?;
        self.manifest.lock().unwrap_or_else(PoisonError::into_inner).extend(tables);
        Ok(())
    }

    /// A new query session within the memory budget.
    pub(crate) fn session(&self) -> Result<Session, LakeError> {
        Session::new(&self.session)
    }
}

/// A unit of work and the part of its configuration that its content depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnitPlan {
    /// Name within the stage.
    pub(crate) name: String,
    /// Whatever besides the declared tables decides the content: configuration, file hashes.
    pub(crate) inputs: Vec<String>,
}

impl UnitPlan {
    /// The single unit of a stage.
    pub(crate) fn all(inputs: Vec<String>) -> Vec<Self> {
        vec![Self { name: "all".into(), inputs }]
    }
}

/// What a unit produced.
#[derive(Debug)]
pub(crate) struct StageOutput {
    /// Files to commit.
    pub(crate) staged: Vec<Staged>,
    /// What to report; kept with the fingerprint, so that a skipped unit still reports.
    pub(crate) metrics: Value,
}

/// A stage of the line: a pure function of its declared inputs.
#[async_trait]
pub(crate) trait Stage: Send + Sync {
    /// Name.
    fn name(&self) -> &'static str;
    /// Grows when the meaning of the output changes.
    fn version(&self) -> u32;
    /// Tables it reads.
    fn reads(&self) -> &'static [&'static str];
    /// Tables it writes.
    fn writes(&self) -> &'static [&'static str];
    /// Whether the as-of instant changes its output.
    fn depends_on_as_of(&self) -> bool;
    /// The units of work.
    async fn units(&self, context: &StageContext<'_>) -> Result<Vec<UnitPlan>, StageError>;
    /// Runs one unit.
    async fn run(&self, context: &StageContext<'_>, unit: &Unit) -> Result<StageOutput, StageError>;
}
