//! What can go wrong with access and approvals. No message holds a secret.

use throughline_core::Timestamp;

use crate::approval::State;
use crate::role::SignOff;

/// Why access cannot be decided, or a name cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GovernError {
    /// A name that is none of a closed set.
    #[error("unknown {what} `{name}` (known: {known}){}", did_you_mean(suggestion.as_deref()))]
    UnknownName {
        /// The set.
        what: &'static str,
        /// The name given.
        name: String,
        /// All names of the set.
        known: String,
        /// The closest one.
        suggestion: Option<String>,
    },
    /// An operation that the access rules do not know; never an allowed one.
    #[error("the access rules know no operation `{name}`{}", did_you_mean(suggestion.as_deref()))]
    UnknownOperation {
        /// The name given.
        name: String,
        /// The closest one.
        suggestion: Option<String>,
    },
    /// An operation on something it is not for.
    #[error("operation `{operation}` is not for {resource} (it is for {expected})")]
    WrongResource {
        /// The operation.
        operation: String,
        /// What was given.
        resource: &'static str,
        /// What it is for.
        expected: String,
    },
    /// The access rules that come with the program are not usable.
    #[error("the access rules are not usable: {reason}")]
    Rules {
        /// Why.
        reason: String,
    },
    /// A question that the access rules could not answer; never an allowed one.
    #[error("access to `{operation}` could not be decided: {reason}")]
    Undecided {
        /// The operation.
        operation: String,
        /// Why.
        reason: String,
    },
}

/// Why a request for agreement stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApprovalError {
    /// Its state allows no such step.
    #[error("the request is {state}, so it is over")]
    Over {
        /// The state.
        state: State,
    },
    /// It was not agreed to (yet).
    #[error("the request is {state}, and only an approved one can be applied or fail")]
    NotApproved {
        /// The state.
        state: State,
    },
    /// Its time has passed.
    #[error("the request expired at {expires_at}, and it is {at}")]
    Expired {
        /// When it expired.
        expires_at: Timestamp,
        /// When somebody acted.
        at: Timestamp,
    },
    /// It changed since the voter saw it.
    #[error("the vote is about revision {given} of the request, which is at revision {revision} by now")]
    Stale {
        /// The revision voted on.
        given: u64,
        /// The present one.
        revision: u64,
    },
    /// Four eyes.
    #[error("`{by}` made the request, and its rule does not let requesters vote")]
    OwnRequest {
        /// The voter.
        by: String,
    },
    /// One vote each.
    #[error("`{by}` has voted already")]
    AlreadyVoted {
        /// The voter.
        by: String,
    },
    /// The rule names neither a role nor, in this vote, a sign-off of the voter.
    #[error(
        "`{by}` has none of the roles that may vote ({roles}) and does not vote as one of the sign-offs ({sign_offs})"
    )]
    NotEntitled {
        /// The voter.
        by: String,
        /// Roles of the rule.
        roles: String,
        /// Sign-offs of the rule.
        sign_offs: String,
    },
    /// A vote as a sign-off that does not count.
    #[error("`{by}` cannot vote as {sign_off}: {problem}")]
    NotASignOff {
        /// The voter.
        by: String,
        /// The sign-off.
        sign_off: SignOff,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A rejection must say why.
    #[error("a rejection needs a reason")]
    ReasonMissing,
    /// Only requester and administrators may do this.
    #[error("`{by}` neither made the request nor is an administrator, so `{by}` cannot withdraw it")]
    NotRequester {
        /// Who tried.
        by: String,
    },
    /// A text that must not be blank.
    #[error("the {what} is blank")]
    TextMissing {
        /// Which text.
        what: &'static str,
    },
    /// A text beyond its limit.
    #[error("the {what} of {characters} characters exceeds the limit of {limit}")]
    TextTooLong {
        /// Which text.
        what: &'static str,
        /// Its length.
        characters: usize,
        /// Longest accepted.
        limit: usize,
    },
    /// A character that could hide or reorder what people read.
    #[error("the {what} has the control character U+{code:04X} at position {position}")]
    ControlCharacter {
        /// Which text.
        what: &'static str,
        /// The character.
        code: u32,
        /// Its place, from 1.
        position: usize,
    },
}

fn did_you_mean(suggestion: Option<&str>) -> String {
    suggestion.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}
