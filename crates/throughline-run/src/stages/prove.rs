//! Stage 5: what experiments and studies say. Labels go to the lake, findings to the evidence ledger.

use async_trait::async_trait;
use serde_json::json;
use throughline_evidence::{About, Contrast, Design, Estimand, EvidenceRecord, Scope, Source};
use throughline_features::{CompiledExperiment, LabelInput, labels};
use throughline_lake::{Unit, tables};

use super::reading::read_experiment;
use crate::stage::{Stage, StageContext, StageError, StageOutput, UnitPlan};

#[derive(Debug)]
pub(super) struct Prove;

#[async_trait]
impl Stage for Prove {
    fn name(&self) -> &'static str {
        "prove"
    }

    fn version(&self) -> u32 {
        4
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
            let (reading, first_assigned) =
                read_experiment(context, &outcome.staged, experiment, &outcome.report).await?;
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
