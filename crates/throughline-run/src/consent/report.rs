//! The shapes of the report.

use serde::Serialize;
use throughline_core::consent::Withdrawal;
use throughline_core::{ConsentState, IdentifierKind, Purpose};
use throughline_stats::proportion::wilson;

use super::removed::RemovedFrom;
use crate::project::ForbiddenLink;

/// Level of the intervals of shares.
pub const LEVEL: f64 = 0.95;

/// What is documented about consent.
#[derive(Debug, Clone, Serialize)]
pub struct ConsentReport {
    /// What a withdrawal does to earlier events.
    pub withdrawal: Withdrawal,
    /// Level of the intervals.
    pub level: f64,
    /// People of the timeline.
    pub people: u64,
    /// Events of the timeline.
    pub events: u64,
    /// What each source documents.
    pub sources: Vec<SourceConsent>,
    /// What stands of each person over all sources, by purpose.
    pub purposes: Vec<PurposeConsent>,
    /// Where sources contradict each other.
    pub conflicts: Vec<Conflict>,
    /// Days on which people changed what stands.
    pub changes: Vec<Changes>,
    /// Who may be activated where.
    pub activation: Vec<Activation>,
    /// What may not be linked, and what forbids it.
    pub linking: Vec<ForbiddenLink>,
    /// What consent removed from each stage, as of its last run.
    pub removed: Vec<RemovedFrom>,
}

/// Counts by state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct States {
    /// Granted.
    pub granted: u64,
    /// Denied.
    pub denied: u64,
    /// Nothing said.
    pub unknown: u64,
}

impl States {
    /// Counts one.
    pub const fn count(&mut self, state: ConsentState) {
        match state {
            ConsentState::Granted => self.granted += 1,
            ConsentState::Denied => self.denied += 1,
            ConsentState::Unknown => self.unknown += 1,
        }
    }

    /// All of them.
    pub const fn total(&self) -> u64 {
        self.granted + self.denied + self.unknown
    }

    /// Share of those of whom anything is known.
    pub fn coverage(&self) -> Share {
        Share::of(self.granted + self.denied, self.total())
    }

    /// Share granted.
    pub fn share_granted(&self) -> Share {
        Share::of(self.granted, self.total())
    }
}

/// A share with its interval (Wilson), over people as independent trials.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Share {
    /// The share; absent without anybody.
    pub value: Option<f64>,
    /// Its interval.
    pub interval: Option<(f64, f64)>,
}

impl Share {
    fn of(part: u64, whole: u64) -> Self {
        let value = (whole > 0).then(|| part as f64 / whole as f64);
        Self { value, interval: wilson(part, whole, LEVEL) }
    }
}

/// What a source documents.
#[derive(Debug, Clone, Serialize)]
pub struct SourceConsent {
    /// Its name.
    pub source: String,
    /// People it knows.
    pub people: u64,
    /// Its events.
    pub events: u64,
    /// By purpose.
    pub purposes: Vec<SourcePurpose>,
}

/// What a source documents about a purpose.
#[derive(Debug, Clone, Serialize)]
pub struct SourcePurpose {
    /// The purpose.
    pub purpose: Purpose,
    /// Its events by the consent they came with.
    pub events: States,
    /// Its people by what it last said of them.
    pub people: States,
    /// Share of its people of whom it says anything.
    pub coverage: Share,
    /// Share of its people with a grant.
    pub granted: Share,
    /// Share of its people with a denial.
    pub denied: Share,
}

impl SourcePurpose {
    pub(super) fn new(purpose: Purpose, events: States, people: States) -> Self {
        let denied = Share::of(people.denied, people.total());
        Self { purpose, events, people, coverage: people.coverage(), granted: people.share_granted(), denied }
    }
}

/// What stands over all sources.
#[derive(Debug, Clone, Serialize)]
pub struct PurposeConsent {
    /// The purpose.
    pub purpose: Purpose,
    /// People by what stands.
    pub people: States,
    /// Share of people of whom anything is known.
    pub coverage: Share,
    /// Share of people with permission.
    pub granted: Share,
    /// People whose sources contradict each other; the denial counts.
    pub conflicts: u64,
    /// Times that what stood went from granted to denied.
    pub withdrawn: u64,
    /// Times that it went back.
    pub given_back: u64,
}

/// Two sources that contradict each other. The denial counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// The purpose.
    pub purpose: Purpose,
    /// The source that last granted.
    pub granted_by: String,
    /// The source that last denied: it wins.
    pub denied_by: String,
    /// People.
    pub people: u64,
    /// Of them, those whose grant is the later statement: what a plain "the latest counts" would have permitted.
    pub grant_is_later: u64,
}

/// Changes of what stands, on one day (UTC).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// The day, for example 2026-03-01.
    pub day: String,
    /// The purpose.
    pub purpose: Purpose,
    /// From granted to denied.
    pub withdrawn: u64,
    /// From denied to granted.
    pub given_back: u64,
}

/// Who may be activated at a destination.
#[derive(Debug, Clone, Serialize)]
pub struct Activation {
    /// The destination.
    pub destination: String,
    /// The purpose that must be granted.
    pub purpose: Purpose,
    /// The kind of identifier it needs.
    pub identifier: Option<&'static str>,
    /// People by what stands.
    pub people: States,
    /// People with permission who also have such an identifier.
    pub reachable: u64,
}

impl Activation {
    pub(super) fn new(destination: &str, purpose: Purpose, identifier: Option<IdentifierKind>) -> Self {
        let identifier = identifier.map(IdentifierKind::name);
        Self { destination: destination.to_owned(), purpose, identifier, people: States::default(), reachable: 0 }
    }
}
