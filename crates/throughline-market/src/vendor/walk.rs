//! One person's way through the shop's web site: what is done when, on which page, and what a cookie is remembered by.
//!
//! A session opens a page every half minute, fills the basket on its last page, and ends with the sign-up where there
//! is one. An order is placed a minute after its visit began, on the third page.

use std::collections::BTreeMap;

use throughline_core::Timestamp;
use throughline_core::time::DAY_US;

use super::site::{self, Origin, Page};
use super::web::{Hit, RELOAD_SHARE, Visit, What};
use crate::noise::Purpose;
use crate::tables::{Place, order_id};
use crate::{Life, Purchase, Session, World};

/// Days for which tools remember where a visitor came from.
const MEMORY_DAYS: i64 = 90;
/// Seconds between two pages, and from the basket's page to the order.
const PAGE_S: u32 = 30;
const CHECKOUT_S: u32 = 2 * PAGE_S;
/// The last slot of a day, far beyond those of hits.
const RELOAD_SLOT: u32 = 4_095;

/// Why a visit took place.
#[derive(Clone, Copy)]
enum Reason<'a> {
    Session(&'a Session),
    Order(&'a Purchase),
}

/// What a cookie is remembered by.
#[derive(Clone, Default)]
struct Memory<'a> {
    visits: u32,
    session_s: i64,
    first: Option<(Option<Origin<'a>>, Timestamp)>,
    last: Option<(Origin<'a>, Timestamp)>,
    last_campaign: Option<(Origin<'a>, Timestamp)>,
}

/// One person's way through the site.
pub(super) struct Walk<'a, 'i> {
    world: &'a World,
    life: &'a Life,
    ids: &'i BTreeMap<(u32, u32), usize>,
    memory: Vec<Memory<'a>>,
    day: u32,
    slot: u32,
}

impl<'a, 'i> Walk<'a, 'i> {
    pub(super) fn new(world: &'a World, life: &'a Life, ids: &'i BTreeMap<(u32, u32), usize>) -> Self {
        let memory = vec![Memory::default(); life.person.devices as usize];
        Self { world, life, ids, memory, day: 0, slot: 0 }
    }

    pub(super) fn visits(mut self) -> Vec<Visit<'a>> {
        let life = self.life;
        let sessions = life.sessions.iter().map(|s| {
            let touch = &life.touches[s.touch];
            (touch.day, touch.second, touch.device, Reason::Session(s))
        });
        let bought = life.purchases.iter().filter(|p| !p.in_store);
        let checkouts = bought.map(|p| (p.day, p.second.saturating_sub(CHECKOUT_S), p.device, Reason::Order(p)));
        let mut starts: Vec<_> = sessions.chain(checkouts).collect();
        starts.sort_by_key(|(day, second, ..)| (*day, *second));
        let visits = starts.into_iter().map(|(day, second, device, reason)| self.visit(day, second, device, reason));
        introduced(visits.collect())
    }

    fn visit(&mut self, day: u32, second: u32, device: u32, reason: Reason<'a>) -> Visit<'a> {
        if day != self.day {
            (self.day, self.slot) = (day, 0);
        }
        let (world, life, noise) = (self.world, self.life, self.life.person.noise);
        let key = noise.stream(Purpose::WebVisit).pair_at(noise.at(day, self.slot));
        let start = world.instant(day, second);
        let origin = match reason {
            Reason::Session(s) => Origin::of(world, &life.touches[s.touch]),
            Reason::Order(_) => None,
        };
        let hits = self.hits(second, reason, origin.is_none());
        let memory = &mut self.memory[device as usize];
        memory.visits += 1;
        memory.session_s = (start.micros() / 1_000_000).max(memory.session_s + 1);
        let (first, first_start) = *memory.first.get_or_insert((origin, start));
        let seen = origin.map(|o| (o, start));
        memory.last = seen.or(memory.last);
        memory.last_campaign = seen.filter(|(o, _)| o.campaign.is_some()).or(memory.last_campaign);
        let recent = |past: Option<(Origin<'a>, Timestamp)>| {
            past.filter(|(_, at)| start.micros() - at.micros() <= MEMORY_DAYS * DAY_US).map(|(origin, _)| origin)
        };
        Visit {
            life,
            device,
            start,
            number: memory.visits,
            session_s: memory.session_s,
            key,
            origin,
            first,
            first_start,
            last: recent(memory.last),
            last_campaign: recent(memory.last_campaign),
            hits,
        }
    }

    /// What is done in a visit: second of the day, page where a certain one is opened, what.
    fn plan(&self, second: u32, reason: Reason<'a>, typed: bool) -> Vec<(u32, Option<&'static Page>, What)> {
        match reason {
            Reason::Session(session) => {
                let home = typed.then_some(&site::HOME);
                let page = |k: u32| (second + PAGE_S * k, home.filter(|_| k == 0), What::View);
                let mut steps: Vec<_> = (0..session.pages).map(page).collect();
                if session.cart {
                    steps.push((second + PAGE_S * session.pages - PAGE_S / 2, None, What::Cart));
                }
                if self.life.sign_up.is_some_and(|s| s.touch == session.touch) {
                    steps.push((second + Life::session_seconds(session), None, What::SignUp));
                }
                steps
            }
            Reason::Order(purchase) => {
                let position = self.ids.get(&(self.life.person.number, purchase.day)).copied().unwrap_or_default();
                let order = |again| What::Order {
                    id: order_id(Place::Web, position),
                    value_micros: purchase.value_micros,
                    again,
                };
                let view = |after, page| (second + after, Some(page), What::View);
                let mut steps = vec![view(0, &site::BASKET), view(PAGE_S, &site::CHECKOUT)];
                let mut thanks = |at: u32, again| {
                    steps.extend([(at, Some(&site::THANKS), What::View), (at, Some(&site::THANKS), order(again))]);
                };
                thanks(purchase.second, false);
                if self.life.person.noise.unit(Purpose::Sending, purchase.day, RELOAD_SLOT) < RELOAD_SHARE {
                    thanks(purchase.second + 3 * PAGE_S, true);
                }
                steps
            }
        }
    }

    fn hits(&mut self, second: u32, reason: Reason<'a>, typed: bool) -> Vec<Hit> {
        let noise = self.life.person.noise;
        let (mut from, mut here, mut view): (_, Option<&'static Page>, _) = (None, None, [0, 0]);
        let steps = self.plan(second, reason, typed);
        let hits = steps.into_iter().map(|(second, page, what)| {
            let key = noise.stream(Purpose::WebHit).pair_at(noise.at(self.day, self.slot));
            if what == What::View {
                (from, here, view) = (here, page.or_else(|| Some(site::product(key[0]))), key);
            }
            let hit = Hit {
                at: self.world.instant(self.day, second),
                page: here.unwrap_or(&site::HOME),
                from,
                what,
                key,
                view,
                known: false,
                address: (self.day, self.slot),
            };
            self.slot += 1;
            hit
        });
        hits.collect()
    }
}

/// Makes each browser known from its first sign-up or order on, in all its tabs: visits may overlap.
fn introduced(mut visits: Vec<Visit>) -> Vec<Visit> {
    let introduces = |hit: &Hit| matches!(hit.what, What::SignUp | What::Order { .. });
    let mut since: BTreeMap<u32, Timestamp> = BTreeMap::new();
    for visit in &visits {
        for hit in visit.hits.iter().filter(|hit| introduces(hit)) {
            let first = since.entry(visit.device).or_insert(hit.at);
            *first = hit.at.min(*first);
        }
    }
    for visit in &mut visits {
        let first = since.get(&visit.device).copied();
        for hit in &mut visit.hits {
            hit.known = introduces(hit) || first.is_some_and(|first| hit.at > first);
        }
    }
    visits
}

/// What the tools on the site have to agree with, straight from the market.
#[cfg(test)]
pub(super) mod testing {
    use std::collections::BTreeMap;

    use throughline_core::Purpose;

    use crate::World;
    use crate::tables::{Place, order_id, orders};

    #[derive(Debug)]
    pub(in super::super) struct Market {
        /// Value in micros and instant, by id.
        pub(in super::super) orders: BTreeMap<String, (i64, i64)>,
        pub(in super::super) sessions: usize,
        pub(in super::super) carts: usize,
        pub(in super::super) sign_ups: usize,
    }

    impl Market {
        pub(in super::super) fn of(world: &World) -> Self {
            let measured = |l: &crate::Life| l.person.consent.allows(Purpose::Measurement);
            let sold = orders(world, Place::Web).into_iter().enumerate().filter(|(_, (life, _))| measured(life));
            let order = |(position, (_, p)): (usize, (_, &crate::Purchase))| {
                (order_id(Place::Web, position), (p.value_micros, world.instant(p.day, p.second).micros()))
            };
            let lives: Vec<_> = world.lives().iter().filter(|l| measured(l)).collect();
            assert!(lives.len() < world.lives().len(), "somebody refuses");
            Self {
                orders: sold.map(order).collect(),
                sessions: lives.iter().map(|l| l.sessions.len()).sum(),
                carts: lives.iter().flat_map(|l| &l.sessions).filter(|s| s.cart).count(),
                sign_ups: lives.iter().filter(|l| l.sign_up.is_some()).count(),
            }
        }

        pub(in super::super) fn visits(&self) -> usize {
            self.sessions + self.orders.len()
        }

        /// Compares the orders of a tool, each with value and instant in micros, in the order of its file: the first of
        /// an id counts, further ones must be in the share of pages loaded again.
        #[track_caller]
        pub(in super::super) fn check_orders(&self, told: impl IntoIterator<Item = (String, i64, i64)>) {
            let (mut first, mut again) = (BTreeMap::new(), 0);
            for (id, value, at) in told {
                let (known, known_at) = *first.entry(id.clone()).or_insert((value, at));
                again += usize::from(at > known_at);
                assert_eq!(known, value, "{id}");
            }
            assert_eq!(first, self.orders);
            super::super::derived::testing::check_share("reloads", again, first.len(), super::RELOAD_SHARE);
        }
    }
}
