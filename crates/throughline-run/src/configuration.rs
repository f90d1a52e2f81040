//! Configuration on record: which files a run used, and what changed since the last time.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use throughline_core::Timestamp;
use throughline_ledger::{AuditEntry, Repository};

use crate::error::RunError;
use crate::project::Project;

/// The switch of the ledger that holds the files last seen.
const SWITCH: &str = "configuration";

/// Puts on record that configuration changed, naming the files added, changed and removed and their hashes. Nothing is
/// recorded when nothing changed.
pub async fn record(project: &Project, ledger: &dyn Repository, now: Timestamp) -> Result<(), RunError> {
    let files = project.files();
    let before: BTreeMap<String, String> = match ledger.switch(SWITCH).await? {
        Some(value) => serde_json::from_value(value)?,
        None => BTreeMap::new(),
    };
    if before == files {
        return Ok(());
    }
    let mut changes: BTreeMap<&str, Value> = BTreeMap::new();
    for (file, hash) in &files {
        if before.get(file) != Some(hash) {
            changes.insert(file, json!({ "before": before.get(file), "after": hash }));
        }
    }
    for (file, hash) in before.iter().filter(|(file, _)| !files.contains_key(*file)) {
        changes.insert(file, json!({ "before": hash, "after": null }));
    }
    let payload = json!({ "configuration": project.hash(), "files": changes });
    let entry = AuditEntry { kind: "configuration_changed", actor: "project", payload: &payload, at: now };
    ledger.set_switch(SWITCH, Some(&serde_json::to_value(&files)?), entry).await?;
    Ok(())
}
