//! Writing the files of a unit: Parquet, split by partition, rolled at a target size.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use deltalake_core::kernel::Add;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use sha2::{Digest, Sha256};

use crate::error::LakeError;
use crate::snapshot::DataFile;
use crate::spec::TableSpec;
use crate::store::Unit;

/// A data file is closed when its encoded size passes this.
const TARGET_FILE_BYTES: usize = 64 << 20;
/// All open files of a writer together stay below this.
const TOTAL_OPEN_BYTES: usize = 256 << 20;
/// Rows per row group: large enough to compress, small enough to skip and to decode in bounded memory.
const ROW_GROUP_ROWS: usize = 131_072;

/// A file that was written but belongs to no version yet.
#[derive(Debug, Clone)]
pub struct StagedFile {
    /// Path within the table.
    pub path: String,
    /// Rows in it.
    pub rows: u64,
    size: i64,
    partition_values: HashMap<String, Option<String>>,
}

impl StagedFile {
    pub(crate) fn as_data_file(&self) -> DataFile {
        DataFile {
            path: self.path.clone(),
            partition: self.partition_values.values().next().cloned().flatten(),
            size: u64::try_from(self.size).unwrap_or(0),
            rows: Some(self.rows),
        }
    }

    pub(crate) fn into_add(self) -> Add {
        Add {
            path: self.path,
            partition_values: self.partition_values,
            size: self.size,
            // Deterministic on purpose: the log is a function of the content, and nothing here reads a clock.
            modification_time: 0,
            data_change: true,
            stats: Some(format!("{{\"numRecords\":{}}}", self.rows)),
            tags: None,
            deletion_vector: None,
            base_row_id: None,
            default_row_commit_version: None,
            clustering_provider: None,
        }
    }
}

/// Everything one unit wrote to one table, ready for the commit.
#[derive(Debug, Clone)]
pub struct Staged {
    /// The table.
    pub spec: TableSpec,
    /// The unit that owns the files.
    pub unit: Unit,
    /// The files, sorted by path.
    pub files: Vec<StagedFile>,
}

impl Staged {
    /// Rows in all files.
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|f| f.rows).sum()
    }
}

/// Writes the files of one unit of one table.
#[derive(Debug)]
pub struct TableWriter {
    spec: TableSpec,
    unit: Unit,
    store: Arc<dyn ObjectStore>,
    open: BTreeMap<Option<String>, OpenFile>,
    counters: BTreeMap<Option<String>, u32>,
    staged: Vec<StagedFile>,
}

#[derive(Debug)]
struct OpenFile {
    /// In a mutex only so that a future that holds the table writer may move between threads; it is never contended.
    writer: Mutex<ArrowWriter<Vec<u8>>>,
    rows: u64,
    bytes: usize,
}

impl OpenFile {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), LakeError> {
        let writer = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner);
        writer.write(batch)?;
        self.rows += batch.num_rows() as u64;
        self.bytes = writer.bytes_written() + writer.in_progress_size();
        Ok(())
    }
}

impl TableWriter {
    pub(crate) fn new(spec: TableSpec, unit: Unit, store: Arc<dyn ObjectStore>) -> Self {
        Self { spec, unit, store, open: BTreeMap::new(), counters: BTreeMap::new(), staged: Vec::new() }
    }

    /// The start of every file name of a unit: a hash of stage and unit, so that a unit can find its own files.
    pub(crate) fn unit_prefix(unit: &Unit) -> String {
        let digest = Sha256::digest(format!("{}\u{0}{}", unit.stage, unit.name));
        format!("u{}-", hex::encode(&digest[..6]))
    }

    /// Appends rows, all of one partition (`None` for tables without).
    pub async fn write(&mut self, partition: Option<&str>, batch: &RecordBatch) -> Result<(), LakeError> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        if batch.schema().fields() != self.spec.file_schema.fields() {
            return Err(LakeError::Schema {
                table: self.spec.name.clone(),
                reason: format!("expected {:?}, got {:?}", self.spec.file_schema.fields(), batch.schema().fields()),
            });
        }
        let key = partition.map(str::to_owned);
        let file = match self.open.entry(key.clone()) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => {
                let writer = ArrowWriter::try_new(Vec::new(), Arc::clone(&self.spec.file_schema), Some(properties()?))?;
                entry.insert(OpenFile { writer: Mutex::new(writer), rows: 0, bytes: 0 })
            }
        };
        file.write(batch)?;
        if file.bytes > TARGET_FILE_BYTES {
            return self.close(key.as_ref()).await;
        }
        // Many partitions open at once (years of dates) must not add up: the largest is closed first.
        while self.open.values().map(|f| f.bytes).sum::<usize>() > TOTAL_OPEN_BYTES {
            let Some(largest) = self.open.iter().max_by_key(|(_, f)| f.bytes).map(|(k, _)| k.clone()) else {
                break;
            };
            self.close(largest.as_ref()).await?;
        }
        Ok(())
    }

    async fn close(&mut self, partition: Option<&String>) -> Result<(), LakeError> {
        let Some(file) = self.open.remove(&partition.cloned()) else {
            return Ok(());
        };
        let writer = file.writer.into_inner().unwrap_or_else(PoisonError::into_inner);
        let bytes = writer.into_inner()?;
        let counter = self.counters.entry(partition.cloned()).or_default();
        // The name says what is inside, so an equal name is an equal file: what an unpublished commit left behind can be
        // adopted by name, and is never overwritten by other bytes.
        let content = hex::encode(&Sha256::digest(&bytes)[..12]);
        let name = format!("{}{counter:05}-{content}.parquet", Self::unit_prefix(&self.unit));
        *counter += 1;
        let (path, partition_values) = match (&self.spec.partition, partition) {
            (Some(column), Some(value)) => (
                format!("{}={value}/{name}", column.name()),
                HashMap::from([(column.name().to_owned(), Some(value.clone()))]),
            ),
            _ => (name, HashMap::new()),
        };
        let size = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        self.store.put(&Path::from(path.as_str()), bytes.into()).await?;
        self.staged.push(StagedFile { path, rows: file.rows, size, partition_values });
        Ok(())
    }

    /// Closes every file and returns what was written, ready for the commit.
    pub async fn finish(mut self) -> Result<Staged, LakeError> {
        while let Some(partition) = self.open.keys().next().cloned() {
            self.close(partition.as_ref()).await?;
        }
        self.staged.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Staged { spec: self.spec, unit: self.unit, files: self.staged })
    }
}

pub(crate) fn properties() -> Result<WriterProperties, LakeError> {
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_created_by("throughline".to_owned());
    // Tokens and person ids are random: statistics on them are useless and would outlive an erasure.
    for column in ["tokens.list.element", "token", "other_token", "person_id", "raw_token", "profile_token"] {
        let path = ColumnPath::from(column.split('.').map(str::to_owned).collect::<Vec<_>>());
        builder = builder
            .set_column_statistics_enabled(path.clone(), EnabledStatistics::None)
            .set_column_dictionary_enabled(path, column == "person_id");
    }
    // Every row has its own, so a dictionary would be built for nothing.
    let path = ColumnPath::from("source_event_id");
    builder = builder
        .set_column_statistics_enabled(path.clone(), EnabledStatistics::None)
        .set_column_dictionary_enabled(path, false);
    for column in ["occurred_at", "available_at"] {
        let path = ColumnPath::from(column);
        builder = builder
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
    }
    Ok(builder.set_column_statistics_enabled(ColumnPath::from("properties"), EnabledStatistics::None).build())
}
