//! Reading plain files for the one-shot commands, with clear errors.

mod parquet;

mod table;

pub(crate) use parquet::batches as parquet_batches;
pub use table::{column_names, read_table};

use std::fs::File;
use std::path::Path;

use csv::{ByteRecord, Reader, ReaderBuilder};
use throughline_core::Diagnostic;
use throughline_core::diagnostic::closest;

use crate::OneShotError;

/// Whether a file is Parquet, by its name.
pub(crate) fn is_parquet(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "parquet")
}

/// A CSV file with a header.
#[derive(Debug)]
pub struct Csv {
    file: String,
    header: Vec<String>,
    reader: Reader<File>,
}

impl Csv {
    /// Opens a file and reads its header.
    pub fn open(path: &Path, delimiter: &str) -> Result<Self, OneShotError> {
        let file = path.display().to_string();
        let finding = |d: Diagnostic| OneShotError::finding(d.at(&file, None, None));
        let delimiter = match delimiter {
            "\\t" | "tab" => b'\t',
            text if text.len() == 1 => text.as_bytes()[0],
            text => {
                let message = format!("the delimiter `{text}` is not one character");
                return Err(finding(Diagnostic::error("TL030", message).help("use for example ',' ';' or tab")));
            }
        };
        let reader =
            File::open(path).map_err(|source| OneShotError::Io { doing: "read", path: file.clone(), source })?;
        let mut reader =
            ReaderBuilder::new().delimiter(delimiter).flexible(true).buffer_capacity(1 << 18).from_reader(reader);
        let header = reader
            .byte_headers()
            .map_err(|e| finding(Diagnostic::error("TL031", format!("the header cannot be read: {e}"))))?
            .clone();
        if header.is_empty() || header.iter().all(<[u8]>::is_empty) {
            return Err(finding(
                Diagnostic::error("TL032", "the file is empty").help("the first line must name the columns"),
            ));
        }
        let header: Vec<String> = header
            .iter()
            .map(|h| String::from_utf8_lossy(h).trim_start_matches('\u{feff}').trim().to_owned())
            .collect();
        Ok(Self { file, header, reader })
    }

    /// The names of the columns.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// The position of a column.
    pub fn column(&self, name: &str) -> Result<usize, OneShotError> {
        if let Some(index) = self.header.iter().position(|h| h == name) {
            return Ok(index);
        }
        let known = self.header.join(", ");
        let mut finding = Diagnostic::error("TL033", format!("no column `{name}` (there are: {known})"));
        let only = self.header.first().filter(|_| self.header.len() == 1);
        if let Some(delimiter) = only.and_then(|h| [';', '\t', '|', ','].into_iter().find(|d| h.contains(*d))) {
            finding = finding.help(format!("the file has a single column: is the delimiter {delimiter:?}?"));
        } else if let Some(close) = closest(name, self.header.iter().map(String::as_str)) {
            finding = finding.help(format!("did you mean `{close}`?"));
        }
        Err(OneShotError::finding(finding.at(&self.file, Some(1), None)))
    }

    /// Calls `each` with the line number and the record of every row; rows that cannot be read are findings.
    pub fn rows(
        &mut self,
        mut each: impl FnMut(u64, &ByteRecord) -> Result<(), Diagnostic>,
    ) -> Result<Vec<Diagnostic>, OneShotError> {
        let mut found = Vec::new();
        let mut record = ByteRecord::new();
        let width = self.header.len();
        loop {
            let line = self.reader.position().line();
            let place = |d: Diagnostic| d.at(&self.file, Some(line), None);
            match self.reader.read_byte_record(&mut record) {
                Ok(false) => return Ok(found),
                Ok(true) if record.len() != width => {
                    let message = format!("{} fields where the header has {width}; the row is left out", record.len());
                    found.push(place(Diagnostic::warning("TL034", message)));
                }
                Ok(true) => {
                    let line = record.position().map_or(line, csv::Position::line);
                    if let Err(finding) = each(line, &record) {
                        found.push(finding.at(&self.file, Some(line), None));
                    }
                }
                Err(error) => {
                    found.push(place(Diagnostic::error("TL035", format!("unreadable from here on: {error}"))));
                    return Ok(found);
                }
            }
        }
    }
}

/// A field as text.
pub fn text(record: &ByteRecord, index: usize) -> Result<&str, Diagnostic> {
    std::str::from_utf8(record.get(index).unwrap_or_default())
        .map(str::trim)
        .map_err(|_| Diagnostic::warning("TL036", "the row is not UTF-8 and is left out"))
}

/// A field as a finite number; blank is `None`.
pub fn number(record: &ByteRecord, index: usize) -> Result<Option<f64>, Diagnostic> {
    let text = text(record, index)?;
    if text.is_empty() {
        return Ok(None);
    }
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Some(value)),
        _ => {
            let shown: String = text.chars().take(30).collect();
            Err(Diagnostic::warning("TL037", format!("`{shown}` is not a number; the row is left out")))
        }
    }
}
