//! Stage 5: what experiments and studies say. Labels go to the lake, findings to the evidence ledger.

use async_trait::async_trait;
use serde_json::json;
use throughline_core::Timestamp;
use throughline_evidence::{
    About, Accumulator, Contrast, Design, Estimand, EvidenceRecord, ExperimentSpec, Reading, Scope, Source,
};
use throughline_features::{CompiledExperiment, LabelInput, MetricKind, labels, labels_table};
use throughline_lake::{Staged, Unit, columns, tables};

use crate::stage::{Stage, StageContext, StageError, StageOutput, UnitPlan};

#[derive(Debug)]
pub(super) struct Prove;

#[async_trait]
impl Stage for Prove {
    fn name(&self) -> &'static str {
        "prove"
    }

    fn version(&self) -> u32 {
        3
    }

    fn reads(&self) -> &'static [&'static str] {
        &["timeline"]
    }

    fn writes(&self) -> &'static [&'static str] {
        &["labels"]
    }

    fn depends_on_as_of(&self) -> bool {
        true
    }

    async fn units(&self, context: &StageContext<'_>) -> Result<Vec<UnitPlan>, StageError> {
        if context.project.experiments.is_empty() && context.project.studies.is_empty() {
            return Ok(Vec::new());
        }
        let mut inputs: Vec<String> = context.project.experiments.iter().map(|e| e.hash.clone()).collect();
        inputs.push(context.project.config.value.privacy.withdrawal.name().to_owned());
        inputs.extend(super::studies::inputs(context));
        Ok(UnitPlan::all(inputs))
    }

    async fn run(&self, context: &StageContext<'_>, unit: &Unit) -> Result<StageOutput, StageError> {
        context.run.progress.start("prove", None);
        let experiments: Vec<CompiledExperiment> =
            context.project.experiments.iter().map(|e| e.value.clone()).collect();
        let input = LabelInput {
            experiments: &experiments,
            withdrawal: context.project.config.value.privacy.withdrawal,
            timeline: context.read(&tables::timeline()).await?,
        };
        let outcome = labels(context.lake, &context.run, input, unit).await?;
        let mut readings = Vec::new();
        for (experiment, hashed) in experiments.iter().zip(&context.project.experiments) {
            let (reading, first_assigned) = read(context, &outcome.staged, experiment).await?;
            let name = &experiment.config.name.value;
            // A comparison without an estimate stays in the reading with its reason; there is nothing to record.
            for comparison in reading.comparisons.iter().filter(|c| c.estimate.is_some()) {
                let id = format!("{name}/{}/{}/{}", comparison.metric, comparison.arm, &unit.fingerprint[..12]);
                let scope = Scope {
                    action: comparison.arm.clone(),
                    segment: None,
                    geo: None,
                    period_start: first_assigned,
                    period_end: context.run.as_of,
                };
                let about = About {
                    id: id.clone(),
                    source: Source { name: name.clone(), data: Some(unit.fingerprint.clone()) },
                    estimand: Estimand {
                        metric: comparison.metric.clone(),
                        treatment: comparison.arm.clone(),
                        control: comparison.control.clone(),
                        contrast: Contrast::Absolute,
                    },
                    scope,
                    design: Design::RandomisedExperiment,
                    expires_at: None,
                };
                let record = EvidenceRecord::from_comparison(about, &reading, comparison, Contrast::Absolute)?;
                let value = serde_json::to_value(&record)?;
                context.ledger.record_evidence(&id, &value, context.wall()).await?;
            }
            readings.push(json!({ "experiment": name, "file": hashed.file, "reading": reading }));
        }
        let studies = super::studies::study(context).await?;
        let done = format!("{} experiments and {} studies read", readings.len(), studies.len());
        context.run.progress.finish("prove", &done);
        let removed = &outcome.report.removed_by_consent;
        let metrics = json!({ "labels": outcome.report, "experiments": readings, "studies": studies, "removed_by_consent": removed });
        Ok(StageOutput { staged: outcome.staged, metrics })
    }
}

/// The specification the evidence crate reads by.
fn spec_of(experiment: &CompiledExperiment) -> ExperimentSpec {
    let config = &experiment.config;
    let mut spec = ExperimentSpec::new(config.arms.keys().cloned(), config.control.value.clone());
    spec.level = config.level;
    for (arm, weight) in spec.arms.iter_mut().zip(config.arms.values()) {
        arm.weight = *weight;
    }
    for metric in &config.metrics {
        let kind = match metric.kind {
            MetricKind::Proportion => throughline_evidence::MetricKind::Proportion,
            MetricKind::Mean => throughline_evidence::MetricKind::Mean,
        };
        spec = spec.metric(metric.name.value.clone(), kind);
    }
    spec
}

/// Reads the labels that were just staged (the same files that will be committed), and when the first person was
/// assigned.
async fn read(
    context: &StageContext<'_>,
    staged: &[Staged],
    experiment: &CompiledExperiment,
) -> Result<(Reading, Timestamp), StageError> {
    let spec = spec_of(experiment);
    let mut accumulator = Accumulator::new(&spec)?;
    let snapshot = context.lake.staged_snapshot(&labels_table(), staged)?;
    let arms: Vec<&String> = experiment.config.arms.keys().collect();
    let mut first_assigned = context.run.as_of;
    for file in snapshot.files() {
        for batch in snapshot.read_file(file, None).await? {
            let name = columns::text(&batch, "experiment")?;
            let (arm, complete) = (columns::text(&batch, "arm")?, columns::boolean(&batch, "complete")?);
            let (outcomes, at) = (columns::list(&batch, "outcomes")?, columns::time(&batch, "assigned_at")?);
            for row in 0..batch.num_rows() {
                if name.value(row) != experiment.config.name.value || !complete.value(row) {
                    continue;
                }
                let Some(index) = arms.iter().position(|a| *a == arm.value(row)) else { continue };
                first_assigned = first_assigned.min(Timestamp::from_micros(at.value(row)));
                let values = columns::floats_at(outcomes, row)?;
                accumulator.observe(index, &values)?;
            }
        }
    }
    Ok((accumulator.finish(), first_assigned))
}
