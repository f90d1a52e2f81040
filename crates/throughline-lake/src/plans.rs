//! Plans of our own operators: a scan that keeps the partitions of a table apart, and running a plan in order on all cores.

use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::common::runtime::SpawnedTask;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties as _};
use datafusion::prelude::SessionConfig;
use futures::{Stream, StreamExt as _, TryStreamExt as _};

use crate::error::LakeError;
use crate::provider::scan_partitions;
use crate::session::Session;
use crate::snapshot::Snapshot;

impl Session {
    /// A plan that reads some columns of a table: one partition of the plan for each of [`Snapshot::partitions`], in their order,
    /// each with its files in path order and its rows as they were written, which is by the columns of `order`. Columns that older
    /// files lack are null. Errors: a name that is no column.
    pub fn scan(
        &self,
        snapshot: &Snapshot,
        columns: &[&str],
        order: &[&str],
    ) -> Result<Arc<dyn ExecutionPlan>, LakeError> {
        let name = &snapshot.spec().name;
        let url = ObjectStoreUrl::parse(format!("throughline://{name}"))?;
        self.runtime().register_object_store(url.as_ref(), snapshot.store());
        scan_partitions(snapshot, url, columns, order)
    }

    /// The state of this session under other settings, for a cluster that is to see the same stores and functions.
    pub fn state_with(&self, config: SessionConfig) -> SessionState {
        SessionStateBuilder::new_from_existing(self.state()).with_config(config).build()
    }

    /// Runs a plan and gives, partition by partition in their order, its batches. As many partitions as the session has threads run
    /// at once, and their batches are what is held in memory. Dropping the stream stops them.
    pub fn run(
        &self,
        plan: &Arc<dyn ExecutionPlan>,
    ) -> impl Stream<Item = Result<Vec<RecordBatch>, LakeError>> + Send + use<> {
        let context = self.task();
        let started = (0..plan.output_partitioning().partition_count()).map({
            let plan = Arc::clone(plan);
            move |partition| {
                let (plan, context) = (Arc::clone(&plan), Arc::clone(&context));
                SpawnedTask::spawn(async move { plan.execute(partition, context)?.try_collect::<Vec<_>>().await })
            }
        });
        futures::stream::iter(started).buffered(self.threads()).map(|done| match done {
            Ok(batches) => Ok(batches?),
            Err(died) => Err(LakeError::Task(died.to_string())),
        })
    }
}
