//! How well and how fast records of CSV files are linked: `measure TRUTH_COLUMN FILE…`; a truth such as `rec_id:1` is what
//! stands before the second dash.

use std::collections::HashMap;
use std::error::Error;
use std::num::NonZeroUsize;
use std::time::Instant;

use throughline_linkage::{LinkOptions, RawColumn, link, pair_quality};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let truth = arguments.next().ok_or("a truth column is missing")?;
    let mut columns: Vec<RawColumn> = Vec::new();
    let mut labels: Vec<String> = Vec::new();
    let mut sources: Vec<u32> = Vec::new();
    for (source, path) in (0..).zip(arguments) {
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path)?;
        let header: Vec<String> = reader.headers()?.iter().map(ToOwned::to_owned).collect();
        for record in reader.records() {
            let record = record?;
            for (name, value) in header.iter().zip(&record) {
                if *name == truth.trim_end_matches(":1") {
                    let dash = |(i, _): (usize, &str)| i;
                    let cut = value.match_indices('-').nth(1).map_or(value.len(), dash);
                    labels.push(if truth.ends_with(":1") { value[..cut].to_owned() } else { value.to_owned() });
                    continue;
                }
                match columns.iter_mut().find(|c| c.name == *name) {
                    Some(column) => column.push(value),
                    None => columns.push(RawColumn::of(name, [value])),
                }
            }
            sources.push(source);
        }
    }
    let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let begun = Instant::now();
    let linked = link(&columns, &LinkOptions { threads, most_pairs: None })?;
    let seconds = begun.elapsed().as_secs_f64();
    let mut numbers: HashMap<&str, u32> = HashMap::new();
    let next: Vec<u32> = labels
        .iter()
        .map(|l| {
            let new = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
            *numbers.entry(l).or_insert(new)
        })
        .collect();
    let across = sources.iter().any(|s| *s > 0).then_some(sources.as_slice());
    println!("{:?}", linked.kinds);
    println!("left out {:?}", linked.left_out);
    for key in &linked.keys {
        println!("  {:?} {}", key.columns, key.pairs);
    }
    for p in &linked.probabilities {
        println!("  {} m {:.4?} u {:.6?}", p.column, p.m, p.u);
    }
    println!(
        "prior {:.3e} recall of blocking {:.4} compared {}",
        linked.prior, linked.blocking_recall, linked.compared
    );
    println!("{:?} in {seconds:.2} s", pair_quality(&next, &linked.persons, across));
    Ok(())
}
