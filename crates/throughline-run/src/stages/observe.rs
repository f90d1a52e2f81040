//! Stage 11: is everything as it was? Volumes, freshness and null rates against the previous runs.

use async_trait::async_trait;
use throughline_lake::{Unit, tables};
use throughline_watch::{WatchInput, detector, observe};

use crate::stage::{Stage, StageContext, StageError, StageOutput, UnitPlan};

#[derive(Debug)]
pub(super) struct Observe;

#[async_trait]
impl Stage for Observe {
    fn name(&self) -> &'static str {
        "observe"
    }

    fn version(&self) -> u32 {
        1
    }

    fn reads(&self) -> &'static [&'static str] {
        &[
            "events",
            "spend",
            "quarantine",
            "links",
            "persons",
            "timeline",
            "journeys",
            "touches",
            "credits",
            "scores",
            "decisions",
            "deliveries",
            "receipts",
        ]
    }

    fn writes(&self) -> &'static [&'static str] {
        &["health"]
    }

    fn depends_on_as_of(&self) -> bool {
        true
    }

    async fn units(&self, context: &StageContext<'_>) -> Result<Vec<UnitPlan>, StageError> {
        Ok(vec![UnitPlan { name: WatchInput::unit_name(context.run.run_seq), inputs: Vec::new() }])
    }

    async fn run(&self, context: &StageContext<'_>, unit: &Unit) -> Result<StageOutput, StageError> {
        let mut snapshots = Vec::new();
        for spec in tables::all().iter().filter(|t| self.reads().contains(&t.name.as_str())) {
            if context.version(&spec.name).is_some() {
                snapshots.push(context.read(spec).await?);
            }
        }
        let health = context.read(&tables::health()).await?;
        let rule = detector("median_mad", &serde_json::Value::Null)?;
        let input = WatchInput {
            lake: context.lake,
            unit,
            session: &context.session,
            snapshots: &snapshots,
            health: &health,
            detector: rule.as_ref(),
        };
        let outcome = observe(&input, &context.run).await?;
        Ok(StageOutput { staged: outcome.staged, metrics: serde_json::to_value(outcome.report)? })
    }
}
