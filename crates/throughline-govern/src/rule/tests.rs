use super::*;
use crate::facts::PolicyFacts;
use crate::requirement::rules_for;

const HEAD: &str = "apiVersion: throughline/v1\nkind: Approval\nname: big\nwhat: policy\n";

fn rule(rest: &str) -> Rule {
    Rule::parse(&format!("{HEAD}{rest}"), "approvals/big.yaml").expect("a rule")
}

#[track_caller]
fn refused(text: &str, expect: &[&str]) {
    let found = Rule::parse(text, "approvals/big.yaml").expect_err("refused");
    let found: Vec<String> = found.iter().map(|f| f.to_string().replace("approvals/big.yaml", "F")).collect();
    assert_eq!(found, expect);
}

#[track_caller]
fn faulty(rest: &str, expect: &[&str]) {
    refused(&format!("{HEAD}{rest}"), expect);
}

fn facts() -> PolicyFacts {
    PolicyFacts { cost: 130.0, cost_before: Some(100.0), policy: "spring".to_owned(), ..PolicyFacts::default() }
}

#[track_caller]
fn check(when: &str, facts: PolicyFacts, expect: bool) {
    assert_eq!(rule(&format!("when: {when}")).applies(&Facts::Policy(facts)), expect, "{when}");
}

#[test]
fn little_must_be_said() {
    let plain = rule("");
    assert_eq!(
        (plain.name.as_str(), plain.what, plain.quorum, plain.expires_after_hours),
        ("big", ApprovalKind::Policy, 1, 72)
    );
    assert_eq!((plain.roles, plain.sign_offs), (BTreeSet::from([Role::Approver]), BTreeSet::new()));
    assert_eq!((plain.when, plain.self_approve, plain.reason), (None, false, None));
}

#[test]
fn everything_can_be_said() {
    let full = rule(
        "when: cost > 1.2 * cost_before\nquorum: 2\nroles: [marketer, admin]\nsign_offs: [finance, legal]\n\
         self_approve: true\nexpires_after_hours: 24\nreason: |\n  Money above the plan.\n",
    );
    assert_eq!(full.when.as_ref().map(ToString::to_string).as_deref(), Some("cost > 1.2 * cost_before"));
    assert_eq!((full.quorum, full.self_approve, full.expires_after_hours), (2, true, 24));
    assert_eq!(full.roles, BTreeSet::from([Role::Marketer, Role::Admin]));
    assert_eq!(full.sign_offs, BTreeSet::from([SignOff::Finance, SignOff::Legal]));
    assert_eq!(full.reason.as_deref(), Some("Money above the plan."));
    assert!(rule("roles: []\nsign_offs: [legal]").roles.is_empty());
}

#[test]
fn a_condition_that_is_null_asks() {
    check("cost > 1.2 * cost_before", facts(), true);
    check("cost > 1.4 * cost_before", facts(), false);
    // A change by share is no answer for what is new, nor for numbers that are none.
    check("cost > 1.4 * cost_before", PolicyFacts { cost_before: None, is_new: true, ..facts() }, true);
    check("cost > 1.4 * cost_before", PolicyFacts { cost: f64::NAN, ..facts() }, true);
    check("budget > 2 * budget_before", facts(), true);
    check("expected_value_low < 0", facts(), true);
    // NULL inside a condition that is FALSE all the same does not.
    check("is_new AND cost > 1.4 * cost_before", PolicyFacts { cost_before: None, ..facts() }, false);
    check("policy IN ('spring') AND destinations = 0 AND people + deliveries = 0", facts(), true);
}

#[test]
fn a_rule_is_about_one_kind() {
    let every = [
        Facts::Policy(facts()),
        Facts::Unfreeze { frozen_hours: 3.0 },
        Facts::Role { role: "admin".to_owned(), grants_admin: true },
        Facts::Other,
    ];
    for (what, when) in [
        ("policy", "cost > 0"),
        ("unfreeze", "frozen_hours > 2"),
        ("role", "grants_admin OR role = 'approver'"),
        ("other", "TRUE"),
    ] {
        let text = format!("apiVersion: throughline/v1\nkind: Approval\nname: a\nwhat: {what}\nwhen: {when}\n");
        let rule = Rule::parse(&text, "a.yaml").expect("a rule");
        let applies: Vec<&str> = every.iter().filter(|f| rule.applies(f)).map(|f| f.kind().name()).collect();
        assert_eq!(applies, [what]);
    }
}

#[test]
fn faults_have_place_code_and_help() {
    refused(
        "apiVersion: throughline/v2\nkind: Aproval\nname: a b\nwhat: polcy\n",
        &[
            "F:1:13: error[TL962]: apiVersion is `throughline/v2`, expected `throughline/v1`",
            "F:2:7: error[TL962]: kind is `Aproval`, expected `Approval`",
            "F:3:7: error[TL963]: approval rule name `a b` is not a plain word\n  help: use letters, digits, `_` and `-`, at most 64",
            "F:4:7: error[TL964]: unknown kind of approval `polcy` (known: policy, unfreeze, role, other); did you mean `policy`?",
        ],
    );
    faulty(
        "quorom: 2\n",
        &[
            "F:5:1: error[TL961]: unknown field `quorom`, expected one of apiVersion, kind, name, what, when, quorum, roles, \
              sign_offs, self_approve, expires_after_hours, reason\n  help: did you mean `quorum`?",
        ],
    );
    faulty("quorum: 0\n", &["F:5:9: error[TL966]: quorum of 0 is outside 1 to 100"]);
    faulty("quorum: -1\n", &["F:5:9: error[TL966]: quorum of -1 is outside 1 to 100"]);
    faulty("expires_after_hours: 9000\n", &["F:5:22: error[TL966]: expires_after_hours of 9000 is outside 1 to 8760"]);
    faulty(
        "reason: \"a\\u0007b\"\n",
        &["F:5:9: error[TL966]: the reason has the control character U+0007 at position 2"],
    );
    faulty(
        "roles: [approver, markter]\nsign_offs: [finanse]\n",
        &[
            "F:5:19: error[TL967]: unknown role `markter` (known: viewer, analyst, marketer, approver, admin); did you mean `marketer`?",
            "F:6:13: error[TL967]: unknown sign-off `finanse` (known: growth, finance, legal, operations); did you mean `finance`?",
        ],
    );
    faulty(
        "roles: []\n",
        &[
            "F: error[TL967]: neither `roles` nor `sign_offs` names anybody who may vote\n  help: leave `roles` out for approvers",
        ],
    );
}

#[test]
fn conditions_are_checked_against_the_facts_of_their_kind() {
    let found = Rule::parse(&format!("{HEAD}when: frozen_hours > 2\n"), "big.yaml").expect_err("refused");
    let text = found[0].to_string();
    assert!(
        text.starts_with("big.yaml:5:7: error[TL965]: unknown column `frozen_hours` at line 1, column 1"),
        "{text}"
    );
    assert!(text.contains("known columns: is_new, people, deliveries, cost, cost_before"), "{text}");
    let found = Rule::parse(&format!("{HEAD}when: cost + 1\n"), "big.yaml").expect_err("refused");
    assert!(found[0].message.contains("expected an expression of type Bool, got Float"), "{found:?}");
}

#[test]
fn missing_keys_and_broken_yaml_are_findings() {
    for text in ["", "kind: Approval\n", "a: [", "quorum: many\n"] {
        let found = Rule::parse(text, "a.yaml").expect_err("refused");
        assert_eq!((found.len(), found[0].code.as_str()), (1, "TL961"), "{found:?}");
    }
}

#[test]
fn names_are_used_once() {
    let found = Rule::check_names(&[rule(""), rule("quorum: 2")]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].to_string(), "approvals/big.yaml: error[TL963]: approval rule `big` is declared twice");
    assert!(Rule::check_names(&[rule("")]).is_empty());
}

#[test]
fn rules_that_apply_are_merged() {
    let named = |name: &str, rest: &str| {
        let text = format!("{}{rest}", HEAD.replace("big", name));
        Rule::parse(&text, "a.yaml").expect("a rule")
    };
    let rules = [
        named("a", "when: cost > 1\nquorum: 2\nself_approve: true\n"),
        named("b", "when: is_new\nsign_offs: [legal]\n"),
        named("c", "when: people = 0 OR is_new\nroles: [admin]\nsign_offs: [finance]\nexpires_after_hours: 5\n"),
        named("d", "self_approve: true\nexpires_after_hours: 100\n"),
    ];
    let merged = rules_for(&rules, &Facts::Policy(facts())).expect("a requirement");
    assert_eq!((merged.name.as_str(), merged.quorum, merged.expires_after_hours), ("a + c + d", 2, 5));
    assert_eq!(merged.roles, BTreeSet::from([Role::Approver, Role::Admin]));
    assert_eq!(merged.sign_offs, BTreeSet::from([SignOff::Finance]));
    assert!(!merged.self_approve);
    assert_eq!(merged.when.as_deref(), Some("(cost > 1.0) AND (people = 0 OR is_new)"));
    assert!(rules_for(&[rules[0].clone(), rules[3].clone()], &Facts::Policy(facts())).expect("two").self_approve);
    assert_eq!(rules_for(&rules[3..], &Facts::Policy(facts())).expect("one").when, None);
    assert_eq!(rules_for(&rules[1..2], &Facts::Policy(facts())), None);
    assert_eq!(rules_for(&rules, &Facts::Other), None);
    assert_eq!(rules_for(&[], &Facts::Policy(facts())), None);
}
