//! Which rows belong to which arm and cluster.

use throughline_core::Diagnostic;

use super::checks::list;
use crate::{ArmSpec, EvidenceError, Table};

/// Rows by arm, with clusters where units are not independent.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    /// Arm of each row; `u32::MAX` for rows that take no part.
    pub(crate) arm: Vec<u32>,
    /// Rows of each arm, ascending.
    pub(crate) by_arm: Vec<Vec<u32>>,
    pub(crate) clusters: Option<Clusters>,
}

/// Clusters of rows.
#[derive(Debug, Clone)]
pub(crate) struct Clusters {
    /// Code of each row.
    pub(crate) codes: Vec<u32>,
    /// How many there are.
    pub(crate) count: usize,
    /// Clusters of each arm, where no cluster is in two arms.
    pub(crate) by_arm: Option<Vec<u64>>,
}

/// Below this number of clusters in an arm, clustered errors are rough even with t.
const FEW: u64 = 20;

impl Rows {
    pub(crate) fn new(arm: Vec<u32>, arms: usize) -> Self {
        let mut by_arm = vec![Vec::new(); arms];
        for (row, arm) in arm.iter().enumerate() {
            if let Some(rows) = by_arm.get_mut(*arm as usize) {
                rows.push(u32::try_from(row).unwrap_or(u32::MAX));
            }
        }
        Self { arm, by_arm, clusters: None }
    }

    /// Takes a column of clusters; a row without one is a cluster of its own.
    pub(crate) fn cluster(
        &mut self,
        table: &Table,
        column: &str,
        arms: &[ArmSpec],
        found: &mut Vec<Diagnostic>,
    ) -> Result<(), EvidenceError> {
        let (mut codes, names) = table.codes(column)?;
        let mut count = names.len();
        let alone = codes.iter().filter(|c| **c == u32::MAX).count();
        for code in codes.iter_mut().filter(|c| **c == u32::MAX) {
            *code = u32::try_from(count).unwrap_or(u32::MAX - 1);
            count += 1;
        }
        if alone > 0 {
            let message = format!("{alone} units have no cluster and count as one each");
            found.push(Diagnostic::warning("TL333", message).help("give every unit its cluster"));
        }
        let mut home = vec![u32::MAX; count];
        let mut crossing = vec![false; count];
        for (code, arm) in codes.iter().zip(&self.arm).filter(|(_, arm)| **arm != u32::MAX) {
            let place = &mut home[*code as usize];
            crossing[*code as usize] |= *place != u32::MAX && *place != *arm;
            *place = *arm;
        }
        let mixed = crossing.iter().filter(|c| **c).count();
        let mut by_arm = vec![0; arms.len()];
        home.iter().filter(|a| **a != u32::MAX).for_each(|a| by_arm[*a as usize] += 1);
        if mixed == 0 && by_arm.iter().any(|n| (1..FEW).contains(n)) {
            let message = format!(
                "few clusters ({}): errors are rough below {FEW} in an arm",
                list(arms, |i| by_arm[i].to_string())
            );
            found.push(Diagnostic::warning("TL333", message).help("assign more, smaller clusters"));
        }
        if mixed > 0 {
            let message = format!("{mixed} clusters have units in more than one arm: assignment was within clusters");
            found.push(
                Diagnostic::new(throughline_core::Severity::Info, "TL333", message)
                    .help("errors allow for it; if whole clusters should have been assigned, the assignment failed"),
            );
        }
        self.clusters = Some(Clusters { codes, count, by_arm: (mixed == 0).then_some(by_arm) });
        Ok(())
    }
}
