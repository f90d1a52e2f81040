//! Labels: who was assigned what, with which probability, and what followed.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryBuilder, BooleanBuilder, Float64Builder, ListBuilder, RecordBatch, StringBuilder};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field};
use serde::Serialize;
use throughline_core::consent::{RemovedByConsent, Withdrawal};
use throughline_core::time::DAY_US;
use throughline_core::{PersonId, Purpose, RunContext};
use throughline_lake::{Lake, LakeError, PartitionColumn, Snapshot, Staged, TableSpec, Unit, columns, tables};

use crate::compile::CompiledExperiment;
use crate::error::FeatureError;
use crate::person::{Rows, Times, Usable, assignments, metric_between, people};

/// The labels table: one row a person and experiment; `outcomes` in the order of the experiment's metrics.
pub fn labels_table() -> TableSpec {
    let element = Arc::new(Field::new("element", DataType::Float64, true));
    let fields = vec![
        Field::new("person_id", DataType::Binary, false),
        Field::new("experiment", DataType::Utf8, false),
        Field::new("arm", DataType::Utf8, false),
        Field::new("probability", DataType::Float64, true),
        Field::new("assigned_at", tables::timestamp(), false),
        Field::new("complete", DataType::Boolean, false),
        Field::new("outcomes", DataType::List(element), true),
    ];
    let doc = "one person's arm in one experiment and what followed";
    TableSpec::new("labels", 1, fields, Some(PartitionColumn::Int("bucket")), doc)
}

/// What the step reads.
#[derive(Debug)]
pub struct LabelInput<'a> {
    /// The experiments.
    pub experiments: &'a [CompiledExperiment],
    /// What a withdrawal does to earlier events.
    pub withdrawal: Withdrawal,
    /// The timeline.
    pub timeline: Snapshot,
}

/// What the step did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct LabelReport {
    /// People by experiment and arm.
    pub assigned: BTreeMap<String, BTreeMap<String, u64>>,
    /// Later assignments of a person already assigned (the first counts), by experiment.
    pub repeated: BTreeMap<String, u64>,
    /// Assignments to an arm that the experiment does not declare, by experiment.
    pub unknown_arm: BTreeMap<String, u64>,
    /// People whose outcome window is not over yet, by experiment.
    pub incomplete: BTreeMap<String, u64>,
    /// What consent removed: assignments (their people are in no label) and, of all events, those that no outcome sees.
    pub removed_by_consent: Vec<RemovedByConsent>,
}

/// Files to commit, and the report.
#[derive(Debug)]
pub struct LabelOutcome {
    /// What was staged.
    pub staged: Vec<Staged>,
    /// The report.
    pub report: LabelReport,
}

/// Writes the labels of every experiment. Outcomes are those after the assignment, within the window and known as of
/// the run; the first assignment of a person counts.
pub async fn labels(
    lake: &Lake,
    context: &RunContext,
    input: LabelInput<'_>,
    unit: &Unit,
) -> Result<LabelOutcome, FeatureError> {
    let mut writer = lake.writer(&labels_table(), unit)?;
    let mut report = LabelReport::default();
    let removed = |what| RemovedByConsent::new(what, Purpose::Measurement);
    let (mut assignments, mut events) = (removed("assignments"), removed("events"));
    for bucket in input.timeline.partitions() {
        if context.is_cancelled() {
            return Err(FeatureError::Cancelled);
        }
        let batches = input.timeline.read_partition(&bucket, None).await?;
        let batch = concat_batches(&input.timeline.spec().file_schema, &batches)?;
        let people = people(&batch)?;
        let usable = Usable::of(&batch, &people, input.withdrawal)?;
        usable.count_all(&mut events);
        let of_bucket = Bucket { batch: &batch, people, usable };
        let mut rows = LabelRows::default();
        for experiment in input.experiments {
            read_experiment(experiment, &of_bucket, context, &mut rows, (&mut report, &mut assignments))?;
        }
        writer.write(Some(&bucket), &rows.finish()?).await?;
    }
    report.removed_by_consent = vec![assignments, events];
    Ok(LabelOutcome { staged: vec![writer.finish().await?], report })
}

/// One bucket of the timeline, and which of its rows may be used.
struct Bucket<'a> {
    batch: &'a RecordBatch,
    people: Vec<(PersonId, Range<usize>)>,
    usable: Usable,
}

fn read_experiment(
    experiment: &CompiledExperiment,
    bucket: &Bucket<'_>,
    context: &RunContext,
    rows: &mut LabelRows,
    (report, removed): (&mut LabelReport, &mut RemovedByConsent),
) -> Result<(), LakeError> {
    let name = &experiment.config.name.value;
    let Bucket { batch, people, usable } = bucket;
    let times = Times::of(batch)?;
    let assigning = assignments(batch, &experiment.config.assignment.event_name)?;
    usable.count(&assigning, removed);
    let assigning = usable.and(&assigning);
    let arms = Rows::with_value(&assigning, Some(&experiment.arm), batch)?;
    let probabilities = match &experiment.probability {
        Some(probability) => Some(Rows::with_value(&assigning, Some(probability), batch)?),
        None => None,
    };
    let permitted =
        experiment.metrics.iter().map(|m| Rows::permitted(m, usable, batch)).collect::<Result<Vec<_>, _>>()?;
    let weight: f64 = experiment.config.arms.values().sum();
    for (person, range) in people {
        let mut assigned = arms.within(range);
        let Some((first, arm)) = assigned.next() else { continue };
        *report.repeated.entry(name.clone()).or_default() += assigned.count() as u64;
        let Some((arm, share)) = arm.as_str().and_then(|a| experiment.config.arms.get_key_value(a)) else {
            *report.unknown_arm.entry(name.clone()).or_default() += 1;
            continue;
        };
        let probability = match &probabilities {
            Some(stated) => stated.within(range).next().and_then(|(_, p)| p.as_f64()),
            None => (weight > 0.0).then_some(share / weight),
        };
        let from = times.occurred[first];
        let until = from.saturating_add(i64::from(experiment.config.window_days) * DAY_US);
        let complete = until <= context.as_of.micros();
        let outcomes: Vec<Option<f64>> = experiment
            .metrics
            .iter()
            .zip(&permitted)
            .map(|(metric, rows)| {
                let value = metric_between(metric, rows, range, &times, from, until);
                // No purchase in the window is a spend of zero, not an unknown spend.
                value.as_f64().or(Some(0.0))
            })
            .collect();
        rows.push(*person, name, arm, probability, from, complete, &outcomes);
        *report.assigned.entry(name.clone()).or_default().entry(arm.clone()).or_default() += 1;
        *report.incomplete.entry(name.clone()).or_default() += u64::from(!complete);
    }
    Ok(())
}

#[derive(Debug)]
struct LabelRows {
    person: BinaryBuilder,
    experiment: StringBuilder,
    arm: StringBuilder,
    probability: Float64Builder,
    assigned_at: Vec<Option<i64>>,
    complete: BooleanBuilder,
    outcomes: ListBuilder<Float64Builder>,
}

impl Default for LabelRows {
    fn default() -> Self {
        let element = Arc::new(Field::new("element", DataType::Float64, true));
        Self {
            person: BinaryBuilder::new(),
            experiment: StringBuilder::new(),
            arm: StringBuilder::new(),
            probability: Float64Builder::new(),
            assigned_at: Vec::new(),
            complete: BooleanBuilder::new(),
            outcomes: ListBuilder::new(Float64Builder::new()).with_field(element),
        }
    }
}

impl LabelRows {
    #[expect(clippy::too_many_arguments, reason = "one argument a column")]
    fn push(
        &mut self,
        person: PersonId,
        experiment: &str,
        arm: &str,
        probability: Option<f64>,
        assigned_at: i64,
        complete: bool,
        outcomes: &[Option<f64>],
    ) {
        self.person.append_value(person.0);
        self.experiment.append_value(experiment);
        self.arm.append_value(arm);
        self.probability.append_option(probability);
        self.assigned_at.push(Some(assigned_at));
        self.complete.append_value(complete);
        for outcome in outcomes {
            self.outcomes.values().append_option(*outcome);
        }
        self.outcomes.append(true);
    }

    fn finish(mut self) -> Result<RecordBatch, LakeError> {
        let arrays: Vec<ArrayRef> = vec![
            Arc::new(self.person.finish()),
            Arc::new(self.experiment.finish()),
            Arc::new(self.arm.finish()),
            Arc::new(self.probability.finish()),
            columns::times(self.assigned_at),
            Arc::new(self.complete.finish()),
            Arc::new(self.outcomes.finish()),
        ];
        Ok(RecordBatch::try_new(labels_table().file_schema, arrays)?)
    }
}
