//! Shapley's formula, by hand and by brute force.

use proptest::prelude::*;

use super::*;
use crate::models::testing::{check_credits, check_weights, table};
use crate::{Outcome, read_spec};

#[test]
fn by_hand() {
    // Rates: a 1/2, b never seen, a b 3/4. Within a b: a brings (1/2 + 3/4) / 2, b (0 + 1/4) / 2. Value a journey: a 2,
    // a b 7.5, so a brings (2 + 7.5) / 2 and b 5.5 / 2.
    let rows = [("a b a", 3.0, 30.0, 1.0), ("a", 2.0, 8.0, 2.0)];
    check_credits("shapley", &rows, &[("a", 2.0 + 4.0 * 0.625, 8.0 + 19.0), ("b", 0.5, 11.0)]);
    check_credits("shapley:count", &rows, &[("a", 3.5, 23.0), ("b", 1.5, 15.0)]);
    let weights = Shapley::default().path_weights(&table(&rows)).expect("weights");
    assert_eq!((weights.of(0), weights.of(1)), ([5.0 / 12.0, 1.0 / 6.0, 5.0 / 12.0].as_slice(), [1.0].as_slice()));
    check_weights("shapley", "a b a", &[0.25, 0.5, 0.25]);
    check_weights("shapley:count", "a b a", &[0.25, 0.5, 0.25]);
}

#[test]
fn a_channel_that_takes_conversions_away_has_negative_credit() {
    // Rates: a 1/2, b 1/10, a b 1/10. Within a b: a (1/2 + 0) / 2, b (1/10 − 4/10) / 2, times 100 journeys.
    let rows = [("a", 50.0, 0.0, 50.0), ("b", 10.0, 0.0, 90.0), ("a b", 10.0, 0.0, 90.0)];
    check_credits("shapley", &rows, &[("a", 50.0 + 25.0, 0.0), ("b", 10.0 - 15.0, 0.0)]);
    let credits = Shapley::default().attribute(&table(&rows)).expect("credits");
    assert_eq!(credits.diagnostics().iter().map(|d| d.code.as_str()).collect::<Vec<_>>(), ["TL413"]);
    assert!(
        credits.diagnostics()[0].message.starts_with("1 of 2 channels have negative credit, the least `b` with -5")
    );
    // The path's own conversions go to a alone.
    check_credits("path:shapley", &rows, &[("a", 60.0, 0.0), ("b", 10.0, 0.0)]);
}

#[test]
fn journeys_without_conversion_matter() {
    let quiet = [("a", 5.0, 0.0, 5.0), ("a b", 5.0, 0.0, 5.0)];
    let loud = [("a", 5.0, 0.0, 5.0), ("a b", 5.0, 0.0, 5.0), ("b", 0.0, 0.0, 90.0), ("a", 0.0, 0.0, 90.0)];
    check_credits("shapley", &quiet, &[("a", 5.0 + 5.0, 0.0), ("b", 0.0, 0.0)]);
    // Now a alone converts at 1/20, so b explains the rest of a b.
    check_credits("shapley", &loud, &[("a", 5.0 + 2.75, 0.0), ("b", 2.25, 0.0)]);
}

#[test]
fn refunds_are_shared_without_journeys() {
    check_credits("shapley", &[("a b", 0.0, -6.0, 0.0)], &[("a", 0.0, -3.0), ("b", 0.0, -3.0)]);
    check_credits("shapley", &[("a b", 0.0, 0.0, 0.0)], &[("a", 0.0, 0.0), ("b", 0.0, 0.0)]);
    check_credits("shapley", &[], &[]);
}

#[test]
fn parameters() {
    assert_eq!(read_spec("shapley").map(|m| m.spec()), Ok("shapley:rate".to_owned()));
    assert_eq!(read_spec("shapley:count").map(|m| m.spec()), Ok("shapley:count".to_owned()));
    assert!(Shapley::read(Some("pooled")).is_err());
    assert_eq!(Effort::default(), Shapley::new(Game::Rate).effort);
}

type Rows = Vec<(Vec<u8>, f64, f64, f64)>;

/// Journeys over five channels: few sets, so that coalitions are met often.
fn drawn() -> impl Strategy<Value = Rows> {
    let count = prop_oneof![1 => Just(0.0), 3 => (1_u32..9).prop_map(f64::from)];
    prop::collection::vec((prop::collection::vec(0_u8..5, 1..6), count.clone(), -20.0_f64..90.0, count), 1..20)
}

/// The rows; `more` adds channels that meet nobody, which changes no other credit.
fn build(rows: &Rows, more: usize) -> PathTable {
    let mut builder = PathTable::builder();
    for (steps, conversions, value, nulls) in rows {
        let names: Vec<String> = steps.iter().map(|s| format!("c{s}")).collect();
        builder.push(&names, None, Outcome { conversions: *conversions, value: *value, nulls: *nulls });
    }
    for i in 0..more {
        builder.push(&[format!("x{i:02}")], None, Outcome { conversions: 1.0, value: 3.0, nulls: 1.0 });
    }
    builder.build().0
}

/// Shapley's formula over v(S) = Σ_T N_T r(S ∩ T), [conversions, value] by channel.
fn by_definition(table: &PathTable) -> Vec<[f64; 2]> {
    let n = table.channels().len();
    let mut sets = vec![[0.0; 3]; 1 << n];
    for (p, path) in table.paths().enumerate() {
        let units = table.units();
        let of = &mut sets[path.steps.iter().fold(0_usize, |set, s| set | 1 << s)];
        of[0] += units.conversions[p];
        of[1] += units.values[p];
        of[2] += units.conversions[p] + units.nulls[p];
    }
    let rate = |s: usize, k: usize| if sets[s][2] > 0.0 { sets[s][k] / sets[s][2] } else { 0.0 };
    let worth = |s: usize, k: usize| (0..1 << n).map(|t| sets[t][2] * rate(s & t, k)).sum::<f64>();
    let factorial = |k: usize| (1..=k).map(|i| i as f64).product::<f64>();
    (0..n)
        .map(|c| {
            [0, 1].map(|k| {
                let marginal = |s: usize| {
                    let size = s.count_ones() as usize;
                    factorial(size) * factorial(n - size - 1) / factorial(n) * (worth(s | 1 << c, k) - worth(s, k))
                };
                let orphans = (1..1_usize << n).filter(|t| t >> c & 1 == 1 && sets[*t][2] == 0.0);
                let shared: f64 = orphans.map(|t| sets[t][k] / f64::from(t.count_ones())).sum();
                shared + (0..1_usize << n).filter(|s| s >> c & 1 == 0).map(marginal).sum::<f64>()
            })
        })
        .collect()
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * (1.0 + a.abs() + b.abs())
}

proptest! {
    #[test]
    fn it_is_the_shapley_value(rows in drawn()) {
        let few = build(&rows, 0);
        let expect = by_definition(&few);
        let (dense, sparse) = (Shapley::default().attribute(&few), Shapley::default().attribute(&build(&rows, 20)));
        let (dense, sparse) = (dense.expect("credits"), sparse.expect("credits"));
        for (a, expect) in dense.channels().iter().zip(&expect) {
            let b = sparse.channel(&a.channel).expect("a channel");
            prop_assert!(close(a.conversions, expect[0]) && close(a.value, expect[1]), "{a:?} against {expect:?}");
            prop_assert!(close(b.conversions, expect[0]) && close(b.value, expect[1]), "{b:?} against {expect:?}");
        }
    }

    #[test]
    fn within_a_path_both_ways_agree(rows in drawn()) {
        let (few, many) = (build(&rows, 0), build(&rows, 20));
        let (a, b) = (Shapley::default().path_weights(&few), Shapley::default().path_weights(&many));
        let (a, b) = (a.expect("weights"), b.expect("weights"));
        for path in 0..few.len() {
            prop_assert!(a.of(path).iter().zip(b.of(path)).all(|(x, y)| (x - y).abs() < 1e-9), "{:?}", few.path(path));
        }
    }

    #[test]
    fn sampled_credits_lie_within_their_bounds(rows in drawn()) {
        let table = build(&rows, 20);
        let exact = Shapley::default().attribute(&table).expect("credits");
        let sampled = Shapley::default().with_effort(Effort { exact: 0, drawn: 1 << 20 });
        let credits = sampled.attribute(&table).expect("credits add up, drawn or not");
        prop_assert!(Shapley::default().sampling_errors(&table).is_empty());
        for ((a, b), e) in exact.channels().iter().zip(credits.channels()).zip(sampled.sampling_errors(&table)) {
            prop_assert!((a.conversions - b.conversions).abs() <= e.bound[0] + 1e-9, "{a:?} {b:?} {e:?}");
            prop_assert!((a.value - b.value).abs() <= e.bound[1] + 1e-6, "{a:?} {b:?} {e:?}");
            prop_assert!(e.std_error[0] <= e.bound[0] && e.std_error[1] <= e.bound[1], "{e:?}");
        }
        prop_assert!(credits.diagnostics().iter().any(|d| d.code == "TL414"));
    }
}

#[test]
fn standard_errors_are_those_of_the_draws() {
    // Sets of up to 8 channels, every one sampled: an error of a credit over its standard error has a mean square near 1.
    let mut squares = Vec::new();
    for round in 0..30_u32 {
        let mut rows: Rows = vec![((0..8).collect(), 6.0, 0.0, 4.0)];
        for part in 1..60_u32 {
            let bits = part.wrapping_mul(37).wrapping_add(round * 11) % 254 + 1;
            rows.push((
                (0..8).filter(|b| bits >> b & 1 == 1).collect(),
                f64::from(part % 7),
                0.0,
                f64::from(part % 5 + 1),
            ));
        }
        let table = build(&rows, 20);
        let drawn = Shapley::default().with_effort(Effort { exact: 0, drawn: 1 << 20 });
        let (exact, sampled) = (Shapley::default().attribute(&table), drawn.attribute(&table));
        let (exact, sampled) = (exact.expect("credits"), sampled.expect("credits"));
        for (c, e) in drawn.sampling_errors(&table).iter().enumerate().filter(|(_, e)| e.std_error[0] > 0.0) {
            let error = exact.channels()[c].conversions - sampled.channels()[c].conversions;
            squares.push((error / e.std_error[0]).powi(2));
        }
    }
    let mean = squares.iter().sum::<f64>() / squares.len() as f64;
    assert!(squares.len() > 100 && (0.7..1.5).contains(&mean), "{} errors, mean square {mean}", squares.len());
}

#[test]
fn twenty_channels_and_long_paths() {
    let all: Vec<String> = (0..20).map(|i| format!("c{i:02}")).collect();
    let mut builder = PathTable::builder();
    for i in 0..300_usize {
        let names: Vec<&String> =
            all.iter().enumerate().filter(|(c, _)| (i * 7919 + c * c * 31) % 5 < 2).map(|c| c.1).collect();
        let names = if names.is_empty() { all.iter().collect() } else { names };
        builder.push(&names, None, Outcome { conversions: (i % 4) as f64, value: i as f64, nulls: (i % 7) as f64 });
    }
    builder.push(&all, None, Outcome { conversions: 9.0, value: 9.0, nulls: 2.0 });
    let few = builder.clone().build().0;
    for i in 0..3 {
        builder.push(&[format!("x{i}")], None, Outcome { conversions: 1.0, value: 3.0, nulls: 1.0 });
    }
    let (dense, sparse) = (Shapley::default().attribute(&few), Shapley::default().attribute(&builder.build().0));
    let (dense, sparse) = (dense.expect("credits"), sparse.expect("credits"));
    for a in dense.channels() {
        let b = sparse.channel(&a.channel).expect("a channel");
        assert!(close(a.conversions, b.conversions) && close(a.value, b.value), "{a:?} against {b:?}");
    }
}
