//! What a request needs: the rules that apply, taken together.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::facts::Facts;
use crate::role::{Role, SignOff};
use crate::rule::{DEFAULT_HOURS, Rule};
use crate::vote::{Choice, Vote};

/// What one or several rules ask of a request. It is a copy: a request keeps the rules under which it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Requirement {
    /// Names of the rules, joined by ` + `.
    pub name: String,
    /// People who must approve: the largest number of any rule.
    pub quorum: u32,
    /// Roles whose holders may vote, of all rules.
    pub roles: BTreeSet<Role>,
    /// Sign-offs that must be given, of all rules.
    pub sign_offs: BTreeSet<SignOff>,
    /// Whether the requester's vote counts: only if every rule lets it.
    pub self_approve: bool,
    /// The conditions that were met; absent where no rule has one.
    pub when: Option<String>,
    /// Hours until the request lapses: the fewest of any rule.
    pub expires_after_hours: u32,
    /// The rules themselves. Each must be met by people of its own, so that a rule that asks for little cannot weaken
    /// another that asks for more.
    pub rules: Vec<Terms>,
}

/// What one rule asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Terms {
    /// Name of the rule.
    pub name: String,
    /// Why the rule exists.
    pub reason: Option<String>,
    /// People who must approve.
    pub quorum: u32,
    /// Roles that count.
    pub roles: BTreeSet<Role>,
    /// Sign-offs that count, each of which must be given.
    pub sign_offs: BTreeSet<SignOff>,
}

/// What is still missing for an approval.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Needs {
    /// People.
    pub approvals: u32,
    /// Sign-offs, which may come with those people.
    pub sign_offs: BTreeSet<SignOff>,
}

impl Needs {
    /// Whether nothing is missing.
    pub fn is_met(&self) -> bool {
        self.approvals == 0 && self.sign_offs.is_empty()
    }
}

/// One approver within three days: for a request that somebody makes though no rule asks for it.
impl Default for Requirement {
    fn default() -> Self {
        let roles = BTreeSet::from([Role::Approver]);
        let terms = Terms {
            name: "default".to_owned(),
            reason: None,
            quorum: 1,
            roles: roles.clone(),
            sign_offs: BTreeSet::new(),
        };
        Self {
            name: terms.name.clone(),
            quorum: 1,
            roles,
            sign_offs: BTreeSet::new(),
            self_approve: false,
            when: None,
            expires_after_hours: DEFAULT_HOURS,
            rules: vec![terms],
        }
    }
}

/// What the rules that apply ask together; `None` when none applies, so that nobody has to agree.
///
/// More rules never ask for less: the merged requirement takes the largest quorum, all roles and sign-offs, the earliest
/// expiry, lets requesters vote only if every rule does, and keeps the terms of each rule, which must all be met.
pub fn rules_for(rules: &[Rule], facts: &Facts) -> Option<Requirement> {
    let applying: Vec<&Rule> = rules.iter().filter(|rule| rule.applies(facts)).collect();
    let names: Vec<&str> = applying.iter().map(|rule| rule.name.as_str()).collect();
    let conditions: Vec<String> = applying.iter().filter_map(|rule| Some(rule.when.as_ref()?.to_string())).collect();
    Some(Requirement {
        name: names.join(" + "),
        quorum: applying.iter().map(|rule| rule.quorum).max()?,
        roles: applying.iter().flat_map(|rule| rule.roles.iter().copied()).collect(),
        sign_offs: applying.iter().flat_map(|rule| rule.sign_offs.iter().copied()).collect(),
        self_approve: applying.iter().all(|rule| rule.self_approve),
        when: match conditions.as_slice() {
            [] => None,
            [one] => Some(one.clone()),
            many => Some(many.iter().map(|c| format!("({c})")).collect::<Vec<_>>().join(" AND ")),
        },
        expires_after_hours: applying.iter().map(|rule| rule.expires_after_hours).min()?,
        rules: applying.into_iter().map(Terms::of).collect(),
    })
}

impl Terms {
    fn of(rule: &Rule) -> Self {
        Self {
            name: rule.name.clone(),
            reason: rule.reason.clone(),
            quorum: rule.quorum,
            roles: rule.roles.clone(),
            sign_offs: rule.sign_offs.clone(),
        }
    }

    /// Whether the voter counts here: by a role held at the time, or by the sign-off voted as.
    fn count(&self, vote: &Vote) -> bool {
        vote.as_sign_off.is_some_and(|given| self.sign_offs.contains(&given))
            || vote.roles.iter().any(|held| self.roles.iter().any(|role| held.is_in(*role)))
    }
}

impl Requirement {
    /// What is still missing after these votes.
    pub fn missing(&self, votes: &[Vote]) -> Needs {
        let approving: Vec<&Vote> = votes.iter().filter(|vote| vote.vote == Choice::Approve).collect();
        let given: BTreeSet<SignOff> = approving.iter().filter_map(|vote| vote.as_sign_off).collect();
        let people = |counts: &dyn Fn(&Vote) -> bool| {
            let by: BTreeSet<&str> = approving.iter().filter(|v| counts(v)).map(|v| v.by.as_str()).collect();
            u32::try_from(by.len()).unwrap_or(u32::MAX)
        };
        let overall = self.quorum.max(1).saturating_sub(people(&|_| true));
        let each = self.rules.iter().map(|terms| terms.quorum.saturating_sub(people(&|vote| terms.count(vote))));
        Needs {
            approvals: each.fold(overall, u32::max),
            sign_offs: self.sign_offs.difference(&given).copied().collect(),
        }
    }
}
