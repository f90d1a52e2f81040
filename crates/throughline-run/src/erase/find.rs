//! What is of a person, in every retained version.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::Array as _;
use sha2::{Digest as _, Sha256};
use throughline_core::{PersonId, SubjectToken, Timestamp};
use throughline_features::{features_table, labels_table};
use throughline_lake::{Erased, Snapshot, columns, tables};
use throughline_ledger::AuditEntry;
use throughline_vault::OpenFor;

use super::plan::{self, Delivered, ErasedRows, Erasure};
use super::{EraseOptions, Erasing};
use crate::engine::Stores;
use crate::error::RunError;
use crate::project::Project;

/// Shorter values are not looked for in quarantined rows: they stand in too many.
const SHORTEST: usize = 4;

/// Every table as published, in the order of the line.
pub(super) async fn tables_of(project: &Project, stores: &Stores) -> Result<Vec<Snapshot>, RunError> {
    let manifest = stores.ledger.manifest().await?;
    let mut all = Vec::new();
    for spec in tables::all().into_iter().chain([features_table(&project.features.value), labels_table()]) {
        all.push(stores.lake.snapshot(&spec, manifest.get(&spec.name).copied()).await?);
    }
    Ok(all)
}

pub(super) fn erased_rows(erasure: &Erasure) -> Erased {
    let tokens = erasure.identifiers.iter().chain(&erasure.quarantined);
    Erased {
        tokens: tokens.copied().collect(),
        persons: erasure.persons.iter().copied().collect(),
        persons_before: erasure.persons_before.iter().copied().collect(),
    }
}

/// Whether somebody was taken out before, and by which erasure; of an identifier only whether.
pub(super) async fn done(stores: &Stores, whom: &Erasing) -> Result<(bool, Option<Erasure>), RunError> {
    match whom {
        Erasing::Person(id) => {
            let finished = plan::finished(stores.ledger.as_ref()).await?;
            let found = finished.into_iter().rfind(|e| e.persons.contains(id));
            Ok((found.is_some(), found))
        }
        Erasing::Identifier(kind, value) => Ok((stores.vault.is_erased("", *kind, value).await?, None)),
    }
}

/// What has to go.
pub(super) async fn plan(
    project: &Project,
    stores: &Stores,
    whom: &Erasing,
    options: &EraseOptions,
) -> Result<Erasure, RunError> {
    let manifest = stores.ledger.manifest().await?;
    let spec = tables::persons();
    let persons = stores.lake.snapshot(&spec, manifest.get(&spec.name).copied()).await?;
    let mut now: BTreeMap<SubjectToken, PersonId> = BTreeMap::new();
    pairs(&persons, ("token", "person_id"), |token, person| {
        now.insert(SubjectToken(token), PersonId(person));
    })
    .await?;
    let identifiers = identifiers(stores, whom, &now).await?;
    let (ids, ids_before) = ids(stores, &identifiers, &now).await?;
    let profiles = profiles(stores, &identifiers).await?;
    let quarantined = quarantined(stores, &identifiers, options).await?;
    let mut hash = Sha256::new();
    for token in &identifiers {
        hash.update(token.0);
    }
    let mut erasure = Erasure {
        id: hex::encode(&hash.finalize()[..8]),
        persons: ids.into_iter().collect(),
        persons_before: ids_before.into_iter().collect(),
        identifiers: identifiers.into_iter().collect(),
        profiles: profiles.into_iter().collect(),
        quarantined,
        tables: BTreeMap::new(),
        delivered: Vec::new(),
        actor: options.actor.clone(),
    };
    let rows = erased_rows(&erasure);
    for published in tables_of(project, stores).await? {
        if published.spec().name == tables::deliveries().name {
            erasure.delivered = delivered(&published, &erasure.persons).await?;
        }
        let found = stores.lake.erase(&published, &rows, true).await?;
        if found.files > 0 {
            let (files, rows) = (found.files, found.rows);
            let rows = ErasedRows { files, rows, published: found.rows_published, changed: found.rows_changed };
            erasure.tables.insert(published.spec().name.clone(), rows);
        }
    }
    Ok(erasure)
}

/// Reads two columns of ids of a table.
async fn pairs(
    snapshot: &Snapshot,
    (one, other): (&str, &str),
    mut each: impl FnMut([u8; 16], [u8; 16]),
) -> Result<(), RunError> {
    for file in snapshot.files() {
        for batch in snapshot.read_file(file, Some(&[one, other])).await? {
            let (one, other) = (columns::binary(&batch, one)?, columns::binary(&batch, other)?);
            for row in 0..batch.num_rows() {
                each(columns::id16(one.value(row))?, columns::id16(other.value(row))?);
            }
        }
    }
    Ok(())
}

/// Every identifier of the person.
async fn identifiers(
    stores: &Stores,
    whom: &Erasing,
    now: &BTreeMap<SubjectToken, PersonId>,
) -> Result<BTreeSet<SubjectToken>, RunError> {
    let of = |person: PersonId| now.iter().filter(move |(_, p)| **p == person).map(|(token, _)| *token);
    let found: BTreeSet<SubjectToken> = match whom {
        Erasing::Person(id) => of(*id).collect(),
        Erasing::Identifier(kind, value) => match stores.vault.find("", *kind, value).await? {
            Some(token) => now.get(&token).into_iter().flat_map(|person| of(*person)).chain([token]).collect(),
            None => BTreeSet::new(),
        },
    };
    if found.is_empty() {
        let (what, name) = match whom {
            Erasing::Person(id) => ("person", id.to_string()),
            // The value itself belongs on no record and in no log.
            Erasing::Identifier(kind, _) => ("identifier of kind", kind.to_string()),
        };
        let help = "name a person_id of the table persons, or an identifier that a source named".to_owned();
        return Err(RunError::NotFound { what, name, help });
    }
    Ok(found)
}

/// Ids that are only the person's, and ids that are somebody else's today but had an identifier of the person before.
async fn ids(
    stores: &Stores,
    identifiers: &BTreeSet<SubjectToken>,
    now: &BTreeMap<SubjectToken, PersonId>,
) -> Result<(BTreeSet<PersonId>, BTreeSet<PersonId>), RunError> {
    let mut all: BTreeSet<PersonId> = identifiers.iter().filter_map(|token| now.get(token)).copied().collect();
    let retained = stores.lake.every_file(&tables::persons()).await?;
    pairs(&retained, ("token", "person_id"), |token, person| {
        if identifiers.contains(&SubjectToken(token)) {
            all.insert(PersonId(person));
        }
    })
    .await?;
    let others: BTreeSet<PersonId> =
        now.iter().filter(|(token, _)| !identifiers.contains(token)).map(|(_, person)| *person).collect();
    Ok(all.into_iter().partition(|id| !others.contains(id)))
}

/// What sources said about the person and about nobody else.
async fn profiles(stores: &Stores, identifiers: &BTreeSet<SubjectToken>) -> Result<BTreeSet<SubjectToken>, RunError> {
    let retained = stores.lake.every_file(&tables::profiles()).await?;
    let (mut theirs, mut others) = (BTreeSet::new(), BTreeSet::new());
    pairs(&retained, ("token", "profile_token"), |token, profile| {
        let side = if identifiers.contains(&SubjectToken(token)) { &mut theirs } else { &mut others };
        side.insert(SubjectToken(profile));
    })
    .await?;
    Ok(theirs.difference(&others).copied().collect())
}

/// Quarantined rows that name one of the identifiers. Their text is opened for that; both openings are on record.
async fn quarantined(
    stores: &Stores,
    identifiers: &BTreeSet<SubjectToken>,
    options: &EraseOptions,
) -> Result<Vec<SubjectToken>, RunError> {
    let retained = stores.lake.every_file(&tables::quarantine()).await?;
    let mut rows: BTreeSet<SubjectToken> = BTreeSet::new();
    for file in retained.files() {
        for batch in retained.read_file(file, Some(&["raw_token"])).await? {
            let raw = columns::binary(&batch, "raw_token")?;
            for row in (0..batch.num_rows()).filter(|row| !raw.is_null(*row)) {
                rows.insert(SubjectToken(columns::id16(raw.value(row))?));
            }
        }
    }
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let (rows, tokens): (Vec<_>, Vec<_>) = (rows.into_iter().collect(), identifiers.iter().copied().collect());
    let now = options.clock.now();
    let values = open(stores, &tokens, options, now).await?;
    let texts = open(stores, &rows, options, now).await?;
    let values: Vec<String> = values.into_iter().flatten().filter(|v| v.chars().count() >= SHORTEST).collect();
    let named = rows
        .iter()
        .zip(texts)
        .filter(|(_, text)| text.as_ref().is_some_and(|text| values.iter().any(|value| says(text, value))));
    Ok(named.map(|(token, _)| *token).collect())
}

async fn open(
    stores: &Stores,
    tokens: &[SubjectToken],
    options: &EraseOptions,
    now: Timestamp,
) -> Result<Vec<Option<String>>, RunError> {
    let revealed = stores.vault.reveal(tokens, OpenFor::SubjectAccess, &options.actor, now).await?;
    let payload = serde_json::to_value(&revealed.opening)?;
    let entry = AuditEntry { kind: "vault_opened", actor: &options.actor, payload: &payload, at: now };
    stores.ledger.append_audit(entry).await?;
    Ok(revealed.values.iter().map(|value| value.as_ref().map(|v| v.expose().to_lowercase())).collect())
}

/// Whether a text, in lower case, names a value as a word of its own.
fn says(text: &str, value: &str) -> bool {
    let inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    text.match_indices(value)
        .any(|(at, _)| !inside(text[..at].chars().next_back()) && !inside(text[at + value.len()..].chars().next()))
}

/// Where the person was delivered to.
async fn delivered(deliveries: &Snapshot, persons: &[PersonId]) -> Result<Vec<Delivered>, RunError> {
    let ids: BTreeSet<String> = persons.iter().map(ToString::to_string).collect();
    let mut found: BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)> = BTreeMap::new();
    for file in deliveries.files() {
        let wanted = ["destination", "entity_id", "batch_id", "status"];
        for batch in deliveries.read_file(file, Some(&wanted)).await? {
            let text = |name| columns::text(&batch, name);
            let (places, entities) = (text("destination")?, text("entity_id")?);
            let (batches, statuses) = (text("batch_id")?, text("status")?);
            // What was planned may have left before a crash.
            let left =
                |row: &usize| ids.contains(entities.value(*row)) && ["sent", "planned"].contains(&statuses.value(*row));
            for row in (0..batch.num_rows()).filter(left) {
                let at = found.entry(places.value(row).to_owned()).or_default();
                at.0.insert(entities.value(row).to_owned());
                at.1.insert(batches.value(row).to_owned());
            }
        }
    }
    let of = |(destination, (entity_ids, batches)): (String, (BTreeSet<String>, BTreeSet<String>))| Delivered {
        destination,
        entity_ids: entity_ids.into_iter().collect(),
        batches: batches.into_iter().collect(),
    };
    Ok(found.into_iter().map(of).collect())
}

#[cfg(test)]
mod tests {
    use super::says;

    #[test]
    fn a_value_is_found_as_a_word_only() {
        assert!(says("7,ann@x.org,12", "ann@x.org") && says("ann@x.org", "ann@x.org"));
        assert!(!says("joann@x.org", "ann@x.org") && !says("ann@x.organic", "ann@x.org"));
    }
}
