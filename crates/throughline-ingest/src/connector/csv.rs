//! Delimited text with a header.

use std::fs::File;
use std::io::BufReader;

use ::csv::{ByteRecord, Reader, ReaderBuilder, StringRecord};
use throughline_core::expr::Type;

use super::batch::{escape, join_fields};
use super::guard::{RecordGuard, RecordNote};
use super::text::{self, TextColumn};
use super::{
    BATCH_BYTES, BATCH_ROWS, BadOption, Columns, Connector, EmptyFile, MAX_ROW_BYTES, Options, RawBatch, RawColumn,
    RawRows, RefusedRow, RowReader, positions,
};
use crate::diagnostics::RowFault;
use crate::error::IngestError;
use crate::location::SourceFile;

/// Delimiters in use, for the hint when the header is a single column.
const COMMON: &[u8] = b",;\t|";

/// Delimited text (CSV, TSV).
#[derive(Debug)]
pub(super) struct Csv;

impl Connector for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn summary(&self) -> &'static str {
        "delimited text with a header, UTF-8; empty fields are NULL"
    }

    fn options(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("delimiter", "one ASCII character, or `tab`; `,` when absent"),
            ("quote", "one ASCII character; `\"` when absent"),
        ]
    }

    fn empty_file(&self) -> EmptyFile {
        EmptyFile::Refused
    }

    fn ragged(&self) -> bool {
        false
    }

    fn check(&self, options: &Options) -> Result<(), BadOption> {
        Dialect::of(options).map(|_| ())
    }

    fn columns(&self, file: &SourceFile, options: &Options) -> Result<Columns, IngestError> {
        let (_, header) = open(file, options)?;
        let mut found = Columns::default();
        for (i, name) in header.iter().enumerate() {
            if name.is_empty() {
                found.warnings.push(format!("column {} of `{}` has no name and cannot be used", i + 1, file.name));
            } else if found.columns.iter().any(|c| c.name == *name) {
                found.warnings.push(format!("column `{name}` occurs twice in `{}`; the first is used", file.name));
            } else {
                found.columns.push(RawColumn { name: name.clone(), ty: Type::Text });
            }
        }
        Ok(found)
    }

    fn read(&self, file: &SourceFile, options: &Options, wanted: &[String]) -> Result<Box<dyn RowReader>, IngestError> {
        let (parser, header) = open(file, options)?;
        let width = header.len();
        let named: Vec<Option<String>> = header.into_iter().map(Some).collect();
        let positions = positions(&named, wanted);
        let delimiter = dialect(file, options)?.delimiter;
        Ok(Box::new(CsvReader {
            file: file.name.clone(),
            parser,
            record: StringRecord::new(),
            positions,
            width,
            delimiter: char::from(delimiter),
            rows: 0,
        }))
    }
}

type Parser = Reader<RecordGuard<BufReader<File>>>;
/// Whether a record is readable.
type Verdict = Result<(), RefusedRow>;

/// How fields are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Dialect {
    delimiter: u8,
    quote: u8,
}

impl Dialect {
    fn of(options: &Options) -> Result<Self, BadOption> {
        let delimiter = one_character(options, "delimiter", b',')?;
        let quote = one_character(options, "quote", b'"')?;
        if delimiter == quote {
            return Err(BadOption { name: "quote", message: "delimiter and quote are the same character".to_owned() });
        }
        Ok(Self { delimiter, quote })
    }
}

fn one_character(options: &Options, name: &'static str, default: u8) -> Result<u8, BadOption> {
    match options.get(name).map(String::as_str) {
        None => Ok(default),
        Some("tab" | "\\t") => Ok(b'\t'),
        Some(text) => match text.as_bytes() {
            [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r') => Ok(*byte),
            _ => Err(BadOption { name, message: format!("{name} `{text}` is not one ASCII character or `tab`") }),
        },
    }
}

fn dialect(file: &SourceFile, options: &Options) -> Result<Dialect, IngestError> {
    Dialect::of(options).map_err(|bad| not_csv(file, bad.message))
}

fn not_csv(file: &SourceFile, reason: impl Into<String>) -> IngestError {
    IngestError::Format { file: file.name.clone(), format: "csv", reason: reason.into() }
}

/// Opens a file and reads its header.
fn open(file: &SourceFile, options: &Options) -> Result<(Parser, Vec<String>), IngestError> {
    let dialect = dialect(file, options)?;
    let guard = RecordGuard::new(text::open(file)?, dialect.delimiter, dialect.quote, MAX_ROW_BYTES);
    let mut parser = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(dialect.delimiter)
        .quote(dialect.quote)
        .buffer_capacity(1 << 16)
        .from_reader(guard);
    let mut record = ByteRecord::new();
    if !parser.read_byte_record(&mut record).map_err(|e| not_csv(file, e.to_string()))? {
        return Err(not_csv(file, "it has no header"));
    }
    if parser.get_mut().take_note().is_some_and(|note| note.cut) {
        return Err(not_csv(file, format!("its header exceeds {MAX_ROW_BYTES} bytes")));
    }
    let header = StringRecord::from_byte_record(record)
        .map_err(|_| IngestError::Encoding { file: file.name.clone(), reason: "its header is not".to_owned() })?;
    let names: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
    if let [single] = names.as_slice()
        && let Some(guess) = COMMON.iter().find(|d| **d != dialect.delimiter && single.as_bytes().contains(d))
    {
        let guess = if *guess == b'\t' { "tab".to_owned() } else { char::from(*guess).to_string() };
        let header = single.chars().take(80).collect();
        return Err(IngestError::Delimiter { file: file.name.clone(), header, guess });
    }
    Ok((parser, names))
}

struct CsvReader {
    file: String,
    parser: Parser,
    record: StringRecord,
    positions: Vec<Option<usize>>,
    width: usize,
    delimiter: char,
    rows: u64,
}

impl CsvReader {
    /// The next record and what the guard knows of it. Its text is in `self.record` when it is readable.
    fn next_record(&mut self) -> Result<Option<(RecordNote, Verdict)>, IngestError> {
        let mut bytes = std::mem::take(&mut self.record).into_byte_record();
        let more = self.parser.read_byte_record(&mut bytes).map_err(|e| IngestError::Format {
            file: self.file.clone(),
            format: "csv",
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
        Ok(Some(RawBatch { numbers, lines, columns, raw, refused }))
    }

    fn rows_read(&self) -> u64 {
        self.rows
    }
}
