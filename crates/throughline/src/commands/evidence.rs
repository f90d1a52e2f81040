//! `throughline evidence`: what is known about effects, and what people decide about it.

use std::process::ExitCode;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use throughline_core::{Diagnostic, Timestamp};
use throughline_evidence::{About, Contrast, Estimand, EvidenceRecord, Scope, Source, Standing};
use throughline_oneshot::record::{design_of, report_of};
use throughline_run::{
    EvidenceItem, EvidenceList, EvidenceWish, Project, Stores, approve_evidence, list_evidence, record_evidence,
    retire_evidence,
};

use super::{block_on, variables};
use crate::cli::{EvidenceListArgs, EvidenceNoteArgs, EvidenceRecordArgs, EvidenceShowArgs, ProjectArgs};
use crate::failure::Failure;
use crate::output::{interval, number, print, print_json, table};

fn now() -> Timestamp {
    throughline_server::system_clock().now()
}

fn listed(args: &ProjectArgs, at: Option<Timestamp>) -> Result<EvidenceList, Failure> {
    let project = Project::load(&args.project, variables(&args.variables))?;
    Ok(block_on(async {
        let stores = Stores::open(&project).await?;
        list_evidence(stores.ledger.as_ref(), at.unwrap_or_else(now)).await
    })??)
}

/// Lists records.
pub(super) fn list(args: &EvidenceListArgs) -> Result<ExitCode, Failure> {
    let mut list = listed(&args.project, args.as_of)?;
    let all = list.items.len();
    let counts = |s: Standing| matches!(s, Standing::Standing | Standing::Unapproved | Standing::Suspect);
    list.items.retain(|item| args.all || counts(item.standing));
    if args.project.json {
        print_json(&serde_json::to_value(&list)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    if all == 0 {
        print("nothing is known about effects yet: `throughline run` reads experiments and studies")?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<Vec<String>> = list.items.iter().map(row).collect();
    let head = ["record", "action", "metric", "effect", "interval", "tier", "standing", "uses"];
    print(&table(&head, &[3, 5, 7], &rows))?;
    if list.items.len() < all {
        print(&format!("{} more no longer count; --all shows them", all - list.items.len()))?;
    }
    for c in &list.conflicts {
        let p = c.p_value.map_or_else(|| "their sets are disjoint".to_owned(), |p| format!("p {p:.4}"));
        let opposed = if c.opposed { ", and they point in opposite directions" } else { "" };
        print(&format!(
            "conflict: `{}` and `{}` differ by {} ({p}){opposed}",
            c.first,
            c.second,
            number(c.difference)
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn row(item: &EvidenceItem) -> Vec<String> {
    let r = &item.kept.record;
    vec![
        r.id.clone(),
        r.scope.action.clone(),
        r.estimand.metric.clone(),
        number(r.estimate.value),
        interval(r.estimate.interval()),
        r.tier.number().to_string(),
        item.standing.words().to_owned(),
        item.kept.uses().count().to_string(),
    ]
}

/// Shows one record.
pub(super) fn show(args: &EvidenceShowArgs) -> Result<ExitCode, Failure> {
    let list = listed(&args.project, args.as_of)?;
    let Some(item) = list.items.iter().find(|i| i.kept.record.id == args.id) else {
        let known: Vec<&str> = list.items.iter().map(|i| i.kept.record.id.as_str()).collect();
        let mut finding = Diagnostic::error("TL044", format!("there is no evidence `{}`", args.id));
        if let Some(close) = throughline_core::diagnostic::closest(&args.id, known) {
            finding = finding.help(format!("did you mean `{close}`?"));
        }
        return Err(Failure::finding(finding));
    };
    let conflicts: Vec<_> = list.conflicts.iter().filter(|c| c.first == args.id || c.second == args.id).collect();
    if args.project.json {
        print_json(&json!({ "item": item, "conflicts": conflicts }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let r = &item.kept.record;
    let e = &r.estimate;
    let mut text = format!(
        "{}: {} of `{}` against `{}` on `{}`, {} {} (p {:.4}, n {}, {})\ntier {}, {}; observed {} to {}",
        r.id,
        if r.estimand.contrast == Contrast::Relative { "relative effect" } else { "effect" },
        r.estimand.treatment,
        r.estimand.control,
        r.estimand.metric,
        number(e.value),
        interval(e.interval()),
        e.p_value,
        e.n,
        e.method,
        r.tier.number(),
        item.standing.words(),
        r.scope.period_start,
        r.scope.period_end,
    );
    text.push_str("\nThis holds if:");
    r.assumptions.iter().for_each(|a| text.push_str(&format!("\n  - {a}")));
    r.diagnostics.iter().for_each(|d| text.push_str(&format!("\n{d}")));
    item.kept.notes.iter().for_each(|n| text.push_str(&format!("\n{}: {:?} by {}: {}", n.at, n.kind, n.by, n.text)));
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// Answers for a record.
pub(super) fn approve(args: &EvidenceNoteArgs) -> Result<ExitCode, Failure> {
    noted(args, true)
}

/// Retires a record.
pub(super) fn retire(args: &EvidenceNoteArgs) -> Result<ExitCode, Failure> {
    noted(args, false)
}

fn noted(args: &EvidenceNoteArgs, approve: bool) -> Result<ExitCode, Failure> {
    let project = Project::load(&args.project.project, variables(&args.project.variables))?;
    block_on(async {
        let stores = Stores::open(&project).await?;
        let wish = EvidenceWish { id: &args.id, by: &args.by, text: &args.reason, now: now() };
        if approve {
            approve_evidence(stores.ledger.as_ref(), wish).await
        } else {
            retire_evidence(stores.ledger.as_ref(), wish).await
        }
    })??;
    let done = if approve { "approved" } else { "retired" };
    if args.project.json {
        print_json(&json!({ "id": args.id, "done": done, "by": args.by }))?;
    } else {
        print(&format!("`{}` is {done} by {}; the next run goes by it", args.id, args.by))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Records an answer.
pub(super) fn record(args: &EvidenceRecordArgs) -> Result<ExitCode, Failure> {
    let path = args.answer.display().to_string();
    let text = std::fs::read_to_string(&args.answer).map_err(|source| Failure::Io {
        doing: "read",
        path: path.clone(),
        source,
    })?;
    let json: Value = serde_json::from_str(&text)
        .map_err(|e| Failure::finding(Diagnostic::error("TL062", format!("not JSON: {e}")).at(&path, None, None)))?;
    let report = report_of(&json)?;
    let Some(design) = design_of(&args.command, &report.method) else {
        let message = format!("`{}` is no command that estimates an effect", args.command);
        return Err(Failure::finding(Diagnostic::error("TL066", message).help("panel, iv, rd, effect or experiment")));
    };
    let data = hex::encode(Sha256::digest(text.as_bytes()));
    let about = About {
        id: format!("{}/{}/{}/{}", args.name, args.metric, args.action, &data[..12]),
        source: Source { name: args.name.clone(), data: Some(data) },
        estimand: Estimand {
            metric: args.metric.clone(),
            treatment: args.action.clone(),
            control: args.control.clone(),
            contrast: if args.relative { Contrast::Relative } else { Contrast::Absolute },
        },
        scope: Scope {
            action: args.action.clone(),
            segment: args.segment.clone(),
            geo: args.geo.clone(),
            period_start: args.from,
            period_end: args.to,
        },
        design,
        expires_at: args.expires,
    };
    let record = EvidenceRecord::from_report(about, report)?;
    let project = Project::load(&args.project.project, variables(&args.project.variables))?;
    block_on(async {
        let stores = Stores::open(&project).await?;
        record_evidence(stores.ledger.as_ref(), &record, now()).await
    })??;
    if args.project.json {
        print_json(&serde_json::to_value(&record)?)?;
    } else {
        print(&format!("recorded `{}`, tier {}", record.id, record.tier.number()))?;
        if !record.design.is_randomised() {
            print("it decides nothing until somebody answers for its assumptions: `throughline evidence approve`")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
