//! `throughline quarantine`: rows that could not be used, and what people decide about them.

use std::process::ExitCode;

use serde_json::{Value, json};
use throughline_core::{Diagnostic, SubjectToken};
use throughline_run::{
    CorrectionWish, Project, QuarantineQuery, QuarantinedRow, RowDetail, Stores, correct_row, quarantined_rows,
    row_detail, undo_correction,
};

use super::{block_on, run, variables};
use crate::cli::{
    ProjectArgs, QuarantineCorrectArgs, QuarantineListArgs, QuarantineShowArgs, QuarantineUndoArgs, RunArgs,
};
use crate::failure::Failure;
use crate::output::{print, print_json, table};

/// Who opens rows on the command line.
const ACTOR: &str = "command line";

fn project(args: &ProjectArgs) -> Result<Project, Failure> {
    Ok(Project::load(&args.project, variables(&args.variables))?)
}

fn row_id(text: &str) -> Result<SubjectToken, Failure> {
    text.parse().map_err(|_| {
        let finding = Diagnostic::error("TL059", format!("`{text}` is not the id of a row"));
        Failure::finding(finding.help("ids have 32 hexadecimal digits, as `throughline quarantine list` shows"))
    })
}

/// Lists rows.
pub(super) fn list(args: &QuarantineListArgs) -> Result<ExitCode, Failure> {
    let project = project(&args.project)?;
    let query = QuarantineQuery {
        source: args.source.as_deref(),
        code: args.code.as_deref(),
        label: args.label.as_deref(),
        row: None,
        limit: args.limit,
    };
    let (rows, total) = block_on(async {
        let stores = Stores::open(&project).await?;
        quarantined_rows(&stores, query).await
    })??;
    if args.project.json {
        print_json(&json!({ "rows": rows, "total": total }))?;
    } else if rows.is_empty() {
        print("no row is in quarantine")?;
    } else {
        print(&shown(&rows))?;
        if total > rows.len() as u64 {
            print(&format!("{} of {total} rows; `--limit` shows more", rows.len()))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn shown(rows: &[QuarantinedRow]) -> String {
    let lines: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let place = row.line.map_or_else(|| row.file.clone(), |line| format!("{}:{line}", row.file));
            let why =
                format!("{} {}", row.code.as_deref().unwrap_or_default(), row.reason.as_deref().unwrap_or_default());
            vec![
                row.row.to_string(),
                row.source.clone(),
                place,
                stand(row).to_owned(),
                row.label.clone().unwrap_or_default(),
                why.trim().to_owned(),
            ]
        })
        .collect();
    table(&["row", "source", "place", "stands", "label", "why"], &[], &lines)
}

/// How a row stands, in words.
fn stand(row: &QuarantinedRow) -> &'static str {
    match (row.corrected, row.outcome.as_deref(), row.line) {
        (false, ..) => "refused",
        (true, Some("used"), _) => "corrected, in use",
        (true, Some("refused_again"), _) => "corrected, refused again",
        (true, Some("row_changed"), _) => "corrected, but the row is gone or changed",
        (true, Some(_), _) => "corrected, but it cannot be replaced in its file",
        (true, None, _) => "corrected, read with the next run",
    }
}

/// Shows a row.
pub(super) fn show(args: &QuarantineShowArgs) -> Result<ExitCode, Failure> {
    let row = row_id(&args.row)?;
    let project = project(&args.project)?;
    let detail = block_on(async {
        let stores = Stores::open(&project).await?;
        let now = throughline_server::system_clock().now();
        row_detail(&project, &stores, row, args.open.then_some(ACTOR), now).await
    })??;
    tell(&detail, args.project.json)?;
    Ok(ExitCode::SUCCESS)
}

fn tell(detail: &RowDetail, as_json: bool) -> Result<(), Failure> {
    if as_json {
        return print_json(&serde_json::to_value(detail)?);
    }
    print(&shown(&detail.places))?;
    for entry in &detail.history {
        let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        let what = match (entry["corrected"] == true, &entry["label"]) {
            (true, Value::String(label)) => format!("corrected, labelled {label}"),
            (true, _) => "corrected".to_owned(),
            (false, Value::String(label)) => format!("labelled {label}"),
            (false, _) => "taken back".to_owned(),
        };
        let reason = Some(text("reason")).filter(|r| !r.is_empty()).map(|r| format!(": {r}")).unwrap_or_default();
        print(&format!("{} {what} by {}{reason}", text("at"), text("author")))?;
    }
    match &detail.fields {
        None => print("the row is sealed; `throughline quarantine show ROW --open` opens it, on record"),
        Some(fields) => {
            let changed = |before: &Option<String>, after: &Option<String>| if before == after { "" } else { "→" };
            let cell = |value: &Option<String>| value.clone().unwrap_or_default();
            let rows: Vec<Vec<String>> = fields
                .iter()
                .map(|f| vec![f.name.clone(), cell(&f.before), changed(&f.before, &f.after).to_owned(), cell(&f.after)])
                .collect();
            print(&table(&["field", "in the file", "", "as it is read"], &[], &rows))
        }
    }
}

/// Corrects or labels a row.
pub(super) fn correct(args: &QuarantineCorrectArgs) -> Result<ExitCode, Failure> {
    let row = row_id(&args.row)?;
    if args.fields.is_empty() && args.text.is_none() && args.label.is_none() {
        let finding = Diagnostic::error("TL138", "nothing is to be done with the row");
        return Err(Failure::finding(finding.help("set a field with `--field NAME=VALUE`, or give it a `--label`")));
    }
    let project = project(&args.project)?;
    let detail = block_on(async {
        let stores = Stores::open(&project).await?;
        let wish = CorrectionWish {
            row,
            set: &args.fields,
            text: args.text.as_deref(),
            label: args.label.as_deref(),
            reason: &args.reason,
            author: &args.author,
        };
        correct_row(&project, &stores, wish, throughline_server::system_clock().now()).await
    })??;
    tell(&detail, args.project.json)?;
    if !args.project.json && detail.places.iter().any(|place| place.corrected) {
        print("kept: `throughline quarantine replay` or the next run reads the corrected row")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Takes back what was decided about a row.
pub(super) fn undo(args: &QuarantineUndoArgs) -> Result<ExitCode, Failure> {
    let row = row_id(&args.row)?;
    let project = project(&args.project)?;
    let files = block_on(async {
        let stores = Stores::open(&project).await?;
        let now = throughline_server::system_clock().now();
        undo_correction(&stores, row, &args.reason, &args.author, now).await
    })??;
    if args.project.json {
        print_json(&json!({ "row": row, "files": files }))?;
    } else {
        print("taken back: the next run reads the row as it stands in its file")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs the line and says what became of the corrections.
pub(super) fn replay(args: &ProjectArgs) -> Result<ExitCode, Failure> {
    let project = project(args)?;
    let wish = RunArgs { project: args.clone(), stage: None, from: None, as_of: None, now: None, quiet: args.json };
    let report = run::bring_up(&project, &wish)?;
    let told: Vec<Value> = report
        .metrics("ingest")
        .flat_map(|metrics| {
            let all = metrics["corrections"].as_array().cloned().unwrap_or_default();
            all.into_iter().map(|mut correction| {
                correction["source"] = metrics["source"].clone();
                correction["file"] = metrics["file"].clone();
                correction
            })
        })
        .collect();
    if args.json {
        print_json(&json!({ "run_seq": report.run_seq, "corrections": told }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let used = told.iter().filter(|c| c["outcome"] == "used").count();
    print(&format!("run {}: {used} of {} corrected rows are in use", report.run_seq, told.len()))?;
    for warning in report.sources.iter().flat_map(|s| &s.warnings).filter(|w| w.code == "TL138") {
        print(&warning.to_string())?;
    }
    Ok(ExitCode::SUCCESS)
}
