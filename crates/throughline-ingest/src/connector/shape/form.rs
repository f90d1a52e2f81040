//! What kind of plain file a vendor's file is, and where its table begins.

use std::collections::BTreeSet;
use std::io::Read as _;

use ::csv::{ReaderBuilder, StringRecord};

use super::super::csv::{self, Dialect, columns_of};
use super::super::jsonl::{self, Layout};
use super::super::{Columns, RawColumn, RowReader, text};
use super::{Table, Vendor, facts};
use crate::error::IngestError;
use crate::location::SourceFile;

/// How much of a file is looked at.
const HEAD_BYTES: u64 = 1 << 16;
/// Lines among which the header must be.
const HEAD_LINES: usize = 40;
/// Known names that make a line the header.
const KNOWN_NAMES: usize = 2;
const DELIMITERS: &[u8] = b",;\t|";

/// How a file is read.
#[derive(Debug)]
pub(super) enum Form {
    Json(Layout),
    Table(Dialect),
}

impl Form {
    pub(super) fn columns(&self, file: &SourceFile) -> Result<Columns, IngestError> {
        match self {
            Self::Json(layout) => jsonl::columns(file, *layout),
            Self::Table(dialect) => Ok(columns_of(&csv::header(file, dialect)?, &file.name)),
        }
    }

    pub(super) fn read(&self, file: &SourceFile, wanted: &[String]) -> Result<Box<dyn RowReader>, IngestError> {
        match self {
            Self::Json(layout) => jsonl::read(file, *layout, wanted),
            Self::Table(dialect) => csv::read(file, dialect, wanted),
        }
    }
}

/// Looks at the beginning of a file.
pub(super) fn find(vendor: &Vendor, file: &SourceFile) -> Result<Form, IngestError> {
    let mut head = Vec::new();
    text::open(file)?.take(HEAD_BYTES).read_to_end(&mut head).map_err(IngestError::io(&file.name))?;
    if head.starts_with(b"PAR1") {
        return Ok(Form::Json(Layout::Parquet));
    }
    if let Some(layout) = json_layout(&head, vendor.pages) {
        return Ok(Form::Json(layout));
    }
    if let Table::Beside { .. } = vendor.table {
        let names = facts::beside(vendor, file)?;
        return Ok(Form::Table(Dialect { escapes: true, ..bare(vendor, names) }));
    }
    let text = String::from_utf8_lossy(&head);
    let header = header_line(&text, &vendor.fields().collect());
    match (header, vendor.table) {
        (Some((skip, delimiter)), _) => Ok(Form::Table(Dialect { skip, ..Dialect::plain(delimiter, vendor.name) })),
        (None, Table::Bare(names)) => {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            Ok(Form::Table(bare(vendor, names)))
        }
        (None, _) => Err(not_it(vendor, file, "no line has the names of its columns")),
    }
}

fn bare(vendor: &Vendor, names: Vec<String>) -> Dialect {
    Dialect { quote: None, names: Some(names), ..Dialect::plain(b'\t', vendor.name) }
}

fn not_it(vendor: &Vendor, file: &SourceFile, reason: &str) -> IngestError {
    let sets: Vec<String> = vendor.needs.iter().map(|set| set.join(" or ")).collect();
    let reason = format!("{reason}; expected {}", sets.join(", and "));
    IngestError::Format { file: file.name.clone(), format: vendor.name, reason }
}

/// Refuses a file in which a set of fields is missing altogether.
pub(super) fn check_needs(vendor: &Vendor, file: &SourceFile, found: &[RawColumn]) -> Result<(), IngestError> {
    let has = |name: &str| {
        found.iter().any(|c| c.name.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
    };
    match vendor.needs.iter().find(|set| !set.iter().any(|name| has(name))) {
        // Rows of JSON may all be bad; they are refused one by one.
        Some(_) if found.is_empty() => Ok(()),
        Some(set) => Err(not_it(vendor, file, &format!("it has no column {}", set.join(" or ")))),
        None => Ok(()),
    }
}

fn json_layout(head: &[u8], pages: Option<&'static str>) -> Option<Layout> {
    let first = head.iter().find(|b| !b.is_ascii_whitespace())?;
    if !matches!(first, b'{' | b'[') {
        return None;
    }
    if let Some(key) = pages.filter(|key| has_list(head, key)) {
        return Some(Layout::Under(key));
    }
    Some(if *first == b'[' { Layout::List } else { Layout::Lines })
}

/// Whether `"key": [` stands in the text.
fn has_list(head: &[u8], key: &str) -> bool {
    let quoted = format!("\"{key}\"");
    let text = String::from_utf8_lossy(head);
    text.match_indices(&quoted).any(|(at, _)| {
        let rest = text[at + quoted.len()..].trim_start();
        rest.strip_prefix(':').is_some_and(|rest| rest.trim_start().starts_with('['))
    })
}

/// Lines before the header, and its delimiter.
fn header_line(text: &str, known: &BTreeSet<&str>) -> Option<(usize, u8)> {
    let mut best: Option<(usize, usize, u8)> = None;
    for (skip, line) in text.lines().take(HEAD_LINES).enumerate() {
        for delimiter in DELIMITERS {
            let count = fields(line, *delimiter).iter().filter(|name| known.contains(name.trim())).count();
            if count >= KNOWN_NAMES && best.is_none_or(|(most, ..)| count > most) {
                best = Some((count, skip, *delimiter));
            }
        }
    }
    best.map(|(_, skip, delimiter)| (skip, delimiter))
}

fn fields(line: &str, delimiter: u8) -> StringRecord {
    let mut record = StringRecord::new();
    let mut reader = ReaderBuilder::new().has_headers(false).delimiter(delimiter).from_reader(line.as_bytes());
    // A line that is no record has no names.
    let _read = reader.read_record(&mut record).unwrap_or(false);
    record
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_stand_below_titles_in_any_dialect() {
        let known = BTreeSet::from(["Day", "Cost", "Campaign"]);
        assert_eq!(header_line("Report\n1 - 2\nDay,Campaign,Cost\n", &known), Some((2, b',')));
        assert_eq!(header_line("\"Day\";\"Cost\"\n", &known), Some((0, b';')));
        assert_eq!(header_line("Day\tCost\tx\n1\t2\t3\n", &known), Some((0, b'\t')));
        assert_eq!(header_line("Cost\n1\n", &known), None);
    }

    #[test]
    fn documents_and_lines_of_json() {
        assert_eq!(json_layout(b" {\"a\":1}\n", Some("data")), Some(Layout::Lines));
        assert_eq!(json_layout(b"[{\"a\":1}]", None), Some(Layout::List));
        assert_eq!(json_layout(b"{\"data\" : [ {", Some("data")), Some(Layout::Under("data")));
        assert_eq!(json_layout(b"{\"data\":1}", Some("data")), Some(Layout::Lines));
        assert_eq!(json_layout(b"a,b\n", Some("data")), None);
    }
}
