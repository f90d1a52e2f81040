//! Journeys from the simulated touches and purchases, person by person.

use std::ops::Range;

use throughline_attribution::{Outcome, PathTable};
use throughline_core::EventKind;
use throughline_market::{Channel, Life, World};

/// Days before a conversion in which touches count.
const LOOKBACK_DAYS: i64 = 30;
const SECOND: i64 = 1_000_000;
const DAY_SECONDS: i64 = 86_400;

/// The journeys that end in a period, and whose they are.
#[derive(Debug)]
pub(super) struct Journeys {
    pub(super) table: PathTable,
    /// The person of each path of the table.
    pub(super) person: Vec<u32>,
    /// All purchases of the period, with a touch or without.
    pub(super) purchases: f64,
    /// Their value, in currency units.
    pub(super) value: f64,
}

/// Journeys of the days given: each purchase with the touches of the 30 days before it that no earlier purchase has taken; and each
/// person's touches of the days left at their end, as a journey without conversion. A channel counts once a day; an e-mail
/// counts when it is opened.
pub(super) fn journeys(world: &World, channels: &[Channel], days: &Range<u32>) -> Journeys {
    let mut builder = PathTable::builder();
    let numbers: Vec<Option<u32>> =
        Channel::ALL.into_iter().map(|c| if channels.contains(&c) { builder.intern(c.name()) } else { None }).collect();
    let (mut rows, mut purchases, mut value) = (Vec::new(), 0.0, 0.0);
    for life in world.lives() {
        let touches = seen(life);
        let end = i64::from(days.end) * DAY_SECONDS;
        let mut from = i64::MIN;
        let mut push = |from: i64, until: i64, first: i64, outcome: Outcome| {
            let taken = touches.iter().filter(|t| t.0 >= from.max(first) && t.0 < until);
            let (steps, ages): (Vec<u32>, Vec<i64>) =
                taken.filter_map(|t| Some((numbers[t.1.index()]?, (until - t.0) * SECOND))).unzip();
            if !steps.is_empty() && builder.push_numbers(&steps, Some(&ages), outcome).is_some() {
                rows.push(life.person.number);
            }
        };
        for purchase in life.purchases.iter().take_while(|p| p.day < days.end) {
            let at = i64::from(purchase.day) * DAY_SECONDS + i64::from(purchase.second);
            if purchase.day >= days.start {
                let worth = purchase.value_micros as f64 / 1e6;
                (purchases, value) = (purchases + 1.0, value + worth);
                let outcome = Outcome { conversions: 1.0, value: worth, nulls: 0.0 };
                push(from, at, at - LOOKBACK_DAYS * DAY_SECONDS, outcome);
            }
            from = at;
        }
        let first = i64::from(days.start) * DAY_SECONDS;
        push(from, end, first, Outcome { nulls: 1.0, ..Outcome::default() });
    }
    let (table, _) = builder.build();
    let person = table.rows().iter().map(|r| rows[*r]).collect();
    Journeys { table, person, purchases, value }
}

/// Second and channel of the touches that a journey shows, in order of time.
pub(super) fn seen(life: &Life) -> Vec<(i64, Channel)> {
    let mut shown: Vec<(u32, Channel, i64)> = life
        .touches
        .iter()
        .filter(|t| t.kind != EventKind::EmailSent)
        .map(|t| (t.day, t.channel, i64::from(t.day) * DAY_SECONDS + i64::from(t.second)))
        .collect();
    shown.sort_unstable();
    shown.dedup_by_key(|t| (t.0, t.1));
    let mut shown: Vec<(i64, Channel)> = shown.into_iter().map(|t| (t.2, t.1)).collect();
    shown.sort_unstable();
    shown
}
