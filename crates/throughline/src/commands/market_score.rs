//! `throughline market score`.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use indicatif::ProgressBar;
use serde_json::{Value, json};
use throughline_core::{Diagnostic, NoProgress};
use throughline_ledger::RunStatus;
use throughline_market::{World, read_truth, write_project_data};
use throughline_run::{Clock, Project, RunOptions, Stores};

use super::run::{clock, is_alive};
use super::{block_on, variables, write_example};
use crate::cli::MarketScoreArgs;
use crate::examples::example;
use crate::failure::Failure;
use crate::output::{print, print_json};
use crate::score::{Part, View, parts_markdown, parts_table, score, summarise, summary_markdown, summary_table};
use crate::truth::has_truth;

/// Most markets of one call.
const MOST_SEEDS: u32 = 10_000;
/// Most people of one market: they are held in memory.
const MOST_PEOPLE: u32 = 200_000;

/// Holds a run against the truth, or the runs of many markets.
pub(super) fn market_score(args: &MarketScoreArgs) -> Result<ExitCode, Failure> {
    match args.seeds {
        Some(seeds) => of_seeds(args, seeds)?,
        None => of_project(args)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn of_project(args: &MarketScoreArgs) -> Result<(), Failure> {
    let project = Project::load(&args.project.project, variables(&args.project.variables))?;
    if !has_truth(&project) {
        let message = format!("{} has no truth: it was not simulated", project.root.display());
        let help = "make a simulated one: throughline init DIR --example demo";
        return Err(Failure::finding(Diagnostic::error("TL053", message).help(help)));
    }
    let name = &project.config.value.name;
    let (run_seq, parts) = block_on(last_run(&project))??;
    if args.markdown {
        let lead = format!("Run {run_seq} of the project `{name}`, by `throughline market score`.");
        print(&parts_markdown("A run against the truth", &lead, &parts))
    } else if args.project.json {
        print_json(&json!({ "project": name, "run_seq": run_seq, "parts": parts }))
    } else {
        print(&format!("run {run_seq} of {name}\n\n{}", parts_table(&parts)))
    }
}

/// The number of the last finished run and its scores.
async fn last_run(project: &Project) -> Result<(u64, Vec<Part>), Failure> {
    let unfinished = || {
        let message = format!("{} has no finished run", project.root.display());
        Failure::finding(Diagnostic::error("TL054", message).help("run it first: throughline run DIR"))
    };
    // Looking must not make stores.
    if !project.state_dir().join("lake").exists() {
        return Err(unfinished());
    }
    let stores = Stores::open(project).await?;
    let last = stores.ledger.last_run(Some(RunStatus::Succeeded)).await.map_err(throughline_run::RunError::from)?;
    let run_seq = last.ok_or_else(unfinished)?.run_seq;
    let path = project.state_dir().join("runs").join(run_seq.to_string()).join("report.json");
    let text = std::fs::read_to_string(&path).map_err(|source| Failure::Io {
        doing: "read",
        path: path.display().to_string(),
        source,
    })?;
    let report: Value = serde_json::from_str(&text)?;
    let truth = read_truth(&project.root)?;
    Ok((run_seq, score(&View::open(project, &stores, &report, &truth).await?).await?))
}

fn of_seeds(args: &MarketScoreArgs, seeds: u32) -> Result<(), Failure> {
    for (what, given, least, most) in [("--seeds", seeds, 1, MOST_SEEDS), ("--people", args.people, 1, MOST_PEOPLE)] {
        if !(least..=most).contains(&given) {
            let message = format!("{what} of {given} lies outside {least} to {most}");
            return Err(Failure::finding(Diagnostic::error("TL055", message)));
        }
    }
    let folder = tempfile::tempdir()?;
    // Drawn on a terminal only.
    let bar = ProgressBar::new(u64::from(seeds));
    let mut all = Vec::new();
    for seed in 1..=seeds {
        let root = folder.path().join(seed.to_string());
        all.push(of_seed(&root, u64::from(seed), args.people)?);
        std::fs::remove_dir_all(&root)?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    let parts = summarise(&all);
    if args.markdown {
        let command = format!("throughline market score --seeds {seeds} --people {}", args.people);
        let lead = format!(
            "What the line makes of {seeds} simulated markets of {} people each, held against what is true in them: made by \
             `{command}`, which simulates the demo with seeds 1 to {seeds}, runs it and scores it. Nothing is left out: where \
             a method fails, it fails here. Each mean is over markets and has a 90 % interval by Student's t; a coverage \
             is over all intervals of all markets, with Wilson's 90 % interval and an exact binomial test against the \
             promised share at 1 %. A note with a number in brackets stood in so many of the markets.",
            args.people
        );
        print(&summary_markdown("Held against the truth", &lead, &parts))
    } else if args.project.json {
        print_json(&json!({ "seeds": seeds, "people": args.people, "parts": parts }))
    } else {
        print(&format!("{seeds} markets of {} people\n\n{}", args.people, summary_table(&parts)))
    }
}

/// Simulates, runs and scores one demo. The vault's key comes from the seed, so that person ids, and with them every
/// hashed choice, are the same each time; the clock stands still at the project's as-of instant.
fn of_seed(root: &Path, seed: u64, people: u32) -> Result<Vec<Part>, Failure> {
    let Some(demo) = example("demo") else { return Ok(Vec::new()) };
    write_example(demo, root)?;
    let world = World::simulate(&super::init::demo()?.with_people(people), seed)?;
    let truth = write_project_data(&world, root)?;
    let project = Project::load(root, variables(&[]))?;
    write_key(&project.state_dir().join("vault"), seed)?;
    let as_of = project.config.value.as_of;
    let options = RunOptions {
        clock: Clock::new(move || as_of.unwrap_or_else(clock)),
        as_of,
        stage: None,
        from: None,
        requested_by: "command line".into(),
        holder: throughline_server::holder(),
        is_alive,
        threads: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        progress: Arc::new(NoProgress),
        cancelled: Arc::new(AtomicBool::new(false)),
    };
    block_on(async {
        let stores = Stores::open(&project).await?;
        let report = serde_json::to_value(throughline_run::run(&project, &stores, &options).await?)?;
        score(&View::open(&project, &stores, &report, &truth).await?).await
    })?
}

/// Writes a key of no secrecy into the vault of a simulated project.
fn write_key(folder: &Path, seed: u64) -> Result<(), Failure> {
    let path = folder.join("vault.key");
    let fail = |source| Failure::Io { doing: "write", path: path.display().to_string(), source };
    std::fs::create_dir_all(folder).map_err(fail)?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&path).map_err(fail)?;
    writeln!(file, "{seed:064x}").map_err(fail)
}
