//! The plans of Throughline on a cluster: its operators as bytes, and how a plan is handed to a scheduler.
//!
//! The engine of a cluster is Apache Ballista: a scheduler cuts a plan at its exchanges and executors run the parts. What is ours
//! there is a [`Codec`] for our operators; scheduler and executors are built with it. The rows are those of one machine, bit for
//! bit: each operator's plan is tried both ways in `tests/`.

mod codec;

pub use codec::Codec;

use std::sync::Arc;

use ballista_core::config::BallistaConfig;
use ballista_core::execution_plans::execute_physical_plan;
use ballista_core::extension::SessionConfigExt as _;
use datafusion::error::Result;
use datafusion::physical_plan::{ExecutionPlan, SendableRecordBatchStream};
use datafusion::prelude::SessionConfig;
use datafusion_proto::protobuf::PhysicalPlanNode;

/// Settings of a session whose plans may hold our operators, for client, scheduler and executors alike.
pub fn session_config() -> SessionConfig {
    SessionConfig::new_with_ballista().with_ballista_physical_extension_codec(Arc::new(Codec::default()))
}

/// Runs a plan on the cluster of a scheduler (`http://host:port`) and streams its rows. Errors: a scheduler that does not answer, an
/// operator without codec, what the plan itself fails with.
pub async fn submit(scheduler: &str, session: &str, plan: Arc<dyn ExecutionPlan>) -> Result<SendableRecordBatchStream> {
    let codec = Codec::default();
    let settings = BallistaConfig::default();
    execute_physical_plan::<PhysicalPlanNode>(
        scheduler.to_owned(),
        &settings,
        plan,
        &codec,
        session.to_owned(),
        session_config(),
    )
    .await
}
