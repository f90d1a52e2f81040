//! The market itself: people, their touches, their purchases.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::panic::resume_unwind;
use std::thread;

use serde::{Deserialize, Serialize};
use throughline_core::Timestamp;

use crate::channel::Form;
use crate::noise::{Noise, Purpose};
use crate::plan::Plan;
use crate::response::{self, Drive};
use crate::scenario::OutcomeSpec;
use crate::survey::survey;
use crate::{
    Arm, Call, Campaign, Channel, MarketError, Person, Purchase, Return, Scenario, Session, SignUp, Touch, bots,
    exposure, interventions, outcomes, person,
};

/// One person's life in the market.
#[derive(Debug, Clone, PartialEq)]
pub struct Life {
    /// Who.
    pub person: Person,
    /// Touches, ordered by time; those after the last written day belong to the coming window.
    pub touches: Vec<Touch>,
    /// The arm of the e-mail test, for people who may be written to.
    pub arm: Option<Arm>,
    /// E-mails with an offer or news, and the decision to send none, in order of their days: the test's, then what was
    /// delivered.
    pub sent: Vec<Sent>,
    /// Purchases on the written days, ordered by time.
    pub purchases: Vec<Purchase>,
    /// Visits to the shop on the written days, ordered by time.
    pub sessions: Vec<Session>,
    /// Calls on the written days, in the order of their touches.
    pub calls: Vec<Call>,
    /// Purchases brought back on the written days.
    pub returns: Vec<Return>,
    /// The account opened on the written days.
    pub sign_up: Option<SignUp>,
}

/// What was sent to somebody on a day: by the test or by a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// What.
    pub arm: Arm,
    /// The day.
    pub day: u32,
}

impl Sent {
    pub(crate) fn test(plan: &Plan, arm: Arm) -> Self {
        Self { arm, day: plan.scenario.experiment.day }
    }
}

/// People up to whom a market is held in memory.
const MOST_HELD: u32 = 200_000;

/// A market that draws its people one by one, in any order: nobody needs to be held.
#[derive(Debug, Clone)]
pub struct Source {
    pub(crate) plan: Plan,
    pub(crate) seed: u64,
    /// What was delivered to people, by their number, in order of days.
    pub(crate) delivered: BTreeMap<u32, Vec<Sent>>,
}

impl Source {
    /// A market of a scenario and a seed. Refuses a scenario that breaks its rules, with every fault.
    pub fn new(scenario: &Scenario, seed: u64) -> Result<Self, MarketError> {
        let mut plan = Plan::new(scenario)?;
        plan.areas = interventions::areas(&scenario.interventions, seed);
        survey(&mut plan, seed);
        plan.spike();
        Ok(Self { plan, seed, delivered: BTreeMap::new() })
    }

    /// What it is made of.
    pub fn scenario(&self) -> &Scenario {
        &self.plan.scenario
    }

    /// Every campaign: the e-mails of the test by arm, then those of each channel in its order.
    pub(crate) fn campaigns(&self) -> Vec<String> {
        let listed = self.plan.used().flat_map(|(_, spec)| spec.campaigns.iter().map(|c| c.0.clone()));
        Arm::ALL.into_iter().map(|arm| arm.name().to_owned()).chain(listed).collect()
    }

    /// The place of a channel's campaign among all those of channels.
    pub(crate) fn campaign_code(&self, channel: Channel, index: u32) -> Option<u8> {
        let before = self.plan.used().take_while(|(c, _)| *c != channel).map(|(_, spec)| spec.campaigns.len());
        u8::try_from(before.sum::<usize>() + index as usize).ok()
    }

    /// The life of one person.
    pub fn life(&self, number: u32) -> Life {
        let (plan, scenario) = (&self.plan, &self.plan.scenario);
        let noise = Noise::new(self.seed, number);
        let person = Person::draw(scenario, &noise, number);
        let arm = assign(plan, &person, &noise);
        let intent = person::intent(&scenario.intent, &noise, plan.horizon());
        let mut sent: Vec<Sent> = arm.map(|a| Sent::test(plan, a)).into_iter().collect();
        sent.extend(self.delivered.get(&number).into_iter().flatten());
        let touches = exposure::touches(plan, &person, &noise, &intent, &sent);
        let course = Drive::new(plan, &person, &intent, &touches).course(None, &sent);
        let mut life = Life { touches, arm, sent, ..Life::unborn(person) };
        life.purchases = response::draw(plan, &person, &noise, &course, plan.recovery.len() - 1, 0..scenario.days);
        life.follow(&scenario.outcomes, scenario.days);
        life
    }
}

/// A simulated market. Equal scenarios and seeds give equal markets, for any number of threads.
#[derive(Debug, Clone)]
pub struct World {
    pub(crate) source: Source,
    threads: NonZeroUsize,
    lives: Vec<Life>,
    bots: Vec<Life>,
}

impl World {
    /// Simulates a market on one thread. Refuses a scenario that breaks its rules, with every fault.
    pub fn simulate(scenario: &Scenario, seed: u64) -> Result<Self, MarketError> {
        Self::simulate_on(scenario, seed, NonZeroUsize::MIN)
    }

    /// Simulates a market on a number of threads, which changes the time taken and nothing else.
    pub fn simulate_on(scenario: &Scenario, seed: u64, threads: NonZeroUsize) -> Result<Self, MarketError> {
        Self::simulate_with(scenario, seed, threads, BTreeMap::new())
    }

    /// Simulates a market in which decisions were delivered: what was sent to whom, by the person's number, in order of days.
    pub fn simulate_with(
        scenario: &Scenario,
        seed: u64,
        threads: NonZeroUsize,
        delivered: BTreeMap<u32, Vec<Sent>>,
    ) -> Result<Self, MarketError> {
        let source = Source { delivered, ..Source::new(scenario, seed)? };
        if scenario.people > MOST_HELD {
            return Err(MarketError::TooLarge { people: scenario.people, most: MOST_HELD });
        }
        let people: Vec<u32> = (0..scenario.people).collect();
        let lives = map(&people, threads, |number| source.life(*number));
        let bots = bots::bots(&source.plan, seed);
        Ok(Self { source, threads, lives, bots })
    }

    /// What the market was made of.
    pub fn scenario(&self) -> &Scenario {
        &self.plan().scenario
    }

    pub(crate) const fn plan(&self) -> &Plan {
        &self.source.plan
    }

    /// The seed it was made with.
    pub const fn seed(&self) -> u64 {
        self.source.seed
    }

    /// Programs that click on advertisements: lives without purchases, of nobody.
    pub fn bots(&self) -> &[Life] {
        &self.bots
    }

    /// Every person's life, in order of the person's number.
    pub fn lives(&self) -> &[Life] {
        &self.lives
    }

    /// The instant of a second of a day.
    pub fn instant(&self, day: u32, second: u32) -> Timestamp {
        self.scenario().start.plus_days(i64::from(day)).plus_micros(i64::from(second) * 1_000_000)
    }

    /// The instant after the last written day: the time at which a project on this market decides.
    pub fn end(&self) -> Timestamp {
        self.instant(self.scenario().days, 0)
    }

    /// The campaign's name in files.
    pub fn campaign_name(&self, touch: &Touch) -> &str {
        match touch.campaign {
            Campaign::Test(arm) => arm.name(),
            Campaign::Listed(index) => self
                .plan()
                .channel(touch.channel)
                .and_then(|spec| spec.campaigns.get(index as usize))
                .map_or(touch.channel.name(), |c| c.0.as_str()),
        }
    }

    /// What broadcasts cost on the written days: channel, region, day, micros.
    pub(crate) fn broadcast_costs(&self) -> Vec<(Channel, &'static str, u32, i64)> {
        let mut costs = Vec::new();
        for (channel, spec) in self.plan().used().filter(|(c, _)| c.form() == Form::Broadcast) {
            for day in self.written() {
                let mut micros = [0_i64; Person::REGIONS.len()];
                for life in &self.lives {
                    let area = life.person.area_on(day);
                    let share = exposure::broadcast_micros(self.plan(), spec, area, day);
                    micros[life.person.region_on(day) as usize % Person::REGIONS.len()] += share;
                }
                let regions = Person::REGIONS.into_iter().zip(micros);
                costs.extend(regions.map(|(name, cost)| (channel, name, day, cost)).filter(|c| c.3 > 0));
            }
        }
        costs
    }

    /// What one person's share of a broadcast channel costs over the written days; 0 for other channels.
    pub(crate) fn broadcast_micros(&self, life: &Life, channel: Channel) -> i64 {
        let spec = self.plan().channel(channel).filter(|_| channel.form() == Form::Broadcast);
        let cost = |s, day| exposure::broadcast_micros(self.plan(), s, life.person.area_on(day), day);
        spec.map_or(0, |s| self.written().map(|day| cost(s, day)).sum())
    }

    /// The instant after the last day that can ever be written: nothing is received later.
    pub(crate) fn last_arrival(&self) -> i64 {
        self.instant(self.scenario().all_days(), 0).micros() - 1_000_000
    }

    pub(crate) fn written(&self) -> Range<u32> {
        0..self.scenario().days
    }

    pub(crate) fn noise(&self, life: &Life) -> Noise {
        Noise::new(self.seed(), life.person.number)
    }

    pub(crate) fn drive<'a>(&'a self, life: &'a Life) -> Drive<'a> {
        self.drive_in(self.plan(), life)
    }

    /// What drives a person in a market of another plan that leaves touches as they are.
    pub(crate) fn drive_in<'a>(&self, plan: &'a Plan, life: &'a Life) -> Drive<'a> {
        let intent = person::intent(&plan.scenario.intent, &self.noise(life), plan.horizon());
        Drive::new(plan, &life.person, &intent, &life.touches)
    }

    /// This market with another scenario and the same random numbers, drawn person by person.
    pub(crate) fn counterfactual(&self, edit: impl FnOnce(&mut Scenario)) -> Source {
        let mut plan = self.plan().counterfactual(edit);
        plan.spike();
        Source { plan, seed: self.seed(), delivered: self.source.delivered.clone() }
    }

    /// A function of each life, in order, computed on the world's threads.
    pub(crate) fn each_life<T: Send>(&self, f: impl Fn(&Life) -> T + Sync) -> Vec<T> {
        map(&self.lives, self.threads, f)
    }

    /// A function of anything, in order, computed on the world's threads.
    pub(crate) fn each<I: Sync, T: Send>(&self, items: &[I], f: impl Fn(&I) -> T + Sync) -> Vec<T> {
        map(items, self.threads, f)
    }
}

/// The arm of a person who may be written to.
pub(crate) fn assign(plan: &Plan, person: &Person, noise: &Noise) -> Option<Arm> {
    let test = &plan.scenario.experiment;
    let u = noise.unit(Purpose::Assignment, test.day, 0);
    person.contactable_on(test.day).then_some(if u < test.offer.probability {
        Arm::EmailOffer
    } else if u < test.offer.probability + test.news.probability {
        Arm::EmailNews
    } else {
        Arm::None
    })
}

/// A parallel map that keeps the order: fixed, equal chunks, joined one after the other.
fn map<I: Sync, T: Send>(items: &[I], threads: NonZeroUsize, f: impl Fn(&I) -> T + Sync) -> Vec<T> {
    let chunk = items.len().div_ceil(threads.get()).max(1);
    if chunk >= items.len() {
        return items.iter().map(f).collect();
    }
    let f = &f;
    thread::scope(|scope| {
        let workers: Vec<_> =
            items.chunks(chunk).map(|part| scope.spawn(move || part.iter().map(f).collect::<Vec<T>>())).collect();
        workers.into_iter().flat_map(|w| w.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}

impl Life {
    /// Somebody to whom nothing has happened.
    pub(crate) fn unborn(person: Person) -> Self {
        let (touches, sent, purchases, sessions, calls, returns) = Default::default();
        Self { person, touches, arm: None, sent, purchases, sessions, calls, returns, sign_up: None }
    }

    /// Draws what follows from touches and purchases.
    fn follow(&mut self, spec: &OutcomeSpec, days: u32) {
        let noise = self.person.noise;
        self.sessions = outcomes::sessions(spec, &noise, &self.touches, days);
        self.calls = outcomes::calls(spec, &noise, &self.touches, days);
        self.returns = outcomes::returns(spec, &noise, &self.purchases, days);
        self.sign_up = outcomes::sign_up(spec, &self.person, &noise, &self.sessions, &self.touches);
    }

    /// Whether a channel touched this person on a written day or with the test.
    pub fn reached_by(&self, channel: Channel) -> bool {
        self.touches.iter().any(|t| t.channel == channel)
    }
}
