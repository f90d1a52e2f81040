//! Hand-solved chains, and random ones against the definition.

use proptest::prelude::*;

use super::*;

pub(super) fn close(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * a.abs().max(b.abs()).max(1e-300)
}

/// The same walks when every entry into `group` fails at once.
fn without(counts: &Counts, group: &[usize]) -> Counts {
    let mut rest = Counts { transitions: Vec::new(), ..counts.clone() };
    for &(from, to, count) in &counts.transitions {
        match (group.contains(&(from as usize)), group.contains(&(to as usize))) {
            (true, _) => {}
            (false, true) => rest.failure[from as usize] += count,
            (false, false) => rest.transitions.push((from, to, count)),
        }
    }
    for &s in group {
        (rest.start[s], rest.success[s], rest.failure[s]) = (0.0, 0.0, 0.0);
    }
    rest
}

/// The mean reward of a chain without `group`, by the definition of removal.
fn mean_without(chain: &Chain, reward: &[f64], group: &[usize]) -> f64 {
    let kept: Vec<f64> = reward.iter().enumerate().map(|(s, r)| if group.contains(&s) { 0.0 } else { *r }).collect();
    let rest = Chain::new(without(&chain.counts, group)).expect("removal only shortens walks");
    if chain.walks > 0.0 { dot(&rest.counts.start, &rest.solve(&kept)) / chain.walks } else { 0.0 }
}

/// What removal of `group` loses, without a difference: walks that start in the group lose all their reward, and in the
/// chain without the group each transition into it is paid what it would have led to.
pub(super) fn loss_on_entry(chain: &Chain, reward: &[f64], group: &[usize]) -> f64 {
    let from = chain.solve(reward);
    let mut paid = vec![0.0; chain.states()];
    for &(i, j, count) in &chain.counts.transitions {
        if !group.contains(&(i as usize)) && group.contains(&(j as usize)) {
            paid[i as usize] += count * from[j as usize];
        }
    }
    let rest = Chain::new(without(&chain.counts, group)).expect("removal only shortens walks");
    let at_once: f64 = group.iter().map(|&s| chain.counts.start[s] * from[s]).sum();
    let later = dot(&rest.counts.start, &rest.solve(&paid));
    if chain.walks > 0.0 { (at_once + later) / chain.walks } else { 0.0 }
}

/// Gambler's ruin on 1..n with fair coins: from state i success (reaching n + 1) has probability i / (n + 1).
#[test]
fn gamblers_ruin() {
    let n = 50_u32;
    let mut counts = Counts {
        start: vec![1.0; n as usize],
        success: vec![0.0; n as usize],
        failure: vec![0.0; n as usize],
        ..Counts::default()
    };
    counts.failure[0] = 1.0;
    counts.success[n as usize - 1] = 1.0;
    counts.transitions = (1..n).flat_map(|i| [(i - 1, i, 1.0), (i, i - 1, 1.0)]).collect();
    let chain = Chain::new(counts).expect("ends");
    for (i, h) in chain.success_from().into_iter().enumerate() {
        assert!(close(h, (i + 1) as f64 / f64::from(n + 1), 1e-13), "{i}: {h}");
    }
    assert!(close(chain.success_probability(), 0.5, 1e-13));
    // Visits to the middle from a uniform start: the mean over j of 2 min(i, j) (N − max(i, j)) / N, N = n + 1.
    let i = 25.0;
    let mean = (1..=n).map(f64::from).map(|j| 2.0 * j.min(i) * (51.0 - j.max(i)) / 51.0).sum::<f64>() / 50.0;
    assert!(close(chain.visits()[24], mean, 1e-12), "{} {mean}", chain.visits()[24]);
}

#[test]
fn nearly_closed_chains_keep_their_digits() {
    // Two states that swap for ever except once in 10^15 steps; success is twice as likely as failure.
    let counts = Counts {
        start: vec![1.0, 0.0],
        transitions: vec![(0, 1, 1e15), (1, 0, 1e15)],
        success: vec![0.0, 2.0],
        failure: vec![1.0, 0.0],
    };
    let chain = Chain::new(counts).expect("ends");
    // From 1: h1 = (2 + 1e15 h0) / (1e15 + 2), h0 = 1e15 h1 / (1e15 + 1), so h1 = 2 (1e15 + 1) / (3e15 + 2).
    assert!(close(chain.success_from()[1], 2.0 * (1e15 + 1.0) / (3e15 + 2.0), 4e-16));
}

#[test]
fn a_nearly_closed_group_is_removed() {
    // States 1 and 2 swap almost for ever: their block of M⁻¹ is nearly singular.
    let counts = Counts {
        start: vec![3.0, 1.0, 0.0],
        transitions: vec![(0, 1, 1.0), (1, 2, 1e14), (2, 1, 1e14)],
        success: vec![1.0, 0.0, 1.0],
        failure: vec![1.0, 1.0, 0.0],
    };
    let chain = Chain::new(counts.clone()).expect("ends");
    // Only walks that start in 0 and succeed from there remain: 3/4 · 1/3.
    let losses = chain.removal_losses(&[&counts.success], &[vec![2, 1]]);
    assert!(close(chain.success_probability() - losses[0][0], 0.25, 1e-13), "{losses:?}");
}

/// Found by the property below: an update of M⁻¹ by its block of the group was off by 1.2e-10 here.
#[test]
fn a_group_that_leads_into_itself_keeps_its_digits() {
    let counts = Counts {
        start: vec![1.0, 1.0, 0.0, 0.0, 0.0, 0.0],
        transitions: vec![
            (0, 5, 1.0),
            (1, 4, 106_468.541_524_374_26),
            (3, 5, 151_393.784_088_968_53),
            (4, 3, 1.0),
            (5, 4, 24.0),
        ],
        success: vec![600_513.114_992_637_3, 0.0, 0.0, 0.0, 0.0, 0.0],
        failure: vec![0.001; 6],
    };
    let chain = Chain::new(counts.clone()).expect("ends");
    let losses = chain.removal_losses(&[&counts.success], &[vec![0, 1, 2, 4], vec![1], vec![5, 3, 1]]);
    // Only walks that start in 0 can succeed, and only by leaving from there: ½ · success / (success + 1.001).
    let exact = 0.499_999_166_547_485_44;
    assert!(close(losses[0][0], exact, 4e-16), "{losses:?} against {exact}");
    assert_eq!((losses[0][1], losses[0][2]), (0.0, 0.0));
}

#[test]
fn a_small_loss_keeps_its_digits() {
    // Of 10^15 walks one goes on from 0 to 1 and then to 2, where it succeeds; all others succeed from 0.
    let counts = Counts {
        start: vec![1e15, 0.0, 0.0],
        transitions: vec![(0, 1, 1.0), (1, 2, 1.0), (2, 1, 3.0)],
        success: vec![1e15 - 1.0, 0.0, 1.0],
        failure: vec![0.0; 3],
    };
    let chain = Chain::new(counts.clone()).expect("ends");
    let losses = chain.removal_losses(&[&counts.success], &[vec![1, 2], vec![2], vec![], vec![0, 1]]);
    for (loss, exact) in losses[0].iter().zip([1e-15, 1e-15, 0.0, 1.0]) {
        assert!(close(*loss, exact, 1e-15) && loss.is_sign_positive(), "{losses:?}");
    }
}

#[test]
fn blocks_of_rows_change_nothing() {
    // A ring of 21 states that moves on with 2 of 3 counts and fails with the third, entered at 0, succeeds at the end.
    let n = 21_u32;
    let mut counts = Counts {
        start: vec![0.0; n as usize],
        transitions: (1..n).map(|i| (i - 1, i, 2.0)).chain([(n - 1, 0, 2.0)]).collect(),
        success: vec![0.0; n as usize],
        failure: vec![1.0; n as usize],
    };
    counts.start[0] = 1.0;
    (counts.success[n as usize - 1], counts.failure[n as usize - 1]) = (1.0, 0.0);
    let chain = Chain::new(counts.clone()).expect("ends");
    let once = (2.0_f64 / 3.0).powi(20);
    let success = once / 3.0 / (1.0 - once * 2.0 / 3.0);
    assert!(close(chain.success_probability(), success, 1e-14));
    let groups: Vec<Vec<usize>> =
        (0..n as usize).map(|s| vec![s]).chain([(3..9).collect(), (0..17).collect()]).collect();
    for loss in &chain.removal_losses(&[&counts.success], &groups)[0] {
        assert!(close(*loss, success, 1e-14), "every state is on the way: {loss} of {success}");
    }
}

#[track_caller]
fn check_refused(counts: Counts, expect: &str) {
    assert_eq!(Chain::new(counts).expect_err("bad").to_string(), expect);
}

#[test]
fn bad_counts_are_refused() {
    let good = Counts { start: vec![1.0], success: vec![1.0], failure: vec![0.0], ..Counts::default() };
    let check = check_refused;
    check(Counts { success: vec![], ..good.clone() }, "`success` has 0 entries for 1 states");
    check(Counts { start: vec![f64::NAN], ..good.clone() }, "count of NaN is not a finite number of at least 0");
    check(
        Counts { transitions: vec![(0, 4, 1.0)], ..good.clone() },
        "transition to or from state 4 of a chain of 1 states",
    );
    check(Counts { success: vec![0.0], ..good }, "state 0 is entered but never leads to an end");
    let many = MAX_STATES + 1;
    let expect = format!("chain of {many} states exceeds the limit of {MAX_STATES}");
    check(Counts { start: vec![0.0; many], ..Counts::default() }, &expect);
}

#[test]
fn no_walks_and_no_states_are_defined() {
    let empty = Chain::new(Counts::default()).expect("defined");
    assert_eq!(empty.success_probability(), 0.0);
    let idle = Counts { start: vec![0.0; 2], success: vec![0.0; 2], failure: vec![0.0; 2], ..Counts::default() };
    let idle = Chain::new(idle).expect("defined");
    assert_eq!((idle.success_probability(), idle.visits()), (0.0, vec![0.0; 2]));
    assert_eq!(idle.removal_losses(&[&[0.0; 2]], &[vec![0], vec![0, 1]]), vec![vec![0.0, 0.0]]);
}

/// Chains of up to 8 states with some missing transitions, self-loops, and a way out of each state.
pub(super) fn chains() -> impl Strategy<Value = Counts> {
    (1_usize..9).prop_flat_map(|n| {
        let cell = prop_oneof![3 => Just(0.0), 4 => (1_u32..50).prop_map(f64::from), 1 => 1e-6_f64..1e6];
        (
            prop::collection::vec(cell.clone(), n * n),
            prop::collection::vec(cell.clone(), n),
            prop::collection::vec(cell, n),
            prop::collection::vec(1e-3_f64..10.0, n),
        )
            .prop_map(move |(between, start, success, failure)| {
                let transitions = between
                    .into_iter()
                    .zip(0_u32..)
                    .map(|(c, k)| (k / u32::try_from(n).unwrap_or(1), k % u32::try_from(n).unwrap_or(1), c))
                    .collect();
                Counts { start, transitions, success, failure }
            })
    })
}

proptest! {
    #[test]
    fn removal_equals_solving_without_the_rows(counts in chains(), mask in 0_usize..256) {
        let n = counts.start.len();
        let chain = Chain::new(counts.clone()).expect("every state ends");
        let group: Vec<usize> = (0..n).filter(|s| mask >> s & 1 == 1).collect();
        let mut groups: Vec<Vec<usize>> = (0..n).map(|s| vec![s]).collect();
        groups.push(group);
        let rewards: Vec<f64> = counts.success.iter().enumerate().map(|(i, s)| s * (i + 1) as f64).collect();
        let losses = chain.removal_losses(&[&counts.success, &rewards], &groups);
        for (reward, losses) in [&counts.success, &rewards].into_iter().zip(&losses) {
            let whole = chain.from_start(&chain.solve(reward));
            for (group, loss) in groups.iter().zip(losses) {
                let direct = whole - mean_without(&chain, reward, group);
                prop_assert!((loss - direct).abs() <= 1e-11 * whole, "{group:?}: {loss} against {direct}");
            }
        }
    }

    #[test]
    fn losses_keep_their_digits(counts in chains(), masks in prop::collection::vec(0_usize..256, 0..6)) {
        let n = counts.start.len();
        let chain = Chain::new(counts.clone()).expect("every state ends");
        let groups: Vec<Vec<usize>> = masks.iter().map(|m| (0..n).filter(|s| m >> s & 1 == 1).collect()).collect();
        let losses = chain.removal_losses(&[&counts.success], &groups);
        prop_assert_eq!(losses[0].len(), groups.len());
        // Both sides err by at most 1.8e-13 of themselves (see the module's documentation).
        for (group, loss) in groups.iter().zip(&losses[0]) {
            let direct = loss_on_entry(&chain, &counts.success, group);
            prop_assert!(close(*loss, direct, 4e-13), "{group:?}: {loss} against {direct}");
        }
    }

    #[test]
    fn success_solves_its_equations(counts in chains()) {
        let chain = Chain::new(counts.clone()).expect("every state ends");
        let h = chain.success_from();
        let visits = chain.visits();
        for i in 0..h.len() {
            let out = counts.transitions.iter().filter(|t| t.0 as usize == i);
            let total = out.clone().map(|t| t.2).sum::<f64>() + counts.success[i] + counts.failure[i];
            let expect = (out.map(|t| t.2 * h[t.1 as usize]).sum::<f64>() + counts.success[i]) / total;
            prop_assert!(close(h[i], expect, 1e-12), "{} against {expect}", h[i]);
        }
        let total_out = |i: usize| {
            counts.transitions.iter().filter(|t| t.0 as usize == i).map(|t| t.2).sum::<f64>()
                + counts.success[i] + counts.failure[i]
        };
        let ends: f64 = (0..h.len()).map(|i| visits[i] * (counts.success[i] + counts.failure[i]) / total_out(i)).sum();
        let expect = if counts.start.iter().any(|s| *s > 0.0) { 1.0 } else { 0.0 };
        prop_assert!((ends - expect).abs() < 1e-11, "walks end once: {ends}");
    }

    #[test]
    fn a_group_of_all_states_loses_everything(counts in chains()) {
        let n = counts.start.len();
        let chain = Chain::new(counts.clone()).expect("every state ends");
        // Given twice: the block would be singular were the group not de-duplicated.
        let losses = chain.removal_losses(&[&counts.success], &[(0..n).chain(0..n).collect()]);
        prop_assert!((losses[0][0] - chain.success_probability()).abs() <= 1e-11);
    }
}
