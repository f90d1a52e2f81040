//! The one factory of query sessions: memory budget, spill folder, functions, tables at published versions.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::execution::TaskContext;
use datafusion::execution::context::SQLOptions;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::ScalarUDF;
use datafusion::physical_plan::SendableRecordBatchStream;
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::error::LakeError;
use crate::lint::refuse_float_sums;
use crate::property::property;
use crate::provider::SnapshotTable;
use crate::snapshot::Snapshot;

/// Limits of a session. One process-wide budget; sessions share it by being made from it.
#[derive(Debug, Clone)]
pub struct SessionOptions {
    /// Memory the engine may use before it spills, in bytes.
    pub memory_bytes: usize,
    /// Where it spills; the system's temporary folder when absent.
    pub spill_dir: Option<PathBuf>,
    /// Parallelism.
    pub threads: usize,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self { memory_bytes: 1 << 30, spill_dir: None, threads: 2 }
    }
}

/// No statement that makes, changes or writes anything.
fn questions_only() -> SQLOptions {
    SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false)
}

/// A query session over snapshots.
#[derive(Clone)]
pub struct Session {
    context: SessionContext,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

impl Session {
    /// A session with the given limits.
    pub fn new(options: &SessionOptions) -> Result<Self, LakeError> {
        let mut runtime = RuntimeEnvBuilder::new().with_memory_pool(Arc::new(FairSpillPool::new(options.memory_bytes)));
        if let Some(dir) = &options.spill_dir {
            runtime = runtime.with_temp_file_path(dir);
        }
        let mut config = SessionConfig::new()
            .with_target_partitions(options.threads)
            .with_information_schema(false)
            .with_batch_size(8192);
        config.options_mut().sql_parser.enable_ident_normalization = true;
        config.options_mut().execution.parquet.schema_force_view_types = false;
        config.options_mut().sql_parser.map_string_types_to_utf8view = false;
        let state = SessionStateBuilder::new()
            .with_config(config)
            .with_runtime_env(runtime.build_arc()?)
            .with_default_features()
            .build();
        let context = SessionContext::new_with_state(state);
        context.register_udf(property());
        Ok(Self { context })
    }

    pub(crate) fn runtime(&self) -> Arc<RuntimeEnv> {
        self.context.runtime_env()
    }

    pub(crate) fn state(&self) -> SessionState {
        self.context.state()
    }

    pub(crate) fn task(&self) -> Arc<TaskContext> {
        self.context.task_ctx()
    }

    pub(crate) fn threads(&self) -> usize {
        self.context.copied_config().target_partitions().max(1)
    }

    /// Makes a snapshot queryable under a name.
    pub fn register(&self, name: &str, snapshot: Snapshot) -> Result<(), LakeError> {
        let url = ObjectStoreUrl::parse(format!("throughline://{name}"))?;
        self.context.runtime_env().register_object_store(url.as_ref(), snapshot.store());
        self.context.register_table(name, Arc::new(SnapshotTable::new(snapshot, url)))?;
        Ok(())
    }

    /// Makes rows in memory queryable under a name.
    pub fn register_rows(&self, name: &str, batches: &[RecordBatch]) -> Result<(), LakeError> {
        if let Some(first) = batches.first() {
            let table = datafusion::datasource::MemTable::try_new(first.schema(), vec![batches.to_vec()])?;
            self.context.register_table(name, Arc::new(table))?;
        }
        Ok(())
    }

    /// Adds a scalar function.
    pub fn register_function(&self, function: ScalarUDF) {
        self.context.register_udf(function);
    }

    /// Runs a query and streams its rows. Order is defined only by `ORDER BY` on a total key. Statements that are no queries, and
    /// plans that sum floats, are refused.
    pub async fn stream(&self, sql: &str) -> Result<SendableRecordBatchStream, LakeError> {
        let frame = self.context.sql_with_options(sql, questions_only()).await?;
        refuse_float_sums(frame.logical_plan())?;
        Ok(frame.execute_stream().await?)
    }

    /// Runs a query whose answer is small and collects it.
    pub async fn query(&self, sql: &str) -> Result<Vec<RecordBatch>, LakeError> {
        use futures::TryStreamExt as _;
        Ok(self.stream(sql).await?.try_collect().await?)
    }
}
