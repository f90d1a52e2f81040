//! `throughline market`.

use std::num::NonZeroUsize;
use std::path::Path;
use std::process::ExitCode;
use std::thread::available_parallelism;
use std::time::Instant;

use serde_json::{Value, json};
use throughline_core::Diagnostic;
use throughline_core::diagnostic::closest;
use throughline_market::{
    PRESETS, Scenario, Source, VENDORS, World, locate, write_events, write_project_data, write_vendors,
};

use crate::cli::{MarketArgs, MarketShape};
use crate::failure::Failure;
use crate::output::{print, print_json, table};

/// Simulates a scenario and writes it in one shape or several.
pub(super) fn generate(args: &MarketArgs) -> Result<ExitCode, Failure> {
    let scenario = scenario(args)?;
    let given = args.threads.and_then(NonZeroUsize::new);
    let threads = given.unwrap_or_else(|| available_parallelism().unwrap_or(NonZeroUsize::MIN));
    let mut told = Vec::new();
    if args.shapes.contains(&MarketShape::Events) {
        told.push(events(args, &scenario, threads)?);
    }
    if args.shapes.iter().any(|s| *s != MarketShape::Events) {
        let begun = Instant::now();
        let world = World::simulate_on(&scenario, args.seed, threads)?;
        told.push(json!({ "what": "simulated", "people": scenario.people, "seconds": begun.elapsed().as_secs_f64() }));
        if args.shapes.contains(&MarketShape::Project) {
            let begun = Instant::now();
            write_project_data(&world, &args.dir)?;
            let bytes = ["data", "truth"].iter().map(|d| size(&args.dir.join(d))).sum::<Result<u64, _>>()?;
            told.push(json!({ "what": "data and truth", "bytes": bytes, "seconds": begun.elapsed().as_secs_f64() }));
        }
        if args.shapes.contains(&MarketShape::Vendors) {
            told.push(vendors(args, &world)?);
        }
    }
    if args.json {
        print_json(&json!({ "scenario": args.scenario, "seed": args.seed, "written": told }))?;
    } else {
        print(&summary(args, &told))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads a preset or a file, every fault with its line.
fn scenario(args: &MarketArgs) -> Result<Scenario, Failure> {
    let preset = PRESETS.iter().find(|p| p.name == args.scenario);
    let (name, text) = match preset {
        Some(preset) => (format!("{}.yaml", preset.name), preset.text.to_owned()),
        None => (args.scenario.clone(), read(&args.scenario)?),
    };
    let mut scenario: Scenario = throughline_run::project::parse_yaml(&text, &name).map_err(Failure::finding)?;
    scenario.people = args.people.unwrap_or(scenario.people);
    let faults = locate(scenario.validate(), &text, &name);
    if faults.is_empty() { Ok(scenario) } else { Err(Failure::Findings(faults)) }
}

fn read(path: &str) -> Result<String, Failure> {
    let fail = |source: std::io::Error| {
        if source.kind() != std::io::ErrorKind::NotFound {
            return Failure::Io { doing: "read", path: path.to_owned(), source };
        }
        let names: Vec<&str> = PRESETS.iter().map(|p| p.name).collect();
        let message =
            format!("there is no scenario `{path}`: neither a file nor a preset (known: {})", names.join(", "));
        let finding = Diagnostic::error("TL052", message);
        Failure::finding(match closest(path, names) {
            Some(close) => finding.help(format!("did you mean `{close}`?")),
            None => finding,
        })
    };
    std::fs::read_to_string(path).map_err(fail)
}

fn events(args: &MarketArgs, scenario: &Scenario, threads: NonZeroUsize) -> Result<Value, Failure> {
    let begun = Instant::now();
    let source = Source::new(scenario, args.seed)?;
    let written = write_events(&source, &args.dir.join("events"), threads)?;
    let seconds = begun.elapsed().as_secs_f64();
    Ok(json!({
        "what": "events", "people": written.people, "events": written.events, "purchases": written.purchases,
        "bytes": written.bytes, "files": written.files, "seconds": seconds,
        "events_per_second": written.events as f64 / seconds,
    }))
}

fn vendors(args: &MarketArgs, world: &World) -> Result<Value, Failure> {
    let begun = Instant::now();
    let bytes = write_vendors(world, &args.dir.join("vendors"))?;
    let seconds = begun.elapsed().as_secs_f64();
    Ok(json!({ "what": "vendors", "files": VENDORS.len(), "bytes": bytes, "seconds": seconds }))
}

fn size(folder: &Path) -> Result<u64, Failure> {
    let fail = |source| Failure::Io { doing: "read", path: folder.display().to_string(), source };
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        bytes += entry.and_then(|e| e.metadata()).map_err(fail)?.len();
    }
    Ok(bytes)
}

fn summary(args: &MarketArgs, told: &[Value]) -> String {
    let cell = |value: &Value| value.as_u64().map_or_else(String::new, |n| n.to_string());
    let rows: Vec<Vec<String>> = told
        .iter()
        .map(|part| {
            let seconds = part["seconds"].as_f64().unwrap_or(0.0);
            let mb = part["bytes"].as_f64().map(|b| b / 1e6);
            vec![
                part["what"].as_str().unwrap_or_default().to_owned(),
                cell(&part["people"]),
                cell(&part["events"]),
                mb.map_or_else(String::new, |mb| format!("{mb:.1}")),
                format!("{seconds:.2}"),
                mb.map_or_else(String::new, |mb| format!("{:.1}", mb / seconds.max(1e-9))),
            ]
        })
        .collect();
    let header = ["written", "people", "events", "MB", "seconds", "MB/s"];
    format!("{}\ninto {}", table(&header, &[1, 2, 3, 4, 5], &rows), args.dir.display())
}

/// The scenarios that come along.
pub(super) fn presets(name: Option<&str>) -> Result<ExitCode, Failure> {
    let wanted = PRESETS.iter().filter(|p| name.is_none_or(|n| n == p.name));
    let texts: Vec<String> = match name {
        Some(_) => wanted.map(|p| p.text.to_owned()).collect(),
        None => wanted
            .map(|p| format!("{}\t{}", p.name, p.text.lines().next().unwrap_or_default().trim_start_matches("# ")))
            .collect(),
    };
    if texts.is_empty() {
        let known: Vec<&str> = PRESETS.iter().map(|p| p.name).collect();
        let message = format!("unknown preset `{}` (known: {})", name.unwrap_or_default(), known.join(", "));
        return Err(Failure::finding(Diagnostic::error("TL052", message)));
    }
    print(texts.join("\n").trim_end())?;
    Ok(ExitCode::SUCCESS)
}
