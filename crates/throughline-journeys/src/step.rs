//! The journeys stage: the operator over a timeline, bucket by bucket, into the tables `journeys` and `touches`.

use std::sync::Arc;

use datafusion::physical_plan::ExecutionPlan;
use futures::StreamExt as _;
use throughline_core::RunContext;
use throughline_lake::{Lake, Session, Snapshot, Staged, Unit, tables};

use crate::build::Split;
use crate::error::JourneyError;
use crate::exec::JourneysExec;
use crate::report::JourneyReport;
use crate::rules::JourneyRules;

/// What the stage reads.
#[derive(Debug)]
pub struct JourneyInput {
    /// The rules.
    pub rules: JourneyRules,
    /// The timeline.
    pub timeline: Snapshot,
}

/// Files to commit, and the report.
#[derive(Debug)]
pub struct JourneyOutcome {
    /// What was staged.
    pub staged: Vec<Staged>,
    /// The report.
    pub report: JourneyReport,
}

/// Runs the stage. As many buckets as the session has threads are worked on at once; their journeys are what is held in memory.
pub async fn journeys(
    lake: &Lake,
    session: &Session,
    context: &RunContext,
    input: JourneyInput,
    unit: &Unit,
) -> Result<JourneyOutcome, JourneyError> {
    context.progress.start("journeys", Some(input.timeline.row_count()));
    let mut journey_writer = lake.writer(&tables::journeys(), unit)?;
    let mut touch_writer = lake.writer(&tables::touches(), unit)?;
    let mut report = JourneyReport::new(&input.rules);
    let scan = session.scan(&input.timeline, crate::TIMELINE_COLUMNS, crate::TIMELINE_ORDER)?;
    let plan: Arc<dyn ExecutionPlan> = Arc::new(JourneysExec::new(scan, Arc::new(input.rules))?);
    let partitions = input.timeline.partitions();
    let mut done = std::pin::pin!(session.run(&plan));
    for partition in &partitions {
        if context.is_cancelled() {
            return Err(JourneyError::Cancelled);
        }
        let Some(batches) = done.next().await.transpose().map_err(JourneyError::unwrapped)? else { break };
        for batch in &batches {
            let split = Split::of(batch)?;
            journey_writer.write(Some(partition), &split.journeys).await?;
            touch_writer.write(Some(partition), &split.touches).await?;
            split.reports.iter().for_each(|of| report.add(of));
        }
        let rows = input.timeline.files().iter().filter(|f| f.partition.as_ref() == Some(partition));
        context.progress.advance("journeys", rows.filter_map(|f| f.rows).sum());
    }
    let summary = format!("{} converting journeys, {} without", report.converting, report.not_converting);
    context.progress.finish("journeys", &summary);
    Ok(JourneyOutcome { staged: vec![journey_writer.finish().await?, touch_writer.finish().await?], report })
}
