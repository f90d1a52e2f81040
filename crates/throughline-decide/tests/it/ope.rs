//! Off-policy evaluation: coverage on simulated logs, and the Open Bandit numbers.

use throughline_core::Level;
use throughline_decide::{Logged, PairedLogged, policy_difference, policy_value};

use crate::support::{binomial_p, reference, uniform};

const BEHAVIOUR: [f64; 4] = [0.4, 0.3, 0.2, 0.1];
const TARGET: [f64; 4] = [0.1, 0.2, 0.3, 0.4];
const CLICKS: [f64; 4] = [0.2, 0.35, 0.5, 0.3];

/// Rows of a log of clicks: the action drawn from `BEHAVIOUR`, the click from `CLICKS`.
fn simulate(replication: u64, rows: u64) -> Vec<(usize, f64)> {
    let draw = |i: u64| {
        let mut u = uniform(replication, 2 * i);
        let action = BEHAVIOUR.iter().position(|p| {
            u -= p;
            u < 0.0
        });
        let action = action.unwrap_or(3);
        (action, f64::from(uniform(replication, 2 * i + 1) < CLICKS[action]))
    };
    (0..rows).map(draw).collect()
}

fn value(policy: &[f64; 4]) -> f64 {
    policy.iter().zip(CLICKS).map(|(p, c)| p * c).sum()
}

#[test]
fn intervals_cover_the_known_value_as_often_as_they_say() {
    let replications = 1_000_u32;
    let (mut ips, mut snips, mut paired, mut paired_snips) = (0, 0, 0, 0);
    let uniform_policy = [0.25; 4];
    for replication in 0..replications {
        let rows = simulate(u64::from(replication), 1_000);
        let log: Vec<Logged> =
            rows.iter().map(|&(a, reward)| Logged { propensity: BEHAVIOUR[a], target: TARGET[a], reward }).collect();
        let estimate = policy_value(&log, Level::P95).expect("evaluated");
        ips += u32::from(estimate.ips.set.contains(value(&TARGET)));
        snips += u32::from(estimate.snips.set.contains(value(&TARGET)));
        let pairs: Vec<PairedLogged> = rows
            .iter()
            .map(|&(a, reward)| PairedLogged { propensity: BEHAVIOUR[a], target_a: TARGET[a], target_b: 0.25, reward })
            .collect();
        let difference = policy_difference(&pairs, Level::P95).expect("evaluated");
        let truth = value(&TARGET) - value(&uniform_policy);
        paired += u32::from(difference.ips.set.contains(truth));
        paired_snips += u32::from(difference.snips.set.contains(truth));
    }
    for hits in [ips, snips, paired, paired_snips] {
        assert!(binomial_p(hits, replications, 0.95) > 0.01, "{ips} {snips} {paired} {paired_snips}");
    }
}

#[test]
fn the_binomial_test_can_reject() {
    assert!(binomial_p(930, 1_000, 0.95) < 0.01 && binomial_p(968, 1_000, 0.95) < 0.01);
    assert!(binomial_p(950, 1_000, 0.95) > 0.9);
}

#[test]
fn pairing_narrows_the_difference() {
    let rows = simulate(5_000, 2_000);
    let log = |target: fn(usize) -> f64| -> Vec<Logged> {
        rows.iter().map(|&(a, reward)| Logged { propensity: BEHAVIOUR[a], target: target(a), reward }).collect()
    };
    let a = policy_value(&log(|a| TARGET[a]), Level::P95).expect("evaluated").ips;
    let b = policy_value(&log(|_| 0.25), Level::P95).expect("evaluated").ips;
    let pairs: Vec<PairedLogged> = rows
        .iter()
        .map(|&(a, reward)| PairedLogged { propensity: BEHAVIOUR[a], target_a: TARGET[a], target_b: 0.25, reward })
        .collect();
    let difference = policy_difference(&pairs, Level::P95).expect("evaluated").ips;
    assert!((difference.value - (a.value - b.value)).abs() < 1e-12);
    let error = |e: &throughline_core::Estimate| e.std_error.expect("an error");
    assert!(error(&difference) < error(&a).hypot(error(&b)));
}

#[test]
fn the_order_of_the_log_does_not_matter() {
    let log: Vec<Logged> = simulate(6_000, 500)
        .into_iter()
        .map(|(a, reward)| Logged { propensity: BEHAVIOUR[a], target: TARGET[a], reward: reward / 3.0 })
        .collect();
    let reversed: Vec<Logged> = log.iter().rev().copied().collect();
    assert_eq!(policy_value(&log, Level::P95).expect("one"), policy_value(&reversed, Level::P95).expect("other"));
}

#[test]
fn bad_logs_are_refused() {
    #[track_caller]
    fn check(rows: &[(f64, f64, f64)], expect: &str) {
        let log: Vec<Logged> =
            rows.iter().map(|&(propensity, target, reward)| Logged { propensity, target, reward }).collect();
        assert!(policy_value(&log, Level::P95).expect_err("refused").to_string().contains(expect));
    }
    let good = (0.5, 0.5, 1.0);
    check(&[], "a log of 0 rows");
    check(&[good], "a log of 1 rows");
    check(&[good, (0.0, 0.5, 1.0)], "row 1 of the log has a propensity of 0, which is outside 1e-12 to 1");
    check(&[good, (f64::NAN, 0.5, 1.0)], "a propensity of NaN");
    check(&[good, (0.5, 1.5, 1.0)], "a target probability of 1.5");
    check(&[good, (0.5, 0.5, f64::INFINITY)], "a reward of inf");
    check(&[(0.5, 0.0, 1.0), (0.5, 0.0, 1.0)], "probability 0 to all 2 logged actions");
}

#[test]
fn weak_support_is_said() {
    let rare: Vec<Logged> = (0..2_000)
        .map(|i| Logged { propensity: if i == 0 { 1e-4 } else { 1.0 }, target: f64::from(i == 0), reward: 1.0 })
        .collect();
    let codes: Vec<String> =
        policy_value(&rare, Level::P95).expect("evaluated").diagnostics.into_iter().map(|d| d.code).collect();
    assert_eq!(codes, ["TL911", "TL912"]);
    let half: Vec<Logged> = (0..2_000).map(|_| Logged { propensity: 1.0, target: 0.5, reward: 1.0 }).collect();
    let codes: Vec<String> =
        policy_value(&half, Level::P95).expect("evaluated").diagnostics.into_iter().map(|d| d.code).collect();
    assert_eq!(codes, ["TL913"]);
}

/// The published numbers of the Open Bandit sample, men's campaign, 34 items, uniform target.
#[test]
fn open_bandit_values() {
    for (logs, on_policy) in [("random", 0.0046), ("bts", 0.0069)] {
        let Some(path) = reference(&format!("open-bandit/{logs}/men/men.csv")) else { return };
        let mut log = Vec::new();
        for record in csv::Reader::from_path(path).expect("the log").records() {
            let record = record.expect("a row");
            let number = |i: usize| record[i].parse::<f64>().expect("a number");
            log.push(Logged { propensity: number(5), target: 1.0 / 34.0, reward: number(4) });
        }
        let mean = log.iter().map(|l| l.reward).sum::<f64>() / log.len() as f64;
        assert_eq!((log.len(), mean), (10_000, on_policy));
        let value = policy_value(&log, Level::P95).expect("evaluated");
        if logs == "random" {
            assert!((value.ips.value - on_policy).abs() < 1e-9 && (value.mean_weight - 1.0).abs() < 1e-9);
        } else {
            assert!((value.ips.value - 0.003_01).abs() < 5e-6, "{}", value.ips.value);
            assert!((value.snips.value - 0.003_19).abs() < 5e-6, "{}", value.snips.value);
            assert!((value.mean_weight - 0.943).abs() < 5e-4, "{}", value.mean_weight);
            assert!((value.min_propensity - 1.65e-4).abs() < 5e-7, "{}", value.min_propensity);
            assert!(value.diagnostics.iter().any(|d| d.code == "TL911"));
        }
    }
}
