//! Vendors' shapes: plain files whose fields are renamed, read and computed into documented columns.
//!
//! A [`Vendor`] is data: how its table is found in a file, which columns are made from which fields, which lists are
//! spread over columns, and the mapping that a source gets when it writes none. Reading is done by the plain readers.

mod facts;

mod form;

mod list;

mod number;

mod reader;

mod row;

#[cfg(test)]
pub(super) mod testing;

use std::path::{Path, PathBuf};

use throughline_core::expr::Type;

use super::{BadOption, Columns, Connector, EmptyFile, Options, RawColumn, RowReader};
use crate::error::IngestError;
use crate::location::SourceFile;
pub(super) use list::{List, text_of};
pub(super) use number::DECIMAL_OPTION;
pub(super) use row::{Given, Made, Row, unreadable};

/// A vendor's file shape.
#[derive(Debug)]
pub(super) struct Vendor {
    /// Name in `connector:`.
    pub(super) name: &'static str,
    /// What it reads, in one line.
    pub(super) summary: &'static str,
    /// The mapping of a source that writes none: YAML with `columns`, `consent`, `latency_hours`, `traffic`, `emits`.
    pub(super) preset: &'static str,
    /// Options with their meaning.
    pub(super) options: &'static [(&'static str, &'static str)],
    /// Delimited files.
    pub(super) table: Table,
    /// The key of the lists of rows where a file is one JSON document.
    pub(super) pages: Option<&'static str>,
    /// A file has a field out of each of these sets, or it is not of this vendor.
    pub(super) needs: &'static [&'static [&'static str]],
    /// Amounts and counts that people's locale writes.
    pub(super) numbers: Numbers,
    /// Columns made of fields.
    pub(super) columns: &'static [Made],
    /// Lists of objects spread over columns.
    pub(super) lists: &'static [List],
}

/// Where the names of delimited columns stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Table {
    /// In the file: the first line with several of the known names; lines above it are titles.
    Header,
    /// Nowhere: tab-separated fields without quotes in this order. A file with a header is read by it all the same.
    Bare(&'static [&'static str]),
    /// In a file beside; tab-separated fields, backslash before what was sent as a tab, newline or backslash.
    Beside {
        /// Its name: the file's own with its last part replaced.
        header: &'static str,
        /// The last part of the file's own name.
        own: &'static str,
        /// Files that say what codes mean, with the field whose codes they are.
        lookups: &'static [(&'static str, &'static str)],
    },
}

/// Fields that hold numbers in the notation of somebody's region.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Numbers {
    /// They may have decimals.
    pub(super) amounts: &'static [&'static str],
    /// They have none, so that a single separator groups thousands.
    pub(super) counts: &'static [&'static str],
}

impl Numbers {
    /// Numbers are written as in programs.
    pub(super) const NONE: Self = Self { amounts: &[], counts: &[] };
}

impl Vendor {
    /// Every field that some column is made of.
    fn fields(&self) -> impl Iterator<Item = &'static str> {
        self.columns.iter().flat_map(|made| made.from.iter().copied().flatten().copied())
    }
}

impl Connector for Vendor {
    fn name(&self) -> &'static str {
        self.name
    }

    fn summary(&self) -> &'static str {
        self.summary
    }

    fn options(&self) -> &'static [(&'static str, &'static str)] {
        self.options
    }

    fn empty_file(&self) -> EmptyFile {
        match self.table {
            Table::Header => EmptyFile::Refused,
            Table::Bare(_) | Table::Beside { .. } => EmptyFile::Warned,
        }
    }

    fn ragged(&self) -> bool {
        true
    }

    fn preset(&self) -> Option<&'static str> {
        Some(self.preset)
    }

    fn companions(&self, path: &Path) -> Vec<PathBuf> {
        facts::companions(self.table, path)
    }

    fn documented(&self) -> Vec<(&'static str, &'static str)> {
        let made = self.columns.iter().map(|made| (made.name, made.doc));
        made.chain(self.lists.iter().map(|list| (list.pattern, list.doc))).collect()
    }

    fn check(&self, options: &Options) -> Result<(), BadOption> {
        facts::check(options)
    }

    fn columns(&self, file: &SourceFile, _: &Options) -> Result<Columns, IngestError> {
        let own = self.columns.iter().map(|made| made.name.to_owned());
        let mut names: Vec<String> = own.collect();
        let mut warnings = Vec::new();
        if file.bytes == 0 {
            warnings.push(format!("`{}` is empty", file.name));
        } else {
            let form = form::find(self, file)?;
            let fields = form.columns(file)?;
            form::check_needs(self, file, &fields.columns)?;
            warnings.extend(fields.warnings);
            let spread = list::names(self, &form, file)?;
            let found = spread.into_iter().chain(fields.columns.into_iter().map(|c| c.name));
            for name in found {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        let columns = names.into_iter().map(|name| RawColumn { name, ty: Type::Text }).collect();
        Ok(Columns { columns, warnings })
    }

    fn read(&self, file: &SourceFile, options: &Options, wanted: &[String]) -> Result<Box<dyn RowReader>, IngestError> {
        if file.bytes == 0 {
            return Ok(Box::new(reader::Nothing));
        }
        let form = form::find(self, file)?;
        let facts = facts::Facts::find(self, &form, file, options)?;
        Ok(Box::new(reader::VendorReader::open(self, &form, facts, file, wanted)?))
    }
}
