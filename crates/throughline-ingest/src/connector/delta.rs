//! Delta tables of others: a data file is a unit. What a version adds is read, what it removes goes with its rows, so that each run
//! leaves the rows of the table's newest version.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use sha2::{Digest as _, Sha256};
use throughline_core::expr::Type;
use throughline_lake::outside::{Bucket, OutsideTable, delta_files};

use super::parquet::Parquet;
use super::{BadOption, Columns, Connector, EmptyFile, Options, RawBatch, RawColumn, RowReader};
use crate::config::SourceConfig;
use crate::error::IngestError;
use crate::location::{Place, SourceFile};
use crate::objects::{Remote, block_on, failed, kept_at, options};

/// Delta.
#[derive(Debug)]
pub(super) struct Delta;

impl Connector for Delta {
    fn name(&self) -> &'static str {
        "delta"
    }

    fn summary(&self) -> &'static str {
        "a Delta table in a folder or object store; `location` is the folder that holds `_delta_log`"
    }

    fn options(&self) -> &'static [(&'static str, &'static str)] {
        &[("version", "the version that is read; the newest when absent")]
    }

    fn empty_file(&self) -> EmptyFile {
        EmptyFile::Warned
    }

    fn ragged(&self) -> bool {
        false
    }

    fn location_is_truth(&self) -> bool {
        true
    }

    fn check(&self, options: &Options) -> Result<(), BadOption> {
        version(options).map(drop)
    }

    fn units(&self, config: &SourceConfig, place: &Place<'_>) -> Option<Result<Vec<SourceFile>, IngestError>> {
        Some(units(config, place))
    }

    fn columns(&self, file: &SourceFile, options: &Options) -> Result<Columns, IngestError> {
        let mut found = Parquet.columns(file, options)?;
        let missing = |name: &String| !found.columns.iter().any(|c| c.name == *name);
        let added = file.constants.iter().filter(|(name, _)| missing(name));
        let added: Vec<RawColumn> = added.map(|(name, _)| RawColumn { name: name.clone(), ty: Type::Text }).collect();
        found.columns.extend(added);
        Ok(found)
    }

    fn read(&self, file: &SourceFile, options: &Options, wanted: &[String]) -> Result<Box<dyn RowReader>, IngestError> {
        let inner = Parquet.read(file, options, wanted)?;
        let place = |name: &String| wanted.iter().position(|w| w == name);
        let constants = file.constants.iter().filter_map(|(name, value)| Some((place(name)?, value.clone())));
        Ok(Box::new(DeltaReader { inner, constants: constants.collect() }))
    }
}

fn version(options: &Options) -> Result<Option<u64>, BadOption> {
    let bad = |_| BadOption { name: "version", message: "expected a whole number, for example 12".into() };
    options.get("version").map(|text| text.parse().map_err(bad)).transpose()
}

/// The data files of a table.
fn units(config: &SourceConfig, place: &Place<'_>) -> Result<Vec<SourceFile>, IngestError> {
    let shown = &config.location.value;
    let wanted: Options = config.options.iter().map(|(k, v)| (k.clone(), v.value.clone())).collect();
    let version = version(&wanted).map_err(|bad| IngestError::Elsewhere {
        location: shown.clone(),
        reason: format!("`{}`: {}", bad.name, bad.message),
    })?;
    if Bucket::claims(&place.location) {
        let (bucket, root) = Bucket::open(&place.location, &options(place.variables)).map_err(|e| failed(shown, &e))?;
        let log = mirror(shown, place, &bucket, &root)?;
        let table = block_on(shown, delta_files(&log, version))?;
        return Ok(files(config, table, |path, tag| {
            let path = format!("{root}/{path}");
            let at = kept_at(place.project_dir, &bucket.address(&path), tag);
            (at, Some(Arc::new(Remote::new(bucket.clone(), path))))
        }));
    }
    let folder = place.project_dir.join(&place.location);
    let table = block_on(shown, delta_files(&folder, version))?;
    Ok(files(config, table, |path, _| (folder.join(path), None)))
}

/// Copies the log of a table in an object store, of which only what is new is fetched.
fn mirror(shown: &str, place: &Place<'_>, bucket: &Bucket, root: &str) -> Result<PathBuf, IngestError> {
    let kept = kept_at(place.project_dir, &bucket.address(root), "log");
    let objects = block_on(shown, bucket.list(&format!("{root}/_delta_log")))?;
    for object in objects {
        let Some(name) = object.path.rsplit('/').next() else { continue };
        let to = kept.join("_delta_log").join(name);
        // Entries of a log never change; the pointer to the last checkpoint does.
        let here = std::fs::metadata(&to).is_ok_and(|m| m.len() == object.bytes);
        if !here || name == "_last_checkpoint" {
            block_on(shown, bucket.fetch(&object.path, &to))?;
        }
    }
    Ok(kept)
}

fn files(
    config: &SourceConfig,
    table: OutsideTable,
    at: impl Fn(&str, &str) -> (PathBuf, Option<Arc<Remote>>),
) -> Vec<SourceFile> {
    let file = |file: throughline_lake::outside::OutsideFile| {
        let tag = format!("delta\n{}\n{}\n{}\n{:?}", file.path, file.bytes, file.written_ms, file.partition);
        let (path, remote) = at(&file.path, &tag);
        let constants = table.partition_columns.iter();
        let constants = constants.map(|name| (name.clone(), file.partition.get(name).cloned().flatten())).collect();
        SourceFile {
            name: format!("{}/{}", config.location.value.trim_end_matches('/'), file.path),
            path,
            bytes: file.bytes,
            content_hash: hex::encode(Sha256::digest(tag)),
            database: None,
            remote,
            constants,
        }
    };
    table.files.into_iter().map(file).collect()
}

/// Rows of a data file with the values that stand in the log.
struct DeltaReader {
    inner: Box<dyn RowReader>,
    /// Wanted columns whose value stands in the log, by place.
    constants: Vec<(usize, Option<String>)>,
}

impl RowReader for DeltaReader {
    fn next_batch(&mut self) -> Result<Option<RawBatch>, IngestError> {
        let Some(mut batch) = self.inner.next_batch()? else { return Ok(None) };
        let rows = batch.numbers.len();
        for (place, value) in &self.constants {
            let values: StringArray = std::iter::repeat_n(value.as_deref(), rows).collect();
            batch.columns[*place] = Arc::new(values) as ArrayRef;
        }
        Ok(Some(batch))
    }

    fn rows_read(&self) -> u64 {
        self.inner.rows_read()
    }
}
