//! Stage 3: the timeline becomes journeys, every touch kept or dropped by a named rule.

use async_trait::async_trait;
use serde_json::Value;
use throughline_journeys::{JourneyInput, JourneyRules, journeys};
use throughline_lake::{Unit, tables};

use crate::stage::{Stage, StageContext, StageError, StageOutput, UnitPlan};

#[derive(Debug)]
pub(super) struct Journeys;

/// The rules; nothing where the project declares no conversion or asks for no attribution.
fn rules(context: &StageContext<'_>) -> Option<JourneyRules> {
    let attribution = context.project.attribution.as_ref()?;
    let rules = attribution.value.journey_rules(&context.project.config.value);
    (!rules.conversions.is_empty()).then_some(rules)
}

#[async_trait]
impl Stage for Journeys {
    fn name(&self) -> &'static str {
        "journeys"
    }

    fn version(&self) -> u32 {
        3
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
        let Some(rules) = rules(context) else { return Ok(Vec::new()) };
        Ok(UnitPlan::all(vec![serde_json::to_string(&rules)?]))
    }

    async fn run(&self, context: &StageContext<'_>, unit: &Unit) -> Result<StageOutput, StageError> {
        let Some(rules) = rules(context) else {
            return Ok(StageOutput { staged: Vec::new(), metrics: Value::Null });
        };
        let input = JourneyInput { rules, timeline: context.read(&tables::timeline()).await? };
        let outcome = journeys(context.lake, &context.session()?, &context.run, input, unit).await?;
        Ok(StageOutput { staged: outcome.staged, metrics: serde_json::to_value(outcome.report)? })
    }
}
