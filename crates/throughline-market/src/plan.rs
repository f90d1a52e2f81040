//! A scenario that passed its checks, with names resolved and tables made.

use std::f64::consts::LN_2;

use crate::noise::fine;
use crate::scenario::{ChannelSpec, Scenario};
use crate::{Channel, MarketError};

/// A checked scenario.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) scenario: Scenario,
    channels: Vec<Option<ChannelPlan>>,
    pub(crate) interactions: Vec<(Channel, Channel, f64)>,
    /// Factor on the odds of a purchase by days since the last one; the last entry, 1, is for ever.
    pub(crate) recovery: Vec<f64>,
}

/// A channel in use.
#[derive(Debug, Clone)]
pub(crate) struct ChannelPlan {
    pub(crate) reach: f64,
    pub(crate) targeting: f64,
    pub(crate) click_rate: f64,
    pub(crate) effect: f64,
    /// Share of the adstock left after a day.
    pub(crate) carry: f64,
    pub(crate) saturation: f64,
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
        let channels = Channel::ALL
            .into_iter()
            .map(|c| scenario.channels.get(c.name()).map(|spec| ChannelPlan::new(c, spec)))
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
        Ok(Self { scenario: scenario.clone(), channels, interactions, recovery })
    }

    pub(crate) fn channel(&self, channel: Channel) -> Option<&ChannelPlan> {
        self.channels.get(channel.index()).and_then(Option::as_ref)
    }

    /// Days simulated: those written, then one more window for the campaign decided at their end.
    pub(crate) fn horizon(&self) -> u32 {
        self.scenario.days + self.scenario.experiment.window_days
    }
}

impl ChannelPlan {
    fn new(channel: Channel, spec: &ChannelSpec) -> Self {
        let mut campaigns: Vec<_> = spec.campaigns.iter().map(|c| (c.name.clone(), c.targeting, c.strength)).collect();
        if campaigns.is_empty() {
            campaigns.push((channel.name().to_owned(), 0.0, 1.0));
        }
        Self {
            reach: spec.reach,
            targeting: spec.targeting,
            click_rate: spec.click_rate,
            effect: spec.effect,
            carry: (-LN_2 / spec.half_life_days).exp(),
            saturation: spec.saturation,
            impression_micros: fine(spec.cost_per_impression),
            click_micros: fine(spec.cost_per_click),
            budget_micros: spec.daily_budget.map(fine),
            campaigns,
        }
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
