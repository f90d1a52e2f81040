//! Whatever people do in whatever order, the promises hold.

use std::collections::BTreeSet;

use proptest::prelude::*;
use throughline_govern::{Approval, ApprovalError, Ballot, Choice, Principal, Role, SignOff, State};

use crate::support::{hour, person, request, requirement};

/// One thing somebody does, or that happens.
#[derive(Debug, Clone)]
enum Act {
    Vote { who: usize, choice: Choice, as_sign_off: Option<SignOff>, behind: u64 },
    Comment { who: usize },
    Withdraw { who: usize },
    Supersede,
    Apply,
    Fail,
    Expire,
    Wait { hours: i64 },
}

/// `mia` asks; roles and sign-offs differ.
fn people() -> Vec<Principal> {
    vec![
        person("mia", &[Role::Admin], &[SignOff::Finance]),
        person("ann", &[Role::Approver], &[]),
        person("ben", &[Role::Approver], &[SignOff::Finance]),
        person("max", &[Role::Marketer], &[]),
        person("lea", &[Role::Viewer], &[SignOff::Legal, SignOff::Finance]),
        person("root", &[Role::Admin], &[SignOff::Legal]),
    ]
}

fn rules() -> impl Strategy<Value = Vec<String>> {
    let sign_offs = prop_oneof![Just("[]"), Just("[finance]"), Just("[legal]"), Just("[finance, legal]")];
    let roles = prop_oneof![Just("[approver]"), Just("[marketer]"), Just("[admin]"), Just("[viewer]")];
    let one = (1..4_u32, sign_offs, roles, any::<bool>()).prop_map(|(quorum, sign_offs, roles, own)| {
        format!(
            "quorum: {quorum}\nsign_offs: {sign_offs}\nroles: {roles}\nself_approve: {own}\nexpires_after_hours: 12"
        )
    });
    prop::collection::vec(one, 1..3)
}

fn act() -> impl Strategy<Value = Act> {
    let sign_off = prop_oneof![3 => Just(None), 2 => Just(Some(SignOff::Finance)), 1 => Just(Some(SignOff::Legal))];
    let choice = prop_oneof![9 => Just(Choice::Approve), 1 => Just(Choice::Reject)];
    let behind = prop_oneof![9 => Just(0_u64), 1 => Just(1)];
    prop_oneof![
        20 => (0..6_usize, choice, sign_off, behind)
            .prop_map(|(who, choice, as_sign_off, behind)| Act::Vote { who, choice, as_sign_off, behind }),
        2 => (0..6_usize).prop_map(|who| Act::Comment { who }),
        1 => (0..6_usize).prop_map(|who| Act::Withdraw { who }),
        1 => Just(Act::Supersede),
        2 => Just(Act::Apply),
        1 => Just(Act::Fail),
        2 => Just(Act::Expire),
        2 => (1..8_i64).prop_map(|hours| Act::Wait { hours }),
    ]
}

fn perform(on: &Approval, act: &Act, clock: i64) -> Result<Approval, ApprovalError> {
    let (people, at) = (people(), hour(clock));
    match act {
        Act::Vote { who, choice, as_sign_off, behind } => {
            let reason = Some("because".to_owned());
            let revision = on.revision - behind.min(&on.revision);
            on.vote(&people[*who], &Ballot { vote: *choice, as_sign_off: *as_sign_off, reason, at, revision })
        }
        Act::Comment { who } => on.comment(&people[*who].id, "hm", at),
        Act::Withdraw { who } => on.withdraw(&people[*who], "no", at),
        Act::Supersede => on.supersede("v3", at),
        Act::Apply => on.applied(at),
        Act::Fail => on.failed("broken", at),
        Act::Expire => Ok(on.expire_if_due(at).unwrap_or_else(|| on.clone())),
        Act::Wait { .. } => Ok(on.clone()),
    }
}

/// What an approval must show, told without the code that counts.
fn agreed(a: &Approval) -> Result<(), TestCaseError> {
    let approving: Vec<_> = a.votes.iter().filter(|v| v.vote == Choice::Approve).collect();
    let by: BTreeSet<&str> = approving.iter().map(|v| v.by.as_str()).collect();
    let quorum = a.requirement.quorum as usize;
    prop_assert!(by.len() >= quorum, "{} of {quorum} people", by.len());
    prop_assert!(a.votes.iter().all(|v| v.vote != Choice::Reject), "approved with a rejection");
    for sign_off in &a.requirement.sign_offs {
        prop_assert!(approving.iter().any(|v| v.as_sign_off == Some(*sign_off)), "approved without {sign_off}");
    }
    for terms in &a.requirement.rules {
        let counts = |id: &str| {
            let Some(person) = people().into_iter().find(|p| p.id == id) else { return false };
            let voted_as =
                approving.iter().any(|v| v.by == id && v.as_sign_off.is_some_and(|s| terms.sign_offs.contains(&s)));
            voted_as || terms.roles.iter().any(|role| person.has(*role))
        };
        let people = by.iter().filter(|id| counts(id)).count();
        prop_assert!(people >= terms.quorum as usize, "{people} people for rule {}", terms.name);
    }
    Ok(())
}

fn step_is_sound(before: &Approval, after: &Approval, act: &Act) -> Result<(), TestCaseError> {
    let changed = before != after;
    prop_assert_eq!(after.revision, before.revision + u64::from(changed), "{:?}", act);
    prop_assert!(!(changed && before.state.is_over()), "{:?} changed what is over: {:?}", act, before.state);
    let own = after.votes.iter().any(|v| v.by == "mia");
    prop_assert!(!own || after.requirement.self_approve, "the requester was counted");
    let voters: BTreeSet<&str> = after.votes.iter().map(|v| v.by.as_str()).collect();
    prop_assert_eq!(voters.len(), after.votes.len(), "somebody voted twice");
    if before.state != after.state {
        let legal = match before.state {
            State::Pending => !matches!(after.state, State::Applied | State::Failed),
            State::Approved => {
                matches!(after.state, State::Applied | State::Failed | State::Superseded | State::Expired)
            }
            _ => false,
        };
        prop_assert!(legal, "{:?} → {:?}", before.state, after.state);
    }
    if matches!(after.state, State::Approved | State::Applied | State::Failed) {
        agreed(after)?;
    }
    prop_assert_eq!(after.state == State::Pending, !after.needs().is_met(), "{:?}", after.needs());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn promises_hold_in_any_order(rules in rules(), acts in prop::collection::vec(act(), 1..25)) {
        let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
        let mut now = request("mia", requirement(&rules));
        let mut clock = 1;
        for act in &acts {
            if let Act::Wait { hours } = act {
                clock += hours;
            }
            if let Ok(next) = perform(&now, act, clock) {
                prop_assert!(!matches!(act, Act::Vote { .. } | Act::Apply) || clock < 12, "acted after the expiry");
                prop_assert!(!matches!(act, Act::Vote { behind, .. } if *behind > 0), "a stale vote was counted");
                step_is_sound(&now, &next, act)?;
                now = next;
            }
        }
    }
}

/// The property is worth something only if its sequences get somewhere.
#[test]
fn sequences_reach_every_state() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut reached = BTreeSet::new();
    for _ in 0..600 {
        let sequence = (rules(), prop::collection::vec(act(), 1..25));
        let (rules, acts) = sequence.new_tree(&mut runner).expect("a case").current();
        let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
        let (mut now, mut clock) = (request("mia", requirement(&rules)), 1);
        for act in &acts {
            if let Act::Wait { hours } = act {
                clock += hours;
            }
            now = perform(&now, act, clock).unwrap_or(now);
            reached.insert(now.state);
        }
    }
    assert_eq!(reached.into_iter().collect::<Vec<_>>(), State::ALL);
}
