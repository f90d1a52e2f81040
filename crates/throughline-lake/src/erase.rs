//! Erasure: the rows of erased people leave every file of a table, whichever version names it.
//!
//! A file keeps its name and gets other bytes, so that all versions that name it lose the rows at once; then the sizes and
//! row counts in the log follow. Both steps may be repeated, also after a crash between them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BinaryArray, BinaryBuilder, BooleanArray, ListArray, ListBuilder, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Field};
use futures::TryStreamExt as _;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::{ArrowWriter, ProjectionMask};
use throughline_core::{PersonId, SubjectToken};

use crate::columns;
use crate::error::LakeError;
use crate::log;
use crate::snapshot::{DataFile, Snapshot};
use crate::spec::TableSpec;
use crate::store::Lake;
use crate::writer::properties;

/// Columns that hold one token; a row in which any of them is erased goes.
const TOKENS: [&str; 4] = ["token", "other_token", "profile_token", "raw_token"];
/// Columns that name a person; so does the text column `entity_id`.
const PERSON: &str = "person_id";
const ENTITY: &str = "entity_id";
/// The tokens of an event, which is of the first of them.
const EVENT_TOKENS: &str = "tokens";

/// Whose rows go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Erased {
    /// Tokens.
    pub tokens: BTreeSet<SubjectToken>,
    /// People.
    pub persons: BTreeSet<PersonId>,
    /// People who are somebody else today, but had one of the tokens in an earlier version: their rows go from files that
    /// only earlier versions name.
    pub persons_before: BTreeSet<PersonId>,
}

/// What was taken out of a table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rewritten {
    /// Files that held rows of theirs.
    pub files: u64,
    /// Rows that went, over all files: one for each version that had its own copy.
    pub rows: u64,
    /// Of them, rows of the published version.
    pub rows_published: u64,
    /// Rows of others that lost a token of theirs.
    pub rows_changed: u64,
}

impl Lake {
    /// Every data file of a table, whichever version names it, and those that none does.
    pub async fn every_file(&self, spec: &TableSpec) -> Result<Snapshot, LakeError> {
        let store = self.object_store(&spec.name)?;
        let files =
            listed(&store).await?.into_iter().map(|(path, size)| DataFile { path, partition: None, size, rows: None });
        Ok(Snapshot::new(spec.clone(), None, Arc::clone(&store), files.collect()))
    }

    /// Takes rows out of every file of a table. With `dry_run` it counts them and changes nothing.
    pub async fn erase(&self, published: &Snapshot, erased: &Erased, dry_run: bool) -> Result<Rewritten, LakeError> {
        let table = &published.spec().name;
        let store = published.store();
        let now: BTreeSet<&str> = published.files().iter().map(|f| f.path.as_str()).collect();
        let mut done = Rewritten::default();
        let mut counted: BTreeMap<String, u64> = BTreeMap::new();
        for (path, _) in listed(&store).await? {
            let is_now = now.contains(path.as_str());
            let Some(kept) = without(&store, table, &path, erased, is_now).await? else { continue };
            done.files += 1;
            done.rows += kept.gone;
            done.rows_published += if is_now { kept.gone } else { 0 };
            done.rows_changed += kept.changed;
            if !dry_run {
                counted.insert(path.clone(), kept.rows);
                store.put(&Path::from(path.as_str()), kept.bytes.into()).await?;
            }
        }
        if !dry_run {
            log::follow(&store, table, &counted).await?;
            self.forget(table);
        }
        Ok(done)
    }
}

/// The data files that are there, with their sizes, in order.
pub(crate) async fn listed(store: &Arc<dyn ObjectStore>) -> Result<Vec<(String, u64)>, LakeError> {
    let all: Vec<_> = store.list(None).try_collect().await?;
    let is_data = |path: &str| path.ends_with(".parquet") && !path.starts_with("_delta_log/");
    let mut files: Vec<(String, u64)> =
        all.into_iter().map(|meta| (meta.location.to_string(), meta.size)).filter(|(path, _)| is_data(path)).collect();
    files.sort();
    Ok(files)
}

/// A file without the rows.
struct Kept {
    bytes: Vec<u8>,
    rows: u64,
    gone: u64,
    changed: u64,
}

/// The file without the rows of the erased; `None` when it holds none of them.
async fn without(
    store: &Arc<dyn ObjectStore>,
    table: &str,
    path: &str,
    erased: &Erased,
    is_now: bool,
) -> Result<Option<Kept>, LakeError> {
    let error = |source: parquet::errors::ParquetError| LakeError::File {
        table: table.to_owned(),
        path: path.to_owned(),
        source: Box::new(source),
    };
    let bytes = store.get(&Path::from(path)).await?.bytes().await?;
    let keys = ParquetRecordBatchReaderBuilder::try_new(bytes.clone()).map_err(error)?;
    let names = [&TOKENS[..], &[PERSON, ENTITY, EVENT_TOKENS]].concat();
    let mask = ProjectionMask::columns(keys.parquet_schema(), names);
    let mut concerned = false;
    for batch in keys.with_projection(mask).build().map_err(error)? {
        let judged = Judged::of(&batch?, erased, is_now)?;
        concerned |= judged.gone() > 0 || judged.changed > 0;
    }
    if !concerned {
        return Ok(None);
    }
    let all = ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(error)?;
    let mut writer = ArrowWriter::try_new(Vec::new(), Arc::clone(all.schema()), Some(properties()?))?;
    let mut kept = Kept { bytes: Vec::new(), rows: 0, gone: 0, changed: 0 };
    for batch in all.build().map_err(error)? {
        let batch = batch?;
        let judged = Judged::of(&batch, erased, is_now)?;
        kept.gone += judged.gone();
        kept.changed += judged.changed;
        let batch = judged.apply(&batch)?;
        kept.rows += batch.num_rows() as u64;
        writer.write(&batch)?;
    }
    kept.bytes = writer.into_inner()?;
    Ok(Some(kept))
}

/// Which rows of a batch stay, and its event tokens where some of them go.
struct Judged {
    stays: Vec<bool>,
    tokens: Option<ListArray>,
    changed: u64,
}

impl Judged {
    fn of(batch: &RecordBatch, erased: &Erased, is_now: bool) -> Result<Self, LakeError> {
        let mut judged = Self { stays: vec![true; batch.num_rows()], tokens: None, changed: 0 };
        for name in TOKENS.iter().filter(|name| batch.column_by_name(name).is_some()) {
            let tokens = columns::binary(batch, name)?;
            judged.drop_where(|row| !tokens.is_null(row) && is_erased(tokens.value(row), erased));
        }
        let is_theirs = |id: &PersonId| erased.persons.contains(id) || !is_now && erased.persons_before.contains(id);
        if batch.column_by_name(PERSON).is_some() && batch.column_by_name(TOKENS[0]).is_none() {
            let ids = columns::binary(batch, PERSON)?;
            let id = |row: usize| ids.value(row).try_into().ok().map(PersonId);
            judged.drop_where(|row| !ids.is_null(row) && id(row).as_ref().is_some_and(is_theirs));
        }
        if batch.column_by_name(ENTITY).is_some() {
            let ids = columns::text(batch, ENTITY)?;
            judged.drop_where(|row| ids.value(row).parse().as_ref().is_ok_and(is_theirs));
        }
        if batch.column_by_name(EVENT_TOKENS).is_some() {
            judged.event_tokens(columns::list(batch, EVENT_TOKENS)?, erased)?;
        }
        Ok(judged)
    }

    fn drop_where(&mut self, is_gone: impl Fn(usize) -> bool) {
        for (row, stays) in self.stays.iter_mut().enumerate() {
            *stays &= !is_gone(row);
        }
    }

    /// An event of an erased token goes; one of somebody else loses the erased tokens.
    fn event_tokens(&mut self, lists: &ListArray, erased: &Erased) -> Result<(), LakeError> {
        let field = Field::new("element", DataType::Binary, true);
        let mut left = ListBuilder::new(BinaryBuilder::new()).with_field(field);
        for (row, stays) in self.stays.iter_mut().enumerate() {
            let values = lists.value(row);
            let Some(tokens) = values.as_any().downcast_ref::<BinaryArray>() else {
                return Err(LakeError::Schema { table: "events".into(), reason: "tokens are not binary".into() });
            };
            let gone = tokens.iter().flatten().filter(|token| is_erased(token, erased)).count();
            *stays &= !tokens.iter().flatten().next().is_some_and(|first| is_erased(first, erased));
            self.changed += u64::from(*stays && gone > 0);
            tokens.iter().flatten().filter(|t| !is_erased(t, erased)).for_each(|t| left.values().append_value(t));
            left.append(!lists.is_null(row));
        }
        self.tokens = (self.changed > 0).then(|| left.finish());
        Ok(())
    }

    fn gone(&self) -> u64 {
        self.stays.iter().filter(|stays| !**stays).count() as u64
    }

    fn apply(self, batch: &RecordBatch) -> Result<RecordBatch, LakeError> {
        let mut columns = batch.columns().to_vec();
        if let Some(tokens) = self.tokens {
            let place = batch.schema().index_of(EVENT_TOKENS)?;
            let tokens: ArrayRef = Arc::new(tokens);
            columns[place] = arrow::compute::cast(&tokens, batch.schema().field(place).data_type())?;
        }
        let batch = RecordBatch::try_new(batch.schema(), columns)?;
        Ok(filter_record_batch(&batch, &BooleanArray::from(self.stays))?)
    }
}

fn is_erased(bytes: &[u8], erased: &Erased) -> bool {
    bytes.try_into().is_ok_and(|token| erased.tokens.contains(&SubjectToken(token)))
}
