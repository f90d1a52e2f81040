//! Each operation × each role, for people who signed in.

use throughline_govern::{Access, GovernError, Guard, Principal, Requirement, Resource, Role, SignOff};

use crate::support::{guard, person, request};

/// Every operation: on the project, on the own account, or on a request of somebody else under the default rule.
const EXPECTED: &str = "
                    viewer analyst marketer approver admin
approveEvidence       ·       ·       x        ·       x
cancelRun             ·       ·       x        ·       x
changeOwnPassword     x       x       x        x       x
changeUser            ·       ·       ·        ·       x
commentApproval       ·       x       x        x       x
createToken           x       x       x        x       x
createUser            ·       ·       ·        ·       x
decideMatch           ·       ·       x        ·       x
deleteSession         x       x       x        x       x
drawMatches           ·       ·       x        ·       x
explainConversion     x       x       x        x       x
explainDecision       x       x       x        x       x
explainPerson         x       x       x        x       x
exportAudit           ·       ·       ·        ·       x
freeze                ·       x       x        x       x
getApproval           x       x       x        x       x
getAttribution        x       x       x        x       x
getAuditHead          x       x       x        x       x
getAuditRecord        ·       x       x        x       x
getConsent            x       x       x        x       x
getCurrentRun         x       x       x        x       x
getLine               x       x       x        x       x
getMatchAccuracy      x       x       x        x       x
getMetrics            x       x       x        x       x
getOpenApi            x       x       x        x       x
getRun                x       x       x        x       x
getRunPage            x       x       x        x       x
getSession            x       x       x        x       x
listApprovals         x       x       x        x       x
listAudit             ·       x       x        x       x
listBridges           x       x       x        x       x
listConfiguration     ·       x       x        x       x
listConversions       x       x       x        x       x
listCreditCells       x       x       x        x       x
listDecisions         x       x       x        x       x
listEvidence          x       x       x        x       x
listExperiments       x       x       x        x       x
listMatches           x       x       x        x       x
listPaths             x       x       x        x       x
listRuns              x       x       x        x       x
listSources           x       x       x        x       x
listTokens            x       x       x        x       x
listUsers             ·       ·       ·        ·       x
openMatch             ·       ·       x        ·       x
proveAudit            ·       x       x        x       x
requestApproval       ·       ·       x        ·       x
retireEvidence        ·       ·       x        ·       x
revealIdentifiers     ·       ·       ·        ·       x
revokeToken           x       x       x        x       x
seeAllTokens          ·       ·       ·        ·       x
seePersonalData       ·       ·       x        x       x
startRun              ·       ·       x        ·       x
streamEvents          x       x       x        x       x
unfreeze              ·       ·       x        ·       x
verifyAudit           ·       x       x        x       x
voteApproval          ·       ·       ·        x       x
withdrawApproval      ·       ·       ·        ·       x
";

/// The answer on whichever resource the operation is for.
fn ask(guard: &Guard, who: &Principal, operation: &str) -> Access {
    let others = request("somebody", Requirement::default());
    let resources = [Resource::Project, Resource::Account { id: &who.id }, Resource::Approval(&others)];
    for resource in &resources {
        match guard.decide(who, operation, resource) {
            Err(GovernError::WrongResource { .. }) => {}
            answer => return answer.expect("an answer"),
        }
    }
    panic!("{operation} is for no resource")
}

/// One line an operation, one column a role.
fn printed(guard: &Guard, people: &[Principal]) -> String {
    let mut text = format!("\n{:19}", "");
    for role in Role::ALL {
        text.push_str(&format!(" {role}"));
    }
    for operation in guard.operations() {
        text.push_str(&format!("\n{operation:19}"));
        for (role, person) in Role::ALL.iter().zip(people) {
            let mark = if ask(guard, person, &operation).allowed { "x" } else { "·" };
            text.push_str(&format!(" {mark:^width$}", width = role.name().len()));
        }
        text.truncate(text.trim_end().len());
    }
    text.push('\n');
    text
}

#[test]
fn every_operation_by_every_role() {
    let people: Vec<Principal> = Role::ALL.iter().map(|role| person(role.name(), &[*role], &[])).collect();
    let got = printed(&guard(), &people);
    assert_eq!(got, EXPECTED, "{got}");
}

#[test]
fn without_a_role_one_may_only_see_who_one_is_and_leave() {
    let (guard, nobody) = (guard(), person("nobody", &[], &[]));
    let allowed: Vec<String> = guard.operations().into_iter().filter(|o| ask(&guard, &nobody, o).allowed).collect();
    assert_eq!(allowed, ["deleteSession", "getSession"]);
}

#[test]
fn what_to_offer_is_what_the_matrix_says_and_taking_back() {
    let guard = guard();
    for role in Role::ALL {
        let who = person("ann", &[*role], &[]);
        let mut expect: Vec<String> = guard.operations().into_iter().filter(|o| ask(&guard, &who, o).allowed).collect();
        if *role == Role::Marketer {
            // One's own request may be taken back; the matrix asks about another's.
            expect.push("withdrawApproval".to_owned());
        }
        let may = guard.may(&who).expect("an answer");
        assert_eq!(may.into_iter().collect::<Vec<_>>(), expect, "{role}");
    }
    let legal = person("lea", &[Role::Viewer], &[SignOff::Legal]);
    let may = guard.may(&legal).expect("an answer");
    assert!(may.contains("voteApproval") && may.contains("revealIdentifiers") && !may.contains("startRun"), "{may:?}");
}

#[test]
fn what_is_unknown_is_an_error() {
    let (guard, root) = (guard(), person("root", &[Role::Admin], &[]));
    let error =
        |operation, resource: &Resource<'_>| guard.decide(&root, operation, resource).expect_err("refused").to_string();
    assert_eq!(
        error("startRuns", &Resource::Project),
        "the access rules know no operation `startRuns`; did you mean `startRun`?"
    );
    // A group is no operation, and neither is what needs no sign-in.
    assert_eq!(error("administer", &Resource::Project), "the access rules know no operation `administer`");
    assert!(error("createSession", &Resource::Project).starts_with("the access rules know no operation"));
    assert_eq!(
        error("voteApproval", &Resource::Project),
        "operation `voteApproval` is not for Project (it is for Approval)"
    );
    assert_eq!(
        error("getLine", &Resource::Account { id: "root" }),
        "operation `getLine` is not for Account (it is for Project)"
    );
}

#[test]
fn answers_name_the_policies_that_decided() {
    let guard = guard();
    let reasons =
        |who: &Principal, operation| guard.decide(who, operation, &Resource::Project).expect("an answer").reasons;
    assert_eq!(reasons(&person("ann", &[Role::Viewer], &[]), "getLine"), ["viewers-view"]);
    assert_eq!(reasons(&person("ann", &[Role::Viewer], &[]), "startRun"), Vec::<String>::new());
    assert_eq!(
        reasons(&person("ann", &[Role::Admin], &[SignOff::Legal]), "revealIdentifiers"),
        ["admins-reveal", "legal-reveals"]
    );
}

#[test]
fn an_id_cannot_pose_as_another_entity() {
    let guard = guard();
    for id in ["Role::\"admin\"", "x\", \"y", "", "project", "\u{0}"] {
        let who = person(id, &[Role::Viewer], &[]);
        assert!(!guard.decide(&who, "createUser", &Resource::Project).expect("an answer").allowed);
        assert!(guard.decide(&who, "getLine", &Resource::Project).expect("an answer").allowed);
    }
}
