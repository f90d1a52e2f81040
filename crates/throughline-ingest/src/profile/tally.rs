//! What a source holds, over all its files, within bounds of rows and memory.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hasher as _};

use serde::Serialize;
use throughline_core::time::DAY_US;
use throughline_core::{EventKind, IdentifierKind, RunContext, Timestamp};

use crate::cell::RowView;
use crate::compile::CompiledSource;
use crate::diagnostics::RowFault;
use crate::error::{IngestError, RowExample};
use crate::evaluate::{Emissions, Evaluator, stated_time};
use crate::location::SourceFile;
use crate::mapping::{EVENT_TEXTS, SPEND_TEXTS, Slot, Target};
use crate::read::{Layout, TypedBatch, TypedReader};
use crate::report::IngestReport;
use crate::stage::{evaluate, example};

/// Files that are looked into when not all rows can be.
const SAMPLED_FILES: usize = 32;
/// Distinct names (channels, kinds with names) that are counted.
const MOST_NAMES: usize = 1000;
/// Refused rows that are kept as examples for each code.
const EXAMPLES: usize = 3;
/// Where the century of marketing data begins: a clock before it was never set.
const YEAR_2000: i64 = 946_684_800_000_000;

/// What a source holds.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Tally {
    /// Its files.
    pub files: u64,
    /// Files that were looked into.
    pub files_read: u64,
    /// Rows that were looked at.
    pub rows_read: u64,
    /// Whether rows were left unread: figures are those of the rows that were looked at.
    pub sampled: bool,
    /// Rows that no `when` wanted.
    pub rows_skipped: u64,
    /// Rows that would go to quarantine, by code.
    pub quarantined: BTreeMap<&'static str, u64>,
    /// Events.
    pub events: u64,
    /// Rows of spend.
    pub spend_rows: u64,
    /// The earliest event.
    pub first_event_at: Option<Timestamp>,
    /// The latest event.
    pub last_event_at: Option<Timestamp>,
    /// The first business date of spend.
    pub first_spend_on: Option<String>,
    /// The last business date of spend.
    pub last_spend_on: Option<String>,
    /// Ids and revisions that another file had already: the newest export counts.
    pub ids_in_several_files: u64,
    /// Events before the year 2000.
    pub before_2000: u64,
    /// Events that the source says it knew before they happened.
    pub received_before_happened: u64,
    /// Visits and clicks without a channel.
    pub without_channel: u64,
    /// Visits and clicks.
    pub touches: u64,
    /// Mapped fields and how many events or rows of spend have no value there.
    pub fields: Vec<FieldTally>,
    /// Events by channel.
    pub channels: BTreeMap<String, u64>,
    /// Events by kind, those with names as `kind/name`.
    pub kinds: BTreeMap<String, u64>,
    /// Events and rows of spend by day.
    pub days: BTreeMap<String, u64>,
    /// Refused rows.
    pub examples: Vec<RowExample>,
    /// Orders by the hash of their number: the day.
    #[serde(skip)]
    pub orders: HashMap<u64, i64>,
    #[serde(skip)]
    seen: HashSet<u64>,
}

/// A mapped field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldTally {
    /// `events` or `spend`.
    pub table: &'static str,
    /// The field.
    pub field: String,
    /// Without a value.
    pub nulls: u64,
    /// Of so many, those of emits that map the field.
    pub of: u64,
}

/// Looks at up to `max_rows` rows of a source (rounded up to whole batches of each file), spread over its files. Nothing is
/// written. Memory: about 40 bytes a row that is looked at.
pub fn tally(
    source: &CompiledSource,
    files: &[SourceFile],
    context: &RunContext,
    max_rows: u64,
) -> Result<Tally, IngestError> {
    let mut tally = Tally { files: files.len() as u64, ..Tally::default() };
    // A whole source is read file by file while rows are left; a large one in the beginnings of files spread over it.
    let mut rows_left = max_rows;
    for (place, file) in files.iter().enumerate() {
        if rows_left == 0 {
            tally.sampled = true;
            break;
        }
        let (rows, whole) = tally.read(source, file, context, rows_left)?;
        rows_left = rows_left.saturating_sub(rows);
        tally.sampled |= !whole;
        if place == 0 && files.len() > 1 && rows.saturating_mul(files.len() as u64) > max_rows {
            let step = files.len().div_ceil(SAMPLED_FILES).max(1);
            let rest: Vec<&SourceFile> = files.iter().rev().step_by(step).filter(|f| f.name != file.name).collect();
            let share = (rows_left / rest.len().max(1) as u64).max(1);
            tally.sampled = true;
            for file in rest {
                tally.read(source, file, context, share)?;
            }
            break;
        }
    }
    tally.examples.sort_by(|a, b| (a.code, a.line).cmp(&(b.code, b.line)));
    Ok(tally)
}

impl Tally {
    /// Reads one file; gives its rows and whether that was all of it.
    fn read(
        &mut self,
        source: &CompiledSource,
        file: &SourceFile,
        context: &RunContext,
        max_rows: u64,
    ) -> Result<(u64, bool), IngestError> {
        file.fetch()?;
        let layout = source.layout(false);
        let mut reader = TypedReader::open(source, file, &layout)?;
        let mut evaluator = Evaluator::new(source, context);
        let mut report = IngestReport::new(&source.config.name.value, &file.name);
        let mut keys: Vec<u64> = Vec::new();
        let mut whole = true;
        while let Some(rows) = reader.next_batch()? {
            if context.is_cancelled() {
                return Err(IngestError::Cancelled { file: file.name.clone() });
            }
            self.received_before_happened += early(source, &rows, &layout);
            let (emissions, refused) = evaluate(&rows, &layout, &mut evaluator, &mut report);
            for row in &refused {
                let code = row.bad.fault.code();
                if self.examples.iter().filter(|e| e.code == code).count() < EXAMPLES
                    && row.bad.fault != RowFault::Duplicate
                {
                    self.examples.push(example(row));
                }
            }
            self.count(source, &emissions, &mut keys);
            if reader.rows_read() >= max_rows {
                whole = reader.next_batch()?.is_none();
                break;
            }
        }
        for key in keys {
            self.ids_in_several_files += u64::from(!self.seen.insert(key));
        }
        let rows = reader.rows_read();
        self.files_read += 1;
        self.rows_read += rows;
        self.take(report);
        Ok((rows, whole))
    }

    fn take(&mut self, report: IngestReport) {
        self.rows_skipped += report.rows_skipped;
        self.events += report.events;
        self.spend_rows += report.spend_rows;
        for (code, n) in report.quarantined {
            *self.quarantined.entry(code).or_default() += n;
        }
        let first = [self.first_event_at, report.first_occurred_at];
        self.first_event_at = first.into_iter().flatten().min();
        self.last_event_at = self.last_event_at.max(report.last_occurred_at);
        let first = [self.first_spend_on.take(), report.first_spend_on];
        self.first_spend_on = first.into_iter().flatten().min();
        self.last_spend_on = self.last_spend_on.take().max(report.last_spend_on);
    }

    fn count(&mut self, source: &CompiledSource, emissions: &Emissions<'_>, keys: &mut Vec<u64>) {
        let mapped = Mapped::of(source);
        for event in &emissions.events {
            keys.push(hash(&(b'e', event.key)));
            self.before_2000 += u64::from(event.occurred_at < YEAR_2000);
            bump(&mut self.days, &Timestamp::from_micros(event.occurred_at).date(), usize::MAX);
            let channel = event.texts[1].as_str();
            if let Some(channel) = channel {
                bump(&mut self.channels, channel, MOST_NAMES);
            }
            if matches!(event.kind, EventKind::Visit | EventKind::Click) {
                self.touches += 1;
                self.without_channel += u64::from(channel.is_none_or(|c| c == "unassigned"));
            }
            let kind = event.kind.to_string();
            match event.texts[0].as_str() {
                Some(name) => bump(&mut self.kinds, &format!("{kind}/{name}"), MOST_NAMES),
                None => bump(&mut self.kinds, &kind, MOST_NAMES),
            }
            if event.kind == EventKind::Purchase
                && let Some(order) = order_of(event.properties.as_deref(), event.id.as_str())
            {
                self.orders.insert(hash(&order), event.occurred_at.div_euclid(DAY_US));
            }
            for (place, name) in EVENT_TEXTS.iter().enumerate().filter(|(i, _)| mapped.texts[*i]) {
                self.field("events", name, event.texts[place].is_null());
            }
            if mapped.value && matches!(event.kind, EventKind::Purchase | EventKind::Refund) {
                self.field("events", "value", event.value.is_none());
            }
            if mapped.consent {
                self.field("events", "consent", event.consent.is_empty());
            }
            let subjects = emissions.subjects.get(event.subjects.clone()).unwrap_or_default();
            for kind in &mapped.subjects {
                self.field("events", &format!("subjects.{kind}"), !subjects.iter().any(|(k, _)| k == kind));
            }
        }
        for spend in &emissions.spend {
            keys.push(hash(&(b's', spend.key)));
            bump(&mut self.days, &Timestamp::from_micros(spend.day.saturating_mul(DAY_US)).date(), usize::MAX);
            for (place, name) in SPEND_TEXTS.iter().enumerate().filter(|(i, _)| mapped.spend[*i]) {
                self.field("spend", name, spend.texts[place].is_null());
            }
        }
    }

    fn field(&mut self, table: &'static str, name: &str, null: bool) {
        let place = self.fields.iter().position(|f| f.table == table && f.field == name).unwrap_or_else(|| {
            self.fields.push(FieldTally { table, field: name.to_owned(), nulls: 0, of: 0 });
            self.fields.len() - 1
        });
        self.fields[place].of += 1;
        self.fields[place].nulls += u64::from(null);
    }
}

/// Which fields any emit maps.
struct Mapped {
    texts: [bool; 6],
    spend: [bool; 3],
    value: bool,
    consent: bool,
    subjects: Vec<IdentifierKind>,
}

impl Mapped {
    fn of(source: &CompiledSource) -> Self {
        let consent = !matches!(source.consent, Slot::Absent);
        let mut mapped = Self { texts: [false; 6], spend: [false; 3], value: false, consent, subjects: Vec::new() };
        for emit in &source.emits {
            match &emit.target {
                Target::Event(fields) => {
                    for (known, slot) in mapped.texts.iter_mut().zip(&fields.texts) {
                        *known |= !slot.is_absent();
                    }
                    mapped.value |= !fields.value.is_absent();
                    mapped.subjects.extend(fields.subjects.iter().map(|(kind, _)| *kind));
                }
                Target::Spend(fields) => {
                    for (known, slot) in mapped.spend.iter_mut().zip(&fields.texts) {
                        *known |= !slot.is_absent();
                    }
                }
            }
        }
        mapped.subjects.sort_unstable();
        mapped.subjects.dedup();
        mapped
    }
}

/// Events whose stated `available_at` is before they happened.
fn early(source: &CompiledSource, rows: &TypedBatch, layout: &Layout) -> u64 {
    let mut found = 0;
    for emit in &source.emits {
        let Target::Event(fields) = &emit.target else { continue };
        if fields.available_at.is_absent() {
            continue;
        }
        for row in 0..rows.batch.numbers.len() {
            let row = RowView { batch: &rows.batch, slots: &layout.slots, row };
            if !emit.when.is_absent() && emit.when.cell(&row) != crate::cell::Cell::Bool(true) {
                continue;
            }
            let times = (stated_time(&fields.available_at.cell(&row)), stated_time(&fields.occurred_at.cell(&row)));
            found += u64::from(matches!(times, (Some(known), Some(happened)) if known < happened));
        }
    }
    found
}

fn bump(counts: &mut BTreeMap<String, u64>, name: &str, most: usize) {
    if let Some(count) = counts.get_mut(name) {
        *count += 1;
    } else if counts.len() < most {
        counts.insert(name.to_owned(), 1);
    }
}

/// The number of an order, so that systems can be compared: the property `order`, else the id without what mappings put before it.
fn order_of(properties: Option<&str>, id: Option<&str>) -> Option<String> {
    let named = properties.and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
    let named = named.and_then(|object| match &object["order"] {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    });
    let id = || id.map(|id| id.strip_prefix("purchase-").unwrap_or(id).to_owned());
    named.or_else(id).map(|order| order.trim().to_lowercase()).filter(|order| !order.is_empty())
}

/// 64 bits, compared within one process only.
fn hash<T: std::hash::Hash>(value: &T) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_known_by_their_number_whatever_a_mapping_puts_before_it() {
        let of = |properties, id| order_of(properties, id);
        assert_eq!(of(None, Some("purchase-A7")), Some("a7".into()));
        assert_eq!(of(Some(r#"{"order":"A7"}"#), Some("x")), Some("a7".into()));
        assert_eq!(of(Some(r#"{"order":7}"#), Some("x")), Some("7".into()));
        assert_eq!(of(Some(r#"{"page":"/"}"#), Some(" ")), None);
    }
}
