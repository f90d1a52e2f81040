//! What consent removed from each stage, as the stage last reported it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::engine::Stores;
use crate::error::RunError;
use crate::stages::stage_names;

/// Rows that consent removed at one place of a stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RemovedFrom {
    /// The stage.
    pub stage: String,
    /// The policy, or the destination and policy; absent for stages of one unit.
    pub unit: Option<String>,
    /// What was removed, in the plural.
    pub what: String,
    /// The purpose that needed consent.
    pub purpose: String,
    /// Rows considered, removed ones included.
    pub considered: u64,
    /// Removed because nothing was said.
    pub unknown: u64,
    /// Removed because it was denied.
    pub denied: u64,
    /// Removed because it was withdrawn, or denied in another place.
    pub withdrawn: u64,
}

/// Reads the metrics of the last run of every unit; of a policy's cycles the latest.
pub(super) async fn removed(stores: &Stores) -> Result<Vec<RemovedFrom>, RunError> {
    let mut out = Vec::new();
    for stage in stage_names() {
        let mut latest = BTreeMap::new();
        for (unit, record) in stores.ledger.fingerprints(stage).await? {
            let name = unit.split('@').next().unwrap_or_default().to_owned();
            let is_newer = |known: &(_, _)| known.0 < record.published_at;
            if latest.get(&name).is_none_or(is_newer) {
                latest.insert(name, (record.published_at, record.metrics));
            }
        }
        for (unit, (_, metrics)) in latest {
            let unit = (unit != "all").then_some(unit);
            out.extend(rows(&metrics).map(|row| of(stage, unit.as_deref(), row)));
        }
    }
    Ok(out)
}

/// The counts in a unit's metrics.
pub(crate) fn rows(metrics: &Value) -> impl Iterator<Item = &Value> {
    metrics["removed_by_consent"].as_array().into_iter().flatten()
}

fn of(stage: &str, unit: Option<&str>, row: &Value) -> RemovedFrom {
    let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let count = |key: &str| row[key].as_u64().unwrap_or(0);
    RemovedFrom {
        stage: stage.to_owned(),
        unit: unit.map(str::to_owned),
        what: text("what"),
        purpose: text("purpose"),
        considered: count("considered"),
        unknown: count("unknown"),
        denied: count("denied"),
        withdrawn: count("withdrawn"),
    }
}
