//! What will happen and what did, for people and for programs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use throughline_core::consent::RemovedByConsent;
use throughline_vault::Opening;

/// Counts of fates; every decision of the cycle is in exactly one of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fates {
    /// Decisions of the cycle.
    pub decisions: u64,
    /// In batches of this plan.
    pub to_send: u64,
    /// In batches of an earlier attempt that the destination holds.
    pub carried: u64,
    /// Held back on purpose, by reason.
    pub suppressed: BTreeMap<String, u64>,
    /// Could not be sent, by reason.
    pub rejected: BTreeMap<String, u64>,
}

impl Fates {
    /// Decisions that have a fate.
    pub fn accounted(&self) -> u64 {
        self.to_send + self.carried + self.suppressed.values().sum::<u64>() + self.rejected.values().sum::<u64>()
    }
}

/// One batch of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedBatch {
    /// Its id.
    pub batch_id: String,
    /// Its key.
    pub idempotency_key: String,
    /// Its rows.
    pub rows: u64,
    /// SHA-256 over its rows.
    pub rows_sha256: String,
    /// Whether the destination already holds it, so that sending changes nothing.
    pub already_there: bool,
}

/// What would be sent, without a single opened identifier. It can be saved and applied later; sending refuses a plan
/// that no longer holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryPlan {
    /// The destination.
    pub destination: String,
    /// Its adapter.
    pub adapter: String,
    /// The scoring cycle.
    pub cycle_id: String,
    /// Hash of the mapping.
    pub mapping_hash: String,
    /// Counts.
    pub fates: Fates,
    /// The batches in order.
    pub batches: Vec<PlannedBatch>,
}

impl DeliveryPlan {
    /// Whether sending would change anything at the destination.
    pub fn has_changes(&self) -> bool {
        self.batches.iter().any(|batch| !batch.already_there)
    }
}

/// The report of a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ActivateReport {
    /// The destination.
    pub destination: String,
    /// Its adapter.
    pub adapter: String,
    /// The scoring cycle.
    pub cycle_id: String,
    /// Counts.
    pub fates: Fates,
    /// Batches that left now.
    pub batches_sent: u64,
    /// Batches the destination already held; nothing was written for them.
    pub batches_found: u64,
    /// The batches in order.
    pub batches: Vec<PlannedBatch>,
    /// Openings of the vault, for the audit log.
    pub openings: Vec<Opening>,
    /// Decisions whose consent was asked for, and what it removed.
    pub removed_by_consent: Vec<RemovedByConsent>,
}

impl ActivateReport {
    /// One line for people.
    pub fn summary(&self) -> String {
        let held = self.fates.suppressed.values().sum::<u64>();
        let rejected = self.fates.rejected.values().sum::<u64>();
        format!(
            "{}: {} of {} decisions delivered in {} batches, {held} suppressed, {rejected} rejected",
            self.destination,
            self.fates.to_send + self.fates.carried,
            self.fates.decisions,
            self.batches.len(),
        )
    }
}
