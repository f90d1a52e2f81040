//! `check`: every source against its files, before anything runs.

use serde::Serialize;
use throughline_core::{Diagnostic, RunContext, Timestamp};
use throughline_ingest::{CompiledSource, SourceFile, Tally, drift_finding, list_units, tally};
use throughline_ledger::LedgerPlace;

use super::findings::{self, LabelCheck};
use super::readings::{Readings, differences};
use super::unit_name;
use crate::error::RunError;
use crate::project::Project;

/// What a source's files look like.
#[derive(Debug, Clone, Serialize)]
pub struct SourceCheck {
    /// The source.
    pub source: String,
    /// Its files.
    pub files: u64,
    /// Their size.
    pub bytes: u64,
    /// What they hold.
    pub profile: Tally,
}

/// What is known of a project's sources before anything runs.
#[derive(Debug, Clone, Serialize)]
pub struct CheckReport {
    /// Every source.
    pub sources: Vec<SourceCheck>,
    /// Conversions and labels of experiments, and how many events there are for each.
    pub labels: Vec<LabelCheck>,
    /// What to mend, most important first.
    pub findings: Vec<Diagnostic>,
}

/// Finds the files of every source and checks its expressions against their columns; all errors come at once. Then looks at up to
/// `max_rows` rows of each source. Nothing is written.
pub async fn check_sources(project: &Project, max_rows: u64, now: Timestamp) -> Result<CheckReport, RunError> {
    let compiled = compile(project)?;
    let readings = known(project).await;
    let now = project.config.value.as_of.unwrap_or(now);
    let context = RunContext::new(0, now, now, project.config.value.seed);
    let (mut sources, mut drifts, mut found) = (Vec::new(), Vec::new(), Vec::new());
    for (source, files) in &compiled {
        drifts.extend(drifted(project, source, files, &readings)?);
        match tally(source, files, &context, max_rows) {
            Ok(profile) => sources.push(SourceCheck {
                source: source.config().name.value.clone(),
                files: files.len() as u64,
                bytes: files.iter().map(|f| f.bytes).sum(),
                profile,
            }),
            Err(error) => found.extend(source.config().findings(&error)),
        }
    }
    if !found.is_empty() {
        return Err(RunError::Project(found));
    }
    let labels = findings::labels(project, &sources);
    let findings = findings::all(project, &sources, &labels, drifts);
    Ok(CheckReport { sources, labels, findings })
}

/// Every source with its files.
fn compile(project: &Project) -> Result<Vec<(CompiledSource, Vec<SourceFile>)>, RunError> {
    let (mut found, mut out) = (Vec::new(), Vec::new());
    for source in &project.sources {
        let files = match list_units(&project.root, &source.value, &project.variables) {
            Ok(files) => files,
            Err(error) => {
                found.push(Diagnostic::error("TL021", error.to_string()).at(&source.file, None, None));
                continue;
            }
        };
        match CompiledSource::compile(&source.value, &files) {
            Ok(compiled) => out.push((compiled, files)),
            Err(findings) => found.extend(findings),
        }
    }
    if found.is_empty() { Ok(out) } else { Err(RunError::Project(found)) }
}

/// What was read before. A ledger that is not there yet is not made, and one in a database that cannot be asked now is no reason
/// to refuse the check.
async fn known(project: &Project) -> Readings {
    if let LedgerPlace::File(path) = &project.ledger
        && !path.exists()
    {
        return Readings::default();
    }
    match project.open_ledger().await {
        Ok(ledger) => Readings::load(ledger.as_ref()).await.unwrap_or_default(),
        Err(_) => Readings::default(),
    }
}

/// What is different in the columns of files that were not read yet, each held against what was read last, then against the file
/// before it.
fn drifted(
    project: &Project,
    source: &CompiledSource,
    files: &[SourceFile],
    readings: &Readings,
) -> Result<Vec<Diagnostic>, RunError> {
    let name = &source.config().name.value;
    let file_of_source = project.sources.iter().find(|s| s.value.name.value == *name).map_or("", |s| s.file.as_str());
    let mut new: Vec<&SourceFile> = files
        .iter()
        .filter(|f| readings.last(&unit_name(name, &f.name)).is_none_or(|last| last.content_hash != f.content_hash))
        .collect();
    new.sort_by(|a, b| throughline_ingest::by_name(&a.name, &b.name));
    let used = source.columns_used();
    let (mut before, mut found) = (None, Vec::new());
    for file in new {
        let now = source.columns_of(file).map_err(|error| RunError::Project(source.config().findings(&error)))?;
        let held_against = readings.columns_last(&unit_name(name, &file.name), name).cloned();
        let held_against = if readings.last(&unit_name(name, &file.name)).is_some() {
            held_against
        } else {
            before.take().or(held_against)
        };
        let drift = differences(held_against.as_ref(), &now, &used);
        found.extend(drift.iter().map(|d| drift_finding(d, &drift, &file.name, file_of_source)));
        before = Some(now);
    }
    Ok(found)
}
