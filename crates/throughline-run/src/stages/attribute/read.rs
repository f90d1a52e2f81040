//! Journeys as models read them, with what credit is broken down by.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use arrow::array::{Array, ListArray, RecordBatch, StringArray};
use throughline_attribution::{Ending, Journeys, JourneysBuilder, Outcome, PathTable, PathTableBuilder};
use throughline_core::money::units_from_micros;
use throughline_core::time::DAY_US;
use throughline_core::{Diagnostic, PersonId, Timestamp};
use throughline_lake::{Snapshot, columns, tables};

use crate::error::RunError;
use crate::stage::{StageContext, StageError};

/// Names numbered as they come; 0 is what is unknown.
#[derive(Debug, Default)]
pub(super) struct Items {
    names: Vec<String>,
    numbers: HashMap<String, u32>,
}

/// How what is unknown is called.
pub(super) const UNKNOWN: &str = "(unknown)";

impl Items {
    fn number(&mut self, name: Option<&str>) -> u32 {
        if self.names.is_empty() {
            self.names.push(UNKNOWN.to_owned());
        }
        let Some(name) = name.filter(|n| !n.trim().is_empty()) else { return 0 };
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = u32::try_from(self.names.len()).unwrap_or(0);
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }

    /// The numbers of names that begin so, and the rest of each.
    pub(super) fn beginning<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (u32, &'a str)> {
        let numbered = self.names.iter().zip(0_u32..);
        numbered.filter_map(move |(name, number)| Some((number, name.strip_prefix(prefix)?)))
    }

    /// The number of a name that is known.
    pub(super) fn find(&self, name: &str) -> Option<u32> {
        self.numbers.get(name).copied()
    }

    /// The name of a number.
    pub(super) fn name(&self, number: u32) -> &str {
        self.names.get(number as usize).map_or(UNKNOWN, String::as_str)
    }
}

/// What a journey is, besides its path.
pub(super) struct About {
    pub(super) geo: u32,
    pub(super) device: u32,
    pub(super) cohort: u32,
    /// Days since 1970, UTC.
    pub(super) day: i64,
    /// `name=value` of each segment that is known of the person.
    pub(super) segments: Box<[u32]>,
    /// Where its touches begin.
    pub(super) touches: usize,
}

/// A kept touch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kept {
    /// When it was, microseconds since 1970.
    pub(super) at: i64,
    /// Its campaign.
    pub(super) campaign: u32,
    /// Its channel.
    pub(super) channel: u32,
}

/// The journeys of one conversion; `about` and the builder have one entry a push.
#[derive(Default)]
struct Collected {
    builder: Option<JourneysBuilder>,
    about: Vec<About>,
    touches: Vec<Kept>,
    without_touch: u64,
}

/// The journeys of one conversion, ready for models.
pub(crate) struct Paths {
    pub(crate) journeys: Journeys,
    pub(super) about: Vec<About>,
    pub(super) touches: Vec<Kept>,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(crate) without_touch: u64,
}

/// Journeys by conversion, and the names that they use.
pub(crate) struct Read {
    pub(crate) conversions: BTreeMap<String, Paths>,
    pub(super) items: Items,
}

/// Reads published journeys. Errors: a conversion in another currency than the project's (TL020).
pub(super) async fn read(context: &StageContext<'_>) -> Result<Read, StageError> {
    let journeys = context.read(&tables::journeys()).await?;
    let touches = context.read(&tables::touches()).await?;
    read_from(&journeys, &touches, context.project.config.value.currency.as_str()).await
}

/// Reads journeys of any lake.
pub(crate) async fn read_from(journeys: &Snapshot, touches: &Snapshot, currency: &str) -> Result<Read, StageError> {
    let part = Part { journeys: journeys.clone(), touches: touches.clone(), without: BTreeSet::new() };
    read_parts(&[&part], currency).await
}

/// Journeys of some people.
pub(super) struct Part {
    pub(super) journeys: Snapshot,
    pub(super) touches: Snapshot,
    /// People who are left out.
    pub(super) without: BTreeSet<PersonId>,
}

/// Reads journeys that lie in several places.
pub(super) async fn read_parts(parts: &[&Part], currency: &str) -> Result<Read, StageError> {
    let mut items = Items::default();
    let mut collected: BTreeMap<String, Collected> = BTreeMap::new();
    for part in parts {
        for bucket in part.journeys.partitions() {
            let kept = kept_touches(&part.touches, &bucket, &mut items).await?;
            for batch in part.journeys.read_partition(&bucket, None).await? {
                add(&batch, (&kept, &part.without), currency, &mut items, &mut collected)?;
            }
        }
    }
    let ready = |c: Collected| {
        let (journeys, diagnostics) = c.builder.unwrap_or_else(|| Journeys::builder("persons")).build();
        Paths { journeys, about: c.about, touches: c.touches, diagnostics, without_touch: c.without_touch }
    };
    let conversions = collected.into_iter().map(|(name, c)| (name, ready(c))).collect();
    Ok(Read { conversions, items })
}

/// The kept touches of each journey of a bucket, in path order.
async fn kept_touches(
    touches: &Snapshot,
    bucket: &str,
    items: &mut Items,
) -> Result<HashMap<String, Vec<Kept>>, StageError> {
    let mut out: HashMap<String, Vec<Kept>> = HashMap::new();
    let wanted = ["journey_id", "occurred_at", "channel", "campaign", "kept"];
    for batch in touches.read_partition(bucket, Some(&wanted)).await? {
        let (journey, kept) = (columns::text(&batch, "journey_id")?, columns::boolean(&batch, "kept")?);
        let (channel, campaign) = (columns::text(&batch, "channel")?, columns::text(&batch, "campaign")?);
        let at = columns::time(&batch, "occurred_at")?;
        for row in (0..batch.num_rows()).filter(|r| kept.value(*r)) {
            let touch = Kept {
                at: at.value(row),
                campaign: items.number(columns::text_at(campaign, row)),
                channel: items.number(columns::text_at(channel, row)),
            };
            match out.get_mut(journey.value(row)) {
                Some(list) => list.push(touch),
                None => drop(out.insert(journey.value(row).to_owned(), vec![touch])),
            }
        }
    }
    Ok(out)
}

fn add(
    batch: &RecordBatch,
    (kept, without): (&HashMap<String, Vec<Kept>>, &BTreeSet<PersonId>),
    currency: &str,
    items: &mut Items,
    collected: &mut BTreeMap<String, Collected>,
) -> Result<(), StageError> {
    let text = |name| columns::text(batch, name);
    let (id, conversion, person) = (text("journey_id")?, text("conversion")?, columns::binary(batch, "person_id")?);
    let converted = columns::boolean(batch, "converted")?;
    let (ended, value) = (columns::time(batch, "ended_at")?, columns::int(batch, "value_micros")?);
    let (found_currency, path) = (text("currency")?, columns::list(batch, "path")?);
    let (geo, device, cohort) = (text("geo")?, text("device")?, text("cohort")?);
    let segments = columns::list(batch, "segments")?;
    for row in 0..batch.num_rows() {
        if let Some(other) = columns::text_at(found_currency, row).filter(|c| *c != currency) {
            return Err(other_currency(id.value(row), other, currency));
        }
        if !without.is_empty() && without.contains(&PersonId(columns::id16(person.value(row))?)) {
            continue;
        }
        if !collected.contains_key(conversion.value(row)) {
            collected.insert(conversion.value(row).to_owned(), Collected::default());
        }
        let Some(entry) = collected.get_mut(conversion.value(row)) else { continue };
        let steps = path.value(row);
        let Some(steps) = steps.as_any().downcast_ref::<StringArray>() else { continue };
        if steps.is_empty() {
            entry.without_touch += u64::from(converted.value(row));
            continue;
        }
        let steps: Vec<&str> = steps.iter().flatten().collect();
        let touches = kept.get(id.value(row)).filter(|t| t.len() == steps.len()).map_or(&[][..], Vec::as_slice);
        let ages: Option<Vec<i64>> =
            (touches.len() == steps.len()).then(|| touches.iter().map(|t| ended.value(row) - t.at).collect());
        let (ending, worth) = if converted.value(row) {
            (Ending::Conversion, columns::int_at(value, row).map_or(0.0, units_from_micros))
        } else {
            (Ending::Null, 0.0)
        };
        let builder = entry.builder.get_or_insert_with(|| Journeys::builder("persons"));
        builder.push(&steps, ages.as_deref(), Some(key_of(person.value(row))), ending, worth);
        entry.about.push(About {
            geo: items.number(columns::text_at(geo, row)),
            device: items.number(columns::text_at(device, row)),
            cohort: items.number(columns::text_at(cohort, row)),
            day: ended.value(row).div_euclid(DAY_US),
            segments: numbered(segments, row, items)?,
            touches: entry.touches.len(),
        });
        entry.touches.extend_from_slice(touches);
    }
    Ok(())
}

fn numbered(segments: &ListArray, row: usize, items: &mut Items) -> Result<Box<[u32]>, StageError> {
    if segments.is_null(row) || segments.value_length(row) == 0 {
        return Ok(Box::default());
    }
    let known = segments.value(row);
    Ok(columns::as_text(&known)?.iter().map(|name| items.number(name)).collect())
}

/// Ids are random, so half of one is a key of draws as good as a hash of all of it.
fn key_of(person: &[u8]) -> u64 {
    person.iter().take(8).fold(0, |key, byte| key << 8 | u64::from(*byte))
}

fn other_currency(journey: &str, other: &str, currency: &str) -> StageError {
    let message =
        format!("a conversion of journey {journey} is in {other}, the project in {currency}: convert it at the source");
    RunError::Project(vec![Diagnostic::error("TL020", message)]).into()
}

/// The path table of every conversion with the times of touches, one path a journey: what explains a single one.
pub(crate) async fn path_tables(context: &StageContext<'_>) -> Result<BTreeMap<String, PathTable>, StageError> {
    let journeys = context.read(&tables::journeys()).await?;
    let touches = context.read(&tables::touches()).await?;
    let mut builders: BTreeMap<String, PathTableBuilder> = BTreeMap::new();
    let mut items = Items::default();
    for bucket in journeys.partitions() {
        let kept = kept_touches(&touches, &bucket, &mut items).await?;
        for batch in journeys.read_partition(&bucket, None).await? {
            let (id, conversion) = (columns::text(&batch, "journey_id")?, columns::text(&batch, "conversion")?);
            let (converted, ended) = (columns::boolean(&batch, "converted")?, columns::time(&batch, "ended_at")?);
            let (value, path) = (columns::int(&batch, "value_micros")?, columns::list(&batch, "path")?);
            for row in 0..batch.num_rows() {
                let steps = path.value(row);
                let Some(steps) = steps.as_any().downcast_ref::<StringArray>().filter(|s| !s.is_empty()) else {
                    continue;
                };
                let steps: Vec<&str> = steps.iter().flatten().collect();
                let times = kept.get(id.value(row)).filter(|t| t.len() == steps.len());
                let ages: Option<Vec<i64>> = times.map(|t| t.iter().map(|t| ended.value(row) - t.at).collect());
                let outcome = if converted.value(row) {
                    let value = columns::int_at(value, row).map_or(0.0, units_from_micros);
                    Outcome { conversions: 1.0, value, nulls: 0.0 }
                } else {
                    Outcome { conversions: 0.0, value: 0.0, nulls: 1.0 }
                };
                builders.entry(conversion.value(row).to_owned()).or_default().push(&steps, ages.as_deref(), outcome);
            }
        }
    }
    Ok(builders.into_iter().map(|(conversion, builder)| (conversion, builder.build().0)).collect())
}

/// The date of a day.
pub(super) fn date(day: i64) -> String {
    Timestamp::from_micros(day.saturating_mul(DAY_US)).date()
}

/// The day of a date as 2026-03-01; nothing where it is none.
pub(super) fn day_of(date: &str) -> Option<i64> {
    let at: Timestamp = format!("{date}T00:00:00Z").parse().ok()?;
    Some(at.micros().div_euclid(DAY_US))
}
