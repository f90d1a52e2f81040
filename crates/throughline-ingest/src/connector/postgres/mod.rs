//! PostgreSQL: a table, a view or a query as a source.
//!
//! A database has no files. Its units are *windows* of a watermark, a column that grows with every change of a row: the
//! rows of one day, say. A window's hash is made of its number of rows and the ends of its watermark, so a window is read again
//! exactly when rows came into it or left it. A row that is changed leaves its old window for the newest one, with a higher
//! revision; one that is committed late is found in the window it belongs to. Without a watermark the whole is one unit,
//! and its hash covers every row.

mod options;

mod plan;

mod probe;

mod read;

use std::sync::Arc;

use throughline_postgres::PostgresAddress;

use super::{BadOption, Columns, Connector, EmptyFile, Options, RawColumn, RowReader};
use crate::config::SourceConfig;
use crate::error::IngestError;
use crate::location::{Place, SourceFile};
use options::Wish;
pub use plan::DatabaseUnit;

/// PostgreSQL.
#[derive(Debug)]
pub(super) struct Postgres;

impl Connector for Postgres {
    fn name(&self) -> &'static str {
        "postgres"
    }

    fn summary(&self) -> &'static str {
        "a table, view or query of a PostgreSQL database; `location` is a variable that holds its address"
    }

    fn options(&self) -> &'static [(&'static str, &'static str)] {
        options::KNOWN
    }

    fn empty_file(&self) -> EmptyFile {
        EmptyFile::Warned
    }

    fn ragged(&self) -> bool {
        false
    }

    fn check(&self, options: &Options) -> Result<(), BadOption> {
        Wish::read(options).map(drop)
    }

    fn units(&self, config: &SourceConfig, place: &Place<'_>) -> Option<Result<Vec<SourceFile>, IngestError>> {
        Some(units(config, &place.location))
    }

    fn columns(&self, file: &SourceFile, _: &Options) -> Result<Columns, IngestError> {
        let unit = unit_of(file)?;
        let columns = unit.table.columns.iter().map(|c| RawColumn { name: c.name.clone(), ty: c.kind.ty() });
        Ok(Columns { columns: columns.collect(), warnings: unit.table.warnings.clone() })
    }

    fn read(&self, file: &SourceFile, _: &Options, wanted: &[String]) -> Result<Box<dyn RowReader>, IngestError> {
        read::start(&file.name, Arc::clone(unit_of(file)?), wanted)
    }
}

fn unit_of(file: &SourceFile) -> Result<&Arc<DatabaseUnit>, IngestError> {
    file.database.as_ref().ok_or_else(|| failed(&file.name, "it is no unit of a database"))
}

fn failed(file: &str, reason: impl Into<String>) -> IngestError {
    IngestError::Format { file: file.to_owned(), format: "postgres", reason: reason.into() }
}

/// The windows of a source as they stand now.
fn units(config: &SourceConfig, location: &str) -> Result<Vec<SourceFile>, IngestError> {
    let name = &config.name.value;
    let options: Options = config.options.iter().map(|(k, v)| (k.clone(), v.value.clone())).collect();
    let wish = Wish::read(&options).map_err(|bad| failed(name, format!("`{}`: {}", bad.name, bad.message)))?;
    if !PostgresAddress::claims(location) {
        return Err(failed(name, "its location is no postgres:// address, nor a variable that holds one"));
    }
    let address: PostgresAddress = location.parse().map_err(|e| failed(name, format!("{e}")))?;
    let written = &config.location.value;
    if address.has_password() && written == location {
        return Err(failed(name, "a password stands in its file: keep the address in a variable, `${THROUGHLINE_…}`"));
    }
    let shown = format!("{written}/{}", wish.relation.shown());
    let found = probe::probe(name, &address, &wish)?;
    let file = |unit: DatabaseUnit| {
        let window = unit.window.as_ref().map(|w| format!("/{}", w.shown())).unwrap_or_default();
        SourceFile {
            name: format!("{shown}{window}"),
            path: std::path::PathBuf::new(),
            bytes: 0,
            content_hash: unit.digest(),
            database: Some(Arc::new(unit)),
            remote: None,
            constants: Vec::new(),
        }
    };
    let mut files: Vec<SourceFile> = found.into_iter().map(file).collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}
