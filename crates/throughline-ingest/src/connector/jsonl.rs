//! One JSON object per line.

mod discover;

mod elements;

mod fill;

mod rows;

use throughline_core::expr::Type;

use super::batch::escape;
use super::line::{self, Line};
use super::text::{self, TextColumn, TextInput};
use super::{
    BATCH_BYTES, BATCH_ROWS, BadOption, Columns, Connector, EmptyFile, MAX_ROW_BYTES, Options, RawBatch, RawColumn,
    RawRows, RefusedRow, RowReader,
};
use crate::diagnostics::RowFault;
use crate::error::IngestError;
use crate::location::SourceFile;
use discover::Discovered;
use elements::Elements;
use fill::{Cells, Wanted};
use rows::Rows;

/// Lines that are read to find the columns.
const DISCOVERY_LINES: usize = 1000;

/// JSON lines.
#[derive(Debug)]
pub(super) struct Jsonl;

impl Connector for Jsonl {
    fn name(&self) -> &'static str {
        "jsonl"
    }

    fn summary(&self) -> &'static str {
        "one JSON object per line; nested fields are `a.b`, lists are JSON text; columns come from the first 1,000 lines"
    }

    fn options(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    fn empty_file(&self) -> EmptyFile {
        EmptyFile::Warned
    }

    fn ragged(&self) -> bool {
        true
    }

    fn check(&self, _: &Options) -> Result<(), BadOption> {
        Ok(())
    }

    fn columns(&self, file: &SourceFile, _: &Options) -> Result<Columns, IngestError> {
        let mut found = columns(file, Layout::Lines)?;
        if file.bytes == 0 {
            found.warnings.push(format!("`{}` is empty", file.name));
        }
        Ok(found)
    }

    fn read(&self, file: &SourceFile, _: &Options, wanted: &[String]) -> Result<Box<dyn RowReader>, IngestError> {
        read(file, Layout::Lines, wanted)
    }
}

/// Where the objects of a file stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// One a line.
    Lines,
    /// The elements of the list that is the file.
    List,
    /// The elements of the lists under this key, wherever it stands outside of them: answers of APIs, page after page.
    Under(&'static str),
    /// The rows of a Parquet file, nested columns as nested objects.
    Parquet,
}

/// Finds the columns of the first objects.
pub(super) fn columns(file: &SourceFile, layout: Layout) -> Result<Columns, IngestError> {
    let mut input = Objects::open(file, layout, None)?;
    let mut buffer = Vec::new();
    let mut found = Discovered::default();
    for _ in 0..DISCOVERY_LINES {
        match input.next(&mut buffer).map_err(IngestError::io(&file.name))? {
            Line::End => break,
            Line::Cut => {}
            // Bad lines are refused when the rows are read; here they only say nothing about the columns.
            Line::Whole => found.look_at(&buffer),
        }
    }
    let columns = found.names().into_iter().map(|name| RawColumn { name, ty: Type::Text }).collect();
    Ok(Columns { columns, warnings: Vec::new() })
}

/// Starts reading the wanted columns.
pub(super) fn read(file: &SourceFile, layout: Layout, wanted: &[String]) -> Result<Box<dyn RowReader>, IngestError> {
    Ok(Box::new(JsonlReader {
        file: file.name.clone(),
        input: Objects::open(file, layout, Some(wanted))?,
        wanted: Wanted::new(wanted),
        cells: Cells::new(wanted.len()),
        buffer: Vec::new(),
        rows: 0,
    }))
}

/// The texts of the objects of a file.
enum Objects {
    Lines { input: TextInput, line: i64 },
    Elements(Elements<TextInput>),
    Rows(Box<Rows>),
}

impl Objects {
    fn open(file: &SourceFile, layout: Layout, wanted: Option<&[String]>) -> Result<Self, IngestError> {
        Ok(match layout {
            Layout::Lines => Self::Lines { input: text::open(file)?, line: 0 },
            Layout::List => Self::Elements(Elements::new(text::open(file)?, None)),
            Layout::Under(key) => Self::Elements(Elements::new(text::open(file)?, Some(key))),
            Layout::Parquet => Self::Rows(Box::new(Rows::open(file, wanted)?)),
        })
    }

    fn next(&mut self, buffer: &mut Vec<u8>) -> std::io::Result<Line> {
        match self {
            Self::Lines { input, line } => {
                *line += 1;
                line::read(input, buffer, MAX_ROW_BYTES)
            }
            Self::Elements(elements) => elements.next(buffer, MAX_ROW_BYTES),
            Self::Rows(rows) => rows.next(buffer, MAX_ROW_BYTES),
        }
    }

    /// The line on which the object before began.
    fn line(&self) -> i64 {
        match self {
            Self::Lines { line, .. } => *line,
            Self::Elements(elements) => elements.start_line(),
            Self::Rows(rows) => rows.row(),
        }
    }
}

struct JsonlReader {
    file: String,
    input: Objects,
    wanted: Wanted,
    cells: Cells,
    buffer: Vec<u8>,
    rows: u64,
}

impl JsonlReader {
    /// Reads the next line that is not blank, its values into the cells and itself, when it can be used, to the end of `lines`.
    fn next_row(&mut self, lines: &mut String) -> Result<Option<Result<(), RefusedRow>>, IngestError> {
        loop {
            let read = self.input.next(&mut self.buffer);
            let read = read.map_err(IngestError::io(&self.file))?;
            if read == Line::End {
                return Ok(None);
            }
            if read == Line::Whole && self.buffer.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            self.rows += 1;
            if read == Line::Cut {
                let reason = format!("the line exceeds {MAX_ROW_BYTES} bytes");
                return Ok(Some(Err(self.refused(RowFault::Oversized, reason))));
            }
            let verdict = match std::str::from_utf8(&self.buffer) {
                Err(e) => Err((RowFault::Encoding, format!("the line is not UTF-8 (byte {})", e.valid_up_to() + 1))),
                Ok(text) => match self.cells.fill(text, &self.wanted) {
                    Ok(()) => {
                        lines.push_str(text);
                        Ok(())
                    }
                    Err(reason) => Err((RowFault::Json, reason)),
                },
            };
            return Ok(Some(verdict.map_err(|(fault, reason)| self.refused(fault, reason))));
        }
    }

    fn refused(&self, fault: RowFault, reason: String) -> RefusedRow {
        RefusedRow { line: self.input.line(), fault, reason, raw: escape(&self.buffer) }
    }
}

impl RowReader for JsonlReader {
    fn next_batch(&mut self) -> Result<Option<RawBatch>, IngestError> {
        let before = self.rows;
        let mut columns: Vec<TextColumn> = (0..self.wanted.len()).map(|_| TextColumn::new(true)).collect();
        let (mut numbers, mut lines, mut refused) = (Vec::new(), Vec::new(), Vec::new());
        let (mut text, mut ends) = (String::new(), Vec::new());
        let mut refused_bytes = 0;
        while numbers.len() + refused.len() < BATCH_ROWS && text.len() + refused_bytes < BATCH_BYTES {
            let Some(verdict) = self.next_row(&mut text)? else { break };
            if let Err(row) = verdict {
                refused_bytes += row.raw.len();
                refused.push(row);
                continue;
            }
            numbers.push(i64::try_from(self.rows).unwrap_or(i64::MAX));
            lines.push(self.input.line());
            for (i, column) in columns.iter_mut().enumerate() {
                column.push(self.cells.get(i));
            }
            ends.push(text.len());
        }
        if self.rows == before {
            return Ok(None);
        }
        let columns = columns.iter_mut().map(|c| c.finish(numbers.len())).collect();
        Ok(Some(RawBatch { numbers, lines, columns, raw: RawRows::Lines { text, ends }, refused, unfit: Vec::new() }))
    }

    fn rows_read(&self) -> u64 {
        self.rows
    }
}
