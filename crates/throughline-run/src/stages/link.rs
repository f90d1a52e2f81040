//! Stage 2: identifiers become people, events become the timeline.

use async_trait::async_trait;
use throughline_identity::{IdentityInput, link};
use throughline_lake::{Unit, tables};

use crate::stage::{Stage, StageContext, StageError, StageOutput, UnitPlan};

#[derive(Debug)]
pub(super) struct Link;

fn unlinkable(context: &StageContext<'_>) -> Vec<String> {
    let sources = context.project.sources.iter();
    sources.filter(|s| !s.value.linkable).map(|s| s.value.name.value.clone()).collect()
}

#[async_trait]
impl Stage for Link {
    fn name(&self) -> &'static str {
        "link"
    }

    fn version(&self) -> u32 {
        2
    }

    fn reads(&self) -> &'static [&'static str] {
        &["events"]
    }

    fn writes(&self) -> &'static [&'static str] {
        &["links", "persons", "person_changes", "timeline"]
    }

    fn depends_on_as_of(&self) -> bool {
        true
    }

    async fn units(&self, context: &StageContext<'_>) -> Result<Vec<UnitPlan>, StageError> {
        let mut inputs = vec![context.project.identity.hash.clone(), context.project.config.value.buckets.to_string()];
        inputs.push(context.project.config.value.privacy.withdrawal.name().to_owned());
        inputs.extend(unlinkable(context));
        Ok(UnitPlan::all(inputs))
    }

    async fn run(&self, context: &StageContext<'_>, unit: &Unit) -> Result<StageOutput, StageError> {
        let unlinkable = unlinkable(context);
        let input = IdentityInput {
            config: &context.project.identity.value,
            unlinkable: &unlinkable,
            withdrawal: context.project.config.value.privacy.withdrawal,
            buckets: context.project.config.value.buckets,
            events: context.read(&tables::events()).await?,
            previous: context.read(&tables::persons()).await?,
        };
        let session = context.session()?;
        let outcome = link(context.lake, &session, &context.run, input, unit).await?;
        Ok(StageOutput { staged: outcome.staged, metrics: serde_json::to_value(outcome.report)? })
    }
}
