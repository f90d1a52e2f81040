//! Stage 1: source files become events and spend. One unit a file.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::{Value, json};
use throughline_core::Diagnostic;
use throughline_ingest::config::Vanished;
use throughline_ingest::{CompiledSource, Drift, SourceFile, by_name, drift_finding, drop_unit, ingest_export};
use throughline_lake::Unit;
use throughline_vault::Intake;
use tokio::sync::Mutex;

use crate::error::RunError;
use crate::quarantine::{Corrections, Outcome, Replayed};
use crate::sources::readings::{NewReading, Readings, differences};
use crate::sources::{files_of, unit_name};
use crate::stage::{Stage, StageContext, StageError, StageOutput, UnitPlan};

/// What stands for the content of a file that is gone.
const GONE: &str = "gone";

/// The files of a run, listed and hashed once: a project may have one for each day.
#[derive(Debug, Default)]
pub(super) struct Ingest {
    known: Mutex<Known>,
    /// What the run knows of the vault. The lease keeps others from putting identifiers into it meanwhile.
    intake: Mutex<Option<Intake>>,
}

/// What a run knows of its files.
#[derive(Debug, Default)]
struct Known {
    /// By unit, with the position of the source.
    files: BTreeMap<String, (usize, SourceFile)>,
    readings: Readings,
    corrections: Corrections,
}

/// The files of every source, by unit name, with the position of the source.
fn files(context: &StageContext<'_>) -> Result<BTreeMap<String, (usize, SourceFile)>, StageError> {
    let mut out = BTreeMap::new();
    for (index, source) in context.project.sources.iter().enumerate() {
        let files = files_of(context.project, source).map_err(|finding| RunError::Project(vec![finding]))?;
        for file in files {
            out.insert(unit_name(&source.value.name.value, &file.name), (index, file));
        }
    }
    Ok(out)
}

/// Units that were read, are no longer there, and whose source says that their rows go with them.
fn to_drop(context: &StageContext<'_>, known: &Known) -> Vec<UnitPlan> {
    let drops = |source: &str| {
        let all = context.project.sources.iter();
        all.filter(|s| s.value.vanished == Vanished::Drop).any(|s| s.value.name.value == source)
    };
    let gone =
        known.readings.units().filter(|(unit, reading)| !known.files.contains_key(*unit) && drops(&reading.source));
    gone.map(|(unit, _)| UnitPlan { name: unit.clone(), inputs: vec![GONE.to_owned()] }).collect()
}

#[async_trait]
impl Stage for Ingest {
    fn name(&self) -> &'static str {
        "ingest"
    }

    fn version(&self) -> u32 {
        3
    }

    fn reads(&self) -> &'static [&'static str] {
        &[]
    }

    fn writes(&self) -> &'static [&'static str] {
        &["events", "profiles", "spend", "quarantine"]
    }

    fn depends_on_as_of(&self) -> bool {
        false
    }

    async fn units(&self, context: &StageContext<'_>) -> Result<Vec<UnitPlan>, StageError> {
        let known = Known {
            files: files(context)?,
            readings: Readings::load(context.ledger).await?,
            corrections: Corrections::load(context.ledger).await?,
        };
        let plan = |(name, (index, file)): (&String, &(usize, SourceFile))| {
            let config = context.project.sources[*index].value.digest.clone();
            let mut inputs = vec![config, file.content_hash.clone()];
            // A unit without corrections keeps the fingerprint it had before there were any.
            inputs.extend(known.corrections.digest(name));
            UnitPlan { name: name.clone(), inputs }
        };
        let mut plans: Vec<UnitPlan> = known.files.iter().map(plan).collect();
        plans.extend(to_drop(context, &known));
        // Exports are read in the order of their names: of two that were not read before, the later name is the newer export.
        plans.sort_by(|a, b| by_name(&a.name, &b.name));
        *self.known.lock().await = known;
        Ok(plans)
    }

    async fn run(&self, context: &StageContext<'_>, unit: &Unit) -> Result<StageOutput, StageError> {
        let mut known = self.known.lock().await;
        let Some((index, file)) = known.files.remove(&unit.name) else {
            let staged = drop_unit(context.lake, unit).await?;
            let (source, file) = unit.name.split_once('/').unwrap_or_default();
            let metrics = json!({ "source": source, "file": file, "gone": true });
            return Ok(StageOutput { staged, metrics });
        };
        let source = &context.project.sources[index];
        let compiled =
            CompiledSource::compile(&source.value, std::slice::from_ref(&file)).map_err(RunError::Project)?;
        let columns = compiled.columns_of(&file)?;
        let new = NewReading {
            source: &source.value.name.value,
            file: &file,
            columns: &columns,
            now: context.run.now,
            wall: context.wall(),
            run_seq: context.run.run_seq,
        };
        let reading = known.readings.note(context.ledger, &unit.name, new).await?;
        let before = known.readings.columns_before(&unit.name, &reading);
        let drift = differences(before, &columns, &compiled.columns_used());
        let mut intake = self.intake.lock().await;
        let intake = intake.get_or_insert_with(|| context.vault.intake());
        let corrected = known.corrections.apply(context, intake, &compiled, &file, unit).await?;
        let read = corrected.file().unwrap_or(&file);
        let (lake, read_at) = (context.lake, reading.read_at);
        let outcome = ingest_export(lake, intake, &context.run, &compiled, read, unit, read_at).await?;
        let replayed = corrected.replayed(&outcome.refused);
        let findings = findings(&drift, &replayed, &file.name, &source.file);
        let mut metrics = serde_json::to_value(&outcome.report)?;
        metrics["read_at"] = json!(reading.read_at);
        metrics["drift"] = json!(drift);
        metrics["corrections"] = json!(replayed);
        if let Value::Array(warnings) = &mut metrics["warnings"] {
            for finding in findings {
                warnings.push(serde_json::to_value(finding)?);
            }
        }
        Ok(StageOutput { staged: outcome.staged, metrics })
    }
}

/// What to say of a file: columns that differ, and corrections that did not do what they should.
fn findings(drift: &[Drift], replayed: &[Replayed], file: &str, source_file: &str) -> Vec<Diagnostic> {
    let drifted = drift.iter().map(|d| drift_finding(d, drift, file, source_file));
    let rows = replayed.iter().filter(|r| r.outcome != Outcome::Used).map(|r| r.finding(file));
    drifted.chain(rows).collect()
}
