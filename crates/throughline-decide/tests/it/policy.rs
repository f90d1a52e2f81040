//! Policies are read strictly and checked.

use throughline_core::{Purpose, Severity};
use throughline_decide::{FrequencyCap, Planner, Policy, check_policy};

use crate::support::{action, cycle, policy, share};

#[track_caller]
fn check(change: impl FnOnce(&mut Policy), expect: &[(&str, &str)]) {
    let mut changed = policy();
    changed.constraints.holdout = share(0.1);
    change(&mut changed);
    let found = check_policy(&changed, Some(&["mail", "call"]));
    assert_eq!(found.len(), expect.len(), "{found:?}");
    for (diagnostic, (code, text)) in found.iter().zip(expect) {
        assert_eq!(diagnostic.code, *code);
        assert!(diagnostic.to_string().contains(text), "{diagnostic}");
    }
    let errors = found.iter().any(|d| d.severity == Severity::Error && !d.message.contains("the model does not have"));
    assert_eq!(Planner::new(&changed, cycle("c")).is_err(), errors);
}

#[test]
fn faults_are_named_with_their_bounds() {
    check(|_| {}, &[]);
    check(|p| p.actions[1].arm = Some("mial".to_owned()), &[("TL903", "did you mean `mail`?")]);
    check(|p| p.actions[1].arm = Some("television".to_owned()), &[("TL903", "known arms: mail, call")]);
    check(|p| p.actions[1].arm = None, &[("TL903", "names no arm")]);
    check(|p| p.actions[2].cost_micros = -5, &[("TL902", "cost of -5 micros of action `call` is outside 0 to")]);
    check(|p| p.actions.push(action("mail", 1)), &[("TL901", "two actions are named `mail`")]);
    check(|p| drop(p.actions.remove(0)), &[("TL906", "has 0 actions of kind `none`")]);
    check(|p| p.actions[0].cost_micros = 1, &[("TL906", "doing nothing is free")]);
    check(|p| p.margin = f64::NAN, &[("TL902", "margin of NaN")]);
    check(|p| p.outcome_is_money = true, &[("TL902", "margin of 10 is outside 0 (excluded) to 1")]);
    check(|p| p.constraints.exploration = share(0.95), &[("TL904", "exceed 1 together")]);
    check(|p| p.constraints.holdout = None, &[("TL904", "without a holdout")]);
    check(|p| p.constraints.budget_micros = Some(-1), &[("TL902", "budget of -1 micros is negative")]);
    check(|p| p.constraints.budget_micros = Some(0), &[("TL902", "only actions without cost")]);
    check(
        |p| p.constraints.frequency_cap = Some(FrequencyCap { max: 0, window_days: 0.0 }),
        &[("TL905", "window of 0 days"), ("TL905", "forbids every contact")],
    );
    check(|p| p.salt.clear(), &[("TL901", "salt is empty")]);
}

#[test]
fn policies_are_read_strictly() {
    let text = r#"{"version":"v1","margin":0.3,"outcome_is_money":true,"salt":"s",
        "constraints":{"budget_micros":5000000,"holdout":0.05,"exploration":0.1,"frequency_cap":{"max":2,"window_days":7}},
        "actions":[{"name":"none","kind":"none"},
                   {"name":"mail","kind":"send","arm":"mail","cost_micros":10000,"consent":["messaging"],"eligibility":"age > 18"}]}"#;
    let read: Policy = serde_json::from_str(text).expect("a policy");
    assert_eq!((read.actions[1].consent.as_slice(), check_policy(&read, None).len()), (&[Purpose::Messaging][..], 0));
    let again: Policy = serde_json::from_str(&serde_json::to_string(&read).expect("text")).expect("a policy");
    assert_eq!(again, read);
    for (from, to, expect) in [
        ("\"send\"", "\"sned\"", "unknown variant `sned`"),
        ("\"budget_micros\"", "\"budget\"", "unknown field `budget`"),
        ("\"holdout\":0.05", "\"holdout\":5", "share of 5 is outside 0 to 1"),
        ("\"messaging\"", "\"mesaging\"", "unknown variant `mesaging`"),
    ] {
        let error = serde_json::from_str::<Policy>(&text.replace(from, to)).expect_err("refused").to_string();
        assert!(error.contains(expect), "{error}");
    }
    let error = read.action("mial").expect_err("unknown").to_string();
    assert_eq!(error, "unknown action `mial` (known: none, mail); did you mean `mail`?");
}
