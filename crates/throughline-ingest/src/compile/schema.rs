//! The columns of a source: what its files have, with the types the source declares.

use std::collections::BTreeSet;

use throughline_core::Diagnostic;
use throughline_core::diagnostic::closest;
use throughline_core::expr::{Schema, Type};

use crate::config::{SourceConfig, TRAFFIC_COLUMNS, at};
use crate::connector::{Connector, Options, RawColumn};
use crate::diagnostics::codes;
use crate::location::SourceFile;

/// Files that are looked into for columns, from either end, where rows may lack columns anyway.
const SAMPLED_FILES: usize = 8;

/// What the files have.
pub(super) struct Discovered {
    pub(super) columns: Vec<RawColumn>,
    pub(super) files: Vec<FileColumns>,
    pub(super) warnings: Vec<Diagnostic>,
}

/// What one file has.
pub(super) struct FileColumns {
    pub(super) file: String,
    pub(super) names: BTreeSet<String>,
}

/// Finds the columns of the files in order of appearance and applies the declared types.
pub(super) fn discover(
    config: &SourceConfig,
    connector: &dyn Connector,
    options: &Options,
    files: &[SourceFile],
) -> Result<Discovered, Vec<Diagnostic>> {
    let mut all = Discovered { columns: Vec::new(), files: Vec::new(), warnings: Vec::new() };
    let mut found = Vec::new();
    for file in sampled(files, connector.ragged()) {
        let columns = match file.fetch().and_then(|()| connector.columns(file, options)) {
            Ok(columns) => columns,
            Err(error) => {
                found.extend(config.findings(&error));
                continue;
            }
        };
        for message in columns.warnings {
            all.warnings.push(at(Diagnostic::warning(codes::COLUMN, message), &config.file, &config.location));
        }
        found.extend(add_columns(config, &mut all.columns, &columns.columns, &file.name));
        let names = columns.columns.into_iter().map(|c| c.name).collect();
        all.files.push(FileColumns { file: file.name.clone(), names });
    }
    found.extend(apply_types(config, connector, &mut all.columns, found.is_empty()));
    if found.is_empty() { Ok(all) } else { Err(found) }
}

fn sampled(files: &[SourceFile], ragged: bool) -> impl Iterator<Item = &SourceFile> {
    let last = files.len().saturating_sub(SAMPLED_FILES);
    files.iter().enumerate().filter(move |(i, _)| !ragged || *i < SAMPLED_FILES || *i >= last).map(|(_, f)| f)
}

fn add_columns(config: &SourceConfig, columns: &mut Vec<RawColumn>, new: &[RawColumn], file: &str) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for column in new {
        match columns.iter().find(|c| c.name == column.name) {
            None => columns.push(column.clone()),
            Some(known) if known.ty == column.ty => {}
            Some(known) => {
                let message = format!(
                    "column `{}` is of type {} in `{file}` and of type {} in an earlier file",
                    column.name, column.ty, known.ty
                );
                let finding = Diagnostic::error(codes::COLUMN_TYPE, message)
                    .help("give the files one type, or describe them as two sources");
                found.push(at(finding, &config.file, &config.location));
            }
        }
    }
    found
}

/// Applies `columns:` of the source. With `complete`, a name that no file has is an error where files have headers.
fn apply_types(
    config: &SourceConfig,
    connector: &dyn Connector,
    columns: &mut Vec<RawColumn>,
    complete: bool,
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (name, declared) in &config.columns {
        let Some(ty) = Type::from_sql(&declared.value) else {
            let message = format!("column `{name}` has the unknown type `{}`", declared.value);
            let finding =
                Diagnostic::error(codes::COLUMN_TYPE, message).help("known types: text, int, float, bool, timestamp");
            found.push(at(finding, &config.file, declared));
            continue;
        };
        let names: Vec<&str> = columns.iter().map(|c| c.name.as_str()).collect();
        if let Some(i) = names.iter().position(|n| n == name) {
            columns[i].ty = ty;
        } else if connector.ragged() {
            columns.push(RawColumn { name: name.clone(), ty });
        } else if complete {
            let help = closest(name, names.iter().copied())
                .map_or_else(|| format!("known columns: {}", names.join(", ")), |c| format!("did you mean `{c}`?"));
            let message = format!("`columns` declares `{name}`, which no file has");
            found.push(at(Diagnostic::error(codes::COLUMN, message).help(help), &config.file, declared));
        }
    }
    found
}

/// What expressions may name: `_line`, `_file`, the raw columns, and with `traffic` those of [`TRAFFIC_COLUMNS`].
pub(super) fn expression_schema(columns: &[RawColumn], traffic: bool) -> Schema {
    let pseudo = [("_line".to_owned(), Type::Int), ("_file".to_owned(), Type::Text)];
    let raw = columns.iter().map(|c| (c.name.clone(), c.ty));
    let computed = TRAFFIC_COLUMNS.iter().filter(|_| traffic).map(|name| ((*name).to_owned(), Type::Text));
    Schema::new(pseudo.into_iter().chain(raw).chain(computed))
}
