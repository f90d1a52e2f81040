//! Rows of some batches, owned: they are evaluated on one thread and written on another.

use std::mem;

use throughline_core::{IdentifierKind, Timestamp};

use super::events::{EventBuilder, EventPart};
use super::profiles::ProfileRow;
use super::quarantine::RefusedLine;
use super::spend::{SpendBuilder, SpendPart};
use crate::evaluate::Emissions;

/// Rows of a chunk: enough that each day gets a run of rows, little enough that some chunks at once stay small.
const ROWS: usize = 65_536;
/// A chunk ends early when its refused rows and profiles hold this much.
const BYTES: usize = 8 << 20;

/// Texts one behind the other.
#[derive(Debug, Default)]
struct Subjects {
    text: String,
    /// Kind and end of each.
    parts: Vec<(IdentifierKind, usize)>,
}

impl Subjects {
    fn iter(&self) -> impl Iterator<Item = (IdentifierKind, &str)> {
        let starts = std::iter::once(0).chain(self.parts.iter().map(|(_, end)| *end));
        let texts = self.parts.iter().zip(starts);
        texts.map(|((kind, end), start)| (*kind, self.text.get(start..*end).unwrap_or_default()))
    }
}

/// What some batches became.
pub(crate) struct Chunk {
    /// Rows that were read for it.
    pub(crate) rows_read: u64,
    pub(crate) events: EventPart,
    pub(crate) spend: SpendPart,
    pub(crate) profiles: Vec<ProfileRow>,
    pub(crate) refused: Vec<RefusedLine>,
    subjects: Subjects,
}

impl Chunk {
    /// How many identifiers its events have.
    pub(crate) fn subjects(&self) -> usize {
        self.subjects.parts.len()
    }

    /// What the vault is asked for: identifiers of events, then profiles, then refused rows.
    pub(crate) fn values(&self) -> Vec<(IdentifierKind, &str)> {
        let profiles = self.profiles.iter().map(|row| (IdentifierKind::Record, row.text.as_str()));
        let refused = self.refused.iter().map(|row| (IdentifierKind::Record, row.raw.as_str()));
        self.subjects.iter().chain(profiles).chain(refused).collect()
    }
}

/// Collects rows.
pub(crate) struct ChunkBuilder {
    events: EventBuilder,
    spend: SpendBuilder,
    profiles: Vec<ProfileRow>,
    refused: Vec<RefusedLine>,
    subjects: Subjects,
    bytes: usize,
}

impl ChunkBuilder {
    pub(crate) fn new(source: &str, ingested_at: Timestamp) -> Self {
        Self {
            events: EventBuilder::new(source, ingested_at),
            spend: SpendBuilder::new(source, ingested_at),
            profiles: Vec::new(),
            refused: Vec::new(),
            subjects: Subjects::default(),
            bytes: 0,
        }
    }

    /// Adds what a batch became.
    pub(crate) fn push(&mut self, emissions: Emissions<'_>, refused: Vec<RefusedLine>) {
        for event in emissions.events {
            let before = self.subjects.parts.len();
            for (kind, cell) in emissions.subjects.get(event.subjects.clone()).unwrap_or_default() {
                self.subjects.text.push_str(cell.as_str().unwrap_or_default());
                self.subjects.parts.push((*kind, self.subjects.text.len()));
            }
            self.events.push(&event);
            if let Some(text) = event.profile {
                self.bytes += text.len();
                let holders = before..self.subjects.parts.len();
                let (occurred_at, available_at, consent) = (event.occurred_at, event.available_at, event.consent);
                self.profiles.push(ProfileRow { holders, text, occurred_at, available_at, consent });
            }
        }
        for spend in &emissions.spend {
            self.spend.push(spend);
        }
        self.bytes += refused.iter().map(|row| row.raw.len()).sum::<usize>();
        self.refused.extend(refused);
    }

    pub(crate) fn is_full(&self) -> bool {
        self.events.len() + self.spend.len() + self.refused.len() >= ROWS || self.bytes >= BYTES
    }

    /// What was collected since the last time.
    pub(crate) fn finish(&mut self, rows_read: u64) -> Chunk {
        self.bytes = 0;
        Chunk {
            rows_read,
            events: self.events.finish(),
            spend: self.spend.finish(),
            profiles: mem::take(&mut self.profiles),
            refused: mem::take(&mut self.refused),
            subjects: mem::take(&mut self.subjects),
        }
    }
}
