//! Votes: who may cast one, and what it must say.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use throughline_core::Timestamp;

use crate::approval::Approval;
use crate::error::ApprovalError;
use crate::name::{list, named};
use crate::role::{Principal, Role, SignOff};
use crate::text;

named! {
    /// Yes or no.
    Choice, "vote", {
        /// Yes.
        Approve = "approve",
        /// No, which ends the request.
        Reject = "reject",
    }
}

/// A vote as it is handed in. Whose it is says the [`Principal`] beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ballot {
    /// Yes or no.
    pub vote: Choice,
    /// The sign-off it gives, if any. The vote also counts as that of a person.
    pub as_sign_off: Option<SignOff>,
    /// Why; a rejection needs it.
    pub reason: Option<String>,
    /// When.
    pub at: Timestamp,
    /// The revision of the request that the voter saw.
    pub revision: u64,
}

/// A vote that was cast.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Vote {
    /// Id of the voter.
    pub by: String,
    /// Yes or no.
    pub vote: Choice,
    /// The sign-off it gives.
    #[serde(rename = "as")]
    pub as_sign_off: Option<SignOff>,
    /// The voter's roles at the time: later changes of roles change no vote.
    pub roles: BTreeSet<Role>,
    /// Why.
    pub reason: Option<String>,
    /// When.
    pub at: Timestamp,
}

impl Ballot {
    /// The vote, if this person may cast it on this request as it stands. State, revision and expiry are the request's
    /// to check; the rest is checked here again although the access rules did, because the state machine must hold by
    /// itself.
    pub(crate) fn cast(&self, voter: &Principal, request: &Approval) -> Result<Vote, ApprovalError> {
        let rule = &request.requirement;
        let by = || voter.id.clone();
        if voter.id == request.requested_by && !rule.self_approve {
            return Err(ApprovalError::OwnRequest { by: by() });
        }
        if request.votes.iter().any(|vote| vote.by == voter.id) {
            return Err(ApprovalError::AlreadyVoted { by: by() });
        }
        if let Some(sign_off) = self.as_sign_off {
            let refuse = |problem| Err(ApprovalError::NotASignOff { by: by(), sign_off, problem });
            if !voter.sign_offs.contains(&sign_off) {
                return refuse("they do not hold that sign-off");
            }
            if !rule.sign_offs.contains(&sign_off) {
                return refuse("the rule does not ask for that sign-off");
            }
        } else if !rule.roles.iter().any(|role| voter.has(*role)) {
            let (roles, sign_offs) = (list(&rule.roles), list(&rule.sign_offs));
            return Err(ApprovalError::NotEntitled { by: by(), roles, sign_offs });
        }
        let reason = text::prose("reason", self.reason.as_deref().unwrap_or_default())?;
        if self.vote == Choice::Reject && reason.is_empty() {
            return Err(ApprovalError::ReasonMissing);
        }
        Ok(Vote {
            by: by(),
            vote: self.vote,
            as_sign_off: self.as_sign_off,
            roles: voter.roles.clone(),
            reason: Some(reason).filter(|reason| !reason.is_empty()),
            at: self.at,
        })
    }
}

impl Vote {
    /// For the history: `voted to approve as finance`.
    pub(crate) fn told(&self) -> String {
        match self.as_sign_off {
            Some(sign_off) => format!("voted to {} as {sign_off}", self.vote),
            None => format!("voted to {}", self.vote),
        }
    }
}
