//! The journeys stage: bucket by bucket, person by person. Memory is bounded by one bucket file and one person.

use std::collections::BTreeMap;

use arrow::array::{Array, RecordBatch};
use serde::Serialize;
use sha2::{Digest, Sha256};
use throughline_core::consent::{Hearing, Refusal, RemovedByConsent, Withdrawal};
use throughline_core::{EventKind, PersonId, Purpose, RunContext, Timestamp};
use throughline_lake::{Lake, LakeError, Snapshot, Staged, Unit, columns, tables};

use crate::build::{Journey, Rule, Signal, SignalKind, build};
use crate::config::{ConversionConfig, JourneyConfig};
use crate::error::JourneyError;
use crate::rows::{JourneyRow, JourneyRows, TouchRow, TouchRows};

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

/// One person's rows of the timeline, as needed here.
#[derive(Debug, Default)]
struct PersonEvents {
    person: Option<PersonId>,
    /// What all rows of the person say about consent, also those without another use here.
    hearing: Hearing,
    heard: usize,
    events: Vec<EventRow>,
}

impl PersonEvents {
    fn begin(&mut self, person: PersonId) {
        self.person = Some(person);
        self.hearing.next_person();
        self.heard = 0;
        self.events.clear();
    }
}

#[derive(Debug)]
struct EventRow {
    source: String,
    id: String,
    kind: EventKind,
    name: Option<String>,
    at: i64,
    channel: Option<String>,
    campaign: Option<String>,
    value_micros: Option<i64>,
    currency: Option<String>,
    /// Its number among the rows heard.
    heard: usize,
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
    let mut removed = Removed(["touches", "conversions"].map(|what| RemovedByConsent::new(what, Purpose::Measurement)));
    for bucket in input.timeline.partitions() {
        if context.is_cancelled() {
            return Err(JourneyError::Cancelled);
        }
        let mut output = Output::default();
        let mut person = PersonEvents::default();
        for batch in input.timeline.read_partition(&bucket, Some(WANTED)).await? {
            read_rows(&batch, &mut person, |person| output.add(&input, person, &mut report, &mut removed))?;
            context.progress.advance("journeys", batch.num_rows() as u64);
        }
        output.add(&input, &person, &mut report, &mut removed);
        journey_writer.write(Some(&bucket), &output.journeys.finish()?).await?;
        touch_writer.write(Some(&bucket), &output.touches.finish()?).await?;
    }
    report.removed_by_consent = removed.0.to_vec();
    let summary = format!("{} converting journeys, {} without", report.converting, report.not_converting);
    context.progress.finish("journeys", &summary);
    Ok(JourneyOutcome { staged: vec![journey_writer.finish().await?, touch_writer.finish().await?], report })
}

const WANTED: &[&str] = &[
    "person_id",
    "source",
    "source_event_id",
    "kind",
    "name",
    "occurred_at",
    "channel",
    "campaign",
    "value_micros",
    "currency",
    "consent",
];

/// Splits sorted rows by person and hands over each finished person.
fn read_rows(
    batch: &RecordBatch,
    person: &mut PersonEvents,
    mut finished: impl FnMut(&PersonEvents),
) -> Result<(), LakeError> {
    let id = columns::binary(batch, "person_id")?;
    let (source, event_id) = (columns::text(batch, "source")?, columns::text(batch, "source_event_id")?);
    let (kind, name) = (columns::text(batch, "kind")?, columns::text(batch, "name")?);
    let at = columns::time(batch, "occurred_at")?;
    let (channel, campaign) = (columns::text(batch, "channel")?, columns::text(batch, "campaign")?);
    let (value, currency) = (columns::int(batch, "value_micros")?, columns::text(batch, "currency")?);
    let consent = columns::text(batch, "consent")?;
    let owned = |column: &arrow::array::StringArray, row| columns::text_at(column, row).map(str::to_owned);
    for row in 0..batch.num_rows() {
        let current = PersonId(columns::id16(id.value(row))?);
        if person.person != Some(current) {
            finished(person);
            person.begin(current);
        }
        person.hearing.hear(source.value(row), Timestamp::from_micros(at.value(row)), consent.value(row));
        let heard = person.heard;
        person.heard += 1;
        let Ok(kind) = kind.value(row).parse::<EventKind>() else { continue };
        if channel.is_null(row) && kind.role() == throughline_core::EventRole::Touch {
            continue;
        }
        person.events.push(EventRow {
            source: source.value(row).to_owned(),
            id: event_id.value(row).to_owned(),
            kind,
            name: owned(name, row),
            at: at.value(row),
            channel: owned(channel, row),
            campaign: owned(campaign, row),
            value_micros: columns::int_at(value, row),
            currency: owned(currency, row),
            heard,
        });
    }
    Ok(())
}

/// What consent removed: touches, conversions.
struct Removed([RemovedByConsent; 2]);

impl Removed {
    fn count(&mut self, input: &JourneyInput<'_>, row: &EventRow, verdict: Option<Refusal>) {
        if input.conversions.iter().any(|c| is_conversion(c, row)) {
            self.0[1].count(verdict);
        } else if row.channel.is_some() && input.config.is_touch(row.kind) {
            self.0[0].count(verdict);
        }
    }
}

fn is_conversion(conversion: &ConversionConfig, row: &EventRow) -> bool {
    let named = |wanted: &String| row.name.as_ref() == Some(wanted);
    row.kind == conversion.kind && conversion.event_name.as_ref().is_none_or(named)
}

#[derive(Debug, Default)]
struct Output {
    journeys: JourneyRows,
    touches: TouchRows,
}

impl Output {
    fn add(
        &mut self,
        input: &JourneyInput<'_>,
        person: &PersonEvents,
        report: &mut JourneyReport,
        removed: &mut Removed,
    ) {
        let Some(id) = person.person else { return };
        let verdicts = person.hearing.judge(Purpose::Measurement, input.withdrawal);
        for row in &person.events {
            removed.count(input, row, verdicts[row.heard]);
        }
        let mut any = false;
        for conversion in input.conversions {
            let (rows, signals) = signals_of(input.config, conversion, person, &verdicts, report);
            for journey in build(input.config, &signals) {
                any = true;
                self.write(id, conversion, &rows, &signals, &journey, report);
            }
        }
        report.persons += u64::from(any);
    }

    fn write(
        &mut self,
        person: PersonId,
        conversion: &ConversionConfig,
        rows: &[&EventRow],
        signals: &[Signal],
        journey: &Journey,
        report: &mut JourneyReport,
    ) {
        let end = journey.conversion.or_else(|| journey.touches.last().map(|t| t.0));
        let Some(end) = end.map(|i| rows[i]) else { return };
        let converted = journey.conversion.is_some();
        let journey_id = journey_id(person, &conversion.name, end, converted);
        let path = journey.path(signals);
        self.journeys.push(&JourneyRow {
            journey_id: &journey_id,
            person,
            conversion: &conversion.name,
            event: converted.then_some(end.id.as_str()),
            ended_at: end.at,
            value_micros: end.value_micros.filter(|_| converted),
            currency: end.currency.as_deref().filter(|_| converted),
            path: &path,
        });
        if converted {
            report.converting += 1;
        } else {
            report.not_converting += 1;
        }
        let mut position = 0;
        for &(i, session, rule) in &journey.touches {
            let row = rows[i];
            self.touches.push(&TouchRow {
                journey_id: &journey_id,
                person,
                position: if rule == Rule::Kept { position } else { -1 },
                source: &row.source,
                source_event_id: &row.id,
                kind: row.kind.name(),
                channel: row.channel.as_deref().unwrap_or_default(),
                campaign: row.campaign.as_deref(),
                occurred_at: row.at,
                session: i32::try_from(session).unwrap_or(i32::MAX),
                rule,
            });
            position += i32::from(rule == Rule::Kept);
            *report.touches.entry(rule.name().to_owned()).or_default() += 1;
        }
    }
}

/// The signals of a person for one conversion: touches and conversions, a touch before a conversion at one instant.
fn signals_of<'a>(
    config: &JourneyConfig,
    conversion: &ConversionConfig,
    person: &'a PersonEvents,
    verdicts: &[Option<Refusal>],
    report: &mut JourneyReport,
) -> (Vec<&'a EventRow>, Vec<Signal>) {
    let mut pairs: Vec<(&EventRow, SignalKind)> = Vec::new();
    for row in &person.events {
        let (is_conversion, measurable) = (is_conversion(conversion, row), verdicts[row.heard].is_none());
        if is_conversion && measurable {
            pairs.push((row, SignalKind::Conversion));
        } else if is_conversion {
            report.conversions_without_consent += 1;
        } else if let Some(channel) = row.channel.clone().filter(|_| config.is_touch(row.kind)) {
            let kind =
                if measurable { SignalKind::Touch { channel } } else { SignalKind::TouchWithoutConsent { channel } };
            pairs.push((row, kind));
        }
    }
    pairs.sort_by_key(|(row, kind)| (row.at, *kind == SignalKind::Conversion));
    let rows = pairs.iter().map(|(row, _)| *row).collect();
    let signals = pairs.into_iter().map(|(row, kind)| Signal::new(row.at, kind)).collect();
    (rows, signals)
}

/// A journey's id: 128 bits of SHA-256 over person, conversion name and the event that ends it.
fn journey_id(person: PersonId, conversion: &str, end: &EventRow, converted: bool) -> String {
    let mut hash = Sha256::new();
    hash.update(person.0);
    for part in [conversion, &end.source, &end.id, if converted { "!" } else { "." }] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hex::encode(&hash.finalize()[..16])
}
