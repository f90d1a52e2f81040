//! What is documented about consent: per source and purpose, where sources contradict each other, withdrawals over time,
//! who may be activated where, and what consent removed from each stage. Computed from the published timeline.

mod person;
mod removed;
mod report;

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use throughline_activate::{People as _, Persons, Route, Site};
use throughline_core::consent::Refusal;
use throughline_core::{Consent, IdentifierKind, PersonId, Purpose, SubjectToken, Timestamp};
use throughline_lake::{LakeError, Snapshot, TableSpec, columns, tables};

use crate::engine::Stores;
use crate::error::RunError;
use crate::project::Project;
use crate::stage::StageError;
use crate::stages::refusal;
use person::{PersonSaid, Tally};
pub use removed::RemovedFrom;
pub(crate) use removed::rows as removed_rows;
pub use report::{
    Activation, Changes, Conflict, ConsentReport, LEVEL, PurposeConsent, Share, SourceConsent, SourcePurpose, States,
};

/// Computes the report from what is published. Memory holds one bucket of the timeline.
pub async fn consent_report(project: &Project, stores: &Stores) -> Result<ConsentReport, RunError> {
    let stage = |source: StageError| RunError::Stage { stage: "consent".into(), unit: "report".into(), source };
    let manifest = stores.ledger.manifest().await?;
    let read = async |spec: TableSpec| stores.lake.snapshot(&spec, manifest.get(&spec.name).copied()).await;
    let timeline = read(tables::timeline()).await?;
    let persons = Persons::read(&read(tables::persons()).await?, Timestamp::MAX).await.map_err(|e| stage(e.into()))?;
    let mut gates = gates(project)?;
    let mut tally = Tally::default();
    for bucket in timeline.partitions() {
        let standing = tally_bucket(&timeline, &bucket, &mut tally).await?;
        for gate in &mut gates {
            gate.admit(&standing, &persons, stores).await.map_err(stage)?;
        }
    }
    Ok(ConsentReport {
        withdrawal: project.config.value.privacy.withdrawal,
        level: LEVEL,
        people: tally.people,
        events: tally.events,
        sources: tally.sources(),
        purposes: tally.purposes(),
        conflicts: tally.conflicts(),
        changes: tally.changes(),
        activation: gates.into_iter().map(|gate| gate.row).collect(),
        linking: project.forbidden_links(),
        removed: removed::removed(stores).await?,
    })
}

/// Counts the people of one bucket and gives what stands of each.
async fn tally_bucket(
    timeline: &Snapshot,
    bucket: &str,
    tally: &mut Tally,
) -> Result<Vec<(PersonId, Consent)>, LakeError> {
    let mut standing = Vec::new();
    let mut person: Option<PersonId> = None;
    let mut said = PersonSaid::default();
    let wanted = ["person_id", "source", "occurred_at", "consent"];
    for batch in timeline.read_partition(bucket, Some(&wanted)).await? {
        read_rows(&batch, |id, source, at, text| {
            if person != Some(id) {
                standing.extend(person.map(|person| (person, tally.add(&mut said))));
                person = Some(id);
            }
            said.hear(source, at, text);
        })?;
    }
    standing.extend(person.map(|person| (person, tally.add(&mut said))));
    Ok(standing)
}

fn read_rows(batch: &RecordBatch, mut each: impl FnMut(PersonId, &str, Timestamp, &str)) -> Result<(), LakeError> {
    let (person, source) = (columns::binary(batch, "person_id")?, columns::text(batch, "source")?);
    let (at, consent) = (columns::time(batch, "occurred_at")?, columns::text(batch, "consent")?);
    for row in 0..batch.num_rows() {
        let id = PersonId(columns::id16(person.value(row))?);
        each(id, source.value(row), Timestamp::from_micros(at.value(row)), consent.value(row));
    }
    Ok(())
}

/// A destination and who may pass to it.
struct Gate {
    purpose: Purpose,
    identifier: Option<IdentifierKind>,
    row: Activation,
}

fn gates(project: &Project) -> Result<Vec<Gate>, RunError> {
    let site = Site { project: project.root.clone() };
    let of = |config: &throughline_activate::DestinationConfig| {
        let route = Route::compile(config, &site).map_err(RunError::Project)?;
        let (purpose, identifier) = (route.purpose(), route.identifier());
        Ok(Gate { purpose, identifier, row: Activation::new(route.name(), purpose, identifier) })
    };
    project.destinations.iter().map(|d| of(&d.value)).collect()
}

impl Gate {
    /// Admits the people of a bucket: by consent first, then by whether they have the identifier the destination needs. The
    /// vault is asked for kinds of identifiers, never for values.
    async fn admit(
        &mut self,
        standing: &[(PersonId, Consent)],
        persons: &Persons,
        stores: &Stores,
    ) -> Result<(), StageError> {
        let mut permitted = Vec::new();
        for (person, consent) in standing {
            match refusal(consent, self.purpose) {
                None => permitted.push(*person),
                Some(Refusal::Unknown) => self.row.people.unknown += 1,
                Some(Refusal::Denied | Refusal::Withdrawn) => self.row.people.denied += 1,
            }
        }
        self.row.people.granted += permitted.len() as u64;
        let Some(kind) = self.identifier else {
            self.row.reachable += permitted.len() as u64;
            return Ok(());
        };
        let tokens: Vec<Vec<SubjectToken>> = permitted.iter().map(|p| persons.tokens(&p.to_string())).collect();
        let kinds = stores.vault.kinds(&tokens.concat()).await?;
        let mut kinds = kinds.into_iter();
        for of_person in &tokens {
            let found: Vec<_> = kinds.by_ref().take(of_person.len()).collect();
            self.row.reachable += u64::from(found.contains(&Some(kind)));
        }
        Ok(())
    }
}

/// Counts by key, in the order of keys.
type Counts<K> = BTreeMap<K, u64>;
