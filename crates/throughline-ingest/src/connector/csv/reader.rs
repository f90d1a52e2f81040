//! Rows of delimited text.

use ::csv::{ByteRecord, Reader, ReaderBuilder, StringRecord};

use super::super::batch::{escape, join_fields};
use super::super::guard::{RecordGuard, RecordNote, has_escapes, unescape};
use super::super::line::{self, Line};
use super::super::text::{self, TextColumn, TextInput};
use super::super::{BATCH_BYTES, BATCH_ROWS, MAX_ROW_BYTES, RawBatch, RawRows, RefusedRow, RowReader, positions};
use super::Dialect;
use crate::diagnostics::RowFault;
use crate::error::IngestError;
use crate::location::SourceFile;

type Parser = Reader<RecordGuard<TextInput>>;
/// Whether a record is readable.
type Verdict = Result<(), RefusedRow>;

fn broken(file: &SourceFile, dialect: &Dialect, reason: impl Into<String>) -> IngestError {
    IngestError::Format { file: file.name.clone(), format: dialect.format, reason: reason.into() }
}

/// The names of the columns, trimmed.
pub(in super::super) fn header(file: &SourceFile, dialect: &Dialect) -> Result<Vec<String>, IngestError> {
    open(file, dialect).map(|(_, names)| names)
}

/// Starts reading the wanted columns.
pub(in super::super) fn read(
    file: &SourceFile,
    dialect: &Dialect,
    wanted: &[String],
) -> Result<Box<dyn RowReader>, IngestError> {
    let (parser, names) = open(file, dialect)?;
    let width = names.len();
    let named: Vec<Option<String>> = names.into_iter().map(Some).collect();
    Ok(Box::new(CsvReader {
        file: file.name.clone(),
        format: dialect.format,
        parser,
        record: StringRecord::new(),
        positions: positions(&named, wanted),
        width,
        delimiter: char::from(dialect.delimiter),
        escapes: dialect.escapes,
        rows: 0,
    }))
}

/// Opens a file and reads its header.
fn open(file: &SourceFile, dialect: &Dialect) -> Result<(Parser, Vec<String>), IngestError> {
    let mut input = text::open(file)?;
    let (mut first, mut skipped) = (1, Vec::new());
    for _ in 0..dialect.skip {
        if line::read(&mut input, &mut skipped, MAX_ROW_BYTES).map_err(IngestError::io(&file.name))? != Line::End {
            first += 1;
        }
    }
    let guard = RecordGuard::new(input, (dialect.delimiter, dialect.quote), dialect.escapes, first, MAX_ROW_BYTES);
    let mut parser = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(dialect.delimiter)
        .quoting(dialect.quote.is_some())
        .quote(dialect.quote.unwrap_or(b'"'))
        .buffer_capacity(1 << 16)
        .from_reader(guard);
    if let Some(names) = &dialect.names {
        return Ok((parser, names.clone()));
    }
    let mut record = ByteRecord::new();
    if !parser.read_byte_record(&mut record).map_err(|e| broken(file, dialect, e.to_string()))? {
        return Err(broken(file, dialect, "it has no header"));
    }
    if parser.get_mut().take_note().is_some_and(|note| note.cut) {
        return Err(broken(file, dialect, format!("its header exceeds {MAX_ROW_BYTES} bytes")));
    }
    let header = StringRecord::from_byte_record(record)
        .map_err(|_| IngestError::Encoding { file: file.name.clone(), reason: "its header is not".to_owned() })?;
    Ok((parser, header.iter().map(|name| name.trim().to_owned()).collect()))
}

struct CsvReader {
    file: String,
    format: &'static str,
    parser: Parser,
    record: StringRecord,
    positions: Vec<Option<usize>>,
    width: usize,
    delimiter: char,
    escapes: bool,
    rows: u64,
}

impl CsvReader {
    /// The next record and what the guard knows of it. Its text is in `self.record` when it is readable.
    fn next_record(&mut self) -> Result<Option<(RecordNote, Verdict)>, IngestError> {
        let mut bytes = std::mem::take(&mut self.record).into_byte_record();
        let more = self.parser.read_byte_record(&mut bytes).map_err(|e| IngestError::Format {
            file: self.file.clone(),
            format: self.format,
            reason: e.to_string(),
        })?;
        if !more {
            return Ok(None);
        }
        self.rows += 1;
        // The guard has a note for each record (a property test says so); should it ever not, lines are 0.
        let note = self.parser.get_mut().take_note().unwrap_or(RecordNote { line: 0, cut: false });
        let verdict = self.judge(bytes, note);
        Ok(Some((note, verdict)))
    }

    fn judge(&mut self, bytes: ByteRecord, note: RecordNote) -> Verdict {
        let fields = bytes.len();
        let refused = |fault, reason: String, bytes: &ByteRecord| {
            let fields: Vec<String> = bytes.iter().map(escape).collect();
            let raw = join_fields(fields.iter().map(String::as_str), self.delimiter);
            RefusedRow { line: note.line, fault, reason, raw }
        };
        if note.cut {
            let reason = format!("the record exceeds {MAX_ROW_BYTES} bytes; is a quote not closed?");
            return Err(refused(RowFault::Oversized, reason, &bytes));
        }
        if fields != self.width {
            let reason = format!("the row has {fields} fields, the header {}", self.width);
            return Err(refused(RowFault::FieldCount, reason, &bytes));
        }
        match StringRecord::from_byte_record(bytes) {
            Ok(record) if self.escapes && record.iter().any(has_escapes) => {
                self.record = record.iter().map(unescape).collect();
                Ok(())
            }
            Ok(record) => {
                self.record = record;
                Ok(())
            }
            Err(error) => {
                let reason = format!("field {} is not UTF-8", error.utf8_error().field() + 1);
                Err(refused(RowFault::Encoding, reason, &error.into_byte_record()))
            }
        }
    }
}

impl RowReader for CsvReader {
    fn next_batch(&mut self) -> Result<Option<RawBatch>, IngestError> {
        let before = self.rows;
        let mut columns: Vec<TextColumn> = self.positions.iter().map(|p| TextColumn::new(p.is_some())).collect();
        let (mut numbers, mut lines, mut refused) = (Vec::new(), Vec::new(), Vec::new());
        let (mut text, mut ends) = (String::new(), Vec::new());
        let mut refused_bytes = 0;
        while numbers.len() + refused.len() < BATCH_ROWS && text.len() + refused_bytes < BATCH_BYTES {
            let Some((note, verdict)) = self.next_record()? else { break };
            if let Err(row) = verdict {
                refused_bytes += row.raw.len();
                refused.push(row);
                continue;
            }
            numbers.push(i64::try_from(self.rows).unwrap_or(i64::MAX));
            lines.push(note.line);
            for (column, position) in columns.iter_mut().zip(&self.positions) {
                column.push(position.and_then(|p| self.record.get(p)).filter(|field| !field.is_empty()));
            }
            for field in &self.record {
                text.push_str(field);
                ends.push(text.len());
            }
        }
        if self.rows == before {
            return Ok(None);
        }
        let columns = columns.iter_mut().map(|c| c.finish(numbers.len())).collect();
        let raw = RawRows::Fields { text, ends, width: self.width, delimiter: self.delimiter };
        Ok(Some(RawBatch { numbers, lines, columns, raw, refused, unfit: Vec::new() }))
    }

    fn rows_read(&self) -> u64 {
        self.rows
    }
}
