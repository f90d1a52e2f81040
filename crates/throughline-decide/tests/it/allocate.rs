//! The allocation against brute force and against certified optima.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;
use throughline_decide::{Allocation, Allocator, DecideError, MAX_MICROS, Offer};

use crate::support::reference;

type Problem = Vec<(u32, Vec<Offer>)>;

fn solve(problem: &Problem, budget: Option<i64>) -> Allocation<u32> {
    let mut allocator = Allocator::new();
    for (unit, offers) in problem {
        allocator.add(*unit, offers).expect("offers in range");
    }
    allocator.solve(budget).expect("solved")
}

/// The best value of any allocation, by trying all.
fn brute_force(problem: &Problem, budget: i64) -> i64 {
    let Some(((_, offers), rest)) = problem.split_first() else { return 0 };
    let rest = rest.to_vec();
    let taking = offers
        .iter()
        .filter(|o| o.cost_micros <= budget)
        .map(|o| o.value_micros + brute_force(&rest, budget - o.cost_micros));
    taking.fold(brute_force(&rest, budget), i64::max)
}

/// The bound λ·budget + Σ max(value − λ·cost), from every affordable offer and not only the hull, at the reported price.
fn dual_bound(problem: &Problem, budget: i64, price: f64) -> f64 {
    let best = |offers: &Vec<Offer>| {
        let affordable = offers.iter().filter(|o| o.cost_micros <= budget);
        affordable.map(|o| o.value_micros as f64 - price * o.cost_micros as f64).fold(0.0, f64::max)
    };
    price * budget as f64 + problem.iter().map(|(_, offers)| best(offers)).sum::<f64>()
}

fn problems() -> impl Strategy<Value = Problem> {
    let offer = (-5_i64..40, 0_i64..25);
    prop::collection::vec(prop::collection::vec(offer, 0..4), 1..7).prop_map(|units| {
        let offers = |unit: Vec<(i64, i64)>| {
            let numbered = (0_u32..).zip(unit);
            numbered.map(|(action, (value_micros, cost_micros))| Offer { action, value_micros, cost_micros }).collect()
        };
        (0_u32..).zip(units.into_iter().map(offers)).collect()
    })
}

proptest! {
    #[test]
    fn every_allocation_is_feasible_and_certified(problem in problems(), budget in 0_i64..80, turn in 0_usize..7) {
        let solved = solve(&problem, Some(budget));
        let certificate = &solved.certificate;
        let (mut value, mut spend) = (0, 0);
        for (unit, choice) in &solved.choices {
            let Some(action) = choice else { continue };
            let offer = problem[*unit as usize].1[*action as usize];
            value += offer.value_micros;
            spend += offer.cost_micros;
        }
        prop_assert_eq!((value, spend), (certificate.primal_micros, certificate.spend_micros));
        prop_assert!(spend <= budget);
        let best = brute_force(&problem, budget);
        prop_assert!(value <= best && best as f64 <= certificate.dual * 1e6 + 1e-6, "{value} {best} {certificate:?}");
        let bound = dual_bound(&problem, budget, certificate.shadow_prices["budget"]);
        prop_assert!((bound - certificate.dual * 1e6).abs() < 1e-6, "{bound} {certificate:?}");
        prop_assert!((certificate.dual - certificate.primal - certificate.gap).abs() < 1e-12 && certificate.gap >= 0.0);
        // Half the optimum is the known worst case of taking the better of the two greedy answers.
        prop_assert!(2 * value >= best, "{value} {best}");

        let mut turned = problem.clone();
        turned.rotate_left(turn % problem.len());
        prop_assert_eq!(solve(&turned, Some(budget)), solved);
    }

    #[test]
    fn without_a_binding_budget_everyone_takes_the_best(problem in problems()) {
        let best: i64 =
            problem.iter().map(|(_, offers)| offers.iter().map(|o| o.value_micros).fold(0, i64::max)).sum();
        for budget in [None, Some(1_000)] {
            let certificate = solve(&problem, budget).certificate;
            prop_assert_eq!(certificate.primal_micros, best);
            prop_assert_eq!((certificate.gap, certificate.shadow_prices["budget"]), (0.0, 0.0));
        }
    }
}

#[test]
fn a_large_item_is_not_lost_to_small_ones() {
    let offer = |value_micros, cost_micros| vec![Offer { action: 0, value_micros, cost_micros }];
    let solved = solve(&vec![(1, offer(2, 1)), (2, offer(10, 10))], Some(10));
    assert_eq!(solved.certificate.primal_micros, 10);
    assert_eq!((solved.choice(&1), solved.choice(&2), solved.choice(&3)), (Some(None), Some(Some(0)), None));
}

#[test]
fn a_budget_can_be_used_to_the_last_micro() {
    let offer = |value_micros, cost_micros| vec![Offer { action: 0, value_micros, cost_micros }];
    let certificate = solve(&vec![(1, offer(2, 1)), (2, offer(2, 1))], Some(2)).certificate;
    assert_eq!((certificate.primal_micros, certificate.spend_micros, certificate.gap), (4, 2, 0.0));
}

#[test]
fn equal_units_are_served_in_order_of_their_keys() {
    let same = vec![Offer { action: 0, value_micros: 5, cost_micros: 2 }];
    let solved = solve(&vec![(9, same.clone()), (3, same.clone()), (7, same)], Some(5));
    assert_eq!(solved.choices, [(3, Some(0)), (7, Some(0)), (9, None)]);
}

#[test]
fn bad_problems_are_refused() {
    let add = |value_micros, cost_micros| {
        Allocator::new().add(1_u32, &[Offer { action: 0, value_micros, cost_micros }]).map_err(|e| e.to_string())
    };
    assert_eq!(add(1, -1), Err("cost of -1 micros is outside 0 to 100000000000000".to_owned()));
    assert!(add(MAX_MICROS + 1, 0).is_err() && add(-MAX_MICROS, MAX_MICROS).is_ok());
    let mut twice = Allocator::new();
    twice.add(1_u32, &[]).expect("added");
    twice.add(1_u32, &[]).expect("added");
    assert!(matches!(twice.solve(None), Err(DecideError::DuplicateUnit)));
    assert!(matches!(Allocator::<u32>::new().solve(Some(-1)), Err(DecideError::MoneyOutOfRange { .. })));
}

#[expect(clippy::cast_possible_truncation, reason = "money in micros")]
fn micros(text: &str) -> i64 {
    (text.parse::<f64>().expect("a number") * 1e6).round() as i64
}

#[test]
fn certified_optima_are_reached() {
    let (Some(items), Some(expected)) =
        (reference("mckp-certified/items.csv"), reference("mckp-certified/expected.json"))
    else {
        return;
    };
    let mut units: BTreeMap<u32, Vec<Offer>> = BTreeMap::new();
    for record in csv::Reader::from_path(items).expect("the items").records() {
        let record = record.expect("a row");
        units.entry(record[0].parse().expect("a unit")).or_default().push(Offer {
            action: record[1].parse().expect("an action"),
            value_micros: micros(&record[2]),
            cost_micros: micros(&record[3]),
        });
    }
    let problem: Problem = units.into_iter().collect();
    let text = std::fs::read_to_string(expected).expect("the answers");
    let expected: Value = serde_json::from_str(&text).expect("JSON");
    let cases = expected["cases"].as_array().expect("cases");
    assert!(cases.len() >= 6);
    for case in cases {
        let number = |key: &str| case[key].as_f64().expect("a number");
        let budget = micros(&case["budget"].to_string());
        let certificate = solve(&problem, Some(budget)).certificate;
        assert!((certificate.dual - number("lp_value")).abs() < 1e-6, "{} {}", certificate.dual, number("lp_value"));
        assert!((certificate.dual - number("dual_value")).abs() < 1e-6);
        assert!(certificate.primal >= number("greedy_integer_value") - 1e-6, "{certificate:?} {case}");
        assert!(certificate.primal <= number("lp_value") + 1e-6, "{certificate:?} {case}");
        assert!((certificate.shadow_prices["budget"] - number("shadow_price")).abs() < 1e-9, "{certificate:?} {case}");
        assert!(certificate.spend_micros <= budget);
    }
}
