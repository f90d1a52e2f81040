//! Batches of an earlier attempt at the same cycle.

use std::collections::BTreeMap;

use throughline_lake::{Snapshot, columns};

use crate::destination::Acknowledged;
use crate::error::ActivateError;
use crate::route::Route;

/// Which rows an earlier attempt put into which batch, from a published `deliveries`. A row whose batch the destination
/// holds is never sent again, even when consent, expiry or decisions have changed since and would cut batches otherwise.
#[derive(Debug, Clone, Default)]
pub struct Prior {
    batches: Vec<(String, String)>,
    rows: BTreeMap<String, usize>,
}

impl Prior {
    /// No earlier attempt.
    pub fn none() -> Self {
        Self::default()
    }

    /// Reads the rows of a destination and cycle that were planned or sent.
    pub async fn read(deliveries: &Snapshot, destination: &str, cycle_id: &str) -> Result<Self, ActivateError> {
        let names = ["batch_id", "idempotency_key", "destination", "entity_id", "cycle_id", "status"];
        let mut prior = Self::default();
        let mut known: BTreeMap<String, usize> = BTreeMap::new();
        for file in deliveries.files() {
            for batch in deliveries.read_file(file, Some(&names)).await? {
                let text = |name| columns::text(&batch, name);
                let (ids, keys, entities) = (text("batch_id")?, text("idempotency_key")?, text("entity_id")?);
                let (places, cycles, statuses) = (text("destination")?, text("cycle_id")?, text("status")?);
                let ours = |row: &usize| {
                    places.value(*row) == destination
                        && cycles.value(*row) == cycle_id
                        && matches!(statuses.value(*row), "planned" | "sent")
                };
                for row in (0..batch.num_rows()).filter(ours) {
                    let index = *known.entry(ids.value(row).to_owned()).or_insert_with(|| {
                        prior.batches.push((ids.value(row).to_owned(), keys.value(row).to_owned()));
                        prior.batches.len() - 1
                    });
                    prior.rows.insert(entities.value(row).to_owned(), index);
                }
            }
        }
        Ok(prior)
    }

    /// Asks the destination which of these batches it holds.
    pub(crate) async fn held(&self, route: &Route) -> Result<Held<'_>, ActivateError> {
        let mut acknowledged = Vec::new();
        for (batch_id, key) in &self.batches {
            acknowledged.push(route.destination.receipt(batch_id, key).await?);
        }
        Ok(Held { prior: self, acknowledged })
    }
}

/// Earlier batches that the destination holds.
#[derive(Debug)]
pub(crate) struct Held<'a> {
    prior: &'a Prior,
    acknowledged: Vec<Option<Acknowledged>>,
}

impl<'a> Held<'a> {
    /// Id and key of the held batch an entity is in.
    pub(crate) fn batch_of(&self, entity_id: &str) -> Option<&'a (String, String)> {
        let index = *self.prior.rows.get(entity_id)?;
        self.acknowledged[index].as_ref().map(|_| &self.prior.batches[index])
    }

    /// The held batches with what the destination says about them, by id.
    pub(crate) fn batches(&self) -> BTreeMap<&str, &Acknowledged> {
        let ids = self.prior.batches.iter().map(|(id, _)| id.as_str());
        ids.zip(&self.acknowledged).filter_map(|(id, held)| held.as_ref().map(|held| (id, held))).collect()
    }
}
