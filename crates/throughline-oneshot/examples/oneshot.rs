//! Any one-shot command, built without the rest of the product: `cargo run --release -p throughline-oneshot --example oneshot -- coverage`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that prints its answer")]

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use throughline_oneshot::OneShotCommand;

#[derive(Debug, Parser)]
struct Line {
    #[command(subcommand)]
    command: OneShotCommand,
}

fn main() -> ExitCode {
    let line = Line::parse();
    let start = Instant::now();
    match line.command.run().map(|answer| line.command.timed(answer, start.elapsed())) {
        Ok(answer) if line.command.json() => println!("{:#}", answer.json),
        Ok(answer) => println!("{}", answer.text),
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
