//! Time, error against the known truth and peak memory of the honest forest:
//! `cargo run --release -p throughline-uplift --example forest_speed -- [rows] [parameters as JSON] [threads]`.
//!
//! The data are those of a known-truth benchmark: 25 features (15 normal, 5 categorical codes, 5 exponential), a fair coin
//! as treatment, a binary outcome on the logit scale. The time contains residuals, trees, out-of-bag effects and the effects
//! of 100,000 new rows.

use std::num::NonZeroUsize;
use std::time::Instant;

use serde_json::Value;
use throughline_stats::stream::Stream;
use throughline_uplift::{FeatureMatrix, FittedUplift, Forest, ForestParams, Training};

const FEATURES: usize = 25;
const NEW_ROWS: usize = 100_000;

struct World {
    columns: Vec<Vec<f32>>,
    arm: Vec<u32>,
    outcome: Vec<f64>,
    effect: Vec<f64>,
}

#[expect(clippy::cast_possible_truncation, reason = "features are in single precision")]
fn world(rows: usize, seed: u64) -> World {
    let uniform = |column: usize, row: usize| Stream::new(seed, column as u64).uniform_at(row as u64);
    let value = |column: usize, row: usize| match column {
        0..15 => Stream::new(seed, column as u64).normal_at(row as u64) as f32,
        15..20 => (4.0 * uniform(column, row)).floor() as f32,
        _ => -(1.0 - uniform(column, row)).ln() as f32,
    };
    let columns: Vec<Vec<f32>> = (0..FEATURES).map(|c| (0..rows).map(|r| value(c, r)).collect()).collect();
    let logistic = |z: f64| 1.0 / (1.0 + (-z).exp());
    let (mut arm, mut outcome, mut effect) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..rows {
        let x = |column: usize| f64::from(columns[column][row]);
        let is = |condition: bool| f64::from(u8::from(condition));
        let base = -1.6 + 0.6 * x(0) + 0.4 * (2.0 * x(1)).sin() + 0.3 * x(2) * x(3) - 0.3 * is(x(15) == 2.0)
            + 0.2 * x(20).min(3.0);
        let lift = 0.35 + 0.5 * x(4).tanh() + 0.4 * is(x(5) > 0.5 && x(0) < 0.0) - 0.5 * is(x(16) == 1.0)
            + 0.25 * x(6) * is(x(21) > 1.0);
        let treated = uniform(100, row) < 0.5;
        let (without, with) = (logistic(base), logistic(base + lift));
        arm.push(u32::from(treated));
        outcome.push(is(uniform(101, row) < if treated { with } else { without }));
        effect.push(with - without);
    }
    World { columns, arm, outcome, effect }
}

fn matrix(columns: Vec<Vec<f32>>) -> Result<FeatureMatrix, Box<dyn std::error::Error>> {
    let named = columns.into_iter().enumerate().map(|(i, column)| (format!("x{i}"), column)).collect();
    Ok(FeatureMatrix::from_columns(named)?)
}

/// Peak resident memory in MB, where the system tells.
fn peak_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kb| kb.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1024.0
}

#[expect(clippy::print_stdout, reason = "a program that measures")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let rows: usize = arguments.next().map_or(Ok(50_000), |a| a.parse())?;
    let params: Value =
        arguments.next().map_or(Ok(Value::Object(serde_json::Map::new())), |a| serde_json::from_str(&a))?;
    let params: ForestParams = serde_json::from_value(params)?;
    let threads: Option<usize> = arguments.next().map(|a| a.parse()).transpose()?;
    let (mut train, mut new) = (world(rows, 41), world(NEW_ROWS, 42));
    let features = matrix(std::mem::take(&mut train.columns))?;
    let fresh = matrix(std::mem::take(&mut new.columns))?;
    let before = peak_mb();

    let start = Instant::now();
    let arms = ["none".to_owned(), "mail".to_owned()];
    let (mut training, _) = Training::new(&features, &train.outcome, &train.arm, &arms, None)?;
    if let Some(threads) = threads.and_then(NonZeroUsize::new) {
        training = training.with_threads(threads);
    }
    let grown = Forest::new(params)?.grow(&training)?;
    let fitted = start.elapsed().as_secs_f64();
    let effects = grown.forest.effects(&fresh)?;
    let seconds = start.elapsed().as_secs_f64();

    let mail = &effects.arms[0];
    let error = |got: &[f64], truth: &[f64]| {
        (got.iter().zip(truth).map(|(g, t)| (g - t).powi(2)).sum::<f64>() / truth.len() as f64).sqrt()
    };
    let covered = mail.std_error.iter().flatten().zip(&mail.effect).zip(&new.effect);
    let covered = covered.filter(|((s, e), t)| (*e - *t).abs() <= 1.96 * *s).count();
    let truth = train.effect.iter().sum::<f64>() / rows as f64;
    let average = &grown.forest.average_effects()[0].estimate;
    println!(
        "rows {rows}  fit {fitted:.2} s  with effects of {NEW_ROWS} rows {seconds:.2} s  PEHE {:.5}  out of bag {:.5}  \
         intervals that cover {:.3}  peak {:.0} MB (data {before:.0} MB)",
        error(&mail.effect, &new.effect),
        error(&grown.out_of_bag[0].effect, &train.effect),
        covered as f64 / NEW_ROWS as f64,
        peak_mb(),
    );
    println!("average effect {:.5} ± {:.5}, truth {truth:.5}", average.value, average.std_error.unwrap_or(f64::NAN));
    let names: Vec<String> = grown
        .forest
        .importance("mail")
        .unwrap_or_default()
        .iter()
        .take(6)
        .map(|i| format!("{} {:.2}", i.feature, i.share))
        .collect();
    println!("importance {}", names.join(", "));
    Ok(())
}
