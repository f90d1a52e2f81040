//! The visits to the shop's web site, walked once for every tool on the site, so that the tools agree.
//!
//! **Visits** are the market's sessions and, beside them, one visit for each on-line order: orders come in the evening,
//! long after the sessions of the day have ended, so every tool opens a visit for them (they all do so after 30 minutes
//! of rest), to which nothing led. Hence visits = sessions + on-line orders, among people who allow measurement. Nobody
//! else appears.
//!
//! **What every tool has to deal with:** a thank-you page loaded again reports its order again, with the same number
//! ([`RELOAD_SHARE`]); the clocks of some devices are off ([`OFF_CLOCK_SHARE`]); some hits are sent a day or more after
//! they happened, and some are sent twice (the scenario's shares for its own files).

use std::collections::BTreeMap;
use std::io::Write;

use throughline_core::time::DAY_US;
use throughline_core::{Purpose as Consent, Timestamp};

use super::site::{self, Agent, Origin, Page};
use super::walk::Walk;
use crate::noise::Purpose;
use crate::tables::{Place, orders};
use crate::{Life, Person, World};

/// Share of orders whose thank-you page is loaded again.
pub(super) const RELOAD_SHARE: f64 = 0.02;
/// Share of devices whose clock is off, by up to three hours either way.
pub(super) const OFF_CLOCK_SHARE: f64 = 0.1;
/// A hit that is sent again is so after half a minute.
const RETRY_MICROS: i64 = 30_000_000;
const OFF_CLOCK_MS: f64 = 3.0 * 3_600_000.0;

/// What a visitor did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    View,
    Cart,
    SignUp,
    /// An order, on the page of a view at the same instant; `again` when that page was loaded again.
    Order {
        id: String,
        value_micros: i64,
        again: bool,
    },
}

/// A thing done on the site, once, at a true instant.
#[derive(Debug, Clone)]
pub(super) struct Hit {
    pub(super) at: Timestamp,
    pub(super) page: &'static Page,
    /// The page before; `None` on the first page of a visit.
    pub(super) from: Option<&'static Page>,
    pub(super) what: What,
    /// 128 random bits of the hit, and of the page view it belongs to; tools show them [`scrambled`].
    pub(super) key: [u64; 2],
    pub(super) view: [u64; 2],
    /// Whether the site knows the visitor's customer number: from a sign-up or order in this browser on.
    pub(super) known: bool,
    /// Where its random numbers are: day, and position among the person's hits of the day.
    pub(super) address: (u32, u32),
}

/// A visit of a cookie to the site.
#[derive(Debug, Clone)]
pub(super) struct Visit<'a> {
    pub(super) life: &'a Life,
    pub(super) device: u32,
    pub(super) start: Timestamp,
    /// Its number among the cookie's visits, from 1.
    pub(super) number: u32,
    /// The second of its start; a second later where the cookie's visit before has that number already.
    pub(super) session_s: i64,
    /// 128 random bits of the visit.
    pub(super) key: [u64; 2],
    /// Where it came from; `None` for typed addresses.
    pub(super) origin: Option<Origin<'a>>,
    /// Where the cookie's first visit came from, and when.
    pub(super) first: Option<Origin<'a>>,
    pub(super) first_start: Timestamp,
    /// The last origin of the cookie that is known and no older than 90 days, this visit included.
    pub(super) last: Option<Origin<'a>>,
    /// The same among origins with a campaign.
    pub(super) last_campaign: Option<Origin<'a>>,
    pub(super) hits: Vec<Hit>,
}

/// The visits of everybody who allows measurement: person by person, in order of time.
pub(super) fn visits(world: &World) -> Vec<Visit<'_>> {
    let numbered = orders(world, Place::Web).into_iter().enumerate();
    let ids: BTreeMap<(u32, u32), usize> =
        numbered.map(|(position, (life, p))| ((life.person.number, p.day), position)).collect();
    let all = measured(world).flat_map(|life| Walk::new(world, life, &ids).visits());
    // Who withdraws is not measured any more.
    all.filter(|v| v.life.person.allows_on(Consent::Measurement, v.day(world))).collect()
}

/// Every hit with its visit, in order of time.
pub(super) fn by_time<'v, 'a>(visits: &'v [Visit<'a>]) -> Vec<(&'v Visit<'a>, &'v Hit)> {
    let mut hits: Vec<_> = visits.iter().flat_map(|visit| visit.hits.iter().map(move |hit| (visit, hit))).collect();
    hits.sort_by_key(|(_, hit)| hit.at);
    hits
}

/// Every hit in the order in which it arrives, those sent twice twice, with the instant of arrival.
pub(super) fn by_arrival<'v, 'a>(world: &World, visits: &'v [Visit<'a>]) -> Vec<(Timestamp, &'v Visit<'a>, &'v Hit)> {
    let last = world.end().plus_micros(-1_000_000);
    let mut rows = Vec::new();
    for (visit, hit) in by_time(visits) {
        let arrived = hit.at.plus_micros(visit.sent_after(world, hit));
        rows.push((arrived, visit, hit));
        if visit.choice(hit, 2) < world.scenario().faults.duplicate_share {
            rows.push((arrived.plus_micros(RETRY_MICROS).min(last.max(arrived)), visit, hit));
        }
    }
    rows.sort_by_key(|(arrived, ..)| *arrived);
    rows
}

impl Hit {
    /// Whether it is the first page of its visit.
    pub(super) fn lands(&self) -> bool {
        self.what == What::View && self.from.is_none()
    }
}

impl Visit<'_> {
    /// One of the hit's uniform numbers: 0 and 1 are for [`sent_after`](Self::sent_after), 2 is for hits sent twice, 3
    /// for a tool's own faults.
    pub(super) fn choice(&self, hit: &Hit, which: u32) -> f64 {
        self.life.person.noise.unit(Purpose::Sending, hit.address.0, 4 * hit.address.1 + which)
    }

    /// The day of the market on which it began.
    pub(super) fn day(&self, world: &World) -> u32 {
        let micros = self.start.micros() - world.scenario().start.micros();
        u32::try_from(micros.div_euclid(DAY_US)).unwrap_or(0)
    }

    pub(super) fn agent(&self) -> &'static Agent {
        let kinds = u32::try_from(site::AGENTS.len()).unwrap_or(1);
        let position = self.life.person.noise.index(Purpose::Agent, 0, 4 * self.device, kinds);
        site::AGENTS.get(position as usize).unwrap_or(&site::AGENTS[0])
    }

    /// What the device's clock shows more than the truth, in microseconds.
    pub(super) fn clock_off_micros(&self) -> i64 {
        let unit = |slot| self.life.person.noise.unit(Purpose::Agent, 0, 4 * self.device + slot);
        if unit(1) < OFF_CLOCK_SHARE { millis(OFF_CLOCK_MS * (2.0 * unit(2) - 1.0)) } else { 0 }
    }

    /// Microseconds between a hit and its sending: at once, or a day to three later; before the data ends.
    fn sent_after(&self, world: &World, hit: &Hit) -> i64 {
        let late = self.choice(hit, 0) < world.scenario().faults.late_share;
        let u = self.choice(hit, 1);
        let delay = millis(if late { 86_400_000.0 * (1.0 + 2.0 * u) } else { 50.0 + 2_000.0 * u });
        delay.min(world.end().micros() - 1_000_000 - hit.at.micros()).max(0)
    }

    /// The address of the page of a hit. Parameters stay in it until the visitor moves on.
    pub(super) fn url(&self, hit: &Hit) -> String {
        let query = self.query(hit);
        let mark = if query.is_empty() { "" } else { "?" };
        format!("https://{}{}{mark}{query}", site::HOST, hit.page.path)
    }

    pub(super) fn query(&self, hit: &Hit) -> String {
        self.origin.filter(|_| hit.from.is_none()).map_or_else(String::new, |origin| origin.query())
    }

    pub(super) fn referrer(&self, hit: &Hit) -> String {
        match hit.from {
            Some(page) => format!("https://{}{}", site::HOST, page.path),
            None => self.origin.map_or_else(String::new, |origin| origin.referrer.to_owned()),
        }
    }
}

/// Milliseconds in microseconds, without a part of a millisecond: no tool writes finer.
#[expect(clippy::cast_possible_truncation, reason = "below three days")]
fn millis(ms: f64) -> i64 {
    ms as i64 * 1_000
}

/// 128 bits as a random UUID (RFC 9562, version 4).
pub(super) fn uuid([high, low]: [u64; 2]) -> String {
    let (high, low) = (high & !0xf000 | 0x4000, low & (u64::MAX >> 2) | 1 << 63);
    let node = low & 0xffff_ffff_ffff;
    format!("{:08x}-{:04x}-{:04x}-{:04x}-{node:012x}", high >> 32, high >> 16 & 0xffff, high & 0xffff, low >> 48)
}

/// Bits scrambled for a purpose of a tool, one to one: what tools make of the same thing cannot be joined by value.
pub(super) fn scrambled([high, low]: [u64; 2], tool: u64) -> [u64; 2] {
    let mix = |x: u64| (x ^ x >> 31).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let high = mix(mix(high ^ tool.wrapping_mul(0xbf58_476d_1ce4_e5b9)));
    [high, mix(mix(low ^ high))]
}

/// A device's identifier in one tool.
pub(super) fn device_key(person: &Person, device: u32, tool: u64) -> [u64; 2] {
    let code = person.cookie_code(device);
    scrambled([code, !code], tool)
}

/// (kind, identifier, customer number) of a tool's identifiers of the devices of everybody it may know.
pub(super) fn identity(
    world: &World,
    kind: &'static str,
    id: fn(&Person, u32) -> String,
) -> Vec<(&'static str, String, String)> {
    let people = measured(world).map(|life| &life.person);
    people.flat_map(|p| (0..p.devices).map(move |device| (kind, id(p, device), p.crm_id()))).collect()
}

/// Everybody who allows measurement.
fn measured(world: &World) -> impl Iterator<Item = &Life> {
    world.lives().iter().filter(|life| life.person.consent.allows(Consent::Measurement))
}

/// Rows of fields with tabs between them and no quotes.
pub(super) fn tsv(out: &mut dyn Write) -> csv::Writer<&mut dyn Write> {
    csv::WriterBuilder::new().delimiter(b'\t').quote_style(csv::QuoteStyle::Never).from_writer(out)
}

/// An instant as `YYYY-MM-DD HH:MM:SS`, followed by its milliseconds.
pub(super) fn clock(at: Timestamp, separator: char) -> (String, u32) {
    let second_of_day = at.micros().rem_euclid(DAY_US) / 1_000_000;
    let (hour, minute, second) = (second_of_day / 3_600, second_of_day / 60 % 60, second_of_day % 60);
    let ms = u32::try_from(at.micros().rem_euclid(1_000_000) / 1_000).unwrap_or(0);
    (format!("{}{separator}{hour:02}:{minute:02}:{second:02}", at.date()), ms)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::derived::testing::{check_share, world};
    use super::super::walk::testing::Market;
    use super::*;

    #[test]
    fn visits_are_sessions_and_orders_and_nobody_else_appears() {
        let world = world(800, 11);
        let (market, visits) = (Market::of(&world), visits(&world));
        assert_eq!(visits.len(), market.visits());
        let hits = by_time(&visits);
        let count = |what: fn(&What) -> bool| hits.iter().filter(|(_, h)| what(&h.what)).count();
        assert_eq!(count(|w| *w == What::Cart), market.carts);
        assert_eq!(count(|w| *w == What::SignUp), market.sign_ups);
        assert!(market.carts > 100 && market.sign_ups > 10, "{market:?}");
        assert_eq!(hits.iter().filter(|(_, h)| h.lands()).count(), visits.len());
        let keys: BTreeSet<_> = hits.iter().map(|(_, h)| h.key).collect();
        assert_eq!(keys.len(), hits.len());
        let sessions: BTreeSet<_> = visits.iter().map(|v| (v.life.person.number, v.device, v.session_s)).collect();
        assert_eq!(sessions.len(), visits.len());
        assert!(visits.iter().all(|v| v.life.person.consent.allows(Consent::Measurement)));
    }

    #[test]
    fn a_cookie_is_remembered_by_its_last_known_origin() {
        let world = world(800, 11);
        let visits = visits(&world);
        let mut from_before = 0;
        for (at, visit) in visits.iter().enumerate() {
            let same = |v: &&Visit| (v.life.person.number, v.device) == (visit.life.person.number, visit.device);
            let past: Vec<_> = visits[..=at].iter().rev().take(200).filter(same).collect();
            let recent = |v: &&&Visit| visit.start.micros() - v.start.micros() <= 90 * DAY_US;
            assert_eq!(visit.last, past.iter().filter(recent).find_map(|v| v.origin));
            let mut origins = past.iter().filter(recent).filter_map(|v| v.origin);
            assert_eq!(visit.last_campaign, origins.find(|o| o.campaign.is_some()));
            assert_eq!(visit.number as usize, past.len());
            assert_eq!(visit.first, past.last().and_then(|v| v.origin));
            from_before += usize::from(visit.origin.is_none() && visit.last.is_some());
        }
        assert!(from_before > 100, "{from_before}");
    }

    #[test]
    fn clocks_delays_and_second_sendings_come_in_their_shares() {
        let world = world(800, 11);
        let visits = visits(&world);
        let devices: BTreeMap<_, _> =
            visits.iter().map(|v| ((v.life.person.number, v.device), v.clock_off_micros())).collect();
        let off = devices.values().filter(|off| **off != 0).count();
        check_share("clocks", off, devices.len(), OFF_CLOCK_SHARE);
        assert!(devices.values().any(|off| *off > 0) && devices.values().any(|off| *off < 0));
        assert!(devices.values().all(|off| off.abs() <= 3 * 3_600_000_000));
        let (hits, arrived) = (by_time(&visits), by_arrival(&world, &visits));
        let faults = &world.scenario().faults;
        check_share("twice", arrived.len() - hits.len(), hits.len(), faults.duplicate_share);
        let late = hits.iter().filter(|(v, h)| h.at < world.instant(87, 0) && v.sent_after(&world, h) >= DAY_US);
        let early = hits.iter().filter(|(_, h)| h.at < world.instant(87, 0)).count();
        check_share("late", late.count(), early, faults.late_share);
        assert!(arrived.iter().all(|(at, _, h)| *at >= h.at && *at < world.end()));
    }

    #[test]
    fn identifiers_and_instants_have_their_forms() {
        assert_eq!(uuid([0, 0]), "00000000-0000-4000-8000-000000000000");
        assert_eq!(uuid([u64::MAX, u64::MAX]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        let at = Timestamp::from_micros(1_767_571_200_000_000 + 45_296_789_000);
        assert_eq!(clock(at, 'T'), ("2026-01-05T12:34:56".to_owned(), 789));
        let world = world(300, 2);
        let of_tool = |tool| world.lives().iter().map(move |l| device_key(&l.person, 0, tool));
        let ids: BTreeSet<_> = of_tool(1).chain(of_tool(2)).flatten().collect();
        assert_eq!(ids.len(), 1_200);
    }
}
