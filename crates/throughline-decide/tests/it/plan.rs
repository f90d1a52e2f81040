//! Decisions: feasibility, reasons, holdout, budget and exploration.

use proptest::prelude::*;
use throughline_core::{Consent, Purpose};
use throughline_decide::{
    ActionKind, Candidate, DecideError, Decision, DecisionArm, FrequencyCap, Logged, Planner, Policy, decide,
    policy_value,
};

use crate::support::{action, candidate, cycle, person, policy, scored, share, uniform};

fn one(policy: &Policy, candidate: Candidate) -> Decision {
    decide(policy, cycle("c"), &[candidate]).expect("decided").decisions.remove(0)
}

/// Action, expected net value in micros, and the reasons, after changes to policy and candidate.
#[track_caller]
fn check(change: impl FnOnce(&mut Policy, &mut Candidate), expect: (&str, i64, &str)) {
    let (mut policy, mut person) = (policy(), candidate(1, 0.5, 0.6));
    change(&mut policy, &mut person);
    let decision = one(&policy, person);
    let reasons: Vec<String> = decision.rationale.iter().map(ToString::to_string).collect();
    assert_eq!((decision.action.as_str(), decision.expected_net_value_micros, reasons.join(" ").as_str()), expect);
    let total: f64 = decision.action_probabilities.iter().map(|(_, p)| p).sum();
    assert!((total - 1.0).abs() < 1e-12 && decision.expected_net_value_micros >= 0);
}

#[test]
fn the_best_feasible_action_and_why() {
    check(|_, _| {}, ("mail", 4_000_000, "best_net_value"));
    check(|_, c| c.actions[2] = scored(0.9), ("call", 6_000_000, "best_net_value"));
    // Equal net value: the cheaper one. Equal cost too: by name. Nothing to win: none.
    check(|_, c| c.actions[2] = scored(0.7), ("mail", 4_000_000, "best_net_value"));
    check(
        |p, c| {
            p.actions[2].cost_micros = 1_000_000;
            c.actions[2] = scored(0.5);
        },
        ("call", 4_000_000, "best_net_value"),
    );
    check(|_, c| c.actions[1..].fill(scored(0.1)), ("none", 0, "below_threshold"));
    check(|_, c| c.actions[1..].fill(scored(-3.0)), ("none", 0, "below_threshold"));
    check(|p, _| p.constraints.min_expected_net_value_micros = 4_000_001, ("none", 0, "below_threshold"));
    check(|p, _| p.constraints.budget_micros = Some(999_999), ("none", 0, "budget_exhausted"));
    check(|p, _| p.constraints.budget_micros = Some(0), ("none", 0, "budget_exhausted"));
    check(|p, _| p.constraints.holdout = share(1.0), ("none", 0, "holdout"));
}

#[test]
fn rules_deny_and_say_so() {
    let rule = |p: &mut Policy| p.actions[1].eligibility = Some("age > 18".to_owned());
    check(|p, _| rule(p), ("call", 3_000_000, "best_net_value not_eligible:mail"));
    check(
        |p, c| {
            rule(p);
            c.actions[1].eligible = Some(false);
        },
        ("call", 3_000_000, "best_net_value not_eligible:mail"),
    );
    check(
        |p, c| {
            rule(p);
            c.actions[1].eligible = Some(true);
        },
        ("mail", 4_000_000, "best_net_value"),
    );
    check(
        |p, c| {
            p.actions[1].consent = vec![Purpose::Messaging];
            c.consent = Consent::default();
        },
        ("call", 3_000_000, "best_net_value no_consent:mail"),
    );
    let cap = |p: &mut Policy| p.constraints.frequency_cap = Some(FrequencyCap { max: 2, window_days: 7.0 });
    check(
        |p, c| {
            cap(p);
            c.contacts_in_window = 2;
        },
        ("none", 0, "frequency_cap:mail frequency_cap:call"),
    );
    check(
        |p, c| {
            cap(p);
            c.contacts_in_window = 1;
        },
        ("mail", 4_000_000, "best_net_value"),
    );
    check(
        |p, c| {
            p.actions[1].cooldown_days = 7.0;
            c.actions[1].days_since_last = Some(6.9);
        },
        ("call", 3_000_000, "best_net_value cooldown:mail"),
    );
}

#[test]
fn without_a_usable_score_nothing_is_done() {
    check(|_, c| c.score_expired = true, ("none", 0, "no_score no_score:mail no_score:call"));
    check(|_, c| c.actions[1].effect = None, ("call", 3_000_000, "best_net_value no_score:mail"));
    check(|_, c| c.actions[1].effect = Some(f64::NAN), ("call", 3_000_000, "best_net_value no_score:mail"));
    check(|_, c| c.actions[1].effect = Some(1e300), ("call", 3_000_000, "best_net_value no_score:mail"));
}

#[test]
fn intervals_come_from_standard_errors_only() {
    let decision = one(&policy(), candidate(1, 0.5, 0.6));
    assert_eq!((decision.interval_micros, decision.interval_absent), (None, Some("no_std_error")));
    let mut with_error = candidate(1, 0.5, 0.6);
    with_error.actions[1].std_error = Some(0.1);
    let decision = one(&policy(), with_error);
    // 4 ± 1.959964 × 0.1 × 10 in units of money.
    assert_eq!((decision.interval_micros, decision.interval_absent), (Some((2_040_036, 5_959_964)), None));
    assert!((decision.confidence.expect("an error") - 0.999_968).abs() < 1e-6);
    assert_eq!(decision.top_n.iter().map(|r| r.action.as_str()).collect::<Vec<_>>(), ["mail", "call", "none"]);
    assert_eq!(decision.top_n[0].lower_bound_micros, Some(2_040_036));
    let nothing = one(&policy(), candidate(1, -1.0, -1.0));
    assert_eq!((nothing.action.as_str(), nothing.interval_absent), ("none", Some("baseline")));
}

fn people(n: u32, stream: u64) -> Vec<Candidate> {
    let effect = |i: u32, k: u64| uniform(stream, u64::from(i) * 2 + k) - 0.2;
    (0..n).map(|i| candidate(i, effect(i, 0), effect(i, 1))).collect()
}

#[test]
fn the_holdout_is_permanent_and_of_the_stated_size() {
    let mut policy = policy();
    policy.constraints.holdout = share(0.1);
    let people = people(4_000, 1);
    let held = |id: &str| -> Vec<bool> {
        let decided = decide(&policy, cycle(id), &people).expect("decided").decisions;
        decided.iter().map(|d| d.arm == DecisionArm::Holdout).collect()
    };
    let first = held("monday");
    assert_eq!(first, held("tuesday"));
    let size = first.iter().filter(|h| **h).count();
    // Binomial(4000, 0.1): standard deviation 19.
    assert!((310..490).contains(&size), "{size}");
}

#[test]
fn candidates_must_fit_the_policy_and_the_plan() {
    let policy = policy();
    let text = |candidates: &[Candidate]| decide(&policy, cycle("c"), candidates).expect_err("refused").to_string();
    let twice = candidate(1, 0.1, 0.1);
    assert_eq!(text(&[twice.clone(), twice]), format!("person {} was given twice in one cycle", person(1)));
    let mut short = candidate(1, 0.1, 0.1);
    short.actions.pop();
    assert!(text(&[short]).contains("has 2 action views, but the policy has 3 actions"));
    let plan = Planner::new(&policy, cycle("c")).expect("a policy").solve().expect("a plan");
    assert!(matches!(plan.decide(&candidate(1, 0.1, 0.1)), Err(DecideError::UnplannedPerson { .. })));
    assert_eq!(decide(&policy, cycle("c"), &[]).expect("nobody").decisions, []);
}

fn with_limits(budget: i64, exploration: f64) -> Policy {
    let mut policy = policy();
    policy.constraints.budget_micros = Some(budget);
    policy.constraints.exploration = share(exploration);
    policy
}

proptest! {
    #[test]
    fn no_draw_exceeds_the_budget_and_order_does_not_matter(
        n in 1_u32..60,
        budget in 0_i64..60_000_000,
        exploration in 0.0_f64..0.9,
        stream in 0_u64..1_000,
    ) {
        let policy = with_limits(budget, exploration);
        let mut people = people(n, stream);
        let decided = decide(&policy, cycle(&stream.to_string()), &people).expect("decided");
        let spend: i64 = decided.decisions.iter().map(|d| d.cost_micros).sum();
        prop_assert!(spend <= budget, "{spend} {budget}");
        people.reverse();
        prop_assert_eq!(decide(&policy, cycle(&stream.to_string()), &people).expect("decided"), decided);
    }
}

/// Over many cycles each action is taken as often as its logged probability says, and the logs give an unbiased value
/// of another policy.
#[test]
fn logged_probabilities_are_those_of_the_final_rule() {
    let policy = with_limits(400_000_000, 0.3);
    let people = people(200, 7);
    let cycles = 1_000_u32;
    let mut taken = vec![[0_u32; 3]; people.len()];
    let mut promised: Vec<Vec<(String, f64)>> = Vec::new();
    let mut log = Vec::new();
    for id in 0..cycles {
        let decided = decide(&policy, cycle(&id.to_string()), &people).expect("decided");
        assert_eq!((decided.summary.explorable, decided.summary.explored), (200, 60));
        assert!(decided.summary.certificate.shadow_prices["budget"] > 0.0);
        let now: Vec<_> = decided.decisions.iter().map(|d| d.action_probabilities.clone()).collect();
        if promised.is_empty() {
            promised.clone_from(&now);
        }
        // What the allocation chose does not depend on the draws of a cycle.
        assert_eq!(now, promised);
        for (i, d) in decided.decisions.iter().enumerate() {
            let action = policy.action(&d.action).expect("known");
            taken[i][action] += 1;
            let reward = [0.0, 1.0, 3.0][action] + uniform(u64::from(id) + 50, i as u64);
            log.push(Logged { propensity: d.action_probabilities[action].1, target: 1.0 / 3.0, reward });
        }
    }
    for (counts, probabilities) in taken.iter().zip(&promised) {
        for (count, (_, p)) in counts.iter().zip(probabilities) {
            let sd = (f64::from(cycles) * p * (1.0 - p)).sqrt();
            let z = (f64::from(*count) - f64::from(cycles) * p) / sd;
            // The largest of 600 standard normal numbers exceeds 4.8 once in a thousand times.
            assert!(z.abs() < 4.8, "{count} {p}");
        }
    }
    let value = policy_value(&log, throughline_core::Level::P95).expect("evaluated");
    let (truth, got) = (4.0 / 3.0 + 0.5, &value.snips);
    assert!((got.value - truth).abs() < 4.0 * got.std_error.expect("an error"), "{}", got.value);
}

#[test]
fn exploration_beyond_the_budget_is_cut_and_said() {
    let decided = decide(&with_limits(30_000_000, 0.5), cycle("c"), &people(200, 3)).expect("decided").summary;
    // Half of 30 pays for 5 calls at 3.
    assert_eq!((decided.explored, decided.reserved_micros), (5, 15_000_000));
    assert_eq!(decided.exploration_rate, 5.0 / 200.0);
    assert_eq!(decided.diagnostics[0].code, "TL907");
    assert_eq!(decided.certificate.budget_micros, Some(15_000_000));
}

#[test]
fn actions_without_an_arm_do_nothing_to_the_outcome() {
    let mut policy = policy();
    let mut wait = action("wait", 0);
    (wait.kind, wait.arm) = (ActionKind::Delay, None);
    policy.actions.push(wait);
    let mut person = candidate(1, -1.0, -1.0);
    person.actions.push(throughline_decide::ActionView::default());
    assert_eq!(one(&policy, person).action, "none");
}
