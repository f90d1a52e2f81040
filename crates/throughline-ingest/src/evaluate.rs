//! One row → its events and spend rows, or the reason why not.

mod rows;

mod seen;

mod strict;

use std::collections::HashMap;
use std::sync::Arc;

use throughline_core::consent::UNREADABLE;
use throughline_core::time::DAY_US;
use throughline_core::{Consent, Currency, EventKind, IdentifierKind, RunContext};

use crate::cell::{Cell, RowView};
use crate::compile::CompiledSource;
use crate::diagnostics::{BadRow, RowFault, shape};
use crate::mapping::{Emit, EventFields, KindSlot, Slot, SpendFields, Target};
pub(crate) use rows::{Emissions, EventRow, SpendRow};
use seen::{Seen, key};

/// Longest identifier.
const MAX_IDENTIFIER_BYTES: usize = 1024;
/// Longest profile: what the vault seals as one value.
const MAX_PROFILE_BYTES: usize = 4096;
/// Different consent texts remembered in their normal form.
const CONSENT_CACHE: usize = 1024;

/// What became of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    /// No `when` wanted it.
    Skipped,
    /// It gave at least one row; so many others were duplicates.
    Emitted { duplicates: u64 },
    /// It goes to quarantine.
    Bad(BadRow),
}

/// Evaluates the rows of one file in order.
pub(crate) struct Evaluator<'s> {
    source: &'s CompiledSource,
    /// Latest time accepted.
    latest: i64,
    latency: i64,
    consents: HashMap<String, Option<Arc<str>>>,
    /// Why the first consent signal that could not be read could not.
    unreadable: Option<String>,
    seen: Seen,
}

impl<'s> Evaluator<'s> {
    pub(crate) fn new(source: &'s CompiledSource, context: &RunContext) -> Self {
        Self {
            source,
            latest: context.now.micros().saturating_add(DAY_US),
            latency: source.config.latency_micros(),
            consents: HashMap::new(),
            unreadable: None,
            seen: Seen::new(),
        }
    }

    /// Evaluates one row. A row is used whole or not at all: one bad emit refuses it.
    pub(crate) fn row<'a>(&mut self, row: &RowView<'a>, out: &mut Emissions<'a>) -> Fate
    where
        's: 'a,
    {
        let mark = out.mark();
        match self.emit_all(row, out) {
            Ok(false) => Fate::Skipped,
            Ok(true) if out.reuses_a_key(mark) => {
                out.rewind(mark);
                let reason = "two emits of the row give the same id and revision, for example write `id || '-refund'`";
                Fate::Bad(BadRow::new(RowFault::IdReused, reason))
            }
            Ok(true) => {
                let duplicates = out.keep_new(mark, &mut self.seen);
                if out.is_at(mark) {
                    out.rewind(mark);
                    let reason = "the id and revision were seen before in this file; the first row is kept";
                    return Fate::Bad(BadRow::new(RowFault::Duplicate, reason));
                }
                Fate::Emitted { duplicates }
            }
            Err(bad) => {
                out.rewind(mark);
                Fate::Bad(bad)
            }
        }
    }

    /// Whether any emit wanted the row.
    fn emit_all<'a>(&mut self, row: &RowView<'a>, out: &mut Emissions<'a>) -> Result<bool, BadRow>
    where
        's: 'a,
    {
        let source = self.source;
        let mut wanted = false;
        for emit in &source.emits {
            if !emit.when.is_absent() && emit.when.cell(row) != Cell::Bool(true) {
                continue;
            }
            wanted = true;
            match &emit.target {
                Target::Event(fields) => self.event(emit, fields, row, out)?,
                Target::Spend(fields) => self.spend(emit, fields, row, out)?,
            }
        }
        Ok(wanted)
    }

    fn event<'a>(
        &mut self,
        emit: &'a Emit,
        fields: &'a EventFields,
        row: &RowView<'a>,
        out: &mut Emissions<'a>,
    ) -> Result<(), BadRow>
    where
        's: 'a,
    {
        let id = id_of(emit, row)?;
        let revision = revision_of(emit, row)?;
        let kind = kind_of(&fields.kind, row)?;
        let occurred_at = strict::time(&fields.occurred_at.cell(row), "occurred_at")?
            .ok_or_else(|| BadRow::new(RowFault::TimeInvalid, "occurred_at is NULL"))?;
        self.not_in_future(occurred_at, "occurred_at")?;
        let available_at = match strict::time(&fields.available_at.cell(row), "available_at")? {
            Some(stated) => stated.max(occurred_at),
            None => occurred_at.saturating_add(self.latency),
        };
        let start = out.subjects.len();
        push_subjects(&fields.subjects, row, &mut out.subjects)?;
        let (consent, consent_unreadable) = self.consent(row)?;
        let cost = strict::not_negative(strict::micros(&emit.cost.cell(row), "cost")?, "cost")?;
        let value = strict::micros(&fields.value.cell(row), "value")?;
        let value =
            if kind == EventKind::Purchase { strict::not_negative(value, "the value of a purchase")? } else { value };
        let amounts = cost.is_some() || value.is_some();
        let currency = if amounts { Some(currency_of(emit, row)?) } else { None };
        out.events.push(EventRow {
            key: key(b'e', id.as_str().unwrap_or_default(), revision),
            id,
            revision,
            kind,
            occurred_at,
            available_at,
            texts: std::array::from_fn(|i| fields.texts[i].cell(row).into_text()),
            cost,
            value,
            currency,
            properties: strict::object(&fields.properties, row),
            profile: profile_of(&fields.profile, row)?,
            consent,
            consent_unreadable,
            subjects: start..out.subjects.len(),
        });
        Ok(())
    }

    fn spend<'a>(
        &self,
        emit: &'a Emit,
        fields: &'a SpendFields,
        row: &RowView<'a>,
        out: &mut Emissions<'a>,
    ) -> Result<(), BadRow> {
        let id = id_of(emit, row)?;
        let revision = revision_of(emit, row)?;
        let day = strict::date(&fields.date.cell(row))?;
        self.not_in_future(day.saturating_mul(DAY_US), "date")?;
        let cost = strict::not_negative(strict::micros(&emit.cost.cell(row), "cost")?, "cost")?
            .ok_or_else(|| BadRow::new(RowFault::Amount, "cost is NULL"))?;
        out.spend.push(SpendRow {
            key: key(b's', id.as_str().unwrap_or_default(), revision),
            id,
            revision,
            day,
            texts: std::array::from_fn(|i| fields.texts[i].cell(row).into_text()),
            cost,
            currency: currency_of(emit, row)?,
            impressions: strict::not_negative(
                strict::whole(&fields.impressions.cell(row), "impressions")?,
                "impressions",
            )?,
            clicks: strict::not_negative(strict::whole(&fields.clicks.cell(row), "clicks")?, "clicks")?,
            reported: [
                strict::not_negative(
                    strict::micros(&fields.reported[0].cell(row), "reported_conversions")?,
                    "reported_conversions",
                )?,
                strict::micros(&fields.reported[1].cell(row), "reported_value")?,
            ],
        });
        Ok(())
    }

    fn not_in_future(&self, micros: i64, what: &str) -> Result<(), BadRow> {
        if micros > self.latest {
            let reason =
                format!("{what} lies more than 1 day after the start of the run; is its time zone or unit right?");
            return Err(BadRow::new(RowFault::TimeInFuture, reason));
        }
        Ok(())
    }

    /// Why the first consent signal that could not be read could not.
    pub(crate) fn unreadable_consent(&self) -> Option<&str> {
        self.unreadable.as_deref()
    }

    /// The consent of the row in normal form, and whether the signal behind it could not be read. Sources have few different
    /// texts.
    fn consent(&mut self, row: &RowView<'_>) -> Result<(Arc<str>, bool), BadRow> {
        let cell = self.source.consent.cell(row);
        let text = cell.as_str().unwrap_or_default();
        if let Some(reason) = text.strip_prefix(UNREADABLE) {
            self.unreadable.get_or_insert_with(|| reason.trim_start_matches([':', ' ']).to_owned());
            return Ok((Arc::from(""), true));
        }
        let known = if let Some(known) = self.consents.get(text) {
            known.clone()
        } else {
            if self.consents.len() >= CONSENT_CACHE {
                self.consents.clear();
            }
            let normal = text.parse::<Consent>().ok().map(|c| Arc::from(c.to_string()));
            self.consents.insert(text.to_owned(), normal.clone());
            normal
        };
        known.map(|consent| (consent, false)).ok_or_else(|| {
            let reason = format!(
                "consent has the form `{}`, expected granted, denied, unknown or pairs such as messaging=granted",
                shape(text)
            );
            BadRow::new(RowFault::Consent, reason)
        })
    }
}

/// The instant of a cell, where it is one.
pub(crate) fn stated_time(cell: &Cell<'_>) -> Option<i64> {
    strict::time(cell, "time").ok().flatten()
}

fn id_of<'a>(emit: &'a Emit, row: &RowView<'a>) -> Result<Cell<'a>, BadRow> {
    let id = emit.id.cell(row).into_text();
    if id.as_str().is_some_and(|text| !text.trim().is_empty()) {
        return Ok(id);
    }
    Err(BadRow::new(RowFault::IdMissing, "id is NULL or blank"))
}

fn revision_of(emit: &Emit, row: &RowView<'_>) -> Result<i64, BadRow> {
    match (&emit.revision, emit.revision.cell(row)) {
        (Slot::Absent, _) => Ok(1),
        (_, Cell::Time(micros)) => Ok(micros),
        (_, cell) => {
            strict::whole(&cell, "revision")?.ok_or_else(|| BadRow::new(RowFault::WholeNumber, "revision is NULL"))
        }
    }
}

/// The profile as a JSON object. It is sealed as one value, so it has the length of one.
fn profile_of(slots: &[(String, Slot)], row: &RowView<'_>) -> Result<Option<String>, BadRow> {
    let profile = strict::object(slots, row);
    match profile.as_ref().map(String::len) {
        Some(bytes) if bytes > MAX_PROFILE_BYTES => {
            let reason = format!("the profile has {bytes} bytes, the limit is {MAX_PROFILE_BYTES}");
            Err(BadRow::new(RowFault::Oversized, reason))
        }
        _ => Ok(profile),
    }
}

fn kind_of(slot: &KindSlot, row: &RowView<'_>) -> Result<EventKind, BadRow> {
    let slot = match slot {
        KindSlot::Always(kind) => return Ok(*kind),
        KindSlot::Computed(slot) => slot,
    };
    let cell = slot.cell(row);
    let Some(text) = cell.as_str() else { return Err(BadRow::new(RowFault::Kind, "kind is NULL")) };
    text.parse().map_err(|_| {
        let reason = format!("kind has the form `{}`, which is no kind of event", shape(text));
        BadRow::new(RowFault::Kind, reason)
    })
}

fn currency_of(emit: &Emit, row: &RowView<'_>) -> Result<Currency, BadRow> {
    let cell = emit.currency.cell(row);
    let Some(text) = cell.as_str() else {
        return Err(BadRow::new(RowFault::Currency, "there is an amount, but currency is NULL"));
    };
    text.parse().map_err(|_| {
        let reason = format!("currency has the form `{}`, expected three letters such as EUR", shape(text));
        BadRow::new(RowFault::Currency, reason)
    })
}

fn push_subjects<'a>(
    slots: &'a [(IdentifierKind, Slot)],
    row: &RowView<'a>,
    subjects: &mut Vec<(IdentifierKind, Cell<'a>)>,
) -> Result<(), BadRow> {
    let before = subjects.len();
    for (kind, slot) in slots {
        let cell = slot.cell(row).into_text();
        let Some(text) = cell.as_str().filter(|text| has_content(*kind, text)) else { continue };
        if text.len() > MAX_IDENTIFIER_BYTES {
            let reason = format!("the {kind} identifier has {} bytes, the limit is {MAX_IDENTIFIER_BYTES}", text.len());
            return Err(BadRow::new(RowFault::Oversized, reason));
        }
        subjects.push((*kind, cell));
    }
    if subjects.len() > before {
        return Ok(());
    }
    let names: Vec<&str> = slots.iter().map(|(kind, _)| kind.name()).collect();
    Err(BadRow::new(RowFault::NoIdentifier, format!("none of the identifiers has a value ({})", names.join(", "))))
}

/// Whether normalising leaves anything, without making the normal form.
fn has_content(kind: IdentifierKind, text: &str) -> bool {
    match kind {
        IdentifierKind::Phone => text.bytes().any(|b| b.is_ascii_digit()),
        _ => !text.trim().is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn content_is_what_normalising_leaves(text in "[ +0-9a-zA-Z\u{a0}\u{2003}\t]{0,6}") {
            for kind in IdentifierKind::ALL {
                prop_assert_eq!(has_content(kind, &text), kind.normalise(&text).is_some(), "{} {:?}", kind, text);
            }
        }
    }
}
