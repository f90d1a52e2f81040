//! Carrying an erasure out. Each step may be repeated; their order is what makes a crash harmless.

use throughline_activate::{Deletion, Route, Site};
use throughline_core::{IdentifierKind, SubjectToken, Timestamp};
use throughline_ledger::AuditEntry;
use throughline_vault::OpenFor;

use super::find::{erased_rows, tables_of};
use super::plan::{self, Delivered, Erasure, PendingDeletion};
use crate::engine::{Stores, sign_head};
use crate::error::RunError;
use crate::project::Project;

/// Asks destinations while identifiers can still be opened, destroys keys and values, takes the rows out of every retained
/// version, and puts that on record.
pub(super) async fn apply(
    project: &Project,
    stores: &Stores,
    erasure: &Erasure,
    now: Timestamp,
) -> Result<(), RunError> {
    let ledger = stores.ledger.as_ref();
    let asked = plan::deletions(ledger).await?;
    for delivered in &erasure.delivered {
        let is_asked = |d: &PendingDeletion| d.erasure == erasure.id && d.delivered == *delivered;
        if !asked.iter().any(is_asked) {
            let request = ask(project, stores, erasure, delivered, now).await?;
            let (erasure, delivered) = (erasure.id.clone(), delivered.clone());
            plan::ask(ledger, &PendingDeletion { erasure, delivered, request, confirmed: false }, now).await?;
        }
    }
    let for_good: Vec<SubjectToken> = erasure.identifiers.iter().chain(&erasure.quarantined).copied().collect();
    stores.vault.erase_for_good(&for_good, now).await?;
    // The same words said about somebody else are taken in: they are not the person.
    stores.vault.erase(&erasure.profiles, now).await?;
    let rows = erased_rows(erasure);
    for published in tables_of(project, stores).await? {
        stores.lake.erase(&published, &rows, false).await?;
    }
    let spill = project.state_dir().join("spill");
    if spill.exists() {
        std::fs::remove_dir_all(&spill).map_err(RunError::io("empty", &spill))?;
    }
    plan::finish(ledger, erasure, now).await?;
    sign_head(project, ledger, now).await?;
    Ok(())
}

/// Hands the request to a destination; where it was put, or nothing where somebody has to ask.
async fn ask(
    project: &Project,
    stores: &Stores,
    erasure: &Erasure,
    delivered: &Delivered,
    now: Timestamp,
) -> Result<Option<String>, RunError> {
    let site = Site { project: project.root.clone() };
    let config = project.destinations.iter().find(|d| d.value.name.value == delivered.destination);
    // A destination that is no longer there has to be asked by somebody.
    let Some(config) = config else { return Ok(None) };
    let route = Route::compile(&config.value, &site).map_err(RunError::Project)?;
    let identifiers = match route.identifier() {
        Some(kind) => identifiers(stores, erasure, kind, now).await?,
        None => Vec::new(),
    };
    let deletion = Deletion {
        erasure: erasure.id.clone(),
        entity_ids: delivered.entity_ids.clone(),
        batches: delivered.batches.clone(),
        identifiers,
    };
    let failed = |source| RunError::Stage {
        stage: "erase".into(),
        unit: delivered.destination.clone(),
        source: Box::new(source),
    };
    route.delete(&deletion).await.map_err(failed)
}

/// The person's identifiers of a kind; the opening is on record.
async fn identifiers(
    stores: &Stores,
    erasure: &Erasure,
    kind: IdentifierKind,
    now: Timestamp,
) -> Result<Vec<String>, RunError> {
    let kinds = stores.vault.kinds(&erasure.identifiers).await?;
    let wanted: Vec<SubjectToken> = erasure
        .identifiers
        .iter()
        .zip(kinds)
        .filter(|(_, found)| *found == Some(kind))
        .map(|(token, _)| *token)
        .collect();
    let revealed = stores.vault.reveal(&wanted, OpenFor::SubjectAccess, &erasure.actor, now).await?;
    let payload = serde_json::to_value(&revealed.opening)?;
    let entry = AuditEntry { kind: "vault_opened", actor: &erasure.actor, payload: &payload, at: now };
    stores.ledger.append_audit(entry).await?;
    Ok(revealed.values.iter().flatten().map(|value| value.expose().to_owned()).collect())
}
