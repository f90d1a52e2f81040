//! The link stage as a whole.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, Int64Array, RecordBatch, StringArray};
use serde::Serialize;
use throughline_core::consent::{RemovedByConsent, Withdrawal};
use throughline_core::{PersonId, RunContext, SubjectToken};
use throughline_lake::{Lake, Session, Snapshot, Staged, Unit, columns, tables};

use crate::config::IdentityConfig;
use crate::error::IdentityError;
use crate::gather::{Gathered, gather};
use crate::resolve::{ResolveLimits, resolve};
use crate::stable::{IdChange, StableIds, name_people};
use crate::timeline::{PersonIndex, write_timeline};

/// What the stage reads.
#[derive(Debug)]
pub struct IdentityInput<'a> {
    /// The configuration.
    pub config: &'a IdentityConfig,
    /// Sources whose identifiers may not be linked.
    pub unlinkable: &'a [String],
    /// What a withdrawal does to earlier events.
    pub withdrawal: Withdrawal,
    /// Number of person buckets of the project.
    pub buckets: u32,
    /// The events.
    pub events: Snapshot,
    /// The persons of the previous run, for stable ids.
    pub previous: Snapshot,
}

/// What the stage did.
#[derive(Debug, Clone, Serialize)]
pub struct IdentityReport {
    /// Events read.
    pub events: u64,
    /// Distinct identifiers.
    pub identifiers: u64,
    /// People.
    pub persons: u64,
    /// Distinct links observed.
    pub links: u64,
    /// Links refused because the person would have too many identifiers.
    pub links_refused: u64,
    /// Events not linked for want of consent.
    pub unlinked_without_consent: u64,
    /// Events not linked because their source may not be.
    pub unlinked_by_source: u64,
    /// Rows of the timeline.
    pub timeline_rows: u64,
    /// Events that are another revision or a repetition of one in the timeline.
    pub duplicates: u64,
    /// Ids merged into another.
    pub merged: u64,
    /// Ids split.
    pub split: u64,
    /// What consent removed.
    pub removed_by_consent: Vec<RemovedByConsent>,
}

/// Files to commit, and the report.
#[derive(Debug)]
pub struct IdentityOutcome {
    /// What was staged.
    pub staged: Vec<Staged>,
    /// The report.
    pub report: IdentityReport,
}

/// Runs the stage.
pub async fn link(
    lake: &Lake,
    session: &Session,
    context: &RunContext,
    input: IdentityInput<'_>,
    unit: &Unit,
) -> Result<IdentityOutcome, IdentityError> {
    context.progress.start("link", Some(input.events.row_count()));
    let gathered = gather(&input.events, input.unlinkable, input.withdrawal, context).await?;
    let count = u32::try_from(gathered.tokens.len()).unwrap_or(u32::MAX);
    let limits = ResolveLimits { max_tokens: input.config.max_identifiers_per_person };
    let components = resolve(count, &gathered.summed_links(), limits);
    let previous = previous_persons(&input.previous).await?;
    let before = |token: SubjectToken| previous.binary_search_by_key(&token, |(t, _)| *t).ok().map(|i| previous[i].1);
    let ids = name_people(&gathered.tokens, &components.component_of, components.count, before);
    let persons: Vec<PersonId> = components.component_of.iter().map(|c| ids.person_of[*c as usize]).collect();

    let mut staged = vec![
        write_links(lake, unit, &gathered).await?,
        write_persons(lake, unit, &gathered, &persons).await?,
        write_changes(lake, unit, &ids, context).await?,
    ];
    let index = PersonIndex { tokens: gathered.tokens.clone(), persons };
    let writer = lake.writer(&tables::timeline(), unit)?;
    let (files, rows) = write_timeline(session, input.events, index, input.buckets, writer, context).await?;
    staged.push(files);
    let count_of = |wanted| ids.changes.iter().filter(|(_, _, c)| *c == wanted).count() as u64;
    let report = IdentityReport {
        events: gathered.events,
        identifiers: u64::from(count),
        persons: u64::from(components.count),
        links: gathered.links.len() as u64,
        links_refused: components.refused.len() as u64,
        unlinked_without_consent: gathered.removed_by_consent.removed(),
        unlinked_by_source: gathered.unlinked_by_source,
        timeline_rows: rows,
        duplicates: gathered.events.saturating_sub(rows),
        merged: count_of(IdChange::Merged),
        split: count_of(IdChange::Split),
        removed_by_consent: vec![gathered.removed_by_consent],
    };
    context.progress.finish(
        "link",
        &format!("{} identifiers → {} people, {} events", report.identifiers, report.persons, report.timeline_rows),
    );
    Ok(IdentityOutcome { staged, report })
}

async fn previous_persons(snapshot: &Snapshot) -> Result<Vec<(SubjectToken, PersonId)>, IdentityError> {
    let mut out = Vec::new();
    for batch in snapshot.read_all(Some(&["token", "person_id"])).await? {
        let token = columns::binary(&batch, "token")?;
        let person = columns::binary(&batch, "person_id")?;
        for row in 0..batch.num_rows() {
            out.push((SubjectToken(columns::id16(token.value(row))?), PersonId(columns::id16(person.value(row))?)));
        }
    }
    out.sort_unstable();
    Ok(out)
}

const CHUNK: usize = 65_536;

async fn write_links(lake: &Lake, unit: &Unit, gathered: &Gathered) -> Result<Staged, IdentityError> {
    let spec = tables::links();
    let mut writer = lake.writer(&spec, unit)?;
    let links: Vec<_> = gathered.links.iter().collect();
    for chunk in links.chunks(CHUNK) {
        let token = |i: u32| gathered.tokens[i as usize].0;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(BinaryArray::from_iter_values(chunk.iter().map(|(k, _)| token(k.0)))),
            Arc::new(BinaryArray::from_iter_values(chunk.iter().map(|(k, _)| token(k.1)))),
            Arc::new(StringArray::from_iter_values(chunk.iter().map(|_| "same_event"))),
            Arc::new(StringArray::from_iter_values(chunk.iter().map(|(k, _)| k.2.as_str()))),
            Arc::new(chunk.iter().map(|(_, v)| i64::try_from(v.0).ok()).collect::<Int64Array>()),
            columns::times(chunk.iter().map(|(_, v)| Some(v.1))),
        ];
        writer.write(None, &RecordBatch::try_new(Arc::clone(&spec.file_schema), columns)?).await?;
    }
    Ok(writer.finish().await?)
}

async fn write_persons(
    lake: &Lake,
    unit: &Unit,
    gathered: &Gathered,
    persons: &[PersonId],
) -> Result<Staged, IdentityError> {
    let spec = tables::persons();
    let mut writer = lake.writer(&spec, unit)?;
    for start in (0..persons.len()).step_by(CHUNK) {
        let range = start..(start + CHUNK).min(persons.len());
        let columns: Vec<ArrayRef> = vec![
            Arc::new(BinaryArray::from_iter_values(gathered.tokens[range.clone()].iter().map(|t| t.0))),
            Arc::new(BinaryArray::from_iter_values(persons[range.clone()].iter().map(|p| p.0))),
            columns::times(gathered.first_seen[range].iter().map(|t| Some(*t))),
        ];
        writer.write(None, &RecordBatch::try_new(Arc::clone(&spec.file_schema), columns)?).await?;
    }
    Ok(writer.finish().await?)
}

async fn write_changes(
    lake: &Lake,
    unit: &Unit,
    ids: &StableIds,
    context: &RunContext,
) -> Result<Staged, IdentityError> {
    let spec = tables::person_changes();
    // Changes are history: each run's are a unit of their own and stay.
    let unit = Unit { name: format!("{}@{}", unit.name, context.run_seq), ..unit.clone() };
    let mut writer = lake.writer(&spec, &unit)?;
    for chunk in ids.changes.chunks(CHUNK) {
        let word = |c: &IdChange| match c {
            IdChange::Merged => "merged",
            IdChange::Split => "split",
        };
        let columns: Vec<ArrayRef> = vec![
            Arc::new(BinaryArray::from_iter_values(chunk.iter().map(|c| c.0.0))),
            Arc::new(BinaryArray::from_iter_values(chunk.iter().map(|c| c.1.0))),
            Arc::new(StringArray::from_iter_values(chunk.iter().map(|c| word(&c.2)))),
            columns::times(chunk.iter().map(|_| Some(context.now.micros()))),
        ];
        writer.write(None, &RecordBatch::try_new(Arc::clone(&spec.file_schema), columns)?).await?;
    }
    Ok(writer.finish().await?)
}
