#![doc = include_str!("../README.md")]

mod workspace;

mod source;

mod layers;

mod budget;

mod forbidden;

mod registries;

mod manifests;

mod machine_paths;

mod codes;

mod codegen;

use std::io::Write;
use std::process::ExitCode;

use workspace::{Finding, Workspace};

/// A check of `tidy`.
type Check = fn(&Workspace) -> Vec<Finding>;

/// Every check of `tidy`, in the order in which they report.
const CHECKS: &[Check] = &[
    layers::check,
    budget::check,
    forbidden::check,
    registries::check,
    manifests::check,
    machine_paths::check,
    codes::check,
];

const USAGE: &str = "usage: cargo xtask tidy | codegen [--check]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = Workspace::open().and_then(|workspace| match words.as_slice() {
        ["tidy"] => tidy(&workspace),
        ["codegen"] => codegen::write(&workspace),
        ["codegen", "--check"] => codegen::compare(&workspace),
        _ => Err(USAGE.to_owned()),
    });
    let (text, code) = match outcome {
        Ok(text) => (text, ExitCode::SUCCESS),
        Err(text) => (text, ExitCode::FAILURE),
    };
    // A closed pipe is the reader's choice; the exit code still tells.
    writeln!(std::io::stdout(), "{text}").map_or(ExitCode::FAILURE, |()| code)
}

/// Runs every check; the error text lists all findings.
fn tidy(workspace: &Workspace) -> Result<String, String> {
    let mut findings: Vec<Finding> = CHECKS.iter().flat_map(|check| check(workspace)).collect();
    findings.sort();
    if findings.is_empty() {
        return Ok(format!("tidy: {} checks over {} files passed", CHECKS.len(), workspace.files.len()));
    }
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    Err(format!("{}\ntidy: {} findings", lines.join("\n"), findings.len()))
}
