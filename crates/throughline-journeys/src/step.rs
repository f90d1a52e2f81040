//! The journeys stage: bucket by bucket, person by person. Memory is bounded by one bucket.

use std::collections::BTreeMap;

use arrow::compute::concat_batches;
use serde::Serialize;
use throughline_core::consent::{RemovedByConsent, Withdrawal};
use throughline_core::{Purpose, RunContext};
use throughline_lake::{Lake, Snapshot, Staged, Unit, tables};
use throughline_paths::{Builder, ConversionConfig, Fate, JourneyConfig, Output, Plan, Rule, Tally, config_id};

use crate::bucket::{Bucket, Columns, WANTED};
use crate::error::JourneyError;
use crate::rows::{JourneyRows, TouchRows, Writing};

/// What the stage reads.
#[derive(Debug)]
pub struct JourneyInput<'a> {
    /// The rules.
    pub config: &'a JourneyConfig,
    /// The declared conversions.
    pub conversions: &'a [ConversionConfig],
    /// What a withdrawal does to earlier events.
    pub withdrawal: Withdrawal,
    /// The timeline.
    pub timeline: Snapshot,
}

/// What the stage did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct JourneyReport {
    /// People with at least one journey.
    pub persons: u64,
    /// Journeys that ended in a conversion.
    pub converting: u64,
    /// Journeys that ended in none.
    pub not_converting: u64,
    /// Conversions not used because measurement was not granted.
    pub conversions_without_consent: u64,
    /// Touches by rule.
    pub touches: BTreeMap<String, u64>,
    /// Conversions and refunds by what became of them.
    pub outcomes: BTreeMap<String, u64>,
    /// Amount of refunds that reduced nothing because their order is unknown or missing, in millionths.
    pub lost_refunds_micros: i64,
    /// Conversions for which earlier touches had served as often as they may.
    pub reuse_limited: u64,
    /// The configuration behind the journeys of each conversion: equal ids, equal rules.
    pub config_ids: BTreeMap<String, String>,
    /// Events that consent removed: touches and conversions, each once however many conversions are declared.
    pub removed_by_consent: Vec<RemovedByConsent>,
}

/// Files to commit, and the report.
#[derive(Debug)]
pub struct JourneyOutcome {
    /// What was staged.
    pub staged: Vec<Staged>,
    /// The report.
    pub report: JourneyReport,
}

/// Runs the stage.
pub async fn journeys(
    lake: &Lake,
    context: &RunContext,
    input: JourneyInput<'_>,
    unit: &Unit,
) -> Result<JourneyOutcome, JourneyError> {
    context.progress.start("journeys", Some(input.timeline.row_count()));
    let mut journey_writer = lake.writer(&tables::journeys(), unit)?;
    let mut touch_writer = lake.writer(&tables::touches(), unit)?;
    let mut report = JourneyReport::default();
    for conversion in input.conversions {
        report.config_ids.insert(conversion.name.clone(), config_id(input.config, conversion));
    }
    let (mut tally, mut output) = (Tally::default(), Output::default());
    let mut removed = ["touches", "conversions"].map(|what| RemovedByConsent::new(what, Purpose::Measurement));
    for partition in input.timeline.partitions() {
        if context.is_cancelled() {
            return Err(JourneyError::Cancelled);
        }
        let batches = input.timeline.read_partition(&partition, Some(WANTED)).await?;
        let Some(schema) = batches.first().map(arrow::array::RecordBatch::schema) else { continue };
        let batch = concat_batches(&schema, &batches)?;
        drop(batches);
        let bucket = Bucket::new(&batch, input.withdrawal)?;
        bucket.count_removed(input.config, input.conversions, &mut removed);
        let (mut journeys, mut touches) = (JourneyRows::default(), TouchRows::default());
        let mut with_journeys = vec![false; bucket.people.len()];
        for conversion in input.conversions {
            let plan = Plan::new(input.config, conversion, bucket.channels())?;
            let columns = Columns::of(&bucket, input.config, conversion);
            output.clear();
            Builder::new(&plan).build(&columns.signals(), &mut output)?;
            tally.add(&output);
            output.person.iter().for_each(|person| with_journeys[*person as usize] = true);
            let config = &report.config_ids[&conversion.name];
            let writing = Writing { bucket: &bucket, columns: &columns, conversion: &conversion.name, config };
            writing.write(&output, &mut journeys, &mut touches);
        }
        report.persons += with_journeys.iter().filter(|with| **with).count() as u64;
        journey_writer.write(Some(&partition), &journeys.finish()?).await?;
        touch_writer.write(Some(&partition), &touches.finish()?).await?;
        context.progress.advance("journeys", batch.num_rows() as u64);
    }
    report.removed_by_consent = removed.to_vec();
    report.count(&tally);
    let summary = format!("{} converting journeys, {} without", report.converting, report.not_converting);
    context.progress.finish("journeys", &summary);
    Ok(JourneyOutcome { staged: vec![journey_writer.finish().await?, touch_writer.finish().await?], report })
}

impl JourneyReport {
    fn count(&mut self, tally: &Tally) {
        self.converting = tally.converting;
        self.not_converting = tally.journeys - tally.converting;
        self.conversions_without_consent = tally.outcomes[Fate::NoConsent as usize];
        let named = |counts: &[u64], names: Vec<&str>| -> BTreeMap<String, u64> {
            let pairs = names.into_iter().zip(counts).filter(|(_, n)| **n > 0);
            pairs.map(|(name, n)| (name.to_owned(), *n)).collect()
        };
        self.touches = named(&tally.touches, Rule::ALL.map(Rule::name).to_vec());
        self.outcomes = named(&tally.outcomes, Fate::ALL.map(Fate::name).to_vec());
        self.lost_refunds_micros = i64::try_from(tally.lost_refunds_micros).unwrap_or(i64::MAX);
        self.reuse_limited = tally.reuse_limited;
    }
}
