//! How long a reading of many units takes: `cargo run --release --example read_speed -- 1000000`.

#![expect(clippy::print_stdout, reason = "the figures are the output")]

use std::time::Instant;

use throughline_evidence::experiment::{Kind, Metric, Plan, read};
use throughline_evidence::{Column, Correction, EvidenceError, Table};
use throughline_stats::stream::Stream;

fn main() -> Result<(), EvidenceError> {
    let n: u64 = std::env::args().nth(1).and_then(|a| a.parse().ok()).unwrap_or(1_000_000);
    let s = Stream::new(1, 0);
    let mut table = Table::new();
    let codes = (0..n).map(|i| u32::from(s.u64_at(i) & 1 == 1)).collect();
    table.push("arm", Column::Texts { codes, names: vec!["a".into(), "b".into()] })?;
    let normal = |k: u64| (0..n).map(|i| Stream::new(1, k).normal_at(i)).collect::<Vec<f64>>();
    let table = table
        .with("visit", (0..n).map(|i| f64::from(u8::from(s.uniform_at(i) < 0.1))).collect())?
        .with("spend", normal(2))?
        .with("orders", (0..n).map(|i| 1.0 + s.index_at(i, 5) as f64).collect())?
        .with("before", normal(3))?
        .with("region", (0..n).map(|i| s.index_at(i, 8) as f64).collect())?
        .with("shop", (0..n).map(|i| (i / 20) as f64).collect())?;
    let three =
        || ["visit", "spend", "orders"].into_iter().map(Metric::column).fold(Plan::new("arm", "a"), Plan::metric);
    let ratio = Kind::Ratio { numerator: "spend".into(), denominator: "orders".into() };
    let quantile = Kind::Quantile { column: "spend".into(), at: 0.9 };
    let cuped = Metric { cuped: Some("before".into()), ..Metric::column("spend") };
    for (name, plan) in [
        ("3 metrics", three()),
        ("3 metrics, bands", Plan { correction: Correction::Bands, ..three() }),
        ("3 metrics, clusters", Plan { cluster: Some("shop".into()), ..three() }),
        ("3 metrics, regression", Plan { covariates: vec!["before".into()], ..three() }),
        ("3 metrics, strata", Plan { strata: Some("region".into()), ..three() }),
        ("3 metrics, 8 segments", Plan { segments: vec!["region".into()], ..three() }),
        ("ratio", Plan::new("arm", "a").metric(Metric::new("r", ratio))),
        ("quantile", Plan::new("arm", "a").metric(Metric::new("q", quantile))),
        ("cuped", Plan::new("arm", "a").metric(cuped)),
    ] {
        let started = Instant::now();
        let reading = read(&table, &plan)?;
        println!(
            "{name:24} {:6.0} ms, {} comparisons",
            started.elapsed().as_secs_f64() * 1e3,
            reading.comparisons.len()
        );
    }
    Ok(())
}
