//! Times the attribution of a file of paths, step by step, in the columns of `gen_paths.py`:
//! `cargo run --release --example attribution_file_speed FILE [models …]`; with models, those are drawn 200 times.
#![expect(clippy::print_stdout, reason = "a program that prints its measurements")]

use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

use throughline_attribution::{MODELS, bootstrap, read_spec};
use throughline_core::Level;
use throughline_oneshot::attribute::{AttributeArgs, read_paths};

/// Times are the median of so many.
const RUNS: usize = 5;

fn median<T>(mut work: impl FnMut() -> Result<T, Box<dyn Error>>) -> Result<f64, Box<dyn Error>> {
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let began = Instant::now();
        work()?;
        times.push(began.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    Ok(times[RUNS / 2])
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut given = std::env::args().skip(1);
    let args = AttributeArgs {
        file: PathBuf::from(given.next().ok_or("which file?")?),
        delimiter: ",".into(),
        path: "path".into(),
        separator: " > ".into(),
        conversions: Some("conv".into()),
        value: Some("value".into()),
        nulls: Some("null".into()),
        person: None,
        models: Vec::new(),
        compare: false,
        draws: 0,
        level: 0.9,
        seed: 1,
        json: true,
    };
    println!("read: {:.4} s", median(|| Ok(read_paths(&args)?))?);
    let (table, _) = read_paths(&args)?;
    let rules = ["first", "last", "linear", "u"].map(read_spec).into_iter().collect::<Result<Vec<_>, _>>()?;
    let seconds = median(|| Ok(rules.iter().map(|m| m.attribute(&table)).collect::<Result<Vec<_>, _>>()?))?;
    println!("{} paths; first, last, linear, u: {seconds:.4} s", table.len());
    for spec in ["markov:1", "markov:2", "shapley"] {
        // Only what is registered.
        if MODELS.iter().any(|m| spec.starts_with(m.name)) {
            let model = read_spec(spec)?;
            println!("{spec}: {:.4} s", median(|| Ok(model.attribute(&table)?))?);
        }
    }
    let drawn = given.map(|spec| read_spec(&spec)).collect::<Result<Vec<_>, _>>()?;
    if !drawn.is_empty() {
        let began = Instant::now();
        bootstrap(&table, &drawn, 200, 1, Level::P90)?;
        println!("{} models, 200 draws: {:.2} s", drawn.len(), began.elapsed().as_secs_f64());
    }
    Ok(())
}
