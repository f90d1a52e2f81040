//! `throughline erase` and `throughline erasures`.

use std::io::Read as _;
use std::process::ExitCode;

use serde_json::json;
use throughline_core::Diagnostic;
use throughline_run::{
    Clock, EraseOptions, Erasing, Erasure, ErasureReport, PendingDeletion, Project, Stores, confirm_deletion, erase,
    erasures,
};

use super::{block_on, run, variables};
use crate::cli::{EraseArgs, ErasuresArgs};
use crate::failure::Failure;
use crate::output::{print, print_json, table};

/// Who erases on the command line.
const ACTOR: &str = "command line";

/// What is read of standard input at most.
const LONGEST: u64 = 8192;

/// Erases a person, or says what would go.
pub(super) fn person(args: &EraseArgs) -> Result<ExitCode, Failure> {
    let whom = match args.whom.as_str() {
        "-" => std::io::read_to_string(std::io::stdin().take(LONGEST))
            .map_err(|e| Failure::finding(Diagnostic::error("TL061", format!("standard input cannot be read: {e}"))))?,
        given => given.to_owned(),
    };
    let whom = Erasing::parse(whom.trim()).ok_or_else(|| {
        // What was written may be somebody's identifier: it is not repeated.
        let finding = Diagnostic::error("TL061", "this names neither a person nor an identifier");
        Failure::finding(
            finding.help("write a person_id (32 hexadecimal digits) or KIND:VALUE, for example email:ann@example.org"),
        )
    })?;
    let project = Project::load(&args.project.project, variables(&args.project.variables))?;
    let options = EraseOptions {
        clock: Clock::new(run::clock),
        actor: ACTOR.into(),
        holder: throughline_server::holder(),
        is_alive: run::is_alive,
        dry_run: args.dry_run,
    };
    let report = block_on(async {
        let stores = Stores::open(&project).await?;
        erase(&project, &stores, &whom, &options).await
    })??;
    if args.project.json {
        print_json(&serde_json::to_value(&report)?)?;
    } else {
        print(&told(&report))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn told(report: &ErasureReport) -> String {
    let Some(erasure) = &report.erasure else {
        return "this identifier was erased before; `throughline erasures` lists every erasure".to_owned();
    };
    let mut text = match (report.already, report.dry_run) {
        (true, _) => format!("erased before, in erasure {}\n", erasure.id),
        (false, true) => "would erase (nothing was changed)\n".to_owned(),
        (false, false) => format!("erased, in erasure {}\n", erasure.id),
    };
    text += &format!(
        "{} identifiers, {} profiles, {} quarantined rows; {} ids of the person\n",
        erasure.identifiers.len(),
        erasure.profiles.len(),
        erasure.quarantined.len(),
        erasure.persons.len()
    );
    text += &rows(erasure);
    if report.dry_run {
        let names: Vec<&str> = erasure.delivered.iter().map(|d| d.destination.as_str()).collect();
        text +=
            &format!("\nto be asked to delete: {}", if names.is_empty() { "nobody".into() } else { names.join(", ") });
    } else {
        text += &format!("\n{}", asked(&report.deletions));
        text += "\nthe next run computes anew what counted the person";
    }
    text
}

fn rows(erasure: &Erasure) -> String {
    let cells = |(name, t): (&String, &throughline_run::ErasedRows)| {
        [name.clone()].into_iter().chain([t.files, t.rows, t.published, t.changed].map(|n| n.to_string())).collect()
    };
    let rows: Vec<Vec<String>> = erasure.tables.iter().map(cells).collect();
    let header = ["table", "files", "rows in all versions", "of them published", "rows of others changed"];
    table(&header, &[1, 2, 3, 4], &rows)
}

fn asked(deletions: &[PendingDeletion]) -> String {
    if deletions.is_empty() {
        return "no destination had got the person".to_owned();
    }
    let cells = |d: &PendingDeletion| {
        let state = match (d.confirmed, &d.request) {
            (true, _) => "confirmed".to_owned(),
            (false, Some(place)) => format!("asked: {place}"),
            (false, None) => "to be asked by hand".to_owned(),
        };
        vec![format!("{}/{}", d.erasure, d.delivered.destination), d.delivered.batches.len().to_string(), state]
    };
    table(&["deletion", "batches", "state"], &[1], &deletions.iter().map(cells).collect::<Vec<_>>())
}

/// Lists erasures, and confirms deletions.
pub(super) fn list(args: &ErasuresArgs) -> Result<ExitCode, Failure> {
    let project = Project::load(&args.project.project, variables(&args.project.variables))?;
    let (erasures, deletions) = block_on(async {
        let stores = Stores::open(&project).await?;
        if let Some(name) = &args.deleted {
            let (erasure, destination) = name.split_once('/').unwrap_or((name, ""));
            confirm_deletion(stores.ledger.as_ref(), erasure, destination, ACTOR, run::clock()).await?;
        }
        erasures(stores.ledger.as_ref()).await
    })??;
    if args.project.json {
        print_json(&json!({ "erasures": erasures, "deletions": deletions }))?;
        return Ok(ExitCode::SUCCESS);
    }
    if erasures.is_empty() {
        print("nobody was erased")?;
        return Ok(ExitCode::SUCCESS);
    }
    let cells = |e: &Erasure| {
        let rows: u64 = e.tables.values().map(|t| t.rows).sum();
        let persons: Vec<String> = e.persons.iter().map(ToString::to_string).collect();
        vec![e.id.clone(), persons.join(" "), e.identifiers.len().to_string(), rows.to_string(), e.actor.clone()]
    };
    let rows: Vec<Vec<String>> = erasures.iter().map(cells).collect();
    print(&table(&["erasure", "person", "identifiers", "rows", "asked by"], &[2, 3], &rows))?;
    print(&asked(&deletions))?;
    Ok(ExitCode::SUCCESS)
}
