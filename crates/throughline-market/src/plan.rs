//! A scenario that passed its checks, with names resolved and tables made.

use crate::forms::{Memory, Saturation};
use crate::noise::fine;
use throughline_core::time::DAY_US;

use crate::scenario::{ChannelSpec, FlightSpec, Scenario};
use crate::{Channel, MarketError, Person};

/// A checked scenario.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) scenario: Scenario,
    channels: Vec<Option<ChannelPlan>>,
    pub(crate) interactions: Vec<(Channel, Channel, f64)>,
    /// Factor on the odds of a purchase by days since the last one; the last entry, 1, is for ever.
    pub(crate) recovery: Vec<f64>,
    /// Log-odds that the calendar adds, by day.
    pub(crate) lift: Vec<f64>,
    /// Share of the list price asked, by day.
    pub(crate) price: Vec<f64>,
}

/// A channel in use.
#[derive(Debug, Clone)]
pub(crate) struct ChannelPlan {
    pub(crate) reach: f64,
    pub(crate) targeting: f64,
    pub(crate) click_rate: f64,
    pub(crate) effect: f64,
    pub(crate) memory: Memory,
    pub(crate) saturation: Saturation,
    pub(crate) every_days: u32,
    pub(crate) elasticity: f64,
    /// Factor on reach, by region and day.
    pub(crate) flights: Vec<Vec<f64>>,
    /// The largest of these.
    pub(crate) strongest: f64,
    /// Share of the demand that is bought and factor on its price, by day. Known after the market was surveyed.
    pub(crate) market: Vec<(f64, f64)>,
    pub(crate) impression_micros: i64,
    pub(crate) click_micros: i64,
    pub(crate) budget_micros: Option<i64>,
    pub(crate) campaigns: Vec<(String, f64, f64)>,
}

impl Plan {
    pub(crate) fn new(scenario: &Scenario) -> Result<Self, MarketError> {
        let diagnostics = scenario.validate();
        if !diagnostics.is_empty() {
            return Err(MarketError::Refused { diagnostics });
        }
        let horizon = scenario.days + scenario.experiment.window_days;
        let channels = Channel::ALL
            .into_iter()
            .map(|c| scenario.channels.get(c.name()).map(|spec| ChannelPlan::new(c, spec, horizon)))
            .collect();
        let interactions = scenario
            .interactions
            .iter()
            .filter_map(|i| Some((i.first.parse().ok()?, i.second.parse().ok()?, i.effect)))
            .collect();
        let days = scenario.purchase.recovery_days;
        let recovery = (0..=days)
            .map(|day| (-scenario.purchase.suppression * (1.0 - f64::from(day) / f64::from(days))).exp())
            .collect();
        let days = (0..horizon).map(|day| calendar(scenario, day));
        let (lift, price) = days.unzip();
        Ok(Self { scenario: scenario.clone(), channels, interactions, recovery, lift, price })
    }

    pub(crate) fn channel(&self, channel: Channel) -> Option<&ChannelPlan> {
        self.channels.get(channel.index()).and_then(Option::as_ref)
    }

    /// The channels in use.
    pub(crate) fn used(&self) -> impl Iterator<Item = (Channel, &ChannelPlan)> {
        Channel::ALL.into_iter().filter_map(|c| Some((c, self.channel(c)?)))
    }

    /// Takes in what share of each channel's demand is bought on each day, and at which price.
    pub(crate) fn set_market(&mut self, market: Vec<Vec<(f64, f64)>>) {
        for (channel, days) in self.channels.iter_mut().zip(market) {
            if let Some(channel) = channel {
                channel.market = days;
            }
        }
    }

    /// Days simulated: those written, then one more window for the campaign decided at their end.
    pub(crate) fn horizon(&self) -> u32 {
        self.scenario.days + self.scenario.experiment.window_days
    }
}

impl ChannelPlan {
    fn new(channel: Channel, spec: &ChannelSpec, horizon: u32) -> Self {
        let mut campaigns: Vec<_> = spec.campaigns.iter().map(|c| (c.name.clone(), c.targeting, c.strength)).collect();
        if campaigns.is_empty() {
            campaigns.push((channel.name().to_owned(), 0.0, 1.0));
        }
        let by_region = |region| (0..horizon).map(|day| flight(spec, region, day)).collect();
        let flights: Vec<Vec<f64>> = Person::REGIONS.into_iter().map(by_region).collect();
        Self {
            reach: spec.reach,
            targeting: spec.targeting,
            click_rate: spec.click_rate,
            effect: spec.effect,
            memory: spec.carryover.memory(),
            saturation: spec.saturation.clone(),
            every_days: spec.every_days,
            elasticity: spec.price_elasticity,
            strongest: flights.iter().flatten().fold(0.0, |most, f| f64::max(most, *f)),
            flights,
            market: vec![(1.0, 1.0); horizon as usize],
            impression_micros: fine(spec.cost_per_impression),
            click_micros: fine(spec.cost_per_click),
            budget_micros: spec.daily_budget.map(fine),
            campaigns,
        }
    }

    /// Factor on reach in a region on a day, budgets included.
    #[inline]
    pub(crate) fn strength(&self, region: u32, day: usize) -> f64 {
        let flight = self.flights.get(region as usize).and_then(|days| days.get(day)).copied().unwrap_or(0.0);
        flight * self.market.get(day).map_or(1.0, |m| m.0)
    }

    /// Factor on what a touch costs on a day.
    pub(crate) fn price(&self, day: u32) -> f64 {
        self.market.get(day as usize).map_or(1.0, |m| m.1)
    }

    /// The campaign shown: shares in proportion to `exp(targeting · intent)`.
    pub(crate) fn choose(&self, u: f64, intent: f64) -> u32 {
        let weight = |c: &(String, f64, f64)| (c.1 * intent).exp();
        let mut left = u * self.campaigns.iter().map(weight).sum::<f64>();
        let found = self.campaigns.iter().position(|c| {
            left -= weight(c);
            left < 0.0
        });
        u32::try_from(found.unwrap_or(self.campaigns.len() - 1)).unwrap_or(0)
    }
}

/// Factor on reach in a region on a day.
fn flight(spec: &ChannelSpec, region: &str, day: u32) -> f64 {
    let runs = |f: &&FlightSpec| (f.from_day..f.from_day.saturating_add(f.days)).contains(&day);
    let here = |f: &&FlightSpec| f.regions.is_empty() || f.regions.iter().any(|r| r == region);
    if spec.flights.is_empty() {
        return 1.0;
    }
    spec.flights.iter().filter(runs).filter(here).map(|f| f.factor).sum()
}

/// Log-odds added and share of the list price asked on a day.
fn calendar(scenario: &Scenario, day: u32) -> (f64, f64) {
    let spec = &scenario.calendar;
    // 1970-01-01, day 0 of time, was a Thursday.
    let weekday = (scenario.start.micros().div_euclid(DAY_US) + i64::from(day) + 3).rem_euclid(7);
    let weekday = usize::try_from(weekday).ok().and_then(|d| spec.weekdays.get(d)).copied().unwrap_or(0.0);
    let windows = spec.windows.iter().filter(|w| (w.from_day..w.from_day.saturating_add(w.days)).contains(&day));
    let (lift, discount) = windows.fold((0.0, 0.0), |(l, d), w| (l + w.lift, f64::max(d, w.discount)));
    (weekday + spec.trend_per_day * f64::from(day) + lift, 1.0 - discount)
}
