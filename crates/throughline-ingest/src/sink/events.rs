//! The `events` table.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryBuilder, Int64Builder, ListBuilder, StringBuilder, TimestampMicrosecondBuilder};
use arrow::datatypes::{DataType, Field};
use throughline_core::time::DAY_US;
use throughline_core::{SubjectToken, Timestamp};
use throughline_lake::{Lake, Staged, TableSpec, TableWriter, Unit, tables};

use super::{FLUSH_ROWS, batch_of, push_text, times, write_by_day};
use crate::error::IngestError;
use crate::evaluate::EventRow;

/// Collects events and writes them by the UTC date on which they occurred.
pub(crate) struct EventSink {
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
    kind: StringBuilder,
    /// In the order of [`EVENT_TEXTS`](crate::mapping::EVENT_TEXTS).
    texts: [StringBuilder; 6],
    occurred_at: TimestampMicrosecondBuilder,
    available_at: TimestampMicrosecondBuilder,
    ingested_at: TimestampMicrosecondBuilder,
    cost: Int64Builder,
    value: Int64Builder,
    currency: StringBuilder,
    properties: StringBuilder,
    consent: StringBuilder,
    tokens: ListBuilder<BinaryBuilder>,
}

impl Columns {
    fn new() -> Self {
        Self {
            source: StringBuilder::new(),
            id: StringBuilder::new(),
            revision: Int64Builder::new(),
            kind: StringBuilder::new(),
            texts: std::array::from_fn(|_| StringBuilder::new()),
            occurred_at: times(),
            available_at: times(),
            ingested_at: times(),
            cost: Int64Builder::new(),
            value: Int64Builder::new(),
            currency: StringBuilder::new(),
            properties: StringBuilder::new(),
            consent: StringBuilder::new(),
            tokens: ListBuilder::new(BinaryBuilder::new()).with_field(Field::new("element", DataType::Binary, true)),
        }
    }

    /// The columns in the order of the table.
    fn finish(&mut self) -> Vec<ArrayRef> {
        let [name, channel, campaign, ad, geo, device] = &mut self.texts;
        vec![
            Arc::new(self.source.finish()),
            Arc::new(self.id.finish()),
            Arc::new(self.revision.finish()),
            Arc::new(self.kind.finish()),
            Arc::new(name.finish()),
            Arc::new(self.occurred_at.finish()),
            Arc::new(self.available_at.finish()),
            Arc::new(self.ingested_at.finish()),
            Arc::new(channel.finish()),
            Arc::new(campaign.finish()),
            Arc::new(ad.finish()),
            Arc::new(geo.finish()),
            Arc::new(device.finish()),
            Arc::new(self.cost.finish()),
            Arc::new(self.value.finish()),
            Arc::new(self.currency.finish()),
            Arc::new(self.properties.finish()),
            Arc::new(self.consent.finish()),
            Arc::new(self.tokens.finish()),
        ]
    }
}

impl EventSink {
    pub(crate) fn new(lake: &Lake, unit: &Unit, source: &str, ingested_at: Timestamp) -> Result<Self, IngestError> {
        let spec = tables::events();
        let writer = lake.writer(&spec, unit)?;
        let ingested_at = ingested_at.micros();
        Ok(Self { spec, writer, source: source.to_owned(), ingested_at, days: Vec::new(), rows: Columns::new() })
    }

    /// Adds an event with the tokens of its subjects.
    pub(crate) fn push(&mut self, event: &EventRow<'_>, tokens: &[Option<SubjectToken>]) {
        let rows = &mut self.rows;
        rows.source.append_value(&self.source);
        push_text(&mut rows.id, &event.id);
        rows.revision.append_value(event.revision);
        rows.kind.append_value(event.kind.name());
        for (builder, text) in rows.texts.iter_mut().zip(&event.texts) {
            push_text(builder, text);
        }
        rows.occurred_at.append_value(event.occurred_at);
        rows.available_at.append_value(event.available_at);
        rows.ingested_at.append_value(self.ingested_at);
        rows.cost.append_option(event.cost);
        rows.value.append_option(event.value);
        rows.currency.append_option(event.currency.as_ref().map(throughline_core::Currency::as_str));
        rows.properties.append_option(event.properties.as_deref());
        rows.consent.append_value(&event.consent);
        for token in tokens.iter().flatten() {
            rows.tokens.values().append_value(token.0);
        }
        rows.tokens.append(true);
        self.days.push(event.occurred_at.div_euclid(DAY_US));
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
