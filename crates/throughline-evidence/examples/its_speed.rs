//! How long one interrupted time series takes: `cargo run --release -p throughline-evidence --example its_speed [TIMES] [CONTROLS]`.

use std::time::Instant;

use throughline_core::Level;
use throughline_evidence::EvidenceError;
use throughline_evidence::series::structural::{analyse, answer};
use throughline_evidence::series::{Season, Series, Settings, Trend, Window};
use throughline_stats::stream::Stream;

fn main() -> Result<(), EvidenceError> {
    let mut given = std::env::args().skip(1).filter_map(|a| a.parse::<usize>().ok());
    let (n, p) = (given.next().unwrap_or(1000), given.next().unwrap_or(10));
    let stream = Stream::new(7, 0);
    let at = |i: usize| stream.normal_at(i as u64);
    let controls: Vec<(String, Vec<f64>)> =
        (0..p).map(|j| (format!("x{j}"), (0..n).map(|t| at(1 + t * (p + 1) + j)).collect())).collect();
    let mut level = 100.0;
    let mut outcome = Vec::with_capacity(n);
    let start = n * 9 / 10;
    for t in 0..n {
        let x: f64 = controls.iter().take(3).map(|(_, c)| c[t]).sum();
        let season = 1.5 * (t as f64 * std::f64::consts::TAU / 7.0).sin();
        outcome.push(level + 2.0 * x + season + at((t + 1) * (p + 1)) + if t >= start { 3.0 } else { 0.0 });
        level += 0.05 * at(n * (p + 1) + 1 + t);
    }
    let series = Series::new((0..n).map(|t| t.to_string()).collect(), outcome, controls)?;
    let window = Window { intervention: start, start, end: n };
    let week = vec![Season::new(7.0)?];
    let slope = Trend::LocalLinear;
    for (name, settings) in [
        ("level", Settings::default()),
        ("level, week", Settings { seasons: week.clone(), ..Settings::default() }),
        ("level, slope, week", Settings { seasons: week, trend: slope, ..Settings::default() }),
    ] {
        let clock = Instant::now();
        let a = answer(&series, window, &[], &settings, Level::P95)?;
        let alone = clock.elapsed();
        let clock = Instant::now();
        analyse(&series, &[window], &settings, 4, Level::P95)?;
        let whole = clock.elapsed();
        let e = &a.effects.average;
        let (low, high) = e.interval();
        #[expect(clippy::print_stdout, reason = "an example speaks to people")]
        {
            println!(
                "{name}: {n} times, {p} controls, {} draws: {alone:.2?}; with checks and 4 placebos {whole:.2?}",
                settings.draws
            );
            println!("  effect {:.3} [{low:.3}, {high:.3}] (true 3)", e.value);
        }
    }
    Ok(())
}
