//! `throughline check`.

use std::process::ExitCode;

use serde_json::json;
use throughline_run::{CheckReport, Project, SourceCheck, check_sources};

use super::{block_on, variables};
use crate::cli::CheckArgs;
use crate::failure::Failure;
use crate::output::{print, print_json, table};

/// Reads and checks a project, and looks at what its sources hold.
pub(super) fn check(args: &CheckArgs) -> Result<ExitCode, Failure> {
    let project = Project::load(&args.project.project, variables(&args.project.variables))?;
    let now = throughline_server::system_clock().now();
    let report = block_on(check_sources(&project, args.rows, now))??;
    if args.project.json {
        print_json(&json!({
            "project": project.config.value.name,
            "sources": report.sources,
            "labels": report.labels,
            "findings": report.findings,
            "warnings": project.warnings,
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    tell(&project, &report)?;
    Ok(ExitCode::SUCCESS)
}

fn tell(project: &Project, report: &CheckReport) -> Result<(), Failure> {
    for warning in project.warnings.iter().chain(&report.findings) {
        print(&warning.to_string())?;
    }
    let rows: Vec<Vec<String>> = report.sources.iter().map(line).collect();
    print(&table(&["source", "files", "rows", "events", "spend", "refused", "from", "to"], &[1, 2, 3, 4, 5], &rows))?;
    for check in report.sources.iter().filter(|check| check.profile.sampled) {
        let tally = &check.profile;
        print(&format!(
            "{}: {} rows of {} of {} files were looked at; figures are theirs (`--rows` looks at more)",
            check.source, tally.rows_read, tally.files_read, tally.files
        ))?;
    }
    let labels: Vec<Vec<String>> = report
        .labels
        .iter()
        .map(|l| {
            vec![
                l.label.clone(),
                l.counts.clone(),
                l.events.map_or_else(|| "a run tells".to_owned(), |n| n.to_string()),
            ]
        })
        .collect();
    if !labels.is_empty() {
        print(&table(&["conversion or label", "counts each", "events"], &[2], &labels))?;
    }
    print(&format!(
        "{}: {} sources ({} files), {} experiments, {} features, {} policies, {} destinations: no errors",
        project.config.value.name,
        project.sources.len(),
        report.sources.iter().map(|s| s.files).sum::<u64>(),
        project.experiments.len(),
        project.features.value.features.len(),
        project.policies.len(),
        project.destinations.len(),
    ))
}

fn line(check: &SourceCheck) -> Vec<String> {
    let tally = &check.profile;
    let day = |at: Option<throughline_core::Timestamp>, on: &Option<String>| {
        at.map(throughline_core::Timestamp::date).or_else(|| on.clone()).unwrap_or_else(|| "–".to_owned())
    };
    vec![
        check.source.clone(),
        tally.files.to_string(),
        format!("{}{}", tally.rows_read, if tally.sampled { "+" } else { "" }),
        tally.events.to_string(),
        tally.spend_rows.to_string(),
        tally.quarantined.values().sum::<u64>().to_string(),
        day(tally.first_event_at, &tally.first_spend_on),
        day(tally.last_event_at, &tally.last_spend_on),
    ]
}
