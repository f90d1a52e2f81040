//! What one reader takes in.

use throughline_core::{Diagnostic, EventKind, Timestamp};
use throughline_paths::{Event, Interaction, JourneyConfig, NO_ORDER, NONE, Parts, PathsError, Role, Shard};

/// Findings about lines that are shown; the others are counted.
pub(super) const MOST_FINDINGS: usize = 20;

/// What reading found.
#[derive(Debug, Clone, Default)]
pub(super) struct Found {
    pub(super) events: u64,
    pub(super) without_person_or_time: u64,
    pub(super) outside_years: u64,
    pub(super) bad_values: u64,
    pub(super) without_order: u64,
    /// Events that are neither touch nor conversion nor refund.
    pub(super) not_touches: u64,
    pub(super) lines: Vec<Diagnostic>,
}

impl Found {
    pub(super) fn merge(&mut self, other: Self) {
        self.events += other.events;
        self.without_person_or_time += other.without_person_or_time;
        self.outside_years += other.outside_years;
        self.bad_values += other.bad_values;
        self.without_order += other.without_order;
        self.not_touches += other.not_touches;
        self.lines.extend(other.lines);
    }
}

/// A row as its columns say it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) person: Option<u64>,
    pub(super) at: Option<i64>,
    pub(super) channel: u32,
    pub(super) conversion: bool,
    pub(super) refund: bool,
    pub(super) consent: bool,
    pub(super) interaction: Interaction,
    pub(super) campaign: u32,
    /// As it stands there, also what is no number.
    pub(super) value: Option<f64>,
    pub(super) order: u64,
}

impl Row {
    /// A touch of a channel by a person at a time.
    pub(super) const fn new(person: Option<u64>, at: Option<i64>, channel: u32) -> Self {
        Self {
            person,
            at,
            channel,
            conversion: false,
            refund: false,
            consent: true,
            interaction: Interaction::Other,
            campaign: NONE,
            value: None,
            order: NO_ORDER,
        }
    }
}

/// A shard with what was found while filling it.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) shard: Shard<u64>,
    pub(super) found: Found,
    /// By interaction: whether it is a touch.
    touches: [bool; Interaction::ALL.len()],
}

impl Reader {
    /// With the kinds of touches that a configuration lists; every interaction is a touch without a list.
    pub(super) fn new(parts: Parts, config: &JourneyConfig) -> Self {
        let touches = Interaction::ALL.map(|interaction| {
            let kind = EventKind::ALL.into_iter().find(|kind| Interaction::of(*kind) == Some(interaction));
            config.touch_kinds.is_empty() || kind.is_none_or(|kind| config.is_touch(kind))
        });
        Self { shard: Shard::new(parts), found: Found::default(), touches }
    }

    /// Takes a row in, or counts why not.
    #[inline]
    pub(super) fn take(&mut self, row: &Row) -> Result<(), PathsError> {
        self.found.events += 1;
        let (Some(person), Some(at)) = (row.person, row.at) else {
            self.found.without_person_or_time += 1;
            return Ok(());
        };
        if at < Timestamp::MIN.micros() || at >= Timestamp::MAX.micros() {
            self.found.outside_years += 1;
            return Ok(());
        }
        let mut role = if row.conversion {
            Role::CONVERSION
        } else if row.refund {
            Role::REFUND
        } else if row.channel != NONE && self.touches[usize::from(row.interaction.code())] {
            Role::TOUCH
        } else {
            self.found.not_touches += 1;
            return Ok(());
        };
        let mut event = Event::new(person, at, row.channel, role);
        if !row.consent {
            role |= Role::NO_CONSENT;
        }
        event.role = role;
        event.interaction = row.interaction;
        event.campaign = row.campaign;
        if role & (Role::CONVERSION | Role::REFUND) != 0 {
            event.order = row.order;
            self.found.without_order += u64::from(row.conversion && row.order == NO_ORDER);
            if let Some(value) = row.value {
                match micros(value) {
                    Some(micros) => event.value_micros = micros,
                    None => self.found.bad_values += 1,
                }
            }
        }
        self.shard.push(&event)
    }
}

/// A value in millionths, rounded; `None` beyond ±9·10¹² and for what is no number.
fn micros(value: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "within 64 bits")]
    (value.abs() <= 9e12).then(|| (value * 1e6).round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_rounded_to_millionths() {
        assert_eq!(
            (micros(0.1), micros(-12.34), micros(9e12)),
            (Some(100_000), Some(-12_340_000), Some(9_000_000_000_000_000_000))
        );
        assert_eq!((micros(f64::NAN), micros(f64::INFINITY), micros(1e13)), (None, None, None));
    }
}
