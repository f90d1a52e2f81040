//! Erasing a person: keys, rows of every retained version, requests to destinations, and a record that can be proved.
//!
//! The plan is on record before anything is destroyed. What a crash leaves undone, the next run or erasure finishes.

mod apply;
mod find;
mod plan;

use serde::Serialize;
use throughline_core::{IdentifierKind, PersonId, Timestamp};
use throughline_ledger::Repository;

use crate::engine::{self, Clock, Stores};
use crate::error::RunError;
use crate::project::Project;
pub(crate) use plan::erased_persons;
pub use plan::{Delivered, ErasedRows, Erasure, PendingDeletion};

/// Whom to erase.
#[derive(Debug, Clone)]
pub enum Erasing {
    /// A person by id.
    Person(PersonId),
    /// The person behind an identifier.
    Identifier(IdentifierKind, String),
}

impl Erasing {
    /// Reads a person's id, or `kind:value`.
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(id) = text.parse() {
            return Some(Self::Person(id));
        }
        let (kind, value) = text.split_once(':')?;
        let kind: IdentifierKind = kind.parse().ok().filter(|kind| *kind != IdentifierKind::Record)?;
        kind.normalise(value).map(|_| Self::Identifier(kind, value.to_owned()))
    }
}

/// On whose behalf, and how the project is held meanwhile.
#[derive(Debug, Clone)]
pub struct EraseOptions {
    /// The clock of the wall.
    pub clock: Clock,
    /// Who asks.
    pub actor: String,
    /// Who holds the lease; see `RunOptions::holder`.
    pub holder: String,
    /// Whether a process of that number is alive on this machine.
    pub is_alive: fn(u32) -> bool,
    /// Only say what would go.
    pub dry_run: bool,
}

/// What was erased, or would be.
#[derive(Debug, Clone, Serialize)]
pub struct ErasureReport {
    /// The erasure; absent where an identifier was erased before, since nothing leads from it to whose it was.
    pub erasure: Option<Erasure>,
    /// Whether it was only looked at.
    pub dry_run: bool,
    /// Whether an earlier erasure had done it.
    pub already: bool,
    /// Destinations that are asked to delete the person.
    pub deletions: Vec<PendingDeletion>,
}

/// Erases a person.
pub async fn erase(
    project: &Project,
    stores: &Stores,
    whom: &Erasing,
    options: &EraseOptions,
) -> Result<ErasureReport, RunError> {
    if options.dry_run {
        let (already, done) = find::done(stores, whom).await?;
        let erasure = if already { done } else { Some(find::plan(project, stores, whom, options).await?) };
        return Ok(ErasureReport { erasure, dry_run: true, already, deletions: Vec::new() });
    }
    let ledger = stores.ledger.as_ref();
    let lease = engine::acquire(ledger, &options.holder, options.clock.now(), options.is_alive).await?;
    let heart = tokio::spawn(engine::keep_lease(stores.ledger.clone(), options.clock.clone(), lease.fence));
    let result = held(project, stores, whom, options).await;
    heart.abort();
    let released = ledger.release_lease(lease.fence).await;
    let report = result?;
    released?;
    Ok(report)
}

async fn held(
    project: &Project,
    stores: &Stores,
    whom: &Erasing,
    options: &EraseOptions,
) -> Result<ErasureReport, RunError> {
    let ledger = stores.ledger.as_ref();
    finish_begun(project, stores, options.clock.now()).await?;
    let (already, mut erasure) = find::done(stores, whom).await?;
    if !already {
        let found = find::plan(project, stores, whom, options).await?;
        plan::begin(ledger, &found, options.clock.now()).await?;
        apply::apply(project, stores, &found, options.clock.now()).await?;
        erasure = Some(found);
    }
    let id = erasure.as_ref().map(|e| e.id.as_str());
    let deletions = plan::deletions(ledger).await?;
    let deletions = deletions.into_iter().filter(|d| Some(d.erasure.as_str()) == id).collect();
    Ok(ErasureReport { erasure, dry_run: false, already, deletions })
}

/// Finishes erasures that were begun and not finished.
pub(crate) async fn finish_begun(project: &Project, stores: &Stores, now: Timestamp) -> Result<(), RunError> {
    for erasure in plan::unfinished(stores.ledger.as_ref()).await? {
        apply::apply(project, stores, &erasure, now).await?;
    }
    Ok(())
}

/// Every erasure that was finished, and what was asked of destinations.
pub async fn erasures(ledger: &dyn Repository) -> Result<(Vec<Erasure>, Vec<PendingDeletion>), RunError> {
    Ok((plan::finished(ledger).await?, plan::deletions(ledger).await?))
}

/// Puts on record that a destination says it deleted somebody.
pub async fn confirm_deletion(
    ledger: &dyn Repository,
    erasure: &str,
    destination: &str,
    actor: &str,
    now: Timestamp,
) -> Result<(), RunError> {
    plan::confirm(ledger, erasure, destination, actor, now).await
}
