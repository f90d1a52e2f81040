//! Times AIPW with boosted trees: `aipw_speed [ROWS] [COVARIATES] [THREADS] [SEED]`, by default 200,000 × 25. `tools/peers/aipw.py` draws
//! the same kind of data for the same trees.
#![expect(clippy::print_stdout, reason = "a program that prints its times")]

use std::num::NonZeroUsize;
use std::time::Instant;

use serde_json::json;
use throughline_evidence::adjust::{AdjustSettings, Estimand, LearnerSpec, Study, aipw};
use throughline_stats::logistic::sigmoid;
use throughline_stats::stream::Stream;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let argument = |k: usize, default: usize| std::env::args().nth(k).and_then(|a| a.parse().ok()).unwrap_or(default);
    let (rows, covariates, threads) = (argument(1, 200_000), argument(2, 25).max(3), argument(3, 2));
    let seed = argument(4, 17) as u64;
    let normal = |id: u64| {
        let stream = Stream::new(seed, id);
        (0..rows as u64).map(|i| stream.normal_at(i)).collect::<Vec<f64>>()
    };
    let x: Vec<Vec<f64>> = (0..covariates as u64).map(normal).collect();
    let (noise, uniform) = (normal(1000), Stream::new(seed, 1001));
    let p = |i: usize| sigmoid(0.8 * x[0][i] - 0.5 * x[1][i] * f64::from(u8::from(x[2][i] > 0.0)));
    let treatment: Vec<f64> = (0..rows).map(|i| f64::from(u8::from(uniform.uniform_at(i as u64) < p(i)))).collect();
    let effect = |i: usize| 1.0 + 0.5 * x[1][i];
    let outcome = (0..rows).map(|i| x[0][i].sin() + x[1][i] * x[2][i] + treatment[i] * effect(i) + noise[i]).collect();
    let named = x.into_iter().enumerate().map(|(j, c)| (format!("x{j}"), c)).collect();
    let study = Study::new(outcome, treatment, named)?;
    let trees = LearnerSpec {
        name: "boosted_trees".into(),
        params: json!({ "rounds": 100, "learning_rate": 0.1, "max_depth": 5, "min_child_weight": 20.0 }),
    };
    let settings = AdjustSettings {
        outcome: trees.clone(),
        treatment: trees,
        threads: NonZeroUsize::new(threads),
        ..AdjustSettings::default()
    };
    let start = Instant::now();
    let fit = aipw(&study, Estimand::Ate, &settings, None)?;
    let seconds = start.elapsed().as_secs_f64();
    let (value, error) = (fit.joint.values()[0], fit.joint.std_error(0));
    println!("{rows} x {covariates}, {threads} threads: ATE {value:.4} ± {error:.4} (truth 1) in {seconds:.2} s");
    Ok(())
}
