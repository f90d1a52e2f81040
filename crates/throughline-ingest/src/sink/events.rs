//! The `events` table: rows become columns on the thread that reads, tokens join them on the one that writes.

use std::mem;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanArray, Int64Builder, ListBuilder, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Field};
use throughline_core::Timestamp;
use throughline_core::time::DAY_US;
use throughline_lake::{Lake, Staged, TableSpec, TableWriter, Unit, tables};
use throughline_vault::Tokenised;

use super::{batch_of, is_erased, push_text, times, write_by_day};
use crate::error::IngestError;
use crate::evaluate::EventRow;

/// Events on their way to the table, without their tokens.
pub(crate) struct EventPart {
    /// The columns of the table, but `tokens`.
    columns: Vec<ArrayRef>,
    /// The UTC day of each event.
    days: Vec<i64>,
    /// How many identifiers each event has.
    pub(crate) subjects: Vec<usize>,
}

/// Collects events.
pub(crate) struct EventBuilder {
    source: String,
    ingested_at: i64,
    days: Vec<i64>,
    subjects: Vec<usize>,
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
        }
    }

    /// The columns in the order of the table, but `tokens`.
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
        ]
    }
}

impl EventBuilder {
    pub(crate) fn new(source: &str, ingested_at: Timestamp) -> Self {
        let (days, subjects, rows) = (Vec::new(), Vec::new(), Columns::new());
        Self { source: source.to_owned(), ingested_at: ingested_at.micros(), days, subjects, rows }
    }

    pub(crate) fn len(&self) -> usize {
        self.days.len()
    }

    pub(crate) fn push(&mut self, event: &EventRow<'_>) {
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
        self.days.push(event.occurred_at.div_euclid(DAY_US));
        self.subjects.push(event.subjects.len());
    }

    pub(crate) fn finish(&mut self) -> EventPart {
        let (columns, days, subjects) = (self.rows.finish(), mem::take(&mut self.days), mem::take(&mut self.subjects));
        EventPart { columns, days, subjects }
    }
}

/// Writes events by the UTC date on which they occurred.
pub(crate) struct EventSink {
    spec: TableSpec,
    writer: TableWriter,
}

impl EventSink {
    pub(crate) fn new(lake: &Lake, unit: &Unit) -> Result<Self, IngestError> {
        let spec = tables::events();
        let writer = lake.writer(&spec, unit)?;
        Ok(Self { spec, writer })
    }

    /// Writes events with what their identifiers became, one behind the other. Events of people who were erased are left out; how
    /// many is told.
    pub(crate) async fn write(&mut self, part: EventPart, told: &[Tokenised]) -> Result<u64, IngestError> {
        let EventPart { mut columns, mut days, subjects } = part;
        let mut column = ListBuilder::new(BinaryBuilder::with_capacity(told.len(), told.len() * 16))
            .with_field(Field::new("element", DataType::Binary, true));
        let mut rest = told;
        let mut kept = Vec::with_capacity(subjects.len());
        for count in subjects {
            let (own, others) = rest.split_at(count.min(rest.len()));
            for token in own.iter().filter_map(|told| told.token()) {
                column.values().append_value(token.0);
            }
            column.append(true);
            kept.push(!is_erased(own));
            rest = others;
        }
        columns.push(Arc::new(column.finish()));
        let mut batch = batch_of(&self.spec, columns)?;
        let erased = kept.iter().filter(|kept| !**kept).count();
        if erased > 0 {
            batch = filter_record_batch(&batch, &BooleanArray::from(kept.clone()))?;
            let mut kept = kept.into_iter();
            days.retain(|_| kept.next().unwrap_or(true));
        }
        write_by_day(&mut self.writer, batch, &days).await?;
        Ok(erased as u64)
    }

    pub(crate) async fn finish(self) -> Result<Staged, IngestError> {
        Ok(self.writer.finish().await?)
    }
}
