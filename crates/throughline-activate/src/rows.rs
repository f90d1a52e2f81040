//! Rows of the tables `deliveries` and `receipts`.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use throughline_core::Timestamp;
use throughline_lake::{columns, tables};

use crate::destination::Receipt;
use crate::error::ActivateError;
use crate::fate::{Fate, Reason};

/// How far a batched row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    Planned,
    Sent,
}

/// One row of `deliveries` to be.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) entity_id: String,
    pub(crate) action: String,
    pub(crate) fate: Fate,
}

impl Delivery {
    fn status(&self, progress: Progress) -> &'static str {
        match (&self.fate, progress) {
            (Fate::Carried { .. }, _) | (Fate::Batched, Progress::Sent) => "sent",
            (Fate::Batched, Progress::Planned) => "planned",
            (Fate::Kept(reason), _) if reason.is_rejection() => "rejected",
            (Fate::Kept(_), _) => "suppressed",
        }
    }

    fn reason(&self) -> Option<&'static str> {
        match self.fate {
            Fate::Kept(reason) => Some(Reason::name(reason)),
            _ => None,
        }
    }
}

/// The batch a run of deliveries belongs to; empty texts for rows that are in none.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Belongs<'a> {
    pub(crate) batch_id: &'a str,
    pub(crate) idempotency_key: &'a str,
}

/// A batch of `deliveries`.
pub(crate) fn deliveries(
    rows: &[Delivery],
    belongs: Belongs<'_>,
    destination: &str,
    cycle_id: &str,
    progress: Progress,
    now: Timestamp,
) -> Result<RecordBatch, ActivateError> {
    let ids = |row: &Delivery| match &row.fate {
        Fate::Batched => (belongs.batch_id.to_owned(), belongs.idempotency_key.to_owned()),
        Fate::Carried { batch_id, idempotency_key } => (batch_id.clone(), idempotency_key.clone()),
        Fate::Kept(_) => (String::new(), String::new()),
    };
    let (batch_ids, keys): (Vec<String>, Vec<String>) = rows.iter().map(ids).unzip();
    let texts = |values: Vec<&str>| -> ArrayRef { Arc::new(StringArray::from(values)) };
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(batch_ids)),
        Arc::new(StringArray::from(keys)),
        texts(vec![destination; rows.len()]),
        texts(rows.iter().map(|row| row.entity_id.as_str()).collect()),
        texts(vec![cycle_id; rows.len()]),
        texts(rows.iter().map(|row| row.action.as_str()).collect()),
        texts(rows.iter().map(|row| row.status(progress)).collect()),
        Arc::new(rows.iter().map(Delivery::reason).collect::<StringArray>()),
        columns::times(vec![Some(now.micros()); rows.len()]),
    ];
    Ok(RecordBatch::try_new(tables::deliveries().file_schema, columns)?)
}

/// A batch of `receipts`, all of one batch.
pub(crate) fn receipts(batch_id: &str, destination: &str, rows: &[Receipt]) -> Result<RecordBatch, ActivateError> {
    let texts = |values: Vec<&str>| -> ArrayRef { Arc::new(StringArray::from(values)) };
    let counts = rows.iter().map(|receipt| i64::try_from(receipt.rows).unwrap_or(i64::MAX));
    let columns: Vec<ArrayRef> = vec![
        texts(vec![batch_id; rows.len()]),
        texts(vec![destination; rows.len()]),
        texts(rows.iter().map(|receipt| receipt.step).collect()),
        Arc::new(Int64Array::from_iter_values(counts)),
        texts(rows.iter().map(|receipt| receipt.digest.as_str()).collect()),
        Arc::new(rows.iter().map(|receipt| receipt.detail.as_deref()).collect::<StringArray>()),
        columns::times(rows.iter().map(|receipt| Some(receipt.received_at.micros()))),
    ];
    Ok(RecordBatch::try_new(tables::receipts().file_schema, columns)?)
}
