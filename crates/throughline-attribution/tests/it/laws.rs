//! What holds for every model and every table, and defined answers to bad input.

use proptest::prelude::*;
use throughline_attribution::models::markov::Markov;
use throughline_attribution::{Conservation, MODELS, Outcome, PathTable, bootstrap, parse_path, read_spec};
use throughline_core::Level;

use crate::support::{credits, rows, table};

/// (steps with ages in hours, conversions, value, nulls).
type Drawn = (Vec<(u8, i64)>, f64, f64, f64);

/// Paths over up to five channels with ages; some without conversions, some refunds, some fractional counts.
fn drawn() -> impl Strategy<Value = Vec<Drawn>> {
    let count = prop_oneof![2 => Just(0.0), 5 => (1_u32..40).prop_map(f64::from), 1 => 0.01_f64..3.0];
    let value = prop_oneof![1 => Just(0.0), 6 => 0.0_f64..500.0, 1 => -100.0_f64..0.0];
    let steps = prop::collection::vec((0_u8..5, 0_i64..2000), 1..9);
    prop::collection::vec((steps, count.clone(), value, count), 0..25)
}

fn build(drawn: &[Drawn]) -> PathTable {
    let mut builder = PathTable::builder();
    for (steps, conversions, value, nulls) in drawn {
        let names: Vec<String> = steps.iter().map(|s| format!("c{}", s.0)).collect();
        let ages: Vec<i64> = steps.iter().map(|s| s.1 * 3_600_000_000).collect();
        builder.push(&names, Some(&ages), Outcome { conversions: *conversions, value: *value, nulls: *nulls });
    }
    builder.build().0
}

/// Every model, higher orders included.
fn specs() -> Vec<String> {
    let listed = MODELS.iter().map(|e| e.name.to_owned());
    let more = [
        "markov:2",
        "markov:4",
        "last_non_direct:c1",
        "shapley:count",
        "same_touch:2d",
        "path:markov:2",
        "path:shapley",
        "markov:auto",
        "logistic:counts",
    ];
    listed.chain(more.map(str::to_owned)).chain(["path:shao_li".to_owned()]).collect()
}

/// Models that need the times of touches, and cannot do without.
fn needs_ages(spec: &str) -> bool {
    spec.starts_with("time_decay") || spec.starts_with("same_touch") || spec == "hazard"
}

/// The Shapley value of the rate game may be negative by definition.
fn may_be_negative(spec: &str) -> bool {
    matches!(spec, "shapley" | "shapley:rate")
}

proptest! {
    #[test]
    fn credits_are_conserved_and_ignore_the_order_of_rows(
        (drawn, shuffled) in drawn().prop_flat_map(|d| (Just(d.clone()), Just(d).prop_shuffle())),
    ) {
        let (table, shuffled) = (build(&drawn), build(&shuffled));
        for spec in specs() {
            // The constructor of `Credits` checks conservation.
            let got = credits(&spec, &table);
            prop_assert_eq!(&got, &credits(&spec, &shuffled));
            for c in got.channels() {
                prop_assert!(c.conversions >= 0.0 || may_be_negative(&spec), "{spec}: {c:?}");
                prop_assert!(c.conversions.is_finite() && c.value.is_finite(), "{spec}: {c:?}");
                prop_assert!(c.removal_effect.is_none_or(|e| (0.0..=1.0).contains(&e)), "{spec}: {c:?}");
            }
        }
    }

    #[test]
    fn path_weights_share_a_path_out(drawn in drawn()) {
        let table = build(&drawn);
        for spec in specs() {
            let model = read_spec(&spec).expect("listed");
            let weights = model.path_weights(&table).expect("weights");
            for (p, path) in table.paths().enumerate() {
                let of = weights.of(p);
                prop_assert_eq!(of.len(), path.steps.len());
                prop_assert!(of.iter().all(|w| *w >= 0.0), "{spec}: {of:?}");
                if model.conservation() == Conservation::Enforced {
                    prop_assert!((of.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{spec}: {of:?}");
                }
            }
        }
    }

    #[test]
    fn path_by_path_every_path_keeps_its_outcome(drawn in drawn()) {
        let table = build(&drawn);
        for spec in specs().iter().filter(|s| !s.starts_with("path")) {
            let spec = format!("path:{spec}");
            let model = read_spec(&spec).expect("listed");
            let (got, weights) = (credits(&spec, &table), model.path_weights(&table).expect("weights"));
            let mut expect = vec![[0.0; 2]; table.channels().len()];
            for path in 0..table.len() {
                for (channel, weight) in weights.by_channel(&table, path) {
                    expect[channel as usize][0] += weight * table.units().conversions[path];
                    expect[channel as usize][1] += weight * table.units().values[path];
                }
            }
            for (c, expect) in got.channels().iter().zip(expect) {
                prop_assert!((c.conversions - expect[0]).abs() <= 1e-9 * (1.0 + expect[0]), "{spec}: {c:?} {expect:?}");
                prop_assert!((c.value - expect[1]).abs() <= 1e-9 * (1000.0 + expect[1].abs()), "{spec}: {c:?} {expect:?}");
            }
        }
    }

    #[test]
    fn shares_add_up_and_lie_in_their_intervals(drawn in drawn()) {
        let table = build(&drawn);
        let models: Vec<_> = specs().iter().map(|s| read_spec(s).expect("listed")).collect();
        for result in bootstrap(&table, &models, 20, 1, Level::P90).expect("defined") {
            let sum: f64 = result.intervals.iter().map(|i| i.share.value).sum();
            let some = result.credits.channels().iter().any(|c| c.conversions != 0.0);
            prop_assert!((sum - f64::from(u8::from(some))).abs() < 1e-9, "{}: {sum}", result.credits.model());
            for i in &result.intervals {
                prop_assert!(i.share.set.contains(i.share.value) && i.share.value.is_finite(), "{i:?}");
            }
        }
    }

    #[test]
    fn the_fitted_chain_converts_at_the_observed_rate(drawn in drawn(), order in 1_usize..=4) {
        let table = build(&drawn);
        let totals = table.totals();
        let walks = totals.conversions + totals.nulls;
        let expect = if walks > 0.0 { totals.conversions / walks } else { 0.0 };
        let got = Markov::new(order).expect("an order").conversion_probability(&table).expect("solves");
        prop_assert!((got - expect).abs() <= 1e-12, "{got} against {expect}");
    }

    #[test]
    fn aggregation_changes_no_credit(drawn in drawn()) {
        let table = build(&drawn);
        for spec in specs() {
            let (single, merged) = (credits(&spec, &table), credits(&spec, &table.aggregated()));
            for (a, b) in single.channels().iter().zip(merged.channels()) {
                // Effects on value switch to conversion shares where a last state is negative: rounding may move a 0.
                prop_assert!((a.conversions - b.conversions).abs() <= 1e-9 * (1.0 + a.conversions.abs()), "{spec}");
                prop_assert!((a.value - b.value).abs() <= 1e-6 * (1.0 + a.value.abs()), "{spec}: {a:?} {b:?}");
            }
        }
    }
}

#[test]
fn separators_in_names() {
    let table = table(&rows(&[("\"Brand > UK\" > a>b", 2.0, 4.0, 0.0)]));
    assert_eq!(table.channels(), ["Brand > UK", "a>b"]);
    assert_eq!(credits("linear", &table).channel("Brand > UK").map(|c| c.conversions), Some(1.0));
}

#[test]
fn empty_paths_are_refused_and_counted() {
    let mut builder = PathTable::builder();
    for (path, conversions) in [("", 2.0), ("a", 1.0), (" > ", 4.0)] {
        builder.push(&parse_path(path, " > "), None, Outcome { conversions, value: 10.0, nulls: 0.0 });
    }
    let (table, diagnostics) = builder.build();
    assert_eq!((table.len(), table.rows()), (1, [1].as_slice()));
    let refused: Vec<&str> = diagnostics.iter().filter(|d| d.code == "TL401").map(|d| d.message.as_str()).collect();
    assert!(refused[0].starts_with("row 1:") && refused[0].contains("2 conversions worth 10"), "{refused:?}");
    assert!(refused[1].starts_with("row 3:") && refused.len() == 2);
}

#[test]
fn a_path_of_5000_touches() {
    let names: Vec<String> = (0..5000).map(|i| format!("c{}", i * i % 7)).collect();
    let ages: Vec<i64> = (0..5000).rev().map(|i| i * 60_000_000).collect();
    let mut builder = PathTable::builder();
    builder.push(&names, Some(&ages), Outcome { conversions: 3.0, value: 9.0, nulls: 1.0 });
    builder.push(&["c0"], Some(&[0]), Outcome { conversions: 1.0, value: 1.0, nulls: 1.0 });
    let table = builder.build().0;
    for spec in specs() {
        assert_eq!(credits(&spec, &table).channels().len(), 4, "{spec}");
    }
}

#[test]
fn a_path_of_1500_different_channels() {
    let all: Vec<String> = (0..1500).map(|i| format!("c{i}")).collect();
    let mut builder = PathTable::builder();
    builder.push(&all, None, Outcome { conversions: 3.0, value: 9.0, nulls: 1.0 });
    builder.push(&all[1..4], None, Outcome { conversions: 1.0, value: -2.0, nulls: 1.0 });
    builder.push(&all[2..3], None, Outcome { conversions: 1.0, value: 1.0, nulls: 5.0 });
    let table = builder.build().0;
    for spec in specs().into_iter().filter(|s| !s.contains("markov") && s != "path" && !needs_ages(s)) {
        assert_eq!(credits(&spec, &table).channels().len(), 1500, "{spec}");
    }
}

#[test]
fn zero_conversions() {
    let ages = [3_600_000_000, 0];
    let mut builder = PathTable::builder();
    builder.push(&["a > x", "b"], Some(&ages), Outcome { conversions: 0.0, value: 0.0, nulls: 7.0 });
    builder.push(&["b", "c"], Some(&ages), Outcome::default());
    let table = builder.build().0;
    let models: Vec<_> = specs().iter().map(|s| read_spec(s).expect("listed")).collect();
    for result in bootstrap(&table, &models, 30, 1, Level::P90).expect("defined") {
        let name = result.credits.model();
        assert_eq!(result.credits.channels()[0].channel, "a > x");
        assert!(result.credits.channels().iter().all(|c| (c.conversions, c.value) == (0.0, 0.0)), "{name}");
        assert!(result.intervals.iter().all(|i| (i.share.value, i.share.interval()) == (0.0, (0.0, 0.0))), "{name}");
    }
}

#[test]
fn ten_thousand_campaigns() {
    let list: Vec<_> = (0..10_000).map(|i| (format!("c{i} > c{}", i / 2), 1.0, 1.0, 1.0)).collect();
    let table = table(&list);
    for spec in specs().into_iter().filter(|s| !needs_ages(s)) {
        assert_eq!(credits(&spec, &table).channels().len(), 10_000, "{spec}");
    }
}

#[test]
fn all_conversions_from_one_channel() {
    let table = table(&rows(&[("a", 9.0, 90.0, 0.0), ("b", 0.0, 0.0, 5.0), ("b > c", 0.0, 0.0, 2.0)]));
    for spec in specs().iter().filter(|s| !needs_ages(s)) {
        let got = credits(spec, &table);
        let a = got.channel("a").expect("a channel");
        assert!((a.conversions - 9.0).abs() < 1e-12 && (a.value - 90.0).abs() < 1e-11, "{spec}: {got:?}");
        assert_eq!(got.channel("b").map(|c| c.conversions), Some(0.0), "{spec}");
    }
}

#[test]
fn nothing_at_all() {
    let table = PathTable::default();
    let models: Vec<_> = specs().iter().map(|s| read_spec(s).expect("listed")).collect();
    for result in bootstrap(&table, &models, 10, 1, Level::P95).expect("defined") {
        assert!(result.intervals.is_empty() && result.credits.channels().is_empty());
    }
}

#[test]
fn refunds_that_cancel_sales() {
    let table = table(&rows(&[("a > b", 2.0, 100.0, 1.0), ("b > a", 1.0, -100.0, 1.0), ("b", 1.0, 0.0, 0.0)]));
    for spec in specs().iter().filter(|s| !needs_ages(s) && *s != "participation") {
        let sum: f64 = credits(spec, &table).channels().iter().map(|c| c.value).sum();
        assert!(sum.abs() < 1e-11, "{spec}: {sum}");
    }
}
