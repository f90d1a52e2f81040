//! The `profiles` table. What is said about somebody is sealed in the vault; only tokens are stored here.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryBuilder, StringBuilder, TimestampMicrosecondBuilder};
use throughline_lake::{Lake, Staged, TableSpec, TableWriter, Unit, tables};
use throughline_vault::Tokenised;

use super::{batch_of, is_erased, times};
use crate::error::IngestError;

/// What an event says about the holder of its first identifier.
#[derive(Debug)]
pub(crate) struct ProfileRow {
    /// Position of that identifier among those of the chunk.
    pub(crate) holders: Range<usize>,
    pub(crate) text: String,
    pub(crate) occurred_at: i64,
    pub(crate) available_at: i64,
    pub(crate) consent: Arc<str>,
}

/// Writes profiles in the order of the rows.
pub(crate) struct ProfileSink {
    spec: TableSpec,
    writer: TableWriter,
    source: String,
    rows: Columns,
}

struct Columns {
    source: StringBuilder,
    token: BinaryBuilder,
    profile: BinaryBuilder,
    occurred_at: TimestampMicrosecondBuilder,
    available_at: TimestampMicrosecondBuilder,
    consent: StringBuilder,
}

impl Columns {
    fn new() -> Self {
        Self {
            source: StringBuilder::new(),
            token: BinaryBuilder::new(),
            profile: BinaryBuilder::new(),
            occurred_at: times(),
            available_at: times(),
            consent: StringBuilder::new(),
        }
    }

    /// The columns in the order of the table.
    fn finish(&mut self) -> Vec<ArrayRef> {
        vec![
            Arc::new(self.source.finish()),
            Arc::new(self.token.finish()),
            Arc::new(self.profile.finish()),
            Arc::new(self.occurred_at.finish()),
            Arc::new(self.available_at.finish()),
            Arc::new(self.consent.finish()),
        ]
    }
}

impl ProfileSink {
    pub(crate) fn new(lake: &Lake, unit: &Unit, source: &str) -> Result<Self, IngestError> {
        let spec = tables::profiles();
        let writer = lake.writer(&spec, unit)?;
        Ok(Self { spec, writer, source: source.to_owned(), rows: Columns::new() })
    }

    /// Writes profiles: each about the first of its holders that has a token, sealed under its own.
    pub(crate) async fn write(
        &mut self,
        rows: &[ProfileRow],
        holders: &[Tokenised],
        profiles: &[Tokenised],
    ) -> Result<(), IngestError> {
        for (row, profile) in rows.iter().zip(profiles) {
            let own = holders.get(row.holders.clone()).unwrap_or_default();
            let token = own.iter().find_map(|told| told.token()).filter(|_| !is_erased(own));
            let (Some(token), Some(profile)) = (token, profile.token()) else { continue };
            self.rows.source.append_value(&self.source);
            self.rows.token.append_value(token.0);
            self.rows.profile.append_value(profile.0);
            self.rows.occurred_at.append_value(row.occurred_at);
            self.rows.available_at.append_value(row.available_at);
            self.rows.consent.append_value(&row.consent);
        }
        let batch = batch_of(&self.spec, self.rows.finish())?;
        Ok(self.writer.write(None, &batch).await?)
    }

    pub(crate) async fn finish(self) -> Result<Staged, IngestError> {
        Ok(self.writer.finish().await?)
    }
}
