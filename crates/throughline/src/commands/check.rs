//! `throughline check`.

use std::process::ExitCode;

use serde_json::json;
use throughline_run::{Project, check_sources};

use super::variables;
use crate::cli::ProjectArgs;
use crate::failure::Failure;
use crate::output::{print, print_json};

/// Reads and checks a project, and the columns of its source files.
pub(super) fn check(args: &ProjectArgs) -> Result<ExitCode, Failure> {
    let project = Project::load(&args.project, variables(&args.variables))?;
    let sources = check_sources(&project)?;
    let files: u64 = sources.iter().map(|s| s.files).sum();
    if args.json {
        print_json(&json!({
            "project": project.config.value.name,
            "sources": sources,
            "warnings": project.warnings,
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    for warning in &project.warnings {
        print(&warning.to_string())?;
    }
    print(&format!(
        "{}: {} sources ({files} files), {} experiments, {} features, {} policies, {} destinations: no errors",
        project.config.value.name,
        project.sources.len(),
        project.experiments.len(),
        project.features.value.features.len(),
        project.policies.len(),
        project.destinations.len(),
    ))?;
    Ok(ExitCode::SUCCESS)
}
