//! Events of a CSV file.

use std::path::Path;

use ::csv::ByteRecord;
use throughline_core::{Diagnostic, Timestamp};
use throughline_paths::{Interaction, NO_ORDER, NONE};

use super::people::{People, hash};
use super::read::at;
use super::rows::{MOST_FINDINGS, Reader, Row};
use super::{JourneysArgs, TimeUnit};
use crate::OneShotError;
use crate::files::{Csv, text};

/// Places of the columns.
struct Places {
    entity: usize,
    time: usize,
    channel: usize,
    conversion: usize,
    value: Option<usize>,
    interaction: Option<usize>,
    campaign: Option<usize>,
    order: Option<usize>,
    refund: Option<usize>,
    consent: Option<usize>,
}

pub(super) fn read(
    path: &Path,
    args: &JourneysArgs,
    people: Option<&People>,
    reader: &mut Reader,
) -> Result<(), OneShotError> {
    let mut file = Csv::open(path, &args.delimiter)?;
    let optional = |name: &Option<String>| name.as_ref().map(|n| file.column(n)).transpose();
    let places = Places {
        entity: file.column(&args.entity)?,
        time: file.column(&args.time)?,
        channel: file.column(&args.channel)?,
        conversion: file.column(&args.conversion)?,
        value: optional(&args.value)?,
        interaction: optional(&args.interaction)?,
        campaign: optional(&args.campaign)?,
        order: optional(&args.order)?,
        refund: optional(&args.refund)?,
        consent: optional(&args.consent)?,
    };
    let mut broken = None;
    let mut found = file.rows(|_, record| {
        let row = row(record, &places, args.time_unit, people, reader)?;
        if let Err(error) = reader.take(&row) {
            broken = broken.take().or(Some(error));
        }
        Ok(())
    })?;
    if let Some(error) = broken {
        return Err(at(error, &path.display().to_string()));
    }
    if found.len() > MOST_FINDINGS {
        let message = format!("{} rows more could not be read", found.len() - MOST_FINDINGS);
        found.truncate(MOST_FINDINGS);
        found.push(Diagnostic::warning("TL034", message).at(path.display().to_string(), None, None));
    }
    reader.found.lines.extend(found);
    Ok(())
}

fn row(
    record: &ByteRecord,
    places: &Places,
    unit: TimeUnit,
    people: Option<&People>,
    reader: &mut Reader,
) -> Result<Row, Diagnostic> {
    let optional = |place: Option<usize>| place.map(|p| text(record, p)).transpose();
    let person = people.and_then(|p| text(record, places.entity).map(|t| p.key(t)).transpose()).transpose()?;
    let at = instant(text(record, places.time)?, unit)?;
    let channel = reader.shard.channels.number(text(record, places.channel)?);
    let mut row = Row::new(person, at, channel);
    row.conversion = truth(text(record, places.conversion)?)?;
    row.refund = optional(places.refund)?.map_or(Ok(false), truth)?;
    row.consent = optional(places.consent)?.map_or(Ok(true), truth)?;
    row.interaction = interaction(optional(places.interaction)?.unwrap_or_default());
    row.campaign = optional(places.campaign)?.map_or(NONE, |name| reader.shard.campaigns.number(name));
    let value = optional(places.value)?.filter(|v| !v.is_empty());
    row.value = value.map(|v| v.parse().unwrap_or(f64::NAN));
    row.order = optional(places.order)?.map_or(NO_ORDER, order);
    Ok(row)
}

/// An instant in µs; blank is none. Times outside the accepted years are given as they are, to be counted.
pub(super) fn instant(text: &str, unit: TimeUnit) -> Result<Option<i64>, Diagnostic> {
    if text.is_empty() {
        return Ok(None);
    }
    if let Ok(number) = text.parse::<i64>() {
        return Ok(Some(number.saturating_mul(unit.micros())));
    }
    match text.parse::<Timestamp>() {
        Ok(at) => Ok(Some(at.micros())),
        Err(throughline_core::TimeError::OutOfRange { .. }) => Ok(Some(i64::MIN)),
        Err(error) => Err(Diagnostic::warning("TL482", format!("{error}; the row is left out"))),
    }
}

/// A truth value; blank is false.
pub(super) fn truth(text: &str) -> Result<bool, Diagnostic> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "t" | "yes" | "y" => Ok(true),
        "" | "0" | "false" | "f" | "no" | "n" => Ok(false),
        other => {
            let shown: String = other.chars().take(30).collect();
            Err(Diagnostic::warning("TL482", format!("`{shown}` is neither true nor false; the row is left out")))
        }
    }
}

/// What a name of an interaction means; unknown ones are `other`.
pub(super) fn interaction(name: &str) -> Interaction {
    Interaction::from_name(name.trim()).unwrap_or_default()
}

/// The number of an order id; blank is none.
pub(super) fn order(id: &str) -> u64 {
    let id = id.trim();
    if id.is_empty() { NO_ORDER } else { hash(id.as_bytes()).min(NO_ORDER - 1) }
}
