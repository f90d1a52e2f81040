//! The `throughline` binary.

mod cli;
mod commands;
mod diagnostics;
mod examples;
mod failure;
mod output;
mod progress;
mod score;
mod truth;
mod verify;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match commands::dispatch(&cli.command) {
        Ok(code) => code,
        Err(failure) => {
            failure.print();
            ExitCode::from(1)
        }
    }
}
