//! Delimited text with a header.

mod dialect;

mod reader;

use throughline_core::expr::Type;

use super::{BadOption, Columns, Connector, EmptyFile, Options, RawColumn, RowReader};
use crate::error::IngestError;
use crate::location::SourceFile;
pub(super) use dialect::Dialect;
pub(super) use reader::{header, read};

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
        "delimited text with a header, UTF-8 or UTF-16; empty fields are NULL"
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
        let dialect = dialect(file, options)?;
        let names = header(file, &dialect)?;
        if let [single] = names.as_slice()
            && let Some(guess) = COMMON.iter().find(|d| **d != dialect.delimiter && single.as_bytes().contains(d))
        {
            let guess = if *guess == b'\t' { "tab".to_owned() } else { char::from(*guess).to_string() };
            let header = single.chars().take(80).collect();
            return Err(IngestError::Delimiter { file: file.name.clone(), header, guess });
        }
        Ok(columns_of(&names, &file.name))
    }

    fn read(&self, file: &SourceFile, options: &Options, wanted: &[String]) -> Result<Box<dyn RowReader>, IngestError> {
        self.columns(file, options)?;
        read(file, &dialect(file, options)?, wanted)
    }
}

/// The columns of a header, with remarks about names that are missing or doubled.
pub(super) fn columns_of(names: &[String], file: &str) -> Columns {
    let mut found = Columns::default();
    for (i, name) in names.iter().enumerate() {
        if name.is_empty() {
            found.warnings.push(format!("column {} of `{file}` has no name and cannot be used", i + 1));
        } else if found.columns.iter().any(|c| c.name == *name) {
            found.warnings.push(format!("column `{name}` occurs twice in `{file}`; the first is used"));
        } else {
            found.columns.push(RawColumn { name: name.clone(), ty: Type::Text });
        }
    }
    found
}

fn dialect(file: &SourceFile, options: &Options) -> Result<Dialect, IngestError> {
    Dialect::of(options).map_err(|bad| IngestError::Format {
        file: file.name.clone(),
        format: "csv",
        reason: bad.message,
    })
}
