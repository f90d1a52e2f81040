//! Times synthetic controls on a panel in a file and prints milliseconds.
//!
//! `cargo run --release -p throughline-evidence --example synthetic_control_speed -- FILE [DELIMITER]` with the columns State, Year,
//! PacksPerCapita and treated (California's Proposition 99, 39 states and 31 years).
#![expect(clippy::print_stdout, reason = "a program for people")]

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Instant;

use throughline_core::Level;
use throughline_evidence::Panel;
use throughline_evidence::synth::control::{ControlSpec, Solver, fit};
use throughline_evidence::synth::predictors::{Predictor, PredictorWeights, matched};
use throughline_evidence::synth::sdid::SdidSpec;
use throughline_evidence::synth::study::Study;
use throughline_evidence::synth::variance::Variance;
use throughline_evidence::synth::{ReadSpec, read_control, read_sdid};

const REPEATS: u32 = 20;

/// The least and the mean time of a run in milliseconds.
fn timed<T>(name: &str, mut run: impl FnMut() -> T) -> T {
    let mut out = run();
    let (mut least, mut total) = (f64::INFINITY, 0.0);
    for _ in 0..REPEATS {
        let start = Instant::now();
        out = run();
        let ms = start.elapsed().as_secs_f64() * 1e3;
        least = least.min(ms);
        total += ms;
    }
    println!("{name:44} {least:9.4} ms least {:9.4} ms mean of {REPEATS}", total / f64::from(REPEATS));
    out
}

fn panel(path: &str, delimiter: u8) -> Result<Panel, Box<dyn Error>> {
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_path(path)?;
    let header = reader.headers()?.clone();
    let place = |name: &str| header.iter().position(|h| h == name).ok_or(format!("no column {name}"));
    let (unit, time, outcome, treated) = (place("State")?, place("Year")?, place("PacksPerCapita")?, place("treated")?);
    let mut units: BTreeMap<String, BTreeMap<u32, (f64, bool)>> = BTreeMap::new();
    for row in reader.records() {
        let row = row?;
        let cell = (row[outcome].parse()?, &row[treated] == "1");
        units.entry(row[unit].to_owned()).or_default().insert(row[time].parse()?, cell);
    }
    let times: Vec<f64> = units.values().next().ok_or("no rows")?.keys().map(|t| f64::from(*t)).collect();
    let outcomes = units.values().flat_map(|u| u.values().map(|c| c.0)).collect();
    let starts: Vec<Option<usize>> = units.values().map(|u| u.values().position(|c| c.1)).collect();
    Ok(Panel::from_matrix(outcomes, times, &starts, None)?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    let path = args.get(1).ok_or("name the file")?;
    let panel = panel(path, args.get(2).map_or(b';', |d| d.as_bytes()[0]))?;
    let study = Study::of(&panel)?;
    let block = study.block(&study.cohorts[0]);
    let pre = block.pre;
    let exact = ControlSpec::default();
    let found = timed("fixed weights of periods, exact", || fit(&block.donors, &block.treated, pre, &exact))?;
    println!("    ATT {:.6}, pre-period RMSPE {:.6}", found.att(), found.rmspe_pre());
    let steps = ControlSpec { solver: Solver::FrankWolfe, ..exact };
    let found = timed("fixed weights of periods, Frank-Wolfe", || fit(&block.donors, &block.treated, pre, &steps))?;
    println!("    ATT {:.6}, pre-period RMSPE {:.6}", found.att(), found.rmspe_pre());
    let predictors: Vec<Predictor> = (0..pre)
        .map(|t| Predictor {
            name: t.to_string(),
            treated: block.treated[t],
            donors: block.donors.iter().map(|d| d[t]).collect(),
        })
        .collect();
    let before: Vec<&[f64]> = block.donors.iter().map(|d| &d[..pre]).collect();
    for (name, weights) in [("equal V", PredictorWeights::Equal), ("nested V", PredictorWeights::Nested)] {
        let found = timed(&format!("{pre} predictors, {name}"), || {
            matched(&predictors, &weights, &before, &block.treated[..pre])
        })?;
        println!("    mean squared gap before the treatment {:.8}", found.loss);
    }
    let spec = ReadSpec::new(Level::P95);
    timed("whole report: placebos, conformal", || read_control(&panel, &spec))?;
    let variance = Variance::Placebo { most: 500, seed: 1 };
    for solver in [Solver::Exact, Solver::FrankWolfe] {
        let spec = SdidSpec { solver, ..SdidSpec::default() };
        let report = timed(&format!("synthetic DiD, all placebos, {solver:?}"), || {
            read_sdid(&panel, &spec, variance, Level::P95)
        })?;
        println!("    {:?}", (report.estimate.value, report.estimate.std_error, &report.details["weightings"]));
    }
    Ok(())
}
