//! Who may vote on a request and take it back, and that guard and state machine agree on it.

use throughline_govern::{ApprovalError, Choice, Principal, Requirement, Resource, Role, SignOff};

use crate::support::{allowed, ballot, guard, person, request, requirement};

#[track_caller]
fn check(rules: &[&str], who: &Principal, expect: &[&str]) {
    let asked = request("mia", requirement(rules));
    let answer = guard().decide(who, "voteApproval", &Resource::Approval(&asked)).expect("an answer");
    assert_eq!(answer.reasons, expect);
    assert_eq!(answer.allowed, expect.iter().any(|id| id.ends_with("-vote")));
}

#[test]
fn roles_and_sign_offs_of_the_rule_vote() {
    let approver = person("ann", &[Role::Approver], &[SignOff::Finance]);
    check(&[], &approver, &["roles-of-the-rule-vote"]);
    check(&["sign_offs: [finance]"], &approver, &["roles-of-the-rule-vote", "sign-offs-of-the-rule-vote"]);
    check(&["roles: []\nsign_offs: [finance]"], &approver, &["sign-offs-of-the-rule-vote"]);
    check(&["roles: [marketer]"], &approver, &[]);
    check(&["roles: [marketer]"], &person("max", &[Role::Marketer], &[]), &["roles-of-the-rule-vote"]);
    check(
        &["roles: [marketer]\nsign_offs: [legal]"],
        &person("root", &[Role::Admin], &[]),
        &["roles-of-the-rule-vote"],
    );
    check(&["sign_offs: [legal]"], &person("lea", &[], &[SignOff::Legal]), &["sign-offs-of-the-rule-vote"]);
    check(&["sign_offs: [legal]"], &person("fin", &[], &[SignOff::Finance]), &[]);
}

#[test]
fn requesters_do_not_vote() {
    let mia = person("mia", &[Role::Admin], &[SignOff::Finance]);
    check(&[], &mia, &["four-eyes"]);
    check(
        &["sign_offs: [finance]\nself_approve: true"],
        &mia,
        &["roles-of-the-rule-vote", "sign-offs-of-the-rule-vote"],
    );
    check(&["self_approve: true", "quorum: 1"], &mia, &["four-eyes"]);
}

#[test]
fn nobody_votes_twice() {
    let ann = person("ann", &[Role::Approver], &[]);
    let asked = request("mia", requirement(&["quorum: 2"]));
    let voted = asked.vote(&ann, &ballot(&asked, Choice::Approve, None)).expect("a vote");
    let answer = guard().decide(&ann, "voteApproval", &Resource::Approval(&voted)).expect("an answer");
    assert_eq!((answer.allowed, answer.reasons), (false, vec!["one-vote-each".to_owned()]));
    let ben = person("ben", &[Role::Approver], &[]);
    assert!(allowed(&guard(), &ben, "voteApproval", &Resource::Approval(&voted)));
}

#[test]
fn requesters_and_administrators_take_back() {
    let guard = guard();
    let asked = request("mia", Requirement::default());
    let may = |id, role| allowed(&guard, &person(id, &[role], &[]), "withdrawApproval", &Resource::Approval(&asked));
    assert!(may("mia", Role::Marketer) && may("root", Role::Admin));
    assert!(!may("max", Role::Marketer) && !may("ann", Role::Approver));
    // Whoever lost the role that makes requests withdraws none.
    assert!(!may("mia", Role::Viewer));
}

/// Every role or none, every sign-off or none, own or other request, under rules of all forms.
#[test]
fn guard_and_state_machine_agree() {
    let guard = guard();
    let rules: &[&[&str]] = &[
        &[],
        &["self_approve: true"],
        &["roles: [marketer]", "sign_offs: [finance]\nroles: [admin]"],
        &["roles: []\nsign_offs: [legal, finance]\nself_approve: true"],
        &["roles: [viewer]\nquorum: 2"],
    ];
    let roles: Vec<Option<Role>> = std::iter::once(None).chain(Role::ALL.iter().copied().map(Some)).collect();
    let sign_offs: Vec<Option<SignOff>> = std::iter::once(None).chain(SignOff::ALL.iter().copied().map(Some)).collect();
    let mut both = [0, 0];
    for rule in rules {
        let asked = request("mia", requirement(rule));
        for (id, role, sign_off) in
            roles.iter().flat_map(|r| sign_offs.iter().flat_map(move |s| [("mia", r, s), ("ann", r, s)]))
        {
            let who = Principal::signed_in(id, *role, *sign_off);
            let may = allowed(&guard, &who, "voteApproval", &Resource::Approval(&asked));
            // A vote as the sign-off held, or as nobody in particular.
            let tries = [None, *sign_off].map(|given| asked.vote(&who, &ballot(&asked, Choice::Approve, given)));
            let can = tries.iter().any(Result::is_ok);
            assert_eq!(may, can, "{rule:?} {who:?} {tries:?}");
            both[usize::from(may)] += 1;
            if id == "mia" && !asked.requirement.self_approve {
                assert!(tries.iter().all(|t| matches!(t, Err(ApprovalError::OwnRequest { .. }))));
            }
        }
    }
    assert!(both[0] > 50 && both[1] > 50, "{both:?}");
}
