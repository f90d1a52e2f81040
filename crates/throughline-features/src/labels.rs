//! Labels: who was assigned what, with which probability, and what followed.

use std::collections::BTreeMap;
use std::ops::Range;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use serde::Serialize;
use throughline_core::consent::{RemovedByConsent, Withdrawal};
use throughline_core::expr::Value;
use throughline_core::time::DAY_US;
use throughline_core::{PersonId, Purpose, RunContext};
use throughline_lake::{Lake, LakeError, Snapshot, Staged, Unit};

use crate::compile::{CompiledAggregate, CompiledExperiment};
use crate::error::FeatureError;
use crate::label_rows::{Label, LabelRows, labels_table};
use crate::person::{Rows, Times, Usable, assignments, known_by, metric_between, people};

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
    /// Of the people assigned, those whom a later assignment gave another arm, by experiment. They stay in their first.
    pub crossed: BTreeMap<String, u64>,
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
    let measures = Measures::of(experiment, usable, batch)?;
    let weight: f64 = experiment.config.arms.values().sum();
    for (person, range) in people {
        let mut assigned = arms.within(range);
        let Some((first, arm)) = assigned.next() else { continue };
        let later: Vec<_> = assigned.filter_map(|(_, later)| later.as_str()).collect();
        *report.repeated.entry(name.clone()).or_default() += arms.within(range).count() as u64 - 1;
        let Some((arm, share)) = arm.as_str().and_then(|a| experiment.config.arms.get_key_value(a)) else {
            *report.unknown_arm.entry(name.clone()).or_default() += 1;
            continue;
        };
        let crossed = later.iter().any(|l| l != arm && experiment.config.arms.contains_key(*l));
        *report.crossed.entry(name.clone()).or_default() += u64::from(crossed);
        let probability = match &probabilities {
            Some(stated) => stated.within(range).next().and_then(|(_, p)| p.as_f64()),
            None => (weight > 0.0).then_some(share / weight),
        };
        let from = times.occurred[first];
        let until = after(from, experiment.config.window_days);
        let complete = until <= context.as_of.micros();
        let label = Label { person: *person, experiment: name, arm, probability, assigned_at: from, complete };
        rows.push(&label);
        measures.push(range, &times, (from, until), rows);
        *report.assigned.entry(name.clone()).or_default().entry(arm.clone()).or_default() += 1;
        *report.incomplete.entry(name.clone()).or_default() += u64::from(!complete);
    }
    Ok(())
}

const fn after(from: i64, days: u32) -> i64 {
    from.saturating_add(days as i64 * DAY_US)
}

/// A measure and the rows it sees.
type Seen<'a> = (&'a CompiledAggregate, Rows);

/// What is measured of people, with the rows of a bucket that each measure sees.
struct Measures<'a> {
    metrics: Vec<Seen<'a>>,
    below: Vec<Option<Seen<'a>>>,
    baselines: Vec<Option<u32>>,
    covariates: Vec<Seen<'a>>,
    groups: Vec<Seen<'a>>,
}

impl<'a> Measures<'a> {
    fn of(experiment: &'a CompiledExperiment, usable: &Usable, batch: &RecordBatch) -> Result<Self, LakeError> {
        let of = |a: &'a CompiledAggregate| Ok::<_, LakeError>((a, Rows::permitted(a, usable, batch)?));
        let all = |list: &'a [CompiledAggregate]| list.iter().map(of).collect::<Result<Vec<_>, _>>();
        Ok(Self {
            metrics: all(&experiment.metrics)?,
            below: experiment.below.iter().map(|b| b.as_ref().map(of).transpose()).collect::<Result<_, _>>()?,
            baselines: experiment.config.metrics.iter().map(|m| m.baseline_days).collect(),
            covariates: all(&experiment.covariates)?,
            groups: all(&experiment.groups)?,
        })
    }

    /// Adds what is measured of one person who was assigned at `from` and is watched until `until`.
    fn push(&self, person: &Range<usize>, times: &Times<'_>, (from, until): (i64, i64), out: &mut LabelRows) {
        let before = |(a, rows): &Seen<'_>, days| known_by(a, rows, person, times, (from, days));
        for ((metric, below), baseline) in self.metrics.iter().zip(&self.below).zip(&self.baselines) {
            let until = metric.0.window_days.map_or(until, |days| after(from, days));
            // No purchase in the window is a spend of zero, not an unknown spend.
            let zero = |value: Value| value.as_f64().or(Some(0.0));
            let within = |(a, rows): &Seen<'_>| zero(metric_between(a, rows, person, times, from, until));
            out.outcome(within(metric), below.as_ref().and_then(within));
            let earlier = |seen: &Seen<'_>| baseline.and_then(|days| zero(before(seen, Some(days))));
            out.baseline(earlier(metric), below.as_ref().and_then(earlier));
        }
        for known in &self.covariates {
            out.covariate(before(known, known.0.window_days).as_f64());
        }
        for known in &self.groups {
            let value = before(known, known.0.window_days);
            out.group(match value.as_str() {
                Some(text) => Some(text.to_owned()),
                None => (!value.is_null()).then(|| value.to_string()),
            });
        }
        out.end();
    }
}
