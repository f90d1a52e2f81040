//! The `spend` table.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Builder, StringBuilder, TimestampMicrosecondBuilder};
use throughline_core::Timestamp;
use throughline_lake::{Lake, Staged, TableSpec, TableWriter, Unit, tables};

use super::{FLUSH_ROWS, batch_of, push_text, times, write_by_day};
use crate::error::IngestError;
use crate::evaluate::SpendRow;

/// Collects spend rows and writes them by business date.
pub(crate) struct SpendSink {
    spec: TableSpec,
    writer: TableWriter,
    source: String,
    ingested_at: i64,
    days: Vec<i64>,
    rows: Columns,
}

struct Columns {
    source: StringBuilder,
    id: StringBuilder,
    revision: Int64Builder,
    /// In the order of [`SPEND_TEXTS`](crate::mapping::SPEND_TEXTS).
    texts: [StringBuilder; 3],
    cost: Int64Builder,
    currency: StringBuilder,
    impressions: Int64Builder,
    clicks: Int64Builder,
    ingested_at: TimestampMicrosecondBuilder,
}

impl Columns {
    fn new() -> Self {
        Self {
            source: StringBuilder::new(),
            id: StringBuilder::new(),
            revision: Int64Builder::new(),
            texts: std::array::from_fn(|_| StringBuilder::new()),
            cost: Int64Builder::new(),
            currency: StringBuilder::new(),
            impressions: Int64Builder::new(),
            clicks: Int64Builder::new(),
            ingested_at: times(),
        }
    }

    /// The columns in the order of the table.
    fn finish(&mut self) -> Vec<ArrayRef> {
        let [channel, campaign, geo] = &mut self.texts;
        vec![
            Arc::new(self.source.finish()),
            Arc::new(self.id.finish()),
            Arc::new(self.revision.finish()),
            Arc::new(channel.finish()),
            Arc::new(campaign.finish()),
            Arc::new(geo.finish()),
            Arc::new(self.cost.finish()),
            Arc::new(self.currency.finish()),
            Arc::new(self.impressions.finish()),
            Arc::new(self.clicks.finish()),
            Arc::new(self.ingested_at.finish()),
        ]
    }
}

impl SpendSink {
    pub(crate) fn new(lake: &Lake, unit: &Unit, source: &str, ingested_at: Timestamp) -> Result<Self, IngestError> {
        let spec = tables::spend();
        let writer = lake.writer(&spec, unit)?;
        let ingested_at = ingested_at.micros();
        Ok(Self { spec, writer, source: source.to_owned(), ingested_at, days: Vec::new(), rows: Columns::new() })
    }

    pub(crate) fn push(&mut self, spend: &SpendRow<'_>) {
        let rows = &mut self.rows;
        rows.source.append_value(&self.source);
        push_text(&mut rows.id, &spend.id);
        rows.revision.append_value(spend.revision);
        for (builder, text) in rows.texts.iter_mut().zip(&spend.texts) {
            push_text(builder, text);
        }
        rows.cost.append_value(spend.cost);
        rows.currency.append_value(spend.currency.as_str());
        rows.impressions.append_option(spend.impressions);
        rows.clicks.append_option(spend.clicks);
        rows.ingested_at.append_value(self.ingested_at);
        self.days.push(spend.day);
    }

    /// Writes what was collected once it is much.
    pub(crate) async fn flush_if_full(&mut self) -> Result<(), IngestError> {
        if self.days.len() < FLUSH_ROWS { Ok(()) } else { self.flush().await }
    }

    async fn flush(&mut self) -> Result<(), IngestError> {
        let batch = batch_of(&self.spec, self.rows.finish())?;
        let days = std::mem::take(&mut self.days);
        write_by_day(&mut self.writer, batch, &days).await
    }

    pub(crate) async fn finish(mut self) -> Result<Staged, IngestError> {
        self.flush().await?;
        Ok(self.writer.finish().await?)
    }
}
