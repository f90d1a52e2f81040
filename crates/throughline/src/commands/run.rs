//! `throughline run`.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use throughline_core::{Diagnostic, NoProgress, Progress, Timestamp};
use throughline_run::{Clock, Project, RunOptions, RunReport, Stores, UnitStatus};

use super::{block_on, variables};
use crate::cli::RunArgs;
use crate::failure::Failure;
use crate::output::{print, print_json, table};
use crate::progress::Bars;
use crate::truth;

fn instant(text: Option<&str>, flag: &str) -> Result<Option<Timestamp>, Failure> {
    let parse =
        |text: &str| text.parse().map_err(|e| Failure::finding(Diagnostic::error("TL042", format!("{flag}: {e}"))));
    text.map(parse).transpose()
}

/// The present instant of the machine.
pub(super) fn clock() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// Whether a process of that number is alive.
pub(super) fn is_alive(pid: u32) -> bool {
    std::path::Path::new("/proc").join(pid.to_string()).exists()
}

/// Brings every stage up to date.
pub(super) fn run(args: &RunArgs) -> Result<ExitCode, Failure> {
    let project = Project::load(&args.project.project, variables(&args.project.variables))?;
    let report = bring_up(&project, args)?;
    if args.project.json {
        print_json(&serde_json::to_value(&report)?)?;
    } else {
        print(&summary(&report))?;
        for warning in report.sources.iter().flat_map(|source| &source.warnings) {
            print(&warning.to_string())?;
        }
        for warning in crowds(&report) {
            print(&warning.to_string())?;
        }
        print(&format!("report: {}", report.folder(&project.state_dir()).join("report.html").display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Identifiers that a crowd shares: links that would have made one person of too many.
fn crowds(report: &RunReport) -> Vec<Diagnostic> {
    let refused = report.metrics("link").filter_map(|metrics| metrics["links_refused"].as_u64()).sum::<u64>();
    if refused == 0 {
        return Vec::new();
    }
    let message = format!("{refused} links were refused: they would have made one person of too many identifiers");
    let help = "identifiers that a crowd shares, such as a kiosk's cookie or a placeholder address, are best left out of `subjects`; \
                identity.yaml sets the bound, max_identifiers_per_person";
    vec![Diagnostic::warning("TL019", message).help(help)]
}

/// Runs the line.
pub(super) fn bring_up(project: &Project, args: &RunArgs) -> Result<RunReport, Failure> {
    let progress: Arc<dyn Progress> =
        if args.quiet || args.project.json { Arc::new(NoProgress) } else { Arc::new(Bars::default()) };
    let cancelled = Arc::new(AtomicBool::new(false));
    let pretended = instant(args.now.as_deref(), "--now")?;
    let options = RunOptions {
        clock: Clock::new(move || pretended.unwrap_or_else(clock)),
        as_of: instant(args.as_of.as_deref(), "--as-of")?,
        stage: args.stage.clone(),
        from: args.from.clone(),
        requested_by: "command line".into(),
        holder: throughline_server::holder(),
        is_alive,
        threads: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        progress,
        cancelled: Arc::clone(&cancelled),
    };
    block_on(async {
        let watcher = tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                cancelled.store(true, Ordering::Relaxed);
            }
        });
        let stores = Stores::open(project).await?;
        let report = throughline_run::run(project, &stores, &options).await;
        watcher.abort();
        truth::beside(report?, project, &stores).await
    })?
}

fn summary(report: &RunReport) -> String {
    let rows: Vec<Vec<String>> = report
        .stages
        .iter()
        .map(|stage| {
            let ran = stage.units.iter().filter(|u| u.status == UnitStatus::Ran).count();
            let seconds: f64 = stage.units.iter().map(|u| u.seconds).sum();
            let mut rows: BTreeMap<&str, u64> = BTreeMap::new();
            for (table, n) in stage.units.iter().flat_map(|unit| &unit.rows) {
                *rows.entry(table).or_default() += n;
            }
            let written: Vec<String> = rows.iter().filter(|(_, n)| **n > 0).map(|(t, n)| format!("{t} {n}")).collect();
            vec![
                stage.name.clone(),
                format!("{ran} of {}", stage.units.len()),
                format!("{seconds:.2} s"),
                written.join(", "),
            ]
        })
        .collect();
    let mut head = format!("run {} of {} as of {}", report.run_seq, report.project, report.as_of);
    let erased: u64 = report.metrics("link").filter_map(|link| link["erased"].as_u64()).sum();
    if erased > 0 {
        head += &format!("\nreproducible except for {erased} erased ids of people: `throughline erasures` names them");
    }
    format!("{head}\n{}", table(&["stage", "units run", "time", "rows written"], &[2], &rows))
}
