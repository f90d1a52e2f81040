//! Reading a file in the types of the mapping.

mod ahead;

mod traffic;

use std::collections::BTreeMap;
use std::sync::Arc;

use throughline_core::expr::Type;

use crate::cell::{Batch, Column};
use crate::compile::CompiledSource;
use crate::connector::{RawRows, RefusedRow, RowReader};
use crate::diagnostics::BadRow;
use crate::error::IngestError;
use crate::location::SourceFile;
use crate::retype::retype;
use ahead::Ahead;

/// Which columns are read, and where each column of the schema stands among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Names and types of the columns read.
    pub(crate) wanted: Vec<(String, Type)>,
    /// Position in the schema of expressions → position among `wanted`.
    pub(crate) slots: Vec<Option<usize>>,
}

/// Rows of a file in the types of the mapping.
#[derive(Debug)]
pub(crate) struct TypedBatch {
    pub(crate) batch: Batch,
    pub(crate) lines: Vec<i64>,
    pub(crate) raw: RawRows,
    /// Rows that the connector could not read.
    pub(crate) refused: Vec<RefusedRow>,
    /// Rows with a value that does not fit its column.
    pub(crate) misfits: BTreeMap<usize, BadRow>,
}

/// A file being read.
pub(crate) struct TypedReader<'s> {
    source: &'s CompiledSource,
    layout: &'s Layout,
    rows: Box<dyn RowReader>,
    file: Arc<str>,
}

impl<'s> TypedReader<'s> {
    pub(crate) fn open(source: &'s CompiledSource, file: &SourceFile, layout: &'s Layout) -> Result<Self, IngestError> {
        let names: Vec<String> = layout.wanted.iter().map(|(name, _)| name.clone()).collect();
        let rows = source.connector.read(file, &source.options, &names)?;
        Ok(Self { source, layout, rows, file: file.name.as_str().into() })
    }

    /// Decodes the file on a thread of its own from here on.
    pub(crate) fn ahead(self) -> Self {
        Self { rows: Box::new(Ahead::start(self.rows)), ..self }
    }

    pub(crate) fn rows_read(&self) -> u64 {
        self.rows.rows_read()
    }

    pub(crate) fn next_batch(&mut self) -> Result<Option<TypedBatch>, IngestError> {
        let Some(raw) = self.rows.next_batch()? else { return Ok(None) };
        let mut columns: Vec<Column> = Vec::with_capacity(raw.columns.len());
        let mut misfits: BTreeMap<usize, BadRow> = BTreeMap::new();
        for (row, fault, reason) in raw.unfit {
            misfits.entry(row).or_insert_with(|| BadRow::new(fault, reason));
        }
        for (array, (name, ty)) in raw.columns.iter().zip(&self.layout.wanted) {
            let (column, bad) = retype(array, *ty, name)?;
            columns.push(column);
            for (row, fault) in bad {
                misfits.entry(row).or_insert(fault);
            }
        }
        let mut batch = Batch { numbers: raw.numbers, columns, file: Arc::clone(&self.file) };
        if let Some(traffic) = &self.source.traffic {
            let computed = traffic::columns(&batch, &self.layout.slots, traffic, &self.source.config.channels);
            batch.columns.extend(computed);
        }
        Ok(Some(TypedBatch { batch, lines: raw.lines, raw: raw.raw, refused: raw.refused, misfits }))
    }
}
