//! `throughline market step`: a market goes on by a day, with what was delivered to it.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::available_parallelism;
use std::time::Instant;

use serde_json::{Value, json};
use throughline_core::{Diagnostic, NoProgress};
use throughline_market::{Delivery, LoopWorth, Standing, Step};
use throughline_run::{Clock, Project, RunOptions, Stores, approvals};

use super::run::{clock, is_alive};
use super::{block_on, variables};
use crate::cli::MarketStepArgs;
use crate::failure::Failure;
use crate::output::{print, print_json, table};
use crate::truth;
use throughline_oneshot::files::{Csv, text};

/// Who agrees in the name of `--approve`.
const SIGNER: &str = "market step --approve";
const REASON: &str = "a simulated market, whose owner asked for it";

/// Lets a market go on day by day.
pub(super) fn market_step(args: &MarketStepArgs) -> Result<ExitCode, Failure> {
    let dir = &args.project.project;
    let threads = available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let mut standing = standing(dir)?;
    let mut steps: Vec<(Step, f64)> = Vec::new();
    let begun = Instant::now();
    for day in 0..args.days {
        let from = Instant::now();
        if args.run && day % args.every.max(1) == 0 {
            bring_up_to_date(args, false)?;
        }
        let step = standing.step(dir, threads, &deliveries(&dir.join("out"))?)?;
        live_at(dir, &standing)?;
        steps.push((step, from.elapsed().as_secs_f64()));
    }
    standing.write_truth(dir, threads)?;
    if args.run {
        bring_up_to_date(args, true)?;
    }
    let worth = standing.worth(threads)?;
    let seconds = begun.elapsed().as_secs_f64();
    if args.project.json {
        let told: Vec<Value> = steps.iter().map(|(s, t)| json!({ "step": s, "seconds": t })).collect();
        print_json(&json!({ "steps": told, "worth": worth, "seconds": seconds }))?;
    } else {
        print(&summary(&steps, &worth, seconds))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn standing(dir: &Path) -> Result<Standing, Failure> {
    if !dir.join("truth").join("market.json").exists() {
        let message = format!("{} holds no market that could go on", dir.display());
        let help = "make one with `throughline init DIR --example demo` or `throughline market generate`";
        return Err(Failure::finding(Diagnostic::error("TL056", message).help(help)));
    }
    Ok(Standing::read(dir)?)
}

/// Runs the line as of the project's day; with `--approve`, agrees to what waits and lets it leave. The last run is held against
/// the truth.
fn bring_up_to_date(args: &MarketStepArgs, last: bool) -> Result<(), Failure> {
    let project = Project::load(&args.project.project, variables(&args.project.variables))?;
    let options = |stage: Option<&str>| RunOptions {
        clock: Clock::new(clock),
        as_of: None,
        stage: stage.map(ToOwned::to_owned),
        from: None,
        requested_by: "market step".into(),
        holder: throughline_server::holder(),
        is_alive,
        threads: available_parallelism().map_or(1, NonZeroUsize::get),
        progress: Arc::new(NoProgress),
        cancelled: Arc::new(AtomicBool::new(false)),
    };
    block_on(async {
        let stores = Stores::open(&project).await?;
        let report = throughline_run::run(&project, &stores, &options(None)).await?;
        if last {
            truth::beside(report, &project, &stores).await?;
        }
        if args.approve {
            let approved =
                approvals::approve_waiting(&project, stores.ledger.as_ref(), SIGNER, REASON, clock()).await?;
            if approved > 0 {
                throughline_run::run(&project, &stores, &options(Some("activate"))).await?;
            }
        }
        Ok(())
    })?
}

/// Every batch below a folder that is complete: the file drop writes `envelope.json` last.
fn deliveries(out: &Path) -> Result<Vec<Delivery>, Failure> {
    let (mut open, mut found) = (vec![out.to_owned()], BTreeSet::new());
    while let Some(dir) = open.pop() {
        let entries = std::fs::read_dir(&dir).into_iter().flatten().flatten().map(|e| e.path());
        open.extend(entries.filter(|p| p.is_dir()));
        if dir.join("envelope.json").is_file() {
            found.insert(dir);
        }
    }
    found.into_iter().map(|dir| delivery(&dir)).collect()
}

fn delivery(dir: &Path) -> Result<Delivery, Failure> {
    let id = dir.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let mut delivery = Delivery { id, decisions: Vec::new(), budgets: Vec::new() };
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten().map(|e| e.path());
    let mut files: Vec<PathBuf> = entries.filter(|p| p.extension().is_some_and(|e| e == "csv")).collect();
    files.sort();
    for file in files {
        let mut csv = Csv::open(&file, ",")?;
        if let (Ok(channel), Ok(budget)) = (csv.column("channel"), csv.column("daily_budget")) {
            csv.rows(|_, record| {
                // What is no number is refused by the market, with its rules.
                let budget = text(record, budget)?.parse().unwrap_or(f64::NAN);
                delivery.budgets.push((text(record, channel)?.to_owned(), budget));
                Ok(())
            })?;
        } else {
            let (email, action) = (csv.column("email")?, csv.column("template")?);
            csv.rows(|_, record| {
                delivery.decisions.push((text(record, email)?.to_owned(), text(record, action)?.to_owned()));
                Ok(())
            })?;
        }
    }
    Ok(delivery)
}

/// Moves the instant at which the project lives to the end of the written days.
fn live_at(dir: &Path, standing: &Standing) -> Result<(), Failure> {
    let path = dir.join("throughline.yaml");
    if !path.exists() {
        return Ok(());
    }
    let fail = |doing| {
        let path = path.display().to_string();
        move |source| Failure::Io { doing, path, source }
    };
    let text = std::fs::read_to_string(&path).map_err(fail("read"))?;
    let now = format!("as_of: {}", standing.scenario.start.plus_days(i64::from(standing.scenario.days)));
    let mut found = false;
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines() {
        let is_it = line.starts_with("as_of:");
        found |= is_it;
        lines.push(if is_it { &now } else { line });
    }
    if !found {
        lines.push(&now);
    }
    let new = path.with_extension("yaml.new");
    std::fs::write(&new, lines.join("\n") + "\n").map_err(fail("write"))?;
    std::fs::rename(&new, &path).map_err(fail("replace"))
}

fn summary(steps: &[(Step, f64)], worth: &LoopWorth, seconds: f64) -> String {
    let rows: Vec<Vec<String>> = steps
        .iter()
        .map(|(step, taken)| {
            vec![
                step.date.clone(),
                step.sent.to_string(),
                step.kept.to_string(),
                step.refused.to_string(),
                step.budgets.to_string(),
                step.purchases.to_string(),
                format!("{:.2}", step.value),
                format!("{taken:.2}"),
            ]
        })
        .collect();
    let header = ["day", "mails sent", "none sent", "refused", "budgets", "purchases", "value", "seconds"];
    format!(
        "{}\n{} days in {seconds:.1} s\nwhat was delivered in {} days is worth so far, against none of it (exact means): \
         {:.1} purchases, {:.2} of value, {:.2} of profit after {:.2} for {} mails",
        table(&header, &[1, 2, 3, 4, 5, 6, 7], &rows),
        steps.len(),
        worth.days,
        worth.purchases,
        worth.value,
        worth.profit,
        worth.cost,
        worth.sent
    )
}
