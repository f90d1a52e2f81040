//! Coverage of the difference-in-differences entries: `cargo run --release --example did_coverage [seeds]`.
#![expect(clippy::print_stdout, reason = "a program that prints its measurements")]

use std::time::Instant;

use throughline_core::Level;
use throughline_evidence::{EvidenceError, estimators};
use throughline_stats::goodness::{Alternative, binomial_test};

fn main() -> Result<(), EvidenceError> {
    let seeds: u64 = std::env::args().nth(1).and_then(|a| a.parse().ok()).unwrap_or(2_000);
    for entry in estimators().filter(|e| e.name.starts_with("did/")) {
        let began = Instant::now();
        let mut hits = 0;
        for seed in 0..seeds {
            let drawn = (entry.simulate)(seed, Level::P95)?;
            hits += u64::from(drawn.estimate.set.contains(drawn.truth));
        }
        let side = if entry.conservative { Alternative::Less } else { Alternative::TwoSided };
        let p = binomial_test(hits, seeds, 0.95, side);
        let each = began.elapsed().as_secs_f64() * 1e3 / seeds as f64;
        println!("{:22} {:.4}  p = {p:?}  {each:.2} ms", entry.name, hits as f64 / seeds as f64);
    }
    Ok(())
}
