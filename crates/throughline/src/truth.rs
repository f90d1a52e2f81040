//! The known truth of a simulated project, beside what the run estimated.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use throughline_market::{read_truth, score_policy};
use throughline_run::{Project, RunReport};

use crate::failure::Failure;
use crate::files::{Csv, text};

/// Adds the truth to the report of a project that has a `truth` folder, and writes the report again.
pub(crate) fn beside(mut report: RunReport, project: &Project) -> Result<RunReport, Failure> {
    if !project.root.join("truth").join("channel_effects.csv").exists() {
        return Ok(report);
    }
    let truth = read_truth(&project.root)?;
    let channels: Vec<Value> = truth
        .channels
        .iter()
        .map(|c| {
            json!({ "channel": c.channel.name(), "true_conversions": c.true_conversions, "true_value": c.true_value,
                    "cost": c.cost })
        })
        .collect();
    let sent = sent(project, &report)?;
    let policy = match &sent {
        Some(sent) => serde_json::to_value(score_policy(&truth, sent)?)?,
        None => Value::Null,
    };
    report.truth = Some(json!({
        "channels": channels,
        "policy": policy,
        "note": "simulated: the effect of a channel is this market minus the same market without it; \
                 profits are expected over the window after the decision",
    }));
    report.write(&project.state_dir())?;
    Ok(report)
}

/// What really left: (e-mail, action) of every batch delivered in this cycle.
fn sent(project: &Project, report: &RunReport) -> Result<Option<Vec<(String, String)>>, Failure> {
    let mut out: Option<Vec<(String, String)>> = None;
    for delivery in report.metrics("activate") {
        for batch in delivery["batches"].as_array().into_iter().flatten() {
            let Some(id) = batch["batch_id"].as_str() else { continue };
            for file in files_of(&project.root.join("out"), id) {
                let mut csv = Csv::open(&file, ",")?;
                let (email, action) = (csv.column("email")?, csv.column("template")?);
                let rows = out.get_or_insert_default();
                csv.rows(|_, record| {
                    rows.push((text(record, email)?.to_owned(), text(record, action)?.to_owned()));
                    Ok(())
                })?;
            }
        }
    }
    Ok(out)
}

/// The data files of a batch below a folder.
fn files_of(folder: &Path, batch: &str) -> Vec<PathBuf> {
    let mut out = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(&dir).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "csv") && dir.ends_with(batch) {
                out.push(path);
            }
        }
    }
    out.sort();
    out
}
