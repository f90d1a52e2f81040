//! Stage 1: source files become events and spend. One unit a file.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use throughline_ingest::{CompiledSource, SourceFile, ingest_file};
use throughline_lake::Unit;
use throughline_vault::Intake;

use crate::error::RunError;
use crate::sources::files_of;
use crate::stage::{Stage, StageContext, StageError, StageOutput, UnitPlan};

/// The files of a run, listed and hashed once: a project may have one for each day.
#[derive(Debug, Default)]
pub(super) struct Ingest {
    files: Mutex<BTreeMap<String, (usize, SourceFile)>>,
    /// What the run knows of the vault. The lease keeps others from putting identifiers into it meanwhile.
    intake: tokio::sync::Mutex<Option<Intake>>,
}

fn unit_name(source: &str, file: &SourceFile) -> String {
    format!("{source}/{}", file.name)
}

/// The files of every source, by unit name, with the position of the source.
fn files(context: &StageContext<'_>) -> Result<BTreeMap<String, (usize, SourceFile)>, StageError> {
    let mut out = BTreeMap::new();
    for (index, source) in context.project.sources.iter().enumerate() {
        let files = files_of(context.project, source).map_err(|finding| RunError::Project(vec![finding]))?;
        for file in files {
            out.insert(unit_name(&source.value.name.value, &file), (index, file));
        }
    }
    Ok(out)
}

#[async_trait]
impl Stage for Ingest {
    fn name(&self) -> &'static str {
        "ingest"
    }

    fn version(&self) -> u32 {
        2
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
        let files = files(context)?;
        let plan = |(name, (index, file)): (&String, &(usize, SourceFile))| {
            let config = context.project.sources[*index].value.digest.clone();
            UnitPlan { name: name.clone(), inputs: vec![config, file.content_hash.clone()] }
        };
        let plans = files.iter().map(plan).collect();
        *self.files.lock().unwrap_or_else(PoisonError::into_inner) = files;
        Ok(plans)
    }

    async fn run(&self, context: &StageContext<'_>, unit: &Unit) -> Result<StageOutput, StageError> {
        let listed = self.files.lock().unwrap_or_else(PoisonError::into_inner).remove(&unit.name);
        let Some((index, file)) = listed else {
            let help = "the file was there when the run began".to_owned();
            return Err(RunError::NotFound { what: "file", name: unit.name.clone(), help }.into());
        };
        let source = &context.project.sources[index].value;
        let compiled = CompiledSource::compile(source, std::slice::from_ref(&file)).map_err(RunError::Project)?;
        let mut intake = self.intake.lock().await;
        let intake = intake.get_or_insert_with(|| context.vault.intake());
        let outcome = ingest_file(context.lake, intake, &context.run, &compiled, &file, unit).await?;
        Ok(StageOutput { staged: outcome.staged, metrics: serde_json::to_value(outcome.report)? })
    }
}
