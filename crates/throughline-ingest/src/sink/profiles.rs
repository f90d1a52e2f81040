//! The `profiles` table. What is said about somebody is sealed in the vault; only tokens are stored here.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryBuilder, StringBuilder, TimestampMicrosecondBuilder};
use throughline_core::SubjectToken;
use throughline_lake::{Lake, Staged, TableSpec, TableWriter, Unit, tables};

use super::{FLUSH_ROWS, batch_of, times};
use crate::error::IngestError;
use crate::evaluate::EventRow;

/// Collects profiles and writes them in the order of the rows.
pub(crate) struct ProfileSink {
    spec: TableSpec,
    writer: TableWriter,
    source: String,
    count: usize,
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
        Ok(Self { spec, writer, source: source.to_owned(), count: 0, rows: Columns::new() })
    }

    /// Adds the profile of an event: about the holder of `token`, sealed under `profile`.
    pub(crate) fn push(&mut self, event: &EventRow<'_>, token: SubjectToken, profile: SubjectToken) {
        self.rows.source.append_value(&self.source);
        self.rows.token.append_value(token.0);
        self.rows.profile.append_value(profile.0);
        self.rows.occurred_at.append_value(event.occurred_at);
        self.rows.available_at.append_value(event.available_at);
        self.rows.consent.append_value(&event.consent);
        self.count += 1;
    }

    /// Writes what was collected once it is much.
    pub(crate) async fn flush_if_full(&mut self) -> Result<(), IngestError> {
        if self.count < FLUSH_ROWS { Ok(()) } else { self.flush().await }
    }

    async fn flush(&mut self) -> Result<(), IngestError> {
        self.count = 0;
        let batch = batch_of(&self.spec, self.rows.finish())?;
        Ok(self.writer.write(None, &batch).await?)
    }

    pub(crate) async fn finish(mut self) -> Result<Staged, IngestError> {
        self.flush().await?;
        Ok(self.writer.finish().await?)
    }
}
