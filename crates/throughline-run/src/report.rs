//! The run report: what ran, what it read and wrote, what it found. JSON for programs, one page for people.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;
use throughline_core::{Diagnostic, Timestamp};
use throughline_ledger::RunRecord;

use crate::error::RunError;
use crate::project::Project;
use crate::sources::SourceState;
use crate::stage::Stage;

/// Whether a unit had to be computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitStatus {
    /// Its inputs changed; it was computed and published.
    Ran,
    /// Nothing it depends on changed; what was published stands.
    Unchanged,
}

/// One unit of a stage.
#[derive(Debug, Clone, Serialize)]
pub struct UnitReport {
    /// Name.
    pub name: String,
    /// Hash of everything it depends on.
    pub fingerprint: String,
    /// Whether it ran.
    pub status: UnitStatus,
    /// How long it took.
    pub seconds: f64,
    /// Rows written by table.
    pub rows: BTreeMap<String, u64>,
    /// What the stage reports.
    pub metrics: Value,
}

impl UnitReport {
    pub(crate) fn unchanged(name: String, fingerprint: String, metrics: Value) -> Self {
        Self { name, fingerprint, status: UnitStatus::Unchanged, seconds: 0.0, rows: BTreeMap::new(), metrics }
    }
}

/// One stage.
#[derive(Debug, Clone, Serialize)]
pub struct StageReport {
    /// Name.
    pub name: String,
    /// Semantic version.
    pub version: u32,
    /// Its units.
    pub units: Vec<UnitReport>,
}

/// Which tables a stage reads and writes.
#[derive(Debug, Clone, Serialize)]
pub struct Lineage {
    /// Stage.
    pub stage: String,
    /// Tables read.
    pub reads: Vec<String>,
    /// Tables written.
    pub writes: Vec<String>,
}

/// A run as reported.
#[derive(Debug, Clone, Serialize)]
pub struct RunReport {
    /// Version of Throughline.
    pub throughline: String,
    /// Name of the project.
    pub project: String,
    /// What the team asked.
    pub questions: Vec<String>,
    /// Its currency.
    pub currency: String,
    /// Number of the run.
    pub run_seq: u64,
    /// What could be known.
    pub as_of: Timestamp,
    /// When it began.
    pub started_at: Timestamp,
    /// Seed.
    pub seed: u64,
    /// How often it was resumed after an interruption.
    pub resumed: u32,
    /// The stages that were asked for, in order.
    pub stages: Vec<StageReport>,
    /// How the sources stand: watermarks, what is different, what is gone.
    pub sources: Vec<SourceState>,
    /// Published version of every table.
    pub tables: BTreeMap<String, u64>,
    /// What flows where.
    pub lineage: Vec<Lineage>,
    /// Findings about the configuration.
    pub warnings: Vec<Diagnostic>,
    /// The known truth beside the estimates, when the project is simulated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truth: Option<Value>,
}

impl RunReport {
    pub(crate) fn new(
        project: &Project,
        record: &RunRecord,
        now: Timestamp,
        line: &[Box<dyn Stage>],
        stages: Vec<StageReport>,
        (sources, tables): (Vec<SourceState>, BTreeMap<String, u64>),
    ) -> Self {
        let names = |tables: &[&str]| tables.iter().map(|t| (*t).to_owned()).collect();
        Self {
            throughline: env!("CARGO_PKG_VERSION").to_owned(),
            project: project.config.value.name.clone(),
            questions: project.config.value.questions.clone(),
            currency: project.config.value.currency.to_string(),
            run_seq: record.run_seq,
            as_of: record.as_of,
            started_at: now,
            seed: record.seed,
            resumed: record.resumed,
            stages,
            sources,
            tables,
            lineage: line
                .iter()
                .map(|s| Lineage { stage: s.name().to_owned(), reads: names(s.reads()), writes: names(s.writes()) })
                .collect(),
            warnings: project.warnings.clone(),
            truth: None,
        }
    }

    /// The folder of this run's report.
    pub fn folder(&self, state: &Path) -> PathBuf {
        state.join("runs").join(self.run_seq.to_string())
    }

    /// Writes `report.json` and `report.html`, each whole or not at all.
    pub fn write(&self, state: &Path) -> Result<PathBuf, RunError> {
        let folder = self.folder(state);
        std::fs::create_dir_all(&folder).map_err(RunError::io("create", &folder))?;
        let json = serde_json::to_string_pretty(self)?;
        replace(&folder.join("report.json"), json.as_bytes())?;
        let page = folder.join("report.html");
        replace(&page, crate::page::render(&serde_json::to_value(self)?).as_bytes())?;
        Ok(page)
    }

    /// The metrics of the units of a stage.
    pub fn metrics(&self, stage: &str) -> impl Iterator<Item = &Value> {
        self.stages.iter().filter(move |s| s.name == stage).flat_map(|s| s.units.iter().map(|u| &u.metrics))
    }
}

fn replace(path: &Path, bytes: &[u8]) -> Result<(), RunError> {
    let part = path.with_extension("part");
    std::fs::write(&part, bytes).map_err(RunError::io("write", &part))?;
    std::fs::rename(&part, path).map_err(RunError::io("write", path))
}
