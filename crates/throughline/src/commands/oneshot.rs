//! Prints what a one-shot analysis answers.

use std::process::ExitCode;

use throughline_oneshot::Answer;

use crate::failure::Failure;
use crate::output::{print, print_json};

/// As JSON or for people.
pub(super) fn show(answer: &Answer, json: bool) -> Result<ExitCode, Failure> {
    if json {
        print_json(&answer.json)?;
    } else {
        print(&answer.text)?;
    }
    Ok(ExitCode::SUCCESS)
}
