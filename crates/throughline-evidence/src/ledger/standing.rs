//! How a record stands: what was noted about it, and what follows.

use serde::{Deserialize, Serialize};
use throughline_core::Timestamp;

use super::EvidenceRecord;

/// What is noted about evidence. Notes are only ever added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteKind {
    /// Somebody answers for its assumptions.
    Approved,
    /// Somebody took it out of use, for good.
    Retired,
    /// Something rested on it.
    Used,
}

/// A note about a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// What happened.
    pub kind: NoteKind,
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why, or what for.
    pub text: String,
}

/// A record with everything noted about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// The record.
    pub record: EvidenceRecord,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// What was noted, in order.
    pub notes: Vec<Note>,
}

/// How a record stands at an instant. The first that holds, in this order of gravity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Taken out of use.
    Retired,
    /// Too old.
    Expired,
    /// It was observed later than the instant asked about.
    NotYet,
    /// A later record of the same source answers the same question.
    Superseded,
    /// A check of its design failed.
    Suspect,
    /// Its assumptions cannot be checked by the data, and nobody answers for them yet.
    Unapproved,
    /// It counts.
    Standing,
}

impl Standing {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Retired => "retired",
            Self::Expired => "expired",
            Self::NotYet => "not yet observed",
            Self::Superseded => "superseded",
            Self::Suspect => "suspect",
            Self::Unapproved => "not approved",
            Self::Standing => "standing",
        }
    }
}

impl Kept {
    /// Who answers for its assumptions; the last to say so.
    pub fn approval(&self) -> Option<&Note> {
        self.notes.iter().rev().find(|n| n.kind == NoteKind::Approved)
    }

    /// Who retired it.
    pub fn retirement(&self) -> Option<&Note> {
        self.notes.iter().find(|n| n.kind == NoteKind::Retired)
    }

    /// What rested on it.
    pub fn uses(&self) -> impl Iterator<Item = &Note> {
        self.notes.iter().filter(|n| n.kind == NoteKind::Used)
    }

    /// How it stands at an instant among all records of the ledger. Randomised designs need no approval: their
    /// assumptions are kept by the assignment and looked after by checks.
    pub fn standing(&self, all: &[Self], at: Timestamp) -> Standing {
        if self.retirement().is_some() {
            return Standing::Retired;
        }
        if !self.record.is_current(at) {
            return Standing::Expired;
        }
        if self.record.scope.period_end > at {
            return Standing::NotYet;
        }
        let order = |k: &Self| (k.record.scope.period_end, k.recorded_at);
        let later = |other: &Self| {
            other.record.id != self.record.id
                && other.retirement().is_none()
                && other.record.scope.period_end <= at
                && (order(other), &other.record.id) > (order(self), &self.record.id)
                && other.record.same_question(&self.record)
        };
        if all.iter().any(later) {
            return Standing::Superseded;
        }
        if self.record.health == crate::Health::Suspect {
            return Standing::Suspect;
        }
        if !self.record.design.is_randomised() && self.approval().is_none() {
            return Standing::Unapproved;
        }
        Standing::Standing
    }
}
