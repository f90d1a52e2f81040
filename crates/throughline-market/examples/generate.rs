//! Writes the demo market to a folder and prints its truth: `generate DIR [PEOPLE [SEED]]`.

use std::error::Error;
use std::io::{Write, stdout};
use std::path::Path;
use std::thread::available_parallelism;

use throughline_market::{Moment, Scenario, World, score_policy_at, write_project_data};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let dir = arguments.first().ok_or("usage: generate DIR [PEOPLE [SEED]]")?;
    let people = arguments.get(1).map_or(Ok(5_000), |a| a.parse())?;
    let seed = arguments.get(2).map_or(Ok(1), |a| a.parse())?;
    let world = World::simulate_on(&Scenario::default().with_people(people), seed, available_parallelism()?)?;
    let truth = write_project_data(&world, Path::new(dir))?;
    let mut out = stdout().lock();
    for c in &truth.channels {
        let (name, value) = (c.channel.name(), c.true_value);
        writeln!(out, "{name:12} {:8.1} {:6} {value:10.0} {:8.0}", c.true_conversions, c.realised_conversions, c.cost)?;
    }
    for moment in [Moment::Test, Moment::Decision] {
        let score = score_policy_at::<&str, &str>(&truth, moment, &[])?;
        writeln!(out, "{moment:?}: oracle {:.0}, constant {:.0?}", score.oracle_profit, score.constant)?;
    }
    Ok(())
}
