//! A scenario that passed its checks, with names resolved and tables made.

use std::ops::Range;

use crate::forms::{Memory, Saturation};
use crate::noise::fine;
use throughline_core::time::DAY_US;

use crate::interventions::Area;
use crate::person::AREAS_PER_REGION;
use crate::scenario::{ChannelSpec, FlightSpec, Scenario};
use crate::{Channel, Fault, MarketError, Person};

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
    /// What the designs do in each area.
    pub(crate) areas: Vec<Area>,
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
    /// The largest factor on reach on any day in any area, budgets left out.
    pub(crate) strongest: f64,
    /// The days of the geo test, where the channel is the one tested.
    pub(crate) tested: Range<u32>,
    /// The same as `market`, before any spend spike.
    surveyed: Vec<(f64, f64)>,
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
        Ok(Self::unchecked(scenario))
    }

    /// The plan of a scenario known to be valid, or of a counterfactual of one.
    fn unchecked(scenario: &Scenario) -> Self {
        let horizon = scenario.all_days() + scenario.experiment.window_days;
        let channels = Channel::ALL
            .into_iter()
            .map(|c| scenario.channels.get(c.name()).map(|spec| ChannelPlan::new(c, spec, scenario)))
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
        let areas = vec![Area { factor: 1.0, ..Area::default() }; Person::AREAS as usize];
        Self { scenario: scenario.clone(), channels, interactions, recovery, lift, price, areas }
    }

    /// This market with another scenario: areas, prices and the spans in which touches are drawn stay what they are, so that
    /// every random number keeps its meaning.
    pub(crate) fn counterfactual(&self, edit: impl FnOnce(&mut Scenario)) -> Self {
        let mut scenario = self.scenario.clone();
        edit(&mut scenario);
        let mut plan = Self::unchecked(&scenario);
        plan.areas.clone_from(&self.areas);
        for (new, old) in plan.channels.iter_mut().zip(&self.channels) {
            if let (Some(new), Some(old)) = (new, old) {
                new.strongest = old.strongest;
                new.surveyed.clone_from(&old.surveyed);
                new.market.clone_from(&old.surveyed);
            }
        }
        plan
    }

    /// Raises the prices of channels on the days of their spend spikes, after the market was surveyed without them.
    pub(crate) fn spike(&mut self) {
        for incident in &self.scenario.incidents {
            let Fault::SpendSpike { channel, factor } = &incident.fault else { continue };
            let place = channel.parse::<Channel>().ok().map(Channel::index);
            let spec = place.and_then(|p| self.channels.get_mut(p)).and_then(Option::as_mut);
            let days = spec.into_iter().flat_map(|s| s.market.iter_mut()).zip(0_u32..);
            days.filter(|(_, day)| incident.runs_on(*day)).for_each(|(market, _)| market.1 *= factor);
        }
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
                channel.surveyed.clone_from(&days);
                channel.market = days;
            }
        }
    }

    /// Days simulated: those written, then one more window for the campaign decided at their end.
    pub(crate) fn horizon(&self) -> u32 {
        self.scenario.all_days() + self.scenario.experiment.window_days
    }
}

impl ChannelPlan {
    fn new(channel: Channel, spec: &ChannelSpec, scenario: &Scenario) -> Self {
        let horizon = scenario.all_days() + scenario.experiment.window_days;
        let mut campaigns: Vec<_> = spec.campaigns.iter().map(|c| (c.name.clone(), c.targeting, c.strength)).collect();
        if campaigns.is_empty() {
            campaigns.push((channel.name().to_owned(), 0.0, 1.0));
        }
        let test = scenario.interventions.geo_test.as_ref().filter(|t| t.channel == channel.name());
        let tested = test.map_or(0..0, |t| t.from_day..t.from_day + t.days);
        let more = test.map_or(1.0, |t| t.factor.max(1.0));
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
            strongest: flights.iter().flatten().fold(0.0, |most, f| f64::max(most, *f)) * more * scenario.most_budget,
            tested,
            flights,
            surveyed: vec![(1.0, 1.0); horizon as usize],
            market: vec![(1.0, 1.0); horizon as usize],
            impression_micros: fine(spec.cost_per_impression),
            click_micros: fine(spec.cost_per_click),
            budget_micros: spec.daily_budget.map(fine),
            campaigns,
        }
    }

    /// Factor on reach in an area on a day, test and budgets included.
    #[inline]
    pub(crate) fn strength(&self, areas: &[Area], area: u32, day: u32) -> f64 {
        let region = self.flights.get((area / AREAS_PER_REGION) as usize);
        let flight = region.and_then(|days| days.get(day as usize)).copied().unwrap_or(0.0);
        let tested = if self.tested.contains(&day) { areas.get(area as usize).map_or(1.0, |a| a.factor) } else { 1.0 };
        flight * tested * self.market.get(day as usize).map_or(1.0, |m| m.0)
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
