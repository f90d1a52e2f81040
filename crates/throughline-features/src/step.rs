//! The features stage: a snapshot of everybody as of the run, and of experiments' people as of their assignment.

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use serde::Serialize;
use throughline_core::RunContext;
use throughline_core::expr::Value;
use throughline_lake::{Lake, LakeError, Snapshot, Staged, Unit};

use crate::compile::{CompiledExperiment, CompiledFeatures};
use crate::error::FeatureError;
use crate::output::{FeatureRows, features_table};
use crate::person::{Rows, Times, assignments, feature_at, people};

/// What the stage reads.
#[derive(Debug)]
pub struct FeatureInput<'a> {
    /// The features.
    pub features: &'a CompiledFeatures,
    /// Experiments whose people need features as of their assignment.
    pub experiments: &'a [CompiledExperiment],
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
    let mut missing = vec![0_u64; compiled.features.len()];
    for bucket in input.timeline.partitions() {
        if context.is_cancelled() {
            return Err(FeatureError::Cancelled);
        }
        let batches = input.timeline.read_partition(&bucket, None).await?;
        let batch = concat_batches(&input.timeline.spec().file_schema, &batches)?;
        let rows = bucket_rows(&input, context, &batch, &mut missing, &mut report)?;
        writer.write(Some(&bucket), &rows).await?;
        context.progress.advance("features", batch.num_rows() as u64);
    }
    let people = report.scoring_rows.max(1) as f64;
    report.missing =
        compiled.features.iter().zip(&missing).map(|(f, n)| (f.name.clone(), *n as f64 / people)).collect();
    let summary = format!("{} features of {} people", report.features, report.scoring_rows);
    context.progress.finish("features", &summary);
    Ok(FeatureOutcome { staged: vec![writer.finish().await?], report })
}

/// The features of the people of one bucket. Conditions and values are computed once for the bucket, then read as of
/// each time that is asked for.
fn bucket_rows(
    input: &FeatureInput<'_>,
    context: &RunContext,
    batch: &RecordBatch,
    missing: &mut [u64],
    report: &mut FeatureReport,
) -> Result<RecordBatch, LakeError> {
    let features = &input.features.features;
    let permitted = features.iter().map(|f| Rows::permitted(f, batch)).collect::<Result<Vec<_>, _>>()?;
    let assigned = input
        .experiments
        .iter()
        .map(|e| Rows::with_value(&assignments(batch, &e.config.assignment.event_name)?, None, batch))
        .collect::<Result<Vec<_>, _>>()?;
    let times = Times::of(batch)?;
    // An event that became available exactly at the as-of instant is known: "as of t" means available_at ≤ t.
    let as_of = context.as_of.micros().saturating_add(1);
    let mut rows = FeatureRows::new(input.features);
    for (person, range) in people(batch)? {
        let at = |now: i64| -> Vec<Value> {
            features.iter().zip(&permitted).map(|(f, rows)| feature_at(f, rows, &range, &times, now)).collect()
        };
        let values = at(as_of);
        for (count, value) in missing.iter_mut().zip(&values) {
            *count += u64::from(value.is_null());
        }
        rows.push(person, context.as_of.micros(), "score", &values);
        report.scoring_rows += 1;
        for (experiment, assigned) in input.experiments.iter().zip(&assigned) {
            if let Some((first, _)) = assigned.within(&range).next() {
                let now = times.occurred[first];
                rows.push(person, now, &format!("train:{}", experiment.config.name.value), &at(now));
                report.training_rows += 1;
            }
        }
    }
    rows.finish()
}
