//! Journeys of persons from a known chain over 12 channels, attributed with 200 draws:
//! `cargo run --release --example attribution_speed [journeys] [draws] [ages] [campaigns] [models …]`.
#![expect(clippy::print_stdout, reason = "a program that prints its measurements")]

use std::time::Instant;

use throughline_attribution::{
    AttributionError, Dimension, Draws, Ending, Journeys, Quantity, bootstrap_clusters, break_down, read_spec,
};
use throughline_core::Level;
use throughline_stats::stream::{Stream, unit};

const CHANNELS: usize = 12;
const LONGEST: usize = 20;
/// Persons of three journeys each two: 1.5 journeys a person.
const PERSONS: [u64; 3] = [0, 0, 1];

/// Next channel (cumulative), chance to stop and chance to convert, by channel; the last row is the start.
struct Walk {
    next: Vec<[f64; CHANNELS]>,
    stop: [f64; CHANNELS],
    convert: [f64; CHANNELS],
}

impl Walk {
    fn new() -> Self {
        let stream = Stream::new(2, 0);
        let next = (0..=CHANNELS as u64)
            .map(|row| {
                // Half of uneven shares, half of even ones.
                let at = |c: u64, k: u64| -(1.0 - stream.uniform_at(row * 100 + c * 3 + k)).ln();
                let uneven: Vec<f64> = (0..CHANNELS as u64).map(|c| at(c, 0).powf(1.5)).collect();
                let even: Vec<f64> = (0..CHANNELS as u64).map(|c| 3.0 + at(c, 1) + at(c, 2)).collect();
                let (a, b): (f64, f64) = (uneven.iter().sum(), even.iter().sum());
                let mut sum = 0.0;
                std::array::from_fn(|c| {
                    sum += 0.5 * uneven[c] / a + 0.5 * even[c] / b;
                    sum
                })
            })
            .collect();
        let within = |row: u64, low: f64, high: f64| {
            std::array::from_fn(|c| low + (high - low) * stream.uniform_at(row + c as u64))
        };
        Self { next, stop: within(5000, 0.15, 0.35), convert: within(6000, 0.05, 0.5) }
    }

    /// The steps of a journey, and whether it converts.
    fn journey(&self, stream: Stream, steps: &mut Vec<u32>) -> bool {
        steps.clear();
        let mut at = CHANNELS;
        for step in 0..LONGEST as u64 {
            let [next, stop] = stream.pair_at(step).map(unit);
            at = self.next[at].iter().position(|p| *p > next).unwrap_or(CHANNELS - 1);
            steps.extend(u32::try_from(at));
            if stop < self.stop[at] {
                break;
            }
        }
        stream.uniform_at(100) < self.convert[at]
    }
}

fn journeys(count: usize, ages: bool) -> Journeys {
    let mut builder = Journeys::builder("persons");
    for channel in 0..CHANNELS {
        builder.intern(&format!("channel {channel:02}"));
    }
    let walk = Walk::new();
    let (mut steps, mut times) = (Vec::new(), Vec::new());
    for i in 0..count as u64 {
        let stream = Stream::new(20_261_123, i);
        let converts = walk.journey(stream, &mut steps);
        times.clear();
        let hour = |t: usize| 3_600_000_000 * i64::try_from(stream.index_at(200 + t as u64, 500)).unwrap_or(0);
        times.extend((0..steps.len()).map(hour));
        let value = if converts { (1000.0 * (0.8 * stream.normal_at(101)).exp()).round() / 10.0 } else { 0.0 };
        let person = i / 3 * 2 + PERSONS[usize::try_from(i % 3).unwrap_or(0)];
        let ending = if converts { Ending::Conversion } else { Ending::Null };
        builder.push_numbers(&steps, ages.then_some(times.as_slice()), Some(person), ending, value);
    }
    builder.build().0
}

/// The most memory the process held, in MB.
fn peak_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<f64>().ok()).map_or(f64::NAN, |kb| kb / 1024.0)
}

/// Wall clock and processor time since a start.
struct Clock {
    began: Instant,
    cpu: f64,
}

impl Clock {
    fn new() -> Self {
        Self { began: Instant::now(), cpu: cpu_s() }
    }

    fn told(&self) -> String {
        format!("{:.4} s ({:.2} s of processors)", self.began.elapsed().as_secs_f64(), cpu_s() - self.cpu)
    }
}

/// Processor time of the process so far, user and system, in steps of 10 ms.
fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|f| f.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn main() -> Result<(), AttributionError> {
    let given: Vec<usize> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let given = |at: usize, usual: usize| given.get(at).copied().unwrap_or(usual);
    let (count, draws, ages, campaigns) = (given(0, 1_000_000), given(1, 200), given(2, 0) > 0, given(3, 0));
    let began = Clock::new();
    let journeys = journeys(count, ages);
    println!(
        "{} journeys of {} persons over {} different paths made in {}, {:.0} MB",
        journeys.len(),
        journeys.clusters(),
        journeys.paths().len(),
        began.told(),
        peak_mb()
    );
    let rules = ["first", "last", "linear", "u"];
    let timed: &[&str] = if ages { &["time_decay:7d"] } else { &[] };
    let fitted = ["markov:1", "markov:2", "shapley_simplified"];
    let read = |specs: &[&str]| specs.iter().map(|s| read_spec(s)).collect::<Result<Vec<_>, _>>();
    for _ in 0..2 {
        let models = read(&rules)?;
        let began = Clock::new();
        for model in &models {
            model.attribute(journeys.paths())?;
        }
        println!("{}, no draws: {}", rules.join(", "), began.told());
    }
    for spec in fitted {
        let began = Clock::new();
        read_spec(spec)?.attribute(journeys.paths())?;
        println!("{spec}, no draws: {}", began.told());
    }
    let named: Vec<String> = std::env::args().skip(1).filter(|a| a.parse::<usize>().is_err()).collect();
    let specs = match &named[..] {
        [] => [&rules[..], timed, &fitted].concat(),
        named => named.iter().map(String::as_str).collect(),
    };
    let began = Clock::new();
    let found = bootstrap_clusters(&journeys, &read(&specs)?, draws, 1, Level::P90)?;
    println!("{} models, {draws} draws: {}, {:.0} MB at most", found.len(), began.told(), peak_mb());
    if campaigns > 0 {
        let began = Clock::new();
        let cell = |row: usize, touch: usize| (row * 31 + touch * 17) % campaigns;
        let dimension = Dimension { name: "campaign", cells: campaigns, cell: &cell };
        let draws = Draws { draws, seed: 1, level: Level::P90 };
        let found = break_down(&journeys, read_spec("linear")?.as_ref(), &dimension, None, draws)?;
        let seconds = began.told();
        let first = found.credit(0, Quantity::Conversions)?.value;
        println!("linear by {campaigns} campaigns: {seconds}, {:.0} MB at most, the first has {first:.2}", peak_mb());
    }
    Ok(())
}
