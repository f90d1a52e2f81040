//! Stage 2: identifiers become people, events become the timeline.

use std::num::NonZeroUsize;

use async_trait::async_trait;
use throughline_identity::{Decision, IdentityInput, link};
use throughline_lake::{Unit, tables};

use crate::stage::{Stage, StageContext, StageError, StageOutput, UnitPlan};

/// The kind of artefact that a decision about two identifiers is.
pub(crate) const DECISION: &str = "identity_decision";

#[derive(Debug)]
pub(super) struct Link;

fn unlinkable(context: &StageContext<'_>) -> Vec<String> {
    let sources = context.project.sources.iter();
    sources.filter(|s| !s.value.linkable).map(|s| s.value.name.value.clone()).collect()
}

/// What people decided about pairs of identifiers, the oldest first.
async fn decisions(context: &StageContext<'_>) -> Result<Vec<Decision>, StageError> {
    let mut kept = context.ledger.artefacts(DECISION).await?;
    kept.sort_by_key(|a| (a.created_at, a.version));
    kept.into_iter().map(|a| Ok(serde_json::from_value(a.metadata)?)).collect()
}

#[async_trait]
impl Stage for Link {
    fn name(&self) -> &'static str {
        "link"
    }

    fn version(&self) -> u32 {
        3
    }

    fn reads(&self) -> &'static [&'static str] {
        &["events", "profiles"]
    }

    fn writes(&self) -> &'static [&'static str] {
        &["links", "matches", "persons", "person_changes", "timeline"]
    }

    fn depends_on_as_of(&self) -> bool {
        true
    }

    async fn units(&self, context: &StageContext<'_>) -> Result<Vec<UnitPlan>, StageError> {
        let mut inputs = vec![context.project.identity.hash.clone(), context.project.config.value.buckets.to_string()];
        inputs.push(context.project.config.value.privacy.withdrawal.name().to_owned());
        inputs.extend(unlinkable(context));
        inputs.push(serde_json::to_string(&decisions(context).await?)?);
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
            profiles: context.read(&tables::profiles()).await?,
            decisions: &decisions(context).await?,
            vault: context.vault,
            threads: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            previous: context.read(&tables::persons()).await?,
        };
        let session = context.session()?;
        let outcome = link(context.lake, &session, &context.run, input, unit).await?;
        context.audit_openings(&outcome.openings).await?;
        Ok(StageOutput { staged: outcome.staged, metrics: serde_json::to_value(outcome.report)? })
    }
}
