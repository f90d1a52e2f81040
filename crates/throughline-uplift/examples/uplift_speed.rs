//! Learners on data with known effects: `cargo run --release -p throughline-uplift --example uplift_speed -- [ROWS] [LEARNER[=JSON] …]`.
//!
//! 25 features, a coin decides who is treated, the outcome is 0 or 1; errors are on 100,000 people who were not learnt from.
#![expect(clippy::print_stdout, reason = "a program that prints its measurements")]

mod data;

use std::time::Instant;

use serde_json::Value;
use throughline_uplift::{Training, uplift_model};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut given = std::env::args().skip(1);
    let rows: usize = given.next().unwrap_or_else(|| "200000".into()).parse()?;
    let mut learners: Vec<String> = given.collect();
    if learners.is_empty() {
        learners = ["two_model", "s_learner", "x_learner", "r_learner", "dr_learner"].map(str::to_owned).to_vec();
    }
    let seed: u64 = std::env::var("SEED").map_or(Ok(41), |s| s.parse())?;
    let (data, fresh) = (data::made(rows, seed)?, data::made(100_000, 1_000 + seed)?);
    let arms = ["control".to_owned(), "treated".to_owned()];
    println!("{:12} {:>8} {:>8} {:>9} {:>7}", "learner", "fit s", "score s", "PEHE", "corr");
    for spec in learners {
        let (name, params) = spec.split_once('=').unwrap_or((&spec, "null"));
        let params: Value = serde_json::from_str(params)?;
        let started = Instant::now();
        let (training, _) = Training::new(&data.features, &data.outcome, &data.arm, &arms, None)?;
        let (model, _) = (uplift_model(name)?.build)(&params)?.fit(&training)?;
        let fitted = started.elapsed().as_secs_f64();
        let started = Instant::now();
        let found = model.effects(&fresh.features)?;
        let scored = started.elapsed().as_secs_f64();
        let effect = &found.arms[0].effect;
        let n = effect.len() as f64;
        let pehe = (effect.iter().zip(&fresh.effect).map(|(a, b)| (a - b).powi(2)).sum::<f64>() / n).sqrt();
        let mean = |values: &[f64]| values.iter().sum::<f64>() / n;
        let (a, b) = (mean(effect), mean(&fresh.effect));
        let product =
            |x: &[f64], y: &[f64], a: f64, b: f64| x.iter().zip(y).map(|(x, y)| (x - a) * (y - b)).sum::<f64>();
        let corr = product(effect, &fresh.effect, a, b)
            / (product(effect, effect, a, a) * product(&fresh.effect, &fresh.effect, b, b)).sqrt();
        println!("{name:12} {fitted:8.2} {scored:8.2} {pehe:9.5} {corr:7.4}");
    }
    Ok(())
}
