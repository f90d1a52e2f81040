//! Learners on data with known effects: `cargo run --release -p throughline-uplift --example uplift_speed -- [ROWS] [LEARNER[=JSON] …]`.
//!
//! 25 features, a coin decides who is treated, the outcome is 0 or 1; errors are on 100,000 people who were not learnt from.
#![expect(clippy::print_stdout, reason = "a program that prints its measurements")]

use std::time::Instant;

use serde_json::Value;
use throughline_stats::stream::Stream;
use throughline_uplift::{FeatureMatrix, Training, uplift_model};

struct Data {
    features: FeatureMatrix,
    arm: Vec<u32>,
    outcome: Vec<f64>,
    effect: Vec<f64>,
}

fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

/// Fifteen normal features, five codes of four levels, five exponential ones.
fn made(rows: usize, seed: u64) -> Result<Data, Box<dyn std::error::Error>> {
    let of = |column: usize| Stream::new(seed, column as u64);
    let columns: Vec<Vec<f64>> = (0..25)
        .map(|column| {
            let stream = of(column);
            let at = |row: usize| match column {
                0..15 => stream.normal_at(row as u64),
                15..20 => stream.index_at(row as u64, 4) as f64,
                _ => -(1.0 - stream.uniform_at(row as u64)).ln(),
            };
            (0..rows).map(at).collect()
        })
        .collect();
    let is = |yes: bool| f64::from(u8::from(yes));
    let (assigned, happened) = (of(30), of(31));
    let (mut arm, mut outcome, mut effect) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..rows {
        let x = |column: usize| columns[column][row];
        let base = -1.6 + 0.6 * x(0) + 0.4 * (2.0 * x(1)).sin() + 0.3 * x(2) * x(3) - 0.3 * is(x(15) == 2.0)
            + 0.2 * x(20).min(3.0);
        let lift = 0.35 + 0.5 * x(4).tanh() + 0.4 * is(x(5) > 0.5 && x(0) < 0.0) - 0.5 * is(x(16) == 1.0)
            + 0.25 * x(6) * is(x(21) > 1.0);
        let (without, with) = (sigmoid(base), sigmoid(base + lift));
        let treated = assigned.uniform_at(row as u64) < 0.5;
        arm.push(u32::from(treated));
        outcome.push(is(happened.uniform_at(row as u64) < if treated { with } else { without }));
        effect.push(with - without);
    }
    let named = columns.into_iter().enumerate().map(|(i, values)| (format!("x{i}"), values)).collect();
    Ok(Data { features: FeatureMatrix::from_numbers(named)?.0, arm, outcome, effect })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut given = std::env::args().skip(1);
    let rows: usize = given.next().unwrap_or_else(|| "200000".into()).parse()?;
    let mut learners: Vec<String> = given.collect();
    if learners.is_empty() {
        learners = ["two_model", "s_learner", "x_learner", "r_learner", "dr_learner"].map(str::to_owned).to_vec();
    }
    let seed: u64 = std::env::var("SEED").map_or(Ok(41), |s| s.parse())?;
    let (data, fresh) = (made(rows, seed)?, made(100_000, 1_000 + seed)?);
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
