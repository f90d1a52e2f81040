//! The features stage: a snapshot of everybody as of the run, and of experiments' people as of their assignment.

use arrow::compute::concat_batches;
use serde::Serialize;
use throughline_core::RunContext;
use throughline_core::expr::Value;
use throughline_lake::{Lake, RowsView, Snapshot, Staged, Unit, columns};

use crate::compile::{CompiledExperiment, CompiledFeatures};
use crate::error::FeatureError;
use crate::output::{FeatureRows, features_table};
use crate::person::{Times, feature_at, people};

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
    // An event that became available exactly at the as-of instant is known: "as of t" means available_at ≤ t.
    let as_of = context.as_of.micros().saturating_add(1);
    for bucket in input.timeline.partitions() {
        if context.is_cancelled() {
            return Err(FeatureError::Cancelled);
        }
        let batches = input.timeline.read_partition(&bucket, None).await?;
        let batch = concat_batches(&input.timeline.spec().file_schema, &batches)?;
        let view = RowsView::new(&batch, &compiled.schema)?;
        let times = Times::of(&batch)?;
        let (kind, name) = (columns::text(&batch, "kind")?, columns::text(&batch, "name")?);
        let mut rows = FeatureRows::new(compiled);
        for (person, range) in people(&batch)? {
            let at = |now: i64| -> Vec<Value> {
                compiled.features.iter().map(|f| feature_at(f, &view, range.clone(), &times, now)).collect()
            };
            let values = at(as_of);
            for (count, value) in missing.iter_mut().zip(&values) {
                *count += u64::from(value.is_null());
            }
            rows.push(person, context.as_of.micros(), "score", &values);
            report.scoring_rows += 1;
            for experiment in input.experiments {
                let wanted = experiment.config.assignment.event_name.as_str();
                let assigned =
                    range.clone().find(|&r| kind.value(r) == "assignment" && columns::text_at(name, r) == Some(wanted));
                if let Some(row) = assigned {
                    let now = times.occurred[row];
                    rows.push(person, now, &format!("train:{}", experiment.config.name.value), &at(now));
                    report.training_rows += 1;
                }
            }
        }
        writer.write(Some(&bucket), &rows.finish()?).await?;
        context.progress.advance("features", batch.num_rows() as u64);
    }
    let people = report.scoring_rows.max(1) as f64;
    report.missing =
        compiled.features.iter().zip(&missing).map(|(f, n)| (f.name.clone(), *n as f64 / people)).collect();
    let summary = format!("{} features of {} people", report.features, report.scoring_rows);
    context.progress.finish("features", &summary);
    Ok(FeatureOutcome { staged: vec![writer.finish().await?], report })
}
