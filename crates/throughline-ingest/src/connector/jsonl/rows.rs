//! The rows of a Parquet file as JSON objects, nested columns included, a few at a time.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Error, Result};

use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use arrow::json::LineDelimitedWriter;

use super::super::line::Line;
use super::super::text;
use crate::error::IngestError;
use crate::location::SourceFile;

/// Rows that are written as text at a time: rows of exports have kilobytes.
const ROWS: usize = 512;

/// A Parquet file being read.
pub(super) struct Rows {
    reader: ParquetRecordBatchReader,
    /// The rows at hand, one a line.
    lines: Vec<u8>,
    given: usize,
    row: i64,
}

impl Rows {
    /// Opens a file; of its columns only the wanted ones are read, or all.
    pub(super) fn open(file: &SourceFile, wanted: Option<&[String]>) -> std::result::Result<Self, IngestError> {
        let broken = |e: ::parquet::errors::ParquetError| IngestError::Format {
            file: file.name.clone(),
            format: "parquet",
            reason: e.to_string(),
        };
        let handle: File = text::open_listed(file)?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(handle).map_err(broken)?;
        let mask = match wanted {
            None => ProjectionMask::all(),
            Some(names) => {
                // A column `a.b` lies in the root `a`; names with dots of their own do not occur in nested exports.
                let roots: BTreeSet<&str> = names.iter().filter_map(|name| name.split('.').next()).collect();
                let schema = builder.schema();
                let positions: Vec<usize> = roots.into_iter().filter_map(|root| schema.index_of(root).ok()).collect();
                ProjectionMask::roots(builder.parquet_schema(), positions)
            }
        };
        let reader = builder.with_projection(mask).with_batch_size(ROWS).build().map_err(broken)?;
        Ok(Self { reader, lines: Vec::new(), given: 0, row: 0 })
    }

    /// The number of the row before.
    pub(super) const fn row(&self) -> i64 {
        self.row
    }

    /// Reads the next row into `buffer`, at most `limit` bytes of it.
    pub(super) fn next(&mut self, buffer: &mut Vec<u8>, limit: usize) -> Result<Line> {
        buffer.clear();
        while self.given == self.lines.len() {
            let Some(batch) = self.reader.next() else { return Ok(Line::End) };
            let batch = batch.map_err(Error::other)?;
            self.lines.clear();
            self.given = 0;
            let mut writer = LineDelimitedWriter::new(&mut self.lines);
            writer.write(&batch).and_then(|()| writer.finish()).map_err(Error::other)?;
        }
        let rest = &self.lines[self.given..];
        let length = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
        buffer.extend_from_slice(&rest[..length.min(limit)]);
        self.given += (length + 1).min(rest.len());
        self.row += 1;
        Ok(if length > limit { Line::Cut } else { Line::Whole })
    }
}
