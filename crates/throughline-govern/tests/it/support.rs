//! What the tests share.

use serde_json::Value;
use throughline_core::Timestamp;
use throughline_govern::{
    Approval, Ballot, Choice, Facts, Guard, NewApproval, Principal, Requirement, Resource, Role, Rule, Scope, SignOff,
    rules_for,
};

pub(crate) fn guard() -> Guard {
    Guard::new().expect("the access rules")
}

pub(crate) fn hour(n: i64) -> Timestamp {
    "2026-03-01T00:00:00Z".parse::<Timestamp>().expect("an instant").plus_micros(n * 3_600_000_000)
}

pub(crate) fn person(id: &str, roles: &[Role], sign_offs: &[SignOff]) -> Principal {
    Principal::signed_in(id, roles.iter().copied(), sign_offs.iter().copied())
}

/// The same person with a token.
pub(crate) fn with_scopes(person: &Principal, scopes: &[Scope]) -> Principal {
    Principal { scopes: scopes.iter().copied().collect(), ..person.clone() }
}

/// What rules about anything else ask.
pub(crate) fn requirement(rules: &[&str]) -> Requirement {
    let parse = |(i, rest): (usize, &&str)| {
        let text = format!("apiVersion: throughline/v1\nkind: Approval\nname: r{i}\nwhat: other\n{rest}\n");
        Rule::parse(&text, "r.yaml").expect("a rule")
    };
    let rules: Vec<Rule> = rules.iter().enumerate().map(parse).collect();
    rules_for(&rules, &Facts::Other).unwrap_or_default()
}

pub(crate) fn request(by: &str, requirement: Requirement) -> Approval {
    Approval::request(NewApproval {
        id: "ap-1".to_owned(),
        title: "More for spring".to_owned(),
        subject: "spring".to_owned(),
        subject_version: "v2".to_owned(),
        by: by.to_owned(),
        at: hour(0),
        reason: String::new(),
        before: Value::Null,
        after: Value::Null,
        facts: Facts::Other,
        requirement,
    })
    .expect("a request")
}

pub(crate) fn ballot(on: &Approval, vote: Choice, as_sign_off: Option<SignOff>) -> Ballot {
    Ballot { vote, as_sign_off, reason: Some("because".to_owned()), at: hour(1), revision: on.revision }
}

#[track_caller]
pub(crate) fn allowed(guard: &Guard, who: &Principal, operation: &str, resource: &Resource<'_>) -> bool {
    guard.decide(who, operation, resource).expect("an answer").allowed
}
