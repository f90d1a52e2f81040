//! Stage 3: the timeline becomes journeys, every touch kept or dropped by a named rule.

use async_trait::async_trait;
use throughline_journeys::{JourneyConfig, JourneyInput, JourneyRules, journeys};
use throughline_lake::{Unit, tables};

use crate::stage::{Stage, StageContext, StageError, StageOutput, UnitPlan};

#[derive(Debug)]
pub(super) struct Journeys;

fn config(context: &StageContext<'_>) -> JourneyConfig {
    context.project.attribution.as_ref().map(|a| a.value.journeys.clone()).unwrap_or_default()
}

#[async_trait]
impl Stage for Journeys {
    fn name(&self) -> &'static str {
        "journeys"
    }

    fn version(&self) -> u32 {
        2
    }

    fn reads(&self) -> &'static [&'static str] {
        &["timeline"]
    }

    fn writes(&self) -> &'static [&'static str] {
        &["journeys", "touches"]
    }

    fn depends_on_as_of(&self) -> bool {
        false
    }

    async fn units(&self, context: &StageContext<'_>) -> Result<Vec<UnitPlan>, StageError> {
        if context.project.config.value.conversions.is_empty() || context.project.attribution.is_none() {
            return Ok(Vec::new());
        }
        let inputs = vec![
            serde_json::to_string(&config(context))?,
            serde_json::to_string(&context.project.config.value.conversions)?,
            context.project.config.value.privacy.withdrawal.name().to_owned(),
        ];
        Ok(UnitPlan::all(inputs))
    }

    async fn run(&self, context: &StageContext<'_>, unit: &Unit) -> Result<StageOutput, StageError> {
        let rules = JourneyRules {
            config: config(context),
            conversions: context.project.config.value.conversions.clone(),
            withdrawal: context.project.config.value.privacy.withdrawal,
        };
        let input = JourneyInput { rules, timeline: context.read(&tables::timeline()).await? };
        let outcome = journeys(context.lake, &context.session()?, &context.run, input, unit).await?;
        Ok(StageOutput { staged: outcome.staged, metrics: serde_json::to_value(outcome.report)? })
    }
}
