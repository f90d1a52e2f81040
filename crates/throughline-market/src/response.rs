//! From touches to purchases.
//!
//! On day t the log-odds of a purchase are `own + intent_t + Σ effect_c · g_c,t + Σ interaction · g_a,t · g_b,t + arm_t`,
//! where the adstock `A` carries the touches over and `g` saturates it, each in the channel's own form (`forms`), and the
//! calendar adds what it adds for everybody. After a purchase the odds are multiplied by a factor that recovers to 1. At
//! most one purchase a day.
//!
//! A counterfactual changes the log-odds and keeps every uniform number (common random numbers). Because a day's state
//! is only the days since the last purchase, the expected number of purchases also follows exactly, by a forward
//! recursion over that state; tests tie the recursion to the simulation.

use crate::channel::Form;
use crate::noise::{self, Noise, Purpose};
use crate::person::arm_spec;
use crate::plan::Plan;
use crate::world::Sent;
use crate::{Arm, Campaign, Channel, Person, Touch, incidents, interventions};

/// Purchases fall between 17:00 and 23:00, after every touch of the day.
const FIRST_SECOND: f64 = 17.0 * 3_600.0;
const SPAN_SECONDS: f64 = 6.0 * 3_600.0;
/// Days for which an e-mail tires.
const FATIGUE_DAYS: u32 = 28;

/// A purchase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purchase {
    /// Day of the market, from 0.
    pub day: u32,
    /// Second of the day.
    pub second: u32,
    /// What was paid, in millionths of the currency unit.
    pub value_micros: i64,
    /// In a store rather than on-line.
    pub in_store: bool,
    /// The device used, for purchases on-line.
    pub device: u32,
}

/// Odds of a purchase and share of the list price paid, by day.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Course {
    pub(crate) odds: Vec<f64>,
    pub(crate) price: Vec<f64>,
}

/// A set of channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Channels(u32);

impl Channels {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const ALL: Self = Self(u32::MAX);

    pub(crate) const fn with(self, channel: Channel) -> Self {
        Self(self.0 | 1 << channel.index())
    }

    pub(crate) const fn without(self, channel: Channel) -> Self {
        Self(self.0 & !(1 << channel.index()))
    }

    pub(crate) const fn contains(self, channel: Channel) -> bool {
        self.0 >> channel.index() & 1 == 1
    }
}

/// What drives a person: own log-odds by day and each channel's saturated adstock.
#[derive(Debug, Clone)]
pub(crate) struct Drive<'a> {
    plan: &'a Plan,
    person: &'a Person,
    own: Vec<f64>,
    price: Vec<f64>,
    pulls: Vec<Option<Vec<f64>>>,
}

/// Expected outcomes over a span of days.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Expected {
    /// Mean number of purchases.
    pub(crate) purchases: f64,
    /// Mean of the sum of shares of the list price paid: times the basket it is the value.
    pub(crate) paid: f64,
    /// Probability of at least one purchase.
    pub(crate) any: f64,
}

impl<'a> Drive<'a> {
    pub(crate) fn new(plan: &'a Plan, person: &'a Person, intent: &[f64], touches: &[Touch]) -> Self {
        let mut own: Vec<f64> = intent.iter().zip(&plan.lift).map(|(i, lift)| person.log_odds + i + lift).collect();
        let mut price = plan.price.clone();
        interventions::act(plan, person, intent, &mut own, &mut price);
        incidents::act(plan, person, &mut own, &mut price);
        own.iter_mut().skip(person.churn_day as usize).for_each(|x| *x = f64::NEG_INFINITY);
        let pulls = Channel::ALL.into_iter().map(|c| pull(plan, person, c, intent.len(), touches, 1.0)).collect();
        Self { plan, person, own, price, pulls }
    }

    /// Whether the channel touched the person at all.
    pub(crate) fn reached_by(&self, channel: Channel) -> bool {
        self.pull_of(channel).is_some()
    }

    fn pull_of(&self, channel: Channel) -> Option<&[f64]> {
        self.pulls.get(channel.index()).and_then(Option::as_deref)
    }

    /// The course of the world without one channel, and with e-mails sent.
    pub(crate) fn course(&self, without: Option<Channel>, sent: &[Sent]) -> Course {
        self.course_of(without.map_or(Channels::ALL, |c| Channels::ALL.without(c)), sent)
    }

    /// The same person with a factor on all touches of a channel.
    pub(crate) fn grown(&self, channel: Channel, factor: f64, touches: &[Touch]) -> Self {
        let mut grown = self.clone();
        if let Some(of_channel) = grown.pulls.get_mut(channel.index()) {
            *of_channel = pull(self.plan, self.person, channel, self.own.len(), touches, factor);
        }
        grown
    }

    /// The course of the world with some channels, and with e-mails sent where e-mail is one of them.
    pub(crate) fn course_of(&self, present: Channels, sent: &[Sent]) -> Course {
        let mut log_odds = self.own.clone();
        let mut price = self.price.clone();
        let pull = |channel| self.pull_of(channel).filter(|_| present.contains(channel));
        for channel in Channel::ALL {
            if let (Some(g), Some(spec)) = (pull(channel), self.plan.channel(channel)) {
                log_odds.iter_mut().zip(g).for_each(|(x, g)| *x += spec.effect * g);
            }
        }
        for (first, second, effect) in &self.plan.interactions {
            if let (Some(a), Some(b)) = (pull(*first), pull(*second)) {
                log_odds.iter_mut().zip(a.iter().zip(b)).for_each(|(x, (a, b))| *x += effect * a * b);
            }
        }
        if present.contains(Channel::Email) {
            (0..sent.len()).for_each(|index| self.send(sent, index, &mut log_odds, &mut price));
        }
        Course { odds: log_odds.into_iter().map(f64::exp).collect(), price }
    }

    /// Adds one of the e-mails sent, in order of their days. Offers do not add up: the best one holds.
    fn send(&self, sent: &[Sent], index: usize, log_odds: &mut [f64], price: &mut [f64]) {
        let scenario = &self.plan.scenario;
        let test = &scenario.experiment;
        let (earlier, Some(Sent { arm, day: begin })) = (&sent[..index.min(sent.len())], sent.get(index).copied())
        else {
            return;
        };
        let Some(spec) = arm_spec(scenario, arm) else { return };
        let tiring = |s: &&Sent| s.arm != Arm::None && s.day + FATIGUE_DAYS > begin;
        let tired = earlier.iter().filter(tiring).count() as f64;
        let lift = self.person.lift(scenario, arm) - scenario.interventions.fatigue * tired;
        let window = (begin as usize..).zip(log_odds.iter_mut().zip(price).skip(begin as usize));
        for (day, (x, price)) in window.take(test.window_days as usize) {
            *x += lift * (-((day - begin as usize) as f64) / test.half_life_days).exp2();
            *price = f64::min(*price, self.price[day] * (1.0 - spec.discount));
        }
    }
}

/// The saturated adstock of a channel by day; `None` when nothing of it reached the person.
fn pull(
    plan: &Plan,
    person: &Person,
    channel: Channel,
    days: usize,
    touches: &[Touch],
    factor: f64,
) -> Option<Vec<f64>> {
    let spec = plan.channel(channel)?;
    let mut weights = vec![0.0; days];
    for touch in touches.iter().filter(|t| t.channel == channel) {
        let strength = match touch.campaign {
            Campaign::Listed(index) => spec.campaigns.get(index as usize).map_or(1.0, |c| c.2),
            Campaign::Test(_) => 0.0,
        };
        if let Some(weight) = weights.get_mut(touch.day as usize) {
            *weight += strength * touch.weight();
        }
    }
    if channel.form() == Form::Broadcast {
        let today = |day: u32| spec.reach * spec.strength(&plan.areas, person.area_on(day), day);
        (0_u32..).zip(weights.iter_mut()).for_each(|(day, w)| *w = today(day));
    }
    if weights.iter().all(|w| *w == 0.0) {
        return None;
    }
    for weight in &mut weights {
        *weight *= factor;
    }
    spec.memory.apply(&mut weights);
    for stock in &mut weights {
        *stock = spec.saturation.of(*stock);
    }
    Some(weights)
}

/// Days since the last purchase before `day`, as a position in the recovery table.
pub(crate) fn state(plan: &Plan, purchases: &[Purchase], day: u32) -> usize {
    let recovered = plan.recovery.len() - 1;
    let last = purchases.iter().rev().find(|p| p.day < day);
    last.map_or(recovered, |p| ((day - p.day - 1) as usize).min(recovered))
}

/// Draws the purchases of days `from` to `to` (excluded).
pub(crate) fn draw(
    plan: &Plan,
    person: &Person,
    noise: &Noise,
    course: &Course,
    mut state: usize,
    days: std::ops::Range<u32>,
) -> Vec<Purchase> {
    let stream = noise.stream(Purpose::Purchase);
    let recovered = plan.recovery.len() - 1;
    let spread = plan.scenario.purchase.value_spread;
    let mut purchases = Vec::new();
    for day in days {
        let index = day as usize;
        let odds = course.odds[index] * plan.recovery[state];
        if stream.uniform_at(noise.at(day, 0)) >= odds / (1.0 + odds) {
            state = (state + 1).min(recovered);
            continue;
        }
        state = 0;
        let list = person.basket * (spread * noise.normal(Purpose::Basket, day, 0) - 0.5 * spread * spread).exp();
        purchases.push(Purchase {
            day,
            second: second(noise.unit(Purpose::Place, day, 0)),
            value_micros: noise::cents(list * course.price[index]).max(10_000),
            in_store: noise.unit(Purpose::Place, day, 1) < person.store_share,
            device: noise.index(Purpose::Place, day, 2, person.devices),
        });
    }
    purchases
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a second of the day")]
fn second(unit: f64) -> u32 {
    (FIRST_SECOND + SPAN_SECONDS * unit) as u32
}

/// What [`draw`] yields in the mean, exactly: a forward recursion over the days since the last purchase.
pub(crate) fn expect(plan: &Plan, course: &Course, state: usize, days: std::ops::Range<u32>) -> Expected {
    let recovered = plan.recovery.len() - 1;
    let mut mass = vec![0.0; recovered + 1];
    mass[state.min(recovered)] = 1.0;
    let mut sum = Expected::default();
    let (mut none, mut waiting) = (1.0, state.min(recovered));
    for day in days {
        let (odds, price) = (course.odds[day as usize], course.price[day as usize]);
        let hazard = |state: usize| {
            let odds = odds * plan.recovery[state];
            odds / (1.0 + odds)
        };
        none *= 1.0 - hazard(waiting);
        waiting = (waiting + 1).min(recovered);
        let (mut bought, mut carried) = (0.0, 0.0);
        for (state, held) in mass.iter_mut().enumerate() {
            let buys = *held * hazard(state);
            bought += buys;
            // What does not buy moves up one state; the last state keeps what it has and receives.
            let stays = *held - buys;
            if state == recovered {
                *held = stays + carried;
            } else {
                *held = carried;
                carried = stays;
            }
        }
        mass[0] += bought;
        sum.purchases += bought;
        sum.paid += bought * price;
    }
    Expected { any: 1.0 - none, ..sum }
}
