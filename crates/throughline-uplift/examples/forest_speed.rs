//! Time, error against the known truth and peak memory of the honest forest:
//! `cargo run --release -p throughline-uplift --example forest_speed -- [rows] [parameters as JSON] [threads]`.
//!
//! The data are those of a known-truth benchmark: 25 features (15 normal, 5 categorical codes, 5 exponential), a fair coin
//! as treatment, a binary outcome on the logit scale. The time contains residuals, trees, out-of-bag effects and the effects
//! of 100,000 new rows.

mod data;

use std::num::NonZeroUsize;
use std::time::Instant;

use serde_json::Value;
use throughline_uplift::{FittedUplift, Forest, ForestParams, Training};

const NEW_ROWS: usize = 100_000;

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
    let (train, new) = (data::made(rows, 41)?, data::made(NEW_ROWS, 42)?);
    let before = peak_mb();

    let start = Instant::now();
    let arms = ["none".to_owned(), "mail".to_owned()];
    let (mut training, _) = Training::new(&train.features, &train.outcome, &train.arm, &arms, None)?;
    if let Some(threads) = threads.and_then(NonZeroUsize::new) {
        training = training.with_threads(threads);
    }
    let grown = Forest::new(params)?.grow(&training)?;
    let fitted = start.elapsed().as_secs_f64();
    let effects = grown.forest.effects(&new.features)?;
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
