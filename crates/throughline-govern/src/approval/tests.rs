use std::collections::BTreeSet;

use super::*;
use crate::role::{Scope, SignOff};
use crate::rule::Rule;
use crate::rules_for;

fn hour(n: i64) -> Timestamp {
    "2026-03-01T00:00:00Z".parse::<Timestamp>().expect("an instant").plus_micros(n * HOUR_US)
}

fn person(id: &str, roles: &[Role], sign_offs: &[SignOff]) -> Principal {
    Principal::signed_in(id, roles.iter().copied(), sign_offs.iter().copied())
}

fn approver(id: &str) -> Principal {
    person(id, &[Role::Approver], &[])
}

/// A request by `mia` under rules about anything else.
fn request(rules: &[&str]) -> Approval {
    let parse = |(i, rest): (usize, &&str)| {
        let text = format!("apiVersion: throughline/v1\nkind: Approval\nname: r{i}\nwhat: other\n{rest}\n");
        Rule::parse(&text, "r.yaml").expect("a rule")
    };
    let rules: Vec<Rule> = rules.iter().enumerate().map(parse).collect();
    let new = NewApproval {
        id: "ap-1".to_owned(),
        title: "More for spring".to_owned(),
        subject: "spring".to_owned(),
        subject_version: "v2".to_owned(),
        by: "mia".to_owned(),
        at: hour(0),
        reason: "The season starts".to_owned(),
        before: Value::Null,
        after: serde_json::json!({"budget": 20}),
        facts: Facts::Other,
        requirement: rules_for(&rules, &Facts::Other).unwrap_or_default(),
    };
    Approval::request(new).expect("a request")
}

fn ballot(on: &Approval, vote: Choice) -> Ballot {
    let reason = (vote == Choice::Reject).then(|| "too much".to_owned());
    Ballot { vote, as_sign_off: None, reason, at: hour(1), revision: on.revision }
}

fn approve(on: &Approval, voter: &Principal) -> Result<Approval, ApprovalError> {
    on.vote(voter, &ballot(on, Choice::Approve))
}

fn approve_as(on: &Approval, voter: &Principal, sign_off: SignOff) -> Result<Approval, ApprovalError> {
    on.vote(voter, &Ballot { as_sign_off: Some(sign_off), ..ballot(on, Choice::Approve) })
}

fn told(approval: &Approval) -> Vec<String> {
    let step = |s: &Step| format!("{} {}", s.by.as_deref().unwrap_or("·"), s.what);
    approval.history.iter().map(step).collect()
}

#[track_caller]
fn fails(got: Result<Approval, ApprovalError>, expect: &str) {
    assert_eq!(got.expect_err("refused").to_string(), expect);
}

#[test]
fn from_asking_to_applying() {
    let asked = request(&[]);
    assert_eq!((asked.state, asked.revision, asked.expires_at), (State::Pending, 1, hour(72)));
    assert_eq!(asked.needs(), Needs { approvals: 1, sign_offs: BTreeSet::new() });
    let agreed = approve(&asked, &approver("ann")).expect("approved");
    assert_eq!((agreed.state, agreed.revision, agreed.needs().is_met()), (State::Approved, 2, true));
    assert_eq!((asked.state, asked.votes.len()), (State::Pending, 0));
    let applied = agreed.applied(hour(2)).expect("applied");
    assert_eq!(told(&applied), ["mia requested", "ann voted to approve", "· approved", "· applied"]);
    let failed = agreed.failed("no such\u{0}file", hour(80)).expect("failed");
    assert_eq!((failed.state, told(&failed).pop().as_deref()), (State::Failed, Some("· failed: no such file")));
    fails(asked.applied(hour(1)), "the request is pending, and only an approved one can be applied or fail");
    fails(agreed.applied(hour(72)), "the request expired at 2026-03-04T00:00:00Z, and it is 2026-03-04T00:00:00Z");
}

#[test]
fn quorum_and_sign_offs_are_both_needed() {
    let asked = request(&["quorum: 2\nsign_offs: [finance]"]);
    let (ann, ben) = (approver("ann"), approver("ben"));
    let fin = person("fin", &[Role::Viewer], &[SignOff::Finance]);
    let one = approve(&asked, &ann).expect("one");
    assert_eq!(one.needs(), Needs { approvals: 1, sign_offs: BTreeSet::from([SignOff::Finance]) });
    let two = approve(&one, &ben).expect("two");
    assert_eq!((two.state, two.needs().approvals), (State::Pending, 0));
    assert_eq!(approve_as(&two, &fin, SignOff::Finance).expect("three").state, State::Approved);
    // The vote of a sign-off is also that of a person.
    assert_eq!(approve_as(&one, &fin, SignOff::Finance).expect("two").state, State::Approved);
    // A sign-off that is held but not given does not count.
    let quiet = person("eva", &[Role::Approver], &[SignOff::Finance]);
    assert_eq!(approve(&one, &quiet).expect("two").state, State::Pending);
}

#[test]
fn a_lax_rule_does_not_weaken_a_strict_one() {
    let asked = request(&["roles: [admin]", "roles: [marketer]", "roles: []\nsign_offs: [legal]"]);
    let one = approve(&asked, &person("max", &[Role::Marketer], &[])).expect("one");
    let two = approve_as(&one, &person("lea", &[Role::Viewer], &[SignOff::Legal]), SignOff::Legal).expect("two");
    assert_eq!((two.state, two.needs().approvals, two.needs().sign_offs.len()), (State::Pending, 1, 0));
    assert_eq!(approve(&two, &person("root", &[Role::Admin], &[])).expect("three").state, State::Approved);
    // One administrator has the rights of both roles.
    let root = person("root", &[Role::Admin], &[SignOff::Legal]);
    assert_eq!(approve_as(&asked, &root, SignOff::Legal).expect("one").state, State::Approved);
}

#[test]
fn who_may_not_vote() {
    let asked = request(&["quorum: 3\nsign_offs: [finance]"]);
    fails(approve(&asked, &approver("mia")), "`mia` made the request, and its rule does not let requesters vote");
    let one = approve(&asked, &approver("ann")).expect("one");
    fails(approve(&one, &approver("ann")), "`ann` has voted already");
    let legal = person("lea", &[Role::Approver], &[SignOff::Legal]);
    fails(approve_as(&asked, &legal, SignOff::Finance), "`lea` cannot vote as finance: they do not hold that sign-off");
    fails(
        approve_as(&asked, &legal, SignOff::Legal),
        "`lea` cannot vote as legal: the rule does not ask for that sign-off",
    );
    let nobody = "has none of the roles that may vote (approver) and does not vote as one of the sign-offs (finance)";
    fails(approve(&asked, &person("max", &[Role::Marketer], &[])), &format!("`max` {nobody}"));
    fails(approve(&asked, &person("fin", &[Role::Viewer], &[SignOff::Finance])), &format!("`fin` {nobody}"));
    let own = approve(&request(&["self_approve: true"]), &approver("mia")).expect("own vote");
    assert_eq!(own.state, State::Approved);
}

#[test]
fn one_rejection_rejects_and_says_why() {
    let asked = request(&["quorum: 2"]);
    let one = approve(&asked, &approver("ann")).expect("one");
    for reason in [None, Some(String::new()), Some(" \n ".to_owned())] {
        let blank = Ballot { reason, ..ballot(&one, Choice::Reject) };
        fails(one.vote(&approver("ben"), &blank), "a rejection needs a reason");
    }
    let rejected = one.vote(&approver("ben"), &ballot(&one, Choice::Reject)).expect("rejected");
    assert_eq!(rejected.state, State::Rejected);
    assert_eq!(rejected.votes[1].reason.as_deref(), Some("too much"));
    fails(approve(&rejected, &approver("cat")), "the request is rejected, so it is over");
}

#[test]
fn what_is_stale_superseded_or_expired_takes_no_vote() {
    let asked = request(&["quorum: 2"]);
    let commented = asked.comment("ann", "why now?", hour(1)).expect("a comment");
    let old = ballot(&asked, Choice::Approve);
    fails(
        commented.vote(&approver("ben"), &old),
        "the vote is about revision 1 of the request, which is at revision 2 by now",
    );
    let replaced = asked.supersede("spring is at v3", hour(1)).expect("superseded");
    fails(approve(&replaced, &approver("ben")), "the request is superseded, so it is over");
    let late = Ballot { at: hour(72), ..old };
    fails(
        asked.vote(&approver("ben"), &late),
        "the request expired at 2026-03-04T00:00:00Z, and it is 2026-03-04T00:00:00Z",
    );
    assert_eq!(asked.expire_if_due(hour(71)), None);
    let expired = asked.expire_if_due(hour(72)).expect("due");
    assert_eq!((expired.state, expired.revision), (State::Expired, 2));
    assert_eq!(expired.expire_if_due(hour(90)), None);
}

#[test]
fn an_agreement_stands_for_one_version_until_it_expires() {
    let asked = request(&[]);
    let agreed = approve(&asked, &approver("ann")).expect("approved");
    let stands = |a: &Approval, version, at| a.stands_for(ApprovalKind::Other, "spring", version, hour(at));
    assert!(!stands(&asked, "v2", 1));
    assert!(stands(&agreed, "v2", 71) && !stands(&agreed, "v2", 72) && !stands(&agreed, "v3", 1));
    assert!(!agreed.stands_for(ApprovalKind::Policy, "spring", "v2", hour(1)));
    assert!(!agreed.stands_for(ApprovalKind::Other, "autumn", "v2", hour(1)));
    let applied = agreed.applied(hour(2)).expect("applied");
    assert!(stands(&applied, "v2", 900) && !stands(&applied, "v3", 3));
    assert!(!stands(&agreed.supersede("v3", hour(2)).expect("superseded"), "v2", 3));
    assert!(!stands(&agreed.expire_if_due(hour(72)).expect("due"), "v2", 3));
}

#[test]
fn requesters_and_administrators_take_back() {
    let asked = request(&[]);
    fails(
        asked.withdraw(&person("max", &[Role::Marketer], &[]), "no", hour(1)),
        "`max` neither made the request nor is an administrator, so `max` cannot withdraw it",
    );
    let own = asked.withdraw(&person("mia", &[Role::Marketer], &[]), "not needed", hour(1)).expect("withdrawn");
    assert_eq!(
        (own.state, told(&own)),
        (State::Withdrawn, vec!["mia requested".into(), "mia withdrawn: not needed".into()])
    );
    assert_eq!(
        asked.withdraw(&person("root", &[Role::Admin], &[]), "", hour(1)).expect("withdrawn").state,
        State::Withdrawn
    );
    let agreed = approve(&asked, &approver("ann")).expect("approved");
    fails(agreed.withdraw(&person("mia", &[], &[]), "", hour(1)), "the request is approved, so it is over");
}

#[test]
fn texts_have_limits() {
    let asked = request(&[]);
    fails(asked.comment("ann", " ", hour(1)), "the comment is blank");
    fails(
        asked.comment("ann", &"x".repeat(4_001), hour(1)),
        "the comment of 4001 characters exceeds the limit of 4000",
    );
    let long = Ballot { reason: Some("x".repeat(5_000)), ..ballot(&asked, Choice::Approve) };
    fails(asked.vote(&approver("ann"), &long), "the reason of 5000 characters exceeds the limit of 4000");
}

#[test]
fn the_stored_form_reads_back_and_has_the_names_of_the_api() {
    let asked = request(&["when: TRUE\nsign_offs: [finance]\nreason: Money"]);
    let fin = person("fin", &[Role::Viewer], &[SignOff::Finance]);
    let voted =
        approve_as(&asked.comment("ann", "hm", hour(1)).expect("a comment"), &fin, SignOff::Finance).expect("voted");
    let json = serde_json::to_value(&voted).expect("JSON");
    assert_eq!(serde_json::from_value::<Approval>(json.clone()).expect("an approval"), voted);
    let keys: Vec<&str> = json.as_object().expect("an object").keys().map(String::as_str).collect();
    let expect = "id kind title subject subject_version state revision requested_by requested_at expires_at reason before \
                  after facts rule votes comments history";
    assert_eq!(keys.join(" "), expect);
    assert_eq!(
        (&json["state"], &json["kind"], &json["votes"][0]["as"]),
        (&"approved".into(), &"other".into(), &"finance".into())
    );
    assert_eq!((&json["rule"]["when"], &json["rule"]["name"]), (&"TRUE".into(), &"r0".into()));
}

#[test]
fn a_token_votes_like_its_owner() {
    // Scopes are the guard's business: the state machine looks at the person.
    let mut ann = approver("ann");
    ann.scopes = BTreeSet::from([Scope::Approve]);
    assert_eq!(approve(&request(&[]), &ann).expect("approved").state, State::Approved);
}
