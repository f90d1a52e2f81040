//! Stage 6: what is known about everybody, and what was known when people were assigned.

use async_trait::async_trait;
use throughline_features::{CompiledExperiment, FeatureInput, features};
use throughline_lake::{Unit, tables};

use crate::stage::{Stage, StageContext, StageError, StageOutput, UnitPlan};

#[derive(Debug)]
pub(super) struct Features;

#[async_trait]
impl Stage for Features {
    fn name(&self) -> &'static str {
        "features"
    }

    fn version(&self) -> u32 {
        2
    }

    fn reads(&self) -> &'static [&'static str] {
        &["timeline"]
    }

    fn writes(&self) -> &'static [&'static str] {
        &["features"]
    }

    fn depends_on_as_of(&self) -> bool {
        true
    }

    async fn units(&self, context: &StageContext<'_>) -> Result<Vec<UnitPlan>, StageError> {
        if context.project.features.value.features.is_empty() {
            return Ok(Vec::new());
        }
        let withdrawal = context.project.config.value.privacy.withdrawal.name().to_owned();
        let mut inputs = vec![context.project.features.hash.clone(), withdrawal];
        inputs.extend(context.project.experiments.iter().map(|e| e.hash.clone()));
        Ok(UnitPlan::all(inputs))
    }

    async fn run(&self, context: &StageContext<'_>, unit: &Unit) -> Result<StageOutput, StageError> {
        let experiments: Vec<CompiledExperiment> =
            context.project.experiments.iter().map(|e| e.value.clone()).collect();
        let input = FeatureInput {
            features: &context.project.features.value,
            experiments: &experiments,
            withdrawal: context.project.config.value.privacy.withdrawal,
            timeline: context.read(&tables::timeline()).await?,
        };
        let outcome = features(context.lake, &context.run, input, unit).await?;
        Ok(StageOutput { staged: outcome.staged, metrics: serde_json::to_value(outcome.report)? })
    }
}
