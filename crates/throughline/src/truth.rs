//! The known truth of a simulated project, beside what the run estimated.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use throughline_market::{read_truth, score_policy};
use throughline_run::{Project, RunReport, Stores};

use crate::failure::Failure;
use crate::score::{View, score};
use throughline_oneshot::files::{Csv, text};

/// Adds the truth and the scores against it to the report of a project that has a `truth` folder, and writes the report
/// again.
pub(crate) async fn beside(mut report: RunReport, project: &Project, stores: &Stores) -> Result<RunReport, Failure> {
    if !has_truth(project) {
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
    // As it is read back from its file, so that a later score of the same run gives the same bits.
    let told: Value = serde_json::from_str(&serde_json::to_string(&report)?)?;
    let sent = sent(project, &told)?;
    let policy = if sent.is_empty() {
        Value::Null
    } else {
        let all: Vec<Sent> = sent.into_values().flatten().collect();
        serde_json::to_value(score_policy(&truth, &all)?)?
    };
    let scores = score(&View::open(project, stores, &told, &truth).await?).await?;
    report.truth = Some(json!({
        "channels": channels,
        "policy": policy,
        "scores": scores,
        "note": "simulated: the effect of a channel is this market minus the same market without it; \
                 profits are expected over the window after the decision",
    }));
    report.write(&project.state_dir())?;
    Ok(report)
}

/// Whether the truth of a project is known.
pub(crate) fn has_truth(project: &Project) -> bool {
    project.root.join("truth").join("channel_effects.csv").exists()
}

/// What somebody was sent: an e-mail address and an action.
pub(crate) type Sent = (String, String);

/// What really left, by policy: everything of every batch that was delivered in the report's cycles.
pub(crate) fn sent(project: &Project, report: &Value) -> Result<BTreeMap<String, Vec<Sent>>, Failure> {
    let mut out: BTreeMap<String, Vec<Sent>> = BTreeMap::new();
    let list = |of: &'_ Value| of.as_array().cloned().unwrap_or_default();
    for unit in list(&report["stages"]).iter().filter(|s| s["name"] == "activate").flat_map(|s| list(&s["units"])) {
        let delivery = &unit["metrics"];
        let cycle = delivery["cycle_id"].as_str().unwrap_or_default();
        let policy = cycle.split('@').next().unwrap_or_default();
        for batch in list(&delivery["batches"]) {
            let Some(id) = batch["batch_id"].as_str() else { continue };
            for file in files_of(&project.root.join("out"), id) {
                let mut csv = Csv::open(&file, ",")?;
                let (email, action) = (csv.column("email")?, csv.column("template")?);
                let rows = out.entry(policy.to_owned()).or_default();
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
