//! The `quarantine` table. Raw rows are sealed in the vault; only their tokens are stored here.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryBuilder, Int64Builder, StringBuilder, TimestampMicrosecondBuilder};
use sha2::{Digest as _, Sha256};
use throughline_core::Timestamp;
use throughline_lake::{Lake, Staged, TableSpec, TableWriter, Unit, tables};
use throughline_vault::Tokenised;

use super::{batch_of, times};
use crate::diagnostics::BadRow;
use crate::error::IngestError;

/// The vault seals values of up to 4,096 bytes; the rest of a longer row is named by length and hash.
const MAX_RAW_BYTES: usize = 4000;

/// A row on its way to quarantine.
#[derive(Debug, Clone)]
pub(crate) struct RefusedLine {
    pub(crate) line: i64,
    pub(crate) bad: BadRow,
    /// The row, short enough for the vault.
    pub(crate) raw: String,
}

impl RefusedLine {
    pub(crate) fn new(line: i64, bad: BadRow, raw: String) -> Self {
        Self { line, bad, raw: shorten(raw) }
    }
}

fn shorten(mut raw: String) -> String {
    if raw.len() <= MAX_RAW_BYTES {
        return raw;
    }
    let length = raw.len();
    let digest = hex::encode(&Sha256::digest(raw.as_bytes())[..16]);
    let mark = format!("… ({length} bytes, sha256 {digest}…)");
    raw.truncate(raw.floor_char_boundary(MAX_RAW_BYTES - mark.len()));
    let _infallible = write!(raw, "{mark}");
    raw
}

/// Whether a row was too long to be kept whole.
pub(crate) fn is_cut(raw: &str) -> bool {
    raw.len() > MAX_RAW_BYTES - 8 && raw.ends_with("…)") && raw.contains(" bytes, sha256 ")
}

/// Writes refused rows in their order.
pub(crate) struct QuarantineSink {
    spec: TableSpec,
    writer: TableWriter,
    source: String,
    file: String,
    ingested_at: i64,
}

impl QuarantineSink {
    pub(crate) fn new(
        lake: &Lake,
        unit: &Unit,
        source: &str,
        file: &str,
        ingested_at: Timestamp,
    ) -> Result<Self, IngestError> {
        let spec = tables::quarantine();
        let writer = lake.writer(&spec, unit)?;
        let ingested_at = ingested_at.micros();
        Ok(Self { spec, writer, source: source.to_owned(), file: file.to_owned(), ingested_at })
    }

    /// Writes the refused rows of a batch with the tokens of their raw text.
    pub(crate) async fn write(&mut self, rows: &[RefusedLine], tokens: &[Tokenised]) -> Result<(), IngestError> {
        let (mut source, mut file, mut code, mut reason) =
            (StringBuilder::new(), StringBuilder::new(), StringBuilder::new(), StringBuilder::new());
        let (mut line, mut raw) = (Int64Builder::new(), BinaryBuilder::new());
        let mut ingested_at: TimestampMicrosecondBuilder = times();
        for (row, token) in rows.iter().zip(tokens) {
            source.append_value(&self.source);
            file.append_value(&self.file);
            line.append_value(row.line);
            code.append_value(row.bad.fault.code());
            // A reason may quote the row.
            reason.append_value(if *token == Tokenised::Erased { "erased" } else { &row.bad.reason });
            raw.append_option(token.token().map(|t| t.0));
            ingested_at.append_value(self.ingested_at);
        }
        let columns: Vec<ArrayRef> = vec![
            Arc::new(source.finish()),
            Arc::new(file.finish()),
            Arc::new(line.finish()),
            Arc::new(code.finish()),
            Arc::new(reason.finish()),
            Arc::new(raw.finish()),
            Arc::new(ingested_at.finish()),
        ];
        Ok(self.writer.write(None, &batch_of(&self.spec, columns)?).await?)
    }

    pub(crate) async fn finish(self) -> Result<Staged, IngestError> {
        Ok(self.writer.finish().await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_rows_are_cut_and_stay_distinct() {
        assert_eq!(shorten("short".to_owned()), "short");
        let (a, b) = (shorten("é".repeat(5000) + "a"), shorten("é".repeat(5000) + "b"));
        assert!(a.len() <= MAX_RAW_BYTES && a.contains("(10001 bytes, sha256 "), "{}", a.len());
        assert_ne!(a, b);
        assert!(is_cut(&a) && is_cut(&b) && !is_cut(&"é".repeat(1999)));
    }
}
