//! `throughline verify`.

use std::process::ExitCode;

use serde_json::json;

use super::reference_dir;
use crate::cli::VerifyArgs;
use crate::failure::Failure;
use crate::output::{print, print_json, table};
use crate::verify::checks;

/// Runs the reference checks of the groups.
pub(super) fn verify(args: &VerifyArgs) -> Result<ExitCode, Failure> {
    let reference = reference_dir();
    let checks = checks(&args.groups, &reference)?;
    let failed = checks.iter().filter(|c| !c.passed).count();
    if args.json {
        print_json(&json!({ "checks": checks }))?;
    } else {
        let rows: Vec<Vec<String>> = checks
            .iter()
            .map(|c| {
                vec![
                    if c.passed { "ok" } else { "FAILED" }.to_owned(),
                    c.name.clone(),
                    format!("{:.10}", c.expected),
                    format!("{:.10}", c.got),
                    format!("{:.1e}", c.difference),
                    c.source.clone(),
                ]
            })
            .collect();
        print(&table(&["", "check", "expected", "got", "difference", "source"], &[2, 3, 4], &rows))?;
        print(&format!("{} passed, {failed} failed", checks.len() - failed))?;
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(2) })
}
