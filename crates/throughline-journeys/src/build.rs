//! One chunk of whole people becomes rows of journeys with their touches.

use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, ListArray, RecordBatch, StringArray, StructArray, new_null_array};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{filter_record_batch, is_null};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use throughline_core::consent::RemovedByConsent;
use throughline_lake::{LakeError, tables};
use throughline_paths::{Builder, Output, Plan, Tally};

use crate::bucket::{Bucket, Columns};
use crate::error::JourneyError;
use crate::report::JourneyReport;
use crate::rows::{JourneyRows, TouchRows, Writing};
use crate::rules::JourneyRules;
use crate::segments::Segments;

fn touch_field() -> FieldRef {
    Arc::new(Field::new("element", DataType::Struct(tables::touches().file_schema.fields().clone()), false))
}

/// What [`JourneysExec`](crate::JourneysExec) gives: each row is a journey with the touches considered for it, or, last of a
/// partition, the [`JourneyReport`] of its people as JSON.
pub fn output_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("journey", DataType::Struct(tables::journeys().file_schema.fields().clone()), true),
        Field::new("touches", DataType::List(touch_field()), true),
        Field::new("report", DataType::Utf8, true),
    ]))
}

/// Journeys of chunks under one set of rules, and their counts.
pub(crate) struct Journeys {
    rules: Arc<JourneyRules>,
    segments: Segments,
    report: JourneyReport,
    tally: Tally,
    output: Output,
}

impl Journeys {
    pub(crate) fn new(rules: Arc<JourneyRules>, segments: Segments) -> Self {
        let report = JourneyReport::new(&rules);
        Self { rules, segments, report, tally: Tally::default(), output: Output::default() }
    }

    /// The journeys of a chunk, as rows of [`output_schema`].
    pub(crate) fn of(&mut self, chunk: &RecordBatch) -> Result<RecordBatch, JourneyError> {
        let JourneyRules { config, conversions, withdrawal, .. } = self.rules.as_ref();
        let bucket = Bucket::new(chunk, *withdrawal)?;
        let removed: &mut [RemovedByConsent] = &mut self.report.removed_by_consent;
        if let [touches, converted] = removed {
            bucket.count_removed(config, conversions, [touches, converted]);
        }
        let people = bucket.people.iter().map(|(_, range)| range);
        let segments = self.segments.of(chunk, &people, |row| bucket.may_be_used(row))?;
        let (mut journeys, mut touches) = (JourneyRows::default(), TouchRows::default());
        let mut with_journeys = vec![false; bucket.people.len()];
        for conversion in conversions {
            let plan = Plan::new(config, conversion, bucket.channels())?;
            let columns = Columns::of(&bucket, config, conversion);
            self.output.clear();
            Builder::new(&plan).build(&columns.signals(), &mut self.output)?;
            self.tally.add(&self.output);
            self.output.person.iter().for_each(|person| with_journeys[*person as usize] = true);
            let config = &self.report.config_ids[&conversion.name];
            let (bucket, columns, segments) = (&bucket, &columns, &segments);
            let writing = Writing { bucket, columns, segments, conversion: &conversion.name, config };
            writing.write(&self.output, &mut journeys, &mut touches);
        }
        self.report.persons += with_journeys.iter().filter(|with| **with).count() as u64;
        let (touches, counts) = touches.finish()?;
        let offsets = OffsetBuffer::from_lengths(counts);
        let journeys: ArrayRef = Arc::new(StructArray::from(journeys.finish()?));
        let touches = ListArray::try_new(touch_field(), offsets, Arc::new(StructArray::from(touches)), None)?;
        let no_report = new_null_array(&DataType::Utf8, journeys.len());
        Ok(RecordBatch::try_new(output_schema(), vec![journeys, Arc::new(touches), no_report])?)
    }

    /// The row that says what was done.
    pub(crate) fn report(mut self) -> Result<RecordBatch, JourneyError> {
        self.report.count(&self.tally);
        let text = serde_json::to_string(&self.report).map_err(|source| JourneyError::Report(source.to_string()))?;
        let schema = output_schema();
        let nothing = |index: usize| new_null_array(schema.field(index).data_type(), 1);
        let columns = vec![nothing(0), nothing(1), Arc::new(StringArray::from(vec![text])) as ArrayRef];
        Ok(RecordBatch::try_new(schema, columns)?)
    }
}

/// The rows of a batch of [`output_schema`], apart.
#[derive(Debug)]
pub struct Split {
    /// Rows of the table `journeys`.
    pub journeys: RecordBatch,
    /// Rows of the table `touches`, journey by journey.
    pub touches: RecordBatch,
    /// What was done, where a partition ended in this batch.
    pub reports: Vec<JourneyReport>,
}

impl Split {
    /// Takes a batch apart. Errors: columns that are not those of [`output_schema`], a report that cannot be read.
    pub fn of(batch: &RecordBatch) -> Result<Self, JourneyError> {
        let texts = throughline_lake::columns::text(batch, "report")?;
        let read = |text: &str| {
            serde_json::from_str(text).map_err(|source: serde_json::Error| JourneyError::Report(source.to_string()))
        };
        let reports = texts.iter().flatten().map(read).collect::<Result<Vec<_>, _>>()?;
        let rows = if reports.is_empty() { batch.clone() } else { filter_record_batch(batch, &is_null(texts)?)? };
        let wrong = || LakeError::Schema { table: "journeys".into(), reason: "the plan gave other columns".into() };
        let journeys = rows.column(0).as_any().downcast_ref::<StructArray>().ok_or_else(wrong)?;
        let touches = rows.column(1).as_any().downcast_ref::<ListArray>().ok_or_else(wrong)?;
        let (from, to) = (touches.value_offsets()[0], touches.value_offsets()[touches.len()]);
        let place = |offset: i32| usize::try_from(offset).unwrap_or(0);
        let touches = touches.values().slice(place(from), place(to) - place(from));
        let touches = touches.as_any().downcast_ref::<StructArray>().ok_or_else(wrong)?;
        let table = |rows: &StructArray, schema: SchemaRef| RecordBatch::try_new(schema, rows.columns().to_vec());
        Ok(Self {
            journeys: table(journeys, tables::journeys().file_schema)?,
            touches: table(touches, tables::touches().file_schema)?,
            reports,
        })
    }
}
