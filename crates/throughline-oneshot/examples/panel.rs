//! `throughline panel` alone, for measurements: `cargo run --release --example panel -- FILE --unit …`.
#![expect(clippy::print_stdout, reason = "a program that prints its answer")]

use clap::Parser;
use throughline_oneshot::OneShotError;
use throughline_oneshot::panel::PanelArgs;

#[derive(Debug, Parser)]
struct Command {
    #[command(flatten)]
    panel: PanelArgs,
}

fn main() -> Result<(), OneShotError> {
    let command = Command::parse();
    let answer = command.panel.run()?;
    let text = if command.panel.json() { serde_json::to_string_pretty(&answer.json)? } else { answer.text };
    println!("{text}");
    Ok(())
}
