//! The `spend` table.

use std::mem;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Builder, StringBuilder, TimestampMicrosecondBuilder};
use throughline_core::Timestamp;
use throughline_lake::{Lake, Staged, TableSpec, TableWriter, Unit, tables};

use super::{batch_of, push_text, times, write_by_day};
use crate::error::IngestError;
use crate::evaluate::SpendRow;

/// Spend rows on their way to the table.
pub(crate) struct SpendPart {
    columns: Vec<ArrayRef>,
    /// The business date of each row.
    days: Vec<i64>,
}

/// Collects spend rows.
pub(crate) struct SpendBuilder {
    source: String,
    ingested_at: i64,
    days: Vec<i64>,
    rows: Columns,
}

/// Writes spend rows by business date.
pub(crate) struct SpendSink {
    spec: TableSpec,
    writer: TableWriter,
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
    /// Conversions and value that the platform claims, in millionths.
    reported: [Int64Builder; 2],
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
            reported: [Int64Builder::new(), Int64Builder::new()],
            ingested_at: times(),
        }
    }

    /// The columns in the order of the table.
    fn finish(&mut self) -> Vec<ArrayRef> {
        let [channel, campaign, geo] = &mut self.texts;
        let [conversions, value] = &mut self.reported;
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
            Arc::new(conversions.finish()),
            Arc::new(value.finish()),
        ]
    }
}

impl SpendBuilder {
    pub(crate) fn new(source: &str, ingested_at: Timestamp) -> Self {
        Self { source: source.to_owned(), ingested_at: ingested_at.micros(), days: Vec::new(), rows: Columns::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.days.len()
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
        for (builder, amount) in rows.reported.iter_mut().zip(spend.reported) {
            builder.append_option(amount);
        }
        rows.ingested_at.append_value(self.ingested_at);
        self.days.push(spend.day);
    }

    pub(crate) fn finish(&mut self) -> SpendPart {
        SpendPart { columns: self.rows.finish(), days: mem::take(&mut self.days) }
    }
}

impl SpendSink {
    pub(crate) fn new(lake: &Lake, unit: &Unit) -> Result<Self, IngestError> {
        let spec = tables::spend();
        let writer = lake.writer(&spec, unit)?;
        Ok(Self { spec, writer })
    }

    pub(crate) async fn write(&mut self, part: SpendPart) -> Result<(), IngestError> {
        let batch = batch_of(&self.spec, part.columns)?;
        write_by_day(&mut self.writer, batch, &part.days).await
    }

    pub(crate) async fn finish(self) -> Result<Staged, IngestError> {
        Ok(self.writer.finish().await?)
    }
}
