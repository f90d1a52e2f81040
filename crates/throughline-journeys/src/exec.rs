//! The operator of the engine that turns a timeline into journeys.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::physical_expr::{
    Distribution, EquivalenceProperties, LexOrdering, OrderingRequirements, PhysicalExpr, PhysicalSortExpr,
    expressions::col,
};
use datafusion::physical_plan::execution_plan::{CardinalityEffect, EmissionType};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties as _,
    InputDistributionRequirements, Partitioning, PlanProperties, ReplaceChildrenOptions, SendableRecordBatchStream,
};
use futures::stream::Fuse;
use futures::{StreamExt as _, TryStreamExt as _};

use crate::build::{Journeys, output_schema};
use crate::chunks::Chunks;
use crate::error::JourneyError;
use crate::rules::JourneyRules;
use crate::segments::Segments;

/// The order of a timeline: total, so that what happened at one instant has one order wherever it is sorted.
pub const TIMELINE_ORDER: &[&str] = &["person_id", "occurred_at", "source", "source_event_id"];

/// Rows of a timeline in, journeys out: see [`output_schema`]. All rows of a person stand in one partition of the input, together
/// and in the order of time; the operator asks the engine for that, and refuses rows of a person that stand apart.
/// Partitions stay as they are. Memory a partition: a chunk of 65,536 rows, or the largest person.
pub struct JourneysExec {
    input: Arc<dyn ExecutionPlan>,
    rules: Arc<JourneyRules>,
    segments: Segments,
    /// [`TIMELINE_ORDER`], of the input.
    keys: Vec<Arc<dyn PhysicalExpr>>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl JourneysExec {
    /// The journeys of a plan's rows. Errors: a column of the timeline that the plan does not have, a
    /// segment that cannot be computed.
    pub fn new(input: Arc<dyn ExecutionPlan>, rules: Arc<JourneyRules>) -> Result<Self> {
        let schema = input.schema();
        for name in crate::TIMELINE_COLUMNS {
            schema.index_of(name)?;
        }
        let segments = Segments::compile(&rules.segments).map_err(external)?;
        let properties = PlanProperties::new(
            EquivalenceProperties::new(output_schema()),
            Partitioning::UnknownPartitioning(input.output_partitioning().partition_count()),
            EmissionType::Incremental,
            input.boundedness(),
        );
        let keys = TIMELINE_ORDER.iter().map(|name| col(name, &schema)).collect::<Result<_>>()?;
        Ok(Self {
            input,
            rules,
            segments,
            keys,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }

    /// The rules it works by.
    pub fn rules(&self) -> &JourneyRules {
        &self.rules
    }
}

/// One partition being worked on.
struct Work {
    input: Fuse<SendableRecordBatchStream>,
    chunks: Chunks,
    /// Nothing once the report was given.
    journeys: Option<Journeys>,
    metrics: BaselineMetrics,
}

impl Work {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        while let Some(journeys) = &mut self.journeys {
            let read = self.input.try_next().await?;
            let timer = self.metrics.elapsed_compute().timer();
            let ended = read.is_none();
            let chunk = match read {
                Some(batch) => self.chunks.push(batch),
                None => self.chunks.rest(),
            };
            let built = match chunk.map_err(JourneyError::from).map_err(external)? {
                Some(chunk) => journeys.of(&chunk).map_err(external)?,
                None if !ended => continue,
                None => match self.journeys.take() {
                    Some(journeys) => journeys.report().map_err(external)?,
                    None => break,
                },
            };
            timer.done();
            self.metrics.record_output(built.num_rows());
            return Ok(Some(built));
        }
        Ok(None)
    }
}

fn external(error: JourneyError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

impl fmt::Debug for JourneysExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JourneysExec").field("rules", &self.rules).field("input", &self.input).finish_non_exhaustive()
    }
}

impl DisplayAs for JourneysExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.rules.conversions.iter().map(|c| c.name.as_str()).collect();
        write!(f, "JourneysExec: conversions=[{}]", names.join(", "))
    }
}

impl ExecutionPlan for JourneysExec {
    fn name(&self) -> &'static str {
        "JourneysExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        InputDistributionRequirements::new(vec![Distribution::KeyPartitioned(self.keys[..1].to_vec())])
    }

    fn required_input_ordering(&self) -> Vec<Option<OrderingRequirements>> {
        let ascending = SortOptions { descending: false, nulls_first: false };
        let keys = self.keys.iter().map(|key| PhysicalSortExpr::new(Arc::clone(key), ascending));
        vec![LexOrdering::new(keys).map(OrderingRequirements::from)]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children.pop().ok_or_else(|| DataFusionError::Internal("JourneysExec has one input".into()))?;
        Ok(Arc::new(Self::new(input, Arc::clone(&self.rules))?))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        for key in &self.keys {
            if f(key)? == TreeNodeRecursion::Stop {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let work = Work {
            input: self.input.execute(partition, context)?.fuse(),
            chunks: Chunks::default(),
            journeys: Some(Journeys::new(Arc::clone(&self.rules), self.segments.clone())),
            metrics: BaselineMetrics::new(&self.metrics, partition),
        };
        let stream =
            futures::stream::try_unfold(
                work,
                |mut work| async move { Ok(work.next().await?.map(|batch| (batch, work))) },
            );
        Ok(Box::pin(RecordBatchStreamAdapter::new(output_schema(), stream.boxed())))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::LowerEqual
    }
}
