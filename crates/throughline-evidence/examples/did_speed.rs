//! A million units over ten periods, staggered: `cargo run --release --example did_speed [units]`.
#![expect(clippy::print_stdout, reason = "a program that prints its measurements")]

use std::time::Instant;

use throughline_core::Level;
use throughline_evidence::did::{
    Aggregate, Controls, CsOptions, GroupTime, callaway_santanna, difference_in_differences,
};
use throughline_evidence::{EvidenceError, Panel, PanelSpec, Table};
use throughline_stats::stream::Stream;

/// Periods.
const PERIODS: usize = 10;

fn table(units: usize) -> Result<Table, EvidenceError> {
    let stream = Stream::new(1, 0);
    let rows = units * PERIODS;
    let mut columns: [Vec<f64>; 4] = std::array::from_fn(|_| Vec::with_capacity(rows));
    for i in 0..units {
        let start = [0, 3, 4, 5, 6, 7, 8, 0, 0, 9][i % 10];
        let level = stream.normal_at(i as u64);
        for t in 1..=PERIODS {
            let gain = if start > 0 && t >= start { 0.1 * (t - start + 1) as f64 } else { 0.0 };
            let noise = stream.uniform_at((units + i * PERIODS + t) as u64);
            let row = [i as f64, t as f64, level + 0.2 * t as f64 + gain + noise, start as f64];
            columns.iter_mut().zip(row).for_each(|(c, v)| c.push(v));
        }
    }
    let [unit, time, outcome, start] = columns;
    Table::new().with("unit", unit)?.with("time", time)?.with("y", outcome)?.with("first", start)
}

fn main() -> Result<(), EvidenceError> {
    let units = std::env::args().nth(1).and_then(|a| a.parse().ok()).unwrap_or(1_000_000);
    let table = table(units)?;
    let began = Instant::now();
    let spec = PanelSpec { unit: "unit", time: "time", outcome: "y", treatment: "first", ..PanelSpec::default() };
    let panel = Panel::of(&table, &spec)?;
    drop(table);
    println!("{} units, {} periods read in {:.2} s", panel.units(), panel.periods(), began.elapsed().as_secs_f64());
    for controls in [Controls::Never, Controls::NotYet] {
        let began = Instant::now();
        let report = callaway_santanna(&panel, &CsOptions { controls, ..CsOptions::default() })?;
        println!("cs {controls:?}: {:.2} s, effect {:.5}", began.elapsed().as_secs_f64(), report.estimate.value);
    }
    let began = Instant::now();
    let report = difference_in_differences(&panel, Level::P95, 1)?;
    println!("did with twfe: {:.2} s, {} answers", began.elapsed().as_secs_f64(), report.comparisons.len());
    let began = Instant::now();
    let x = (0..units * PERIODS).map(|c| (c / PERIODS % 17) as f64).collect();
    let adjusted = panel.with_covariate("x", x)?;
    let found = GroupTime::of(&adjusted, &CsOptions::default())?.aggregate(Aggregate::Group)?;
    println!(
        "dr with a covariate: {:.2} s, effect {:.5}",
        began.elapsed().as_secs_f64(),
        found.joint.values()[found.overall()]
    );
    Ok(())
}
