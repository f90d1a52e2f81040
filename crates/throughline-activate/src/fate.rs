//! What becomes of one decision at one destination: exactly one thing, with a reason.

use serde::Serialize;
use throughline_core::consent::{Refusal, RemovedByConsent};
use throughline_core::expr::Row;
use throughline_core::{Consent, ConsentState, Purpose, Timestamp};

use crate::people::People;
use crate::route::Route;

/// The arms whose decisions are carried out.
const LIVE_ARMS: [&str; 2] = ["policy", "canary"];
/// The arm that is held out to measure what decisions achieve.
const HOLDOUT_ARM: &str = "holdout";

/// Why a decision is not sent. The first that applies counts, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// The entity has two decisions in the cycle; the first by position counts.
    Duplicate,
    /// The entity is held out.
    Holdout,
    /// Its arm is recorded but not carried out (shadow, or unknown).
    NotLive,
    /// The filter of the destination does not hold.
    Filtered,
    /// The decision has expired.
    Stale,
    /// The purpose is not granted now.
    NoConsent,
    /// The entity has no identifier of the kind the destination needs.
    NoIdentifier,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 7] = [
        Self::Duplicate,
        Self::Holdout,
        Self::NotLive,
        Self::Filtered,
        Self::Stale,
        Self::NoConsent,
        Self::NoIdentifier,
    ];

    /// The name used in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Holdout => "holdout",
            Self::NotLive => "not_live",
            Self::Filtered => "filtered",
            Self::Stale => "stale",
            Self::NoConsent => "no_consent",
            Self::NoIdentifier => "no_identifier",
        }
    }

    /// Whether the row could not be sent although it should have been, rather than being held back on purpose.
    pub const fn is_rejection(self) -> bool {
        matches!(self, Self::Duplicate | Self::NoIdentifier)
    }
}

/// What becomes of one decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    /// In this batch.
    Batched,
    /// In a batch of an earlier attempt, which the destination holds.
    Carried { batch_id: String, idempotency_key: String },
    /// Not sent.
    Kept(Reason),
}

/// What the checks need of a decision, beside its columns.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'a> {
    pub(crate) entity_id: &'a str,
    pub(crate) arm: &'a str,
    pub(crate) consent: &'a str,
    pub(crate) expires_at: Timestamp,
}

/// The reason not to send, as of now, apart from identifiers; `None` to send. Rows that consent is asked about are counted
/// in `removed`.
pub(crate) fn suppression(
    route: &Route,
    facts: Facts<'_>,
    row: &dyn Row,
    people: &dyn People,
    now: Timestamp,
    removed: &mut RemovedByConsent,
) -> Option<Reason> {
    if facts.arm == HOLDOUT_ARM {
        return Some(Reason::Holdout);
    }
    if !LIVE_ARMS.contains(&facts.arm) {
        return Some(Reason::NotLive);
    }
    if route.filter.as_ref().is_some_and(|filter| !filter.permits(row)) {
        return Some(Reason::Filtered);
    }
    if facts.expires_at <= now {
        return Some(Reason::Stale);
    }
    let refusal = refusal(route.purpose, facts, people);
    removed.count(refusal);
    refusal.map(|_| Reason::NoConsent)
}

/// Why consent forbids, by what stood at the decision and what stands now.
fn refusal(purpose: Purpose, facts: Facts<'_>, people: &dyn People) -> Option<Refusal> {
    // A consent that cannot be read is no permission.
    let decided: Consent = facts.consent.parse().unwrap_or_default();
    let current = people.consent(facts.entity_id).unwrap_or_default();
    let granted_then = decided.allows(purpose);
    match decided.then(&current).state(purpose) {
        ConsentState::Granted => None,
        ConsentState::Unknown => Some(Refusal::Unknown),
        ConsentState::Denied if granted_then => Some(Refusal::Withdrawn),
        ConsentState::Denied => Some(Refusal::Denied),
    }
}
