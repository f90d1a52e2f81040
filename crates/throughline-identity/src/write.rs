//! What the stage found, as tables.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, Float64Array, Int64Array, RecordBatch, StringArray};
use throughline_core::{PersonId, RunContext};
use throughline_lake::{Lake, Staged, Unit, columns, tables};

use crate::error::IdentityError;
use crate::gather::Gathered;
use crate::matching::{Match, Outcome};
use crate::stable::{IdChange, StableIds};

const CHUNK: usize = 65_536;

/// Observed links, and after them those of matched profiles.
pub(crate) async fn write_links(
    lake: &Lake,
    unit: &Unit,
    gathered: &Gathered,
    matches: &[Match],
    sources: &[String],
) -> Result<Staged, IdentityError> {
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
    let matched: Vec<&Match> = matches.iter().filter(|m| m.outcome == Outcome::Linked).collect();
    for chunk in matched.chunks(CHUNK) {
        let sources = |m: &&Match| format!("{}~{}", sources[usize::from(m.a.source)], sources[usize::from(m.b.source)]);
        let first = |token| gathered.index_of(token).map(|i| gathered.first_seen[i]);
        let seen = |m: &&Match| first(m.a.token).into_iter().chain(first(m.b.token)).max();
        let columns: Vec<ArrayRef> = vec![
            Arc::new(BinaryArray::from_iter_values(chunk.iter().map(|m| m.a.token.0))),
            Arc::new(BinaryArray::from_iter_values(chunk.iter().map(|m| m.b.token.0))),
            Arc::new(StringArray::from_iter_values(chunk.iter().map(|_| "profiles"))),
            Arc::new(StringArray::from_iter_values(chunk.iter().map(sources))),
            Arc::new(chunk.iter().map(|_| Some(0)).collect::<Int64Array>()),
            columns::times(chunk.iter().map(|m| seen(m).or(Some(0)))),
        ];
        writer.write(None, &RecordBatch::try_new(Arc::clone(&spec.file_schema), columns)?).await?;
    }
    Ok(writer.finish().await?)
}

/// Every pair of profiles that may be of one person.
pub(crate) async fn write_matches(
    lake: &Lake,
    unit: &Unit,
    matches: &[Match],
    sources: &[String],
) -> Result<Staged, IdentityError> {
    let spec = tables::matches();
    let mut writer = lake.writer(&spec, unit)?;
    for chunk in matches.chunks(CHUNK) {
        let name = |place: u16| sources[usize::from(place)].as_str();
        let number = |of: &dyn Fn(&Match) -> Option<f64>| Arc::new(chunk.iter().map(of).collect::<Float64Array>());
        let text = |of: &dyn Fn(&Match) -> String| Arc::new(StringArray::from_iter_values(chunk.iter().map(of)));
        let columns: Vec<ArrayRef> = vec![
            Arc::new(BinaryArray::from_iter_values(chunk.iter().map(|m| m.a.token.0))),
            Arc::new(BinaryArray::from_iter_values(chunk.iter().map(|m| m.b.token.0))),
            text(&|m| name(m.a.source).to_owned()),
            text(&|m| name(m.b.source).to_owned()),
            number(&|m| Some(m.probability)),
            number(&|m| Some(m.weight_bits)),
            number(&|m| m.margin_bits),
            text(&|m| m.levels.clone()),
            text(&|m| m.outcome.name().to_owned()),
            text(&|m| m.reason.to_owned()),
            text(&|m| m.weights.clone()),
        ];
        writer.write(None, &RecordBatch::try_new(Arc::clone(&spec.file_schema), columns)?).await?;
    }
    Ok(writer.finish().await?)
}

pub(crate) async fn write_persons(
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

pub(crate) async fn write_changes(
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
            IdChange::Retired => "retired",
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
