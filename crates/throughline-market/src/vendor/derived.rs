//! What the systems of sales and mail derive alike: the messages sent, and the baskets filled and not bought.

use throughline_core::EventKind;

use crate::noise::{self, Purpose};
use crate::{Channel, Life, Person, Touch, World};

/// Days after a session within which a basket may still be bought.
pub(super) const WAIT_DAYS: u32 = 7;

/// A message of the e-mail channel with what followed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Message<'a> {
    pub(super) sent: &'a Touch,
    pub(super) opened: Option<&'a Touch>,
    pub(super) clicked: Option<&'a Touch>,
    /// Position among the person's messages of the day.
    pub(super) of_day: u32,
}

/// The messages that a person got on the written days, in order of time.
pub(super) fn messages<'a>(world: &World, life: &'a Life) -> Vec<Message<'a>> {
    let mut messages: Vec<Message<'a>> = Vec::new();
    let days = world.scenario().days;
    for touch in life.touches.iter().filter(|t| t.channel == Channel::Email && t.day < days) {
        if touch.kind == EventKind::EmailSent {
            let of_day = messages.iter().rev().take_while(|m| m.sent.day == touch.day).map(|m| m.of_day + 1).next();
            messages.push(Message { sent: touch, opened: None, clicked: None, of_day: of_day.unwrap_or(0) });
            continue;
        }
        let earlier = messages.iter_mut().rev();
        let of = earlier.into_iter().find(|m| (m.sent.day, m.sent.campaign) == (touch.day, touch.campaign));
        match (of, touch.kind) {
            (Some(message), EventKind::EmailOpened) => message.opened = message.opened.or(Some(touch)),
            (Some(message), EventKind::EmailClicked) => message.clicked = message.clicked.or(Some(touch)),
            _ => {}
        }
    }
    messages
}

/// A basket that was filled and not bought within [`WAIT_DAYS`], as far as the written days tell.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cart {
    /// Day of the session.
    pub(super) day: u32,
    /// Second of the day at which the session ended.
    pub(super) second: u32,
    /// The touch that began the session, a position in [`Life::touches`].
    pub(super) touch: usize,
    /// What lay in the basket.
    pub(super) value_micros: i64,
    /// Whether the wait was over before the data ended.
    pub(super) lost: bool,
}

/// The baskets that a person left behind. What lay in them is an order as usual in the segment, times a factor.
pub(super) fn carts(world: &World, life: &Life) -> Vec<Cart> {
    let days = world.scenario().days;
    let spread = world.scenario().purchase.value_spread;
    let filled = life.sessions.iter().filter(|s| s.cart).filter_map(|s| {
        let touch = life.touches.get(s.touch)?;
        let bought = life.purchases.iter().any(|p| (touch.day..=touch.day + WAIT_DAYS).contains(&p.day));
        let z = life.person.noise.normal(Purpose::Deal, touch.day, slot(s.touch, 0));
        let value = usual_order(world, &life.person) * (spread * z - 0.5 * spread * spread).exp();
        (!bought).then(|| Cart {
            day: touch.day,
            second: (touch.second + Life::session_seconds(s)).min(86_399),
            touch: s.touch,
            value_micros: noise::cents(value).max(10_000),
            lost: touch.day + WAIT_DAYS < days,
        })
    });
    filled.collect()
}

/// The slot of a choice about what a touch began, of [`Purpose::Deal`]. Slots from 4,000 are free for other choices.
pub(super) fn slot(touch: usize, choice: u32) -> u32 {
    u32::try_from(touch % 1_000).unwrap_or(0) * 4 + choice
}

/// The usual order of the person's segment, in currency units.
pub(super) fn usual_order(world: &World, person: &Person) -> f64 {
    let segments = &world.scenario().segments;
    match person.segment {
        crate::Segment::New => segments.new.basket,
        crate::Segment::Regular => segments.regular.basket,
        crate::Segment::Vip => segments.vip.basket,
    }
}

/// What the tests of the shapes share.
#[cfg(test)]
pub(super) mod testing {
    use std::collections::BTreeMap;

    use throughline_stats::goodness::{Alternative, binomial_test};

    use super::super::VendorFile;
    use crate::{Scenario, World};

    pub(in super::super) fn world(people: u32, seed: u64) -> World {
        World::simulate(&Scenario::default().with_people(people), seed).expect("the demo is valid")
    }

    pub(in super::super) fn text(world: &World, file: &VendorFile) -> String {
        let mut out = Vec::new();
        world.write_vendor(file, &mut out).expect("writes to memory");
        String::from_utf8(out).expect("UTF-8")
    }

    /// The rows of a CSV file by column.
    pub(in super::super) fn rows(world: &World, file: &VendorFile) -> Vec<BTreeMap<String, String>> {
        let text = text(world, file);
        csv::Reader::from_reader(text.as_bytes()).deserialize().map(|row| row.expect("a row")).collect()
    }

    /// A decimal with at most six places, in micros.
    pub(in super::super) fn micros(text: &str) -> i64 {
        let (whole, part) = text.split_once('.').expect("a point");
        let part: i64 = format!("{part:0<6}").parse().expect("digits");
        let whole_micros = whole.trim_start_matches('-').parse::<i64>().expect("digits") * 1_000_000;
        if whole.starts_with('-') { -whole_micros - part } else { whole_micros + part }
    }

    #[track_caller]
    pub(in super::super) fn check_share(name: &str, count: usize, of: usize, share: f64) {
        assert!(of > 100, "{name}: {of} are too few to tell");
        let p = binomial_test(count as u64, of as u64, share, Alternative::TwoSided).expect("a share");
        assert!(p > 0.01, "{name}: {count} of {of} against {share}, p = {p}");
    }
}

#[cfg(test)]
mod tests {
    use super::testing::world;
    use super::*;

    #[test]
    fn messages_hold_every_touch_of_the_channel() {
        let world = world(500, 3);
        let of_kind = |kind| {
            let touches = world.lives().iter().flat_map(|l| &l.touches).filter(|t| t.day < world.scenario().days);
            touches.filter(|t| t.channel == Channel::Email && t.kind == kind).count()
        };
        let all: Vec<_> = world.lives().iter().flat_map(|l| messages(&world, l)).collect();
        assert_eq!(all.len(), of_kind(EventKind::EmailSent));
        assert_eq!(all.iter().filter(|m| m.opened.is_some()).count(), of_kind(EventKind::EmailOpened));
        assert_eq!(all.iter().filter(|m| m.clicked.is_some()).count(), of_kind(EventKind::EmailClicked));
        assert!(all.iter().any(|m| m.clicked.is_some()));
    }

    #[test]
    fn a_basket_is_left_behind_when_nothing_is_bought_within_the_wait() {
        let world = world(2_000, 3);
        let (mut left, mut bought, mut open) = (0, 0, 0);
        for life in world.lives() {
            let carts = carts(&world, life);
            for session in life.sessions.iter().filter(|s| s.cart) {
                let day = life.touches[session.touch].day;
                let next = life.purchases.iter().map(|p| p.day).find(|d| *d >= day);
                let cart = carts.iter().find(|c| c.touch == session.touch);
                assert_eq!(cart.is_none(), next.is_some_and(|d| d - day <= 7), "day {day}, next order {next:?}");
                left += usize::from(cart.is_some_and(|c| c.lost));
                open += usize::from(cart.is_some_and(|c| !c.lost && c.day >= 83));
                bought += usize::from(cart.is_none());
                assert!(cart.is_none_or(|c| c.lost == (c.day < 83) && c.value_micros % 10_000 == 0));
            }
        }
        assert!(left > 100 && bought > 20 && open > 5, "{left} left, {bought} bought, {open} open");
    }
}
