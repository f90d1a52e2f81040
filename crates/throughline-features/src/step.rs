//! The features stage: a snapshot of everybody as of the run, and of experiments' people as of their assignment.

use std::ops::Range;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use serde::Serialize;
use throughline_core::consent::{RemovedByConsent, Withdrawal};
use throughline_core::expr::Value;
use throughline_core::{PersonId, Purpose, RunContext};
use throughline_lake::{Lake, LakeError, Snapshot, Staged, Unit};

use crate::compile::{CompiledExperiment, CompiledFeatures};
use crate::error::FeatureError;
use crate::output::{FeatureRows, features_table};
use crate::person::{Rows, Times, Usable, assignments, feature_at, people};

/// What the stage reads.
#[derive(Debug)]
pub struct FeatureInput<'a> {
    /// The features.
    pub features: &'a CompiledFeatures,
    /// Experiments whose people need features as of their assignment.
    pub experiments: &'a [CompiledExperiment],
    /// What a withdrawal does to earlier events.
    pub withdrawal: Withdrawal,
    /// The timeline.
    pub timeline: Snapshot,
}

/// What the stage did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct FeatureReport {
    /// Features computed.
    pub features: u64,
    /// People in the scoring snapshot.
    pub scoring_rows: u64,
    /// People in training sets.
    pub training_rows: u64,
    /// Share of missing values by feature, in the scoring snapshot.
    pub missing: Vec<(String, f64)>,
    /// Events that consent removed: no feature sees them.
    pub removed_by_consent: Vec<RemovedByConsent>,
}

/// Files to commit, and the report.
#[derive(Debug)]
pub struct FeatureOutcome {
    /// What was staged.
    pub staged: Vec<Staged>,
    /// The report.
    pub report: FeatureReport,
}

/// Runs the stage, bucket by bucket.
pub async fn features(
    lake: &Lake,
    context: &RunContext,
    input: FeatureInput<'_>,
    unit: &Unit,
) -> Result<FeatureOutcome, FeatureError> {
    context.progress.start("features", Some(input.timeline.row_count()));
    let compiled = input.features;
    let mut writer = lake.writer(&features_table(compiled), unit)?;
    let mut report = FeatureReport { features: compiled.features.len() as u64, ..FeatureReport::default() };
    let mut removed = RemovedByConsent::new("events", Purpose::Measurement);
    let mut missing = vec![0_u64; compiled.features.len()];
    for bucket in input.timeline.partitions() {
        if context.is_cancelled() {
            return Err(FeatureError::Cancelled);
        }
        let batches = input.timeline.read_partition(&bucket, None).await?;
        let batch = concat_batches(&input.timeline.spec().file_schema, &batches)?;
        let people = people(&batch)?;
        let usable = Usable::of(&batch, &people, input.withdrawal)?;
        usable.count_all(&mut removed);
        let of_bucket = Bucket { input: &input, batch: &batch, people, usable };
        let rows = of_bucket.rows(context, &mut missing, &mut report)?;
        writer.write(Some(&bucket), &rows).await?;
        context.progress.advance("features", batch.num_rows() as u64);
    }
    report.removed_by_consent = vec![removed];
    let people = report.scoring_rows.max(1) as f64;
    report.missing =
        compiled.features.iter().zip(&missing).map(|(f, n)| (f.name.clone(), *n as f64 / people)).collect();
    let summary = format!("{} features of {} people", report.features, report.scoring_rows);
    context.progress.finish("features", &summary);
    Ok(FeatureOutcome { staged: vec![writer.finish().await?], report })
}

/// One bucket of the timeline, and which of its rows may be used.
struct Bucket<'a> {
    input: &'a FeatureInput<'a>,
    batch: &'a RecordBatch,
    people: Vec<(PersonId, Range<usize>)>,
    usable: Usable,
}

impl Bucket<'_> {
    /// The features of its people. Conditions and values are computed once for the bucket, then read as of each time that is
    /// asked for.
    fn rows(
        &self,
        context: &RunContext,
        missing: &mut [u64],
        report: &mut FeatureReport,
    ) -> Result<RecordBatch, LakeError> {
        let (input, batch, usable) = (self.input, self.batch, &self.usable);
        let features = &input.features.features;
        let permitted = features.iter().map(|f| Rows::permitted(f, usable, batch)).collect::<Result<Vec<_>, _>>()?;
        let assigned = input
            .experiments
            .iter()
            .map(|e| {
                let assigning = assignments(batch, &e.config.assignment.event_name)?;
                Rows::with_value(&usable.and(&assigning), None, batch)
            })
            .collect::<Result<Vec<_>, _>>()?;
        let times = Times::of(batch)?;
        // An event that became available exactly at the as-of instant is known: "as of t" means available_at ≤ t.
        let as_of = context.as_of.micros().saturating_add(1);
        let mut rows = FeatureRows::new(input.features);
        for (person, range) in &self.people {
            let at = |now: i64| -> Vec<Value> {
                features.iter().zip(&permitted).map(|(f, rows)| feature_at(f, rows, range, &times, now)).collect()
            };
            let values = at(as_of);
            for (count, value) in missing.iter_mut().zip(&values) {
                *count += u64::from(value.is_null());
            }
            rows.push(*person, context.as_of.micros(), "score", &values);
            report.scoring_rows += 1;
            for (experiment, assigned) in input.experiments.iter().zip(&assigned) {
                if let Some((first, _)) = assigned.within(range).next() {
                    let now = times.occurred[first];
                    rows.push(*person, now, &format!("train:{}", experiment.config.name.value), &at(now));
                    report.training_rows += 1;
                }
            }
        }
        rows.finish()
    }
}
