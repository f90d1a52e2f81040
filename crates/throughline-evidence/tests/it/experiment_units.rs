//! Reading tables of units: coverage, slow references, and hostile input.

use throughline_core::Level;
use throughline_evidence::estimators;
use throughline_stats::goodness::{Alternative, binomial_test};

/// Coverage of every estimator of the family. `THROUGHLINE_SEEDS` sets how many data sets (400 without).
#[test]
#[expect(clippy::print_stdout, reason = "the figures are what the test is run for by hand")]
fn nominal_coverage_holds() {
    let seeds = std::env::var("THROUGHLINE_SEEDS").ok().and_then(|s| s.parse().ok()).unwrap_or(400_u64);
    for entry in estimators().filter(|e| e.name.starts_with("experiment/")) {
        for level in [Level::P95] {
            let started = std::time::Instant::now();
            let held = (0..seeds).filter(|seed| {
                let s = (entry.simulate)(*seed, level).unwrap_or_else(|e| panic!("{} {seed}: {e}", entry.name));
                s.estimate.set.contains(s.truth)
            });
            let held = held.count() as u64;
            let side = if entry.conservative { Alternative::Less } else { Alternative::TwoSided };
            let p = binomial_test(held, seeds, level.get(), side).expect("counts");
            let each = started.elapsed().as_secs_f64() * 1e3 / seeds as f64;
            println!(
                "{:34} {held:5} of {seeds} = {:.4}, p {p:.3}, {each:.2} ms",
                entry.name,
                held as f64 / seeds as f64
            );
            assert!(p > 1e-4, "{}: {held} of {seeds} hold the truth, p {p}", entry.name);
        }
    }
}
