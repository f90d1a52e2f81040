//! Models on a million journeys over 12 channels: `cargo run --release --example attribution_speed [PATHS.csv] [SPEC …]`.
//!
//! The file has columns path, conversions, value and nulls; without one, journeys are drawn from a chain.
#![expect(clippy::print_stdout, reason = "a program that prints its measurements")]

use std::error::Error;
use std::time::Instant;

use throughline_attribution::{Outcome, PathTable, bootstrap, parse_path, read_spec};
use throughline_core::Level;
use throughline_stats::stream::Stream;

const CHANNELS: usize = 12;
const JOURNEYS: u64 = 1_000_000;

/// Journeys from a chain of order 1 whose rows are uneven, each step the last with probability 0.15 to 0.35.
fn drawn() -> PathTable {
    let names: Vec<String> = (0..CHANNELS).map(|c| format!("channel {c}")).collect();
    let rows: Vec<Vec<f64>> = (0..=CHANNELS as u64)
        .map(|row| {
            let weights = (0..CHANNELS as u64).map(|c| 0.3 - Stream::new(1, row).uniform_at(c).max(1e-9).ln());
            weights
                .scan(0.0, |sum, w| {
                    *sum += w;
                    Some(*sum)
                })
                .collect()
        })
        .collect();
    let mut builder = PathTable::builder();
    let numbers: Vec<u32> = names.iter().filter_map(|n| builder.intern(n)).collect();
    for journey in 0..JOURNEYS {
        let stream = Stream::new(2, journey);
        let (mut steps, mut at) = (Vec::new(), CHANNELS);
        for k in 0..20 {
            let [go, stop] = [stream.uniform_at(2 * k), stream.uniform_at(2 * k + 1)];
            let row = &rows[at];
            at = row.iter().position(|sum| *sum > go * row[CHANNELS - 1]).unwrap_or(0);
            steps.push(numbers[at]);
            if stop < 0.15 + 0.2 * at as f64 / CHANNELS as f64 {
                break;
            }
        }
        let converts = f64::from(u8::from(stream.uniform_at(99) < 0.05 + 0.04 * at as f64));
        let value = converts * (20.0 + 100.0 * stream.uniform_at(98)).round();
        builder.push_numbers(&steps, None, Outcome { conversions: converts, value, nulls: 1.0 - converts });
    }
    builder.build().0.aggregated()
}

fn read(file: &str) -> Result<PathTable, Box<dyn Error>> {
    let mut builder = PathTable::builder();
    for (row, record) in csv::Reader::from_path(file)?.records().enumerate() {
        let record = record?;
        let number = |column: usize| record.get(column).and_then(|cell| cell.parse().ok()).unwrap_or(0.0);
        let outcome = Outcome { conversions: number(1), value: number(2), nulls: number(3) };
        let steps = parse_path(record.get(0).unwrap_or_default(), " > ");
        let row = i64::try_from(row)?;
        // Files carry no times: touches some hours apart, more or less.
        let mut ages: Vec<i64> =
            steps.iter().zip(0..).map(|(_, k)| (k * 7 + row % 13 + 1) * 3_600_000_000 + row).collect();
        ages.reverse();
        builder.push(&steps, Some(&ages), outcome);
    }
    Ok(builder.build().0)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let file = arguments.first().is_some_and(|a| std::path::Path::new(a).is_file()).then(|| arguments.remove(0));
    let few = |table: &PathTable| table.channels().len() < 100;
    let table = file.map_or_else(|| Ok(drawn()), |file| read(&file))?;
    println!("{} paths, {:?}", table.len(), table.totals());
    if arguments.is_empty() {
        arguments = ["linear", "markov:1", "markov:2", "markov:3", "markov:4"].map(str::to_owned).to_vec();
    }
    for spec in arguments {
        let model = read_spec(&spec)?;
        let mut best = [f64::INFINITY; 2];
        for _ in 0..if few(&table) { 3 } else { 1 } {
            let began = Instant::now();
            let prepared = model.prepare(&table)?;
            best[0] = best[0].min(began.elapsed().as_secs_f64());
            drop(prepared);
            let began = Instant::now();
            model.attribute(&table)?;
            best[1] = best[1].min(began.elapsed().as_secs_f64());
        }
        let draws = |draws: usize| -> Result<f64, Box<dyn Error>> {
            let began = Instant::now();
            bootstrap(&table, &[read_spec(&spec)?], draws, 1, Level::P90)?;
            Ok(began.elapsed().as_secs_f64())
        };
        println!("{spec}: prepare {:.4} s, attribute {:.4} s", best[0], best[1]);
        if few(&table) {
            println!("  a draw {:.4} s", (draws(22)? - draws(2)?) / 20.0);
        }
    }
    Ok(())
}
