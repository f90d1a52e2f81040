//! A table at a version: its files, and reading them in a fixed order.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::error::LakeError;
use crate::spec::TableSpec;

const READ_BATCH_ROWS: usize = 16_384;

/// One data file of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    /// Path within the table.
    pub path: String,
    /// Value of the partition column.
    pub partition: Option<String>,
    /// Encoded size.
    pub size: u64,
    /// Rows, when the log says.
    pub rows: Option<u64>,
}

/// A table at a published version.
#[derive(Debug, Clone)]
pub struct Snapshot {
    spec: TableSpec,
    version: Option<u64>,
    store: Arc<dyn ObjectStore>,
    files: Arc<[DataFile]>,
}

impl Snapshot {
    pub(crate) fn new(
        spec: TableSpec,
        version: Option<u64>,
        store: Arc<dyn ObjectStore>,
        files: Vec<DataFile>,
    ) -> Self {
        Self { spec, version, store, files: files.into() }
    }

    /// The table.
    pub const fn spec(&self) -> &TableSpec {
        &self.spec
    }

    /// The version; `None` when nothing was ever published.
    pub const fn version(&self) -> Option<u64> {
        self.version
    }

    /// The files, sorted by path.
    pub fn files(&self) -> &[DataFile] {
        &self.files
    }

    /// Rows as the log counts them.
    pub fn row_count(&self) -> u64 {
        self.files.iter().filter_map(|f| f.rows).sum()
    }

    /// The partition values present, in order.
    pub fn partitions(&self) -> BTreeSet<String> {
        self.files.iter().filter_map(|f| f.partition.clone()).collect()
    }

    pub(crate) fn store(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.store)
    }

    /// Reads one file, only the named columns (all file columns for `None`), in row order.
    pub async fn read_file(&self, file: &DataFile, columns: Option<&[&str]>) -> Result<Vec<RecordBatch>, LakeError> {
        let error = |source: parquet::errors::ParquetError| LakeError::File {
            table: self.spec.name.clone(),
            path: file.path.clone(),
            source: Box::new(source),
        };
        // A file is at most a few target sizes large, so it is fetched whole and decoded in place.
        let bytes = self.store.get(&Path::from(file.path.as_str())).await?.bytes().await?;
        let mut builder = ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(error)?;
        if let Some(columns) = columns {
            let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
            builder = builder.with_projection(mask);
        }
        let reader = builder.with_batch_size(READ_BATCH_ROWS).build().map_err(error)?;
        reader.map(|batch| self.in_table_order(&batch?, columns)).collect()
    }

    /// Reads the files of one partition in path order.
    pub async fn read_partition(
        &self,
        partition: &str,
        columns: Option<&[&str]>,
    ) -> Result<Vec<RecordBatch>, LakeError> {
        let mut batches = Vec::new();
        for file in self.files.iter().filter(|f| f.partition.as_deref() == Some(partition)) {
            batches.extend(self.read_file(file, columns).await?);
        }
        Ok(batches)
    }

    /// Reads everything in path order: for tables that stay small (credits, receipts, health, persons of a demo).
    pub async fn read_all(&self, columns: Option<&[&str]>) -> Result<Vec<RecordBatch>, LakeError> {
        let mut batches = Vec::new();
        for file in self.files.iter() {
            batches.extend(self.read_file(file, columns).await?);
        }
        Ok(batches)
    }

    /// Reorders columns to the asked order and fills columns that older files lack with nulls.
    fn in_table_order(&self, batch: &RecordBatch, columns: Option<&[&str]>) -> Result<RecordBatch, LakeError> {
        let schema: SchemaRef = match columns {
            None => Arc::clone(&self.spec.file_schema),
            Some(names) => {
                let indices = names.iter().map(|n| self.spec.file_schema.index_of(n)).collect::<Result<Vec<_>, _>>()?;
                Arc::new(self.spec.file_schema.project(&indices)?)
            }
        };
        let arrays = schema
            .fields()
            .iter()
            .map(|field| match batch.column_by_name(field.name()) {
                Some(array) => arrow::compute::cast(array, field.data_type()),
                None => Ok(arrow::array::new_null_array(field.data_type(), batch.num_rows())),
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(RecordBatch::try_new(schema, arrays)?)
    }
}
