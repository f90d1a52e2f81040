//! Random markets: what channels do, how they reach people and when they run differs from seed to seed.
//!
//! Effects come from a mixture (a quarter of the channels do almost nothing, a few do harm, a few do very much), so that ratios of
//! effect to credit follow no distribution that a calibration assumes. Markets of odd seeds use carry-overs and saturations
//! that no estimator of ours assumes (`docs/market.md`).

use throughline_market::scenario::FlightSpec;
use throughline_market::{Carryover, Channel, Saturation, Scenario};
use throughline_stats::stream::Stream;

/// Days before the first period, so that journeys and carry-overs have begun.
pub(super) const WARM_UP: u32 = 30;
/// Days of each of the two periods: experiments run in the first.
pub(super) const PERIOD: u32 = 45;
/// Days of a market.
pub(super) const DAYS: u32 = WARM_UP + 2 * PERIOD;
/// Channels in a market that can be switched off.
pub(super) const TESTABLE: usize = 8;

/// What a business can switch off for some people. Broadcasts are not among them: their touches are not seen, so they have no
/// credit.
const PAID: [Channel; 10] = [
    Channel::PaidSearch,
    Channel::PaidSocial,
    Channel::Display,
    Channel::Retargeting,
    Channel::Video,
    Channel::Affiliates,
    Channel::Email,
    Channel::Sms,
    Channel::Push,
    Channel::DirectMail,
];
/// Visits that nobody can switch off: in every market.
const VISITS: [Channel; 2] = [Channel::Organic, Channel::Direct];

/// A market to be scored.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Drawn {
    pub(super) scenario: Scenario,
    /// Channels that could be tested, in random order: the first ones are.
    pub(super) testable: Vec<Channel>,
    /// Picks the pre-stated target among what no experiment measured.
    pub(super) pick: f64,
    /// Whether its forms are ones that no estimator assumes.
    pub(super) odd: bool,
}

/// Numbers one after the other.
struct Numbers {
    stream: Stream,
    next: u64,
}

impl Numbers {
    fn unit(&mut self) -> f64 {
        self.next += 1;
        self.stream.uniform_at(self.next)
    }

    fn within(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    fn days(&mut self, low: u32, high: u32) -> u32 {
        self.next += 1;
        low + u32::try_from(self.stream.index_at(self.next, u64::from(high - low + 1))).unwrap_or(0)
    }
}

/// The market of a seed.
pub(super) fn draw(seed: u64, people: u32) -> Drawn {
    let mut n = Numbers { stream: Stream::new(seed, 0x6372_6564), next: 0 };
    let odd = seed % 2 == 1;
    let mut keyed: Vec<(u64, Channel)> = PAID.iter().map(|c| (n.stream.u64_at(1_000 + c.index() as u64), *c)).collect();
    keyed.sort_unstable();
    let testable: Vec<Channel> = keyed.into_iter().take(TESTABLE).map(|(_, c)| c).collect();
    let mut scenario = Scenario::default().with_people(people);
    scenario.days = DAYS;
    world(&mut scenario, &mut n);
    let template = scenario.channels.get(Channel::Display.name()).cloned();
    scenario.channels.clear();
    for channel in testable.iter().chain(&VISITS) {
        let Some(mut spec) = template.clone() else { continue };
        spec.campaigns.clear();
        spec.cost_per_click = 0.4;
        spec.cost_per_impression = 0.02;
        (spec.reach, spec.every_days, spec.click_rate) = reach(*channel, &mut n);
        spec.targeting = n.within(-0.2, 1.4);
        spec.effect = if VISITS.contains(channel) { 0.1 * n.unit() } else { effect(&mut n) };
        spec.carryover = carryover(odd, &mut n);
        spec.saturation = saturation(odd, &mut n);
        let factor = n.within(0.5, 1.6);
        let later = WARM_UP + PERIOD;
        spec.flights = [(0, later, 1.0), (later, PERIOD + 30, factor)]
            .map(|(from_day, days, factor)| FlightSpec { from_day, days, factor, regions: Vec::new() })
            .to_vec();
        scenario.channels.insert(channel.name().to_owned(), spec);
    }
    scenario.interactions.retain_mut(|pair| {
        testable[0].name().clone_into(&mut pair.first);
        testable[TESTABLE - 1].name().clone_into(&mut pair.second);
        pair.effect = n.within(-0.3, 0.6);
        n.unit() < 0.5
    });
    Drawn { scenario, testable, pick: n.unit(), odd }
}

/// People, intent and calendar.
fn world(scenario: &mut Scenario, n: &mut Numbers) {
    let level = n.within(-0.4, 0.4);
    for (segment, log_odds) in
        [(&mut scenario.segments.new, -5.0), (&mut scenario.segments.regular, -4.4), (&mut scenario.segments.vip, -3.8)]
    {
        segment.log_odds = log_odds + level;
    }
    scenario.intent.swing = n.within(0.3, 1.2);
    scenario.intent.noise = n.within(0.1, 0.4);
    scenario.purchase.recovery_days = n.days(3, 10);
    scenario.calendar.trend_per_day = n.within(-0.003, 0.003);
    // No e-mail test: nobody is written to, and newsletters do not rest.
    let test = &mut scenario.experiment;
    (test.day, test.window_days) = (0, 1);
    (test.offer.probability, test.news.probability) = (0.0, 0.0);
}

/// Log-odds at full saturation, over the range that the presets of the market span (0 to 1.6), with some harm.
fn effect(n: &mut Numbers) -> f64 {
    match n.unit() {
        kind if kind < 0.25 => n.within(0.0, 0.08),
        kind if kind < 0.32 => n.within(-0.3, -0.05),
        kind if kind < 0.88 => n.within(0.1, 0.9),
        _ => n.within(0.9, 1.6),
    }
}

/// Reach, days between messages, click rate.
fn reach(channel: Channel, n: &mut Numbers) -> (f64, u32, f64) {
    match channel {
        Channel::PaidSocial | Channel::Display | Channel::Video => (n.within(0.03, 0.15), 7, n.within(0.01, 0.08)),
        Channel::Retargeting => (n.within(0.08, 0.25), 7, n.within(0.02, 0.1)),
        Channel::Email => (n.within(0.15, 0.4), n.days(5, 10), 0.15),
        Channel::Sms | Channel::Push | Channel::DirectMail => (n.within(0.2, 0.6), n.days(7, 21), n.within(0.02, 0.1)),
        _ => (n.within(0.01, 0.05), 7, 0.0),
    }
}

fn carryover(odd: bool, n: &mut Numbers) -> Carryover {
    let first = n.unit() < 0.5;
    match (odd, first) {
        (false, true) => Carryover::Geometric { half_life_days: n.within(1.0, 7.0) },
        (false, false) => Carryover::Delayed { retention: n.within(0.3, 0.8), peak_days: n.within(0.0, 3.0) },
        (true, true) => Carryover::Mixture {
            fast_half_life_days: n.within(0.5, 2.0),
            slow_half_life_days: n.within(5.0, 20.0),
            slow_share: n.within(0.2, 0.6),
        },
        (true, false) => Carryover::Window { days: n.days(2, 7) },
    }
}

fn saturation(odd: bool, n: &mut Numbers) -> Saturation {
    let first = n.unit() < 0.5;
    match (odd, first) {
        (false, true) => Saturation::Exponential { scale: n.within(1.0, 4.0) },
        (false, false) => Saturation::Hill { half: n.within(1.0, 3.0), slope: n.within(0.8, 2.0) },
        (true, true) => Saturation::Wearout { best: n.within(2.0, 6.0) },
        (true, false) => Saturation::Steps { at: vec![0.9, n.within(2.0, 4.0)] },
    }
}
