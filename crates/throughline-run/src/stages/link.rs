//! Stage 2: identifiers become people, events become the timeline.

use std::num::NonZeroUsize;

use async_trait::async_trait;
use throughline_identity::{IdentityInput, link};
use throughline_lake::{Unit, tables};

use crate::erase::erased_persons;
use crate::matches::{calibration, decisions, standing};
use crate::stage::{Stage, StageContext, StageError, StageOutput, UnitPlan};

/// The kind of artefact that a decision about two identifiers is.
pub(crate) const DECISION: &str = "identity_decision";

#[derive(Debug)]
pub(super) struct Link;

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
        let permissions = context.project.permissions();
        inputs.extend(permissions.unlinkable_names());
        inputs.extend(permissions.never_pairs().iter().map(|[a, b]| format!("{a} never with {b}")));
        inputs.push(serde_json::to_string(&decisions(context.ledger).await?)?);
        // Whoever was erased is counted nowhere any more: all that follows is computed without them.
        inputs.extend(erased_persons(context.ledger).await?.iter().map(ToString::to_string));
        Ok(UnitPlan::all(inputs))
    }

    async fn run(&self, context: &StageContext<'_>, unit: &Unit) -> Result<StageOutput, StageError> {
        let permissions = context.project.permissions();
        let unlinkable = permissions.unlinkable_names();
        let decided = decisions(context.ledger).await?;
        let input = IdentityInput {
            config: &context.project.identity.value,
            unlinkable: &unlinkable,
            withdrawal: context.project.config.value.privacy.withdrawal,
            buckets: context.project.config.value.buckets,
            events: context.read(&tables::events()).await?,
            profiles: context.read(&tables::profiles()).await?,
            calibration: calibration(&standing(decided.clone())),
            decisions: &decided,
            forbidden: &permissions.never_pairs(),
            vault: context.vault,
            threads: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            previous: context.read(&tables::persons()).await?,
            changes: context.read(&tables::person_changes()).await?,
            erased: &erased_persons(context.ledger).await?,
        };
        let session = context.session()?;
        let outcome = link(context.lake, &session, &context.run, input, unit).await?;
        context.audit_openings(&outcome.openings).await?;
        Ok(StageOutput { staged: outcome.staged, metrics: serde_json::to_value(outcome.report)? })
    }
}
