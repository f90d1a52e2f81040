//! Our operators as bytes: a tag that names operator and version, then its settings as JSON. One operator, one branch.

use std::sync::Arc;

use ballista_core::serde::BallistaPhysicalExtensionCodec;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::physical_plan::{PhysicalExtensionCodec, PhysicalProtoConverterExtension};
use throughline_journeys::{JourneyRules, JourneysExec};

/// Marks bytes as ours; the engine's own never begin so, since 0x7f is no tag of theirs.
const JOURNEYS: &[u8] = b"\x7fthroughline/journeys/1\n";

/// Writes and reads our operators, and leaves all others to the engine of the cluster.
#[derive(Debug, Default)]
pub struct Codec {
    engine: BallistaPhysicalExtensionCodec,
}

impl PhysicalExtensionCodec for Codec {
    fn try_decode(
        &self,
        buf: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        ctx: &TaskContext,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let Some(rules) = buf.strip_prefix(JOURNEYS) else {
            return self.engine.try_decode(buf, inputs, ctx, converter);
        };
        let [input] = inputs else {
            return Err(DataFusionError::Plan(format!("journeys have one input, not {}", inputs.len())));
        };
        let rules: JourneyRules = serde_json::from_slice(rules)
            .map_err(|error| DataFusionError::Plan(format!("rules of journeys that cannot be read: {error}")))?;
        Ok(Arc::new(JourneysExec::new(Arc::clone(input), Arc::new(rules))?))
    }

    fn try_encode(
        &self,
        node: Arc<dyn ExecutionPlan>,
        buf: &mut Vec<u8>,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        let Some(journeys) = node.downcast_ref::<JourneysExec>() else {
            return self.engine.try_encode(node, buf, converter);
        };
        buf.extend_from_slice(JOURNEYS);
        serde_json::to_writer(buf, journeys.rules()).map_err(|error| DataFusionError::Plan(error.to_string()))
    }
}
