//! Features and labels read only events with consent to measurement, and count the others.

use throughline_core::consent::Withdrawal;

use crate::line::{Event, Line, day, experiment};

const SPEND: &str = "  - { name: spend, agg: sum, value: value, where: \"kind = 'purchase'\" }\n";
const METRIC: &str = "  - { name: spend, type: mean, agg: sum, value: value, where: \"kind = 'purchase'\" }\n";

/// Person 1 withdraws on day 5 in another place. The assignment of person 2 came with nothing said, that of person 3 with a
/// denial.
fn events() -> Vec<Event> {
    let withdrawal = Event::new(1, "custom", day(5)).said("centre", "measurement=denied");
    vec![
        Event::assigned(1, day(2), "mail"),
        Event::purchase(1, day(3), 10),
        withdrawal,
        Event::purchase(1, day(6), 100),
        Event::assigned(2, day(2), "mail").said("x", ""),
        Event::purchase(2, day(3), 20),
        Event::assigned(3, day(2), "none").said("x", "measurement=denied"),
        Event::purchase(3, day(3), 40),
        Event::assigned(4, day(2), "none"),
        Event::purchase(4, day(3), 80).said("x", "gone"),
    ]
}

fn counts(removed: &[throughline_core::consent::RemovedByConsent]) -> Vec<(&str, [u64; 4])> {
    let of = |r: &throughline_core::consent::RemovedByConsent| [r.considered, r.unknown, r.denied, r.withdrawn];
    removed.iter().map(|r| (r.what.as_str(), of(r))).collect()
}

#[tokio::test]
async fn what_was_not_permitted_is_not_seen() {
    let mut line = Line::new(&events(), day(30)).await;
    let test = [experiment("", METRIC)];
    for (withdrawal, spent, removed) in
        [(Withdrawal::Forward, Some(10.0), [10, 2, 2, 1]), (Withdrawal::Recompute, None, [10, 2, 2, 3])]
    {
        line.withdrawal = withdrawal;
        let (rows, report) = line.features(SPEND, &[]).await;
        let spend: Vec<_> = rows.iter().map(|(person, _, _, values)| (*person, values[0])).collect();
        // Person 3 agreed again in the same place; the purchase of person 4 came with a text that says nothing.
        assert_eq!(spend, [(1, spent), (2, Some(20.0)), (3, Some(40.0)), (4, None)], "{withdrawal:?}");
        assert_eq!(counts(&report.removed_by_consent), [("events", removed)]);
        let (labels, report) = line.labels(&test).await;
        let told: Vec<_> = labels.iter().map(|l| (l.person, l.arm.as_str(), l.outcomes[0])).collect();
        let expect = if spent.is_some() { vec![(1, "mail", 10.0), (4, "none", 0.0)] } else { vec![(4, "none", 0.0)] };
        assert_eq!(told, expect, "{withdrawal:?}");
        let of_assignments = [4, 1, 1, u64::from(spent.is_none())];
        assert_eq!(counts(&report.removed_by_consent), [("assignments", of_assignments), ("events", removed)]);
    }
}
