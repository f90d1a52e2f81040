//! A snapshot as a table of the query engine.

use std::sync::Arc;

use arrow::compute::SortOptions;
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
use datafusion::physical_expr::expressions::col;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;

use crate::error::LakeError;
use crate::snapshot::{DataFile, Snapshot};
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
}

fn partition_value(snapshot: &Snapshot, text: Option<&str>) -> Result<Vec<ScalarValue>> {
    let Some(column) = &snapshot.spec().partition else {
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

/// A scan of groups of files. With an order, each partition reads its own group; without, one that is done reads what is left of others.
fn scan_groups(
    snapshot: &Snapshot,
    url: ObjectStoreUrl,
    groups: Vec<Vec<&DataFile>>,
    projection: Option<Vec<usize>>,
    limit: Option<usize>,
    order: Option<Vec<LexOrdering>>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let fields = snapshot.spec().partition.iter().map(|p| Arc::new(Field::new(p.name(), p.data_type(), false)));
    let schema = TableSchema::builder(Arc::clone(&snapshot.spec().file_schema))
        .with_table_partition_cols(fields.collect::<Vec<_>>())
        .build();
    let mut file_groups = Vec::with_capacity(groups.len());
    for group in groups {
        let mut entries = Vec::with_capacity(group.len());
        for file in group {
            let mut entry = PartitionedFile::new(file.path.clone(), file.size);
            entry.partition_values = partition_value(snapshot, file.partition.as_deref())?;
            entries.push(entry);
        }
        file_groups.push(FileGroup::new(entries));
    }
    let config = FileScanConfigBuilder::new(url, Arc::new(ParquetSource::new(schema)))
        .with_file_groups(file_groups)
        .with_projection_indices(projection)?
        .with_limit(limit)
        .with_preserve_order(order.is_some())
        .with_output_ordering(order.unwrap_or_default())
        .build();
    Ok(DataSourceExec::from_data_source(config))
}

/// A scan of some columns whose partitions are those of the table, in their order, each in the order that its files promise.
pub(crate) fn scan_partitions(
    snapshot: &Snapshot,
    url: ObjectStoreUrl,
    columns: &[&str],
    order: &[&str],
) -> std::result::Result<Arc<dyn ExecutionPlan>, LakeError> {
    let schema = snapshot.spec().table_schema();
    let projection = columns.iter().map(|name| schema.index_of(name)).collect::<std::result::Result<Vec<_>, _>>()?;
    let of = |value: &str| snapshot.files().iter().filter(|f| f.partition.as_deref() == Some(value)).collect();
    let groups: Vec<Vec<&DataFile>> = snapshot.partitions().iter().map(|value| of(value)).collect();
    if groups.is_empty() {
        return Ok(Arc::new(EmptyExec::new(Arc::new(schema.project(&projection)?)).with_partitions(0)));
    }
    let ascending = SortOptions { descending: false, nulls_first: false };
    let keys = order.iter().map(|name| Ok(PhysicalSortExpr::new(col(name, &schema)?, ascending)));
    let order = LexOrdering::new(keys.collect::<Result<Vec<_>>>()?);
    Ok(scan_groups(snapshot, url, groups, Some(projection), None, Some(order.into_iter().collect()))?)
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
        let groups = state.config().target_partitions().max(1);
        let mut files: Vec<Vec<&DataFile>> = vec![Vec::new(); groups];
        for (i, file) in self.snapshot.files().iter().enumerate() {
            files[i % groups].push(file);
        }
        files.retain(|group| !group.is_empty());
        scan_groups(&self.snapshot, self.store_url.clone(), files, projection.cloned(), limit, None)
    }
}
