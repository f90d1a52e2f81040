//! Journeys and touches as rows of their tables.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, Int32Builder, Int64Builder, ListBuilder, RecordBatch, StringBuilder,
};
use arrow::datatypes::{DataType, Field};
use throughline_core::PersonId;
use throughline_lake::{LakeError, columns, tables};

/// A row of `touches`.
#[derive(Debug)]
pub(crate) struct TouchRow<'a> {
    pub(crate) journey_id: &'a str,
    pub(crate) person: PersonId,
    pub(crate) position: i32,
    pub(crate) source: &'a str,
    pub(crate) source_event_id: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) channel: &'a str,
    pub(crate) campaign: Option<&'a str>,
    pub(crate) occurred_at: i64,
    pub(crate) session: i32,
    pub(crate) rule: crate::Rule,
}

/// Collects rows of `touches`.
#[derive(Debug, Default)]
pub(crate) struct TouchRows {
    journey_id: StringBuilder,
    person_id: BinaryBuilder,
    position: Int32Builder,
    source: StringBuilder,
    source_event_id: StringBuilder,
    kind: StringBuilder,
    channel: StringBuilder,
    campaign: StringBuilder,
    occurred_at: Vec<Option<i64>>,
    session: Int32Builder,
    kept: BooleanBuilder,
    rule: StringBuilder,
}

impl TouchRows {
    pub(crate) fn push(&mut self, row: &TouchRow<'_>) {
        self.journey_id.append_value(row.journey_id);
        self.person_id.append_value(row.person.0);
        self.position.append_value(row.position);
        self.source.append_value(row.source);
        self.source_event_id.append_value(row.source_event_id);
        self.kind.append_value(row.kind);
        self.channel.append_value(row.channel);
        self.campaign.append_option(row.campaign);
        self.occurred_at.push(Some(row.occurred_at));
        self.session.append_value(row.session);
        self.kept.append_value(row.rule == crate::Rule::Kept);
        self.rule.append_value(row.rule.name());
    }

    pub(crate) fn finish(mut self) -> Result<RecordBatch, LakeError> {
        let arrays: Vec<ArrayRef> = vec![
            Arc::new(self.journey_id.finish()),
            Arc::new(self.person_id.finish()),
            Arc::new(self.position.finish()),
            Arc::new(self.source.finish()),
            Arc::new(self.source_event_id.finish()),
            Arc::new(self.kind.finish()),
            Arc::new(self.channel.finish()),
            Arc::new(self.campaign.finish()),
            columns::times(self.occurred_at),
            Arc::new(self.session.finish()),
            Arc::new(self.kept.finish()),
            Arc::new(self.rule.finish()),
        ];
        Ok(RecordBatch::try_new(tables::touches().file_schema, arrays)?)
    }
}

/// A row of `journeys`.
#[derive(Debug)]
pub(crate) struct JourneyRow<'a> {
    pub(crate) journey_id: &'a str,
    pub(crate) person: PersonId,
    pub(crate) conversion: &'a str,
    pub(crate) event: Option<&'a str>,
    pub(crate) ended_at: i64,
    pub(crate) value_micros: Option<i64>,
    pub(crate) currency: Option<&'a str>,
    pub(crate) path: &'a [&'a str],
}

/// Collects rows of `journeys`.
#[derive(Debug)]
pub(crate) struct JourneyRows {
    journey_id: StringBuilder,
    person_id: BinaryBuilder,
    conversion: StringBuilder,
    event: StringBuilder,
    converted: BooleanBuilder,
    ended_at: Vec<Option<i64>>,
    value_micros: Int64Builder,
    currency: StringBuilder,
    touches: Int32Builder,
    path: ListBuilder<StringBuilder>,
}

impl Default for JourneyRows {
    fn default() -> Self {
        let element = Arc::new(Field::new("element", DataType::Utf8, true));
        Self {
            journey_id: StringBuilder::new(),
            person_id: BinaryBuilder::new(),
            conversion: StringBuilder::new(),
            event: StringBuilder::new(),
            converted: BooleanBuilder::new(),
            ended_at: Vec::new(),
            value_micros: Int64Builder::new(),
            currency: StringBuilder::new(),
            touches: Int32Builder::new(),
            path: ListBuilder::new(StringBuilder::new()).with_field(element),
        }
    }
}

impl JourneyRows {
    pub(crate) fn push(&mut self, row: &JourneyRow<'_>) {
        self.journey_id.append_value(row.journey_id);
        self.person_id.append_value(row.person.0);
        self.conversion.append_value(row.conversion);
        self.event.append_option(row.event);
        self.converted.append_value(row.event.is_some());
        self.ended_at.push(Some(row.ended_at));
        self.value_micros.append_option(row.value_micros);
        self.currency.append_option(row.currency);
        self.touches.append_value(i32::try_from(row.path.len()).unwrap_or(i32::MAX));
        for channel in row.path {
            self.path.values().append_value(channel);
        }
        self.path.append(true);
    }

    pub(crate) fn finish(mut self) -> Result<RecordBatch, LakeError> {
        let arrays: Vec<ArrayRef> = vec![
            Arc::new(self.journey_id.finish()),
            Arc::new(self.person_id.finish()),
            Arc::new(self.conversion.finish()),
            Arc::new(self.event.finish()),
            Arc::new(self.converted.finish()),
            columns::times(self.ended_at),
            Arc::new(self.value_micros.finish()),
            Arc::new(self.currency.finish()),
            Arc::new(self.touches.finish()),
            Arc::new(self.path.finish()),
        ];
        Ok(RecordBatch::try_new(tables::journeys().file_schema, arrays)?)
    }
}
