//! What the rows of a batch became.

use std::ops::Range;
use std::sync::Arc;

use throughline_core::{Currency, EventKind, IdentifierKind};

use super::seen::{Key, Seen};
use crate::cell::Cell;

/// One event. Subjects stand in [`Emissions::subjects`].
#[derive(Debug)]
pub(crate) struct EventRow<'a> {
    pub(crate) key: Key,
    pub(crate) id: Cell<'a>,
    pub(crate) revision: i64,
    pub(crate) kind: EventKind,
    pub(crate) occurred_at: i64,
    pub(crate) available_at: i64,
    /// In the order of [`EVENT_TEXTS`](crate::mapping::EVENT_TEXTS).
    pub(crate) texts: [Cell<'a>; 6],
    pub(crate) cost: Option<i64>,
    pub(crate) value: Option<i64>,
    pub(crate) currency: Option<Currency>,
    pub(crate) properties: Option<String>,
    /// What the row says about the holder of its first identifier, as JSON.
    pub(crate) profile: Option<String>,
    pub(crate) consent: Arc<str>,
    /// The signal behind the consent could not be read; nothing is granted.
    pub(crate) consent_unreadable: bool,
    pub(crate) subjects: Range<usize>,
}

/// One spend row.
#[derive(Debug)]
pub(crate) struct SpendRow<'a> {
    pub(crate) key: Key,
    pub(crate) id: Cell<'a>,
    pub(crate) revision: i64,
    /// Days since the epoch.
    pub(crate) day: i64,
    /// In the order of [`SPEND_TEXTS`](crate::mapping::SPEND_TEXTS).
    pub(crate) texts: [Cell<'a>; 3],
    pub(crate) cost: i64,
    pub(crate) currency: Currency,
    pub(crate) impressions: Option<i64>,
    pub(crate) clicks: Option<i64>,
    /// Millionths of conversions, and of value, that the platform claims.
    pub(crate) reported: [Option<i64>; 2],
}

/// Events and spend rows of a batch, in the order of the rows.
#[derive(Debug, Default)]
pub(crate) struct Emissions<'a> {
    pub(crate) events: Vec<EventRow<'a>>,
    pub(crate) spend: Vec<SpendRow<'a>>,
    pub(crate) subjects: Vec<(IdentifierKind, Cell<'a>)>,
}

/// A place to return to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    events: usize,
    spend: usize,
    subjects: usize,
}

impl Emissions<'_> {
    pub(crate) fn mark(&self) -> Mark {
        Mark { events: self.events.len(), spend: self.spend.len(), subjects: self.subjects.len() }
    }

    /// Forgets what came after the mark.
    pub(crate) fn rewind(&mut self, mark: Mark) {
        self.events.truncate(mark.events);
        self.spend.truncate(mark.spend);
        self.subjects.truncate(mark.subjects);
    }

    /// Whether neither events nor spend came after the mark.
    pub(crate) fn is_at(&self, mark: Mark) -> bool {
        self.events.len() == mark.events && self.spend.len() == mark.spend
    }

    fn keys(&self, mark: Mark) -> impl Iterator<Item = Key> {
        self.events[mark.events..].iter().map(|e| e.key).chain(self.spend[mark.spend..].iter().map(|s| s.key))
    }

    /// Whether two things after the mark have one key.
    pub(crate) fn reuses_a_key(&self, mark: Mark) -> bool {
        self.keys(mark).enumerate().any(|(i, key)| self.keys(mark).skip(i + 1).any(|other| other == key))
    }

    /// Drops what came after the mark and was seen before, remembers the rest, and gives how many were dropped.
    pub(crate) fn keep_new(&mut self, mark: Mark, seen: &mut Seen) -> u64 {
        let before = self.events.len() + self.spend.len();
        let mut i = mark.events;
        while i < self.events.len() {
            if seen.insert(self.events[i].key) {
                i += 1;
            } else {
                self.events.remove(i);
            }
        }
        let mut i = mark.spend;
        while i < self.spend.len() {
            if seen.insert(self.spend[i].key) {
                i += 1;
            } else {
                self.spend.remove(i);
            }
        }
        (before - self.events.len() - self.spend.len()) as u64
    }
}
