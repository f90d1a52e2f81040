//! Checking sources against their files, before anything runs.

use serde::Serialize;
use throughline_core::Diagnostic;
use throughline_ingest::{CompiledSource, SourceConfig, SourceFile, list_units};

use crate::error::RunError;
use crate::project::{Hashed, Project};

/// What a source's files look like.
#[derive(Debug, Clone, Serialize)]
pub struct SourceCheck {
    /// The source.
    pub source: String,
    /// Its files.
    pub files: u64,
    /// Their size.
    pub bytes: u64,
}

/// The files of a source, or what is wrong with its location.
pub(crate) fn files_of(project: &Project, source: &Hashed<SourceConfig>) -> Result<Vec<SourceFile>, Diagnostic> {
    list_units(&project.root, &source.value, &project.variables).map_err(|error| {
        let line = source.value.location.referenced.line();
        Diagnostic::error("TL021", error.to_string()).at(&source.file, Some(line), None)
    })
}

/// Finds the files of every source and checks its expressions against their columns. All findings come at once.
pub fn check_sources(project: &Project) -> Result<Vec<SourceCheck>, RunError> {
    let mut found = Vec::new();
    let mut out = Vec::new();
    for source in &project.sources {
        let name = source.value.name.value.clone();
        let files = match list_units(&project.root, &source.value, &project.variables) {
            Ok(files) => files,
            Err(error) => {
                found.push(throughline_core::Diagnostic::error("TL021", error.to_string()).at(
                    &source.file,
                    None,
                    None,
                ));
                continue;
            }
        };
        match CompiledSource::compile(&source.value, &files) {
            Ok(_) => out.push(SourceCheck {
                source: name,
                files: files.len() as u64,
                bytes: files.iter().map(|f| f.bytes).sum(),
            }),
            Err(findings) => found.extend(findings),
        }
    }
    if found.is_empty() { Ok(out) } else { Err(RunError::Project(found)) }
}
