//! Which touches reach a person. Touches follow intent and earlier visits, never purchases: a counterfactual that removes
//! a channel's touches leaves everybody else's where they were.
//!
//! A channel's touches are an inhomogeneous Poisson process, drawn by thinning (Lewis and Shedler, 1979): candidates at
//! the highest rate of the span, each kept with probability rate / highest rate. The cost grows with touches, not with days.

use throughline_core::EventKind;
use throughline_stats::stream::{Stream, unit};

use crate::channel::{Campaign, Form};
use crate::noise::{self, Noise, Purpose};
use crate::person::arm_spec;
use crate::plan::{ChannelPlan, Plan};
use crate::world::Sent;
use crate::{Channel, Person, Touch, interventions};

/// Touches fall between 06:00 and 17:00, purchases later: every touch of a day precedes the day's purchase.
const FIRST_SECOND: f64 = 6.0 * 3_600.0;
const SPAN_SECONDS: f64 = 11.0 * 3_600.0;
/// Candidates of one channel over the whole span, at most; scenarios whose means come near are refused.
pub(crate) const MOST: u32 = 100_000;
/// The largest mean drawn at once: its mass at 0 is still a number.
const CHUNK: f64 = 256.0;
/// Days for which a visit keeps a person in the retargeting audience.
const AUDIENCE_DAYS: usize = 7;
/// E-mails go out on every so-manieth day, beginning with day 2.
const FIRST_MESSAGE_DAY: u32 = 2;

/// A person and the numbers that decide what reaches them.
struct Reach<'a> {
    plan: &'a Plan,
    person: &'a Person,
    noise: Noise,
    stream: Stream,
    intent: &'a [f64],
    /// Lowest and highest intent.
    bounds: (f64, f64),
}

/// A candidate that was kept.
#[derive(Clone, Copy)]
struct Kept {
    index: u32,
    day: u32,
    second: u32,
}

/// The touches of a person, ordered by time.
pub(crate) fn touches(plan: &Plan, person: &Person, noise: &Noise, intent: &[f64], sent: &[Sent]) -> Vec<Touch> {
    let low = intent.iter().copied().fold(f64::INFINITY, f64::min);
    let high = intent.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let stream = noise.stream(Purpose::Exposure);
    let reach = Reach { plan, person, noise: *noise, stream, intent, bounds: (low, high) };
    let mut touches: Vec<Touch> = Vec::new();
    for (channel, spec) in plan.used() {
        match channel.form() {
            Form::Message => reach.mails(spec, sent, &mut touches),
            Form::Batch => reach.batches(channel, spec, &mut touches),
            Form::Audience | Form::Broadcast => {}
            Form::Shown | Form::Clicked | Form::Visit => {
                for kept in reach.kept(channel, spec) {
                    reach.advertise(channel, spec, kept, &mut touches);
                }
            }
        }
    }
    for (channel, spec) in plan.used().filter(|(c, _)| c.form() == Form::Audience) {
        reach.audience(channel, spec, &mut touches);
    }
    touches.sort_unstable_by_key(|t| (t.day, t.second, t.channel, t.kind != EventKind::Impression));
    touches
}

impl Reach<'_> {
    /// Two numbers of the `index`-th event of a channel.
    fn pair(&self, channel: Channel, index: u32, pair: u32) -> [f64; 2] {
        let [first, second] = self.stream.pair_at(self.noise.at(index, slot(channel) + 2 * pair) / 2);
        [unit(first), unit(second)]
    }

    /// Rate of a channel on a day.
    fn rate(&self, spec: &ChannelPlan, day: usize) -> f64 {
        let today = u32::try_from(day).unwrap_or(u32::MAX);
        let strength = spec.strength(&self.plan.areas, self.person.area_on(today), today);
        if strength == 0.0 { 0.0 } else { spec.reach * strength * (spec.targeting * self.intent[day]).exp() }
    }

    /// The candidates of a channel that are kept, in no order.
    fn kept(&self, channel: Channel, spec: &ChannelPlan) -> Vec<Kept> {
        let (low, high) = self.bounds;
        let highest = spec.reach * spec.strongest * f64::max(spec.targeting * low, spec.targeting * high).exp();
        let days = self.intent.len() as f64;
        let candidates = self.count(channel, highest * days);
        let mut kept = Vec::new();
        for index in 0..candidates {
            let [when, chance] = self.pair(channel, index, 0);
            let at = when * days;
            let day = whole(at);
            if chance * highest < self.rate(spec, day as usize) {
                kept.push(Kept { index, day, second: second(at - f64::from(day)) });
            }
        }
        kept
    }

    /// A Poisson count of any mean, as a sum of counts whose means are small enough to be drawn by inversion.
    fn count(&self, channel: Channel, mean: f64) -> u32 {
        let (mut left, mut total, mut part) = (mean, 0, 0);
        while left > 0.0 && total < MOST {
            let [u, _] = self.pair(channel, MOST + part, 0);
            total += noise::poisson(u, left.min(CHUNK), MOST);
            left -= CHUNK;
            part += 1;
        }
        total.min(MOST)
    }

    fn advertise(&self, channel: Channel, spec: &ChannelPlan, kept: Kept, touches: &mut Vec<Touch>) {
        let [which, device] = self.pair(channel, kept.index, 1);
        let intent = self.intent[kept.day as usize];
        let (kind, cost) = match channel.form() {
            Form::Visit => (EventKind::Visit, 0),
            Form::Clicked => (EventKind::Click, spec.click_micros),
            _ => (EventKind::Impression, spec.impression_micros),
        };
        let touch = Touch {
            day: kept.day,
            second: kept.second,
            channel,
            kind,
            campaign: Campaign::Listed(spec.choose(which, intent)),
            device: self.device(device),
            cost_micros: priced(cost, spec.price(kept.day)),
        };
        touches.push(touch);
        if kind == EventKind::Impression {
            let [click, _] = self.pair(channel, kept.index, 2);
            if click < spec.click_rate * (0.3 * intent).exp() {
                let cost_micros = priced(spec.click_micros, spec.price(kept.day));
                touches.push(Touch { kind: EventKind::Click, second: kept.second + 20, cost_micros, ..touch });
            }
        }
    }

    /// Banners for those who visited on one of the seven days before. A click on one is a visit too.
    fn audience(&self, channel: Channel, spec: &ChannelPlan, touches: &mut Vec<Touch>) {
        let mut visited = vec![false; self.intent.len()];
        let visits = |t: &Touch| matches!(t.kind, EventKind::Visit | EventKind::Click);
        for touch in touches.iter().filter(|t| visits(t)) {
            visited[touch.day as usize] = true;
        }
        let mut candidates = self.kept(channel, spec);
        candidates.sort_unstable_by_key(|k| (k.day, k.second, k.index));
        for kept in candidates {
            let day = kept.day as usize;
            if visited[day.saturating_sub(AUDIENCE_DAYS)..day].iter().any(|v| *v) {
                let before = touches.len();
                self.advertise(channel, spec, kept, touches);
                visited[day] |= touches[before..].iter().any(visits);
            }
        }
    }

    /// Messages of the channels that send on fixed days, to those who agreed.
    fn batches(&self, channel: Channel, spec: &ChannelPlan, touches: &mut Vec<Touch>) {
        let first = u32::try_from(channel.index()).unwrap_or(0) % spec.every_days;
        for day in (first..).step_by(spec.every_days as usize).take_while(|d| (*d as usize) < self.intent.len()) {
            let [sent, when] = self.pair(channel, day, 0);
            if sent < self.rate(spec, day as usize) && self.person.contactable_on(day) {
                self.advertise(channel, spec, Kept { index: day, day, second: second(0.3 * when) }, touches);
            }
        }
    }

    /// Newsletters rest while a test or a decided campaign runs, so that its arms stay clean.
    fn mails(&self, spec: &ChannelPlan, sent: &[Sent], touches: &mut Vec<Touch>) {
        let lottery = self.plan.scenario.interventions.lottery.as_ref();
        let drawn = lottery.map(|l| newsletter_from(spec, l.day)).filter(|day| !self.rests(*day));
        for (day, intent) in (0_u32..).zip(self.intent) {
            if !self.person.contactable_on(day) {
                continue;
            }
            let mail =
                sent.iter().find(|s| s.day == day).and_then(|s| Some((s.arm, arm_spec(&self.plan.scenario, s.arm)?)));
            let (campaign, cost_micros) = match mail {
                Some((arm, spec)) => (Campaign::Test(arm), noise::fine(spec.send_cost)),
                None if self.rests(day) || newsletter_from(spec, day) != day => continue,
                None => (Campaign::Listed(0), spec.impression_micros),
            };
            let boost = match lottery {
                Some(l) if drawn == Some(day) && interventions::wins(l, self.person) => l.boost,
                _ => 1.0,
            };
            let [opens, when] = self.pair(Channel::Email, day, 0);
            let [device, clicks] = self.pair(Channel::Email, day, 1);
            let (channel, device) = (Channel::Email, self.device(device));
            let kind = EventKind::EmailSent;
            let sent = Touch { day, second: second(0.0), channel, kind, campaign, device, cost_micros };
            touches.push(sent);
            if opens < boost * spec.reach * (spec.targeting * intent).exp() {
                let second = second(0.1 + 0.8 * when);
                touches.push(Touch { kind: EventKind::EmailOpened, second, cost_micros: 0, ..sent });
                if clicks < spec.click_rate {
                    touches.push(Touch { kind: EventKind::EmailClicked, second: second + 40, cost_micros: 0, ..sent });
                }
            }
        }
    }

    /// Whether newsletters rest on a day: while the test's window runs, and that of what is decided at the end.
    fn rests(&self, day: u32) -> bool {
        let scenario = &self.plan.scenario;
        let resting = |begin: u32| (begin..begin + scenario.experiment.window_days).contains(&day);
        resting(scenario.experiment.day) || resting(scenario.days)
    }

    fn device(&self, u: f64) -> u32 {
        whole(u * f64::from(self.person.devices))
    }
}

/// The day of the first newsletter on or after a day.
pub(crate) fn newsletter_from(spec: &ChannelPlan, day: u32) -> u32 {
    let every = spec.every_days;
    day + (FIRST_MESSAGE_DAY % every + every - day % every) % every
}

/// The first slot of a channel: sixteen numbers an event.
fn slot(channel: Channel) -> u32 {
    u32::try_from(channel.index()).unwrap_or(0) * 16
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and not negative")]
fn whole(x: f64) -> u32 {
    x as u32
}

/// The second of a day by its share.
pub(crate) fn second(share: f64) -> u32 {
    whole(FIRST_SECOND + SPAN_SECONDS * share)
}

/// A cost at a day's price. At the price of the mean day it is exactly itself.
#[expect(clippy::cast_possible_truncation, reason = "bounded by the scenario's checks")]
pub(crate) fn priced(micros: i64, factor: f64) -> i64 {
    (micros as f64 * factor).round() as i64
}

/// What one person's share of a broadcast costs on a day.
pub(crate) fn broadcast_micros(plan: &Plan, spec: &ChannelPlan, area: u32, day: u32) -> i64 {
    priced(spec.impression_micros, spec.reach * spec.strength(&plan.areas, area, day) * spec.price(day))
}
