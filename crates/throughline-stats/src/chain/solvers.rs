//! The solvers against each other.

use proptest::prelude::*;

use super::removal::Watched;
use super::tests::{chains, close, loss_on_entry};
use super::*;
use crate::stream::Stream;

/// The same chain by factors and, unless it is too slow for them, by sweeps.
fn both(counts: &Counts) -> (Chain, Chain) {
    let by = |few, most| Chain::with_limits(counts.clone(), few, most).expect("every state ends");
    (by(usize::MAX, 0), by(0, MOST_SWEEPS))
}

/// Losses by elimination alone.
fn eliminated(chain: &Chain, reward: &[f64], groups: &[Vec<usize>]) -> Vec<f64> {
    let groups: Vec<Vec<usize>> = groups.iter().map(|g| chain.valid(g)).collect();
    let entries = Watched::whole(&chain.counts).entries(&groups);
    chain.losses(&[chain.solve(reward)], &groups, &entries).concat()
}

/// Walks of an order-2 chain over `channels`, each pair of channels a state, with random counts.
fn pairs(channels: usize) -> (Counts, Vec<Vec<usize>>) {
    let stream = Stream::new(11, 3);
    let n = channels * channels;
    let draw = |k: usize| (stream.uniform_at(k as u64) * 40.0).floor();
    let column = |c: usize| (0..n).map(|s| draw(c * n + s)).collect::<Vec<f64>>();
    let mut counts = Counts { start: column(0), success: column(1), failure: column(2), transitions: Vec::new() };
    counts.failure.iter_mut().for_each(|f| *f += 1.0);
    let number = |s: usize| u32::try_from(s).expect("small");
    for s in 0..n {
        for next in 0..channels {
            let to = s % channels * channels + next;
            counts.transitions.push((number(s), number(to), 6.0 * draw((3 + next) * n + s)));
        }
    }
    let groups = (0..channels).map(|g| (0..n).filter(|s| s / channels == g || s % channels == g).collect()).collect();
    (counts, groups)
}

#[test]
fn an_order_two_chain_is_the_same_by_every_solver() {
    let (counts, groups) = pairs(9);
    let (dense, sweeps) = both(&counts);
    assert!(matches!((&dense.solver, &sweeps.solver), (Solver::Dense(_), Solver::Sweeps(_))));
    let exact = eliminated(&dense, &counts.success, &groups);
    for chain in [&dense, &sweeps] {
        assert!(close(chain.success_probability(), chain.from_start(&chain.success_from()), 1e-13));
        for (loss, exact) in chain.removal_losses(&[&counts.success], &groups)[0].iter().zip(&exact) {
            assert!(close(*loss, *exact, 1e-13), "{loss} against {exact}");
        }
    }
}

#[test]
fn ten_thousand_states_are_solved() {
    // A ring that is entered anywhere, moves one or seven steps on, and ends with a quarter of its walks.
    let n = 10_000_u32;
    let counts = Counts {
        start: vec![1.0; n as usize],
        transitions: (0..n).flat_map(|s| [(s, (s + 1) % n, 2.0), (s, (s + 7) % n, 1.0)]).collect(),
        success: vec![0.25; n as usize],
        failure: vec![0.75; n as usize],
    };
    let chain = Chain::new(counts.clone()).expect("settles");
    assert!(close(chain.success_probability(), 0.25, 1e-14));
    // 20,000 transitions, some tens of sweeps.
    assert!((2e5..2e6).contains(&chain.removal_cost(1)) && chain.removal_cost(5) == 5.0 * chain.removal_cost(1));
    let groups: Vec<Vec<usize>> = vec![vec![0], vec![4_321], (0..n as usize).collect(), vec![]];
    let losses = &chain.removal_losses(&[&counts.success], &groups)[0];
    // The ring is so long that no walk returns: each state is visited by 4 walks, of which a quarter succeeds.
    for (loss, expect) in losses.iter().zip([4e-4 * 0.25, 4e-4 * 0.25, 0.25, 0.0]) {
        assert!(close(*loss, expect, 1e-13) || (expect == 0.0 && *loss == 0.0), "{loss} against {expect}");
    }
}

#[test]
fn a_slow_component_does_not_slow_the_others() {
    // Two states that swap 5,000 times before they end, far from a long line of states.
    let n = 8_000_u32;
    let mut counts = Counts {
        start: vec![0.0; n as usize],
        transitions: (2..n - 1).map(|s| (s + 1, s, 1.0)).chain([(0, 1, 5e3), (1, 0, 5e3)]).collect(),
        success: vec![0.0; n as usize],
        failure: vec![0.0; n as usize],
    };
    (counts.start[0], counts.success[1]) = (1.0, 1.0);
    (counts.start[n as usize - 1], counts.success[2], counts.failure[2]) = (3.0, 0.5, 0.5);
    let chain = Chain::new(counts).expect("settles");
    assert!(matches!(chain.solver, Solver::Sweeps(_)));
    assert!(close(chain.success_probability(), (1.0 + 1.5) / 4.0, 1e-11), "{}", chain.success_probability());
}

#[test]
fn chains_that_hardly_end_are_factorised_or_refused() {
    // Two states that swap for ever except once in 10^9 steps, and idle ones.
    let slow = |states: usize| {
        let mut counts = Counts {
            start: vec![0.0; states],
            transitions: vec![(0, 1, 1e9), (1, 0, 1e9)],
            success: vec![0.0; states],
            failure: vec![0.0; states],
        };
        (counts.start[0], counts.success[1], counts.failure[0]) = (1.0, 2.0, 1.0);
        Chain::new(counts)
    };
    let solved = slow(FEW_STATES + 1).expect("factorised");
    assert!(matches!(solved.solver, Solver::Dense(_)));
    assert!(close(solved.success_probability(), 2e9 / (3e9 + 2.0), 1e-15));
    let refused = slow(MAX_DENSE_STATES + 1).expect_err("too slow");
    assert_eq!(refused, ChainError::SlowToEnd { states: 3001, sweeps: MOST_SWEEPS });
}

#[test]
fn cycles_are_no_trap_for_the_bound() {
    // A ring of 13 entered at one state: what sweeps add moves round, and none of it may be missed.
    let n = 13_u32;
    let mut counts = Counts {
        start: vec![0.0; 13],
        transitions: (0..n).map(|s| (s, (s + n - 1) % n, 99.0)).collect(),
        success: vec![1.0; 13],
        failure: vec![0.0; 13],
    };
    counts.start[5] = 1.0;
    let (dense, sweeps) = both(&counts);
    for (one, other) in dense.passages.iter().zip(&sweeps.passages) {
        assert!(close(*one, *other, 2e-13), "{one} against {other}");
    }
}

proptest! {
    #[test]
    fn solvers_agree(counts in chains(), masks in prop::collection::vec(0_usize..256, 0..12)) {
        let n = counts.start.len();
        let groups: Vec<Vec<usize>> = masks.iter().map(|m| (0..n).filter(|s| m >> s & 1 == 1).collect()).collect();
        let rewards: Vec<f64> = counts.success.iter().enumerate().map(|(i, s)| s * (i + 1) as f64).collect();
        let (dense, sweeps) = both(&counts);
        for (one, other) in dense.success_from().iter().zip(sweeps.success_from()) {
            prop_assert!(close(*one, other, 1e-11), "{one} against {other}");
        }
        for reward in [&counts.success, &rewards] {
            for (k, group) in groups.iter().enumerate() {
                let exact = loss_on_entry(&dense, reward, group);
                let updated = dense.removal_losses(&[reward], &groups)[0][k];
                let swept = sweeps.removal_losses(&[reward], &groups)[0][k];
                prop_assert!(close(updated, exact, 1e-11), "{group:?}: {updated} by update against {exact}");
                prop_assert!(close(swept, exact, 1e-11), "{group:?}: {swept} by sweeps against {exact}");
                prop_assert!(close(eliminated(&dense, reward, &groups)[k], exact, 4e-13), "{group:?} against {exact}");
            }
        }
    }
}
