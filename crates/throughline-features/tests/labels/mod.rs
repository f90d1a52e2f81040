//! What labels count.

use crate::line::{Event, Label, Line, day, experiment};

const METRICS: &str = r#"
  - { name: bought, type: proportion, agg: any, where: "kind = 'purchase'" }
  - { name: spend, type: mean, agg: sum, value: value, where: "kind = 'purchase'" }
"#;

const STATED: &str = ", probability: \"to_float(properties['p'])\"";

fn label(person: u8, arm: &str, probability: f64, assigned_at: i64, outcomes: [f64; 2]) -> Label {
    let probability = Some(probability);
    Label { person, arm: arm.to_owned(), probability, assigned_at, complete: true, outcomes: outcomes.to_vec() }
}

/// Person 1 is in the arm `mail` from day 2; what the purchases come to.
async fn spend(purchases: &[(i64, i64)]) -> [f64; 2] {
    let mut events = vec![Event::assigned(1, day(2), "mail")];
    events.extend(purchases.iter().map(|(at, units)| Event::purchase(1, *at, *units)));
    let (rows, _) = Line::new(&events, day(30)).await.labels(&[experiment("", METRICS)]).await;
    assert_eq!(rows.len(), 1);
    [rows[0].outcomes[0], rows[0].outcomes[1]]
}

#[tokio::test]
async fn outcomes_come_after_the_assignment_and_within_the_window() {
    assert_eq!(spend(&[]).await, [0.0, 0.0]);
    assert_eq!(spend(&[(day(1), 5)]).await, [0.0, 0.0]);
    assert_eq!(spend(&[(day(2), 5)]).await, [0.0, 0.0]);
    assert_eq!(spend(&[(day(2) + 1, 5)]).await, [1.0, 5.0]);
    assert_eq!(spend(&[(day(9), 5)]).await, [1.0, 5.0]);
    assert_eq!(spend(&[(day(9) + 1, 5)]).await, [0.0, 0.0]);
    assert_eq!(spend(&[(day(2), 1), (day(3), 5), (day(8), 7), (day(20), 9)]).await, [1.0, 12.0]);
}

#[tokio::test]
async fn the_first_assignment_counts() {
    let events = [
        Event::assigned(1, day(4), "none"),
        Event::assigned(1, day(2), "mail"),
        Event::assigned(1, day(3), "no such arm"),
        Event::purchase(1, day(10), 5),
        Event::assigned(2, day(5), "none"),
        Event::purchase(2, day(10), 6),
    ];
    let (rows, report) = Line::new(&events, day(30)).await.labels(&[experiment("", METRICS)]).await;
    // Day 10 is after the window of the first assignment, within that of the second.
    let expect = [label(1, "mail", 0.75, day(2), [0.0, 0.0]), label(2, "none", 0.25, day(5), [1.0, 6.0])];
    assert_eq!(rows, expect);
    assert_eq!(report.repeated["mails"], 2);
    assert_eq!(report.assigned["mails"], [("mail".to_owned(), 1), ("none".to_owned(), 1)].into());
    assert!(report.unknown_arm.is_empty());
}

#[tokio::test]
async fn assignments_to_unknown_arms_are_counted_and_left_out() {
    let events = [
        Event::assigned(1, day(2), "fax"),
        Event::assigned(1, day(3), "mail"),
        Event { properties: None, ..Event::assigned(2, day(2), "") },
        Event::assigned(3, day(2), "mail"),
        Event { name: "other_test", ..Event::assigned(4, day(2), "mail") },
        Event { kind: "visit", ..Event::assigned(5, day(2), "mail") },
    ];
    let (rows, report) = Line::new(&events, day(30)).await.labels(&[experiment(STATED, METRICS)]).await;
    assert_eq!(rows, [label(3, "mail", 0.25, day(2), [0.0, 0.0])]);
    assert_eq!(report.unknown_arm["mails"], 2);
}

#[tokio::test]
async fn a_window_that_is_not_over_is_marked() {
    let events = [Event::assigned(1, day(3), "mail"), Event::assigned(2, day(3) + 1, "mail")];
    let (rows, report) = Line::new(&events, day(10)).await.labels(&[experiment("", METRICS)]).await;
    assert_eq!(rows.iter().map(|r| (r.person, r.complete)).collect::<Vec<_>>(), [(1, true), (2, false)]);
    assert_eq!(report.incomplete["mails"], 1);
}

const MEASURES: &str = r#"
  - { name: spend, type: mean, agg: sum, value: value, where: "kind = 'purchase'", baseline_days: 3, window_days: 2 }
  - { name: order, type: ratio, agg: sum, value: value, where: "kind = 'purchase'", per: { agg: count, where: "kind = 'purchase'" }, baseline_days: 90 }
  - { name: bought, type: proportion, agg: any, where: "kind = 'purchase'" }
covariates: [{ name: visits, agg: count, where: "kind = 'visit'", window_days: 2 }, { name: age, agg: last, value: "to_float(properties['age'])" }]
strata: { name: arm_as_text, agg: last, value: "properties['arm']" }
segments: [{ name: probability, agg: last, value: "to_float(properties['p'])" }]
"#;

#[tokio::test]
async fn what_was_known_by_the_assignment_is_kept_beside_what_followed() {
    let events = [
        Event::purchase(1, day(1), 100),
        Event::purchase(1, day(7), 3),
        Event::new(1, "visit", day(8)),
        Event::new(1, "visit", day(9) - 1),
        Event::purchase(1, day(10), 4),
        Event::new(1, "visit", day(10)),
        Event::assigned(1, day(10), "mail"),
        Event::purchase(1, day(11), 5),
        Event::purchase(1, day(13), 6),
        Event::new(1, "visit", day(10) + 1),
    ];
    let lists = Line::new(&events, day(90)).await.lists(&[experiment("", MEASURES)]).await;
    let floats = |name: &str| lists.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone()).expect("a column");
    let some = |values: &[f64]| values.iter().map(f64::to_string).collect::<Vec<_>>().join(" ");
    // Two days from day 10 on see the purchase of day 11; the ratio sees the experiment's seven.
    assert_eq!(floats("outcomes"), some(&[5.0, 11.0, 1.0]));
    assert_eq!(floats("denominators"), "- 2 -");
    // Three days up to the assignment, day 7 excluded and the instant of the assignment included.
    assert_eq!(floats("baselines"), "4 107 -");
    assert_eq!(floats("baseline_denominators"), "- 3 -");
    assert_eq!(floats("covariates"), "2 -", "visits of day 8 are too old, that after the assignment too new");
    assert_eq!(floats("groups"), "mail 0.25");
}
