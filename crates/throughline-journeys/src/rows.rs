//! Journeys and touches as rows of their tables.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryBuilder, BooleanBuilder, Int32Builder, Int64Builder, ListBuilder, RecordBatch, StringArray,
    StringBuilder,
};
use arrow::datatypes::{DataType, Field};
use sha2::{Digest as _, Sha256};
use throughline_core::{PersonId, Timestamp};
use throughline_lake::{LakeError, columns, tables};
use throughline_paths::{NONE, Output, Rule};

use crate::bucket::{Bucket, Columns};
use crate::segments::Known;

/// What the journeys of one conversion in one bucket are written from.
pub(crate) struct Writing<'a> {
    pub(crate) bucket: &'a Bucket<'a>,
    pub(crate) columns: &'a Columns,
    pub(crate) segments: &'a Known,
    pub(crate) conversion: &'a str,
    pub(crate) config: &'a str,
}

impl Writing<'_> {
    pub(crate) fn write(&self, output: &Output, journeys: &mut JourneyRows, touches: &mut TouchRows) {
        for journey in 0..output.len() {
            let ledger = output.touches_of(journey);
            let conversion = Some(output.conversion[journey]).filter(|c| *c != NONE);
            // A journey without conversion has a touch.
            let Some(end) = conversion.or_else(|| output.touch_row[ledger.clone()].last().copied()) else { continue };
            let end = self.columns.rows[end as usize];
            let (person, of_person) = &self.bucket.people[output.person[journey] as usize];
            let journey_id = self.journey_id(*person, end, conversion.is_some());
            journeys.push(
                self,
                output,
                journey,
                &Ending { journey_id: &journey_id, person: *person, first: of_person.start, end },
            );
            touches.journeys.push(ledger.len());
            let mut position = 0;
            for place in ledger {
                let (row, rule) = (self.columns.rows[output.touch_row[place] as usize], output.touch_rule[place]);
                let kept = rule == Rule::Kept;
                touches.push(
                    self.bucket,
                    row,
                    (&journey_id, *person),
                    (if kept { position } else { -1 }, output.touch_session[place], rule),
                );
                position += i32::from(kept);
            }
        }
    }

    /// A journey's id: 128 bits of SHA-256 over person, conversion name and the event that ends it.
    fn journey_id(&self, person: PersonId, end: usize, converted: bool) -> String {
        let mut hash = Sha256::new();
        hash.update(person.0);
        let (source, id) = (self.bucket.source.value(end), self.bucket.id.value(end));
        for part in [self.conversion, source, id, if converted { "!" } else { "." }] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        hex::encode(&hash.finalize()[..16])
    }

    /// The path in names; how often a channel stood in it in brackets where the transform counts.
    fn path(&self, output: &Output, journey: usize) -> Vec<String> {
        let names = self.bucket.channels();
        let step = |place: usize| {
            let name = &names[output.steps[place] as usize];
            output.repeats.get(place).map_or_else(|| name.clone(), |times| format!("{name}({times})"))
        };
        output.steps_of(journey).map(step).collect()
    }
}

struct Ending<'a> {
    journey_id: &'a str,
    person: PersonId,
    /// The first row of the person.
    first: usize,
    /// The row that ends the journey.
    end: usize,
}

fn option(column: &StringArray, row: usize) -> Option<&str> {
    columns::text_at(column, row)
}

/// Collects rows of `touches`.
#[derive(Debug, Default)]
pub(crate) struct TouchRows {
    journey_id: StringBuilder,
    person_id: BinaryBuilder,
    position: Int32Builder,
    texts: [StringBuilder; 4],
    campaign: StringBuilder,
    occurred_at: Vec<Option<i64>>,
    session: Int32Builder,
    kept: BooleanBuilder,
    rule: StringBuilder,
    interaction: StringBuilder,
    places: [StringBuilder; 3],
    /// Touches of each journey.
    journeys: Vec<usize>,
}

impl TouchRows {
    fn push(
        &mut self,
        bucket: &Bucket<'_>,
        row: usize,
        (journey_id, person): (&str, PersonId),
        (position, session, rule): (i32, u32, Rule),
    ) {
        self.journey_id.append_value(journey_id);
        self.person_id.append_value(person.0);
        self.position.append_value(position);
        let required = [bucket.source, bucket.id, bucket.kind, bucket.channel];
        for (builder, column) in self.texts.iter_mut().zip(required) {
            builder.append_value(option(column, row).unwrap_or_default());
        }
        self.campaign.append_option(option(bucket.campaign, row));
        self.occurred_at.push(Some(bucket.at.value(row)));
        self.session.append_value(i32::try_from(session).unwrap_or(i32::MAX));
        self.kept.append_value(rule == Rule::Kept);
        self.rule.append_value(rule.name());
        self.interaction.append_value(bucket.interaction(row).name());
        for (builder, column) in self.places.iter_mut().zip([bucket.ad, bucket.geo, bucket.device]) {
            builder.append_option(option(column, row));
        }
    }

    /// The rows, and how many belong to each journey.
    pub(crate) fn finish(mut self) -> Result<(RecordBatch, Vec<usize>), LakeError> {
        let [source, id, kind, channel] = &mut self.texts;
        let [ad, geo, device] = &mut self.places;
        let arrays: Vec<ArrayRef> = vec![
            Arc::new(self.journey_id.finish()),
            Arc::new(self.person_id.finish()),
            Arc::new(self.position.finish()),
            Arc::new(source.finish()),
            Arc::new(id.finish()),
            Arc::new(kind.finish()),
            Arc::new(channel.finish()),
            Arc::new(self.campaign.finish()),
            columns::times(self.occurred_at),
            Arc::new(self.session.finish()),
            Arc::new(self.kept.finish()),
            Arc::new(self.rule.finish()),
            Arc::new(self.interaction.finish()),
            Arc::new(ad.finish()),
            Arc::new(geo.finish()),
            Arc::new(device.finish()),
        ];
        Ok((RecordBatch::try_new(tables::touches().file_schema, arrays)?, self.journeys))
    }
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
    started_at: Vec<Option<i64>>,
    cohort: StringBuilder,
    geo: StringBuilder,
    device: StringBuilder,
    config: StringBuilder,
    segments: ListBuilder<StringBuilder>,
}

impl Default for JourneyRows {
    fn default() -> Self {
        let element = Arc::new(Field::new("element", DataType::Utf8, true));
        let texts = || ListBuilder::new(StringBuilder::new()).with_field(Arc::clone(&element));
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
            path: texts(),
            started_at: Vec::new(),
            cohort: StringBuilder::new(),
            geo: StringBuilder::new(),
            device: StringBuilder::new(),
            config: StringBuilder::new(),
            segments: texts(),
        }
    }
}

impl JourneyRows {
    fn push(&mut self, writing: &Writing<'_>, output: &Output, journey: usize, ending: &Ending<'_>) {
        let Writing { bucket, columns: signals, segments, conversion, config } = writing;
        let Ending { journey_id, person, first, end } = *ending;
        let converted = output.conversion[journey] != NONE;
        self.journey_id.append_value(journey_id);
        self.person_id.append_value(person.0);
        self.conversion.append_value(conversion);
        self.event.append_option(converted.then(|| bucket.id.value(end)));
        self.converted.append_value(converted);
        self.ended_at.push(Some(output.ended_at[journey]));
        let known = converted && bucket.value.is_valid(end);
        let refunded = output.value_micros[journey] != columns::int_at(bucket.value, end).unwrap_or(0);
        self.value_micros.append_option((known || refunded).then(|| output.value_micros[journey]));
        self.currency.append_option(option(bucket.currency, end).filter(|_| converted));
        let path = writing.path(output, journey);
        self.touches.append_value(i32::try_from(path.len()).unwrap_or(i32::MAX));
        for step in &path {
            self.path.values().append_value(step);
        }
        self.path.append(true);
        self.started_at.push(Some(output.started_at[journey]));
        let month = Timestamp::from_micros(bucket.at.value(first)).date();
        self.cohort.append_value(month.get(..7).unwrap_or(&month));
        let touches = output.touches_of(journey).rev().filter(|p| output.touch_rule[*p] == Rule::Kept);
        let last = touches.map(|p| signals.rows[output.touch_row[p] as usize]).next();
        for (builder, column) in [(&mut self.geo, bucket.geo), (&mut self.device, bucket.device)] {
            builder.append_option(option(column, end).or_else(|| option(column, last?)));
        }
        self.config.append_value(config);
        let as_of = bucket.last_by(output.person[journey] as usize, output.ended_at[journey]);
        for known in as_of.into_iter().flat_map(|row| segments.at(row)) {
            self.segments.values().append_value(known);
        }
        self.segments.append(true);
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
            columns::times(self.started_at),
            Arc::new(self.cohort.finish()),
            Arc::new(self.geo.finish()),
            Arc::new(self.device.finish()),
            Arc::new(self.config.finish()),
            Arc::new(self.segments.finish()),
        ];
        Ok(RecordBatch::try_new(tables::journeys().file_schema, arrays)?)
    }
}
