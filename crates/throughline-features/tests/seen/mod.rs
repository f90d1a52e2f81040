//! What features see as of a time.

use proptest::prelude::*;

use crate::line::{Event, Line, compile_features, day, experiment};

const FEATURES: &str = r#"
  - { name: orders, agg: count, where: "kind = 'purchase'" }
  - { name: orders_3d, agg: count, where: "kind = 'purchase'", window_days: 3 }
  - { name: spent, agg: sum, value: value, where: "value > 0.5" }
  - { name: seats, agg: last, value: "to_int(properties['seats'])", where: "properties['plan'] LIKE 'p%'" }
  - { name: recency, agg: recency }
"#;

/// The features of one person, in the order above.
async fn score(events: &[Event], as_of: i64) -> Vec<Option<f64>> {
    let line = Line::new(events, as_of).await;
    let (rows, report) = line.features(FEATURES, &[]).await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!((report.features, report.scoring_rows, report.training_rows), (5, 1, 0));
    assert_eq!((rows[0].1, rows[0].2.as_str()), (as_of, "score"));
    rows[0].3.clone()
}

/// How many purchases are counted: all, and those of the last three days.
#[track_caller]
fn orders(values: &[Option<f64>], all: f64, recent: f64) {
    assert_eq!(values[..2], [Some(all), Some(recent)]);
}

#[tokio::test]
async fn what_becomes_available_later_is_not_seen() {
    let at = day(10);
    let bought = |occurred: i64, available: i64| Event::purchase(1, occurred, 2).available(available);
    orders(&score(&[bought(day(9), day(9))], at).await, 1.0, 1.0);
    orders(&score(&[bought(day(9), at)], at).await, 1.0, 1.0);
    orders(&score(&[bought(day(9), at + 1)], at).await, 0.0, 0.0);
    orders(&score(&[bought(day(9), day(20)), bought(day(8), day(8))], at).await, 1.0, 1.0);
    // Dated ahead: known, but it has not happened.
    orders(&score(&[bought(at + 1, day(9))], at).await, 0.0, 0.0);
}

#[tokio::test]
async fn the_window_ends_now_and_begins_that_many_days_before() {
    let at = day(10);
    let bought = |occurred: i64| Event::purchase(1, occurred, 2);
    orders(&score(&[bought(at)], at).await, 1.0, 1.0);
    orders(&score(&[bought(day(7) + 1)], at).await, 1.0, 1.0);
    orders(&score(&[bought(day(7))], at).await, 1.0, 0.0);
    orders(&score(&[bought(day(7) - 1), bought(day(8)), bought(at + 1)], at).await, 2.0, 1.0);
}

#[tokio::test]
async fn conditions_and_values_read_the_row() {
    let with = |occurred: i64, properties: &str| Event {
        properties: Some(properties.to_owned()),
        ..Event::new(1, "profile", occurred)
    };
    let events = [
        Event::purchase(1, day(1), 3),
        Event::purchase(1, day(2), 0),
        Event::purchase(1, day(3), 4),
        with(day(4), r#"{"plan":"pro","seats":5}"#),
        with(day(5), r#"{"plan":"free","seats":6}"#),
        with(day(6), r#"{"plan":"plus","seats":"many"}"#),
        with(day(8), "not JSON"),
    ];
    let got = score(&events, day(10)).await;
    let since = (2.0 * 86_400e6 + 1.0) / 86_400e6;
    assert_eq!(got, [Some(3.0), Some(0.0), Some(7.0), Some(5.0), Some(since)]);
    // Nobody bought, nothing is known: counts are zero, the rest is missing.
    let got = score(&[Event::new(1, "visit", day(20))], day(10)).await;
    assert_eq!(got, [Some(0.0), Some(0.0), None, None, None]);
}

#[tokio::test]
async fn training_rows_see_only_what_was_known_before_the_assignment() {
    let events = [
        Event::purchase(1, day(2) - 1, 1),
        Event::purchase(1, day(2), 1),
        Event::purchase(1, day(4), 1),
        Event::purchase(1, day(4), 1).available(day(5)),
        Event::purchase(1, day(3), 1).available(day(5) - 1),
        Event::assigned(1, day(5), "mail"),
        Event::purchase(1, day(5), 1),
        Event::purchase(1, day(6), 1),
        Event::assigned(1, day(7), "none"),
        Event::purchase(2, day(1), 1),
        Event { name: "other_test", ..Event::assigned(2, day(2), "mail") },
        Event::assigned(3, day(1), "no such arm"),
    ];
    let line = Line::new(&events, day(10)).await;
    let tests = [experiment("", "  - { name: visit, type: proportion, agg: any }")];
    let (rows, report) = line.features(FEATURES, &tests).await;
    let got: Vec<_> = rows.iter().map(|r| (r.0, r.1, r.2.as_str(), r.3[0], r.3[1])).collect();
    let expect = [
        (1, day(10), "score", Some(7.0), Some(0.0)),
        (1, day(5), "train:mails", Some(4.0), Some(3.0)),
        (2, day(10), "score", Some(1.0), Some(0.0)),
        (3, day(10), "score", Some(0.0), Some(0.0)),
        (3, day(1), "train:mails", Some(0.0), Some(0.0)),
    ];
    assert_eq!(got, expect);
    assert_eq!((report.scoring_rows, report.training_rows), (3, 2));
    let missing: Vec<(&str, f64)> = report.missing.iter().map(|(name, share)| (name.as_str(), *share)).collect();
    let third = 1.0 / 3.0;
    assert_eq!(missing, [("orders", 0.0), ("orders_3d", 0.0), ("spent", third), ("seats", 1.0), ("recency", 0.0)]);
}

#[tokio::test]
async fn an_empty_timeline_has_no_rows() {
    let line = Line::new(&[], day(10)).await;
    let (rows, report) = line.features(FEATURES, &[]).await;
    assert!(rows.is_empty());
    assert_eq!((report.features, report.scoring_rows), (5, 0));
    assert_eq!(compile_features(FEATURES).features.len(), 5);
}

fn event() -> impl Strategy<Value = Event> {
    let kind = prop::sample::select(vec!["purchase", "visit"]);
    let hours = (0..12_i64, 0..4_i64).prop_map(|(at, late)| (at * day(1) / 2, late * day(1) / 2));
    (1..4_u8, kind, hours, prop::option::of(0..3_i64)).prop_map(|(person, kind, (occurred, late), units)| Event {
        value_micros: units.map(|u| u * 1_000_000),
        ..Event::new(person, kind, occurred).available(occurred + late)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    /// The definition: one look at every row for each feature, person and time.
    #[test]
    fn features_agree_with_their_definition(events in prop::collection::vec(event(), 0..30), as_of in 0..6_i64) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let now = day(as_of);
        let rows = runtime.block_on(async { Line::new(&events, now).await.features(FEATURES, &[]).await.0 });
        let mut people: Vec<u8> = events.iter().map(|e| e.person).collect();
        people.sort_unstable();
        people.dedup();
        prop_assert_eq!(rows.iter().map(|r| r.0).collect::<Vec<_>>(), people.clone());
        for (row, person) in rows.iter().zip(people) {
            let seen = || events.iter().filter(|e| e.person == person && e.available <= now && e.occurred <= now);
            let orders = seen().filter(|e| e.kind == "purchase");
            let recent = orders.clone().filter(|e| e.occurred > now - day(3)).count() as f64;
            let values: Vec<i64> = seen().filter_map(|e| e.value_micros).filter(|v| *v > 500_000).collect();
            let spent = (!values.is_empty()).then(|| values.iter().sum::<i64>() as f64 / 1e6);
            let recency = seen().map(|e| e.occurred).max().map(|at| (now + 1 - at) as f64 / day(1) as f64);
            let expect = [Some(orders.count() as f64), Some(recent), spent, None, recency];
            prop_assert_eq!(&row.3[..], expect);
        }
    }
}
