//! Credentials do no more than their scopes say, whoever owns them.

use throughline_govern::{Principal, Requirement, Resource, Role, Scope, SignOff};

use crate::support::{allowed, guard, person, request, with_scopes};

/// Which of the operations an administrator's credential of these scopes may do.
#[track_caller]
fn check(scopes: &[Scope], expect: &[&str]) {
    let guard = guard();
    let who = with_scopes(&person("root", &[Role::Admin], &[SignOff::Legal]), scopes);
    let others = request("mia", Requirement::default());
    let (account, approval) = (Resource::Account { id: "root" }, Resource::Approval(&others));
    let asked = [
        ("getSession", Resource::Project),
        ("deleteSession", Resource::Project),
        ("getLine", Resource::Project),
        ("listTokens", account),
        ("listAudit", Resource::Project),
        ("seePersonalData", Resource::Project),
        ("startRun", Resource::Project),
        ("freeze", Resource::Project),
        ("unfreeze", Resource::Project),
        ("withdrawApproval", approval),
        ("voteApproval", approval),
        ("createUser", Resource::Project),
        ("exportAudit", Resource::Project),
        ("seeAllTokens", Resource::Project),
        ("revealIdentifiers", Resource::Project),
        ("openMatch", Resource::Project),
        ("decideMatch", Resource::Project),
    ];
    let got: Vec<&str> = asked.iter().filter(|(o, r)| allowed(&guard, &who, o, r)).map(|(o, _)| *o).collect();
    assert_eq!(got, expect, "{scopes:?}");
}

#[test]
fn each_scope_opens_its_part() {
    check(&[], &["getSession", "deleteSession"]);
    check(&[Scope::Read], &["getSession", "deleteSession", "getLine", "listTokens", "listAudit", "seePersonalData"]);
    check(
        &[Scope::Run],
        &["getSession", "deleteSession", "startRun", "freeze", "unfreeze", "withdrawApproval", "decideMatch"],
    );
    check(&[Scope::Approve], &["getSession", "deleteSession", "voteApproval"]);
    check(
        &[Scope::Admin],
        &["getSession", "deleteSession", "createUser", "exportAudit", "seeAllTokens", "revealIdentifiers", "openMatch"],
    );
}

#[test]
fn scopes_give_no_rights() {
    let guard = guard();
    let viewer = person("ann", &[Role::Viewer], &[]);
    assert!(!allowed(&guard, &viewer, "startRun", &Resource::Project));
    assert!(!allowed(&guard, &viewer, "createUser", &Resource::Project));
    let legal = person("lea", &[Role::Viewer], &[SignOff::Legal]);
    assert!(allowed(&guard, &legal, "revealIdentifiers", &Resource::Project));
    let token = with_scopes(&legal, &[Scope::Read, Scope::Run, Scope::Approve]);
    assert!(!allowed(&guard, &token, "revealIdentifiers", &Resource::Project));
}

#[test]
fn accounts_belong_to_their_owners() {
    let guard = guard();
    let may = |who: &Principal, operation: &str, owner: &str| {
        allowed(&guard, who, operation, &Resource::Account { id: owner })
    };
    let (ann, root) = (person("ann", &[Role::Marketer], &[]), person("root", &[Role::Admin], &[]));
    for operation in ["createToken", "listTokens", "revokeToken", "changeOwnPassword"] {
        assert!(may(&ann, operation, "ann") && !may(&ann, operation, "root"), "{operation}");
    }
    // Administrators take credentials away; they never make one in another's name.
    assert!(may(&root, "listTokens", "ann") && may(&root, "revokeToken", "ann"));
    assert!(!may(&root, "createToken", "ann") && !may(&root, "changeOwnPassword", "ann"));
    let reads = with_scopes(&root, &[Scope::Read]);
    assert!(
        may(&reads, "revokeToken", "root") && !may(&reads, "revokeToken", "ann") && !may(&reads, "listTokens", "ann")
    );
}

#[test]
fn a_weak_credential_makes_no_stronger_one() {
    let guard = guard();
    let ann = person("ann", &[Role::Viewer], &[]);
    let weak = with_scopes(&ann, &[Scope::Read, Scope::Run, Scope::Approve]);
    for operation in ["createToken", "changeOwnPassword"] {
        let answer = guard.decide(&weak, operation, &Resource::Account { id: "ann" }).expect("an answer");
        assert_eq!((answer.allowed, answer.reasons), (false, vec!["credentials-make-none-stronger".to_owned()]));
        assert!(allowed(&guard, &ann, operation, &Resource::Account { id: "ann" }));
    }
}
