//! The cost of one bootstrap draw of Shapley's value, beside that of summing paths:
//! `cargo run --release -p throughline-attribution --example shapley_speed`.
#![expect(clippy::print_stdout, reason = "a program that prints its answer")]

use std::time::Instant;

use throughline_attribution::{AttributionError, Outcome, PathTable, PathTableBuilder, Summation, read_spec};
use throughline_stats::stream::Stream;

/// Journeys over so many channels, the first ones met most often.
fn table(journeys: u64, channels: u64) -> PathTable {
    let mut builder = PathTableBuilder::new();
    let names: Vec<String> = (0..channels).map(|c| format!("c{c:05}")).collect();
    let numbers: Vec<u32> = names.iter().filter_map(|name| builder.intern(name)).collect();
    for journey in 0..journeys {
        let stream = Stream::new(7, journey);
        let length = 1 + stream.index_at(0, 6);
        let step = |i: u64| {
            let at = stream.index_at(i, channels).min(stream.index_at(100 + i, channels));
            numbers[usize::try_from(at).unwrap_or(0)]
        };
        let steps: Vec<u32> = (1..=length).map(step).collect();
        let converts = stream.uniform_at(50) < 0.3;
        let (conversions, nulls) = if converts { (1.0, 0.0) } else { (0.0, 1.0) };
        builder.push_numbers(&steps, None, Outcome { conversions, value: 9.0 * conversions, nulls });
    }
    builder.build().0.aggregated()
}

fn main() -> Result<(), AttributionError> {
    println!(
        "{:>9} {:>8} {:>9} {:>14} {:>14} {:>14}",
        "journeys", "channels", "paths", "model", "prepare ms", "draw ms"
    );
    for (journeys, channels) in [(1_000_000, 12), (200_000, 20), (200_000, 200), (200_000, 5000)] {
        let table = table(journeys, channels);
        for spec in ["linear", "shapley_simplified", "shapley", "path:shapley", "shao_li"] {
            let model = read_spec(spec)?;
            let start = Instant::now();
            let prepared = model.prepare(&table)?;
            let preparing = start.elapsed();
            let draws = if channels == 20 { 5 } else { 20 };
            let start = Instant::now();
            for _ in 0..draws {
                prepared.split(table.units(), Summation::InOrder)?;
            }
            let draw = start.elapsed() / draws;
            println!(
                "{journeys:>9} {channels:>8} {:>9} {spec:>14} {:>14.2} {:>14.3}",
                table.len(),
                preparing.as_secs_f64() * 1e3,
                draw.as_secs_f64() * 1e3
            );
        }
    }
    Ok(())
}
