//! A request for agreement, from asking to applying.
//!
//! ```text
//! pending ──► approved ──► applied
//!    │            ├──────► failed
//!    │            ├──────► superseded
//!    │            └──────► expired
//!    ├──► rejected
//!    ├──► superseded
//!    ├──► expired
//!    └──► withdrawn
//! ```

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use throughline_core::Timestamp;

use crate::error::ApprovalError;
use crate::facts::{ApprovalKind, Facts};
use crate::name::named;
use crate::requirement::{Needs, Requirement};
use crate::role::{Principal, Role};
use crate::text;
use crate::vote::{Ballot, Choice, Vote};

const HOUR_US: i64 = 3_600_000_000;

named! {
    /// Where a request stands.
    State, "state of an approval", {
        /// People are asked.
        Pending = "pending",
        /// They agreed; it is not in effect yet.
        Approved = "approved",
        /// It is in effect.
        Applied = "applied",
        /// Somebody disagreed.
        Rejected = "rejected",
        /// Its time passed before it was agreed to, or before it was applied.
        Expired = "expired",
        /// What it is about has changed since.
        Superseded = "superseded",
        /// The requester took it back.
        Withdrawn = "withdrawn",
        /// It was agreed to, and could not be applied.
        Failed = "failed",
    }
}

impl State {
    /// Whether nothing changes any more.
    pub const fn is_over(self) -> bool {
        !matches!(self, Self::Pending | Self::Approved)
    }
}

/// A request for agreement, to exactly one version of one subject.
///
/// A value changes by its methods only, each of which gives the next one; the one at hand stays as it is. Every change
/// raises the revision by one, so that a store can refuse a write that is not about the latest. A request that is over
/// never changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Approval {
    /// Id.
    pub id: String,
    /// What it is about.
    pub kind: ApprovalKind,
    /// One line for people.
    pub title: String,
    /// What exactly: the policy, the user; empty where there is none.
    pub subject: String,
    /// The version that people agree to, and no other.
    pub subject_version: String,
    /// Where it stands.
    pub state: State,
    /// Counts changes, from 1.
    pub revision: u64,
    /// Id of the requester.
    pub requested_by: String,
    /// When.
    pub requested_at: Timestamp,
    /// From this instant on it cannot be agreed to, nor applied.
    pub expires_at: Timestamp,
    /// Why it is asked for.
    pub reason: String,
    /// What is now.
    pub before: Value,
    /// What would be.
    pub after: Value,
    /// The facts that the rules saw.
    pub facts: Map<String, Value>,
    /// What it needs.
    #[serde(rename = "rule")]
    pub requirement: Requirement,
    /// The votes, oldest first.
    pub votes: Vec<Vote>,
    /// The comments, oldest first.
    pub comments: Vec<Comment>,
    /// All that happened, oldest first.
    pub history: Vec<Step>,
}

/// What somebody says about a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Comment {
    /// Id of who says it.
    pub by: String,
    /// What.
    pub text: String,
    /// When.
    pub at: Timestamp,
}

/// One step in the life of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Step {
    /// When.
    pub at: Timestamp,
    /// Id of who did it; absent for what follows by itself.
    pub by: Option<String>,
    /// What, in words.
    pub what: String,
}

/// A request to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct NewApproval {
    /// A new id.
    pub id: String,
    /// One line for people, at most 200 characters.
    pub title: String,
    /// What exactly; empty where there is none.
    pub subject: String,
    /// Its version.
    pub subject_version: String,
    /// Id of the requester.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why, at most 4,000 characters.
    pub reason: String,
    /// What is now.
    pub before: Value,
    /// What would be.
    pub after: Value,
    /// The facts, which also say the kind.
    pub facts: Facts,
    /// What it needs: from [`rules_for`](crate::rules_for), or the default.
    pub requirement: Requirement,
}

impl Approval {
    /// Asks. Fails only for texts beyond their limits.
    pub fn request(new: NewApproval) -> Result<Self, ApprovalError> {
        let hours = i64::from(new.requirement.expires_after_hours);
        Ok(Self {
            id: new.id,
            kind: new.facts.kind(),
            title: text::title(&new.title)?,
            subject: new.subject,
            subject_version: new.subject_version,
            state: State::Pending,
            revision: 1,
            requested_by: new.by.clone(),
            requested_at: new.at,
            expires_at: new.at.plus_micros(hours * HOUR_US),
            reason: text::prose("reason", &new.reason)?,
            before: new.before,
            after: new.after,
            facts: new.facts.to_map(),
            requirement: new.requirement,
            votes: Vec::new(),
            comments: Vec::new(),
            history: vec![Step { at: new.at, by: Some(new.by), what: "requested".to_owned() }],
        })
    }

    /// Counts a vote. One rejection rejects; the request is approved once enough people approve and every sign-off is
    /// given.
    pub fn vote(&self, voter: &Principal, ballot: &Ballot) -> Result<Self, ApprovalError> {
        self.open(&[State::Pending], ballot.at)?;
        if ballot.revision != self.revision {
            return Err(ApprovalError::Stale { given: ballot.revision, revision: self.revision });
        }
        let vote = ballot.cast(voter, self)?;
        let mut next = self.step(Some(&voter.id), vote.told(), ballot.at);
        next.votes.push(vote);
        let state = match ballot.vote {
            Choice::Reject => Some(State::Rejected),
            Choice::Approve => next.requirement.missing(&next.votes).is_met().then_some(State::Approved),
        };
        if let Some(state) = state {
            next.state = state;
            next.history.push(Step { at: ballot.at, by: None, what: state.to_string() });
        }
        Ok(next)
    }

    /// Adds a comment, while the request is not over.
    pub fn comment(&self, by: &str, text: &str, at: Timestamp) -> Result<Self, ApprovalError> {
        self.open(&[State::Pending, State::Approved], at)?;
        let text = text::prose("comment", text)?;
        if text.is_empty() {
            return Err(ApprovalError::TextMissing { what: "comment" });
        }
        let mut next = self.step(Some(by), "commented", at);
        next.comments.push(Comment { by: by.to_owned(), text, at });
        Ok(next)
    }

    /// Takes a pending request back; the requester and administrators may.
    pub fn withdraw(&self, by: &Principal, reason: &str, at: Timestamp) -> Result<Self, ApprovalError> {
        self.open(&[State::Pending], at)?;
        if by.id != self.requested_by && !by.has(Role::Admin) {
            return Err(ApprovalError::NotRequester { by: by.id.clone() });
        }
        let reason = text::prose("reason", reason)?;
        Ok(self.close(State::Withdrawn, Some(&by.id), &reason, at))
    }

    /// The expired request, when its time has passed and it was neither applied nor closed; `None` when it stays as it is.
    pub fn expire_if_due(&self, now: Timestamp) -> Option<Self> {
        let due = !self.state.is_over() && now >= self.expires_at;
        due.then(|| self.close(State::Expired, None, "", now))
    }

    /// Closes a request whose subject has changed, so that nobody agrees to what is no longer proposed.
    pub fn supersede(&self, reason: &str, now: Timestamp) -> Result<Self, ApprovalError> {
        self.state_in(&[State::Pending, State::Approved])?;
        Ok(self.close(State::Superseded, None, &text::cleaned(reason), now))
    }

    /// What was agreed to is in effect since `now`, which must be before the expiry.
    pub fn applied(&self, now: Timestamp) -> Result<Self, ApprovalError> {
        self.agreed()?;
        self.open(&[State::Approved], now)?;
        Ok(self.close(State::Applied, None, "", now))
    }

    /// What was agreed to could not be put into effect.
    pub fn failed(&self, why: &str, now: Timestamp) -> Result<Self, ApprovalError> {
        self.agreed()?;
        Ok(self.close(State::Failed, None, &text::cleaned(why), now))
    }

    /// What is still missing; nothing once people have decided.
    pub fn needs(&self) -> Needs {
        if self.state == State::Pending { self.requirement.missing(&self.votes) } else { Needs::default() }
    }

    /// Whether people agree to this version of this subject: it is in effect, or approved and not expired at `now`.
    pub fn stands_for(&self, kind: ApprovalKind, subject: &str, version: &str, now: Timestamp) -> bool {
        let agreed = self.state == State::Applied || (self.state == State::Approved && now < self.expires_at);
        agreed && self.kind == kind && self.subject == subject && self.subject_version == version
    }

    fn agreed(&self) -> Result<(), ApprovalError> {
        match self.state {
            State::Approved => Ok(()),
            State::Pending => Err(ApprovalError::NotApproved { state: self.state }),
            state => Err(ApprovalError::Over { state }),
        }
    }

    fn open(&self, states: &[State], at: Timestamp) -> Result<(), ApprovalError> {
        self.state_in(states)?;
        if at >= self.expires_at {
            return Err(ApprovalError::Expired { expires_at: self.expires_at, at });
        }
        Ok(())
    }

    fn state_in(&self, states: &[State]) -> Result<(), ApprovalError> {
        if states.contains(&self.state) { Ok(()) } else { Err(ApprovalError::Over { state: self.state }) }
    }

    fn close(&self, state: State, by: Option<&str>, reason: &str, at: Timestamp) -> Self {
        let what = if reason.is_empty() { state.to_string() } else { format!("{state}: {reason}") };
        Self { state, ..self.step(by, what, at) }
    }

    fn step(&self, by: Option<&str>, what: impl Into<String>, at: Timestamp) -> Self {
        let mut next = self.clone();
        next.revision += 1;
        next.history.push(Step { at, by: by.map(str::to_owned), what: what.into() });
        next
    }
}

#[cfg(test)]
mod tests;
