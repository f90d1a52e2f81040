//! Rows on their way to a batch, and the key that names the batch.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::RecordBatch;
use sha2::{Digest as _, Sha256};
use throughline_core::expr::{Row, Value};
use throughline_core::{SubjectToken, Timestamp};
use throughline_lake::{BatchRow, RowsView, columns};

use crate::destination::BatchHead;
use crate::error::ActivateError;
use crate::route::{Route, sha256_of};

/// A decision that will be sent: where its row lies, not its values, so that identifiers are opened only for batches
/// that really leave.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    pub(crate) entity_id: String,
    pub(crate) token: Option<SubjectToken>,
    pub(crate) digest: [u8; 32],
    pub(crate) source: Arc<RecordBatch>,
    pub(crate) row: usize,
}

/// A row of decisions with the opened identifier as one column more.
struct WithIdentifier<'r> {
    row: BatchRow<'r, 'r>,
    index: Option<usize>,
    identifier: Value,
}

impl Row for WithIdentifier<'_> {
    fn column(&self, index: usize) -> Value {
        if Some(index) == self.index { self.identifier.clone() } else { self.row.column(index) }
    }

    fn property(&self, name: &str) -> Value {
        self.row.property(name)
    }
}

/// The output values of a batch's rows, each with its identifier.
pub(crate) fn all_values(
    route: &Route,
    rows: &[Pending],
    identifiers: Vec<Value>,
) -> Result<Vec<Vec<Value>>, ActivateError> {
    // The rows of a batch come from few record batches, in any order: one view of each is enough.
    let mut views: BTreeMap<*const RecordBatch, RowsView<'_>> = BTreeMap::new();
    let mut all = Vec::with_capacity(rows.len());
    for (row, identifier) in rows.iter().zip(identifiers) {
        let view = match views.entry(Arc::as_ptr(&row.source)) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(RowsView::new(&row.source, &route.schema)?),
        };
        all.push(values(route, view, row.row, identifier));
    }
    Ok(all)
}

/// The output values of a row, with this as its identifier.
fn values(route: &Route, view: &RowsView<'_>, row: usize, identifier: Value) -> Vec<Value> {
    let row = WithIdentifier { row: view.row(row), index: route.identifier_index(), identifier };
    route.fields.iter().map(|(_, expr)| expr.eval(&row)).collect()
}

/// SHA-256 over entity, token and output values with the token in place of the identifier. Within one vault a token and
/// its value determine each other, so this determines the payload and yet tells nothing about the identifier.
pub(crate) fn row_digest(
    route: &Route,
    view: &RowsView<'_>,
    row: usize,
    entity_id: &str,
    token: Option<SubjectToken>,
) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    part(entity_id.as_bytes());
    part(token.as_ref().map_or(&[][..], |token| &token.0));
    let stand_in = token.map_or(Value::Null, |token| Value::text(token.to_string()));
    for value in values(route, view, row, stand_in) {
        // The literal of a value is canonical: equal text exactly for equal values, types apart.
        part(value.to_string().as_bytes());
    }
    hash.finalize().into()
}

/// Puts rows into the order of a batch and names it.
pub(crate) fn head(
    route: &Route,
    cycle_id: &str,
    rows: &mut [Pending],
    now: Timestamp,
) -> Result<BatchHead, ActivateError> {
    rows.sort_by(|a, b| a.entity_id.cmp(&b.entity_id));
    let rows_sha256 = sha256_of(rows.iter().map(|row| &row.digest[..]));
    let idempotency_key = sha256_of(
        ["throughline delivery v1", route.name(), route.mapping_hash(), cycle_id, &rows_sha256].map(str::as_bytes),
    );
    let mut versions = BTreeSet::new();
    for row in rows.iter() {
        versions.insert(columns::text(&row.source, "contract_version")?.value(row.row));
    }
    Ok(BatchHead {
        batch_id: idempotency_key[..32].to_owned(),
        idempotency_key,
        destination: route.name().to_owned(),
        cycle_id: cycle_id.to_owned(),
        contract_version: versions.into_iter().collect::<Vec<_>>().join(","),
        rows: rows.len() as u64,
        rows_sha256,
        schema: route.columns(),
        created_at: now,
    })
}
