//! What is true in a market: what each channel caused, and what each action would bring with each person.

use serde::{Deserialize, Serialize};

use crate::response::{self, Course, Drive};
use crate::{Arm, Channel, Effects, Life, Sent, World, person};

/// Days of a year.
const YEAR: u32 = 365;

/// The truth of a market.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Truth {
    /// What each channel in use caused, in channel order.
    pub channels: Vec<ChannelTruth>,
    /// What each action would bring, in order of the people.
    pub persons: Vec<PersonTruth>,
}

/// Outcomes of the market minus outcomes of the same market without the channel's touches, over the written days.
///
/// Everybody's other touches stay where they were, and every random number is the same in both worlds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChannelTruth {
    /// Channel.
    pub channel: Channel,
    /// Mean incremental purchases given people and touches; exact, without simulation error.
    pub true_conversions: f64,
    /// Mean incremental value in currency units; exact.
    pub true_value: f64,
    /// Incremental purchases in this very market, by simulating both worlds with common random numbers.
    pub realised_conversions: i64,
    /// Incremental value in this very market, in currency units.
    pub realised_value: f64,
    /// What the channel cost, in currency units.
    pub cost: f64,
    /// Mean purchases per hundred percent more touches, at the margin ([`Effects`](crate::Effects)).
    #[serde(default)]
    pub marginal_conversions: f64,
    /// Shapley value, in mean purchases.
    #[serde(default)]
    pub shapley_conversions: f64,
    /// Standard error of the Shapley value; 0 where everybody was asked.
    #[serde(default)]
    pub shapley_std_error: f64,
}

/// Expected outcomes of one person under each action, over the window that starts on a day.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Outlook {
    /// Probability of at least one purchase, by [`Arm::index`].
    pub probability: [f64; 3],
    /// Expected spend in currency units, by [`Arm::index`].
    #[serde(default)]
    pub value: [f64; 3],
    /// Expected profit in currency units, by [`Arm::index`]: margin minus discount on every order, minus sending.
    pub profit: [f64; 3],
}

/// The truth about one person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PersonTruth {
    /// Customer number.
    pub crm_id: String,
    /// E-mail address.
    pub email: String,
    /// Whether anything may be sent at the end of the written days.
    pub contactable: bool,
    /// Whether the person took part in the e-mail test.
    #[serde(default)]
    pub tested: bool,
    /// The day on which the person stopped being a customer, where that is a simulated one.
    #[serde(default)]
    pub churn_day: Option<u32>,
    /// Expected spend, in currency units, over the 365 days from the end of the written ones: without any touch, calendar or
    /// design, given the course of intent and when the person leaves.
    #[serde(default)]
    pub value_next_year: f64,
    /// From the day of the test, given purchases before it.
    pub test: Outlook,
    /// From the end of the written days, given all purchases: what a decision then is worth.
    pub decision: Outlook,
}

/// The two times at which an e-mail can be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The day of the test.
    Test,
    /// The end of the written days.
    Decision,
}

impl PersonTruth {
    /// The outlook at a time.
    pub const fn at(&self, moment: Moment) -> &Outlook {
        match moment {
            Moment::Test => &self.test,
            Moment::Decision => &self.decision,
        }
    }

    /// Whether anything may be sent at a time.
    pub const fn reachable(&self, moment: Moment) -> bool {
        match moment {
            Moment::Test => self.tested,
            Moment::Decision => self.contactable,
        }
    }

    /// The most profitable action that may be taken; sending nothing wins ties.
    pub fn best(&self, moment: Moment) -> Arm {
        let profit = &self.at(moment).profit;
        let allowed = Arm::ALL.into_iter().filter(|a| self.reachable(moment) || *a == Arm::None);
        allowed.fold(Arm::None, |best, arm| if profit[arm.index()] > profit[best.index()] { arm } else { best })
    }
}

/// One person's share of the channels' effects.
#[derive(Clone, Copy, Default)]
struct Share {
    purchases: f64,
    value: f64,
    realised: i64,
    realised_micros: i64,
    cost_micros: i64,
}

impl World {
    /// Computes the truth: one counterfactual world per channel, and every person's outlook under every action.
    pub fn truth(&self) -> Truth {
        let parts = self.each_life(|life| (self.shares(life), self.person_truth(life)));
        let used: Vec<Channel> = Channel::ALL.into_iter().filter(|c| self.plan().channel(*c).is_some()).collect();
        // Summed in order of the people, so that the last bit does not depend on threads.
        let total = |channel: Channel| {
            let shares = parts.iter().map(|(shares, _)| shares[channel.index()]);
            shares.fold(Share::default(), |sum, s| Share {
                purchases: sum.purchases + s.purchases,
                value: sum.value + s.value,
                realised: sum.realised + s.realised,
                realised_micros: sum.realised_micros + s.realised_micros,
                cost_micros: sum.cost_micros + s.cost_micros,
            })
        };
        let effects = self.effects();
        let channels = used.into_iter().map(|c| ChannelTruth::new(c, &total(c), effects[c.index()])).collect();
        Truth { channels, persons: parts.into_iter().map(|(_, person)| person).collect() }
    }

    fn shares(&self, life: &Life) -> [Share; Channel::COUNT] {
        let drive = self.drive(life);
        let sent = life.sent.as_slice();
        let whole = Outcome::of(self, life, &drive.course(None, sent));
        Channel::ALL.map(|channel| {
            let written = life.touches.iter().filter(|t| t.channel == channel && t.day < self.scenario().days);
            let cost_micros = written.map(|t| t.cost_micros).sum::<i64>() + self.broadcast_micros(life, channel);
            let tested = channel == Channel::Email && !sent.is_empty();
            if !tested && !drive.reached_by(channel) {
                return Share { cost_micros, ..Share::default() };
            }
            let without = Outcome::of(self, life, &drive.course(Some(channel), sent));
            Share {
                purchases: whole.purchases - without.purchases,
                value: whole.value - without.value,
                realised: whole.realised - without.realised,
                realised_micros: whole.realised_micros - without.realised_micros,
                cost_micros,
            }
        })
    }

    fn person_truth(&self, life: &Life) -> PersonTruth {
        let drive = self.drive(life);
        PersonTruth {
            crm_id: life.person.crm_id(),
            email: life.person.email(),
            contactable: life.person.contactable_on(self.scenario().days),
            tested: life.arm.is_some(),
            churn_day: Some(life.person.churn_day).filter(|day| *day < self.plan().horizon()),
            value_next_year: self.value_next_year(life),
            test: self.outlook(life, &drive, self.scenario().experiment.day),
            decision: self.outlook(life, &drive, self.scenario().days),
        }
    }

    fn value_next_year(&self, life: &Life) -> f64 {
        let (scenario, person) = (self.scenario(), &life.person);
        let last = scenario.days + YEAR;
        let intent = person::intent(&scenario.intent, &self.noise(life), last);
        let stays = |day: u32| if day < person.churn_day { 1.0 } else { 0.0 };
        let odds = intent.iter().zip(0_u32..).map(|(i, day)| stays(day) * (person.log_odds + i).exp()).collect();
        let course = Course { odds, price: vec![1.0; last as usize] };
        let state = response::state(self.plan(), &life.purchases, scenario.days);
        response::expect(self.plan(), &course, state, scenario.days..last).paid * person.basket
    }

    /// The outlook of a person for an e-mail sent on `day`.
    pub(crate) fn outlook(&self, life: &Life, drive: &Drive<'_>, day: u32) -> Outlook {
        let scenario = self.scenario();
        let state = response::state(self.plan(), &life.purchases, day);
        let cost_of_goods = 1.0 - scenario.purchase.margin;
        let before = life.sent.iter().copied().filter(|s| s.day < day);
        let mut sent: Vec<Sent> = before.chain([Sent { arm: Arm::None, day }]).collect();
        let mut outlook = Outlook::default();
        for arm in Arm::ALL {
            if let Some(last) = sent.last_mut() {
                last.arm = arm;
            }
            let course = drive.course(None, &sent);
            let days = day..day + scenario.experiment.window_days;
            let expected = response::expect(self.plan(), &course, state, days);
            let spec = person::arm_spec(scenario, arm);
            let cost = spec.map_or(0.0, |s| s.send_cost);
            outlook.probability[arm.index()] = expected.any;
            outlook.value[arm.index()] = expected.paid * life.person.basket;
            outlook.profit[arm.index()] =
                life.person.basket * (expected.paid - expected.purchases * cost_of_goods) - cost;
        }
        outlook
    }
}

/// Expected and realised outcomes of one person in one world.
struct Outcome {
    purchases: f64,
    value: f64,
    realised: i64,
    realised_micros: i64,
}

impl Outcome {
    fn of(world: &World, life: &Life, course: &Course) -> Self {
        let recovered = world.plan().recovery.len() - 1;
        let expected = response::expect(world.plan(), course, recovered, world.written());
        let noise = world.noise(life);
        let drawn = response::draw(world.plan(), &life.person, &noise, course, recovered, world.written());
        Self {
            purchases: expected.purchases,
            value: expected.paid * life.person.basket,
            realised: i64::try_from(drawn.len()).unwrap_or(i64::MAX),
            realised_micros: drawn.iter().map(|p| p.value_micros).sum(),
        }
    }
}

impl ChannelTruth {
    fn new(channel: Channel, share: &Share, effects: Effects) -> Self {
        let units = throughline_core::money::units_from_micros;
        Self {
            channel,
            true_conversions: share.purchases,
            true_value: share.value,
            realised_conversions: share.realised,
            realised_value: units(share.realised_micros),
            cost: units(share.cost_micros),
            marginal_conversions: effects.marginal_conversions,
            shapley_conversions: effects.shapley_conversions,
            shapley_std_error: effects.shapley_std_error,
        }
    }
}
