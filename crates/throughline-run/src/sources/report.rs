//! The sources as people look at them: how they stand, how much came on which day, and what is in quarantine.

use std::collections::BTreeMap;

use serde::Serialize;
use throughline_core::Timestamp;
use throughline_lake::{Session, SessionOptions, columns, tables};

use super::state::{SourceState, source_states};
use crate::engine::Stores;
use crate::error::RunError;
use crate::project::Project;
use crate::quarantine::{QuarantinedRow, each_quarantined};

/// Days that are told; earlier ones are left out.
const DAYS: usize = 90;
/// Rows of each source and code that are told.
const SAMPLES: usize = 5;

/// The sources of a project.
#[derive(Debug, Clone, Serialize)]
pub struct SourcesReport {
    /// What ages are counted to.
    pub as_of: Timestamp,
    /// Every source, by name.
    pub sources: Vec<SourceReport>,
}

/// A source.
#[derive(Debug, Clone, Serialize)]
pub struct SourceReport {
    /// How it stands.
    #[serde(flatten)]
    pub state: SourceState,
    /// Events and rows of spend by day, the last 90 that have any.
    pub days: Vec<DayVolume>,
    /// What is in quarantine, by code.
    pub quarantine: Vec<QuarantineGroup>,
    /// Rows whose corrections are in use.
    pub corrected: u64,
}

/// What came on a day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DayVolume {
    /// The day on which it happened (UTC), or the business date of spend.
    pub day: String,
    /// Events.
    pub events: u64,
    /// Rows of spend.
    pub spend_rows: u64,
}

/// Rows that were refused for one reason.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QuarantineGroup {
    /// The code.
    pub code: String,
    /// Rows.
    pub rows: u64,
    /// Some of them: where they stand and why, never what stands in them.
    pub samples: Vec<QuarantinedRow>,
}

/// How every source stands. Nothing in it is personal data.
pub async fn sources_report(project: &Project, stores: &Stores, now: Timestamp) -> Result<SourcesReport, RunError> {
    let last = stores.ledger.runs(1).await?.pop().map(|run| run.as_of);
    let as_of = last.or(project.config.value.as_of).unwrap_or(now);
    let states = source_states(project, stores.ledger.as_ref(), as_of).await?;
    let mut days = days(stores).await?;
    let mut groups: BTreeMap<(String, String), QuarantineGroup> = BTreeMap::new();
    let mut corrected: BTreeMap<String, u64> = BTreeMap::new();
    each_quarantined(stores, |row| {
        let Some(code) = row.code.clone() else {
            *corrected.entry(row.source.clone()).or_default() += 1;
            return;
        };
        let group = groups.entry((row.source.clone(), code.clone())).or_insert_with(|| QuarantineGroup {
            code,
            rows: 0,
            samples: Vec::new(),
        });
        group.rows += 1;
        if group.samples.len() < SAMPLES {
            group.samples.push(row);
        }
    })
    .await?;
    let sources = states.into_iter().map(|state| {
        let mut days = days.remove(&state.source).unwrap_or_default();
        days.drain(..days.len().saturating_sub(DAYS));
        let mut quarantine: Vec<QuarantineGroup> =
            groups.iter().filter(|((source, _), _)| *source == state.source).map(|(_, group)| group.clone()).collect();
        quarantine.sort_by_key(|group| std::cmp::Reverse(group.rows));
        let corrected = corrected.get(&state.source).copied().unwrap_or(0);
        SourceReport { state, days, quarantine, corrected }
    });
    Ok(SourcesReport { as_of, sources: sources.collect() })
}

/// Events and rows of spend by source and day, in order of the days.
async fn days(stores: &Stores) -> Result<BTreeMap<String, Vec<DayVolume>>, RunError> {
    let failed = |source: throughline_lake::LakeError| RunError::Stage {
        stage: "read".into(),
        unit: "events and spend by day".into(),
        source: Box::new(source),
    };
    let manifest = stores.ledger.manifest().await?;
    let mut found: BTreeMap<(String, String), DayVolume> = BTreeMap::new();
    for spec in [tables::events(), tables::spend()] {
        let Some(version) = manifest.get(&spec.name).copied() else { continue };
        let session = Session::new(&SessionOptions::default()).map_err(failed)?;
        session.register("rows", stores.lake.snapshot(&spec, Some(version)).await.map_err(failed)?).map_err(failed)?;
        let sql = "SELECT source, CAST(date AS STRING) AS day, count(*) AS n FROM rows GROUP BY source, date ORDER BY source, day";
        for batch in session.query(sql).await.map_err(failed)? {
            let (source, day) =
                (columns::text(&batch, "source").map_err(failed)?, columns::text(&batch, "day").map_err(failed)?);
            let counts = columns::int(&batch, "n").map_err(failed)?;
            for row in 0..batch.num_rows() {
                let key = (source.value(row).to_owned(), day.value(row).to_owned());
                let volume = found
                    .entry(key)
                    .or_insert_with(|| DayVolume { day: day.value(row).to_owned(), ..DayVolume::default() });
                let n = u64::try_from(counts.value(row)).unwrap_or(0);
                let (events, spend_rows) = if spec.name == "events" { (n, 0) } else { (0, n) };
                volume.events += events;
                volume.spend_rows += spend_rows;
            }
        }
    }
    let mut out: BTreeMap<String, Vec<DayVolume>> = BTreeMap::new();
    for ((source, _), volume) in found {
        out.entry(source).or_default().push(volume);
    }
    Ok(out)
}
