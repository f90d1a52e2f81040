//! A snapshot as a table of the query engine.

use std::sync::Arc;

use arrow::datatypes::{Field, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::ScalarValue;
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;

use crate::snapshot::Snapshot;
use crate::spec::PartitionColumn;

#[derive(Debug)]
pub(crate) struct SnapshotTable {
    snapshot: Snapshot,
    schema: SchemaRef,
    store_url: ObjectStoreUrl,
}

impl SnapshotTable {
    pub(crate) fn new(snapshot: Snapshot, store_url: ObjectStoreUrl) -> Self {
        let schema = snapshot.spec().table_schema();
        Self { snapshot, schema, store_url }
    }

    fn partition_value(&self, text: Option<&str>) -> Result<Vec<ScalarValue>> {
        let Some(column) = &self.snapshot.spec().partition else {
            return Ok(Vec::new());
        };
        let text = text.unwrap_or_default();
        Ok(vec![match column {
            PartitionColumn::Text(_) => ScalarValue::Utf8(Some(text.to_owned())),
            PartitionColumn::Int(name) => ScalarValue::Int32(Some(
                text.parse()
                    .map_err(|_| DataFusionError::Execution(format!("partition {name}={text} is not an integer")))?,
            )),
        }])
    }
}

#[async_trait]
impl TableProvider for SnapshotTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if self.snapshot.files().is_empty() {
            let schema = match projection {
                Some(indices) => Arc::new(self.schema.project(indices)?),
                None => Arc::clone(&self.schema),
            };
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let partition_fields: Vec<Arc<Field>> = self
            .snapshot
            .spec()
            .partition
            .iter()
            .map(|p| Arc::new(Field::new(p.name(), p.data_type(), false)))
            .collect();
        let table_schema = TableSchema::builder(Arc::clone(&self.snapshot.spec().file_schema))
            .with_table_partition_cols(partition_fields)
            .build();
        let groups = state.config().target_partitions().max(1);
        let mut files: Vec<Vec<PartitionedFile>> = vec![Vec::new(); groups];
        for (i, file) in self.snapshot.files().iter().enumerate() {
            let mut entry = PartitionedFile::new(file.path.clone(), file.size);
            entry.partition_values = self.partition_value(file.partition.as_deref())?;
            files[i % groups].push(entry);
        }
        let file_groups = files.into_iter().filter(|g| !g.is_empty()).map(FileGroup::new).collect();
        let config = FileScanConfigBuilder::new(self.store_url.clone(), Arc::new(ParquetSource::new(table_schema)))
            .with_file_groups(file_groups)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}
