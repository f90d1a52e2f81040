//! One partition of decisions: every row gets its fate.

use std::sync::Arc;

use arrow::array::RecordBatch;
use throughline_core::consent::RemovedByConsent;
use throughline_core::{SubjectToken, Timestamp};
use throughline_lake::{RowsView, Snapshot, columns};
use throughline_vault::Vault;

use crate::batch::{Pending, row_digest};
use crate::error::ActivateError;
use crate::fate::{Facts, Fate, Reason, suppression};
use crate::people::People;
use crate::prior::Held;
use crate::route::Route;
use crate::rows::Delivery;

/// Columns that every route needs.
const ALWAYS: [&str; 7] = ["entity_id", "cycle_id", "action", "arm", "consent", "expires_at", "contract_version"];

/// What the fates of a partition depend on.
#[derive(Clone, Copy)]
pub(crate) struct Judge<'a> {
    pub(crate) route: &'a Route,
    pub(crate) cycle_id: &'a str,
    pub(crate) people: &'a dyn People,
    pub(crate) vault: &'a Vault,
    pub(crate) held: &'a Held<'a>,
    pub(crate) now: Timestamp,
}

/// A partition with its fates, in the order of entities.
#[derive(Debug)]
pub(crate) struct Part {
    /// Rows of the cycle that were read.
    pub(crate) read: u64,
    /// Rows that are in no new batch.
    pub(crate) settled: Vec<Delivery>,
    /// Rows for the next batches.
    pub(crate) pending: Vec<Pending>,
    /// Rows whose consent was asked for, and what it removed.
    pub(crate) removed: RemovedByConsent,
}

/// A row of the cycle: (entity, batch, row).
type Place<'a> = (&'a str, usize, usize);

impl Judge<'_> {
    /// Reads one partition and decides each row's fate. Opens no identifier: the vault is asked for kinds only.
    pub(crate) async fn partition(&self, decisions: &Snapshot, partition: &str) -> Result<Part, ActivateError> {
        let reads = self.route.reads();
        let mut names = ALWAYS.to_vec();
        names.extend(reads.iter().map(String::as_str).filter(|name| !ALWAYS.contains(name)));
        let batches = decisions.read_partition(partition, Some(&names)).await?;
        let batches: Vec<Arc<RecordBatch>> = batches.into_iter().map(Arc::new).collect();
        let mut places: Vec<Place<'_>> = Vec::new();
        for (index, batch) in batches.iter().enumerate() {
            let (entities, cycles) = (columns::text(batch, "entity_id")?, columns::text(batch, "cycle_id")?);
            let ours = (0..batch.num_rows()).filter(|row| cycles.value(*row) == self.cycle_id);
            places.extend(ours.map(|row| (entities.value(row), index, row)));
        }
        places.sort_unstable();
        let (mut part, candidates) = self.settle(&batches, &places)?;
        self.choose(&batches, candidates, &mut part).await?;
        Ok(part)
    }

    /// Settles what needs no identifier; gives the rest.
    fn settle<'p>(
        &self,
        batches: &[Arc<RecordBatch>],
        places: &[Place<'p>],
    ) -> Result<(Part, Vec<Place<'p>>), ActivateError> {
        let views = self.views(batches)?;
        let removed = RemovedByConsent::new("decisions", self.route.purpose);
        let mut part = Part { read: places.len() as u64, settled: Vec::new(), pending: Vec::new(), removed };
        let mut candidates = Vec::new();
        let mut last = None;
        for &(entity_id, index, row) in places {
            let batch = &batches[index];
            let facts = Facts {
                entity_id,
                arm: columns::text(batch, "arm")?.value(row),
                consent: columns::text(batch, "consent")?.value(row),
                expires_at: Timestamp::from_micros(columns::time(batch, "expires_at")?.value(row)),
            };
            let fate = if last == Some(entity_id) {
                Some(Fate::Kept(Reason::Duplicate))
            } else if let Some((batch_id, key)) = self.held.batch_of(entity_id) {
                Some(Fate::Carried { batch_id: batch_id.clone(), idempotency_key: key.clone() })
            } else {
                let view = views[index].row(row);
                suppression(self.route, facts, &view, self.people, self.now, &mut part.removed).map(Fate::Kept)
            };
            last = Some(entity_id);
            match fate {
                Some(fate) => part.settled.push(delivery(batch, row, entity_id, fate)?),
                None => candidates.push((entity_id, index, row)),
            }
        }
        Ok((part, candidates))
    }

    /// Chooses each candidate's identifier: the first token of the wanted kind. Without one the row is rejected.
    async fn choose(
        &self,
        batches: &[Arc<RecordBatch>],
        candidates: Vec<Place<'_>>,
        part: &mut Part,
    ) -> Result<(), ActivateError> {
        let tokens: Vec<Option<SubjectToken>> = match self.route.identifier {
            None => vec![None; candidates.len()],
            Some(kind) => {
                let each: Vec<Vec<SubjectToken>> = candidates.iter().map(|(id, ..)| self.people.tokens(id)).collect();
                let kinds = self.vault.kinds(&each.concat()).await?;
                let mut kinds = kinds.into_iter();
                // Every token of every candidate is taken from `kinds`, also after the wanted one was found.
                each.iter()
                    .map(|tokens| {
                        let known: Vec<_> = tokens.iter().zip(kinds.by_ref().take(tokens.len())).collect();
                        known.into_iter().find(|(_, found)| *found == Some(kind)).map(|(token, _)| *token)
                    })
                    .collect()
            }
        };
        let views = self.views(batches)?;
        for ((entity_id, index, row), token) in candidates.into_iter().zip(tokens) {
            if self.route.identifier.is_some() && token.is_none() {
                let fate = Fate::Kept(Reason::NoIdentifier);
                part.settled.push(delivery(&batches[index], row, entity_id, fate)?);
                continue;
            }
            let digest = row_digest(self.route, &views[index], row, entity_id, token);
            let source = Arc::clone(&batches[index]);
            part.pending.push(Pending { entity_id: entity_id.to_owned(), token, digest, source, row });
        }
        Ok(())
    }

    fn views<'b>(&self, batches: &'b [Arc<RecordBatch>]) -> Result<Vec<RowsView<'b>>, ActivateError> {
        Ok(batches.iter().map(|batch| RowsView::new(batch, &self.route.schema)).collect::<Result<_, _>>()?)
    }
}

/// The row of `deliveries` for a decision.
pub(crate) fn delivery(
    batch: &RecordBatch,
    row: usize,
    entity_id: &str,
    fate: Fate,
) -> Result<Delivery, ActivateError> {
    let action = columns::text(batch, "action")?.value(row).to_owned();
    Ok(Delivery { entity_id: entity_id.to_owned(), action, fate })
}
