//! Whether an event may be used for a purpose, given everything its person said, and how many events that cost.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Consent, ConsentState, Purpose, Standing};
use crate::Timestamp;

/// What a withdrawal does to what happened before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Withdrawal {
    /// Use stops from then on; what was used with permission stays.
    #[default]
    Forward,
    /// The next run leaves out what happened before, too.
    Recompute,
}

impl Withdrawal {
    /// The name used in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Recompute => "recompute",
        }
    }
}

/// Why something may not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal {
    /// Nothing was said about the purpose when it happened.
    Unknown,
    /// It was denied when it happened.
    Denied,
    /// The event itself came with a grant, but another statement of the person denies: one that stood then, or, when
    /// withdrawals recompute, one that stands now.
    Withdrawn,
}

/// What one event says.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    /// Its source.
    pub source: &'a str,
    /// When it happened.
    pub at: Timestamp,
    /// The consent it came with.
    pub consent: &'a Consent,
}

/// Judges each event of one person for a purpose; `None` is permitted. An event is permitted when the consent it came with
/// grants the purpose and no other source's latest statement up to that instant denies it. With
/// [`Withdrawal::Recompute`] what stands after all events must not deny it either. Events may come in any order; the answers come
/// in the same.
///
/// Cost: O(n log n + n · sources).
pub fn judge(events: &[Said<'_>], purpose: Purpose, withdrawal: Withdrawal) -> Vec<Option<Refusal>> {
    let mut verdicts = vec![Some(Refusal::Unknown); events.len()];
    let mut order: Vec<usize> = (0..events.len()).collect();
    order.sort_by_key(|&i| events[i].at);
    let mut latest: BTreeMap<&str, (Timestamp, ConsentState)> = BTreeMap::new();
    let denies = |latest: &BTreeMap<_, (_, ConsentState)>| latest.values().any(|(_, s)| *s == ConsentState::Denied);
    // Events of one instant are heard together, so that their order does not matter.
    for group in order.chunk_by(|&a, &b| events[a].at == events[b].at) {
        for &i in group {
            let (state, at) = (events[i].consent.state(purpose), events[i].at);
            if state != ConsentState::Unknown {
                let known = latest.entry(events[i].source).or_insert((at, state));
                *known = (*known).max((at, state));
            }
        }
        let denied = denies(&latest);
        for &i in group {
            verdicts[i] = match events[i].consent.state(purpose) {
                ConsentState::Unknown => Some(Refusal::Unknown),
                ConsentState::Denied => Some(Refusal::Denied),
                ConsentState::Granted => denied.then_some(Refusal::Withdrawn),
            };
        }
    }
    if withdrawal == Withdrawal::Recompute && denies(&latest) {
        for verdict in verdicts.iter_mut().filter(|v| v.is_none()) {
            *verdict = Some(Refusal::Withdrawn);
        }
    }
    verdicts
}

/// What one person said, collected event by event. Names of sources and texts are remembered from person to person.
#[derive(Debug, Clone, Default)]
pub struct Hearing {
    sources: Vec<String>,
    texts: BTreeMap<String, Consent>,
    said: Vec<(usize, Timestamp, Consent)>,
}

/// Different consent texts remembered; sources have few.
const TEXTS: usize = 4_096;

impl Hearing {
    /// Hears one event. A text that cannot be read says nothing.
    pub fn hear(&mut self, source: &str, at: Timestamp, text: &str) {
        let name = self.sources.iter().position(|s| s == source).unwrap_or_else(|| {
            self.sources.push(source.to_owned());
            self.sources.len() - 1
        });
        let consent = if let Some(known) = self.texts.get(text) {
            known.clone()
        } else {
            let read: Consent = text.parse().unwrap_or_default();
            if self.texts.len() >= TEXTS {
                self.texts.clear();
            }
            self.texts.insert(text.to_owned(), read.clone());
            read
        };
        self.said.push((name, at, consent));
    }

    /// Forgets the events, for the next person.
    pub fn next_person(&mut self) {
        self.said.clear();
    }

    /// Judges the events, in the order they were heard.
    pub fn judge(&self, purpose: Purpose, withdrawal: Withdrawal) -> Vec<Option<Refusal>> {
        let said = self.said.iter().map(|(name, at, consent)| Said { source: &self.sources[*name], at: *at, consent });
        judge(&said.collect::<Vec<_>>(), purpose, withdrawal)
    }

    /// What stands after all of them.
    pub fn standing(&self) -> Standing {
        let mut standing = Standing::default();
        for (name, at, consent) in &self.said {
            standing.say(&self.sources[*name], *at, consent);
        }
        standing
    }
}

/// How many rows consent removed at one place of a stage, and why. It stands in the stage's metrics.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemovedByConsent {
    /// What was removed, in the plural: `touches`, `conversions`.
    pub what: String,
    /// For which purpose consent was needed.
    pub purpose: Purpose,
    /// Rows considered, removed ones included.
    pub considered: u64,
    /// Removed because nothing was said.
    pub unknown: u64,
    /// Removed because it was denied.
    pub denied: u64,
    /// Removed because it was withdrawn, or denied in another place.
    pub withdrawn: u64,
}

impl RemovedByConsent {
    /// Nothing considered yet.
    pub fn new(what: impl Into<String>, purpose: Purpose) -> Self {
        Self { what: what.into(), purpose, considered: 0, unknown: 0, denied: 0, withdrawn: 0 }
    }

    /// Counts one row and its verdict.
    pub const fn count(&mut self, verdict: Option<Refusal>) {
        self.considered += 1;
        match verdict {
            Some(Refusal::Unknown) => self.unknown += 1,
            Some(Refusal::Denied) => self.denied += 1,
            Some(Refusal::Withdrawn) => self.withdrawn += 1,
            None => {}
        }
    }

    /// Adds what was counted elsewhere, of the same rows.
    pub const fn add(&mut self, other: &Self) {
        self.considered += other.considered;
        self.unknown += other.unknown;
        self.denied += other.denied;
        self.withdrawn += other.withdrawn;
    }

    /// Rows removed.
    pub const fn removed(&self) -> u64 {
        self.unknown + self.denied + self.withdrawn
    }
}
