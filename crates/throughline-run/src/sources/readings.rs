//! What was read of each source and when: one artefact of the ledger for each content of each file.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use throughline_core::Timestamp;
use throughline_ingest::{Drift, FileColumns, SourceFile, drift};
use throughline_ledger::{NewArtefact, Repository};

use crate::error::RunError;

/// Kind of the artefact of a reading.
const READING: &str = "source_reading";
/// Kind of the artefact of a list of columns.
const COLUMNS: &str = "source_columns";

/// One content of a file, as it was first read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reading {
    pub(crate) source: String,
    pub(crate) file: String,
    pub(crate) content_hash: String,
    /// The order of readings: later than every earlier one of the source.
    pub(crate) read_at: Timestamp,
    pub(crate) run_seq: u64,
    /// Hash of its columns.
    pub(crate) columns: String,
}

/// The readings of a project.
#[derive(Debug, Default)]
pub(crate) struct Readings {
    /// By unit, oldest first.
    by_unit: BTreeMap<String, Vec<Reading>>,
    columns: BTreeMap<String, FileColumns>,
}

impl Readings {
    pub(crate) async fn load(ledger: &dyn Repository) -> Result<Self, RunError> {
        let mut all = Self::default();
        let mut artefacts = ledger.artefacts(READING).await?;
        artefacts.sort_by(|a, b| (&a.name, a.version).cmp(&(&b.name, b.version)));
        for artefact in artefacts {
            all.by_unit.entry(artefact.name).or_default().push(serde_json::from_value(artefact.metadata)?);
        }
        for artefact in ledger.artefacts(COLUMNS).await? {
            all.columns.insert(artefact.content_hash, serde_json::from_value(artefact.metadata)?);
        }
        Ok(all)
    }

    /// Every unit that was ever read.
    pub(crate) fn units(&self) -> impl Iterator<Item = (&String, &Reading)> {
        self.by_unit.iter().filter_map(|(unit, all)| Some((unit, all.last()?)))
    }

    /// The last reading of a unit.
    pub(crate) fn last(&self, unit: &str) -> Option<&Reading> {
        self.by_unit.get(unit)?.last()
    }

    /// The newest reading of a source.
    pub(crate) fn newest(&self, source: &str) -> Option<&Reading> {
        self.before(source, Timestamp::MAX)
    }

    fn before(&self, source: &str, at: Timestamp) -> Option<&Reading> {
        let all = self.by_unit.values().flatten();
        all.filter(|r| r.source == source && r.read_at < at).max_by_key(|r| r.read_at)
    }

    /// The columns that a file is held against: those of what it was before, else of the source's reading before.
    pub(crate) fn columns_before(&self, unit: &str, reading: &Reading) -> Option<&FileColumns> {
        let own = self.by_unit.get(unit).into_iter().flatten().rfind(|r| r.read_at < reading.read_at);
        let before = own.or_else(|| self.before(&reading.source, reading.read_at))?;
        self.columns.get(&before.columns)
    }

    /// The columns that a file which was not read yet is held against.
    pub(crate) fn columns_last(&self, unit: &str, source: &str) -> Option<&FileColumns> {
        let before = self.last(unit).or_else(|| self.newest(source))?;
        self.columns.get(&before.columns)
    }

    /// Notes that a file is read now, unless this content of it was the last one read. The reading is on record before the rows
    /// are, so that a run which is killed in between finds it again.
    pub(crate) async fn note(
        &mut self,
        ledger: &dyn Repository,
        unit: &str,
        new: NewReading<'_>,
    ) -> Result<Reading, RunError> {
        if let Some(last) = self.last(unit).filter(|last| last.content_hash == new.file.content_hash) {
            return Ok(last.clone());
        }
        let after = self.newest(new.source).map(|newest| newest.read_at.plus_micros(1));
        let columns = serde_json::to_value(new.columns)?;
        let hash = hex::encode(Sha256::digest(columns.to_string()));
        let reading = Reading {
            source: new.source.to_owned(),
            file: new.file.name.clone(),
            content_hash: new.file.content_hash.clone(),
            read_at: after.map_or(new.now, |after| after.max(new.now)),
            run_seq: new.run_seq,
            columns: hash.clone(),
        };
        let now = new.wall;
        if let Entry::Vacant(place) = self.columns.entry(hash.clone()) {
            let (name, metadata) = (new.source, &columns);
            ledger.register(NewArtefact { kind: COLUMNS, name, content_hash: &hash, metadata, now }).await?;
            place.insert(new.columns.clone());
        }
        // What a file held before, it may hold again: each time is a version of its own.
        let before = self.by_unit.get(unit).map_or(0, Vec::len);
        let version = hex::encode(Sha256::digest(format!("{before}\n{}", reading.content_hash)));
        let metadata = &serde_json::to_value(&reading)?;
        ledger.register(NewArtefact { kind: READING, name: unit, content_hash: &version, metadata, now }).await?;
        self.by_unit.entry(unit.to_owned()).or_default().push(reading.clone());
        Ok(reading)
    }
}

/// A file that is read.
pub(crate) struct NewReading<'a> {
    pub(crate) source: &'a str,
    pub(crate) file: &'a SourceFile,
    pub(crate) columns: &'a FileColumns,
    pub(crate) now: Timestamp,
    pub(crate) wall: Timestamp,
    pub(crate) run_seq: u64,
}

/// What is different in a file.
pub(crate) fn differences(
    before: Option<&FileColumns>,
    now: &FileColumns,
    used: &std::collections::BTreeSet<String>,
) -> Vec<Drift> {
    before.map(|before| drift(before, now, used)).unwrap_or_default()
}
