//! Time of 2SLS with robust errors, its first stage, tests and Anderson–Rubin set, on generated data in memory:
//! `cargo run --release --example iv_speed -- [rows] [repeats]`. The shape is that of `peers/t8_iv.py`: 14 controls, one endogenous
//! variable, two instruments.

use std::error::Error;
use std::time::Instant;

use throughline_evidence::iv::{IvData, IvSettings, Named, analyse};
use throughline_stats::stream::Stream;

#[expect(clippy::print_stdout, reason = "an example prints what it measured")]
fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let rows: usize = arguments.next().map_or(Ok(1_000_000), |a| a.parse())?;
    let repeats: usize = arguments.next().map_or(Ok(5), |a| a.parse())?;
    let stream = Stream::new(3, 0);
    let normal = |what: u64| -> Vec<f64> { (0..rows as u64).map(|i| stream.normal_at((what << 40) + i)).collect() };
    let controls: Vec<Vec<f64>> = (0..14).map(normal).collect();
    let (z1, z2, u, v, e) = (normal(14), normal(15), normal(16), normal(17), normal(18));
    let d: Vec<f64> = (0..rows).map(|i| 0.3 * (z1[i] + z2[i]) + u[i] + v[i]).collect();
    let sum = |i: usize| 0.1 + controls.iter().map(|x| 0.1 * x[i]).sum::<f64>();
    let y: Vec<f64> = (0..rows).map(|i| 1.5 * d[i] + sum(i) + u[i] + e[i]).collect();
    let data = IvData {
        outcome: Named::new("y", y),
        endogenous: vec![Named::new("d", d)],
        instruments: vec![Named::new("z1", z1), Named::new("z2", z2)],
        controls: controls.into_iter().enumerate().map(|(i, x)| Named::new(format!("x{i}"), x)).collect(),
        clusters: None,
        left_out: 0,
    };
    for _ in 0..repeats {
        let start = Instant::now();
        let report = analyse(&data, &IvSettings::new())?;
        let (value, error) = (report.estimate.value, report.estimate.std_error.unwrap_or(f64::NAN));
        println!("{rows} rows: {} ms, coefficient {value:.7}, robust error {error:.7}", start.elapsed().as_millis());
    }
    Ok(())
}
