//! Rows → Arrow → the files of the unit.

mod chunk;

mod events;

mod profiles;

mod quarantine;

mod spend;

use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, RecordBatch, StringBuilder, TimestampMicrosecondBuilder, UInt32Array};
use arrow::compute::take_record_batch;
use throughline_core::Timestamp;
use throughline_core::time::DAY_US;
use throughline_lake::{TableSpec, TableWriter};
use throughline_vault::Tokenised;

use crate::cell::Cell;
use crate::error::IngestError;
pub(crate) use chunk::{Chunk, ChunkBuilder};
pub(crate) use events::EventSink;
pub(crate) use profiles::ProfileSink;
pub(crate) use quarantine::{QuarantineSink, RefusedLine, is_cut};
pub(crate) use spend::SpendSink;

fn times() -> TimestampMicrosecondBuilder {
    TimestampMicrosecondBuilder::new().with_timezone("UTC")
}

fn push_text(builder: &mut StringBuilder, cell: &Cell<'_>) {
    builder.append_option(cell.as_str());
}

/// Whether the one whom identifiers are of was erased: an event is of the first that has content.
fn is_erased(told: &[Tokenised]) -> bool {
    told.iter().find(|told| **told != Tokenised::Nothing) == Some(&Tokenised::Erased)
}

/// Writes rows to the partitions of their days, in their order within each day.
async fn write_by_day(writer: &mut TableWriter, batch: RecordBatch, days: &[i64]) -> Result<(), IngestError> {
    let mut order: Vec<u32> = (0..).take(days.len()).collect();
    let day = |row: &u32| days.get(*row as usize).copied().unwrap_or_default();
    let batch = if days.is_sorted() {
        batch
    } else {
        order.sort_by_key(|row| day(row));
        take_record_batch(&batch, &UInt32Array::from(order.clone()))?
    };
    let mut start = 0;
    while let Some(first) = order.get(start) {
        let today = day(first);
        let length = order[start..].iter().take_while(|row| day(row) == today).count();
        let date = Timestamp::from_micros(today.saturating_mul(DAY_US)).date();
        writer.write(Some(&date), &batch.slice(start, length)).await?;
        start += length;
    }
    Ok(())
}

/// A record batch of the table's own schema.
fn batch_of(spec: &TableSpec, columns: Vec<ArrayRef>) -> Result<RecordBatch, IngestError> {
    debug_assert!(columns.windows(2).all(|pair| pair[0].len() == pair[1].len()));
    Ok(RecordBatch::try_new(Arc::clone(&spec.file_schema), columns)?)
}
